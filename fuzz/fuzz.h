/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the fuzz targets share.  A target is one LLVMFuzzerTestOneInput, which
 * aborts when the library breaks a promise; it is linked with libFuzzer, or
 * with replay.c into a plain test.
 */
#ifndef FPH_FUZZ_H
#define FPH_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)								\
	do {								\
		if (!(x)) {						\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #x);		\
			abort();					\
		}							\
	} while (0)

/* The input as a stream; it reads as 0 behind its end. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* Big-endian, so that a seed reads as it is written. */
static inline uint64_t fuzz_uint(struct fuzz_input *in, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | fuzz_u8(in);
	return v;
}

/* ------------------------------------------------------- packed rings -- */

#define FUZZ_PACKED_AVAIL	0x80u
#define FUZZ_PACKED_USED	0x8000u
#define FUZZ_PACKED_WRAP	0x8000u

/* Where the other side is in a packed ring of num descriptors. */
struct fuzz_place {
	uint32_t num;
	uint32_t at;
	bool wrap;
};

static inline void fuzz_place_begin(struct fuzz_place *p, uint32_t num)
{
	p->num = num;
	p->at = 0;
	p->wrap = true;
}

static inline void fuzz_place_step(struct fuzz_place *p, uint32_t n)
{
	p->at += n;
	while (p->at >= p->num) {
		p->at -= p->num;
		p->wrap = !p->wrap;
	}
}

static inline uint32_t fuzz_place_word(const struct fuzz_place *p)
{
	return p->at | (p->wrap ? FUZZ_PACKED_WRAP : 0);
}

#endif /* FPH_FUZZ_H */
