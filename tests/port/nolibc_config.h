/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * An environment without a C library and without the compiler's headers: the
 * list at the top of <fph/config.h>, and nothing else.  It shows what a port
 * has to write, and the freestanding check builds with it.
 */
#ifndef NOLIBC_CONFIG_H
#define NOLIBC_CONFIG_H

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;

#ifndef __cplusplus
#define bool			_Bool
#define true			1
#define false			0
#endif
#define NULL			((void *)0)


#define FPH_API

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#define fph_memcpy(d, s, n)	memcpy((d), (s), (n))
#define fph_memset(d, c, n)	memset((d), (c), (n))
#define fph_memcmp(a, b, n)	memcmp((a), (b), (n))

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

#endif /* NOLIBC_CONFIG_H */
