# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-vhost-user: the daemon against a front-end and a driver of our own.
# VHOST_USER_FLAGS adds options of the runner.

EXTRA_DIST += \
	tests/interop/frontend/__init__.py \
	tests/interop/frontend/check_vhost_user \
	tests/interop/frontend/driver.py \
	tests/interop/frontend/fixture.py \
	tests/interop/frontend/library.py \
	tests/interop/frontend/memory.py \
	tests/interop/frontend/moving.py \
	tests/interop/frontend/ring.py \
	tests/interop/frontend/stalled.py \
	tests/interop/frontend/test_attack.py \
	tests/interop/frontend/test_data.py \
	tests/interop/frontend/test_fphctl.py \
	tests/interop/frontend/test_freeze.py \
	tests/interop/frontend/test_hostile.py \
	tests/interop/frontend/test_kill.py \
	tests/interop/frontend/test_layouts.py \
	tests/interop/frontend/test_library.py \
	tests/interop/frontend/test_limits.py \
	tests/interop/frontend/test_log.py \
	tests/interop/frontend/test_messages.py \
	tests/interop/frontend/test_operator.py \
	tests/interop/frontend/test_pages.py \
	tests/interop/frontend/test_program.py \
	tests/interop/frontend/test_queues.py \
	tests/interop/frontend/test_quiesce.py \
	tests/interop/frontend/test_robust.py \
	tests/interop/frontend/test_sandbox.py \
	tests/interop/frontend/test_state.py \
	tests/interop/frontend/vhost_user.py

check-vhost-user: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/frontend/check_vhost_user' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		--fphctl tools/fphctl/fphctl \
		--library lib/.libs/libfph.so $(VHOST_USER_FLAGS)

# A longer attack than the one in it: make attack ATTACK=100000
ATTACK = 100000
attack: all
	@FPH_ATTACK='$(ATTACK)' '$(PYTHON3)' \
		'$(srcdir)/tests/interop/frontend/check_vhost_user' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		-k test_attack --verbose

# The same with more kills: make kills KILLS=200
KILLS = 200
kills: all
	@FPH_KILLS='$(KILLS)' '$(PYTHON3)' \
		'$(srcdir)/tests/interop/frontend/check_vhost_user' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		-k killed_again --verbose

.PHONY: attack kills check-vhost-user
