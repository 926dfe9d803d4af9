# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# check-linux: the kernel module of ports/linux, built for Debian's kernel 6.1
# and the newest that can be had, in guests of QEMU. Kernels and headers are
# unpacked in build/vm of the sources at the first run; clean-vm removes them.
# LINUX_FLAGS adds options of the runner (-k NAME, --verbose, --keep, --list).
# linux-table makes the table of doc/linux-guest.adoc: FPH_LINUX_RUNS runs of each
# row (default 5, half an hour), of FPH_LINUX_DRIVERS only if that is set.
# Status 77 says that it cannot run here; the runner has said why.

EXTRA_DIST += \
	doc/linux-guest.adoc \
	ports/linux/Kbuild \
	ports/linux/Makefile \
	ports/linux/README.md \
	ports/linux/arm.c \
	ports/linux/compat.h \
	ports/linux/debug.c \
	ports/linux/dkms.conf \
	ports/linux/fph_balloon.h \
	ports/linux/fph_linux.h \
	ports/linux/hint.c \
	ports/linux/main.c \
	ports/linux/pages.c \
	ports/linux/queues.c \
	ports/linux/report.c \
	ports/linux/stats.c \
	ports/linux/take.c \
	ports/linux/trace.h \
	ports/linux/walk.c \
	ports/linux/work.c \
	tests/interop/linux/__init__.py \
	tests/interop/linux/check_linux \
	tests/interop/linux/churn.c \
	tests/interop/linux/debug \
	tests/interop/linux/debug.config \
	tests/interop/linux/machine.py \
	tests/interop/linux/memwatch/Kbuild \
	tests/interop/linux/memwatch/memwatch.c \
	tests/interop/linux/parts.py \
	tests/interop/linux/seeded/Kbuild \
	tests/interop/linux/seeded/seeded.c \
	tests/interop/linux/table \
	tests/interop/linux/test_balloon.py \
	tests/interop/linux/test_build.py \
	tests/interop/linux/test_daemon.py \
	tests/interop/linux/test_hint.py \
	tests/interop/linux/test_live.py \
	tests/interop/linux/test_suspend.py \
	tests/interop/linux/test_vectors.py \
	tests/interop/linux/vectors/Kbuild \
	tests/interop/linux/vectors/module.c

check-linux: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/linux/check_linux' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		$(LINUX_FLAGS) || { code=$$?; test $$code -eq 77 || exit $$code; }

linux-table: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/linux/table' --verbose \
		--daemon tools/vhost-user-balloon/vhost-user-balloon

# The module in a kernel with KASAN and lockdep, user-mode Linux 6.1 that the
# first run builds; LINUX_FLAGS as above.
check-linux-debug: all
	@'$(PYTHON3)' '$(srcdir)/tests/interop/linux/debug' \
		--daemon tools/vhost-user-balloon/vhost-user-balloon \
		$(LINUX_FLAGS) || { code=$$?; test $$code -eq 77 || exit $$code; }

.PHONY: check-linux check-linux-debug linux-table
