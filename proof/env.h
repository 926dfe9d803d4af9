/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The environment of the proofs, for FPH_CONFIG_FILE. */
#ifndef FPH_PROOF_ENV_H
#define FPH_PROOF_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define fph_memset(d, c, n)	memset((d), (c), (n))
#define fph_memcmp(a, b, n)	memcmp((a), (b), (n))
#define FPH_API
#define fph_rmb()		((void)0)
#define fph_wmb()		((void)0)
#define fph_mb()		((void)0)
#define FPH_HOST_BIG_ENDIAN	0

#define fph_memcpy(d, s, n)	memcpy((d), (s), (n))
#define fph_load16(p)		(*(const uint16_t *)(p))
#define fph_store16(p, v)	(*(uint16_t *)(p) = (v))

#endif /* FPH_PROOF_ENV_H */
