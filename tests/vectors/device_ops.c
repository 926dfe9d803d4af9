/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Steps of a story: the driver's side of a device. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "story.h"

#define WORD_MAX	(64u * 1024)

static char word[WORD_MAX];

/* ---------------------------------------------------------------- set-up -- */

static bool add_region(struct story *s, uint64_t gpa, uint64_t len)
{
	struct fph_region region = {
		.gpa = gpa,
		.len = len,
		.fd = -1,
		.page_size = 4096,
		.backing = FPH_BACKING_ANON
	};

	region.host = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* A program of 32 bits has no room for each guest. */
	if (region.host == MAP_FAILED && sizeof(void *) == 4)
		return false;
	if (region.host == MAP_FAILED || s->nregions == REGIONS_MAX ||
	    fph_memory_add(s->memory, &region) != FPH_OK)
		die("no memory of 0x%" PRIx64, len);
	s->regions[s->nregions++] = region;
	return true;
}

/* Its rings are aligned, more than calloc() has to. */
static struct story *get_story(void)
{
	struct story *s = aligned_alloc(_Alignof(struct story), sizeof(*s));

	if (s) {
		memset(s, 0, sizeof(*s));
		s->memory = fph_memory_new(NULL, NULL);
	}
	if (!s || !s->memory)
		die("no memory");
	return s;
}

struct story *story_new(const struct fields *in)
{
	const char *list = fields_get(in, "memory");
	struct story *s = get_story();
	struct fph_balloon_params *params = &s->params;
	uint64_t gpa, len;

	while (fields_next(&list, word, WORD_MAX)) {
		parse_range(word, &gpa, &len);
		if (!add_region(s, gpa, len)) {
			story_free(s);
			return NULL;
		}
		/* The default watches 1 TiB: there is no room everywhere. */
		if (gpa + len > params->max_collected)
			params->max_collected = gpa + len;
	}
	if (!add_region(s, SCRATCH_GPA, SCRATCH_SIZE))
		die("no memory for bytes");
	migration_init(&s->migration, fields_get(in, "pages"));
	params->size = sizeof(*params);
	params->memory = s->memory;
	params->features = fields_number(in, "offered") &
			  ~FPH_BIT(VIRTIO_F_VERSION_1);
	params->report_granule = fields_number(in, "granule");
	params->inflate_granule = params->report_granule;
	params->hint_granule = params->report_granule;
	params->first_id = (uint32_t)fields_number(in, "first_id");
	s->balloon = fph_balloon_new(params, NULL);
	if (!s->balloon)
		die("no device with these features");
	return s;
}

void story_free(struct story *s)
{
	if (!s)
		return;
	fph_balloon_free(s->balloon);
	fph_memory_free(s->memory);
	for (uint32_t i = 0; i < s->nregions; i++)
		munmap(s->regions[i].host, (size_t)s->regions[i].len);
	free(s);
}

static void features(struct story *s, const struct fields *in,
		     struct fields *out)
{
	int ret = fph_balloon_set_features(s->balloon,
					   fields_number(in, "negotiated"));

	fields_set(out, "result", get_word(ret));
}

static void read_config(struct story *s, const struct fields *in,
			struct fields *out)
{
	uint32_t len = (uint32_t)fields_number(in, "len");
	uint8_t buf[256];
	struct text t = { 0 };

	if (len > sizeof(buf))
		die("too much of config space");
	fph_balloon_get_config(s->balloon,
			       (uint32_t)fields_number(in, "offset"), buf,
			       len);
	text_hex(&t, buf, len);
	text_move(&t, out, "data");
}

static void write_config(struct story *s, const struct fields *in,
			 struct fields *out)
{
	uint8_t buf[256];
	size_t len = parse_hex(fields_get(in, "data"), buf, sizeof(buf));

	(void)out;
	fph_balloon_set_config(s->balloon,
			       (uint32_t)fields_number(in, "offset"), buf,
			       (uint32_t)len);
}

static void target(struct story *s, const struct fields *in,
		   struct fields *out)
{
	(void)out;
	fph_balloon_set_target(s->balloon,
			       (uint32_t)fields_number(in, "num_pages"));
}

