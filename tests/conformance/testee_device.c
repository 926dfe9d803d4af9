/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Device role: a whole balloon, and a driver that writes into its rings what
 * the runner asks for, good or bad.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <fph-vmm/balloon.h>

#include "testee.h"

#define RING_SIZE	1024u
#define SCRATCH		0x7f0000000000u	/* gpa of the bytes of commands */
#define SCRATCH_SIZE	0x100000u
#define MAX_REGIONS	16
#define DESC_NEXT	1u
#define DESC_WRITE	2u

struct ring {
	_Alignas(8) uint8_t record[FPH_INFLIGHT_SIZE(RING_SIZE)];
	_Alignas(16) uint8_t desc[16 * RING_SIZE];
	_Alignas(4) uint8_t avail[6 + 2 * RING_SIZE];
	_Alignas(4) uint8_t used[6 + 8 * RING_SIZE];
	uint32_t name[RING_SIZE];	/* of the buffer with this head */
	uint16_t next;			/* descriptor of the next buffer */
	uint16_t offered;
	uint16_t seen;			/* in the used ring */
};

/* What was given out and did not yet take effect. */
enum hand { NOTHING, DISCARD, SKIP };

static struct {
	struct fph_balloon *balloon;
	struct fph_memory *memory;
	struct fph_region regions[MAX_REGIONS];
	int nregions;
	struct ring ring[FPH_NQUEUES];
	uint8_t *scratch;
	uint32_t scratch_used;
	struct fph_balloon_params params;
	bool recorded;			/* what the rings have in flight */
	uint64_t features;
	uint32_t last_id;
	uint32_t shown;
	uint64_t granule;
	enum hand hand;
	struct fph_run run;
} w;

static void put(uint8_t *at, unsigned int bytes, uint64_t value)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *at, unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint32_t)at[i] << 8 * i;
	return value;
}

static void fail(const char *what)
{
	fprintf(stderr, "testee_c: %s\n", what);
	exit(2);
}

/* ---------------------------------------------------------------- set-up -- */

static uint8_t *add_region(uint64_t gpa, uint64_t len)
{
	struct fph_region region = {
		.gpa = gpa,
		.len = len,
		.fd = -1,
		.page_size = 4096,
		.backing = FPH_BACKING_ANON
	};

	region.host = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region.host == MAP_FAILED || w.nregions == MAX_REGIONS ||
	    fph_memory_add(w.memory, &region) != FPH_OK)
		fail("memory");
	w.regions[w.nregions++] = region;
	return region.host;
}

static void add_regions(char *list)
{
	char *save = NULL;

	w.memory = fph_memory_new(NULL, NULL);
	for (char *text = strtok_r(list, ",", &save); text;
	     text = strtok_r(NULL, ",", &save)) {
		uint64_t gpa, len;

		parse_range(text, &gpa, &len);
		add_region(gpa, len);
	}
	w.scratch = add_region(SCRATCH, SCRATCH_SIZE);
}

static void forget(void)
{
	fph_balloon_free(w.balloon);
	fph_memory_free(w.memory);
	for (int i = 0; i < w.nregions; i++)
		munmap(w.regions[i].host, w.regions[i].len);
	memset(&w, 0, sizeof(w));
}

static int queue_by_name(const char *name)
{
	static const char *const names[] = {
		"inflate", "deflate", "stats", "hint", "report"
	};

	for (int i = 0; i < FPH_NQUEUES; i++)
		if (!strcmp(names[i], name))
			return i;
	fail(name);
	return 0;
}

static int index_of(int queue)
{
	return fph_queue_index(queue, FPH_NUMBERING_NEGOTIATED, w.features,
				   w.features);
}

static struct fph_balloon_ring ring_of(int queue)
{
	struct ring *r = &w.ring[queue];

	return (struct fph_balloon_ring) {
		.size = sizeof(struct fph_balloon_ring), .num = RING_SIZE,
		.desc = r->desc, .driver = r->avail, .device = r->used,
		.inflight = w.recorded ? r->record : NULL
	};
}

