/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state: how every object writes and reads it.
 *
 * doc/saved-state.adoc has the format.  All numbers are little-endian and lie
 * one behind the other without padding.  In front stands a header:
 *
 *	0	magic "FPHS"
 *	4	u16 kind of object
 *	6	u16 version of its layout
 *	8	u64 bytes, with the header
 *	16	u32 CRC of bytes 0 to 15 and of those from 20 on
 *	20	u32 zero
 *
 * A writer counts what does not fit and goes on, so that one walk over an
 * object says how much it needs.  A reader that came to the end reads zeros
 * and is bad.  Not installed.
 */
#ifndef FPH_CORE_STATE_H
#define FPH_CORE_STATE_H

#include <fph/types.h>

#include "common.h"

enum fph_state_kind {
	FPH_STATE_REPORT	= 1,
	FPH_STATE_HINT_SESSION	= 2,
	FPH_STATE_VQ_DEVICE	= 3,
	FPH_STATE_VQ_DRIVER	= 4,
	FPH_STATE_REPORTER	= 5,
	FPH_STATE_HINTER	= 6,
	FPH_STATE_BALLOON	= 7
};

#define FPH_STATE_MAGIC		0x53485046u	/* "FPHS" */
#define FPH_STATE_HEADER	24u
#define FPH_STATE_CRC_AT	16u

/* The CRC-32 of Ethernet and zip: crc of what stands before, or 0. */
static inline uint32_t fph_state_crc(uint32_t crc, const uint8_t *p, size_t n)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
	};

	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

static inline uint32_t fph_state_check_sum(const uint8_t *buf, size_t size)
{
	uint32_t crc = fph_state_crc(0, buf, FPH_STATE_CRC_AT);

	return fph_state_crc(crc, buf + FPH_STATE_CRC_AT + 4,
			     size - FPH_STATE_CRC_AT - 4);
}

/* --------------------------------------------------------------- writing -- */

struct fph_state_writer {
	uint8_t *buf;
	size_t size;
	size_t len;		/* of the state; more than size: not written */
};

/* Where the next n bytes go; NULL if they do not fit. */
static inline uint8_t *fph_state_room(struct fph_state_writer *w, size_t n)
{
	uint8_t *p = NULL;

	if (w->len <= w->size && n <= w->size - w->len)
		p = w->buf + w->len;
	w->len += n;
	return p;
}

static inline void fph_state_put8(struct fph_state_writer *w, uint8_t v)
{
	uint8_t *p = fph_state_room(w, 1);

	if (p)
		*p = v;
}

static inline void fph_state_put16(struct fph_state_writer *w, uint16_t v)
{
	uint8_t *p = fph_state_room(w, 2);

	if (p)
		fph_put16(p, v, FPH_LE);
}

static inline void fph_state_put32(struct fph_state_writer *w, uint32_t v)
{
	uint8_t *p = fph_state_room(w, 4);

	if (p)
		fph_put32(p, v, FPH_LE);
}

static inline void fph_state_put64(struct fph_state_writer *w, uint64_t v)
{
	uint8_t *p = fph_state_room(w, 8);

	if (p)
		fph_put64(p, v, FPH_LE);
}

/* A struct of so many bytes, all of whose members are uint64_t. */
static inline void fph_state_put_all(struct fph_state_writer *w,
				     const void *from, size_t size)
{
	uint64_t v;

	for (size_t i = 0; i < size; i += sizeof(v)) {
		fph_memcpy(&v, (const uint8_t *)from + i, sizeof(v));
		fph_state_put64(w, v);
	}
}

/* buf, size: the caller's.  The header is filled in by end. */
static inline void fph_state_begin(struct fph_state_writer *w, void *buf,
				   size_t size)
{
	w->buf = buf;
	w->size = buf ? size : 0;
	w->len = FPH_STATE_HEADER;
}

/* The result of save: FPH_OK, FPH_EFULL. */
static inline int fph_state_end(struct fph_state_writer *w, uint16_t kind,
				uint16_t version, size_t *needed)
{
	*needed = w->len;
	if (w->len > w->size)
		return FPH_EFULL;
	fph_put32(w->buf, FPH_STATE_MAGIC, FPH_LE);
	fph_put16(w->buf + 4, kind, FPH_LE);
	fph_put16(w->buf + 6, version, FPH_LE);
	fph_put64(w->buf + 8, w->len, FPH_LE);
	fph_put32(w->buf + 20, 0, FPH_LE);
	fph_put32(w->buf + FPH_STATE_CRC_AT,
		  fph_state_check_sum(w->buf, w->len), FPH_LE);
	return FPH_OK;
}

/* --------------------------------------------------------------- reading -- */

struct fph_state_reader {
	const uint8_t *p;
	size_t left;
	uint32_t version;
	bool bad;		/* it ended too early */
};

/* The next n bytes, n at most 8; zeros if there are not so many. */
static inline const uint8_t *fph_state_take(struct fph_state_reader *r,
					    size_t n)
{
	static const uint8_t none[8];
	const uint8_t *p = r->p;

	if (r->left < n) {
		r->bad = true;
		return none;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static inline uint8_t fph_state_get8(struct fph_state_reader *r)
{
	return *fph_state_take(r, 1);
}

static inline uint16_t fph_state_get16(struct fph_state_reader *r)
{
	return fph_get16(fph_state_take(r, 2), FPH_LE);
}

static inline uint32_t fph_state_get32(struct fph_state_reader *r)
{
	return fph_get32(fph_state_take(r, 4), FPH_LE);
}

static inline uint64_t fph_state_get64(struct fph_state_reader *r)
{
	return fph_get64(fph_state_take(r, 8), FPH_LE);
}

static inline void fph_state_get_all(struct fph_state_reader *r, void *to,
				     size_t size)
{
	uint64_t v;

	for (size_t i = 0; i < size; i += sizeof(v)) {
		v = fph_state_get64(r);
		fph_memcpy((uint8_t *)to + i, &v, sizeof(v));
	}
}

/* Whether so many records of so many bytes can still be there. */
static inline bool fph_state_has(const struct fph_state_reader *r, uint64_t n,
				 uint32_t bytes)
{
	return n * bytes <= r->left;
}

/*
 * Takes up a state: FPH_OK, FPH_ECORRUPT (no state, or a damaged one),
 * FPH_EREFUSED (of another kind), FPH_EVERSION (later than latest).
 */
static inline int fph_state_open(struct fph_state_reader *r, const void *buf,
				 size_t size, uint16_t kind, uint32_t latest)
{
	const uint8_t *p = buf;

	if (size < FPH_STATE_HEADER ||
	    fph_get32(p, FPH_LE) != FPH_STATE_MAGIC ||
	    fph_get64(p + 8, FPH_LE) != size || fph_get32(p + 20, FPH_LE) ||
	    fph_get32(p + FPH_STATE_CRC_AT, FPH_LE) !=
	    fph_state_check_sum(p, size))
		return FPH_ECORRUPT;
	if (fph_get16(p + 4, FPH_LE) != kind)
		return FPH_EREFUSED;
	r->version = fph_get16(p + 6, FPH_LE);
	if (r->version > latest)
		return FPH_EVERSION;
	if (!r->version)
		return FPH_ECORRUPT;
	r->p = p + FPH_STATE_HEADER;
	r->left = size - FPH_STATE_HEADER;
	r->bad = false;
	return FPH_OK;
}

/* Whether all of it was read, and no more than that. */
static inline bool fph_state_is_done(const struct fph_state_reader *r)
{
	return !r->bad && !r->left;
}

#endif /* FPH_CORE_STATE_H */
