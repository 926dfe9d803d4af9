/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A random walk of the hinter beside a naive model: config reads of every
 * kind, buffers used in any order, aborts, resets, pages taken back.  After
 * every step what is where is what the model says; the queue holds only whole
 * rounds in order; no range is hinted under an id that it was not seen under;
 * no page is lost or comes back twice.  FPH_TEST_STEPS makes the walk longer
 * or shorter.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "range_model.h"
#include "runner.h"

#define STEPS		300000u		/* for each mode */
#define NPAGES		256u
#define NSLOTS		64u
#define NBATCHES	5u
#define NCOMMANDS	6u
#define MAX_SEGS	4u
#define RING		14u
#define MAX_OUT		(NBATCHES + NCOMMANDS)
#define PAGE		4096u

/* ck_assert writes a line each time it is passed, too slow for this. */
#define CHECK(cond) do {						\
	if (!(cond))							\
		ck_abort_msg("%s", #cond);				\
} while (0)

enum where {
	GUEST = 0,		/* or free, in NEVER */
	WAITS,
	OUT,
	KEPT,
	IS_BACK,
	NWHERE
};

struct page {
	enum where where;
	uint32_t id;			/* that it was seen under */
	uint64_t cookie;		/* OUT */
	bool used;
};

enum kind {
	HINT,
	START,
	STOP
};

/* A buffer in the ring. */
struct sent {
	uint64_t cookie;
	enum kind kind;
	uint32_t id;			/* of its round */
	uint32_t nsegs;			/* of a hint */
	uint32_t command;		/* buffer, of the others */
	const uint8_t *bytes;
};

struct world {
	struct fph_hinter *h;
	uint64_t mem[FPH_HINTER_SIZE(NSLOTS, NBATCHES) / 8];
	struct page pages[NPAGES];
	uint32_t count[NWHERE];
	struct sent out[MAX_OUT];	/* in the ring */
	bool released[MAX_OUT];			/* DONE was read since */
	uint32_t nout;
	uint32_t room;
	uint32_t stream;		/* id whose STOP is not in the ring */
	uint32_t last_start;
	bool busy[NCOMMANDS];
	int mode;
	uint32_t finished;		/* id that finish_input was for */
	uint32_t id;			/* the latest of the device */
	uint64_t seed;
	uint64_t nadded, nback, nstale;
	uint64_t kinds[4];
};

static uint32_t pick(struct world *w, uint32_t below)
{
	return model_random(&w->seed, below);
}

static int complete(struct world *w, uint64_t cookie)
{
	struct fph_used used = { .cookie = cookie };

	return fph_hinter_complete(w->h, &used, 1);
}

static void move(struct world *w, uint32_t i, enum where to, bool used)
{
	if (to == IS_BACK && w->mode == FPH_HINTER_NEVER)
		to = GUEST;
	w->count[w->pages[i].where]--;
	w->pages[i].where = to;
	w->pages[i].used = used;
	w->count[to]++;
}

static void world_init(struct world *w, int mode)
{
	struct fph_hinter_params p;

	memset(w, 0, sizeof(*w));
	w->seed = 0x9e3779b97f4a7c15u;
	w->mode = mode;
	w->room = RING;
	w->id = 1;
	w->count[GUEST] = NPAGES;
	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = (uint32_t)mode;
	p.flags = FPH_HINTER_METADATA_OUTSIDE;
	if (mode == FPH_HINTER_UNTIL_USED)
		p.flags |= FPH_HINTER_NO_MERGE;
	p.max_ranges = NSLOTS;
	p.max_hints = NBATCHES;
	p.commands = NCOMMANDS;
	p.max_segs = MAX_SEGS;
	CHECK(fph_hinter_init(&w->h, w->mem, sizeof(w->mem), &p) == FPH_OK);
}

/* What waits and was seen under an id that is over, comes back. */
static void settle(struct world *w)
{
	int state = fph_hinter_get_state(w->h);
	uint32_t id = fph_hinter_get_id(w->h), i;

	if (state == FPH_HINTER_ACTIVE)
		id = w->stream;
	else if (state == FPH_HINTER_WANTED && !id)
		id = w->finished;

	for (i = 0; i < NPAGES && w->count[WAITS]; i++) {
		if (w->pages[i].where != WAITS || w->pages[i].id == id)
			continue;
		move(w, i, IS_BACK, false);
		w->nstale++;
	}
}

/* ----------------------------------------------------------------- steps -- */

