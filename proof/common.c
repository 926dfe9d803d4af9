/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Bits, ranges and parameters of any value and version.
 *
 * unwind: 34
 * bug: lib/core/common.h: i = known_size; i < size => i = known_size; i <= size
 */
#include "core/common.h"
#include "proof.h"

struct known {
	uint32_t size;
	uint32_t first;
	uint64_t second;
};

static void bits(void)
{
	uint64_t v = nondet_u64();
	uint32_t n = nondet_u32();
	uint32_t width = fph_bit_width(v);
	uint8_t b[8];

	ASSUME(n < 64);
	MUST(fph_shr64_halves(v, n) == v >> n);
	MUST(fph_shl64_halves(v, n) == v << n);
	MUST(width <= 64);
	MUST(v ? v >> (width - 1) == 1 : !width);
	fph_put64(b, v, FPH_BE);
	MUST(b[0] == v >> 56 && b[7] == (v & 0xff));
	MUST(fph_get64(b, FPH_BE) == v);
	fph_put64(b, v, FPH_LE);
	MUST(b[7] == v >> 56 && fph_get64(b, FPH_LE) == v);
}

static void ranges(void)
{
	uint64_t gpa = nondet_u64();
	uint64_t len = nondet_u64();
	unsigned __int128 end = (unsigned __int128)gpa + len;

	MUST(fph_is_bad_range(gpa, len) ==
	     (!len || end > (unsigned __int128)1 << 64));
	if (fph_is_power(gpa))
		MUST(gpa == (uint64_t)1 << (fph_bit_width(gpa) - 1));
}

static void params(void)
{
	uint32_t size = nondet_u32();
	struct known known;
	uint8_t *p;

	ASSUME(size >= 4 && size <= 32);
	p = proof_bytes(size);
	fph_memcpy(p, &size, sizeof(size));
	if (!fph_params_read(&known, sizeof(known), p, 8)) {
		MUST(size < 8 || size > sizeof(known));
		return;
	}
	MUST(known.size == size);
	if (size <= 8)
		MUST(!known.second);
	if (size > sizeof(known))
		MUST(!p[sizeof(known)] && !p[size - 1]);
	MUST(!fph_params_read(&known, sizeof(known), NULL, 8));
}

int main(void)
{
	bits();
	ranges();
	params();
	return 0;
}
