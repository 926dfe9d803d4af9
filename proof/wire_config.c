/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Config space of any length: only whole fields count, and none is read beyond
 * the end.
 *
 * with: lib/core/wire.c
 * unwind: 34
 * bug: lib/core/wire.c: len >= off + 4 => len > off
 */
#include "core/common.h"
#include "proof.h"

static bool is_there(size_t len, uint32_t present, uint32_t has, size_t end)
{
	return !(present & has) == (len < end);
}

int main(void)
{
	size_t len = nondet_size();
	struct fph_balloon_config c, again;
	uint8_t *buf, *copy;

	ASSUME(len <= 32);
	buf = proof_bytes(len);
	copy = proof_bytes(len);
	MUST(fph_config_decode(&c, buf, len) == FPH_OK);
	MUST(is_there(len, c.present, FPH_HAS_NUM_PAGES, 4));
	MUST(is_there(len, c.present, FPH_HAS_ACTUAL, 8));
	MUST(is_there(len, c.present, FPH_HAS_CMD_ID, 12));
	MUST(is_there(len, c.present, FPH_HAS_POISON_VAL, 16));
	MUST(c.present < 16);
	MUST(!(c.present & FPH_HAS_POISON_VAL) ||
	     c.poison_val == (buf[12] | (uint32_t)buf[13] << 8 |
			      (uint32_t)buf[14] << 16 |
			      (uint32_t)buf[15] << 24));
	MUST(fph_config_encode(copy, len, &c) == FPH_OK);
	MUST(fph_config_decode(&again, copy, len) == FPH_OK);
	MUST(again.num_pages == c.num_pages && again.actual == c.actual);
	MUST(again.free_page_hint_cmd_id == c.free_page_hint_cmd_id);
	MUST(again.poison_val == c.poison_val && again.present == c.present);
	return 0;
}
