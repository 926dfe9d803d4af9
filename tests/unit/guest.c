/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define RING_ROOM	0x10000u	/* bytes of guest memory for a ring */

static uint8_t *map(int fd, off_t offset, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       offset);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

static void add_region(struct guest *g, uint64_t gpa, uint8_t *host,
		       uint64_t len)
{
	struct fph_region region = {
		.gpa = gpa,
		.len = len,
		.host = host,
		.fd = g->fd,
		.fd_offset = gpa,
		.page_size = GUEST_PAGE,
		.backing = FPH_BACKING_SHMEM
	};

	ck_assert_int_eq(fph_memory_add(g->memory, &region), FPH_OK);
}

static void init_ring(struct guest *g, uint32_t index, uint16_t num)
{
	struct ring *r = &g->ring[index];

	r->mem = g->low;
	r->mem_size = GUEST_SPLIT;
	r->num = num;
	r->desc = g->low + index * RING_ROOM;
	r->avail = r->desc + 16u * num;
	r->used = r->avail + (6u + 2u * num + 3u) / 4u * 4u;
}

void guest_init(struct guest *g, uint16_t num)
{
	memset(g, 0, sizeof(*g));
	g->fd = memfd_create("guest", MFD_CLOEXEC);
	ck_assert_int_ge(g->fd, 0);
	ck_assert_int_eq(ftruncate(g->fd, GUEST_BYTES), 0);
	g->low = map(g->fd, 0, GUEST_SPLIT);
	g->high = map(g->fd, GUEST_SPLIT, GUEST_BYTES - GUEST_SPLIT);
	g->memory = fph_memory_new(NULL, NULL);
	ck_assert_ptr_nonnull(g->memory);
	add_region(g, 0, g->low, GUEST_SPLIT);
	add_region(g, GUEST_SPLIT, g->high, GUEST_BYTES - GUEST_SPLIT);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		init_ring(g, i, num);
}

void guest_fini(struct guest *g)
{
	fph_balloon_free(g->balloon);
	fph_memory_free(g->memory);
	munmap(g->low, GUEST_SPLIT);
	munmap(g->high, GUEST_BYTES - GUEST_SPLIT);
	close(g->fd);
}

void guest_new(struct guest *g, uint64_t offered, uint32_t numbering)
{
	struct fph_balloon_params params = {
		.size = sizeof(params),
		.memory = g->memory,
		.features = offered,
		.numbering = numbering
	};
	int status = FPH_EINVAL;

	g->balloon = fph_balloon_new(&params, &status);
	ck_assert_ptr_nonnull(g->balloon);
	ck_assert_int_eq(status, FPH_OK);
}

void guest_start(struct guest *g, uint32_t index, uint16_t base)
{
	const struct ring *r = &g->ring[index];
	struct fph_balloon_ring ring = {
		.size = sizeof(ring),
		.num = r->num,
		.desc = r->desc,
		.driver = r->avail,
		.device = r->used,
		.base = base
	};

	ck_assert_int_eq(fph_balloon_ring_start(g->balloon, index, &ring),
			 FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_enable(g->balloon, index, true),
			 FPH_OK);
}

/* The driver makes a ring anew. */
static void make_ring(struct guest *g, uint32_t index)
{
	struct ring *r = &g->ring[index];

	memset(r->desc, 0, RING_ROOM);
	r->big = g->big;
	r->avail_idx = 0;
	r->used_idx = 0;
	g->next[index] = 0;
	g->used[index] = 0;
}

void guest_negotiate(struct guest *g, uint64_t negotiated, bool big,
		     uint32_t rings)
{
	ck_assert_int_eq(fph_balloon_set_features(g->balloon, negotiated),
			 FPH_OK);
	g->big = big;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		make_ring(g, i);
		if (rings & 1u << i)
			guest_start(g, i, 0);
	}
}

void guest_boot(struct guest *g, uint64_t offered, uint64_t negotiated,
		uint32_t rings)
{
	guest_init(g, 256);
	guest_new(g, offered, 0);
	guest_negotiate(g, negotiated, FPH_HOST_BIG_ENDIAN &&
				       !(negotiated & GUEST_VERSION_1), rings);
}

void guest_boot_without(struct guest *g, uint64_t left_out)
{
	guest_boot(g, GUEST_FEATURES,
		   (GUEST_FEATURES | GUEST_VERSION_1) & ~left_out, 0x1f);
}

uint8_t *guest_at(struct guest *g, uint64_t gpa)
{
	/* Not an assert of check, which writes a message when it holds. */
	if (gpa >= GUEST_BYTES)
		ck_abort_msg("gpa is outside guest memory");
	return gpa < GUEST_SPLIT ? g->low + gpa : g->high + gpa - GUEST_SPLIT;
}

void guest_discard(struct guest *g, uint64_t gpa, uint64_t len)
{
	ck_assert_int_eq(fallocate(g->fd,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   (off_t)gpa, (off_t)len), 0);
}

