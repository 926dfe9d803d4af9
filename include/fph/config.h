/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What libfph needs from its environment.
 *
 * This is the only environment file of lib/core and lib/vring.  A port
 * replaces it with -DFPH_CONFIG_FILE='"my_config.h"', which must provide:
 *
 *  - the types uint8_t, uint16_t, uint32_t, uint64_t, size_t, uintptr_t and
 *    bool with true and false, and NULL;
 *  - fph_memcpy, fph_memset, fph_memcmp with the meaning of the functions of
 *    the C library;
 *  - FPH_API: the linkage of a public function;
 *  - fph_load16(p), fph_store16(p, v): one access of 16 bits to ring memory
 *    that the other side writes or reads at the same time, never split and
 *    never repeated, in host byte order;
 *  - fph_rmb(), fph_wmb(), fph_mb(): barriers between accesses to ring memory
 *    that is shared with another processor: reads before reads, reads and
 *    writes before writes, and everything before everything;
 *  - fph_compiler_barrier(), optional: keeps the compiler from fetching again
 *    from ring memory what it has copied; fph_rmb() where it is not given;
 *  - FPH_HOST_BIG_ENDIAN: 1 or 0, for the byte order of ring memory;
 *  - fph_dma_in(p, n), fph_dma_out(p, n), optional: n bytes of ring memory or
 *    of an indirect table at p are read next; or were written.  For memory
 *    that the other side does not see as it is: a copy, or a cache that is not
 *    coherent.  No byte is told that was not written, and no byte of ring
 *    memory is counted on from one call to the next;
 *  - fph_dma_addr(gpa), fph_dma_gpa(addr), optional: the address that stands
 *    in a descriptor for that of guest memory, and the way back, where they
 *    differ (ACCESS_PLATFORM, with a mapping that is fixed).
 *
 * Where the other side may be a device of hardware (ORDER_PLATFORM), the
 * barriers are those of the platform, not those between processors.
 *
 * Nothing else is used: no allocator, no errno, no lock, no clock.  Compilers
 * emit calls of memcpy, memmove, memset and memcmp on their own, so a port that
 * links no C library supplies all four.
 */
#ifndef FPH_CONFIG_H
#define FPH_CONFIG_H

#ifdef FPH_CONFIG_FILE
#include FPH_CONFIG_FILE
#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define fph_memcpy(d, s, n)	__builtin_memcpy((d), (s), (n))
#define fph_memset(d, c, n)	__builtin_memset((d), (c), (n))
#define fph_memcmp(a, b, n)	__builtin_memcmp((a), (b), (n))

#if defined(__GNUC__) && defined(__ELF__)
#define FPH_API			__attribute__((visibility("default")))
#else
#define FPH_API
#endif

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))

#define fph_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fph_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define fph_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define fph_compiler_barrier()	__atomic_signal_fence(__ATOMIC_SEQ_CST)

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FPH_HOST_BIG_ENDIAN	1
#else
#define FPH_HOST_BIG_ENDIAN	0
#endif

#endif /* FPH_CONFIG_FILE */

#ifndef fph_compiler_barrier
#define fph_compiler_barrier()	fph_rmb()
#endif

#ifndef fph_dma_in
#define fph_dma_in(p, n)	((void)0)
#define fph_dma_out(p, n)	((void)0)
#endif

#ifndef fph_dma_addr
#define fph_dma_addr(gpa)	(gpa)
#define fph_dma_gpa(addr)	(addr)
#endif

#endif /* FPH_CONFIG_H */
