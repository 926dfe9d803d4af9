# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The simulation.  SIM_STEPS in all, by two processes with seeds of their own;
# 1,000,000,000 for a long run.

SIM_STEPS = 24000000

EXTRA_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/check.c \
	tests/sim/driver.c \
	tests/sim/driver_hint.c \
	tests/sim/driver_report.c \
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
.PHONY: check-sim
