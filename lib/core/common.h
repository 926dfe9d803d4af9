/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What every part of the library needs: bytes of the wire, parameters, memory
 * of the caller.  Not installed.
 */
#ifndef FPH_CORE_COMMON_H
#define FPH_CORE_COMMON_H

#include <fph/wire.h>

/* ----------------------------------------------------------------- bytes -- */

/* One byte at a time: no alignment, no byte order of the host. */

static inline bool fph_is_endian(int endian)
{
	return endian == FPH_LE || endian == FPH_BE;
}

static inline uint16_t fph_get16(const uint8_t *p, int endian)
{
	uint32_t first = p[0];
	uint32_t second = p[1];

	return (uint16_t)(endian == FPH_LE ? first | second << 8 :
					     second | first << 8);
}

static inline uint32_t fph_get32(const uint8_t *p, int endian)
{
	uint32_t first = fph_get16(p, endian);
	uint32_t second = fph_get16(p + 2, endian);

	return endian == FPH_LE ? first | second << 16 : second | first << 16;
}

static inline uint64_t fph_get64(const uint8_t *p, int endian)
{
	uint64_t first = fph_get32(p, endian);
	uint64_t second = fph_get32(p + 4, endian);

	return endian == FPH_LE ? first | second << 32 : second | first << 32;
}

/* In the order of the wire: compilers make one store of the four, or two. */
static inline void fph_put16(uint8_t *p, uint16_t v, int endian)
{
	uint16_t swapped = (uint16_t)((uint32_t)v << 8 | v >> 8);
	uint16_t le = endian == FPH_LE ? v : swapped;

	p[0] = (uint8_t)(le & 0xff);
	p[1] = (uint8_t)(le >> 8);
}

static inline void fph_put32(uint8_t *p, uint32_t v, int endian)
{
	uint32_t le = endian == FPH_LE ? v : v << 24 | (v & 0xff00) << 8 |
					     (v >> 8 & 0xff00) | v >> 24;

	p[0] = (uint8_t)(le & 0xff);
	p[1] = (uint8_t)(le >> 8 & 0xff);
	p[2] = (uint8_t)(le >> 16 & 0xff);
	p[3] = (uint8_t)(le >> 24);
}

static inline void fph_put64(uint8_t *p, uint64_t v, int endian)
{
	uint32_t low = (uint32_t)(v & 0xffffffffu);
	uint32_t high = (uint32_t)(v >> 32);

	fph_put32(p, endian == FPH_LE ? low : high, endian);
	fph_put32(p + 4, endian == FPH_LE ? high : low, endian);
}

/* ------------------------------------------------------------------ bits -- */

/* Shifts by n bits, below 64, in two halves. */
static inline uint64_t fph_shr64_halves(uint64_t v, uint32_t n)
{
	uint32_t high = (uint32_t)(v >> 32);
	uint32_t low = (uint32_t)(v & 0xffffffffu);

	if (n >= 32)
		return high >> (n - 32);
	if (!n)
		return v;
	return (uint64_t)(high >> n) << 32 | (high << (32 - n) | low >> n);
}

static inline uint64_t fph_shl64_halves(uint64_t v, uint32_t n)
{
	uint32_t high = (uint32_t)(v >> 32);
	uint32_t low = (uint32_t)(v & 0xffffffffu);

	if (n >= 32)
		return (uint64_t)(low << (n - 32)) << 32;
	if (!n)
		return v;
	return (uint64_t)(high << n | low >> (32 - n)) << 32 | low << n;
}

/*
 * Shifts by n bits, below 64.  Small targets call a library for a variable
 * number of them, so they work in halves.
 */
static inline uint64_t fph_shr64(uint64_t v, uint32_t n)
{
	return sizeof(void *) > 4 ? v >> n : fph_shr64_halves(v, n);
}

static inline uint64_t fph_shl64(uint64_t v, uint32_t n)
{
	return sizeof(void *) > 4 ? v << n : fph_shl64_halves(v, n);
}

/* How many bits v takes: 0 for 0, 64 for a number of 2^63 or more. */
static inline uint32_t fph_bit_width(uint64_t v)
{
	uint32_t width = 0;

	for (uint32_t step = 32; step; step /= 2) {
		uint64_t high = fph_shr64(v, step);

		if (high) {
			width += step;
			v = high;
		}
	}
	return width + (v ? 1 : 0);
}

/* ------------------------------------------------- parameters, counters -- */

/*
 * fph_params_read - parameters of any version
 *
 * Copies the caller's struct, whose first member is its uint32_t size, into
 * that of this version: what is missing reads as 0, and of what is beyond only
 * zeros are understood.  first: the size of the first version.
 */
static inline bool fph_params_read(void *known, uint32_t known_size,
				   const void *params, uint32_t first)
{
	const uint8_t *b = params;
	uint8_t *k = known;
	uint32_t size;

	if (!params)
		return false;
	fph_memcpy(&size, params, sizeof(size));
	if (size < first)
		return false;
	for (uint32_t i = known_size; i < size; i++) {
		if (b[i])
			return false;
	}
	for (uint32_t i = 0; i < known_size; i++)
		k[i] = i < size ? b[i] : 0;
	return true;
}

/*
 * Gives a struct of counters to a caller who may know fewer, or more.
 * FPH_EINVAL: the caller has no place for it.
 */
static inline int fph_copy_out(void *out, size_t size, const void *known,
			       size_t known_size)
{
	const uint8_t *from = known;
	uint8_t *to = out;

	if (!out || !size)
		return FPH_EINVAL;
	for (size_t i = 0; i < size; i++)
		to[i] = i < known_size ? from[i] : 0;
	return FPH_OK;
}

/* Whether memory of the caller can hold an object. */
static inline bool fph_is_memory(const void *mem, size_t size, size_t need)
{
	return mem && need && size >= need && !((uintptr_t)mem & 7);
}

static inline bool fph_is_power(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Whether [gpa, gpa + len) is empty or goes beyond 2^64. */
static inline bool fph_is_bad_range(uint64_t gpa, uint64_t len)
{
	return !len || gpa + (len - 1) < gpa;
}

#endif /* FPH_CORE_COMMON_H */
