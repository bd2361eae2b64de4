# contacts: build, install and test with PGXS.  "make help" lists the targets.

EXTENSION = contacts
MODULE_big = contacts
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/contacts.control)

OBJS = \
	src/contacts.o \
	src/email_parse.o \
	src/idna.o \
	src/unicode_text.o \
	src/phone_parse.o \
	src/address_text.o \
	src/email.o \
	src/phone.o \
	src/plan_cache.o \
	src/attempt.o \
	src/columns.o \
	src/relation.o \
	src/relationship_type.o \
	src/record.o \
	src/record_change.o \
	src/register.o \
	src/directory.o \
	src/identifier_key.o \
	src/pending.o \
	src/attach.o \
	src/ddl_guard.o \
	src/ddl_gate.o \
	src/consent.o \
	src/message.o \
	src/message_gate.o \
	src/message_queue.o \
	src/reserved.o \
	src/local_time.o \
	src/contact_type.o \
	src/contact.o \
	src/main_identifier.o \
	src/contact_claim.o \
	src/contact_change.o \
	src/identified.o \
	src/identifier.o \
	src/identifier_change.o \
	src/claim.o \
	src/claim_insert.o \
	src/direct_insert.o \
	src/change_consent.o \
	src/organization.o \
	src/subscription.o \
	src/template_parse.o \
	src/template.o \
	src/template_render.o \
	src/delivery_notice.o \
	src/unsubscribe_token.o \
	src/keyed_digest.o \
	src/validation.o \
	src/link_type.o \
	src/relationship.o \
	src/make_link.o \
	src/relationship_mirror.o \
	src/mirror_insert.o \
	src/import.o \
	src/merge.o \
	src/journal.o \
	src/catalogue.o \
	src/guard.o \
	src/resolve.o \
	src/identify_parse.o \
	src/identify_look_up.o \
	src/identify_write.o \
	src/identify_resolve.o \
	src/identify.o \
	src/arriving.o \
	src/credential.o \
	src/suggestion.o \
	src/privacy.o \
	src/set_exclusive.o \
	src/relationship_path.o \
	src/folded_name.o \
	src/duplicate_keys.o \
	src/duplicate_pairs.o \
	src/similarity.o \
	src/my_roles.o \
	src/look_up.o \
	src/share_window.o \
	src/visibility.o \
	src/share.o

# The install script: fragments in load order.
SQL_FRAGMENTS = \
	sql/head.sql \
	sql/email.sql \
	sql/phone.sql \
	sql/domains.sql \
	sql/relation.sql \
	sql/object.sql \
	sql/message.sql \
	sql/privacy.sql \
	sql/triggers.sql \
	sql/relationship.sql \
	sql/deliver.sql \
	sql/validation.sql \
	sql/identify.sql \
	sql/functions.sql \
	sql/reading.sql \
	sql/visibility.sql \
	sql/directory.sql \
	sql/sharing.sql \
	sql/ddl_guard.sql \
	sql/check_relationship.sql \
	sql/check_object.sql \
	sql/check_message.sql \
	sql/check_deliver.sql \
	sql/check.sql \
	sql/upkeep.sql \
	sql/import.sql \
	sql/merge.sql \
	sql/merge_contact.sql \
	sql/unmerge.sql \
	sql/duplicates.sql \
	sql/access.sql \
	sql/trigger_rights.sql

# What create_directory() runs in a new directory, in load order, and what
# attach_triggers() runs after it.
DIRECTORY_FRAGMENTS = \
	sql/directory/setting.sql \
	sql/directory/identity.sql \
	sql/directory/consent.sql \
	sql/directory/relationship.sql \
	sql/directory/sharing.sql \
	sql/directory/topic.sql \
	sql/directory/template.sql \
	sql/directory/message.sql \
	sql/directory/deliverability.sql \
	sql/directory/consent_reading.sql \
	sql/directory/unsubscribe.sql \
	sql/directory/validation.sql \
	sql/directory/upkeep.sql \
	sql/directory/message_functions.sql \
	sql/directory/privacy.sql \
	sql/directory/identify.sql \
	sql/directory/functions.sql \
	sql/directory/merge.sql \
	sql/directory/relationship_functions.sql \
	sql/directory/duplicates.sql \
	sql/directory/relationship_reading.sql
