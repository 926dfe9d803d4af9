/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hinter on storage of its own, and a queue that keeps order: what submit
 * gives goes in at one end, what the device uses comes out anywhere.
 */
#ifndef FPH_TESTS_HINTER_FIXTURE_H
#define FPH_TESTS_HINTER_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "runner.h"

#define NSLOTS		8u
#define NBATCHES	3u
#define NCOMMANDS	4u
#define MAX_SEGS	2u
#define PAGE		0x1000u

#define START		FPH_BUFFER_START
#define HINT		0u
#define STOP		FPH_BUFFER_STOP

#define HOLD		FPH_HINTER_HOLD
#define UNTIL_USED	FPH_HINTER_UNTIL_USED
#define NEVER		FPH_HINTER_NEVER

#define COMMANDS_GPA	0x7000u

struct fixture {
	struct fph_hinter *h;
	uint64_t mem[FPH_HINTER_SIZE(NSLOTS, NBATCHES) / 8];
};

static inline struct fph_hinter_params fixture_params(uint32_t mode)
{
	struct fph_hinter_params p;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	if (mode == FPH_HINTER_NEVER)
		p.flags = FPH_HINTER_METADATA_OUTSIDE;
	p.max_ranges = NSLOTS;
	p.max_hints = NBATCHES;
	p.max_segs = MAX_SEGS;
	p.commands = NCOMMANDS;
	p.commands_gpa = COMMANDS_GPA;
	return p;
}

/* Over dirty memory, for nothing may rely on zeros. */
static inline void fixture_init_with(struct fixture *f,
				     const struct fph_hinter_params *p)
{
	memset(f, 0x5a, sizeof(*f));
	ck_assert_int_eq(fph_hinter_init(&f->h, f->mem, sizeof(f->mem), p),
			 FPH_OK);
}

static inline void fixture_init(struct fixture *f, uint32_t mode)
{
	struct fph_hinter_params p = fixture_params(mode);

	fixture_init_with(f, &p);
}

/* One of a call: FPH_OK for the 1 that the call answers. */
static inline int fixture_add_range(struct fixture *f, uint32_t id,
				    uint64_t gpa, uint64_t len, uint64_t owner)
{
	struct fph_owned_range range = { gpa, len, owner };
	int ret = fph_hinter_add(f->h, id, &range, 1);

	return ret == 1 ? FPH_OK : ret;
}

static inline int fixture_complete(struct fixture *f, uint64_t cookie)
{
	struct fph_used used = { .cookie = cookie };
	int ret = fph_hinter_complete(f->h, &used, 1);

	return ret == 1 ? FPH_OK : ret;
}

static inline int fixture_submit(struct fixture *f, uint32_t room,
				 struct fph_seg *segs, uint32_t nsegs,
				 struct fph_buffer *buffer)
{
	return fph_hinter_submit(f->h, room, buffer, 1, segs, nsegs);
}

static inline void fixture_read(struct fixture *f, uint32_t value)
{
	ck_assert_int_eq(fph_hinter_set_config(f->h, value), FPH_OK);
}

/* One page at page number pfn, with that number as its owner. */
static inline void fixture_add(struct fixture *f, uint32_t pfn)
{
	ck_assert_int_eq(fixture_add_range(f, fph_hinter_get_id(f->h),
					   (uint64_t)pfn * PAGE, PAGE, pfn),
			 FPH_OK);
}

static inline void fixture_flush(struct fixture *f)
{
	ck_assert_int_eq(fph_hinter_flush(f->h), FPH_OK);
}