static void start_ring(int queue, int index)
{
	struct fph_balloon_ring params = ring_of(queue);

	if (fph_balloon_ring_start(w.balloon, (uint32_t)index, &params) ||
	    fph_balloon_ring_enable(w.balloon, (uint32_t)index, true))
		fail("ring");
}

/* Of all queues, as they lie in memory. */
static void start_rings(void)
{
	for (int queue = 0; queue < FPH_NQUEUES; queue++)
		if (index_of(queue) >= 0)
			start_ring(queue, index_of(queue));
}

static int set_features(uint64_t features)
{
	int status = fph_balloon_set_features(w.balloon, features);

	if (status == FPH_OK) {
		w.features = features;
		w.recorded = true;
		memset(w.ring, 0, sizeof(w.ring));
		start_rings();
	}
	return status;
}

static void do_reset(const struct request *r)
{
	struct fph_balloon_params *params = &w.params;
	const char *mem = request_get(r, "mem");
	const char *granule = request_get(r, "granule");
	const char *offered = request_get(r, "offered");
	const char *features = request_get(r, "features");
	const char *role = request_get(r, "role");
	char list[1024];
	int status;

	if (!role || strcmp(role, "device")) {
		puts("skip role");
		return;
	}
	if (!mem || !granule || !offered || !features)
		fail("reset");
	forget();
	snprintf(list, sizeof(list), "%s", mem);
	add_regions(list);
	params->size = sizeof(*params);
	params->memory = w.memory;
	params->features = parse_number(offered) &
			   ~FPH_BIT(VIRTIO_F_VERSION_1);
	w.granule = parse_number(granule);
	params->report_granule = w.granule;
	params->inflate_granule = w.granule;
	params->hint_granule = w.granule;
	w.balloon = fph_balloon_new(params, &status);
	print_status(w.balloon ? set_features(parse_number(features)) :
		     status);
}

/* ------------------------------------------------------- what it tells -- */

static void tell_used(void)
{
	for (int queue = 0; queue < FPH_NQUEUES; queue++) {
		struct ring *r = &w.ring[queue];

		while (r->seen != (uint16_t)get(r->used + 2, 2)) {
			const uint8_t *e = r->used + 4 +
					   8 * (r->seen % RING_SIZE);
			uint32_t head = get(e, 4);

			if (head >= RING_SIZE)
				fail("used head");
			printf("used %" PRIu32 " %" PRIu32 "\n",
			       r->name[head], get(e + 4, 4));
			r->seen++;
		}
	}
}

static void tell(void)
{
	uint32_t events, shown;

	fph_balloon_flush(w.balloon);
	tell_used();
	events = fph_balloon_take_events(w.balloon);
	shown = fph_balloon_hint_get_config(w.balloon);
	if (shown != w.shown)
		printf("cfg %" PRIu32 "\n", shown);
	w.shown = shown;
	/* Whose transport sets DEVICE_NEEDS_RESET, it also says so. */
	if (events & FPH_EVENT_BROKEN)
		puts("broken");
	if (events & (FPH_EVENT_CONFIG | FPH_EVENT_BROKEN))
		puts("irq");
}

/* ------------------------------------------------------------ the driver -- */

static void parse_seg(const char *text, uint64_t *gpa, uint64_t *len)
{
	uint8_t *data;
	size_t n;

	if (text[0] != 'R') {
		parse_range(text + 2, gpa, len);
		return;
	}
	data = parse_hex(text + 2, &n);
	if (n > SCRATCH_SIZE)
		fail("too many bytes");
	if (w.scratch_used + n > SCRATCH_SIZE)
		w.scratch_used = 0;
	memcpy(w.scratch + w.scratch_used, data, n);
	free(data);
	*gpa = SCRATCH + w.scratch_used;
	*len = n;
	w.scratch_used += (uint32_t)n;
}

static void put_seg(struct ring *r, const char *text, bool last)
{
	uint8_t *d = r->desc + 16 * (r->next % RING_SIZE);
	uint64_t gpa, len;

	parse_seg(text, &gpa, &len);
	put(d, 8, gpa);
	put(d + 8, 4, len);
	put(d + 12, 2, (text[0] == 'W' ? DESC_WRITE : 0) |
		       (last ? 0 : DESC_NEXT));
	r->next++;
	put(d + 14, 2, r->next % RING_SIZE);
}

