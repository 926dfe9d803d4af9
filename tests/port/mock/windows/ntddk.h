/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Of the WDK's header, what the port takes from it. */
#ifndef MOCK_NTDDK_H
#define MOCK_NTDDK_H
typedef unsigned char UCHAR;
typedef void VOID;
typedef __SIZE_TYPE__ SIZE_T;
void *memcpy(void *to, const void *from, SIZE_T n);
void *memset(void *to, int c, SIZE_T n);
#define RtlCopyMemory(to, from, n)	memcpy((to), (from), (n))
#define RtlFillMemory(to, n, c)		memset((to), (c), (n))
__declspec(dllimport) SIZE_T RtlCompareMemory(const VOID *a, const VOID *b,
					      SIZE_T n);
#define KeMemoryBarrierWithoutFence() \
	__atomic_signal_fence(__ATOMIC_SEQ_CST)
#define KeMemoryBarrier()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
