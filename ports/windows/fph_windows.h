/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * libfph in a Windows kernel driver, with the headers of the WDK.
 *
 * KeMemoryBarrier orders all accesses on all machines; the weaker ones are the
 * compiler's barrier where the processor keeps that order itself.
 */
#ifndef FPH_WINDOWS_H
#define FPH_WINDOWS_H

#include <ntddk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FPH_API

#define fph_memcpy(d, s, n)	RtlCopyMemory((d), (s), (n))
#define fph_memset(d, c, n)	RtlFillMemory((d), (n), (UCHAR)(c))
/* RtlCompareMemory counts the bytes that are equal. */
#define fph_memcmp(a, b, n) \
	(RtlCompareMemory((a), (b), (n)) == (SIZE_T)(n) ? 0 : 1)

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))

#if defined(_M_AMD64) || defined(_M_IX86)
#define fph_rmb()		KeMemoryBarrierWithoutFence()
#define fph_wmb()		KeMemoryBarrierWithoutFence()
#else
#define fph_rmb()		KeMemoryBarrier()
#define fph_wmb()		KeMemoryBarrier()
#endif
#define fph_mb()		KeMemoryBarrier()
#define fph_compiler_barrier()	KeMemoryBarrierWithoutFence()

#define FPH_HOST_BIG_ENDIAN	0

#endif /* FPH_WINDOWS_H */
