# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Built and run as tests; they use nothing but the installed interface.

EXAMPLES = \
	examples/guest_kernel \
	examples/guest_unikernel \
	examples/vmm_device \
	examples/vmm_migration \
	examples/vmm_rings \
	examples/vmm_snapshot \
	examples/vmm_values \
	examples/vmm_worker

check_PROGRAMS += $(EXAMPLES)
nobase_dist_doc_DATA += $(EXAMPLES:=.c) examples/vmm_guest.h
TESTS += $(EXAMPLES) examples/readme.tap
dist_check_SCRIPTS += examples/readme.tap

examples_vmm_device_SOURCES = examples/vmm_device.c examples/vmm_guest.h
examples_vmm_rings_SOURCES = examples/vmm_rings.c examples/vmm_guest.h
examples_vmm_snapshot_SOURCES = examples/vmm_snapshot.c examples/vmm_guest.h
examples_vmm_worker_SOURCES = examples/vmm_worker.c examples/vmm_guest.h

examples_guest_kernel_LDADD = lib/libfph.la
examples_guest_unikernel_LDADD = lib/libfph.la
examples_vmm_device_LDADD = lib/libfph-vmm.la lib/libfph.la
examples_vmm_migration_LDADD = lib/libfph-vmm.la lib/libfph.la
examples_vmm_rings_LDADD = lib/libfph-vmm.la lib/libfph.la
examples_vmm_snapshot_LDADD = lib/libfph-vmm.la lib/libfph.la
examples_vmm_values_LDADD = lib/libfph-vmm.la lib/libfph.la
examples_vmm_worker_LDADD = lib/libfph-vmm.la lib/libfph.la -lpthread
