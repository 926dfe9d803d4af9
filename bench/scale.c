/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reporter and hinter with n ranges that wait: single calls, each of which may
 * be made under an allocator's lock. None may take long, nor take longer by
 * more than a logarithm for more that waits.
 *
 * A row is one call. The row's name comes once for each repetition; the worst
 * counts.
 */
#include <fph/guest.h>
#include <fph/wire.h>

#include "meter.h"

#define REPEAT	16u
#define PAGE	4096u
#define WINDOW	32u

/* One call, in a row of its own. */
#define ROW(name, call)							\
	do {								\
		char row[64];						\
									\
		snprintf(row, sizeof(row), "%s @ %u", name, waiting);	\
		meter_begin();						\
		call;							\
		meter_end(1);						\
		meter_row(row, "libfph");						\
	} while (0)

static uint32_t waiting;
static struct fph_returned out[64];
static struct fph_buffer buffer;
static struct fph_seg segs[32];

/* Page i of n in no order: an odd step walks through a power of two. */
static struct fph_owned_range page_at(uint32_t i, uint32_t stride)
{
	uint64_t place = ((uint64_t)i * 40503u) & (waiting - 1);
	struct fph_owned_range range = { place * stride * PAGE, PAGE, i };

	return range;
}

static struct fph_owned_range page_above(uint32_t i, uint32_t stride)
{
	struct fph_owned_range range = {
		(uint64_t)(waiting + i) * stride * PAGE, PAGE, i
	};

	return range;
}

static struct fph_reporter *make_reporter(uint32_t stride)
{
	struct fph_reporter_params p = { .size = sizeof(p) };
	struct fph_owned_range range;
	struct fph_reporter *r;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = waiting + 64;
	p.window = WINDOW;
	MUST(fph_reporter_init(&r, bench_memory(fph_reporter_size(&p)),
			       fph_reporter_size(&p), &p) == FPH_OK);
	for (i = 0; i < waiting; i++) {
		range = page_at(i, stride);
		MUST(fph_reporter_add(r, 0, &range, 1) == 1);
	}
	return r;
}

/* Neighbours: all that waits is one run, too small for a buffer. */
static void reporter_merged(void)
{
	struct fph_reporter *r = make_reporter(1);
	struct fph_owned_range range;
	uint32_t i;

	for (i = 0; i < REPEAT; i++) {
		range = page_above(i, 1);
		ROW("reporter add, merged",
		    MUST(fph_reporter_add(r, 0, &range, 1) == 1));
		ROW("reporter submit, merged",
		    MUST(!fph_reporter_submit(r, 0, &buffer, 1, segs, 32)));
	}
	free(r);
}

/* Strangers: each is a run of its own. */
static void reporter_scattered(void)
{
	struct fph_reporter *r = make_reporter(2);
	struct fph_used used = { 0 };
	struct fph_owned_range range;
	uint64_t when, now = (uint64_t)1 << 30;
	uint32_t i;

	for (i = 0; i < REPEAT; i++) {
		range = page_at(waiting / 2 + i, 2);
		range.gpa += PAGE;
		ROW("reporter add, scattered",
		    MUST(fph_reporter_add(r, 0, &range, 1) == 1));
		now += (uint64_t)1 << 40;
		ROW("reporter submit, scattered",
		    MUST(fph_reporter_submit(r, now, &buffer, 1, segs,
					     32) == 1));
		used.cookie = buffer.cookie;
		if (i % 2)
			ROW("reporter complete",
			    MUST(fph_reporter_complete(r, now, &used, 1,
						       true) == 1));
		else
			ROW("reporter cancel",
			    MUST(!fph_reporter_cancel(r, now, used.cookie)));
		if (i % 2)
			ROW("reporter take_back of 32",
			    MUST(fph_reporter_take_back(r, out, 32) > 0));
		ROW("reporter shrink of 8",
		    MUST(fph_reporter_shrink(r, out, 8) == 8));
		ROW("reporter get_deadline",
		    MUST(fph_reporter_get_deadline(r, &when) >= 0));
		ROW("reporter flush", MUST(!fph_reporter_flush(r)));
	}
	ROW("reporter reset", MUST(!fph_reporter_reset(r)));
	ROW("reporter take_back of 32",
	    MUST(fph_reporter_take_back(r, out, 32) == 32));
	free(r);
}

