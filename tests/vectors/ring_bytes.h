/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A ring of the vectors, in bytes. */
#ifndef FPH_VECTORS_RING_BYTES_H
#define FPH_VECTORS_RING_BYTES_H

#include <fph/vring.h>
#include <fph/wire.h>

#define NUM_MAX		256u

struct memory {
	_Alignas(16) uint8_t desc[FPH_VRING_DESC_SIZE(NUM_MAX)];
	_Alignas(4) uint8_t avail[FPH_VRING_DRIVER_SIZE(0, NUM_MAX)];
	_Alignas(4) uint8_t used[FPH_VRING_DEVICE_SIZE(0, NUM_MAX)];
};

static inline void put16(uint8_t *p, uint64_t v, int endian)
{
	p[endian == FPH_LE ? 0 : 1] = (uint8_t)(v & 0xff);
	p[endian == FPH_LE ? 1 : 0] = (uint8_t)(v >> 8 & 0xff);
}

static inline uint32_t get16(const uint8_t *p, int endian)
{
	return endian == FPH_LE ? p[0] | (uint32_t)p[1] << 8 :
				  p[1] | (uint32_t)p[0] << 8;
}

static inline void put32(uint8_t *p, uint64_t v, int endian)
{
	put16(p + (endian == FPH_LE ? 0 : 2), v & 0xffff, endian);
	put16(p + (endian == FPH_LE ? 2 : 0), v >> 16 & 0xffff, endian);
}

#endif /* FPH_VECTORS_RING_BYTES_H */
