# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Other machines, other compilers, and other projects that take parts of this
# one.

PORT_TESTS = \
	tests/port/efi.tap \
	tests/port/emulated.tap \
	tests/port/ports.tap \
	tests/port/targets.tap \
	tests/port/vendor.tap

dist_check_SCRIPTS += $(PORT_TESTS)
EXTRA_DIST += \
	build-aux/vendor.sh \
	ports/README.md \
	ports/efi/README.md \
	ports/efi/fph_efi.h \
	ports/freebsd/README.md \
	ports/freebsd/fph_freebsd.h \
	ports/windows/README.md \
	ports/windows/fph_windows.h \
	tests/port/check/check.c \
	tests/port/check/check.h \
	tests/port/check/jansson.c \
	tests/port/check/jansson.h \
	tests/port/image/efi.c \
	tests/port/image/format.c \
	tests/port/image/image.c \
	tests/port/image/include/ctype.h \
	tests/port/image/include/errno.h \
	tests/port/image/include/fcntl.h \
	tests/port/image/include/image.h \
	tests/port/image/include/inttypes.h \
	tests/port/image/include/libgen.h \
	tests/port/image/include/stdio.h \
	tests/port/image/include/stdlib.h \
	tests/port/image/include/string.h \
	tests/port/image/include/sys/mman.h \
	tests/port/image/include/sys/types.h \
	tests/port/image/include/sys/uio.h \
	tests/port/image/make_files \
	tests/port/image/no_stories.c \
	tests/port/image/system.c \
	tests/port/image/text.c \
	tests/port/mock/efi/Library/BaseMemoryLib.h \
	tests/port/mock/efi/Uefi.h \
	tests/port/mock/freebsd/machine/atomic.h \
	tests/port/mock/freebsd/sys/endian.h \
	tests/port/mock/freebsd/sys/param.h \
	tests/port/mock/freebsd/sys/systm.h \
	tests/port/mock/freebsd/sys/types.h \
	tests/port/mock/windows/ntddk.h \
	tests/port/mock/windows/stdbool.h \
	tests/port/mock/windows/stddef.h \
	tests/port/mock/windows/stdint.h \
	tests/port/nolibc_config.h \
	tests/port/saved_state.c \
	tests/port/saved_state.txt \
	tests/port/targets

check-port:
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(PORT_TESTS)' \
		TEST_SUITE_LOG=test-suite-port.log VERBOSE=1
CLEANFILES += test-suite-port.log

# make vendor DEST=DIR [PARTS="guest rings"] [PORT=linux]
PARTS = guest host rings
vendor:
	@test -n '$(DEST)' || { \
		echo 'usage: make vendor DEST=DIR [PARTS="..."] [PORT=...]' >&2; \
		exit 2; }
	@$(SHELL) $(top_srcdir)/build-aux/vendor.sh '$(DEST)' $(PARTS) \
		$(PORT:%=port=%)

.PHONY: check-port vendor
