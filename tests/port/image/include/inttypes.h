/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdint.h>

#define PRIu32	"u"
#define PRIx32	"x"
#define PRIu64	"llu"
#define PRIx64	"llx"
