/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * libfph in an EFI program or driver, with the headers of EDK II.
 *
 * BaseLib's MemoryFence() is the compiler's barrier only on X64, and keeps no
 * write before a later read, which fph_mb() must; so the fences are those of
 * the compiler, GCC or Clang.
 */
#ifndef FPH_EFI_H
#define FPH_EFI_H

#include <Uefi.h>
#include <Library/BaseMemoryLib.h>

typedef UINT8 uint8_t;
typedef UINT16 uint16_t;
typedef UINT32 uint32_t;
typedef UINT64 uint64_t;
typedef UINTN size_t;
typedef UINTN uintptr_t;

#ifndef __cplusplus
#undef bool
#define bool			_Bool
#define true			1
#define false			0
#endif

#define FPH_API

/* These return at once when the length is 0; CompareMem has memcmp's sign. */
#define fph_memcpy(d, s, n)	CopyMem((d), (s), (n))
#define fph_memset(d, c, n)	SetMem((d), (n), (UINT8)(c))
#define fph_memcmp(a, b, n)	((int)CompareMem((a), (b), (n)))

#define fph_load16(p)		(*(const volatile uint16_t *)(p))
#define fph_store16(p, v)	(*(volatile uint16_t *)(p) = (v))

#define fph_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fph_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define fph_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define fph_compiler_barrier()	__atomic_signal_fence(__ATOMIC_SEQ_CST)

#define FPH_HOST_BIG_ENDIAN	0

#endif /* FPH_EFI_H */