static void look(struct story *s, const struct fields *in, struct fields *out)
{
	uint32_t events = fph_balloon_take_events(s->balloon);

	(void)in;
	fields_format(out, "cmd_id", "%" PRIu32,
		      fph_balloon_hint_get_config(s->balloon));
	fields_set(out, "irq", events & FPH_EVENT_CONFIG ? "1" : "0");
	fields_set(out, "broken", fph_balloon_is_broken(s->balloon) ? "1" :
								      "0");
}

/* ----------------------------------------------------------------- rings -- */

uint32_t story_index(const struct fields *in)
{
	uint64_t index = fields_number(in, "index");

	return index < FPH_NQUEUES ? (uint32_t)index : FPH_NQUEUES;
}

struct fph_balloon_ring story_ring(struct story *s, uint32_t index)
{
	struct driver_ring *r = &s->ring[index];

	return (struct fph_balloon_ring) {
		.size = sizeof(struct fph_balloon_ring),
		.num = RING_NUM,
		.desc = r->desc,
		.driver = r->avail,
		.device = r->used,
		.inflight = r->recorded ? r->record : NULL
	};
}

static void vq(struct story *s, const struct fields *in, struct fields *out)
{
	uint32_t index = story_index(in);
	struct driver_ring *r = &s->ring[index];
	struct fph_balloon_ring params;
	int ret;

	if (index == FPH_NQUEUES) {
		fields_set(out, "result", "refused");
		return;
	}
	if (!r->up)
		memset(r, 0, sizeof(*r));
	if (!r->up && fields_find(in, "record"))
		r->recorded = fields_is(in, "record", "1");
	params = story_ring(s, index);
	ret = fph_balloon_ring_start(s->balloon, index, &params);
	if (ret == FPH_OK)
		ret = fph_balloon_ring_enable(s->balloon, index, true);
	if (ret == FPH_OK)
		r->up = true;
	fields_set(out, "result", get_word(ret));
}

static void vq_stop(struct story *s, const struct fields *in,
		    struct fields *out)
{
	uint32_t index = story_index(in);
	uint32_t base;
	int ret = fph_balloon_ring_stop(s->balloon, index, &base);

	if (ret == FPH_OK)
		s->ring[index].up = false;
	fields_set(out, "result", get_word(ret));
}

static void queue(struct story *s, const struct fields *in,
		  struct fields *out)
{
	static const char *const names[FPH_NQUEUES] = {
		"inflate", "deflate", "stats", "hint", "report"
	};
	int ret = fph_balloon_get_queue(s->balloon, story_index(in), NULL);

	fields_set(out, "queue", ret < 0 ? "none" : names[ret]);
}

static void reset(struct story *s, const struct fields *in,
		  struct fields *out)
{
	int ret = fph_balloon_reset(s->balloon);

	(void)in;
	for (uint32_t i = 0; ret == FPH_OK && i < FPH_NQUEUES; i++)
		s->ring[i].up = false;
	fields_set(out, "result", get_word(ret));
}

/* --------------------------------------------------------------- buffers -- */

static void put(uint8_t *p, unsigned int size, uint64_t v)
{
	/* VERSION_1: little-endian. */
	for (unsigned int i = 0; i < size; i++)
		p[i] = (uint8_t)(v >> 8 * i & 0xff);
}

