# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Mechanical mutants of lib/: N of them, drawn by MUTANTS_SEED, one after the other in
# the build folder; some two seconds each. MUTANTS_FLAGS adds options of the
# tool (--file REGEX, --again LOG: those that the log of a run names).

EXTRA_DIST += \
	tests/mutants/equivalent.txt \
	tests/mutants/faults.py \
	tests/mutants/mutate

N = 300
MUTANTS_SEED = 1

MUTANTS_TESTS = $(LIB_TESTS) $(LIB_FUZZ_TARGETS)

mutants: all
	$(MAKE) $(AM_MAKEFLAGS) $(MUTANTS_TESTS)
	@'$(PYTHON3)' '$(srcdir)/tests/mutants/mutate' -n $(N) --seed $(MUTANTS_SEED) \
		--src '$(srcdir)' --cc '$(CC)' $(MUTANTS_FLAGS) $(MUTANTS_TESTS)
CLEAN_LOCAL += mutants-build
.PHONY: mutants