static void process(uint32_t index)
{
	while (fph_balloon_process(w.balloon, index, 64) == 64)
		;
}

static void do_vq(const struct request *r)
{
	int queue = queue_by_name(r->word[1]), index = index_of(queue);
	struct ring *ring = &w.ring[queue];
	uint16_t head = ring->next % RING_SIZE;

	if (index < 0) {
		puts("err queue");
		return;
	}
	ring->name[head] = (uint32_t)parse_number(r->word[2]);
	for (int i = 3; i < r->words; i++)
		put_seg(ring, r->word[i], i + 1 == r->words);
	put(ring->avail + 4 + 2 * (ring->offered++ % RING_SIZE), 2, head);
	put(ring->avail + 2, 2, ring->offered);
	process((uint32_t)index);
	tell();
	puts("ok");
}

/* ---------------------------------------------------------- acting on it -- */

/* A VMM acts on a run region by region, and on whole granules of it. */
static void tell_run(const char *action, const struct fph_run *run)
{
	struct fph_range rest = { run->gpa, run->len };
	uint64_t mask = w.granule - 1;
	struct fph_piece piece;

	while (fph_memory_next(w.memory, &rest, &piece) == 1) {
		uint64_t from = (piece.gpa + mask) & ~mask;
		uint64_t end = (piece.gpa + piece.len) & ~mask;

		if (from < end)
			printf("%s 0x%" PRIx64 "+0x%" PRIx64 "\n", action,
			       from, end - from);
	}
}

static void let_go(void)
{
	int ret;

	w.run.freed = w.run.len;
	if (w.hand == DISCARD) {
		tell_run("discard", &w.run);
		w.run.outcome = FPH_OUTCOME_DISCARDED;
		ret = fph_balloon_complete(w.balloon, &w.run, 1);
	} else {
		tell_run("skip-range", &w.run);
		w.run.outcome = FPH_OUTCOME_CLEARED;
		ret = fph_balloon_hint_complete(w.balloon, &w.run, 1);
	}
	if (ret != 1)
		fail("complete");
	w.hand = NOTHING;
}

/* Whether there was anything to do. */
static bool step(void)
{
	uint32_t ready = fph_balloon_get_ready(w.balloon);

	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		if (ready & 1u << i)
			process(i);
	if (w.hand != NOTHING)
		let_go();
	else if (fph_balloon_next(w.balloon, &w.run, 1) == 1)
		w.hand = DISCARD;
	else if (fph_balloon_hint_next(w.balloon, &w.run, 1) == 1)
		w.hand = SKIP;
	else
		return false;
	tell();
	return true;
}

static void do_work(const struct request *r)
{
	uint64_t steps = r->words > 1 ? parse_number(r->word[1]) : UINT64_MAX;

	while (steps && step())
		steps--;
	tell();
	puts("ok");
}

/* -------------------------------------------------------------- the host -- */

static void finish(int status)
{
	tell();
	print_status(status);
}

static void do_start(const struct request *r)
{
	uint32_t id;
	int status = fph_balloon_hint_request(w.balloon, &id);

	(void)r;
	tell();
	if (status == FPH_OK) {
		w.last_id = id;
		printf("ok %" PRIu32 "\n", id);
	} else {
		print_status(status);
	}
}

static void do_stop(const struct request *r)
{
	(void)r;
	finish(fph_balloon_hint_stop(w.balloon));
}

static void do_done(const struct request *r)
{
	(void)r;
	finish(fph_balloon_hint_done(w.balloon));
}

static void do_sync_begin(const struct request *r)
{
	(void)r;
	finish(fph_balloon_hint_sync_begin(w.balloon));
}

static void do_sync_end(const struct request *r)
{
	(void)r;
	finish(fph_balloon_hint_sync_end(w.balloon));
}

static void do_device_reset(const struct request *r)
{
	int status = fph_balloon_reset(w.balloon);

	(void)r;
	tell();
	print_status(status);
}

/* Another device is there in its place; what was begun is not going on. */
static struct fph_balloon *replace(void)
{
	struct fph_balloon *old = w.balloon;

