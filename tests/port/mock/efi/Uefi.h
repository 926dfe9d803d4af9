/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Of EDK II's header, what the port takes from it. */
#ifndef MOCK_UEFI_H
#define MOCK_UEFI_H
typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned int UINT32;
typedef unsigned long long UINT64;
typedef __UINTPTR_TYPE__ UINTN;
typedef __INTPTR_TYPE__ INTN;
typedef void VOID;
#define CONST			const
#define EFIAPI			__attribute__((ms_abi))
#ifndef NULL
#define NULL			((VOID *)0)
#endif
#endif
