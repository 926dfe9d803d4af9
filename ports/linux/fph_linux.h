/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * libfph in the Linux kernel.
 *
 * A processor of the host is on the other side of a ring, so the barriers are
 * those of a guest: they are there in a kernel for one processor too.
 * virt_wmb() would let earlier reads pass on some machines, which fph_wmb()
 * must not.
 */
#ifndef FPH_LINUX_H
#define FPH_LINUX_H

#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>

#define FPH_API

#define fph_memcpy(d, s, n)	memcpy((d), (s), (n))
#define fph_memset(d, c, n)	memset((d), (c), (n))
#define fph_memcmp(a, b, n)	memcmp((a), (b), (n))

#define fph_load16(p)		READ_ONCE(*(const u16 *)(p))
#define fph_store16(p, v)	WRITE_ONCE(*(u16 *)(p), (v))

/* The core's barriers, for the host's processors; each use says what for. */
#define fph_rmb()		virt_rmb()	/* see the core */
#define fph_wmb()		virt_mb()	/* holds reads back as well */
#define fph_mb()		virt_mb()	/* see the core */
#define fph_compiler_barrier()	barrier()

#ifdef __BIG_ENDIAN
#define FPH_HOST_BIG_ENDIAN	1
#else
#define FPH_HOST_BIG_ENDIAN	0
#endif

#endif /* FPH_LINUX_H */
