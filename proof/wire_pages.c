/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Page frames in pieces of any length, from any offset, into any
 * number of entries; what is written reads back.
 *
 * with: lib/core/wire.c
 * unwind: 5
 * bug: lib/core/wire.c: && len - at >= PFN_SIZE; i++, at += PFN_SIZE)\n\t\tgpas => && len - at >= 3; i++, at += PFN_SIZE)\n\t\tgpas
 */
#include "core/common.h"
#include "proof.h"

#define MOST	2

static void pages(uint8_t *buf, size_t len, size_t at, uint32_t n, int endian)
{
	uint64_t gpas[MOST];
	size_t off = at;
	int ret = fph_pfn_decode(gpas, n, buf, len, &off, endian);

	if (ret == FPH_EINVAL) {
		MUST(off == at);
		MUST(!n || at > len || !fph_is_endian(endian));
		return;
	}
	MUST(ret >= 0 ? (uint32_t)ret <= n : ret == FPH_PEER_SHORT);
	MUST(off == at + (ret > 0 ? 4u * (uint32_t)ret : 0) && off <= len);
	MUST(ret || at == len);
	for (int i = 0; i < ret; i++)
		MUST(!(gpas[i] & 4095) && gpas[i] >> 44 == 0);
	if (ret > 0) {
		uint8_t out[4 * MOST];
		size_t to = 0;

		MUST(fph_pfn_encode(out, sizeof(out), &to, gpas, (uint32_t)ret,
				    endian) == ret);
		MUST(to == off - at);
		for (size_t i = 0; i < 4; i++)
			MUST(out[i] == buf[at + i]);
	}
}

int main(void)
{
	size_t len = nondet_size();
	size_t at = nondet_size();
	uint32_t n = nondet_u32();
	int endian = nondet_int();
	uint8_t *buf;

	ASSUME(len <= 10 && at <= 11 && n <= MOST);
	buf = proof_bytes(len);
	pages(buf, len, at, n, endian);
	return 0;
}
