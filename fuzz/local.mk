# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Fuzz targets. 'make check' runs each over its seeds and some fixed noise.
# 'make fuzz FUZZ_SECONDS=N' builds them once more, with libFuzzer, and lets
# each look for more for N seconds; FUZZ_FLAGS adds options of the runner
# (-k NAME, --corpus FOLDER, --again: what the folder has and no more). With
# AFL++: configure CC=afl-clang-fast --enable-fuzzers --disable-shared.

# Those of the libraries, which need no tool.
LIB_FUZZ_TARGETS = \
	fuzz/fuzz_vq_device \
	fuzz/fuzz_vq_driver \
	fuzz/fuzz_host \
	fuzz/fuzz_guest \
	fuzz/fuzz_state
FUZZ_TARGETS = $(LIB_FUZZ_TARGETS)
if ENABLE_TOOLS
FUZZ_TARGETS += \
	fuzz/fuzz_vhost_user \
	fuzz/fuzz_control
endif

# What gives a target its main().
if FUZZERS
FUZZ_MAIN = fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = fuzz/fuzz.h fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
FUZZ_RING = tests/unit/ring.c tests/unit/ring.h
FUZZ_DAEMON = fuzz/daemon.c fuzz/daemon.h

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

# Flags of their own, so that what is shared has an object for each program.
fuzz_fuzz_vq_device_SOURCES = fuzz/fuzz_vq_device.c $(FUZZ_MAIN) $(FUZZ_RING)
fuzz_fuzz_vq_device_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_vq_device_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_vq_device_LDADD = lib/libfph-objects.la
fuzz_fuzz_vq_driver_SOURCES = fuzz/fuzz_vq_driver.c $(FUZZ_MAIN) $(FUZZ_RING)
fuzz_fuzz_vq_driver_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_vq_driver_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_vq_driver_LDADD = lib/libfph-objects.la
fuzz_fuzz_host_SOURCES = fuzz/fuzz_host.c $(FUZZ_MAIN)
fuzz_fuzz_host_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_host_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_host_LDADD = lib/libfph-objects.la
fuzz_fuzz_guest_SOURCES = fuzz/fuzz_guest.c $(FUZZ_MAIN)
fuzz_fuzz_guest_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_guest_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_guest_LDADD = lib/libfph-objects.la
fuzz_fuzz_state_SOURCES = fuzz/fuzz_state.c $(FUZZ_MAIN)
fuzz_fuzz_state_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_state_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_state_LDADD = lib/libfph-vmm-objects.la lib/libfph-objects.la
if ENABLE_TOOLS
fuzz_fuzz_vhost_user_SOURCES = fuzz/fuzz_vhost_user.c $(FUZZ_MAIN) $(FUZZ_DAEMON)
fuzz_fuzz_vhost_user_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_vhost_user_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_vhost_user_LDADD = $(DAEMON_LIBS) lib/libfph-vmm-objects.la \
	lib/libfph-objects.la
fuzz_fuzz_control_SOURCES = fuzz/fuzz_control.c $(FUZZ_MAIN) $(FUZZ_DAEMON)
fuzz_fuzz_control_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_control_LDFLAGS = $(FUZZ_LINK)
fuzz_fuzz_control_LDADD = $(DAEMON_LIBS) lib/libfph-vmm-objects.la \
	lib/libfph-objects.la
endif

FUZZ_SECONDS = 60
FUZZ_CC = clang
# The fuzzer traces each comparison, and these checks of pointers are two of
# three. What it kept is run with all checks by fuzz/fuzz_NAME FILE... in a
# build with --enable-asan, as 'make check' does with the seeds.
FUZZ_FAST = -fno-sanitize=alignment,pointer-overflow
FUZZ_CFLAGS = -g -O1 $(FUZZ_FAST) -fprofile-instr-generate -fcoverage-mapping
fuzz-build/Makefile:
	rm -rf fuzz-build
	$(MKDIR_P) fuzz-build
	cd fuzz-build && \
	$(SHELL) '$(abs_top_srcdir)/configure' --quiet CC='$(FUZZ_CC)' \
		CFLAGS='$(FUZZ_CFLAGS)' --enable-fuzzers --disable-shared \
		--disable-man --disable-unit-tests
