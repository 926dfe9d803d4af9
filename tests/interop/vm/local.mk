# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-vm: the daemon as the balloon device of real virtual machines, QEMU
# with Debian's kernels. Both are unpacked in build/vm of the sources at the
# first run, all builds share them, and clean-vm removes them. VM_FLAGS adds
# options of the runner (-k NAME, --verbose, --keep, --list). Status 77 says
# that no machine can be had here; the runner has said why.

EXTRA_DIST += \
	tests/interop/vm/__init__.py \
	tests/interop/vm/check_vm \
	tests/interop/vm/guest.py \
	tests/interop/vm/init.sh \
	tests/interop/vm/machine.py \
	tests/interop/vm/parts.py \
	tests/interop/vm/qmp.py \
	tests/interop/vm/test_failure.py \
	tests/interop/vm/test_guest.py \
	tests/interop/vm/test_layout.py \
	tests/interop/vm/test_poison.py

check-vm: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/vm/check_vm' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		$(VM_FLAGS) || { code=$$?; test $$code -eq 77 || exit $$code; }

clean-vm:
	rm -rf '$(srcdir)/build/vm'

.PHONY: check-vm clean-vm
