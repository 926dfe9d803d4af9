/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Codec role: rings, from the bytes of their descriptors. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "testee.h"

#define MAX_BLOCKS	16
#define MAX_RING	1024
#define MAX_SEGS	(MAX_RING * MAX_RING / 8)

/* Pieces of guest memory. */
static struct block {
	uint64_t gpa;
	size_t len;
	uint8_t *data;
} blocks[MAX_BLOCKS];
static int nblocks;

/* The parts of a ring; desc is the whole of a packed one. */
static struct {
	_Alignas(16) uint8_t desc[16 * MAX_RING];
	_Alignas(4) uint8_t driver[8 * MAX_RING];
	_Alignas(4) uint8_t device[16 * MAX_RING];
} m;

static const void *map_block(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	for (int i = 0; i < nblocks; i++) {
		const struct block *b = &blocks[i];

		if (gpa >= b->gpa && gpa - b->gpa <= b->len &&
		    len <= b->len - (gpa - b->gpa))
			return b->data + (gpa - b->gpa);
	}
	return NULL;
}

/* The rest of the words from this one on. */
static void add_blocks(const struct request *r, int from)
{
	while (nblocks)
		free(blocks[--nblocks].data);
	for (int i = from; i < r->words; i++) {
		const char *data = strchr(r->word[i], '=');
		struct block *b = &blocks[nblocks];

		if (!data || nblocks == MAX_BLOCKS)
			exit(2);
		b->gpa = parse_number(r->word[i]);
		b->data = parse_hex(data + 1, &b->len);
		nblocks++;
	}
}

static void put(uint8_t *at, unsigned int bytes, int endian, uint64_t value)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[endian == FPH_BE ? bytes - 1 - i : i] =
			(uint8_t)(value >> 8 * i);
}

static uint32_t get16(const uint8_t *at, int endian)
{
	return at[endian == FPH_BE] | (uint32_t)at[endian != FPH_BE] << 8;
}

static void fill_table(const char *text)
{
	size_t len;
	uint8_t *table = parse_hex(text, &len);

	memset(&m, 0, sizeof(m));
	memcpy(m.desc, table, len < sizeof(m.desc) ? len : sizeof(m.desc));
	free(table);
}

/* The numbers of a list with commas; "-": none. */
static int parse_list(char *text, uint64_t *numbers, int max)
{
	char *save = NULL;
	int n = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (char *word = strtok_r(text, ",", &save); word && n < max;
	     word = strtok_r(NULL, ",", &save))
		numbers[n++] = parse_number(word);
	return n;
}

