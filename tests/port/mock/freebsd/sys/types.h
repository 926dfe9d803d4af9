/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* As FreeBSD's: types, and the kernel's bool. */
#ifndef MOCK_SYS_TYPES_H
#define MOCK_SYS_TYPES_H
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef _Bool bool;
#define true			1
#define false			0
#define NULL			((void *)0)
#define __compiler_membar()	__asm __volatile("" : : : "memory")
#endif
