# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-qemu: our driver against QEMU's balloon device, through live
# migrations, and the example of one. QEMU_FLAGS adds options of the runner
# (-k PART, --list, --verbose). Status 77 says that there is no QEMU; the
# runner has said so.

QEMU_HARNESS = \
	tests/guest/pages.c \
	tests/guest/pages.h \
	tests/interop/qemu/balloon.c \
	tests/interop/qemu/balloon.h \
	tests/interop/qemu/guest.c \
	tests/interop/qemu/guest.h \
	tests/interop/qemu/guest_free.c \
	tests/interop/qemu/guest_private.h \
	tests/interop/qemu/qmp.c \
	tests/interop/qemu/qmp.h \
	tests/interop/qemu/qtest.c \
	tests/interop/qemu/qtest.h \
	tests/interop/qemu/supervise.c \
	tests/interop/qemu/supervise.h \
	tests/interop/qemu/transport.h \
	tests/interop/qemu/virtio_mmio.c \
	tests/interop/qemu/virtio_pci.c \
	tests/interop/qemu/virtio_pci_legacy.c \
	tests/interop/qemu/vm.c \
	tests/interop/qemu/vm.h

if ENABLE_TOOLS
CHECK_QEMU = tests/interop/qemu/check_qemu examples/guest_migration
EXTRA_PROGRAMS += $(CHECK_QEMU)
EXTRA_LTLIBRARIES = tests/interop/qemu/libqemu.la
CLEANFILES += $(CHECK_QEMU) $(EXTRA_LTLIBRARIES)

QEMU_LDADD = tests/interop/qemu/libqemu.la lib/libfph.la $(JANSSON_LIBS)

tests_interop_qemu_libqemu_la_SOURCES = $(QEMU_HARNESS)

tests_interop_qemu_check_qemu_SOURCES = \
	tests/interop/qemu/check_qemu.c \
	tests/interop/qemu/test_migrate.c \
	tests/interop/qemu/test_report.c \
	tests/interop/qemu/test_reuse.c \
	tests/interop/qemu/tests.h
tests_interop_qemu_check_qemu_LDADD = $(QEMU_LDADD)

examples_guest_migration_LDADD = $(QEMU_LDADD)

check-qemu: all
	@$(MAKE) $(AM_MAKEFLAGS) $(CHECK_QEMU)
	@tests/interop/qemu/check_qemu $(QEMU_FLAGS) || \
		{ code=$$?; test $$code -eq 77 || exit $$code; exit 0; }; \
	case '$(QEMU_FLAGS)' in \
	*-k*|*--list*) ;; \
	*) examples/guest_migration ;; \
	esac
else
check-qemu:
	@echo "$@ needs jansson: configure with --enable-tools" >&2
	@false
endif

.PHONY: check-qemu