void guest_put(struct guest *g, uint64_t gpa, unsigned int size, uint64_t v)
{
	for (unsigned int i = 0; i < size; i++)
		*guest_at(g, gpa + (g->big ? size - 1 - i : i)) =
			(uint8_t)(v >> 8 * i);
}

void guest_offer_at(struct guest *g, uint32_t index, uint16_t head,
		    const struct guest_seg *segs, uint32_t n)
{
	struct ring *r = &g->ring[index];

	for (uint32_t i = 0; i < n; i++) {
		uint16_t flags = (uint16_t)(segs[i].flags |
					    (i + 1 < n ? RING_NEXT : 0));

		ring_desc(r, r->desc, (head + i) % r->num, segs[i].gpa,
			  segs[i].len, flags,
			  (uint16_t)((head + i + 1) % r->num));
	}
	ring_offer(r, head);
}

uint16_t guest_offer(struct guest *g, uint32_t index,
		     const struct guest_seg *segs, uint32_t n)
{
	uint16_t head = g->next[index];

	g->next[index] = (uint16_t)((head + n) % g->ring[index].num);
	guest_offer_at(g, index, head, segs, n);
	return head;
}

uint16_t guest_offer_indirect(struct guest *g, uint32_t index, uint64_t table,
			      const struct guest_seg *segs, uint32_t n)
{
	struct guest_seg one = { table, 16 * n, RING_INDIRECT };

	for (uint32_t i = 0; i < n; i++) {
		uint16_t flags = (uint16_t)(segs[i].flags |
					    (i + 1 < n ? RING_NEXT : 0));

		ring_desc(&g->ring[index], guest_at(g, table), i, segs[i].gpa,
			  segs[i].len, flags, (uint16_t)(i + 1));
	}
	return guest_offer(g, index, &one, 1);
}

uint16_t guest_offer_one(struct guest *g, uint32_t index, uint64_t gpa,
			 uint32_t len, uint16_t flags)
{
	struct guest_seg seg = { gpa, len, flags };

	return guest_offer(g, index, &seg, 1);
}

uint16_t guest_command(struct guest *g, uint32_t index, uint32_t id)
{
	/* A place of its own for each command, as long as it is in the ring. */
	uint64_t gpa = GUEST_BUFFERS + 4u * g->next[index];

	guest_put(g, gpa, 4, id);
	return guest_offer_one(g, index, gpa, 4, 0);
}

uint16_t guest_frames(struct guest *g, uint32_t index, uint64_t array,
		      uint64_t first, uint64_t step, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		guest_put(g, array + 4 * i, 4, (first + i * step) >> 12);
	return guest_offer_one(g, index, array, 4 * count, 0);
}

uint16_t guest_count_used(const struct guest *g, uint32_t index)
{
	return (uint16_t)(ring_get_used_idx(&g->ring[index]) -
			  g->used[index]);
}

bool guest_take_used(struct guest *g, uint32_t index, uint16_t *head)
{
	if (!guest_count_used(g, index))
		return false;
	*head = (uint16_t)ring_get_used_id(&g->ring[index], g->used[index]);
	ck_assert_uint_eq(ring_get_used_len(&g->ring[index],
					    g->used[index]), 0);
	g->used[index]++;
	return true;
}

void guest_settle(struct guest *g, uint32_t index)
{
	struct fph_run run;

	while (fph_balloon_process(g->balloon, index, 64) > 0)
		;
	while (fph_balloon_next(g->balloon, &run, 1) == 1) {
		guest_discard(g, run.gpa, run.len);
		run.outcome = FPH_OUTCOME_DISCARDED;
		run.freed = run.len;
		ck_assert_int_eq(fph_balloon_complete(g->balloon, &run, 1), 1);
	}
	fph_balloon_flush(g->balloon);
}

void guest_check_recovery(struct guest *g, const char *what)
{
	uint64_t done = guest_counters(g).report.bytes_freed;
	uint32_t report = FPH_QUEUE_REPORT;

	ck_assert_msg(fph_balloon_reset(g->balloon) == FPH_OK, "%s", what);
	ck_assert(!fph_balloon_is_broken(g->balloon));
	ck_assert_int_eq(fph_balloon_set_features(
		g->balloon, (GUEST_FEATURES | GUEST_VERSION_1) &
			    ~GUEST_BIT(PAGE_POISON)), FPH_OK);
	make_ring(g, report);
	guest_start(g, report, 0);
	guest_offer_one(g, report, GUEST_GOOD, GUEST_PAGE, RING_WRITE);
	guest_settle(g, report);
	ck_assert_msg(guest_count_used(g, report) == 1, "%s", what);
	ck_assert_uint_eq(guest_counters(g).report.bytes_freed,
			  done + GUEST_PAGE);
}

struct fph_balloon_counters guest_counters(const struct guest *g)
{
	struct fph_balloon_counters c;

	ck_assert_int_eq(fph_balloon_get_counters(g->balloon, &c, sizeof(c)),
			 FPH_OK);
	return c;
}
