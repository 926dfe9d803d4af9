/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Driver and device each have a copy of ring memory, and what is between them
 * has addresses of its own: the dma hooks of <fph/config.h>, for -include.
 */
#ifndef FPH_TESTS_DMA_HOOKS_H
#define FPH_TESTS_DMA_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

void dma_copy(const void *p, size_t n, bool in);

#define fph_dma_in(p, n)	dma_copy((p), (n), true)
#define fph_dma_out(p, n)	dma_copy((p), (n), false)

#define DMA_OFFSET		0x123400000000u
#define fph_dma_addr(gpa)	((gpa) + DMA_OFFSET)
#define fph_dma_gpa(addr)	((addr) - DMA_OFFSET)

#endif /* FPH_TESTS_DMA_HOOKS_H */
