/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hinter in hold mode does what Linux does: it is shown what a real Linux
 * driver was shown, is fed with the blocks which that driver hinted, and has
 * to put the same buffers into the queue, byte for byte and in that order,
 * hold the same blocks, and let go of them at the same moment.
 *
 * The recordings are those of tests/vectors/traces.  The one that restarted
 * over eventfds is left out: there the driver read the new id late, which the
 * recording does not show.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "runner.h"

#define MAX_BLOCKS	1024u
#define NBATCHES	4u

struct linux_like {
	struct fph_hinter *h;
	uint64_t mem[FPH_HINTER_SIZE(MAX_BLOCKS, NBATCHES) / 8];
	struct fph_range held[MAX_BLOCKS];
	uint32_t nheld;
	uint32_t rounds;
	uint32_t releases;
};

static struct linux_like *new_linux_like(void)
{
	struct linux_like *g = calloc(1, sizeof(*g));
	struct fph_hinter_params p;

	ck_assert_ptr_nonnull(g);
	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = FPH_HINTER_HOLD;
	p.flags = FPH_HINTER_NO_MERGE;
	p.max_ranges = MAX_BLOCKS;
	p.max_hints = NBATCHES;
	p.commands = 4;
	p.max_segs = 1;			/* one block is one buffer */
	ck_assert_int_eq(fph_hinter_init(&g->h, g->mem, sizeof(g->mem), &p), FPH_OK);
	return g;
}

static void expect_held(const struct linux_like *g)
{
	struct fph_hinter_amounts a;
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < g->nheld; i++)
		bytes += g->held[i].len;
	ck_assert_int_eq(fph_hinter_get_amounts(g->h, &a, sizeof(a)), FPH_OK);
	ck_assert_uint_eq(a.held.ranges, g->nheld);
	ck_assert_uint_eq(a.held.bytes, bytes);
}

/* DONE: all blocks come back, each once, all of them used by the device. */
static void expect_release(struct linux_like *g)
{
	struct fph_returned out;
	uint32_t n = 0;

	while (fph_hinter_take_back(g->h, &out, 1) == 1) {
		ck_assert(out.used);
		ck_assert_uint_lt(out.owner, g->nheld);
		ck_assert_uint_eq(out.gpa, g->held[out.owner].gpa);
		ck_assert_uint_eq(out.len, g->held[out.owner].len);
		ck_assert_uint_ne(out.len, 0);
		g->held[out.owner].len = 0;
		n++;
	}
	ck_assert_uint_eq(n, g->nheld);
	g->nheld = 0;
	g->releases++;
}

static void submit(struct linux_like *g, struct fph_buffer *buffer,
		   struct fph_seg *seg)
{
	struct fph_used used = { 0 };

	ck_assert_int_eq(fph_hinter_submit(g->h, 256, buffer, 1, seg, 1), 1);
	used.cookie = buffer->cookie;
	ck_assert_int_eq(fph_hinter_complete(g->h, &used, 1), 1);
}

static void replay_command(struct linux_like *g, uint32_t recorded)
{
	struct fph_buffer buffer;
	uint32_t id;
	struct fph_seg seg;

	/* No block was left: Linux ends its stream. */
	if (recorded == VIRTIO_BALLOON_CMD_ID_STOP &&
	    fph_hinter_get_state(g->h) == FPH_HINTER_ACTIVE)
		ck_assert_int_eq(fph_hinter_finish_input(g->h), FPH_OK);
	submit(g, &buffer, &seg);
	ck_assert_uint_eq(buffer.flags,
			  recorded ? FPH_BUFFER_START : FPH_BUFFER_STOP);
	ck_assert_int_eq(fph_cmd_id_decode(&id, buffer.command, 4, FPH_LE),
			 FPH_OK);
	ck_assert_uint_eq(id, recorded);
	if (recorded) {
		g->rounds++;
		/* The recorded device shows the id while it is active. */
		ck_assert_int_eq(fph_hinter_set_config(g->h, recorded),
				 FPH_OK);
	}
}

static void replay_block(struct linux_like *g, uint64_t gpa, uint64_t len)
{
	uint32_t id = fph_hinter_get_id(g->h);
	struct fph_owned_range range = { gpa, len, g->nheld };
	struct fph_buffer buffer;
	struct fph_seg seg;

	ck_assert_uint_lt(g->nheld, MAX_BLOCKS);
	ck_assert_int_eq(fph_hinter_add(g->h, id, &range, 1), 1);
	g->held[g->nheld].gpa = gpa;
	g->held[g->nheld++].len = len;
	submit(g, &buffer, &seg);
	ck_assert_uint_eq(buffer.flags, 0);
	ck_assert_uint_eq(buffer.nwrite, 1);
	ck_assert_uint_eq(seg.gpa, gpa);
	ck_assert_uint_eq(seg.len, len);
	ck_assert_uint_eq(seg.flags, FPH_SEG_WRITE);
}

static void replay_line(struct linux_like *g, const char *line)
{
	uint32_t value;
	uint64_t gpa, len;
	uint8_t b[4];

	if (sscanf(line, "cmd %" SCNu32, &value) == 1) {
		ck_assert_int_eq(fph_hinter_set_config(g->h, value), FPH_OK);
		if (value == VIRTIO_BALLOON_CMD_ID_DONE)
			expect_release(g);
	} else if (sscanf(line, "vq3 hint R:%2hhx%2hhx%2hhx%2hhx",
			  &b[0], &b[1], &b[2], &b[3]) == 4) {
		ck_assert_int_eq(fph_cmd_id_decode(&value, b, 4, FPH_LE),
				 FPH_OK);
		replay_command(g, value);
	} else if (sscanf(line, "vq3 hint W%" SCNx64 "+%" SCNx64,
			  &gpa, &len) == 2) {
		replay_block(g, gpa, len);
	}
	expect_held(g);
}

static const struct {
	const char *name;
	uint32_t rounds;
	uint32_t releases;
} recordings[] = {
	{ "hint", 2, 2 },
	{ "hint-never-2G", 1, 1 },
	{ "hint-restart-inband", 2, 1 },
	{ "hint-stop-midstream-inband", 2, 1 },
	{ "hint-done-midstream-inband", 1, 2 },
};

START_TEST(same_as_linux)
{
	struct linux_like *g = new_linux_like();
	const char *top = getenv("top_srcdir");
	char path[512], *line = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/vectors/traces/%s.txt",
		 top ? top : ".", recordings[_i].name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s cannot be read", path);
	while (getline(&line, &size, f) > 0)
		replay_line(g, line);
	fclose(f);
	free(line);
	ck_assert_uint_eq(g->rounds, recordings[_i].rounds);
	ck_assert_uint_eq(g->releases, recordings[_i].releases);
	ck_assert_uint_eq(g->nheld, 0);
	free(g);
}
END_TEST

Suite *make_suite(void)
{
	Suite *suite = suite_create("hinter_trace");
	TCase *tc = tcase_create("hinter_trace");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, same_as_linux, 0,
			    sizeof(recordings) / sizeof(recordings[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
