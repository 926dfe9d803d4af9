# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Built and run as tests; they use nothing but the installed interface.

EXAMPLES = examples/guest_unikernel examples/host_minimal

check_PROGRAMS += $(EXAMPLES)
TESTS += $(EXAMPLES) examples/readme.tap
dist_check_SCRIPTS += examples/readme.tap

examples_guest_unikernel_LDADD = lib/libfph.la
examples_host_minimal_LDADD = lib/libfph-vmm.la lib/libfph.la