static void step_config(struct world *w)
{
	uint32_t value, i;

	switch (pick(w, 12)) {
	case 0:
		value = VIRTIO_BALLOON_CMD_ID_DONE;
		break;
	case 1: case 2:
		value = VIRTIO_BALLOON_CMD_ID_STOP;
		break;
	case 3: case 4:
		value = ++w->id;
		break;
	case 5:
		value = 2 + pick(w, w->id);
		break;
	default:
		value = w->id;
	}
	if (value == VIRTIO_BALLOON_CMD_ID_DONE) {
		for (i = 0; i < w->nout; i++)
			w->released[i] = true;
		for (i = 0; i < NPAGES; i++) {
			if (w->pages[i].where == KEPT)
				move(w, i, IS_BACK, true);
		}
	}
	CHECK(fph_hinter_set_config(w->h, value) == FPH_OK);
	settle(w);
}

static void step_add(struct world *w)
{
	uint32_t i = pick(w, NPAGES), id = fph_hinter_get_id(w->h);
	uint32_t held = NPAGES - w->count[GUEST];
	struct fph_owned_range range = { (uint64_t)i * PAGE, PAGE, i };
	int ret;

	if (w->pages[i].where != GUEST)
		return;
	ret = fph_hinter_add(w->h, id, &range, 1);
	if (!id) {
		CHECK(ret == FPH_ESTATE);
		return;
	}
	/* In NEVER what nobody wants back has no slot for long. */
	if (held == NSLOTS) {
		CHECK(ret == FPH_EFULL);
		return;
	}
	CHECK(ret == 1);
	w->pages[i].id = id;
	move(w, i, WAITS, false);
	w->nadded++;
}

static void take_hint(struct world *w, const struct sent *buffer,
		      const struct fph_seg *segs)
{
	uint32_t i, pfn;

	CHECK(buffer->nsegs > 0 && buffer->nsegs < w->room);
	CHECK(w->stream == buffer->id);
	for (i = 0; i < buffer->nsegs; i++) {
		CHECK(segs[i].flags == FPH_SEG_WRITE);
		CHECK(segs[i].len > 0 && segs[i].len % PAGE == 0);
		for (pfn = (uint32_t)(segs[i].gpa / PAGE);
		     pfn < (segs[i].gpa + segs[i].len) / PAGE; pfn++) {
			CHECK(pfn < NPAGES);
			CHECK(w->pages[pfn].where == WAITS);
			CHECK(w->pages[pfn].id == buffer->id);
			w->pages[pfn].cookie = buffer->cookie;
			move(w, pfn, OUT, false);
		}
	}
	w->room -= buffer->nsegs;
}

static void take_command(struct world *w,
			 const struct sent *buffer)
{
	uint32_t id = buffer->bytes[0] | (uint32_t)buffer->bytes[1] << 8 |
		      (uint32_t)buffer->bytes[2] << 16 |
		      (uint32_t)buffer->bytes[3] << 24;

	CHECK(!w->busy[buffer->command]);
	w->busy[buffer->command] = true;
	w->room--;
	if (buffer->kind == START) {
		CHECK(!w->stream && w->room > 0);
		CHECK(id == buffer->id && id != w->last_start);
		w->stream = id;
	} else {
		CHECK(id == VIRTIO_BALLOON_CMD_ID_STOP);
		CHECK(w->stream && w->stream == buffer->id);
		w->stream = 0;
	}
}

/* The ranges of a buffer go on, to where it says. */
static void move_out(struct world *w, uint64_t cookie, enum where to,
		     bool used)
{
	uint32_t i;

	for (i = 0; i < NPAGES && w->count[OUT]; i++) {
		if (w->pages[i].where == OUT && w->pages[i].cookie == cookie)
			move(w, i, to, used);
	}
}

static void remove_out(struct world *w, uint32_t i)
{
	w->room += w->out[i].kind == HINT ? w->out[i].nsegs : 1;
	if (w->out[i].kind != HINT)
		w->busy[w->out[i].command] = false;
	w->nout--;
	memmove(&w->out[i], &w->out[i + 1],
		(w->nout - i) * sizeof(w->out[0]));
	memmove(&w->released[i], &w->released[i + 1],
		(w->nout - i) * sizeof(w->released[0]));
}

static void cancel_it(struct world *w, const struct sent *buffer)
{
	bool again = fph_hinter_get_state(w->h) == FPH_HINTER_ACTIVE;

	CHECK(fph_hinter_cancel(w->h, buffer->cookie) == FPH_OK);
	if (buffer->kind == START)
		w->stream = 0;
	else if (buffer->kind == STOP)
		w->stream = buffer->id;
	else
		move_out(w, buffer->cookie, again ? WAITS : IS_BACK, false);
	remove_out(w, w->nout - 1);
	CHECK(complete(w, buffer->cookie) == FPH_EINVAL);
}

