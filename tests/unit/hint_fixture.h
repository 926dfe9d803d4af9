/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hint session with its storage, and every situation that it can be in.
 */
#ifndef FPH_TESTS_HINT_FIXTURE_H
#define FPH_TESTS_HINT_FIXTURE_H

#include <check.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#define NRANGES		8u
#define NBUFFERS	4u
#define ID		0x80000001u	/* the first id of a fixture */

/* A session with all of its bytes, to compare them before and after. */
struct fixture {
	uint64_t memory[FPH_HINT_SESSION_SIZE(NRANGES, NBUFFERS) / 8];
	struct fph_hint_session *s;
	struct fph_run run;		/* out, or made up */
	uint32_t id;			/* the one that was published last */
};

#define OBJECT_SIZE	offsetof(struct fixture, run)

static const struct fph_seg hints[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x20000, 0x2000, FPH_SEG_WRITE }
};

/* The second one is not a hint. */
static const struct fph_seg readable[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x20000, 0x1000, 0 }
};

static inline void init(struct fixture *f, uint32_t first_id)
{
	const struct fph_hint_session_params params = {
		.size = sizeof(params), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .first_id = first_id
	};

	/* Memory of the caller need not be zeroed. */
	memset(f, 0xa5, sizeof(*f));
	memset(&f->run, 0, sizeof(f->run));
	f->id = first_id;
	f->run.gpa = 0x10000;
	f->run.len = 0x1000;
	ck_assert_int_eq(fph_hint_session_init(&f->s, f->memory,
					       sizeof(f->memory), &params),
			 FPH_OK);
}

static inline void dirty_sync(struct fixture *f)
{
	ck_assert_int_eq(fph_hint_session_sync_begin(f->s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_sync_end(f->s), FPH_OK);
}

static inline void request(struct fixture *f)
{
	ck_assert_int_eq(fph_hint_session_request(f->s, &f->id), FPH_OK);
}

/* A buffer with len readable bytes, in pieces of at most piece, and hints. */
static inline int add_raw(struct fixture *f, uint64_t cookie,
			  const void *command, uint32_t len, uint32_t piece,
			  const struct fph_seg *segs, uint32_t n)
{
	struct fph_buffer b = { .cookie = cookie, .nwrite = n };
	struct fph_seg all[16];

	for (; len; b.nread++) {
		uint32_t part = len < piece ? len : piece;

		all[b.nread] = (struct fph_seg){ 0x800, part, 0 };
		len -= part;
	}
	if (command)
		memcpy(b.command, command, 4);
	if (n)
		memcpy(all + b.nread, segs, n * sizeof(*segs));
	return fph_hint_session_add(f->s, &b, 1, all);
}

static inline int add(struct fixture *f, uint64_t cookie, uint32_t cmd,
		      const struct fph_seg *segs, uint32_t n)
{
	uint8_t command[4];

	fph_cmd_id_encode(command, cmd, FPH_LE);
	return add_raw(f, cookie, command, 4, 4, segs, n);
}

static inline int add_hints(struct fixture *f, uint64_t cookie, uint32_t n)
{
	return add_raw(f, cookie, NULL, 0, 4, hints, n);
}

static inline int refuse(struct fixture *f, uint64_t cookie)
{
	struct fph_buffer b = { .cookie = cookie, .nwrite = 2,
				.flags = FPH_BUFFER_REFUSE };

	return fph_hint_session_add(f->s, &b, 1, hints);
}

static inline int next(struct fixture *f, struct fph_run *run)
{
	return fph_hint_session_next(f->s, run, 1);
}

static inline int complete_as(struct fixture *f, struct fph_run run,
			      int outcome)
{
	run.outcome = (uint8_t)outcome;
	run.done = run.len;
	run.freed = outcome == FPH_OUTCOME_CLEARED ? run.len : 0;
	return fph_hint_session_complete(f->s, &run, 1);
}

static inline int take_used(struct fixture *f, struct fph_used *used)
{
	return fph_hint_session_take_used(f->s, used, 1);
}

static inline void start(struct fixture *f)
{
	struct fph_used used;

	ck_assert_int_eq(add(f, 1, f->id, NULL, 0), 1);
	ck_assert_int_eq(take_used(f, &used), 1);
	ck_assert_int_eq(used.outcome, FPH_OUTCOME_COMMAND);
}

static inline struct fph_hint_counters counters(const struct fixture *f)
{
	struct fph_hint_counters n;

	ck_assert_int_eq(fph_hint_session_get_counters(f->s, &n, sizeof(n)),
			 FPH_OK);
	return n;
}

static inline void expect_used(struct fixture *f, uint64_t cookie, int outcome,
			       int reason)
{
	struct fph_used used;

	ck_assert_int_eq(take_used(f, &used), 1);
	ck_assert_uint_eq(used.cookie, cookie);
	ck_assert_int_eq(used.outcome, outcome);
	ck_assert_int_eq(used.reason, reason);
}

static inline void expect_no_used(struct fixture *f)
{
	struct fph_used used;

	ck_assert_int_eq(take_used(f, &used), 0);
}

static inline void expect_room(const struct fixture *f, uint32_t buffers,
			       uint32_t segs)
{
	uint32_t b, s;

	fph_hint_session_get_room(f->s, &b, &s);
	ck_assert_uint_eq(b, buffers);
	ck_assert_uint_eq(s, segs);
}

static inline void expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_hint_session_get_state(f->s), state);
}

