# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Driver and device on two processors, over rings of every kind. check-rings
# has TRANSFERS and SEED; check-tsan does it under ThreadSanitizer, and then
# again without the order of the stores, which must be seen.

check_PROGRAMS += tests/rings/ring_stress
TESTS += tests/rings/ring_stress
tests_rings_ring_stress_SOURCES = tests/rings/ring_stress.c
tests_rings_ring_stress_LDADD = lib/libfph.la -lpthread

TRANSFERS = 100000000
SEED = 1
TSAN_TRANSFERS = 30000

check-rings: tests/rings/ring_stress
	tests/rings/ring_stress $(TRANSFERS) $(SEED)

RING_SOURCES = $(FPH_CORE_SOURCES) $(FPH_VRING_SOURCES)
TSAN_BUILD = $(CC) -std=gnu11 -g -O1 -fsanitize=thread \
	-DFPH_CONFIG_FILE='"$(abs_top_srcdir)/tests/rings/tsan_config.h"' \
	$(FPH_INCLUDES) -I$(top_srcdir)/lib

check-tsan:
	$(MKDIR_P) tests/rings
	set -e; files='$(srcdir)/tests/rings/ring_stress.c'; \
	for f in $(RING_SOURCES); do files="$$files $(top_srcdir)/$$f"; done; \
	$(TSAN_BUILD) -o tests/rings/tsan $$files -lpthread; \
	$(TSAN_BUILD) -DFPH_TSAN_FAULT -o tests/rings/tsan_fault $$files \
		-lpthread; \
	tests/rings/tsan $(TSAN_TRANSFERS) $(SEED); \
	if TSAN_OPTIONS=exitcode=66 tests/rings/tsan_fault $(TSAN_TRANSFERS) \
		$(SEED) >tests/rings/tsan_fault.log 2>&1; then \
		echo '$@: the missing order was not seen'; exit 1; fi; \
	grep -q 'data race' tests/rings/tsan_fault.log; \
	echo '2 passed, 0 failed, 0 skipped'
CLEANFILES += tests/rings/tsan tests/rings/tsan_fault \
	tests/rings/tsan_fault.log

.PHONY: check-rings check-tsan

EXTRA_DIST += tests/rings/tsan_config.h