/* One buffer into the ring, as the model sees it. */
static void take_buffer(struct world *w, const struct fph_buffer *buffer,
			const struct fph_seg *segs)
{
	struct sent sent = { .cookie = buffer->cookie };

	CHECK(buffer->cookie && buffer->cookie <= 0xffffffffu);
	CHECK(w->nout < MAX_OUT && w->room > 0);
	sent.id = w->stream;
	if (buffer->flags == FPH_BUFFER_START)
		sent.kind = START;
	else if (buffer->flags == FPH_BUFFER_STOP)
		sent.kind = STOP;
	else
		CHECK(!buffer->flags);
	if (sent.kind == START)
		CHECK(fph_cmd_id_decode(&sent.id, buffer->command, 4,
					FPH_LE) == FPH_OK);
	sent.bytes = buffer->command;
	sent.command = buffer->index;
	w->kinds[sent.kind]++;
	if (sent.kind == HINT) {
		CHECK(!buffer->nread);
		sent.nsegs = buffer->nwrite;
		take_hint(w, &sent, segs);
	} else {
		CHECK(buffer->nread == 1 && !buffer->nwrite);
		CHECK(segs->len == 4 && !segs->flags);
		take_command(w, &sent);
	}
	w->released[w->nout] = false;
	w->out[w->nout++] = sent;
}

/* Puts n buffers at a time into the ring; the last ones may not get there. */
static void step_submit(struct world *w)
{
	struct fph_seg segs[4 * MAX_SEGS], *seg = segs;
	struct fph_buffer buffers[4];
	uint32_t max = 1 + pick(w, 4), n, before = w->last_start, i;
	int ret = fph_hinter_submit(w->h, w->room, buffers, max, segs,
				    1 + pick(w, 4 * MAX_SEGS));

	CHECK(ret >= 0 && (uint32_t)ret <= max);
	n = (uint32_t)ret;
	for (i = 0; i < n; i++) {
		take_buffer(w, &buffers[i], seg);
		if (buffers[i].flags == FPH_BUFFER_START) {
			before = w->last_start;
			w->last_start = w->out[w->nout - 1].id;
		}
		seg += buffers[i].nread + buffers[i].nwrite;
	}
	if (!n || pick(w, 16))
		return;
	/* Sometimes the id has changed before that is found out. */
	if (pick(w, 2))
		step_config(w);
	for (i = 1 + pick(w, n); i > 0; i--) {
		struct sent sent = w->out[w->nout - 1];

		cancel_it(w, &sent);
		if (sent.kind == START)
			w->last_start = before;
		settle(w);
	}
}

static void step_complete(struct world *w)
{
	uint32_t i;
	uint64_t cookie;
	bool keep;

	if (!w->nout)
		return;
	i = pick(w, w->nout);
	cookie = w->out[i].cookie;
	keep = w->mode == FPH_HINTER_HOLD && !w->released[i];
	CHECK(complete(w, cookie) == 1);
	move_out(w, cookie, keep ? KEPT : IS_BACK, true);
	remove_out(w, i);
	CHECK(complete(w, cookie) == FPH_EINVAL);
	CHECK(fph_hinter_cancel(w->h, cookie) == FPH_EINVAL);
}

static void step_reset(struct world *w)
{
	uint32_t i;

	if (pick(w, 50))
		return;
	CHECK(fph_hinter_reset(w->h) == FPH_OK);
	for (i = 0; i < NPAGES; i++) {
		w->nstale += w->pages[i].where == WAITS;
		if (w->pages[i].where != GUEST && w->pages[i].where != IS_BACK)
			move(w, i, IS_BACK, w->pages[i].where == KEPT);
	}
	while (w->nout)
		remove_out(w, 0);
	CHECK(w->room == RING);
	w->stream = 0;
	w->last_start = 0;
}

static void take_back(struct world *w, const struct fph_returned *out,
		      enum where from)
{
	CHECK(out->owner < NPAGES);
	CHECK(out->gpa == (uint64_t)out->owner * PAGE);
	CHECK(out->len == PAGE);
	CHECK(w->pages[out->owner].where == from);
	CHECK(out->used == w->pages[out->owner].used);
	move(w, (uint32_t)out->owner, GUEST, false);
	w->nback++;
}

static void step_next(struct world *w)
{
	struct fph_returned out;
	int ret;

	do {
		ret = fph_hinter_take_back(w->h, &out, 1);
		CHECK(ret == (w->count[IS_BACK] != 0));
		if (ret)
			take_back(w, &out, IS_BACK);
	} while (ret && pick(w, 8));
}

static void step_pop(struct world *w)
{
	static const enum where order[] = { IS_BACK, KEPT, WAITS, OUT };
	struct fph_returned out;
	int ret = fph_hinter_shrink(w->h, &out, 1);
	uint32_t i = 0;

	if (w->mode == FPH_HINTER_NEVER) {
		CHECK(ret == 0);
		return;
	}
	while (i < 4 && !w->count[order[i]])
		i++;
	if (i == 4) {
		CHECK(ret == 0);
	} else if (order[i] == OUT && w->mode == FPH_HINTER_UNTIL_USED) {
		CHECK(ret == FPH_EBUSY);
	} else {
		CHECK(ret == 1);
		take_back(w, &out, order[i]);
	}
}

