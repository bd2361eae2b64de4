# make bench: measure, on a private server; bench/README.md explains.
# The settings are named in the report.
define BENCH_CONF
fsync = off
shared_buffers = 1GB
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
