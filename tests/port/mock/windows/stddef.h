/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
typedef __SIZE_TYPE__ size_t;
#define NULL			((void *)0)
