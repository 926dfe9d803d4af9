/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "ring.h"

void ring_init(struct ring *r, uint32_t num, bool big, size_t mem_size)
{
	r->mem = aligned_alloc(4096, (mem_size + 4095) / 4096 * 4096);
	if (!r->mem) {
		perror("guest memory");
		exit(1);
	}
	for (size_t i = 0; i < mem_size; i++)
		r->mem[i] = 0;
	r->mem_size = mem_size;
	r->num = num;
	r->big = big;
	r->desc = r->mem;
	r->avail = r->desc + 16 * num;
	r->used = r->avail + (6 + 2 * num + 3) / 4 * 4;
	r->avail_idx = 0;
	r->used_idx = 0;
}

void ring_fini(struct ring *r)
{
	free(r->mem);
	r->mem = NULL;
}

uint64_t ring_free_gpa(const struct ring *r)
{
	return ((uint64_t)(r->used - r->mem) + 6 + 8 * r->num + 15) / 16 * 16;
}

const void *ring_map(void *ctx, uint64_t gpa, uint64_t len)
{
	const struct ring *r = ctx;

	if (gpa > r->mem_size || len > r->mem_size - gpa)
		return NULL;
	return r->mem + gpa;
}

void ring_put(uint8_t *b, unsigned int size, uint64_t v, bool big)
{
	for (unsigned int i = 0; i < size; i++)
		b[big ? size - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

uint64_t ring_get(const uint8_t *b, unsigned int size, bool big)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)b[big ? size - 1 - i : i] << 8 * i;
	return v;
}

void ring_desc(const struct ring *r, uint8_t *at, uint32_t i, uint64_t gpa,
	       uint32_t len, uint16_t flags, uint16_t next)
{
	ring_put(at + 16 * i, 8, gpa, r->big);
	ring_put(at + 16 * i + 8, 4, len, r->big);
	ring_put(at + 16 * i + 12, 2, flags, r->big);
	ring_put(at + 16 * i + 14, 2, next, r->big);
}

void ring_offer(struct ring *r, uint16_t head)
{
	ring_put(r->avail + 4 + 2 * (r->avail_idx % r->num), 2, head, r->big);
	ring_set_avail_idx(r, (uint16_t)(r->avail_idx + 1));
}

void ring_set_avail_idx(struct ring *r, uint16_t idx)
{
	r->avail_idx = idx;
	ring_put(r->avail + 2, 2, idx, r->big);
}

void ring_set_avail_flags(struct ring *r, uint16_t flags)
{
	ring_put(r->avail, 2, flags, r->big);
}

void ring_set_used_event(struct ring *r, uint16_t event)
{
	ring_put(r->avail + 4 + 2 * r->num, 2, event, r->big);
}

uint16_t ring_get_used_idx(const struct ring *r)
{
	return (uint16_t)ring_get(r->used + 2, 2, r->big);
}

uint16_t ring_get_used_flags(const struct ring *r)
{
	return (uint16_t)ring_get(r->used, 2, r->big);
}

uint16_t ring_get_avail_event(const struct ring *r)
{
	return (uint16_t)ring_get(r->used + 4 + 8 * r->num, 2, r->big);
}

uint32_t ring_get_used_id(const struct ring *r, uint16_t idx)
{
	return (uint32_t)ring_get(r->used + 4 + 8 * (idx % r->num), 4, r->big);
}

uint32_t ring_get_used_len(const struct ring *r, uint16_t idx)
{
	return (uint32_t)ring_get(r->used + 8 + 8 * (idx % r->num), 4, r->big);
}

void ring_use(struct ring *r, uint32_t id, uint32_t len)
{
	uint8_t *b = r->used + 4 + 8 * (r->used_idx % r->num);

	ring_put(b, 4, id, r->big);
	ring_put(b + 4, 4, len, r->big);
	ring_set_used_idx(r, (uint16_t)(r->used_idx + 1));
}

void ring_set_used_idx(struct ring *r, uint16_t idx)
{
	r->used_idx = idx;
	ring_put(r->used + 2, 2, idx, r->big);
}

void ring_set_used_flags(struct ring *r, uint16_t flags)
{
	ring_put(r->used, 2, flags, r->big);
}

void ring_set_avail_event(struct ring *r, uint16_t event)
{
	ring_put(r->used + 4 + 8 * r->num, 2, event, r->big);
}

uint16_t ring_get_avail_idx(const struct ring *r)
{
	return (uint16_t)ring_get(r->avail + 2, 2, r->big);
}

uint16_t ring_get_avail_flags(const struct ring *r)
{
	return (uint16_t)ring_get(r->avail, 2, r->big);
}

uint16_t ring_get_used_event(const struct ring *r)
{
	return (uint16_t)ring_get(r->avail + 4 + 2 * r->num, 2, r->big);
}

uint16_t ring_get_head(const struct ring *r, uint16_t idx)
{
	return (uint16_t)ring_get(r->avail + 4 + 2 * (idx % r->num), 2,
				  r->big);
}

uint32_t ring_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) ^ (uint32_t)(*seed >> 13);
}