TRIGGER_FRAGMENTS = \
	sql/directory/triggers.sql \
	sql/directory/privacy_triggers.sql \
	sql/directory/relationship_triggers.sql \
	sql/directory/relationship_type_triggers.sql \
	sql/directory/sharing_triggers.sql \
	sql/directory/message_triggers.sql \
	sql/directory/deliver_triggers.sql \
	sql/directory/validation_triggers.sql \
	sql/directory/identify_triggers.sql \
	sql/directory/merge_triggers.sql

DATA_built = sql/contacts--$(EXTVERSION).sql
EXTRA_CLEAN = sql/contacts--$(EXTVERSION).sql

TESTS = $(sort $(wildcard $(srcdir)/test/sql/*.sql))
REGRESS = $(patsubst $(srcdir)/test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=$(srcdir)/test --load-extension=contacts
SPECS = $(sort $(wildcard $(srcdir)/test/specs/*.spec))
ISOLATION = $(patsubst $(srcdir)/test/specs/%.spec,%,$(SPECS))
ISOLATION_OPTS = --inputdir=$(srcdir)/test --outputdir=. --load-extension=contacts
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# The server loads modules RTLD_GLOBAL: our names must not resolve to another's.
SHLIB_LINK = $(ICU_LIBS) -Wl,-Bsymbolic

# make all, install and installcheck come from the server; the targets below,
# which install what they need, do not need it yet.
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
srcdir = .
all install installcheck clean:
	@echo "no server to build for: apt-get install $(SERVER_PACKAGES)" >&2; false
endif

include $(srcdir)/test/parse/parse.mk

# PGXS does not track headers.
$(OBJS): $(wildcard $(srcdir)/src/*.h)

sql/contacts--$(EXTVERSION).sql: $(SQL_FRAGMENTS) $(DIRECTORY_FRAGMENTS) $(TRIGGER_FRAGMENTS) contacts.control sql/assemble
	$(srcdir)/sql/assemble $(EXTVERSION) '$(SQL_FRAGMENTS)' '$(DIRECTORY_FRAGMENTS)' '$(TRIGGER_FRAGMENTS)' > $@

# What Debian 12 needs; a machine with another server names its packages.
SERVER_PACKAGES = postgresql-15 postgresql-server-dev-15 libicu-dev gcc libc6-dev make
TEST_PACKAGES = clang libclang-rt-14-dev pg-bsd-indent libipc-run-perl postgresql-15-cron

.PHONY: help test soak demo format lint-c check-versions

help:
	@echo "make                 build for the server that PG_CONFIG names"
	@echo "make install         install it there"
	@echo "make test            run every test, on a private server"
	@echo "make soak            run the random tests again and again, ROUNDS=10"
	@echo "make demo            import, identify and merge real people, on a private server"
	@echo "make bench           measure, on a private server"
	@echo "make format          format the C sources"
	@echo "make lint-c          list the C lines that are not formatted"
	@echo "make check-versions  build and test on later PostgreSQL versions"
	@echo "make installcheck    run the tests on the server that is running"
	@echo "make clean           remove what was built"

test:
	@$(srcdir)/test/setup $(SERVER_PACKAGES) $(TEST_PACKAGES)
	@COPT='-Werror -DUSE_ASSERT_CHECKING' $(srcdir)/test/private_cluster test/run

soak:
	@$(srcdir)/test/setup $(SERVER_PACKAGES) $(TEST_PACKAGES)
	@COPT='-Werror -DUSE_ASSERT_CHECKING' $(srcdir)/test/private_cluster test/soak

demo:
	@$(srcdir)/test/setup $(SERVER_PACKAGES)
	@$(srcdir)/test/private_cluster demo/run

format lint-c:
	@$(srcdir)/test/format $@ $(wildcard $(addprefix $(srcdir)/, \
		src/*.[ch] test/*/*.[ch] bench/*.[ch]))

check-versions:
	@$(srcdir)/test/check_versions
-include $(srcdir)/bench/bench.mk
