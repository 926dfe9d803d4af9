/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Statistics in pieces of any length, from any offset, into any
 * number of entries; what is written reads back.
 *
 * with: lib/core/wire.c
 * unwind: 5
 * bug: lib/core/wire.c: i < n && len - at >= FPH_STAT_SIZE; i++) {\n\t\tstats[i] = ( => i < n && len >= FPH_STAT_SIZE; i++) {\n\t\tstats[i] = (
 */
#include "core/common.h"
#include "proof.h"

#define MOST	2

static void stats(uint8_t *buf, size_t len, size_t at, uint32_t n, int endian)
{
	struct fph_stat s[MOST];
	size_t off = at;
	int ret = fph_stat_decode(s, n, buf, len, &off, endian);

	if (ret == FPH_EINVAL) {
		MUST(off == at);
		return;
	}
	MUST(ret >= 0 ? (uint32_t)ret <= n : ret == FPH_PEER_SHORT);
	MUST(off == at + (ret > 0 ? 10u * (uint32_t)ret : 0) && off <= len);
	if (ret > 0) {
		uint8_t out[FPH_STAT_SIZE];
		size_t to = 0;

		MUST(fph_stat_encode(out, sizeof(out), &to, s, 1, endian) ==
		     1);
		MUST(to == FPH_STAT_SIZE);
		MUST(out[0] == buf[at] && out[2] == buf[at + 2] &&
		     out[9] == buf[at + 9]);
	}
}

int main(void)
{
	size_t len = nondet_size();
	size_t at = nondet_size();
	uint32_t n = nondet_u32();
	int endian = nondet_int();
	uint8_t *buf;

	ASSUME(len <= 21 && at <= 22 && n <= MOST);
	buf = proof_bytes(len);
	stats(buf, len, at, n, endian);
	return 0;
}
