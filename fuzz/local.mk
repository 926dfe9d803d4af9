# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Fuzz targets. 'make check' runs each over its seeds and some fixed noise;
# 'make fuzzers' links them with libFuzzer, to be run by hand:
#
#	./fuzz/libfuzzer_vq_device -max_len=512 CORPUS

FUZZ_NAMES = vq_device vq_driver
FUZZ_TARGETS = \
	fuzz/fuzz_vq_device \
	fuzz/fuzz_vq_driver
FUZZ_SUPPORT = \
	fuzz/fuzz.h \
	fuzz/replay.c \
	tests/unit/ring.c \
	tests/unit/ring.h
FUZZ_LIBS = lib/libfph-objects.la

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

# Flags of their own, so that what is shared has an object for each program.
fuzz_fuzz_vq_device_SOURCES = fuzz/fuzz_vq_device.c $(FUZZ_SUPPORT)
fuzz_fuzz_vq_device_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_vq_device_LDADD = $(FUZZ_LIBS)
fuzz_fuzz_vq_driver_SOURCES = fuzz/fuzz_vq_driver.c $(FUZZ_SUPPORT)
fuzz_fuzz_vq_driver_CFLAGS = $(AM_CFLAGS)
fuzz_fuzz_vq_driver_LDADD = $(FUZZ_LIBS)

FUZZ_CC = clang
FUZZ_CFLAGS = -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=undefined
fuzzers: all
	$(MKDIR_P) fuzz
	for file in tests/unit/ring.c $(FPH_CORE_SOURCES) \
			$(FPH_VRING_SOURCES); do \
		files="$$files $(srcdir)/$$file"; \
	done; \
	for name in $(FUZZ_NAMES); do \
		$(FUZZ_CC) -std=gnu11 $(FUZZ_CFLAGS) $(FPH_INCLUDES) \
			-I$(top_srcdir)/lib -o fuzz/libfuzzer_$$name \
			$(srcdir)/fuzz/fuzz_$$name.c $$files || exit 1; \
	done
CLEANFILES += fuzz/libfuzzer_vq_device fuzz/libfuzzer_vq_driver
.PHONY: fuzzers

EXTRA_DIST += \
	fuzz/seeds/vq_device/direct.hex \
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
