/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* As EDK II's: memory of a length, not of a terminator. */
VOID *EFIAPI CopyMem(VOID *to, CONST VOID *from, UINTN n);
VOID *EFIAPI SetMem(VOID *to, UINTN n, UINT8 value);
INTN EFIAPI CompareMem(CONST VOID *a, CONST VOID *b, UINTN n);