/* Not while a STOP is due: get_id would not tell what is wanted then. */
static void step_finish(struct world *w)
{
	uint32_t id = fph_hinter_get_id(w->h);

	if (pick(w, 8) || !id ||
	    fph_hinter_get_state(w->h) == FPH_HINTER_STOPPING)
		return;
	CHECK(fph_hinter_finish_input(w->h) == FPH_OK);
	w->finished = id;
}

static void step(struct world *w)
{
	switch (pick(w, 24)) {
	case 0:
		step_config(w);
		break;
	case 1: case 2: case 3: case 4: case 5: case 6: case 7: case 8:
		step_add(w);
		break;
	case 9: case 10: case 11: case 12:
		step_submit(w);
		break;
	case 13: case 14: case 15: case 16:
		step_complete(w);
		break;
	case 17:
		CHECK(fph_hinter_flush(w->h) == FPH_OK);
		break;
	case 18:
		step_finish(w);
		break;
	case 19:
		if (!pick(w, 8))
			CHECK(fph_hinter_stop(w->h) == FPH_OK);
		settle(w);
		break;
	case 20:
		step_reset(w);
		break;
	case 21:
		step_pop(w);
		break;
	default:
		step_next(w);
	}
}

static bool is_equal(const struct fph_amount *a, uint32_t n)
{
	return a->ranges == n && a->bytes == (uint64_t)n * PAGE;
}

static void check_truth(const struct world *w, uint32_t n)
{
	struct fph_hinter_amounts a;
	uint32_t held = NPAGES - w->count[GUEST], hints = 0, i;

	for (i = 0; i < w->nout; i++)
		hints += w->out[i].kind == HINT;
	if (fph_hinter_get_amounts(w->h, &a, sizeof(a)) != FPH_OK ||
	    !is_equal(&a.waiting, w->count[WAITS]) ||
	    !is_equal(&a.outstanding, w->count[OUT]) ||
	    !is_equal(&a.used, w->count[KEPT]) ||
	    !is_equal(&a.back, w->count[IS_BACK]) ||
	    !is_equal(&a.held, w->mode == FPH_HINTER_NEVER ? 0 : held) ||
	    a.buffers != hints)
		ck_abort_msg("step %u", n);
}

/* Not one range more than descriptors that the device has. */
static void check_until_used(const struct world *w)
{
	uint32_t descs = 0, i;

	for (i = 0; i < w->nout; i++)
		descs += w->out[i].nsegs;
	CHECK(w->count[OUT] <= descs);
}

START_TEST(random_walk)
{
	static struct world w;
	const char *env = getenv("FPH_TEST_STEPS");
	uint32_t steps = env != NULL ? (uint32_t)strtoul(env, NULL, 0) : STEPS;
	struct fph_hinter_counters n;
	uint32_t i;

	world_init(&w, _i);
	for (i = 0; i < steps; i++) {
		step(&w);
		check_truth(&w, i);
		if (_i == FPH_HINTER_UNTIL_USED)
			check_until_used(&w);
	}
	ck_assert_int_eq(fph_hinter_get_counters(w.h, &n, sizeof(n)), FPH_OK);
	ck_assert_uint_eq(n.rounds, w.kinds[START]);
	ck_assert_uint_eq(n.stops, w.kinds[STOP]);
	ck_assert_uint_eq(n.hints, w.kinds[HINT]);
	ck_assert_uint_eq(n.returned, w.nback);
	if (_i == FPH_HINTER_NEVER)
		ck_assert_uint_eq(w.nback, 0);
	else
		ck_assert_uint_eq(w.nadded - w.nback,
				  NPAGES - w.count[GUEST]);
	if (steps < STEPS)
		return;
	/* It has been everywhere. */
	ck_assert_uint_gt(n.rounds, 1000);
	ck_assert_uint_gt(n.stops, 1000);
	ck_assert_uint_gt(n.hints, 1000);
	ck_assert_uint_gt(n.cancelled, 100);
	ck_assert_uint_gt(n.stale, 100);
	ck_assert_uint_gt(n.zeros, 10);
}
END_TEST

Suite *make_suite(void)
{
	Suite *suite = suite_create("hinter_random");
	TCase *tc = tcase_create("hinter_random");

	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, random_walk, FPH_HINTER_HOLD,
			    FPH_HINTER_NEVER + 1);
	suite_add_tcase(suite, tc);
	return suite;
}
