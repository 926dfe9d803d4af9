# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

include lib/core/sources.mk
include lib/vring/sources.mk
include lib/vmm/sources.mk

FPH_PUBLIC_H = \
	include/fph/config.h \
	include/fph/fph.h \
	include/fph/guest.h \
	include/fph/host.h \
	include/fph/policy.h \
	include/fph/status.h \
	include/fph/types.h \
	include/fph/version.h \
	include/fph/vring.h \
	include/fph/wire.h
FPH_VMM_PUBLIC_H = \
	include/fph-vmm/balloon.h \
	include/fph-vmm/memory.h \
	include/fph-vmm/migration.h \
	include/fph-vmm/reclaim.h

fphincludedir = $(includedir)/fph
fphinclude_HEADERS = $(FPH_PUBLIC_H)
fphvmmincludedir = $(includedir)/fph-vmm
fphvmminclude_HEADERS = $(FPH_VMM_PUBLIC_H)

# The objects of each library stand in an archive of their own, which the unit
# tests link with: so they see what is hidden in the shared library.
noinst_LTLIBRARIES += lib/libfph-objects.la lib/libfph-vmm-objects.la

lib_libfph_objects_la_SOURCES = \
	$(FPH_CORE_SOURCES) $(FPH_CORE_PRIVATE_H) \
	$(FPH_VRING_SOURCES) $(FPH_VRING_PRIVATE_H)
lib_libfph_objects_la_CPPFLAGS = $(FPH_INCLUDES) -I$(top_srcdir)/lib
lib_libfph_objects_la_CFLAGS = -std=c99 -pedantic -ffreestanding \
	$(FPH_CFLAGS) $(FPH_LIB_CFLAGS)

lib_libfph_vmm_objects_la_SOURCES = \
	$(FPH_VMM_SOURCES) $(FPH_VMM_PRIVATE_H)
lib_libfph_vmm_objects_la_CPPFLAGS = $(FPH_INCLUDES) -I$(top_srcdir)/lib
lib_libfph_vmm_objects_la_CFLAGS = -std=gnu11 $(FPH_CFLAGS) $(FPH_LIB_CFLAGS)

lib_LTLIBRARIES += lib/libfph.la lib/libfph-vmm.la

lib_libfph_la_SOURCES =
lib_libfph_la_LIBADD = lib/libfph-objects.la
lib_libfph_la_LDFLAGS = -version-info $(FPH_LIB_VERSION) -no-undefined \
	$(FPH_LIB_LDFLAGS) $(AM_LDFLAGS)
EXTRA_lib_libfph_la_DEPENDENCIES = lib/libfph.map

lib_libfph_vmm_la_SOURCES =
lib_libfph_vmm_la_LIBADD = lib/libfph-vmm-objects.la lib/libfph.la
lib_libfph_vmm_la_LDFLAGS = -version-info $(FPH_VMM_LIB_VERSION) \
	-no-undefined $(FPH_LIB_LDFLAGS) $(AM_LDFLAGS)
EXTRA_lib_libfph_vmm_la_DEPENDENCIES = lib/libfph-vmm.map

if HAVE_VERSION_SCRIPT
lib_libfph_la_LDFLAGS += -Wl,--version-script=$(srcdir)/lib/libfph.map
lib_libfph_vmm_la_LDFLAGS += -Wl,--version-script=$(srcdir)/lib/libfph-vmm.map
endif

EXTRA_DIST += lib/libfph.map lib/libfph-vmm.map