fuzzers: fuzz-build/Makefile
	cd fuzz-build && $(MAKE) $(AM_MAKEFLAGS) all $(FUZZ_TARGETS)
fuzz: fuzzers
	@'$(PYTHON3)' '$(srcdir)/fuzz/run' --seconds $(FUZZ_SECONDS) \
		--seeds '$(srcdir)/fuzz/seeds' --build fuzz-build $(FUZZ_FLAGS)
CLEAN_LOCAL += fuzz-build
.PHONY: fuzzers fuzz

EXTRA_DIST += \
	fuzz/run \
	fuzz/seeds/control/balloon.hex \
	fuzz/seeds/control/hint.hex \
	fuzz/seeds/control/query.hex \
	fuzz/seeds/control/wrong.hex \
	fuzz/seeds/guest/failures.hex \
	fuzz/seeds/guest/hint-moved.hex \
	fuzz/seeds/guest/hint.hex \
	fuzz/seeds/guest/moved.hex \
	fuzz/seeds/guest/never-overlaps.hex \
	fuzz/seeds/guest/never.hex \
	fuzz/seeds/guest/report.hex \
	fuzz/seeds/guest/until-used.hex \
	fuzz/seeds/host/bad-command.hex \
	fuzz/seeds/host/exhausted.hex \
	fuzz/seeds/host/poison.hex \
	fuzz/seeds/host/reports.hex \
	fuzz/seeds/host/round.hex \
	fuzz/seeds/state/balloon-busy.hex \
	fuzz/seeds/state/balloon-new.hex \
	fuzz/seeds/state/hint_session-moved.hex \
	fuzz/seeds/state/hint_session.hex \
	fuzz/seeds/state/hinter-never.hex \
	fuzz/seeds/state/hinter.hex \
	fuzz/seeds/state/report-moved.hex \
	fuzz/seeds/state/report.hex \
	fuzz/seeds/state/reporter.hex \
	fuzz/seeds/state/vq_device-in-order.hex \
	fuzz/seeds/state/vq_device-packed.hex \
	fuzz/seeds/state/vq_device.hex \
	fuzz/seeds/state/vq_driver-in-order.hex \
	fuzz/seeds/state/vq_driver-packed.hex \
	fuzz/seeds/state/vq_driver.hex \
	fuzz/seeds/vhost_user/boot.hex \
	fuzz/seeds/vhost_user/garbage.hex \
	fuzz/seeds/vhost_user/memory.hex \
	fuzz/seeds/vhost_user/messages.hex \
	fuzz/seeds/vhost_user/state.hex \
	fuzz/seeds/vq_device/direct.hex \
	fuzz/seeds/vq_device/in-order-used-index.hex \
	fuzz/seeds/vq_device/index-jump.hex \
	fuzz/seeds/vq_device/indirect-big-endian-event.hex \
	fuzz/seeds/vq_device/loop-then-reset.hex \
	fuzz/seeds/vq_device/nested.hex \
	fuzz/seeds/vq_device/packed-in-order.hex \
	fuzz/seeds/vq_device/packed-indirect.hex \
	fuzz/seeds/vq_device/packed-list.hex \
	fuzz/seeds/vq_device/packed-no-next.hex \
	fuzz/seeds/vq_device/packed-over-end.hex \
	fuzz/seeds/vq_device/record-batch.hex \
	fuzz/seeds/vq_driver/index-jump.hex \
	fuzz/seeds/vq_driver/not-submitted.hex \
	fuzz/seeds/vq_driver/out-of-order.hex \
	fuzz/seeds/vq_driver/packed-in-order-last.hex \
	fuzz/seeds/vq_driver/packed-laps.hex \
	fuzz/seeds/vq_driver/packed-not-submitted.hex \
	fuzz/seeds/vq_driver/packed-use.hex \
	fuzz/seeds/vq_driver/used-twice.hex
