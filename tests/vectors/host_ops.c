/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Steps of a story: the host's side of a device, and the migration. */
#include <inttypes.h>
#include <stdlib.h>

#include "story.h"

static void set_result(struct fields *out, int ret)
{
	fields_set(out, "result", get_word(ret));
}

/* --------------------------------------------------------------- hinting -- */

static void publish(struct story *s, const struct fields *in,
		    struct fields *out)
{
	uint32_t id = 0;
	int ret = fph_balloon_hint_request(s->balloon, &id);

	(void)in;
	set_result(out, ret);
	if (ret == FPH_OK) {
		fields_format(out, "id", "%" PRIu32, id);
		s->last_id = id;
	}
}

static void stop(struct story *s, const struct fields *in, struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_hint_stop(s->balloon));
}

static void done(struct story *s, const struct fields *in, struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_hint_done(s->balloon));
}

static void sync_begin(struct story *s, const struct fields *in,
		       struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_hint_sync_begin(s->balloon));
}

static void sync_end(struct story *s, const struct fields *in,
		     struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_hint_sync_end(s->balloon));
}

static void state(struct story *s, const struct fields *in,
		  struct fields *out)
{
	static const char *const names[] = {
		[FPH_HINT_IDLE] = "IDLE",
		[FPH_HINT_REQUESTED] = "REQUESTED",
		[FPH_HINT_ACTIVE] = "ACTIVE",
		[FPH_HINT_STOPPING] = "STOPPING",
		[FPH_HINT_STOPPED] = "STOPPED",
		[FPH_HINT_DONE] = "DONE"
	};

	(void)in;
	fields_set(out, "state",
		   names[fph_balloon_hint_get_state(s->balloon)]);
}

/* -------------------------------------------------- snapshot, statistics -- */

static void freeze(struct story *s, const struct fields *in,
		   struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_freeze(s->balloon));
}

static void thaw(struct story *s, const struct fields *in, struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_thaw(s->balloon));
}

static void stats(struct story *s, const struct fields *in,
		  struct fields *out)
{
	struct fph_stat stat[FPH_BALLOON_NSTATS];
	uint32_t n = fph_balloon_get_stats(s->balloon, stat,
					   FPH_BALLOON_NSTATS);
	struct text t = { 0 };

	(void)in;
	for (uint32_t i = 0; i < n; i++)
		text_item(&t, "%u=0x%" PRIx64, (unsigned int)stat[i].tag,
			  stat[i].val);
	text_move(&t, out, "stats");
}

static void stats_request(struct story *s, const struct fields *in,
			  struct fields *out)
{
	(void)in;
	set_result(out, fph_balloon_stats_request(s->balloon));
}

/* ------------------------------------------------------------- migration -- */

static void dirty_sync(struct story *s, const struct fields *in,
		       struct fields *out)
{
	int ret = fph_balloon_hint_sync_begin(s->balloon);

	(void)in;
	set_result(out, ret);
	if (ret != FPH_OK)
		return;
	migration_harvest(&s->migration);
	(void)fph_balloon_hint_sync_end(s->balloon);
}

static void free_page(struct story *s, const struct fields *in,
		      struct fields *out)
{
	(void)out;
	migration_free(&s->migration, fields_number(in, "page"));
}

static void write_page(struct story *s, const struct fields *in,
		       struct fields *out)
{
	(void)out;
	migration_use(&s->migration, fields_number(in, "page"), true);
}

static void use_page(struct story *s, const struct fields *in,
		     struct fields *out)
{
	(void)out;
	migration_use(&s->migration, fields_number(in, "page"), false);
}

static void send_pages(struct story *s, const struct fields *in,
		       struct fields *out)
{
	(void)in;
	(void)out;
	migration_send(&s->migration);
}

static void switch_over(struct story *s, const struct fields *in,
			struct fields *out)
{
	struct text t = { 0 };

	(void)in;
	migration_list_lost(&s->migration, &t);
	text_move(&t, out, "lost");
}

const struct story_op host_ops[] = {
	{ "publish", publish },
	{ "stop", stop },
	{ "done", done },
	{ "sync_begin", sync_begin },
	{ "sync_end", sync_end },
	{ "state", state },
	{ "freeze", freeze },
	{ "thaw", thaw },
	{ "stats", stats },
	{ "stats_request", stats_request },
	{ "harvest", dirty_sync },
	{ "free", free_page },
	{ "write", write_page },
	{ "use", use_page },
	{ "send", send_pages },
	{ "switch", switch_over },
	{ NULL, NULL }
};