static struct fph_vq_device *make_device(const struct request *r,
					 uint64_t features, bool indirect,
					 uint32_t base, int endian)
{
	static uint64_t object[FPH_VQ_DEVICE_SIZE(MAX_RING) / 8];
	struct fph_vq_device *vq;
	struct fph_vq_device_params params = {
		.size = sizeof(params),
		.num = (uint32_t)parse_number(r->word[1]),
		.features = features |
			    (uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC,
		.endian = (uint32_t)endian,
		.base = base,
		.desc = m.desc,
		.driver = m.driver,
		.device = m.device,
		.map = map_block
	};

	if (fph_vq_device_init(&vq, object, sizeof(object), &params) != FPH_OK)
		exit(2);
	return vq;
}

static void print_buffer(const struct fph_seg *segs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		printf("%s%c0x%" PRIx64 "+0x%" PRIx32, i ? "|" : " ",
		       segs[i].flags & FPH_SEG_WRITE ? 'W' : 'R', segs[i].gpa,
		       segs[i].len);
}

/*
 * Takes and prints all buffers; how many.  One at a time: what comes before a
 * bad one is printed too.
 */
static uint32_t take_all(struct fph_vq_device *vq, uint64_t *cookies)
{
	static struct fph_seg segs[MAX_SEGS + MAX_RING];
	static struct fph_buffer buffers[MAX_RING];
	uint32_t n = 0, at = 0;
	int result = 0;

	while (n < MAX_RING && at <= MAX_SEGS) {
		result = fph_vq_device_pop(vq, &buffers[n], 1, segs + at,
					   MAX_RING);
		if (result != 1)
			break;
		at += buffers[n].nread + buffers[n].nwrite;
		cookies[n] = buffers[n].cookie;
		n++;
	}
	printf(result < 0 ? "err broken" : "ok");
	at = 0;
	for (uint32_t i = 0; i < n; i++) {
		print_buffer(segs + at, buffers[i].nread + buffers[i].nwrite);
		at += buffers[i].nread + buffers[i].nwrite;
	}
	return n;
}

static void ring(const struct request *r)
{
	static uint64_t numbers[MAX_RING];
	int endian = parse_endian(r->word[2]);
	int n;

	fill_table(r->word[6]);
	add_blocks(r, 7);
	put(m.driver + 2, 2, endian, parse_number(r->word[4]));
	n = parse_list(r->word[5], numbers, MAX_RING);
	for (int i = 0; i < n; i++)
		put(m.driver + 4 + 2 * i, 2, endian, numbers[i]);
	take_all(make_device(r, 0, parse_number(r->word[3]), 0, endian),
		 numbers);
	putchar('\n');
}

/* Returns them in this order, as one batch. */
static void give_back(struct fph_vq_device *vq, const uint64_t *cookies,
		      uint32_t n, char *order)
{
	static struct fph_used used[MAX_RING];
	static uint64_t numbers[MAX_RING];
	int count = parse_list(order, numbers, MAX_RING);

	for (int i = 0; i < count; i++) {
		if (numbers[i] >= n)
			return;
		used[i] = (struct fph_used) { .cookie = cookies[numbers[i]] };
	}
	if (count && fph_vq_device_push(vq, used, (uint32_t)count) != count)
		exit(2);
}

static void packed(const struct request *r)
{
	static uint64_t cookies[MAX_RING];
	static uint8_t before[sizeof(m.desc)];
	uint64_t place = parse_number(r->word[3]) |
			 (parse_number(r->word[4]) ? 0x8000u : 0);
	struct fph_vq_device *vq;
	uint32_t n;

	fill_table(r->word[6]);
	add_blocks(r, 7);
	vq = make_device(r, FPH_BIT(VIRTIO_F_RING_PACKED),
			 parse_number(r->word[2]),
			 (uint32_t)(place << 16 | place), FPH_LE);
	memcpy(before, m.desc, sizeof(before));
	n = take_all(vq, cookies);
	give_back(vq, cookies, n, r->word[5]);
	for (uint32_t i = 0; i < MAX_RING; i++) {
		const uint8_t *d = m.desc + 16 * i;

		if (memcmp(d, before + 16 * i, 16))
			printf(" %" PRIu32 "=%" PRIu32 ":0x%" PRIx32, i,
			       get16(d + 12, FPH_LE), get16(d + 14, FPH_LE));
	}
	putchar('\n');
}

/* Buffers of one page each; their numbers are their cookies. */
static struct fph_vq_driver *make_driver(uint64_t num, int endian, uint64_t n)
{
	static uint64_t object[FPH_VQ_DRIVER_SIZE(MAX_RING) / 8];
	struct fph_vq_driver_params params = {
		.size = sizeof(params),
		.num = (uint32_t)num,
		.endian = (uint32_t)endian,
		.desc = m.desc,
		.driver = m.driver,
		.device = m.device
	};
	struct fph_seg seg = { .len = 4096, .flags = FPH_SEG_WRITE };
	struct fph_buffer b = { .nwrite = 1 };
	struct fph_vq_driver *vq;

	memset(&m, 0, sizeof(m));
	if (fph_vq_driver_init(&vq, object, sizeof(object), &params) != FPH_OK)
		exit(2);
	for (; b.cookie < n; b.cookie++, seg.gpa += 4096)
		if (fph_vq_driver_add(vq, &b, 1, &seg) != 1)
			exit(2);
	if (fph_vq_driver_publish(vq) != FPH_OK)
		exit(2);
	return vq;
}

/* What the device wrote: "bN+LEN" with the head of buffer N, or "ID+LEN". */
static void put_used(const char *text, int at, int endian)
{
	bool named = text[0] == 'b';
	uint64_t id = parse_number(text + named);
	uint8_t *e = m.device + 4 + 8 * at;

	if (named && id < MAX_RING)
		id = get16(m.driver + 4 + 2 * id, endian);
	put(e, 4, endian, id);
	put(e + 4, 4, endian, parse_number(strchr(text, '+') + 1));
}

static void used_ring(const struct request *r)
{
	int endian = parse_endian(r->word[2]);
	struct fph_vq_driver *vq = make_driver(parse_number(r->word[1]),
					       endian,
					       parse_number(r->word[3]));
	static uint64_t cookies[MAX_RING];
	struct fph_used back;
	int n = 0, ret;

	for (int i = 5; i < r->words; i++)
		put_used(r->word[i], i - 5, endian);
	put(m.device + 2, 2, endian, parse_number(r->word[4]));
	while ((ret = fph_vq_driver_take_used(vq, &back, 1)) == 1 &&
	       n < MAX_RING)
		cookies[n++] = back.cookie;
	printf(ret < 0 ? "err broken" : "ok");
	for (int i = 0; i < n; i++)
		printf(" %" PRIu64, cookies[i]);
	putchar('\n');
}

static const struct handler handlers[] = {
	{ "ring", 7, ring },
	{ "packed", 7, packed },
	{ "used-ring", 5, used_ring },
	{ NULL, 0, NULL }
};

_Bool testee_rings(const struct request *r)
{
	return request_handle(r, handlers);
}
