/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reader of saved states, for a state of any length that ends anywhere:
 * it reads nothing behind the end, answers zeros there and says so, and does
 * not believe in more records than there are bytes.
 *
 * unwind: 4
 * bug: lib/core/state.h: if (r->left < n) { => if (r->left + 1 < n) {
 * bug: lib/core/state.h: return n * bytes <= r->left; => return n <= r->left;
 */
#include "proof.h"

#include "core/state.h"

static void get_any(struct fph_state_reader *r)
{
	size_t before = r->left, n;
	bool bad = r->bad;
	uint64_t v;

	switch (nondet_u8() & 3) {
	case 0:
		n = 1;
		v = fph_state_get8(r);
		break;
	case 1:
		n = 2;
		v = fph_state_get16(r);
		break;
	case 2:
		n = 4;
		v = fph_state_get32(r);
		break;
	default:
		n = 8;
		v = fph_state_get64(r);
	}
	if (before < n) {
		MUST(!v && r->bad && r->left == before);
		return;
	}
	MUST(r->left == before - n && r->bad == bad);
}

int main(void)
{
	struct fph_state_reader r = { .left = nondet_u8() & 31 };
	uint32_t n = nondet_u32(), bytes = nondet_u32();
	size_t size = r.left;

	r.p = proof_bytes(size);
	if (bytes && fph_state_has(&r, n, bytes))
		MUST(n <= size / bytes);
	for (int i = 0; i < 3; i++)
		get_any(&r);
	MUST(fph_state_is_done(&r) == (!r.bad && !r.left));
	return 0;
}
