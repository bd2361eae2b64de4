# make bench: measure, on a private server; bench/README.md explains.
# The settings are named in the report.  A quarter of the memory for shared
# buffers, as PostgreSQL's manual advises, so that growth measures the
# extension and not the disk.
BENCH_BUFFERS = $(shell awk '/^MemTotal/ { print int($$2 / 4096) }' /proc/meminfo)
define BENCH_CONF
fsync = off
shared_buffers = $(BENCH_BUFFERS)MB
max_wal_size = 16GB
checkpoint_timeout = 1h
maintenance_work_mem = 256MB
autovacuum = off
jit = off
endef
export BENCH_CONF

.PHONY: bench
bench:
	@$(srcdir)/test/setup $(SERVER_PACKAGES)
	@PG_CONF="$$BENCH_CONF" $(srcdir)/test/private_cluster bench/run
