# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-kvm: what QEMU on KVM keeps of pages that are written between an id and
# their hint. KVM_FLAGS adds options (-k NAME, --qemu PROGRAM). Status 77 says
# that nothing can run here; the program has said why, also for each case that
# needs KVM where there is none.

EXTRA_DIST += \
	tests/interop/kvm/__init__.py \
	tests/interop/kvm/balloon.py \
	tests/interop/kvm/check_kvm \
	tests/interop/kvm/machine.py \
	tests/interop/kvm/writer.S

check-kvm:
	@'$(PYTHON3)' '$(srcdir)/tests/interop/kvm/check_kvm' $(KVM_FLAGS) || \
		{ code=$$?; test $$code -eq 77 || exit $$code; }

.PHONY: check-kvm
