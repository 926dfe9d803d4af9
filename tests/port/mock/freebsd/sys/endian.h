/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* As FreeBSD's: the byte order. */
#define _LITTLE_ENDIAN		1234
#define _BIG_ENDIAN		4321
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define _BYTE_ORDER		_BIG_ENDIAN
#else
#define _BYTE_ORDER		_LITTLE_ENDIAN
#endif
