/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * libfph in the FreeBSD kernel.
 *
 * A processor of the host is on the other side of a ring, so a kernel that was
 * built for one processor needs the barriers too.  mb() and rmb() of
 * <machine/atomic.h> are instructions in each kernel; atomic(9) is not in a
 * kernel without SMP.  wmb() would let earlier reads pass on some machines,
 * which fph_wmb() must not.
 */
#ifndef FPH_FREEBSD_H
#define FPH_FREEBSD_H

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/endian.h>
#include <sys/types.h>
#include <machine/atomic.h>

#define FPH_API

#define fph_memcpy(d, s, n)	memcpy((d), (s), (n))
#define fph_memset(d, c, n)	memset((d), (c), (n))
#define fph_memcmp(a, b, n)	memcmp((a), (b), (n))

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))

#define fph_rmb()		rmb()
#define fph_wmb()		mb()
#define fph_mb()		mb()
#define fph_compiler_barrier()	__compiler_membar()

#if _BYTE_ORDER == _BIG_ENDIAN
#define FPH_HOST_BIG_ENDIAN	1
#else
#define FPH_HOST_BIG_ENDIAN	0
#endif

#endif /* FPH_FREEBSD_H */
