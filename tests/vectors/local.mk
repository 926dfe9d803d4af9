# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The vectors, and what runs them: on the library, on the reference codec, and
# both against each other.

EXTRA_DIST += \
	tests/vectors/arming.json \
	tests/vectors/commands.json \
	tests/vectors/config.json \
	tests/vectors/device.json \
	tests/vectors/entries.json \
	tests/vectors/hints.json \
	tests/vectors/life.json \
	tests/vectors/model.json \
	tests/vectors/packed.json \
	tests/vectors/poison.json \
	tests/vectors/queues.json \
	tests/vectors/ranges.json \
	tests/vectors/reports.json \
	tests/vectors/rings.json \
	tests/vectors/traces.json \
	tests/vectors/used.json

EXTRA_DIST += \
	spec/check_registry \
	spec/refcodec/README.adoc \
	spec/refcodec/arming.py \
	spec/refcodec/commands.py \
	spec/refcodec/config.py \
	spec/refcodec/device.py \
	spec/refcodec/diff_fuzz.py \
	spec/refcodec/used_ring.py \
	spec/refcodec/entries.py \
	spec/refcodec/hint_session.py \
	spec/refcodec/migration.py \
	spec/refcodec/operations.py \
	spec/refcodec/packed.py \
	spec/refcodec/poison.py \
	spec/refcodec/queues.py \
	spec/refcodec/ranges.py \
	spec/refcodec/report.py \
	spec/refcodec/run_vectors.py \
	spec/registry.json \
	tests/vectors/README.adoc \
	tests/vectors/check_schema \
	tests/vectors/families/arming.py \
	tests/vectors/families/build.py \
	tests/vectors/families/command_ids.py \
	tests/vectors/families/config_space.py \
	tests/vectors/families/device.py \
	tests/vectors/families/entries.py \
	tests/vectors/families/hints.py \
	tests/vectors/families/life.py \
	tests/vectors/families/merging.py \
	tests/vectors/families/model.py \
	tests/vectors/families/packed_rings.py \
	tests/vectors/families/poison.py \
	tests/vectors/families/queue_numbers.py \
	tests/vectors/families/reports.py \
	tests/vectors/families/rings.py \
	tests/vectors/families/traces.py \
	tests/vectors/families/used_rings.py \
	tests/vectors/make_vectors \
	tests/vectors/schema/codec.json \
	tests/vectors/schema/common.json \
	tests/vectors/schema/story.json \
	tests/vectors/traces/alloc300.txt \
	tests/vectors/traces/config-change-before-driver.txt \
	tests/vectors/traces/event-idx.txt \
	tests/vectors/traces/hint-done-midstream-inband.txt \
	tests/vectors/traces/hint-never-2G.txt \
	tests/vectors/traces/hint-restart-eventfd.txt \
	tests/vectors/traces/hint-restart-inband.txt \
	tests/vectors/traces/hint-stop-midstream-inband.txt \
	tests/vectors/traces/hint.txt \
	tests/vectors/traces/inband-call-plus-config-change.txt \
	tests/vectors/traces/no-indirect.txt \
	tests/vectors/traces/poison-init_on_free.txt \
	tests/vectors/traces/queue-compaction-no-hint.txt \
	tests/vectors/traces/report-never.txt \
	tests/vectors/traces/report-order.txt \
	tests/vectors/traces/report.txt \
	tests/vectors/vectors.sh

TESTS += tests/vectors/vectors.sh

if ENABLE_TOOLS
VECTORS_RUNNER = tests/vectors/run_vectors
check_PROGRAMS += tests/vectors/run_vectors
tests_vectors_run_vectors_SOURCES = \
	tests/vectors/device_ops.c \
	tests/vectors/fields.c \
	tests/vectors/fields.h \
	tests/vectors/host_ops.c \
	tests/vectors/life_ops.c \
	tests/vectors/migration.c \
	tests/vectors/migration.h \
	tests/vectors/operations.h \
	tests/vectors/policy_ops.c \
	tests/vectors/ring_bytes.h \
	tests/vectors/ring_ops.c \
	tests/vectors/run_vectors.c \
	tests/vectors/story.h \
	tests/vectors/used_ops.c \
	tests/vectors/wire_ops.c
tests_vectors_run_vectors_LDADD = \
	lib/libfph-vmm-objects.la lib/libfph-objects.la $(JANSSON_LIBS)
endif

# Inputs of the comparison of library and reference codec.
DIFF_FUZZ_COUNT = 20000
DIFF_FUZZ_SEED = 1

check-vectors: $(VECTORS_RUNNER)
	@$(FPH_CHECK_ENV) DIFF_FUZZ_COUNT=$(DIFF_FUZZ_COUNT) \
		DIFF_FUZZ_SEED=$(DIFF_FUZZ_SEED) \
		$(SHELL) $(top_srcdir)/tests/vectors/vectors.sh

# The long comparison: a million inputs, in a minute or so.
check-diff-fuzz: tests/vectors/run_vectors
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) \
		$(top_srcdir)/spec/refcodec/diff_fuzz.py --count 1000000 \
		--seed $(DIFF_FUZZ_SEED) -- tests/vectors/run_vectors --serve

.PHONY: check-vectors check-diff-fuzz
