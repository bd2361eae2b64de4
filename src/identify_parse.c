/*-------------------------------------------------------------------------
 *
 * identify_parse.c
 *	  sets of identifiers, read from JSON
 *
 * A set is an object with identifiers and, if any, attributes.  Identifiers
 * are an array of objects with semantic_type, value and slug, or an object of
 * values by kind; nulls, and blank attributes, are as if they were not there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "columns.h"
#include "identifier_key.h"
#include "identify.h"

#define MAX_SEEN 1000			/* identifiers of a set */

typedef struct SetParser
{
	Identification *id;
	KeyMaker   *maker;
	PersonSet  *set;			/* that is being read */
	int			capacity;		/* of set->seen */
} SetParser;

/* Columns of contact that may be given, but for those of users. */
static const char *const attribute_columns[] = {
	"first_name", "last_name", "mononym", "titles", "home_phone",
	"business_phone", "time_zone", "is_vendor", "organization_id",
	"archived_at", "last_seen_at"
};

/* Columns that follow from something else. */
static const char *const fixed_columns[] = {
	"id", "email", "email_status", "mobile_phone", "is_reachable",
	"is_validated", "contact_type", "organization_name", "created_at",
	"updated_at"
};

static void
report_shape(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", what),
			 errhint("Write {\"identifiers\": [{\"semantic_type\": \"email\", \"value\": \"a@example.org\", \"slug\": \"main\"}], \"attributes\": {\"first_name\": \"Ada\"}}, or the identifiers as {\"email\": \"a@example.org\"}.")));
}

static bool
key_is(const JsonbValue * key, const char *name)
{
	return key->val.string.len == strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/* The text of a string; NULL for a JSON null. */
static char *
string_of(const JsonbValue * value, const char *what)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		report_shape(psprintf("%s must be a string", what));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Is it one of the names? */
static bool
is_among(const char *const *names, int n, const JsonbValue * key)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (key_is(key, names[i]))
			return true;
	}
	return false;
}

/* The kind of that name; 22023 if there is none. */
static const SemanticType *
kind_of(SetParser *p, const char *name, int len)
{
	SemanticType *type = find_semantic_type(p->id->info, name, len);

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown semantic type \"%s\"", pnstrdup(name, len)),
				 errtable(p->id->dir.identifier)));
	return type;
}

/* Two values of one kind under one label cannot be one person's. */
static void
check_label(SetParser *p, const Seen *new)
{
	int			i;

	for (i = 0; new->slug != NULL && i < p->set->nseen; i++)
	{
		const Seen *old = &p->set->seen[i];

		if (old->type != new->type || !new->type->is_exclusive ||
			old->slug == NULL || strcmp(old->slug, new->slug) != 0)
			continue;
		p->id->is_refused = true;
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("conflicting identifiers of one contact"),
				 errdetail("Key (semantic_type, slug)=(%s, %s) is %s and %s.",
						   new->type->name, new->slug,
						   TextDatumGetCString(old->value),
						   TextDatumGetCString(new->value)),
				 errtableconstraint(p->id->dir.identifier,
									"identifier_contact_id_semantic_type_slug_key")));
	}
}

/* Add an identifier to the set, unless it is there already. */
static void
add_seen(SetParser *p, const SemanticType *type, Datum value, char *slug)
{
	PersonSet  *set = p->set;
	Seen		new;
	struct varlena *t;
	int			i;

	memset(&new, 0, sizeof(new));
	new.set = set - p->id->sets;
	new.type = type;
	new.slug = slug;
	if (!canonical_value(type, value, &new.value))
		report_malformed(p->id->dir.identifier, type, value);
	t = PG_DETOAST_DATUM_PACKED(new.value);
	compute_key(p->maker, type, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
				&new.key);
	for (i = 0; i < set->nseen; i++)
	{
		if (memcmp(set->seen[i].key.data, new.key.data, UUID_LEN) == 0)
			break;
	}
	if (i < set->nseen)
	{
		if (set->seen[i].slug == NULL)
			set->seen[i].slug = slug;
		return;
	}
	check_label(p, &new);
	if (set->nseen == MAX_SEEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d identifiers cannot be one person's",
						MAX_SEEN)));
	if (set->nseen == p->capacity)
	{
		p->capacity = Max(4, p->capacity * 2);
		set->seen = set->seen == NULL ?
			palloc(sizeof(Seen) * p->capacity) :
			repalloc(set->seen, sizeof(Seen) * p->capacity);
	}
	set->seen[set->nseen++] = new;
	set->is_exclusive = set->is_exclusive || type->is_exclusive;
}

/* {"semantic_type": .., "value": .., "slug": ..} */
static void
parse_identifier(SetParser *p, JsonbContainer * object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	const SemanticType *type = NULL;
	char	   *value = NULL;
	char	   *slug = NULL;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		key = v;
		(void) JsonbIteratorNext(&it, &v, true);
		if (key_is(&key, "semantic_type") && v.type == jbvString)
			type = kind_of(p, v.val.string.val, v.val.string.len);
		else if (key_is(&key, "value"))
			value = string_of(&v, "value");
		else if (key_is(&key, "slug"))
			slug = string_of(&v, "slug");
		else
			report_shape(psprintf("unexpected \"%s\" of an identifier",
								  pnstrdup(key.val.string.val, key.val.string.len)));
	}
	if (type == NULL)
		report_shape("an identifier needs a semantic_type");
	if (value != NULL)
		add_seen(p, type, CStringGetTextDatum(value), slug);
}

