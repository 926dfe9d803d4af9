/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Prints saved states as hexadecimal, of objects that are brought there by the
 * same calls on every machine.  Each is loaded into a fresh object first, which
 * must save the same bytes.  saved_state.txt has what must come out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/host.h>
#include <fph/vring.h>
#include <fph/wire.h>

#define NRANGES		16u
#define NBUFFERS	8u

static uint64_t memory[2][FPH_HINTER_SIZE(NRANGES, NBUFFERS) / 8];
static uint8_t state[2][FPH_REPORT_STATE_SIZE(NRANGES, NBUFFERS)];
static size_t size[2];

static void want(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "saved_state: %s\n", what);
	exit(1);
}

static void print(const char *name)
{
	want(size[0] == size[1] && !memcmp(state[0], state[1], size[0]), name);
	printf("%s ", name);
	for (size_t i = 0; i < size[0]; i++)
		printf("%02x", state[0][i]);
	putchar('\n');
}

/* n segments of a page each, step pages apart. */
static void make_segs(struct fph_seg *segs, uint32_t n, uint64_t page,
		      uint64_t step)
{
	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct fph_seg){ (page + i * step) << 12, 4096,
					    FPH_SEG_WRITE };
}

/* Something ready, something out, something closed, something open. */
static void save_report(void)
{
	struct fph_report_params p = {
		.size = sizeof(p), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .queue = FPH_QUEUE_REPORT
	};
	struct fph_buffer b = { .cookie = 0x100000007, .nwrite = 3 };
	struct fph_report *r[2];
	struct fph_run runs[2];
	struct fph_seg segs[3];

	for (int i = 0; i < 2; i++)
		want(!fph_report_init(&r[i], memory[i], sizeof(memory[i]), &p),
		     "init");
	make_segs(segs, 3, 0x123456, 2);
	want(fph_report_add(r[0], &b, 1, segs) == 1, "add");
	want(fph_report_next(r[0], runs, 2) == 2, "next");
	runs[0].outcome = FPH_OUTCOME_DISCARDED;
	runs[0].freed = 4096;
	want(fph_report_complete(r[0], runs, 1) == 1, "complete");
	b.cookie++;
	b.nwrite = 2;
	make_segs(segs, 2, 0xfedcba987, 1);
	want(fph_report_add(r[0], &b, 1, segs) == 1, "add");
	b.cookie++;
	segs[0].flags = 0;
	want(fph_report_add(r[0], &b, 1, segs) == 1, "add");
	want(!fph_report_save(r[0], state[0], sizeof(state[0]), &size[0]),
	     "save");
	want(!fph_report_load(r[1], state[0], size[0], 0), "load");
	want(!fph_report_save(r[1], state[1], sizeof(state[1]), &size[1]),
	     "save");
	print("report");
}

/* In a round, of a big-endian guest. */
static void save_session(void)
{
	struct fph_hint_session_params p = {
		.size = sizeof(p), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .first_id = 0x12345678
	};
	struct fph_buffer b = { .cookie = 1, .nread = 1, .nwrite = 2 };
	struct fph_hint_session *s[2];
	struct fph_run run;
	struct fph_seg segs[3] = { { 0x1000, 4, 0 } };
	uint32_t id;

	for (int i = 0; i < 2; i++)
		want(!fph_hint_session_init(&s[i], memory[i],
					    sizeof(memory[i]), &p), "init");
	want(!fph_hint_session_set_endian(s[0], FPH_BE), "set_endian");
	want(!fph_hint_session_sync_begin(s[0]) &&
	     !fph_hint_session_sync_end(s[0]) &&
	     !fph_hint_session_request(s[0], &id), "request");
	fph_cmd_id_encode(b.command, id, FPH_BE);
	make_segs(segs + 1, 2, 0x77, 9);
	want(fph_hint_session_add(s[0], &b, 1, segs) == 1, "add");
	want(fph_hint_session_next(s[0], &run, 1) == 1, "next");
	want(!fph_hint_session_save(s[0], state[0], sizeof(state[0]),
				    &size[0]), "save");
	want(!fph_hint_session_load(s[1], state[0], size[0], 0), "load");
	want(!fph_hint_session_save(s[1], state[1], sizeof(state[1]),
				    &size[1]), "save");
	print("hint_session");
}

