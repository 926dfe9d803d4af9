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

EXTRA_PROGRAMS += bench/bench bench/ir
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

# Times, beside what others take. CRoaring and std::sort are left out, and said
# to be, where they are not here.
bench_bench_SOURCES = \
	bench/bitmap.c \
	bench/coalesce.c \
	bench/meter_time.c \
	bench/reclaim.c \
	bench/size.c \
	$(BENCH_SOURCES)
bench_bench_CPPFLAGS = $(BENCH_CPPFLAGS) $(BENCH_HAVE)
bench_bench_CFLAGS = $(BENCH_CFLAGS)
bench_bench_LDADD = $(BENCH_LIBS) -lpthread
CLEANFILES += bench/bench bench/bench.json bench/std_sort.o

bench/std_sort.o: bench/std_sort.cc
	$(AM_V_at)$(MKDIR_P) bench
	$(AM_V_GEN)$(CXX) -O2 $(FPH_INCLUDES) -c -o $@ $<

# In a build of their own makes: which of them are here is found out first.
BENCH_FIND = \
	have=; libs=; \
	if echo '\#include <roaring/roaring.h>' | $(CC) -E - >/dev/null 2>&1; \
	then have=-DHAVE_ROARING; libs=-lroaring; fi; \
	if test -n '$(CXX)' && $(BENCH_MAKE) bench/std_sort.o; \
	then have="$$have -DHAVE_STD_SORT"; libs="$$libs bench/std_sort.o"; fi
bench/bench.built:
	@$(BENCH_FIND); \
	$(BENCH_MAKE) bench/bench BENCH_HAVE="$$have" BENCH_LIBS="$$libs"

# BENCH_CASES_RUN: some of ring device guest coalesce bitmap reclaim size.
BENCH_CASES_RUN =
bench: bench/bench.built
	bench/bench bench/bench.json $(BENCH_CASES_RUN)

# That it runs, in seconds; of the times nothing is asked.
check-bench: bench/bench.built
	bench/bench -q bench/bench.json ring device guest bitmap coalesce size
	@echo '1 passed, 0 failed, 0 skipped'

# The page, from the last "make bench" in this build.
performance:
	cp bench/bench.json '$(srcdir)/bench/results.json'
	$(MAKE) $(AM_MAKEFLAGS) performance-page
performance-page:
	$(PYTHON3) $(srcdir)/bench/report.py $(srcdir)/bench/results.json \
		$(srcdir)/bench/performance.adoc.in \
		$(srcdir)/bench/budgets.txt $(srcdir)/doc/performance.adoc

EXTRA_DIST += \
	bench/budgets.txt \
	bench/ir.py \
	bench/performance.adoc.in \
	bench/report.py \
	bench/results.json \
	bench/std_sort.cc \
	doc/performance.adoc \
	doc/performance-bitmap.svg \
	doc/performance-coalesce.svg \
	doc/performance-decode.svg \
	doc/performance-reclaim.svg

.PHONY: bench bench-ir bench/bench.built check-bench performance \
	performance-page
