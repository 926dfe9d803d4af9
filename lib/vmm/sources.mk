# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The hosted side, for VMMs on Linux.  What calls the system stands apart.
FPH_VMM_SYSTEM_SOURCES = \
	lib/vmm/memory_backing.c \
	lib/vmm/system.c
FPH_VMM_PORTABLE_SOURCES = \
	lib/vmm/balloon.c \
	lib/vmm/balloon_data.c \
	lib/vmm/balloon_hint.c \
	lib/vmm/balloon_life.c \
	lib/vmm/balloon_rings.c \
	lib/vmm/balloon_state.c \
	lib/vmm/balloon_stats.c \
	lib/vmm/balloon_take.c \
	lib/vmm/bits_avx2.c \
	lib/vmm/memory.c \
	lib/vmm/memory_batch.c \
	lib/vmm/migration.c \
	lib/vmm/page_set.c \
	lib/vmm/reclaim.c \
	lib/vmm/reclaim_calls.c \
	lib/vmm/reclaim_note.c
FPH_VMM_SOURCES = \
	$(FPH_VMM_PORTABLE_SOURCES) $(FPH_VMM_SYSTEM_SOURCES)
FPH_VMM_PRIVATE_H = \
	lib/vmm/balloon_internal.h \
	lib/vmm/bits.h \
	lib/vmm/memory_internal.h \
	lib/vmm/page_set.h \
	lib/vmm/reclaim_internal.h \
	lib/vmm/system.h
