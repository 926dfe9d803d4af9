# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The simulation.  SIM_STEPS in all, by two processes with seeds of their own;
# 1,000,000,000 for a long run.  SIM_MUTANT_STEPS at most for each mutant, of
# which the latest is found after 19 million.

SIM_STEPS = 24000000
SIM_MUTANT_STEPS = 60000000

EXTRA_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/check.c \
	tests/sim/driver.c \
	tests/sim/driver_hint.c \
	tests/sim/driver_report.c \
	tests/sim/driver_save.c \
	tests/sim/guest.c \
	tests/sim/host.c \
	tests/sim/host_life.c \
	tests/sim/main.c \
	tests/sim/memory.c \
	tests/sim/migration.c \
	tests/sim/run.c \
	tests/sim/sim.h \
	tests/sim/swarm.c
tests_sim_sim_LDADD = lib/libfph-vmm-objects.la lib/libfph-objects.la
CLEANFILES += tests/sim/sim

check-sim:
	$(MAKE) $(AM_MAKEFLAGS) tests/sim/sim
	@half=`expr $(SIM_STEPS) / 2`; \
	./tests/sim/sim --steps $$half & \
	./tests/sim/sim --steps $$half --first 1000000; a=$$?; \
	wait $$!; b=$$?; \
	if test $$a -ne 0 || test $$b -ne 0; then \
		echo '0 passed, 1 failed, 0 skipped'; exit 1; \
	fi; \
	echo '1 passed, 0 failed, 0 skipped'

# One that ends in any other way than by a fault was not found.
check-sim-mutants:
	$(MAKE) $(AM_MAKEFLAGS) tests/sim/sim
	@passed=0; failed=0; \
	for mutant in `./tests/sim/sim --list`; do \
		if found=`./tests/sim/sim --mutant $$mutant \
				--steps $(SIM_MUTANT_STEPS) | \
				grep '^FAIL seed'`; then \
			echo "$$mutant: $$found"; \
			passed=`expr $$passed + 1`; \
		else \
			echo "$$mutant: NOT FOUND"; \
			failed=`expr $$failed + 1`; \
		fi; \
	done; \
	echo "$$passed passed, $$failed failed, 0 skipped"; \
	test $$failed -eq 0 && test $$passed -ne 0
.PHONY: check-sim check-sim-mutants
