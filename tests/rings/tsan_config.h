/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The environment for a run under ThreadSanitizer, which knows no barriers:
 * the loads and stores of 16 bits that publish have the order instead.  A
 * publication that they do not cover shows as a race.  FPH_TSAN_FAULT takes
 * the order away, to see that.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define fph_memcpy(d, s, n)	__builtin_memcpy((d), (s), (n))
#define fph_memset(d, c, n)	__builtin_memset((d), (c), (n))
#define fph_memcmp(a, b, n)	__builtin_memcmp((a), (b), (n))
#define FPH_API

#ifdef FPH_TSAN_FAULT
#define FPH_TSAN_STORE		__ATOMIC_RELAXED
#else
#define FPH_TSAN_STORE		__ATOMIC_RELEASE
#endif
#define fph_load16(p)							\
	__atomic_load_n((const uint16_t *)(p), __ATOMIC_ACQUIRE)
#define fph_store16(p, v)						\
	__atomic_store_n((uint16_t *)(p), (v), FPH_TSAN_STORE)

/* A locked instruction: it orders a store before a load behind it. */
static char fph_tsan_word;

#define fph_rmb()		((void)0)
#define fph_wmb()		((void)0)
#define fph_mb()							\
	((void)__atomic_fetch_add(&fph_tsan_word, 1, __ATOMIC_SEQ_CST))
#define fph_compiler_barrier()	__atomic_signal_fence(__ATOMIC_SEQ_CST)
#define FPH_HOST_BIG_ENDIAN	(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
