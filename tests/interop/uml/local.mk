# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-uml: the daemon against a real Linux guest. UML_FLAGS adds options of
# the runner (-k NAME, --verbose, --keep, --list). Status 77 says that no
# guest can run here; the runner has said why.

EXTRA_DIST += \
	tests/interop/common/__init__.py \
	tests/interop/common/daemon.py \
	tests/interop/common/initramfs.py \
	tests/interop/common/machine.py \
	tests/interop/common/memfile.py \
	tests/interop/common/runner.py \
	tests/interop/common/shell.py \
	tests/interop/common/wait.py \
	tests/interop/uml/__init__.py \
	tests/interop/uml/check_uml \
	tests/interop/uml/guest.py \
	tests/interop/uml/init.sh \
	tests/interop/uml/machine.py \
	tests/interop/uml/parts.py \
	tests/interop/uml/relay.py \
	tests/interop/uml/test_balloon.py \
	tests/interop/uml/test_hint.py \
	tests/interop/uml/test_kill.py \
	tests/interop/uml/test_life.py \
	tests/interop/uml/test_report.py

check-uml: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/uml/check_uml' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		$(UML_FLAGS) || { code=$$?; test $$code -eq 77 || exit $$code; }

# The same with more kills: make kills-uml KILLS=200
kills-uml: all
	@FPH_UML_KILLS='$(KILLS)' '$(PYTHON3)' \
		'$(srcdir)/tests/interop/uml/check_uml' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		-k killed_again --verbose

.PHONY: check-uml kills-uml