/* ------------------------------------------------------------ situations -- */

/*
 * The states, each as often as something beside the state matters.  "Waits"
 * means that a hint was not yet handed out, "out" that a run is.
 */
enum {
	NEW,		/* IDLE, no dirty-log sync yet */
	IDLE,
	IDLE_SYNC,	/* in a dirty-log sync */
	IDLE_NO_IDS,	/* they are used up */
	IDLE_BROKEN,
	REQUESTED,
	ACTIVE,
	ACTIVE_WAITS,
	ACTIVE_OUT,	/* and one waits */
	STOPPING,	/* out, on the way to IDLE */
	STOPPING_ZERO,	/* the run was completed */
	STOPPING_BROKEN,
	LEAVING,	/* STOPPING on the way to DONE */
	LEAVING_ZERO,
	STOPPED,
	STOPPED_WAITS,
	STOPPED_OUT,	/* and one waits */
	DONE,
	DONE_SYNC,
	DONE_BROKEN,
	NSITUATIONS
};

static inline void hand_out(struct fixture *f)
{
	ck_assert_int_eq(add_hints(f, 2, 2), 1);
	ck_assert_int_eq(next(f, &f->run), 1);
}

static inline void end_by_driver(struct fixture *f)
{
	ck_assert_int_eq(add(f, 3, VIRTIO_BALLOON_CMD_ID_STOP, NULL, 0), 1);
	expect_used(f, 3, FPH_OUTCOME_COMMAND, 0);
}

static inline void do_damage(struct fixture *f)
{
	struct fph_used used;

	ck_assert_int_eq(add_raw(f, 4, "abc", 3, 3, NULL, 0), 1);
	while (take_used(f, &used) == 1)
		;
	ck_assert_int_eq(fph_hint_session_get_error(f->s), FPH_PEER_CMD_LEN);
}

static inline void make_active(struct fixture *f)
{
	dirty_sync(f);
	request(f);
	start(f);
}

static inline void make_stopping(struct fixture *f, bool done)
{
	make_active(f);
	ck_assert_int_eq(add_hints(f, 2, 1), 1);
	ck_assert_int_eq(next(f, &f->run), 1);
	ck_assert_int_eq(done ? fph_hint_session_done(f->s) :
			 fph_hint_session_stop(f->s), FPH_EINPROGRESS);
	expect_no_used(f);
}

static inline void complete(struct fixture *f)
{
	struct fph_used used;

	ck_assert_int_eq(complete_as(f, f->run, FPH_OUTCOME_CLEARED), 1);
	ck_assert_int_eq(take_used(f, &used), 1);
}

static inline void build_round(struct fixture *f, int situation)
{
	switch (situation) {
	case REQUESTED:
		dirty_sync(f);
		request(f);
		break;
	case STOPPING:
	case STOPPING_ZERO:
	case STOPPING_BROKEN:
		make_stopping(f, false);
		break;
	case LEAVING:
	case LEAVING_ZERO:
		make_stopping(f, true);
		break;
	default:
		make_active(f);
	}
	if (situation == ACTIVE_WAITS || situation == STOPPED_WAITS)
		ck_assert_int_eq(add_hints(f, 2, 2), 1);
	if (situation == ACTIVE_OUT || situation == STOPPED_OUT)
		hand_out(f);
	if (situation == STOPPED || situation == STOPPED_WAITS ||
	    situation == STOPPED_OUT)
		end_by_driver(f);
	if (situation == STOPPING_ZERO || situation == LEAVING_ZERO)
		complete(f);
	if (situation == STOPPING_BROKEN)
		do_damage(f);
}

static inline void build(struct fixture *f, int situation)
{
	init(f, situation == IDLE_NO_IDS ? 0xffffffff : ID);
	switch (situation) {
	case NEW:
		return;
	case IDLE_NO_IDS:
		dirty_sync(f);
		request(f);
		ck_assert_int_eq(fph_hint_session_stop(f->s), FPH_OK);
		return;
	case IDLE:
	case IDLE_SYNC:
	case IDLE_BROKEN:
	case DONE:
	case DONE_SYNC:
	case DONE_BROKEN:
		dirty_sync(f);
		break;
	default:
		build_round(f, situation);
		return;
	}
	if (situation >= DONE)
		ck_assert_int_eq(fph_hint_session_done(f->s), FPH_OK);
	if (situation == IDLE_SYNC || situation == DONE_SYNC)
		ck_assert_int_eq(fph_hint_session_sync_begin(f->s), FPH_OK);
	if (situation == IDLE_BROKEN || situation == DONE_BROKEN)
		do_damage(f);
}

#endif /* FPH_TESTS_HINT_FIXTURE_H */
