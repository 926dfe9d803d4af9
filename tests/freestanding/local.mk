# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

FREESTANDING_TESTS = \
	tests/freestanding/foreign.tap \
	tests/freestanding/freestanding.tap

TESTS += $(FREESTANDING_TESTS)
dist_check_SCRIPTS += $(FREESTANDING_TESTS)
EXTRA_DIST += \
	tests/freestanding/nolibc_config.h \
	tests/freestanding/saved_state.c \
	tests/freestanding/saved_state.txt
