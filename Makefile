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
	src/directory.o \
	src/identifier_key.o \
	src/pending.o \
	src/contact_type.o \
	src/contact.o \
	src/identifier.o \
	src/claim.o \
	src/consent.o \
	src/guard.o \
	src/organization.o \
	src/resolve.o

# The install script: fragments in load order.
SQL_FRAGMENTS = \
	sql/head.sql \
	sql/email.sql \
	sql/phone.sql \
	sql/domains.sql \
	sql/triggers.sql \
	sql/functions.sql \
	sql/directory.sql \
	sql/check.sql \
	sql/import.sql

# What create_directory() runs in a new directory, in load order, and what
# attach_triggers() runs after it.
DIRECTORY_FRAGMENTS = \
	sql/directory/setting.sql \
	sql/directory/identity.sql \
	sql/directory/consent.sql \
	sql/directory/functions.sql
TRIGGER_FRAGMENTS = \
	sql/directory/triggers.sql

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
SHLIB_LINK = $(ICU_LIBS)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS does not track headers.
$(OBJS): $(wildcard $(srcdir)/src/*.h)

sql/contacts--$(EXTVERSION).sql: $(SQL_FRAGMENTS) $(DIRECTORY_FRAGMENTS) $(TRIGGER_FRAGMENTS) contacts.control sql/assemble
	$(srcdir)/sql/assemble $(EXTVERSION) '$(SQL_FRAGMENTS)' '$(DIRECTORY_FRAGMENTS)' '$(TRIGGER_FRAGMENTS)' > $@
