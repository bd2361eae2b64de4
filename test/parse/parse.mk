# The parsers alone: unit tests, fuzzing and timing, without a server.
#
#	make parse-test				every rule of the parsers
#	make fuzz [FUZZ_SECONDS=15]	libFuzzer on each (clang, libclang-rt-dev)
#	make parse-bench			nanoseconds per address
#	make parse-tables			make the table headers from data/ anew

FUZZ_SECONDS = 15
PARSE_CLANG = clang
PARSE_BUILD = build/parse
PARSE_SOURCES = $(addprefix $(srcdir)/src/, \
	email_parse.c idna.c phone_parse.c template_parse.c unicode_text.c)
PARSE_HEADERS = $(wildcard $(srcdir)/src/*.h)

# As a frontend program, so that the normal form comes from libpgcommon.
PARSE_CPPFLAGS = -DFRONTEND -I$(srcdir)/src -I$(includedir_server) \
	-I$(includedir_internal) $(ICU_CFLAGS)
PARSE_CFLAGS = -std=gnu99 -g -O2 -Wall -Wextra -Werror
# The tests copy each text to the heap, so that reading past it is seen.
TEST_CFLAGS = $(PARSE_CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all
PARSE_LIBS = -L$(pkglibdir) -L$(libdir) -lpgcommon -lpgport $(ICU_LIBS)
FUZZ_CFLAGS = -std=gnu99 -g -O1 -Wall -Wextra -Werror -Wno-ignored-attributes \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

EXTRA_CLEAN += $(PARSE_BUILD)

.PHONY: parse-test parse-tables parse-bench fuzz

$(PARSE_BUILD)/%_test: $(srcdir)/test/parse/%_test.c $(PARSE_SOURCES) $(PARSE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PARSE_CPPFLAGS) $(TEST_CFLAGS) -o $@ $< $(PARSE_SOURCES) $(PARSE_LIBS)

$(PARSE_BUILD)/%_fuzz: $(srcdir)/test/fuzz/%_fuzz.c $(PARSE_SOURCES) $(PARSE_HEADERS)
	@mkdir -p $(@D)
	$(PARSE_CLANG) $(PARSE_CPPFLAGS) $(FUZZ_CFLAGS) -o $@ $< $(PARSE_SOURCES) $(PARSE_LIBS)

$(PARSE_BUILD)/parse_bench: $(srcdir)/bench/parse.c $(PARSE_SOURCES) $(PARSE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PARSE_CPPFLAGS) $(PARSE_CFLAGS) -o $@ $< $(PARSE_SOURCES) $(PARSE_LIBS)

# The headers are checked in; they have to be what data/ says.
parse-test: $(PARSE_BUILD)/email_test $(PARSE_BUILD)/phone_test \
		$(PARSE_BUILD)/template_test
	$(srcdir)/data/make_tables unicode | cmp - $(srcdir)/src/unicode_tables.h
	$(srcdir)/data/make_tables phone | cmp - $(srcdir)/src/phone_regions.h
	$(PARSE_BUILD)/email_test
	$(PARSE_BUILD)/phone_test
	$(PARSE_BUILD)/template_test
	$(srcdir)/test/parse/oracle.pl $(PARSE_BUILD)/email_test

parse-tables:
	$(srcdir)/data/make_tables unicode > $(srcdir)/src/unicode_tables.h
	$(srcdir)/data/make_tables phone > $(srcdir)/src/phone_regions.h

parse-bench: $(PARSE_BUILD)/parse_bench
	$(PARSE_BUILD)/parse_bench

# Seeds are the lines of test/fuzz/*.seeds, one file each for libFuzzer.  What
# breaks a promise is kept in $(PARSE_BUILD) and shown.
fuzz: $(PARSE_BUILD)/email_fuzz $(PARSE_BUILD)/phone_fuzz \
		$(PARSE_BUILD)/template_fuzz
	@set -e; for parser in email phone template; do \
		corpus=$(PARSE_BUILD)/$$parser.corpus; \
		log=$(PARSE_BUILD)/$$parser.log; \
		mkdir -p $$corpus; \
		split -a 4 -l 1 $(srcdir)/test/fuzz/$$parser.seeds $$corpus/seed.; \
		echo "fuzzing $$parser for $(FUZZ_SECONDS) seconds"; \
		$(PARSE_BUILD)/$${parser}_fuzz -max_total_time=$(FUZZ_SECONDS) \
			-dict=$(srcdir)/test/fuzz/$$parser.dict -max_len=400 \
			-verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(PARSE_BUILD)/$$parser. \
			$$corpus > $$log 2>&1 || { cat $$log; exit 1; }; \
		sed -n 's/^stat::number_of_executed_units: */  inputs run: /p' $$log; \
	done