static uint64_t get(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void write_memory(struct story *s, uint64_t gpa, const uint8_t *bytes,
			 size_t len)
{
	uint8_t *host = fph_memory_get_host(s->memory, gpa, len);

	if (!host)
		die("no memory at 0x%" PRIx64, gpa);
	memcpy(host, bytes, len);
}

static void memory(struct story *s, const struct fields *in,
		   struct fields *out)
{
	static uint8_t bytes[4096];
	size_t len = parse_hex(fields_get(in, "data"), bytes, sizeof(bytes));

	(void)out;
	if (len)
		write_memory(s, fields_number(in, "gpa"), bytes, len);
}

static void put_scratch(struct story *s, const char *hex, uint64_t *gpa,
			uint64_t *len)
{
	static uint8_t bytes[WORD_MAX / 2];

	*len = parse_hex(hex, bytes, sizeof(bytes));
	if (s->scratch + *len > SCRATCH_SIZE)
		s->scratch = 0;
	*gpa = SCRATCH_GPA + s->scratch;
	s->scratch += *len;
	if (*len)
		write_memory(s, *gpa, bytes, (size_t)*len);
}

/* "R:hex", "Rgpa+len" or "Wgpa+len"; the next descriptor follows, or not. */
static void put_desc(struct story *s, struct driver_ring *r, const char *seg,
		     bool more)
{
	uint8_t *d = r->desc + 16u * r->next_desc;
	unsigned int flags = (seg[0] == 'W' ? 2u : 0u) | (more ? 1u : 0u);
	uint64_t gpa, len;

	if (!strncmp(seg, "R:", 2))
		put_scratch(s, seg + 2, &gpa, &len);
	else
		parse_range(seg + 1, &gpa, &len);
	r->next_desc = (uint16_t)((r->next_desc + 1) % RING_NUM);
	put(d, 8, gpa);
	put(d + 8, 4, len);
	put(d + 12, 2, flags);
	put(d + 14, 2, r->next_desc);
}

static void offer_one(struct story *s, struct driver_ring *r,
		      const char *buffer)
{
	uint16_t head = r->next_desc;
	const char *bar;

	for (;; buffer = bar + 1) {
		bar = strchr(buffer, '|');
		put_desc(s, r, buffer, bar);
		if (!bar)
			break;
	}
	r->buffer[head] = s->offers++;
	put(r->avail + 4 + 2 * (r->avail_idx % RING_NUM), 2, head);
	r->avail_idx++;
	put(r->avail + 2, 2, r->avail_idx);
}

static void offer(struct story *s, const struct fields *in,
		  struct fields *out)
{
	const char *list = fields_get(in, "buffers");
	uint32_t index = story_index(in);

	(void)out;
	if (index == FPH_NQUEUES)
		die("no such ring");
	while (fields_next(&list, word, WORD_MAX))
		offer_one(s, &s->ring[index], word);
}

static void kick(struct story *s, const struct fields *in, struct fields *out)
{
	uint32_t budget = RING_NUM;
	int ret;

	if (fields_find(in, "budget"))
		budget = (uint32_t)fields_number(in, "budget");
	ret = fph_balloon_process(s->balloon, story_index(in), budget);
	/* Buffers that stood before a broken one were taken all the same. */
	if (ret >= 0 && fph_balloon_is_broken(s->balloon))
		ret = FPH_PEER_BROKEN;
	if (ret >= 0) {
		fields_set(out, "result", "ok");
		fields_format(out, "taken", "%d", ret);
	} else {
		fields_set(out, "result", fph_status_is_peer(ret) ? "broken" :
								    "none");
	}
}

/* ---------------------------------------------------------------- acting -- */

static int compare_ranges(const void *a, const void *b)
{
	const struct fph_range *x = a;
	const struct fph_range *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static void add_run(struct runs *runs, const struct fph_run *run)
{
	if (runs->n == RUNS_MAX)
		die("too many runs");
	runs->range[runs->n++] = (struct fph_range) { run->gpa, run->len };
}

/* Ascending; how many calls they come in is the device's affair. */
static void set_runs(struct fields *out, const char *name, struct runs *runs)
{
	struct text t = { 0 };
	uint32_t i, last = 0;

	qsort(runs->range, runs->n, sizeof(runs->range[0]), compare_ranges);
	for (i = 1; i < runs->n; i++) {
		const struct fph_range *from = &runs->range[i];
		struct fph_range *to = &runs->range[last];

		if (to->gpa + to->len < from->gpa)
			runs->range[++last] = *from;
		else if (to->gpa + to->len < from->gpa + from->len)
			to->len = from->gpa + from->len - to->gpa;
	}
	for (i = 0; runs->n && i <= last; i++)
		text_item(&t, "0x%" PRIx64 "+0x%" PRIx64, runs->range[i].gpa,
			  runs->range[i].len);
	text_move(&t, out, name);
}

static void take(struct story *s, const struct fields *in, struct fields *out)
{
	static struct runs discards, skips;

	(void)in;
	discards.n = 0;
	skips.n = 0;
	while (s->ndiscards < RUNS_MAX &&
	       fph_balloon_next(s->balloon, &s->discard[s->ndiscards],
				1) == 1)
		add_run(&discards, &s->discard[s->ndiscards++]);
	while (s->nskips < RUNS_MAX &&
	       fph_balloon_hint_next(s->balloon, &s->skip[s->nskips], 1) == 1)
		add_run(&skips, &s->skip[s->nskips++]);
	set_runs(out, "discarded", &discards);
	set_runs(out, "skipped", &skips);
}

static void complete_all(struct story *s)
{
	for (uint32_t i = 0; i < s->ndiscards; i++) {
		struct fph_run *run = &s->discard[i];

		migration_discard(&s->migration, run->gpa, run->len);
		run->outcome = FPH_OUTCOME_DISCARDED;
		run->freed = run->len;
		if (fph_balloon_complete(s->balloon, run, 1) != 1)
			die("fph_balloon_complete failed");
	}
	for (uint32_t i = 0; i < s->nskips; i++) {
		struct fph_run *run = &s->skip[i];

		migration_skip(&s->migration, run->gpa, run->len);
		run->outcome = FPH_OUTCOME_CLEARED;
		run->freed = run->len;
		if (fph_balloon_hint_complete(s->balloon, run, 1) != 1)
			die("fph_balloon_hint_complete failed");
	}
	s->ndiscards = 0;
	s->nskips = 0;
}

/* A used length that is not 0 is shown, for it should be 0 (FPH-Q-9). */
struct used {
	uint32_t buffer;
	uint32_t len;
};

static int compare_used(const void *a, const void *b)
{
	const struct used *x = a;
	const struct used *y = b;

	return x->buffer < y->buffer ? -1 : x->buffer > y->buffer;
}

static void flush(struct story *s, const struct fields *in,
		  struct fields *out)
{
	static struct used used[FPH_NQUEUES * RING_NUM];
	struct text t = { 0 };
	uint32_t n = 0;

	(void)in;
	fph_balloon_flush(s->balloon);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		struct driver_ring *r = &s->ring[i];

		while (r->up && r->used_idx != get(r->used + 2, 2)) {
			uint8_t *e = r->used + 4 + 8 * (r->used_idx++ %
							RING_NUM);

			if (get(e, 4) >= RING_NUM || n == FPH_NQUEUES *
			    RING_NUM)
				die("bad used ring");
			used[n].buffer = r->buffer[get(e, 4)];
			used[n++].len = (uint32_t)get(e + 4, 4);
		}
	}
	qsort(used, n, sizeof(used[0]), compare_used);
	for (uint32_t i = 0; i < n; i++) {
		if (used[i].len)
			text_item(&t, "%" PRIu32 "+%" PRIu32, used[i].buffer,
				  used[i].len);
		else
			text_item(&t, "%" PRIu32, used[i].buffer);
	}
	text_move(&t, out, "used");
}

static void finish(struct story *s, const struct fields *in,
		   struct fields *out)
{
	complete_all(s);
	flush(s, in, out);
}

static void work(struct story *s, const struct fields *in, struct fields *out)
{
	take(s, in, out);
	finish(s, in, out);
}

static void run(struct story *s, const struct fields *in, struct fields *out)
{
	kick(s, in, out);
	work(s, in, out);
}

const struct story_op device_ops[] = {
	{ "features", features },
	{ "read_config", read_config },
	{ "write_config", write_config },
	{ "target", target },
	{ "look", look },
	{ "vq", vq },
	{ "vq_stop", vq_stop },
	{ "queue", queue },
	{ "reset", reset },
	{ "memory", memory },
	{ "offer", offer },
	{ "kick", kick },
	{ "take", take },
	{ "flush", flush },
	{ "finish", finish },
	{ "work", work },
	{ "run", run },
	{ NULL, NULL }
};
