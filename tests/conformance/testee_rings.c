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

static void packed_with(const struct request *r, uint64_t features)
{
	static uint64_t cookies[MAX_RING];
	static uint8_t before[sizeof(m.desc)];
	uint64_t place = parse_number(r->word[3]) |
			 (parse_number(r->word[4]) ? 0x8000u : 0);
	struct fph_vq_device *vq;
	uint32_t n;

	fill_table(r->word[6]);
	add_blocks(r, 7);
	vq = make_device(r, features | FPH_BIT(VIRTIO_F_RING_PACKED),
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

static void packed(const struct request *r)
{
	packed_with(r, 0);
}

static void packed_in_order(const struct request *r)
{
	packed_with(r, FPH_BIT(VIRTIO_F_IN_ORDER));
}

/* A driver's ring, and the id of each buffer that was offered. */
static struct {
	struct fph_vq_driver *vq;
	uint64_t num;
	bool packed;
	int endian;
	uint64_t place;			/* buffers or descriptors until now */
	uint64_t n;
	uint32_t id[MAX_RING];
} drv;

static void make_driver(const char *num, uint64_t features, int endian)
{
	static uint64_t object[FPH_VQ_DRIVER_SIZE(MAX_RING) / 8];
	struct fph_vq_driver_params params = {
		.size = sizeof(params),
		.num = (uint32_t)parse_number(num),
		.features = features,
		.endian = (uint32_t)endian,
		.desc = m.desc,
		.driver = m.driver,
		.device = m.device
	};

	memset(&m, 0, sizeof(m));
	memset(&drv, 0, sizeof(drv));
	drv.num = params.num;
	drv.packed = features & FPH_BIT(VIRTIO_F_RING_PACKED);
	drv.endian = endian;
	if (fph_vq_driver_init(&drv.vq, object, sizeof(object), &params) !=
	    FPH_OK)
		exit(2);
}

/* A buffer of so many pages; its number is its cookie. */
static void offer(uint64_t pages)
{
	static struct fph_seg segs[MAX_RING];
	struct fph_buffer b = { .nwrite = (uint32_t)pages, .cookie = drv.n };
	uint64_t last;

	if (pages > MAX_RING || drv.n == MAX_RING)
		exit(2);
	for (uint64_t i = 0; i < pages; i++)
		segs[i] = (struct fph_seg) { .len = 4096,
					     .flags = FPH_SEG_WRITE };
	if (fph_vq_driver_add(drv.vq, &b, 1, segs) != 1 ||
	    fph_vq_driver_publish(drv.vq) != FPH_OK)
		exit(2);
	drv.place += drv.packed ? pages : 1;
	last = (drv.place - 1) % drv.num;
	drv.id[drv.n++] = drv.packed ?
			  get16(m.desc + 16 * last + 12, FPH_LE) :
			  get16(m.driver + 4 + 2 * last, drv.endian);
}

static void put_index(uint64_t idx)
{
	put(m.device + 2, 2, drv.endian, idx);
}

/* What the device writes to return a buffer: a length, or flags. */
static void put_one(uint64_t at, uint64_t id, uint64_t value)
{
	if (at >= drv.num)
		exit(2);
	if (drv.packed) {
		put(m.desc + 16 * at + 12, 2, FPH_LE, id);
		put(m.desc + 16 * at + 14, 2, FPH_LE, value);
	} else {
		put(m.device + 4 + 8 * at, 4, drv.endian, id);
		put(m.device + 8 + 8 * at, 4, drv.endian, value);
	}
}

/* "bN", the id of buffer N, or an id; then a mark and the value. */
static void put_used(const char *text, uint64_t at)
{
	bool named = text[0] == 'b';
	uint64_t id = parse_number(text + named);

	if (named && id >= drv.n)
		exit(2);
	put_one(at, named ? drv.id[id] : id,
		parse_number(strpbrk(text, "+:") + 1));
}

/* "PLACE=" and what put_used takes, from this word on. */
static void put_places(const struct request *r, int from)
{
	for (int i = from; i < r->words; i++)
		put_used(strchr(r->word[i], '=') + 1,
			 parse_number(r->word[i]));
}

/* So many buffers of one page are offered and come back. */
static void go_on(const char *first)
{
	struct fph_used back;

	for (uint64_t i = 0; i < parse_number(first); i++) {
		bool odd = drv.packed && i / drv.num % 2 == 0;

		offer(1);
		put_one(i % drv.num, drv.id[0], odd ? 0x8080 : 0);
		if (!drv.packed)
			put_index(i + 1);
		if (fph_vq_driver_take_used(drv.vq, &back, 1) != 1)
			exit(2);
		drv.n = 0;
	}
}

static void print_back(void)
{
	static uint64_t cookies[MAX_RING];
	struct fph_used back;
	int n = 0, ret;

	while ((ret = fph_vq_driver_take_used(drv.vq, &back, 1)) == 1 &&
	       n < MAX_RING)
		cookies[n++] = back.cookie;
	printf(ret < 0 ? "err broken" : "ok");
	for (int i = 0; i < n; i++)
		printf(" %" PRIu64, cookies[i]);
	putchar('\n');
}

static void offer_singles(const char *n)
{
	for (uint64_t i = 0; i < parse_number(n); i++)
		offer(1);
}

static void used_ring(const struct request *r)
{
	make_driver(r->word[1], 0, parse_endian(r->word[2]));
	offer_singles(r->word[3]);
	for (int i = 5; i < r->words; i++)
		put_used(r->word[i], (uint64_t)i - 5);
	put_index(parse_number(r->word[4]));
	print_back();
}

static void used_in_order(const struct request *r)
{
	make_driver(r->word[1], FPH_BIT(VIRTIO_F_IN_ORDER), FPH_LE);
	go_on(r->word[2]);
	offer_singles(r->word[3]);
	put_places(r, 5);
	put_index(parse_number(r->word[4]));
	print_back();
}

static void packed_used(const struct request *r)
{
	static uint64_t lists[MAX_RING];
	int n = parse_list(r->word[4], lists, MAX_RING);

	make_driver(r->word[1], FPH_BIT(VIRTIO_F_RING_PACKED) |
		    parse_number(r->word[2]) << VIRTIO_F_IN_ORDER, FPH_LE);
	go_on(r->word[3]);
	for (int i = 0; i < n; i++)
		offer(lists[i]);
	put_places(r, 5);
	print_back();
}

static const struct handler handlers[] = {
	{ "ring", 7, ring },
	{ "packed", 7, packed },
	{ "packed-in-order", 7, packed_in_order },
	{ "used-ring", 5, used_ring },
	{ "used-in-order", 5, used_in_order },
	{ "packed-used", 5, packed_used },
	{ NULL, 0, NULL }
};

_Bool testee_rings(const struct request *r)
{
	return request_handle(r, handlers);
}
