/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* As FreeBSD's for amd64: barriers that are instructions. */
#define mb()	__asm __volatile("mfence;" : : : "memory")
#define wmb()	__asm __volatile("sfence;" : : : "memory")
#define rmb()	__asm __volatile("lfence;" : : : "memory")
