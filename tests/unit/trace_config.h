/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * An environment for lib/vring in which each barrier tells a test: what one
 * processor has written when it gets there is what another may see.
 */
#ifndef FPH_TESTS_TRACE_CONFIG_H
#define FPH_TESTS_TRACE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define fph_memcpy(d, s, n)	__builtin_memcpy((d), (s), (n))
#define fph_memset(d, c, n)	__builtin_memset((d), (c), (n))
#define fph_memcmp(a, b, n)	__builtin_memcmp((a), (b), (n))
#define FPH_API

/* Kinds: 'r', 'w', 'm', and 'c' for the compiler's. */
extern void (*trace_barrier)(char kind);

#define fph_trace(kind)							\
	do {								\
		__atomic_signal_fence(__ATOMIC_SEQ_CST);		\
		if (trace_barrier)					\
			trace_barrier(kind);				\
	} while (0)

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))
#define fph_rmb()		fph_trace('r')
#define fph_wmb()		fph_trace('w')
#define fph_mb()		fph_trace('m')
#define fph_compiler_barrier()	fph_trace('c')

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FPH_HOST_BIG_ENDIAN	1
#else
#define FPH_HOST_BIG_ENDIAN	0
#endif

#endif /* FPH_TESTS_TRACE_CONFIG_H */
