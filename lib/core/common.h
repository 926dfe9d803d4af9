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

static inline void fph_put16(uint8_t *p, uint16_t v, int endian)
{
	p[endian == FPH_LE ? 0 : 1] = (uint8_t)(v & 0xff);
	p[endian == FPH_LE ? 1 : 0] = (uint8_t)(v >> 8);
}

static inline void fph_put32(uint8_t *p, uint32_t v, int endian)
{
	fph_put16(p + (endian == FPH_LE ? 0 : 2), (uint16_t)(v & 0xffff),
		  endian);
	fph_put16(p + (endian == FPH_LE ? 2 : 0), (uint16_t)(v >> 16), endian);
}

static inline void fph_put64(uint8_t *p, uint64_t v, int endian)
{
	fph_put32(p + (endian == FPH_LE ? 0 : 4), (uint32_t)(v & 0xffffffffu),
		  endian);
	fph_put32(p + (endian == FPH_LE ? 4 : 0), (uint32_t)(v >> 32), endian);
}

/* ------------------------------------------------------------------ bits -- */

/*
 * Shifts by a variable number of bits below 64.  Small targets call a library
 * for those of 64 bits, so they get two of 32.
 */
static inline uint64_t fph_shr64(uint64_t v, uint32_t n)
{
	uint32_t high = (uint32_t)(v >> 32);
	uint32_t low = (uint32_t)(v & 0xffffffffu);

	if (sizeof(void *) > 4)
		return v >> n;
	if (n >= 32)
		return high >> (n - 32);
	if (!n)
		return v;
	return (uint64_t)(high >> n) << 32 | (high << (32 - n) | low >> n);
}

static inline uint64_t fph_shl64(uint64_t v, uint32_t n)
{
	uint32_t high = (uint32_t)(v >> 32);
	uint32_t low = (uint32_t)(v & 0xffffffffu);

	if (sizeof(void *) > 4)
		return v << n;
	if (n >= 32)
		return (uint64_t)(low << (n - 32)) << 32;
	if (!n)
		return v;
	return (uint64_t)(high << n | low >> (32 - n)) << 32 | low << n;
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
	fph_memset(known, 0, known_size);
	fph_memcpy(known, params, size < known_size ? size : known_size);
	return true;
}

/* Gives a struct of counters to a caller who may know fewer, or more. */
static inline void fph_copy_out(void *out, size_t size, const void *known,
				size_t known_size)
{
	fph_memset(out, 0, size);
	fph_memcpy(out, known, size < known_size ? size : known_size);
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