/* A big-endian ring after one buffer was popped. */
static void save_ring(void)
{
	static uint64_t areas[2][64];
	static const uint8_t desc[16] = { 0, 0, 0, 0, 0, 0x12, 0x30, 0,
					  0, 0, 0x10, 0, 0, 2, 0, 0 };
	struct fph_vq_device *vq[2];
	struct fph_buffer b;
	struct fph_seg segs[4];

	for (int i = 0; i < 2; i++) {
		uint8_t *a = (uint8_t *)areas[i] + (16 -
			     ((uintptr_t)areas[i] & 15)) % 16;
		struct fph_vq_device_params p = {
			.size = sizeof(p), .num = 4, .endian = FPH_BE,
			.base = 0x01fe, .desc = a, .driver = a + 64,
			.device = a + 128
		};

		memcpy(a, desc, sizeof(desc));
		a[64 + 2] = 0x02;	/* 0x0200: two buffers, head 0 */
		want(!fph_vq_device_init(&vq[i], memory[i], sizeof(memory[i]),
					 &p), "init");
	}
	want(fph_vq_device_pop(vq[0], &b, 1, segs, 4) == 1 &&
	     segs[0].gpa == 0x123000, "pop");
	want(!fph_vq_device_save(vq[0], state[0], sizeof(state[0]), &size[0]),
	     "save");
	want(!fph_vq_device_load(vq[1], state[0], size[0]), "load");
	want(!fph_vq_device_save(vq[1], state[1], sizeof(state[1]), &size[1]),
	     "save");
	print("vq_device");
}

/* The same of a driver: two buffers are in the ring, one is not shown yet. */
static void save_driver(void)
{
	static uint64_t areas[64];
	uint8_t *a = (uint8_t *)areas + (16 - ((uintptr_t)areas & 15)) % 16;
	struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = 8, .endian = FPH_BE, .desc = a,
		.driver = a + 128, .device = a + 256
	};
	struct fph_buffer b = { .cookie = 0x123456789, .nwrite = 2 };
	struct fph_vq_driver *vq[2];
	struct fph_seg segs[2];

	make_segs(segs, 2, 0x77, 9);
	for (int i = 0; i < 2; i++)
		want(!fph_vq_driver_init(&vq[i], memory[i], sizeof(memory[i]),
					 &p), "init");
	for (int i = 0; i < 3; i++) {
		want(fph_vq_driver_add(vq[0], &b, 1, segs) == 1, "add");
		if (i < 2)
			want(!fph_vq_driver_publish(vq[0]), "publish");
		b.cookie++;
	}
	want(!fph_vq_driver_save(vq[0], state[0], sizeof(state[0]), &size[0]),
	     "save");
	want(!fph_vq_driver_load(vq[1], state[0], size[0]), "load");
	want(!fph_vq_driver_save(vq[1], state[1], sizeof(state[1]), &size[1]),
	     "save");
	print("vq_driver");
}

static const struct fph_owned_range ranges[] = {
	{ 0x1000, 0x1000, 0x123456789abcdef0 }, { 0x2000, 0x1000, 2 },
	{ 0x7000, 0x3000, 3 }, { 0x20000000000, 0x1000, 4 }
};

/* A buffer is out, two runs wait; the clock of the second one is behind. */
static void save_reporter(void)
{
	struct fph_reporter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.max_ranges = NRANGES, .window = NBUFFERS
	};
	struct fph_reporter *r[2];
	struct fph_buffer b;
	struct fph_seg seg;

	for (int i = 0; i < 2; i++)
		want(!fph_reporter_init(&r[i], memory[i], sizeof(memory[i]),
					&p), "init");
	want(fph_reporter_add(r[0], 1000, ranges, 4) == 4, "add");
	want(!fph_reporter_flush(r[0]), "flush");
	want(fph_reporter_submit(r[0], 2000, &b, 1, &seg, 1) == 1, "submit");
	want(!fph_reporter_save(r[0], 2000, state[0], sizeof(state[0]),
				&size[0]), "save");
	want(!fph_reporter_load(r[1], 77, state[0], size[0]), "load");
	want(!fph_reporter_save(r[1], 77, state[1], sizeof(state[1]),
				&size[1]), "save");
	print("reporter");
}

/* In a round: a hint is out, one was used and is held, something waits. */
static void save_hinter(void)
{
	struct fph_hinter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		.mode = FPH_HINTER_HOLD, .endian = FPH_BE,
		.max_ranges = NRANGES, .max_hints = NBUFFERS, .max_segs = 1
	};
	struct fph_hinter *h[2];
	struct fph_buffer b[3];
	struct fph_seg segs[3];
	struct fph_used used;

	for (int i = 0; i < 2; i++)
		want(!fph_hinter_init(&h[i], memory[i], sizeof(memory[i]),
				      &p), "init");
	want(!fph_hinter_set_config(h[0], 0x12345678), "config");
	want(fph_hinter_add(h[0], 0x12345678, ranges, 4) == 4, "add");
	want(fph_hinter_submit(h[0], 8, b, 3, segs, 3) == 3, "submit");
	used = (struct fph_used){ .cookie = b[1].cookie };
	want(fph_hinter_complete(h[0], &used, 1) == 1, "complete");
	want(!fph_hinter_save(h[0], state[0], sizeof(state[0]), &size[0]),
	     "save");
	want(!fph_hinter_load(h[1], state[0], size[0]), "load");
	want(!fph_hinter_save(h[1], state[1], sizeof(state[1]), &size[1]),
	     "save");
	print("hinter");
}

int main(void)
{
	save_report();
	save_session();
	save_ring();
	save_driver();
	save_reporter();
	save_hinter();
	return 0;
}
