# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The hosted side, for VMMs on Linux: here are the system calls.
FPH_VMM_SOURCES = \
	lib/vmm/balloon.c \
	lib/vmm/balloon_buffers.c \
	lib/vmm/balloon_hint.c \
	lib/vmm/balloon_rings.c \
	lib/vmm/memory.c \
	lib/vmm/reclaim.c \
	lib/vmm/reclaim_calls.c \
	lib/vmm/reclaim_ops.c
FPH_VMM_PRIVATE_H = \
	lib/vmm/balloon_internal.h \
	lib/vmm/internal.h