static struct fph_hinter *make_hinter(uint32_t mode)
{
	struct fph_hinter_params p = { .size = sizeof(p) };
	struct fph_owned_range range;
	struct fph_hinter *h;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	p.flags = FPH_HINTER_METADATA_OUTSIDE | FPH_HINTER_INDIRECT;
	p.max_ranges = waiting + 64;
	p.max_hints = 32768;
	p.max_segs = 8;
	MUST(fph_hinter_init(&h, bench_memory(fph_hinter_size(&p)),
			     fph_hinter_size(&p), &p) == FPH_OK);
	MUST(fph_hinter_set_config(h, 2) == FPH_OK);
	for (i = 0; i < waiting; i++) {
		range = page_at(i, 2);
		MUST(fph_hinter_add(h, 2, &range, 1) == 1);
	}
	return h;
}

static void hinter_never(void)
{
	struct fph_hinter *h = make_hinter(FPH_HINTER_NEVER);
	struct fph_owned_range range;
	uint32_t i;

	for (i = 0; i < REPEAT; i++) {
		range = page_at(i, 2);
		range.gpa += PAGE;
		ROW("hinter add, scattered",
		    MUST(fph_hinter_add(h, 2, &range, 1) == 1));
		ROW("hinter submit",
		    MUST(fph_hinter_submit(h, 65536, &buffer, 1, segs,
					   8) == 1));
		/* START is used first, and DONE would end the round. */
		if (i) {
			struct fph_used used = { .cookie = buffer.cookie };

			ROW("hinter complete",
			    MUST(fph_hinter_complete(h, &used, 1) == 1));
		}
	}
	ROW("hinter set_config, another id",
	    MUST(!fph_hinter_set_config(h, 3)));
	ROW("hinter set_config, DONE", MUST(!fph_hinter_set_config(h, 1)));
	free(h);
}

/* All is with the device: what is taken back early is the oldest. */
static void hinter_hold(void)
{
	struct fph_hinter *h = make_hinter(FPH_HINTER_HOLD);
	uint32_t i, n = 0;

	while (fph_hinter_submit(h, 65536, &buffer, 1, segs, 8) == 1)
		n++;
	MUST(n == 1 + waiting / 8);
	for (i = 0; i < REPEAT; i++)
		ROW("hinter shrink of 32, first ones",
		    MUST(fph_hinter_shrink(h, out, 32) == 32));
	for (i = 64 * REPEAT; i < waiting; i += 32)
		MUST(fph_hinter_shrink(h, out, 32) == 32);
	for (i = 0; i < REPEAT; i++)
		ROW("hinter shrink of 32, last ones",
		    MUST(fph_hinter_shrink(h, out, 32) == 32));
	ROW("hinter stop", MUST(!fph_hinter_stop(h)));
	free(h);
}

/* Reset is as long as what is with the device, not as what waits. */
static void hinter_reset(void)
{
	struct fph_hinter *h = make_hinter(FPH_HINTER_HOLD);
	uint32_t n = 0;

	ROW("hinter reset", MUST(!fph_hinter_reset(h)));
	free(h);
	h = make_hinter(FPH_HINTER_HOLD);
	while (fph_hinter_submit(h, 65536, &buffer, 1, segs, 8) == 1)
		n++;
	meter_begin();
	MUST(!fph_hinter_reset(h));
	meter_end(n);
	meter_row("hinter reset, a buffer with the device", "libfph");
	free(h);
}

void bench_scale(uint32_t n)
{
	waiting = n;
	reporter_merged();
	reporter_scattered();
	hinter_never();
	hinter_hold();
	hinter_reset();
}
