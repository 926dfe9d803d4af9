/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the proofs share.  A proof is a main() that cbmc runs for all values of
 * what nondet functions give; lines of its first comment say how:
 *
 *	with: FILE ...		sources of the library beside it
 *	unwind: N		no loop goes round more than N - 1 times
 *	flags: FLAG ...		for cbmc
 *	bug: FILE: OLD => NEW	with this edit the proof must fail
 */
#ifndef FPH_PROOF_H
#define FPH_PROOF_H

#include <fph/types.h>

#define ASSUME(x)	__CPROVER_assume(x)
#define MUST(x)		__CPROVER_assert((x), #x)

bool nondet_bool(void);
int nondet_int(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);

/* Memory of the peer that is this long, and not a byte more. */
static inline uint8_t *proof_bytes(size_t len)
{
	uint8_t *p = __CPROVER_allocate(len, 0);

	return p;
}

#endif /* FPH_PROOF_H */
