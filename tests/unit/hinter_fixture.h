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

#define NSLOTS		8u
#define NBATCHES	3u
#define NCOMMANDS	4u
#define MAX_SEGS	2u
#define PAGE		0x1000u

#define START		FPH_HINTER_START
#define HINT		FPH_HINTER_HINT
#define STOP		FPH_HINTER_STOP

#define HOLD		FPH_HINTER_HOLD
#define UNTIL_USED	FPH_HINTER_UNTIL_USED
#define NEVER		FPH_HINTER_NEVER

struct fixture {
	struct fph_hinter h;
	struct fph_slot slots[NSLOTS];
	struct fph_batch batches[NBATCHES];
	struct fph_command commands[NCOMMANDS];
};

static inline struct fph_hinter_params fixture_params(struct fixture *f,
						      int mode)
{
	struct fph_hinter_params p;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	p.metadata_outside = mode == FPH_HINTER_NEVER;
	p.merge = true;
	p.endian = FPH_LE;
	p.slots = f->slots;
	p.nslots = NSLOTS;
	p.batches = f->batches;
	p.nbatches = NBATCHES;
	p.commands = f->commands;
	p.ncommands = NCOMMANDS;
	p.max_segs = MAX_SEGS;
	return p;
}

static inline void fixture_init(struct fixture *f, int mode)
{
	struct fph_hinter_params p = fixture_params(f, mode);

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(fph_hinter_init(&f->h, &p), FPH_OK);
}

static inline void fixture_read(struct fixture *f, uint32_t value)
{
	ck_assert_int_eq(fph_hinter_set_config(&f->h, value), FPH_OK);
}

/* One page at page number pfn, with that number as its owner. */
static inline void fixture_add(struct fixture *f, uint32_t pfn)
{
	ck_assert_int_eq(fph_hinter_add(&f->h, fph_hinter_get_id(&f->h),
					(uint64_t)pfn * PAGE, PAGE, pfn),
			 FPH_OK);
}

static inline void fixture_flush(struct fixture *f)
{
	ck_assert_int_eq(fph_hinter_request(&f->h), FPH_OK);
}

/* The next buffer is of this kind, and is in the queue then. */
static inline uint64_t fixture_send(struct fixture *f,
				    enum fph_hinter_kind kind, uint32_t id)
{
	struct fph_hinter_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	ck_assert_int_eq(fph_hinter_submit(&f->h, 8, segs, MAX_SEGS, &buffer),
			 1);
	ck_assert_int_eq((int)buffer.kind, (int)kind);
	ck_assert_uint_eq(buffer.id, id);
	ck_assert_uint_ne(buffer.cookie, 0);
	return buffer.cookie;
}

static inline void fixture_send_none(struct fixture *f, uint32_t room)
{
	struct fph_hinter_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	ck_assert_int_eq(fph_hinter_submit(&f->h, room, segs, MAX_SEGS,
					   &buffer), 0);
}

static inline void fixture_use(struct fixture *f, uint64_t cookie)
{
	ck_assert_int_eq(fph_hinter_complete(&f->h, cookie), FPH_OK);
}

static inline void fixture_abort(struct fixture *f, uint64_t cookie)
{
	ck_assert_int_eq(fph_hinter_abort(&f->h, cookie), FPH_OK);
}

/* Adds one page, hints it alone. */
static inline uint64_t fixture_hint(struct fixture *f, uint32_t pfn)
{
	uint32_t id = fph_hinter_get_id(&f->h);

	fixture_add(f, pfn);
	fixture_flush(f);
	return fixture_send(f, FPH_HINTER_HINT, id);
}

static inline struct fph_hinter_amounts
fixture_amounts(const struct fixture *f)
{
	struct fph_hinter_amounts a;

	ck_assert_int_eq(fph_hinter_get_amounts(&f->h, &a), FPH_OK);
	return a;
}

static inline struct fph_hinter_counters
fixture_counters(const struct fixture *f)
{
	struct fph_hinter_counters n;

	ck_assert_int_eq(fph_hinter_get_counters(&f->h, &n), FPH_OK);
	return n;
}

static inline void check_page(const struct fph_returned *out, uint32_t pfn,
			      bool used)
{
	ck_assert_uint_eq(out->owner, pfn);
	ck_assert_uint_eq(out->range.gpa, (uint64_t)pfn * PAGE);
	ck_assert_uint_eq(out->range.len, PAGE);
	ck_assert_int_eq(out->used, used);
}

static inline void fixture_expect(struct fixture *f, uint32_t pfn, bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_next(&f->h, &out), 1);
	check_page(&out, pfn, used);
}

static inline void fixture_expect_pop(struct fixture *f, uint32_t pfn,
				      bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_pop(&f->h, &out), 1);
	check_page(&out, pfn, used);
}

static inline void fixture_expect_none(struct fixture *f)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_hinter_next(&f->h, &out), 0);
}

static inline void fixture_expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_hinter_get_state(&f->h), state);
}

/* A round is begun and its START used. */
static inline void fixture_begin(struct fixture *f, int mode, uint32_t id)
{
	fixture_init(f, mode);
	fixture_read(f, id);
	ck_assert_uint_eq(fph_hinter_get_id(&f->h), id);
	fixture_use(f, fixture_send(f, START, id));
}

static inline void fixture_end(struct fixture *f)
{
	ck_assert_int_eq(fph_hinter_end(&f->h), FPH_OK);
	ck_assert_uint_eq(fph_hinter_get_id(&f->h), 0);
}

#endif /* FPH_TESTS_HINTER_FIXTURE_H */
