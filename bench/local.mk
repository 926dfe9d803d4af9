# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# What the library costs. Its sources are compiled here again, as a program's:
# -O2 whatever CFLAGS say, and neither PIC nor anything that a check adds.

BENCH_CASES = \
	bench/device.c \
	bench/guest.c \
	bench/meter.h \
	bench/ring.c \
	bench/scale.c \
	bench/support.c \
	tests/unit/ring.c \
	tests/unit/ring.h
BENCH_SOURCES = \
	$(BENCH_CASES) \
	$(FPH_CORE_SOURCES) $(FPH_VRING_SOURCES) $(FPH_VMM_SOURCES)
BENCH_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
BENCH_CFLAGS = -std=gnu11 $(FPH_CFLAGS)
BENCH_MAKE = $(MAKE) $(AM_MAKEFLAGS) CFLAGS='-O2 -g'

EXTRA_PROGRAMS += bench/ir
bench_ir_SOURCES = bench/meter_ir.c $(BENCH_SOURCES)
bench_ir_CPPFLAGS = $(BENCH_CPPFLAGS)
bench_ir_CFLAGS = $(BENCH_CFLAGS)
bench_ir_LDADD =
CLEANFILES += bench/ir

# Instructions of each call against bench/budgets.txt, which holds for gcc.
BENCH_RANGES = 262144
bench-ir:
	@if test -z '$(VALGRIND)' || test -z '$(PYTHON3)'; then \
		echo 'SKIP $@: valgrind or python3 is not here'; \
		echo '0 passed, 0 failed, 1 skipped'; \
	elif test `uname -m` != x86_64 || \
		echo __clang__ | $(CC) -E -P - | grep -qx 1; then \
		echo 'SKIP $@: the budgets are those of gcc on x86-64'; \
		echo '0 passed, 0 failed, 1 skipped'; \
	else \
		$(BENCH_MAKE) bench/ir && \
		$(PYTHON3) $(srcdir)/bench/ir.py bench/ir \
			$(srcdir)/bench/budgets.txt $(BENCH_RANGES); \
	fi

EXTRA_DIST += bench/budgets.txt bench/ir.py

.PHONY: bench-ir
