# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

TESTS += tests/abi/abi.tap tests/abi/frozen.tap tests/abi/headers.tap
dist_check_SCRIPTS += \
	tests/abi/abi.tap \
	tests/abi/frozen.tap \
	tests/abi/headers.tap
EXTRA_DIST += tests/abi/libfph.abi tests/abi/libfph-vmm.abi

# After a change of the interface that is meant.
update-abi: all
	@$(FPH_CHECK_ENV) $(SHELL) $(top_srcdir)/tests/abi/frozen.tap update
.PHONY: update-abi