/* The next buffer is of this kind, and is in the queue then. */
static inline uint64_t fixture_send(struct fixture *f, uint32_t kind,
				    uint32_t id)
{
	struct fph_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	memset(&buffer, 0x5a, sizeof(buffer));
	ck_assert_int_eq(fixture_submit(f, 8, segs, MAX_SEGS, &buffer), 1);
	ck_assert_uint_eq(buffer.flags, kind);
	ck_assert_uint_ne(buffer.cookie, 0);
	ck_assert_uint_le(buffer.cookie, 0xffffffffu);
	ck_assert_uint_eq(buffer.reserved, 0);
	if (kind == HINT) {
		ck_assert_uint_eq(buffer.nread, 0);
		ck_assert_uint_eq(segs[0].flags, FPH_SEG_WRITE);
		return buffer.cookie;
	}
	ck_assert_uint_eq(buffer.nread, 1);
	ck_assert_uint_eq(buffer.nwrite, 0);
	ck_assert_uint_lt(buffer.index, NCOMMANDS);
	ck_assert_uint_eq(segs[0].gpa, COMMANDS_GPA + 4 * buffer.index);
	ck_assert_uint_eq(segs[0].len, 4);
	ck_assert_uint_eq(segs[0].flags, 0);
	if (kind == STOP)
		id = 0;
	ck_assert_uint_eq(buffer.command[0], id & 0xff);
	ck_assert_uint_eq(buffer.command[1], id >> 8 & 0xff);
	ck_assert_uint_eq(buffer.command[2], id >> 16 & 0xff);
	ck_assert_uint_eq(buffer.command[3], id >> 24);
	return buffer.cookie;
}

static inline void fixture_send_none(struct fixture *f, uint32_t room)
{
	struct fph_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	ck_assert_int_eq(fixture_submit(f, room, segs, MAX_SEGS, &buffer), 0);
}

static inline void fixture_use(struct fixture *f, uint64_t cookie)
{
	ck_assert_int_eq(fixture_complete(f, cookie), FPH_OK);
}

static inline void fixture_cancel(struct fixture *f, uint64_t cookie)
{
	ck_assert_int_eq(fph_hinter_cancel(f->h, cookie), FPH_OK);
}

/* Adds one page, hints it alone. */
static inline uint64_t fixture_hint(struct fixture *f, uint32_t pfn)
{
	uint32_t id = fph_hinter_get_id(f->h);

	fixture_add(f, pfn);
	fixture_flush(f);
	return fixture_send(f, HINT, id);
}

static inline struct fph_hinter_amounts
fixture_amounts(const struct fixture *f)
{
	struct fph_hinter_amounts a;

	ck_assert_int_eq(fph_hinter_get_amounts(f->h, &a, sizeof(a)), FPH_OK);
	return a;
}

static inline struct fph_hinter_counters
fixture_counters(const struct fixture *f)
{
	struct fph_hinter_counters n;

	ck_assert_int_eq(fph_hinter_get_counters(f->h, &n, sizeof(n)), FPH_OK);
	return n;
}

static inline void check_page(const struct fph_returned *out, uint32_t pfn,
			      bool used)
{
	ck_assert_uint_eq(out->owner, pfn);
	ck_assert_uint_eq(out->gpa, (uint64_t)pfn * PAGE);
	ck_assert_uint_eq(out->len, PAGE);
	ck_assert_int_eq(out->used, used);
}

static inline void fixture_expect(struct fixture *f, uint32_t pfn, bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_take_back(f->h, &out, 1), 1);
	check_page(&out, pfn, used);
}

static inline void fixture_expect_pop(struct fixture *f, uint32_t pfn,
				      bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_shrink(f->h, &out, 1), 1);
	check_page(&out, pfn, used);
}

static inline void fixture_expect_none(struct fixture *f)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_take_back(f->h, &out, 1), 0);
}

static inline void fixture_expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_hinter_get_state(f->h), state);
}

/* A round is begun and its START used. */
static inline void fixture_begin(struct fixture *f, uint32_t mode, uint32_t id)
{
	fixture_init(f, mode);
	fixture_read(f, id);
	ck_assert_uint_eq(fph_hinter_get_id(f->h), id);
	fixture_use(f, fixture_send(f, START, id));
}

static inline void fixture_end(struct fixture *f)
{
	ck_assert_int_eq(fph_hinter_finish_input(f->h), FPH_OK);
	ck_assert_uint_eq(fph_hinter_get_id(f->h), 0);
}

#endif /* FPH_TESTS_HINTER_FIXTURE_H */