	w.balloon = fph_balloon_new(&w.params, NULL);
	if (!w.balloon)
		fail("no memory");
	w.hand = NOTHING;
	return old;
}

static void do_restore(const struct request *r)
{
	struct fph_balloon_ring rings[FPH_NQUEUES] = { 0 };
	size_t size;
	void *state;

	(void)r;
	if (fph_balloon_save(w.balloon, NULL, 0, &size) != FPH_EFULL) {
		puts("err busy");
		return;
	}
	state = malloc(size);
	if (!state || fph_balloon_save(w.balloon, state, size, &size))
		fail("save");
	w.recorded = false;
	for (int queue = 0; queue < FPH_NQUEUES; queue++)
		if (index_of(queue) >= 0)
			rings[index_of(queue)] = ring_of(queue);
	fph_balloon_free(replace());
	if (fph_balloon_load(w.balloon, state, size, FPH_LOAD_MOVED, rings))
		fail("load");
	free(state);
	finish(FPH_OK);
}

static void do_takeover(const struct request *r)
{
	struct fph_balloon_state state = {
		.size = sizeof(state),
		.negotiated = w.features,
		.hint_id = w.last_id,
		.endian = FPH_LE
	};
	uint8_t poison[4];

	(void)r;
	if (!w.recorded) {
		puts("skip there is no record");
		return;
	}
	fph_balloon_get_config(w.balloon, 12, poison, sizeof(poison));
	state.poison_val = get(poison, 4);
	state.actual = fph_balloon_get_actual(w.balloon);
	fph_balloon_free(replace());
	if (fph_balloon_restore(w.balloon, &state))
		fail("restore");
	start_rings();
	finish(FPH_OK);
}

/* The hinting queue goes only after the barrier. */
static void do_queue_reset(const struct request *r)
{
	int queue = queue_by_name(r->word[1]), index = index_of(queue);
	int status = FPH_OK;
	uint32_t base;

	if (queue == FPH_QUEUE_HINT)
		status = fph_balloon_hint_stop(w.balloon);
	if (status == FPH_OK)
		status = fph_balloon_ring_stop(w.balloon, (uint32_t)index,
					       &base);
	if (status == FPH_OK) {
		tell();
		memset(&w.ring[queue], 0, sizeof(w.ring[queue]));
		start_ring(queue, index);
	}
	finish(status);
}

static void do_features(const struct request *r)
{
	finish(set_features(parse_number(r->word[1])));
}

static void do_read_config(const struct request *r)
{
	uint8_t data[64];
	uint32_t len = (uint32_t)parse_number(r->word[2]);

	if (len > sizeof(data))
		fail("read-config");
	fph_balloon_get_config(w.balloon,
			       (uint32_t)parse_number(r->word[1]), data, len);
	printf("ok");
	print_hex(data, len);
	putchar('\n');
}

static void do_write_config(const struct request *r)
{
	size_t len;
	uint8_t *data = parse_hex(r->word[2], &len);

	fph_balloon_set_config(w.balloon, (uint32_t)parse_number(r->word[1]),
			       data, (uint32_t)len);
	free(data);
	finish(FPH_OK);
}

static const struct {
	const char *name;
	int words;
	void (*call)(const struct request *r);
} requests[] = {
	{ "vq", 4, do_vq },
	{ "work", 1, do_work },
	{ "start", 1, do_start },
	{ "stop", 1, do_stop },
	{ "done", 1, do_done },
	{ "sync-begin", 1, do_sync_begin },
	{ "sync-end", 1, do_sync_end },
	{ "device-reset", 1, do_device_reset },
	{ "features", 2, do_features },
	{ "restore", 1, do_restore },
	{ "takeover", 1, do_takeover },
	{ "queue-reset", 2, do_queue_reset },
	{ "read-config", 3, do_read_config },
	{ "write-config", 3, do_write_config }
};

_Bool testee_device(const struct request *r)
{
	if (!strcmp(r->word[0], "reset")) {
		do_reset(r);
		return true;
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(r->word[0], requests[i].name))
			continue;
		if (r->words < requests[i].words || !w.balloon)
			fail(requests[i].name);
		requests[i].call(r);
		return true;
	}
	return false;
}
