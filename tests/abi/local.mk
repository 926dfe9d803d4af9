# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

ABI_TESTS = \
	tests/abi/abi.tap \
	tests/abi/frozen.tap \
	tests/abi/headers.tap \
	tests/abi/installed.tap
TESTS += $(ABI_TESTS)
dist_check_SCRIPTS += $(ABI_TESTS)
EXTRA_DIST += tests/abi/libfph.abi tests/abi/libfph-vmm.abi

# After a change of the interface that is meant.
update-abi: all
	@$(FPH_CHECK_ENV) $(SHELL) $(top_srcdir)/tests/abi/frozen.tap update
.PHONY: update-abi