/* [{"semantic_type": .., ..}, ..] */
static void
parse_identifier_array(SetParser *p, JsonbContainer * array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (v.type != jbvBinary || !JsonContainerIsObject(v.val.binary.data))
			report_shape("an identifier must be an object");
		parse_identifier(p, v.val.binary.data);
	}
}

/* A value of a kind; a null says nothing. */
static void
parse_value(SetParser *p, const SemanticType *type, const JsonbValue * value)
{
	char	   *text = string_of(value, "the value of an identifier");

	if (text != NULL)
		add_seen(p, type, CStringGetTextDatum(text), NULL);
}

/* {"email": .., "anonymous": ..}; several values of a kind stand in an array */
static void
parse_identifier_object(SetParser *p, JsonbContainer * object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	const SemanticType *type = NULL;
	JsonbIteratorToken token;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		JsonbIterator *values;

		if (token == WJB_KEY)
			type = kind_of(p, v.val.string.val, v.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (v.type != jbvBinary || !JsonContainerIsArray(v.val.binary.data))
		{
			parse_value(p, type, &v);
			continue;
		}
		values = JsonbIteratorInit(v.val.binary.data);
		while ((token = JsonbIteratorNext(&values, &v, true)) != WJB_DONE)
		{
			if (token == WJB_ELEM)
				parse_value(p, type, &v);
		}
	}
}

static void
parse_identifiers(SetParser *p, const JsonbValue * value)
{
	if (value->type != jbvBinary)
		report_shape("identifiers must be an array or an object");
	if (JsonContainerIsArray(value->val.binary.data))
		parse_identifier_array(p, value->val.binary.data);
	else
		parse_identifier_object(p, value->val.binary.data);
}

/* A column of a user's, which can be written. */
static bool
is_user_column(Relation contact, const char *name)
{
	HeapTuple	tuple = SearchSysCacheAttName(RelationGetRelid(contact), name);
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_attribute) GETSTRUCT(tuple))->attnum > 0 &&
		((Form_pg_attribute) GETSTRUCT(tuple))->attgenerated == '\0';
	ReleaseSysCache(tuple);
	return result;
}

/* Check that it is a column of contact that may be written, and note users'. */
static void
add_attribute(SetParser *p, const JsonbValue * key)
{
	PersonSet  *set = p->set;
	char	   *name;

	if (is_among(attribute_columns, lengthof(attribute_columns), key))
		return;
	name = pnstrdup(key->val.string.val, key->val.string.len);
	if (is_among(fixed_columns, lengthof(fixed_columns), key) ||
		!is_user_column(p->id->dir.contact, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not an attribute of a contact", name),
				 errhint("Attributes are the columns of contact that do not follow from something else; addresses are identifiers."),
				 errtable(p->id->dir.contact)));
	if (set->others == NULL)
		set->others = palloc(sizeof(char *) *
							 RelationGetNumberOfAttributes(p->id->dir.contact));
	set->others[set->nothers++] = name;
}

/* Does it say something?  Blanks count as missing (rule I3). */
static bool
says_something(const JsonbValue * value)
{
	text	   *string;

	if (value->type != jbvString)
		return value->type != jbvNull;
	string = cstring_to_text_with_len(value->val.string.val,
									  value->val.string.len);
	return !is_blank(PointerGetDatum(string));
}

/*
 * Note the attributes that are given, which are columns of contact that may be
 * written.
 */
static void
parse_attributes(SetParser *p, const JsonbValue * value)
{
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	v;

	if (value->type == jbvNull)
		return;
	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		report_shape("attributes must be an object");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		int			nothers = p->set->nothers;

		if (token != WJB_KEY)
			continue;
		key = v;
		(void) JsonbIteratorNext(&it, &v, true);
		add_attribute(p, &key);
		if (!says_something(&v))
		{
			p->set->nothers = nothers;
			continue;
		}
		p->set->has_attributes = true;
		(void) pushJsonbValue(&state, WJB_KEY, &key);
		(void) pushJsonbValue(&state, WJB_VALUE, &v);
	}
	p->set->attributes =
		JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT,
														NULL)));
}

static void
parse_set(SetParser *p, JsonbContainer * object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		key = v;
		(void) JsonbIteratorNext(&it, &v, true);
		if (key_is(&key, "identifiers"))
			parse_identifiers(p, &v);
		else if (key_is(&key, "attributes"))
			parse_attributes(p, &v);
		else
			report_shape(psprintf("unexpected \"%s\" of a set",
								  pnstrdup(key.val.string.val, key.val.string.len)));
	}
	if (p->set->nseen == 0)
		report_shape("nothing identifies anybody");
}

/* Read the sets; sets is an array of them. */
void
parse_sets(Identification *id, Jsonb * sets)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	SetParser	p;
	JsonbValue	v;

	if (!JB_ROOT_IS_ARRAY(sets) || JB_ROOT_IS_SCALAR(sets))
		report_shape("the sets must be an array");
	id->nsets = JB_ROOT_COUNT(sets);
	id->sets = MemoryContextAllocExtended(CurrentMemoryContext,
										  sizeof(PersonSet) * (id->nsets + 1),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	p.id = id;
	p.maker = key_maker_create(id->info);
	it = JsonbIteratorInit(&sets->root);
	id->current = -1;
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		id->current++;
		p.set = &id->sets[id->current];
		p.capacity = 0;
		if (v.type != jbvBinary || !JsonContainerIsObject(v.val.binary.data))
			report_shape("a set must be an object");
		parse_set(&p, v.val.binary.data);
	}
	id->current = -1;
	key_maker_free(p.maker);
}
