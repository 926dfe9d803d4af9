/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * An environment in which driver and device each have a copy of ring memory,
 * and what is between them has addresses of its own: <fph/config.h>, dma.
 */
#ifndef FPH_TESTS_DMA_CONFIG_H
#define FPH_TESTS_DMA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define fph_memcpy(d, s, n)	__builtin_memcpy((d), (s), (n))
#define fph_memset(d, c, n)	__builtin_memset((d), (c), (n))
#define fph_memcmp(a, b, n)	__builtin_memcmp((a), (b), (n))
#define FPH_API

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))
#define fph_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fph_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define fph_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FPH_HOST_BIG_ENDIAN	1
#else
#define FPH_HOST_BIG_ENDIAN	0
#endif

void dma_copy(const void *p, size_t n, bool in);

#define fph_dma_in(p, n)	dma_copy((p), (n), true)
#define fph_dma_out(p, n)	dma_copy((p), (n), false)

#define DMA_OFFSET		0x123400000000u
#define fph_dma_addr(gpa)	((gpa) + DMA_OFFSET)
#define fph_dma_gpa(addr)	((addr) - DMA_OFFSET)

#endif /* FPH_TESTS_DMA_CONFIG_H */
