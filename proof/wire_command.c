/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Command ids of any length and byte order; no id comes twice.
 *
 * with: lib/core/wire.c
 * unwind: 1
 * bug: lib/core/wire.c: if (len != FPH_CMD_ID_SIZE) => if (len > FPH_CMD_ID_SIZE)
 */
#include "core/common.h"
#include "proof.h"

int main(void)
{
	uint32_t before = nondet_u32();
	uint32_t id = before;
	size_t len = nondet_size();
	int endian = nondet_int();
	uint8_t wire[FPH_CMD_ID_SIZE];
	uint32_t next, again;
	uint8_t *buf;
	int ret;

	ASSUME(len <= 8);
	buf = proof_bytes(len);
	ret = fph_cmd_id_decode(&id, buf, len, endian);
	if (endian != FPH_LE && endian != FPH_BE) {
		MUST(ret == FPH_EINVAL && id == before);
		MUST(fph_cmd_id_encode(wire, id, endian) == FPH_EINVAL);
		return 0;
	}
	MUST((ret == FPH_OK) == (len == FPH_CMD_ID_SIZE));
	MUST(ret == FPH_OK || (ret == FPH_PEER_CMD_LEN && id == before));
	MUST(fph_cmd_id_encode(wire, id, endian) == FPH_OK);
	MUST(fph_cmd_id_decode(&again, wire, sizeof(wire), endian) == FPH_OK);
	MUST(again == id);
	if (ret == FPH_OK)
		MUST(wire[0] == buf[0] && wire[3] == buf[3]);
	next = fph_cmd_id_next(id);
	MUST(id == 0xffffffffu ? !next : next > id);
	MUST(!next || next >= VIRTIO_BALLOON_CMD_ID_MIN);
	return 0;
}
