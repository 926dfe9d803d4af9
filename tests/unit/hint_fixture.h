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

#define NSLOTS	8u
#define NCHAINS	4u
#define ID	0x80000001u	/* the first id of a fixture */

/* A session with all of its bytes, to compare them before and after. */
struct fixture {
	struct fph_hint_session s;
	struct fph_slot slots[NSLOTS];
	struct fph_chain chains[NCHAINS];
	struct fph_run run;		/* handed out, or made up */
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
	struct fph_storage storage = {
		f->slots, NSLOTS, f->chains, NCHAINS
	};

	memset(f, 0, sizeof(*f));
	f->id = first_id;
	f->run.gpa = 0x10000;
	f->run.len = 0x1000;
	ck_assert_int_eq(fph_hint_session_init(&f->s, &storage, 0x1000,
					       first_id), FPH_OK);
}

static inline void harvest(struct fixture *f)
{
	ck_assert_int_eq(fph_hint_session_sync_begin(&f->s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_sync_end(&f->s), FPH_OK);
}

static inline void request(struct fixture *f)
{
	ck_assert_int_eq(fph_hint_session_request(&f->s, &f->id), FPH_OK);
}

static inline int add(struct fixture *f, uint64_t cookie, uint32_t cmd,
	       const struct fph_seg *segs, uint32_t nsegs)
{
	uint8_t buf[4];

	fph_cmd_id_encode(buf, cmd, FPH_LE);
	return fph_hint_session_add(&f->s, cookie, buf, 4, segs, nsegs);
}

static inline int add_hints(struct fixture *f, uint64_t cookie, uint32_t nsegs)
{
	return fph_hint_session_add(&f->s, cookie, NULL, 0, hints, nsegs);
}

static inline void start(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(add(f, 1, f->id, NULL, 0), FPH_OK);
	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 1);
}

static inline struct fph_hint_counters counters(const struct fixture *f)
{
	struct fph_hint_counters n;

	ck_assert_int_eq(fph_hint_session_get_counters(&f->s, &n), FPH_OK);
	return n;
}

static inline void expect_end(struct fixture *f, uint64_t cookie,
		       enum fph_outcome outcome)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 1);
	ck_assert_uint_eq(end.cookie, cookie);
	ck_assert_int_eq((int)end.outcome, (int)outcome);
}

static inline void expect_no_end(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 0);
}

static inline void expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_hint_session_get_state(&f->s), state);
}

/* ------------------------------------------------------------ situations -- */

/*
 * The states, each as often as something beside the state matters.  "Waits"
 * means that a hint was not yet handed out, "out" that a run is.
 */
enum {
	NEW,		/* IDLE, no harvest yet */
	IDLE,
	IDLE_SYNC,	/* in a harvest */
	IDLE_SPENT,	/* no ids are left */
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
	ck_assert_int_eq(add_hints(f, 2, 2), FPH_OK);
	ck_assert_int_eq(fph_hint_session_next(&f->s, &f->run), 1);
}

static inline void end_by_driver(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(add(f, 3, VIRTIO_BALLOON_CMD_ID_STOP, NULL, 0),
			 FPH_OK);
	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 1);
}

static inline void do_damage(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_hint_session_add(&f->s, 4, "abc", 3, NULL, 0),
			 FPH_PEER_CMD_LEN);
	while (fph_hint_session_end(&f->s, &end))
		;
}

static inline void make_active(struct fixture *f)
{
	harvest(f);
	request(f);
	start(f);
}

static inline void make_stopping(struct fixture *f, bool done)
{
	struct fph_chain_end end;

	make_active(f);
	ck_assert_int_eq(add_hints(f, 2, 1), FPH_OK);
	ck_assert_int_eq(fph_hint_session_next(&f->s, &f->run), 1);
	ck_assert_int_eq(done ? fph_hint_session_done(&f->s) :
			 fph_hint_session_stop(&f->s), FPH_EBUSY);
	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 0);
}

static inline void complete(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_hint_session_complete(&f->s, &f->run, true),
			 FPH_OK);
	ck_assert_int_eq(fph_hint_session_end(&f->s, &end), 1);
}

static inline void build_round(struct fixture *f, int situation)
{
	switch (situation) {
	case REQUESTED:
		harvest(f);
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
		ck_assert_int_eq(add_hints(f, 2, 2), FPH_OK);
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
	init(f, situation == IDLE_SPENT ? 0xffffffff : ID);
	switch (situation) {
	case NEW:
		return;
	case IDLE_SPENT:
		harvest(f);
		request(f);
		ck_assert_int_eq(fph_hint_session_stop(&f->s), FPH_OK);
		return;
	case IDLE:
	case IDLE_SYNC:
	case IDLE_BROKEN:
	case DONE:
	case DONE_SYNC:
	case DONE_BROKEN:
		harvest(f);
		break;
	default:
		build_round(f, situation);
		return;
	}
	if (situation >= DONE)
		ck_assert_int_eq(fph_hint_session_done(&f->s), FPH_OK);
	if (situation == IDLE_SYNC || situation == DONE_SYNC)
		ck_assert_int_eq(fph_hint_session_sync_begin(&f->s), FPH_OK);
	if (situation == IDLE_BROKEN || situation == DONE_BROKEN)
		do_damage(f);
}

#endif /* FPH_TESTS_HINT_FIXTURE_H */
