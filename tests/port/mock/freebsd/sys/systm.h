/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* As FreeBSD's: the mem functions of the kernel. */
#include <sys/types.h>
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *buf, int c, size_t len);
int memcmp(const void *b1, const void *b2, size_t len);
