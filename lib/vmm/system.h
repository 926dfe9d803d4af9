/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What libfph-vmm asks of the operating system.  Not installed.
 *
 *	system.c		the clock, the page size, the calls of reclaim
 *	memory_backing.c	what backs a mapping
 *
 * All else of lib/vmm calls the C library only, for memory; reclaim_calls.c
 * also takes the numbers of its calls from the system's headers.
 */
#ifndef FPH_VMM_SYSTEM_H
#define FPH_VMM_SYSTEM_H

#include <fph-vmm/reclaim.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t fph_system_get_time(void);

/* Bytes. */
uint64_t fph_system_get_page_size(void);

extern const struct fph_reclaim_ops fph_system_reclaim_ops;

#endif /* FPH_VMM_SYSTEM_H */
