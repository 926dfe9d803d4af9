/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Rings, from the bytes of their descriptors. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "operations.h"

#define NUM_MAX		256u
#define PIECES_MAX	8u
#define PIECE_SIZE	8192u

/* Pieces of guest memory; nothing else is mapped. */
struct pieces {
	unsigned int n;
	uint64_t gpa[PIECES_MAX];
	size_t len[PIECES_MAX];
	uint8_t bytes[PIECES_MAX][PIECE_SIZE];
};

struct memory {
	_Alignas(16) uint8_t desc[FPH_VRING_DESC_SIZE(NUM_MAX)];
	_Alignas(4) uint8_t avail[FPH_VRING_DRIVER_SIZE(0, NUM_MAX)];
	_Alignas(4) uint8_t used[FPH_VRING_DEVICE_SIZE(0, NUM_MAX)];
};

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	const struct pieces *p = ctx;

	for (unsigned int i = 0; i < p->n; i++) {
		if (gpa >= p->gpa[i] && gpa - p->gpa[i] <= p->len[i] &&
		    len <= p->len[i] - (gpa - p->gpa[i]))
			return p->bytes[i] + (gpa - p->gpa[i]);
	}
	return NULL;
}

static void put16(uint8_t *p, uint64_t v, int endian)
{
	p[endian == FPH_LE ? 0 : 1] = (uint8_t)(v & 0xff);
	p[endian == FPH_LE ? 1 : 0] = (uint8_t)(v >> 8 & 0xff);
}

static uint32_t get16(const uint8_t *p, int endian)
{
	return endian == FPH_LE ? p[0] | (uint32_t)p[1] << 8 :
				  p[1] | (uint32_t)p[0] << 8;
}

static void read_pieces(struct pieces *p, const char *list)
{
	static char word[2 * PIECE_SIZE + 32];
	const char *end;

	p->n = 0;
	while (fields_next(&list, word, sizeof(word))) {
		if (p->n == PIECES_MAX)
			die("too much memory");
		p->gpa[p->n] = parse_number(word, &end);
		if (*end != '=')
			die("no memory: %s", word);
		p->len[p->n] = parse_hex(end + 1, p->bytes[p->n], PIECE_SIZE);
		p->n++;
	}
}

static void read_table(struct memory *m, const char *list, uint64_t num)
{
	char word[64];

	for (uint64_t i = 0; fields_next(&list, word, sizeof(word)); i++) {
		if (i == num || parse_hex(word, m->desc + 16 * i, 16) != 16)
			die("no descriptor: %s", word);
	}
}

static void read_avail(struct memory *m, const struct fields *in, uint64_t num,
		       int endian)
{
	const char *list = fields_get(in, "avail");
	const char *end;
	char word[16];

	for (uint64_t i = 0; fields_next(&list, word, sizeof(word)); i++) {
		if (i == num)
			die("too many heads");
		put16(m->avail + 4 + 2 * i, parse_number(word, &end), endian);
	}
	put16(m->avail + 2, fields_number(in, "avail_idx"), endian);
}

static void add_buffer(struct text *t, const struct fph_seg *segs,
		       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *sep = i ? "|" : t->len ? "," : "";

		text_add(t, "%s%c0x%" PRIx64 "+0x%" PRIx32, sep,
			 segs[i].flags & FPH_SEG_WRITE ? 'W' : 'R',
			 segs[i].gpa, segs[i].len);
	}
}

/* Takes buffers until there are no more; sets their cookies and the answer. */
static uint32_t pop_all(struct fph_vq_device *vq, uint64_t *cookies,
			struct fields *out)
{
	static struct fph_seg segs[NUM_MAX];
	struct text t = { 0 };
	struct fph_buffer b;
	uint32_t n = 0;
	int ret;

	while ((ret = fph_vq_device_pop(vq, &b, 1, segs, NUM_MAX)) == 1) {
		if (n == NUM_MAX)
			die("too many buffers");
		cookies[n++] = b.cookie;
		add_buffer(&t, segs, b.nread + b.nwrite);
	}
	fields_set(out, "result", ret == 0 ? "ok" : fph_status_is_peer(ret) ?
						    "broken" : get_word(ret));
	text_move(&t, out, "buffers");
	return n;
}

/* The ring of "num", "table" and "memory"; its base by the caller. */
static struct fph_vq_device *make_ring(struct memory *m, uint64_t features,
				       uint32_t base, const struct fields *in,
				       int endian)
{
	static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(NUM_MAX) / 8];
	static struct pieces pieces;
	uint64_t num = fields_number(in, "num");
	bool indirect = fields_is(in, "indirect", "1");
	struct fph_vq_device_params params = {
		.size = sizeof(params),
		.num = (uint32_t)num,
		.features = features |
			    (uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC,
		.endian = (uint32_t)endian,
		.base = base,
		.desc = m->desc,
		.driver = m->avail,
		.device = m->used,
		.map = map,
		.map_ctx = &pieces
	};
	struct fph_vq_device *vq;

	if (num > NUM_MAX)
		die("a ring of %" PRIu64, num);
	read_pieces(&pieces, fields_get(in, "memory"));
	read_table(m, fields_get(in, "table"), num);
	if (fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), &params) !=
	    FPH_OK)
		die("fph_vq_device_init failed");
	return vq;
}

static void ring(const struct fields *in, struct fields *out)
{
	static uint64_t cookies[NUM_MAX];
	static struct memory m;
	int endian = get_endian(in);
	struct fph_vq_device *vq;

	memset(&m, 0, sizeof(m));
	vq = make_ring(&m, 0, 0, in, endian);
	read_avail(&m, in, fields_number(in, "num"), endian);
	pop_all(vq, cookies, out);
}

/* ---------------------------------------------------------------- packed -- */

/* Returns them in the order of "done", as one batch. */
static void push_done(struct fph_vq_device *vq, const uint64_t *cookies,
		      uint32_t n, const char *list)
{
	static struct fph_used used[NUM_MAX];
	uint32_t count = 0;
	const char *end;
	char word[16];

	while (fields_next(&list, word, sizeof(word))) {
		uint64_t i = parse_number(word, &end);

		if (i >= n || count == n)
			die("no buffer %s", word);
		used[count++].cookie = cookies[i];
	}
	if (count && fph_vq_device_push(vq, used, count) != (int)count)
		die("fph_vq_device_push failed");
}

/* Each descriptor that the device has written: "SLOT=ID:FLAGS". */
static void show_written(const struct memory *m, const struct memory *before,
			 uint64_t num, struct fields *out)
{
	struct text t = { 0 };

	for (uint64_t i = 0; i < num; i++) {
		const uint8_t *p = m->desc + 16 * i;

		if (memcmp(p, before->desc + 16 * i, 16))
			text_item(&t, "%" PRIu64 "=%" PRIu32 ":0x%" PRIx32, i,
				  get16(p + 12, FPH_LE), get16(p + 14, FPH_LE));
	}
	text_move(&t, out, "used");
}

static void packed(const struct fields *in, struct fields *out)
{
	static uint64_t cookies[NUM_MAX];
	static struct memory m, before;
	uint64_t place = fields_number(in, "first") |
			 (fields_is(in, "wrap", "1") ? 0x8000u : 0);
	struct fph_vq_device *vq;
	uint32_t n;

	memset(&m, 0, sizeof(m));
	vq = make_ring(&m, FPH_BIT(VIRTIO_F_RING_PACKED),
		       (uint32_t)(place << 16 | place), in, FPH_LE);
	before = m;
	n = pop_all(vq, cookies, out);
	push_done(vq, cookies, n, fields_get(in, "done"));
	show_written(&m, &before, fields_number(in, "num"), out);
}

/* ---------------------------------------------------------------- driver -- */

static void put32(uint8_t *p, uint64_t v, int endian)
{
	put16(p + (endian == FPH_LE ? 0 : 2), v & 0xffff, endian);
	put16(p + (endian == FPH_LE ? 2 : 0), v >> 16 & 0xffff, endian);
}

/* Offers one segment for each buffer; its number is its cookie. */
static void offer_all(struct fph_vq_driver *vq, const char *list)
{
	struct fph_seg seg = { .flags = FPH_SEG_WRITE };
	struct fph_buffer b = { .nwrite = 1 };
	uint64_t gpa, len;
	char word[64];

	for (; fields_next(&list, word, sizeof(word)); b.cookie++) {
		parse_range(word + 1, &gpa, &len);
		seg.gpa = gpa;
		seg.len = (uint32_t)len;
		if (fph_vq_driver_add(vq, &b, 1, &seg) != 1)
			die("fph_vq_driver_add failed");
	}
	if (fph_vq_driver_publish(vq) != FPH_OK)
		die("fph_vq_driver_publish failed");
}

/* What the device wrote: "bN+LEN" with the head of buffer N, or "ID+LEN". */
static void write_used(struct memory *m, const struct fields *in, uint64_t num,
		       int endian)
{
	const char *list = fields_get(in, "used");
	const char *end;
	char word[64];
	uint64_t id;

	for (uint64_t i = 0; fields_next(&list, word, sizeof(word)); i++) {
		bool named = word[0] == 'b';

		id = parse_number(word + named, &end);
		if (named && id < num)
			id = get16(m->avail + 4 + 2 * id, endian);
		if (i == num || *end != '+')
			die("no used entry: %s", word);
		put32(m->used + 4 + 8 * i, id, endian);
		put32(m->used + 8 + 8 * i, parse_number(end + 1, &end),
		      endian);
	}
	put16(m->used + 2, fields_number(in, "used_idx"), endian);
}

static void used(const struct fields *in, struct fields *out)
{
	static struct memory m;
	static uint64_t vq_memory[FPH_VQ_DRIVER_SIZE(NUM_MAX) / 8];
	uint64_t num = fields_number(in, "num");
	struct fph_vq_driver_params params = {
		.size = sizeof(params),
		.num = (uint32_t)num,
		.endian = (uint32_t)get_endian(in),
		.desc = m.desc,
		.driver = m.avail,
		.device = m.used
	};
	struct fph_vq_driver *vq;
	struct text t = { 0 };
	struct fph_used back;
	int ret;

	if (num > NUM_MAX ||
	    fph_vq_driver_init(&vq, vq_memory, sizeof(vq_memory), &params) !=
	    FPH_OK)
		die("fph_vq_driver_init failed");
	offer_all(vq, fields_get(in, "buffers"));
	write_used(&m, in, num, get_endian(in));
	while ((ret = fph_vq_driver_take_used(vq, &back, 1)) == 1)
		text_item(&t, "%" PRIu64, back.cookie);
	text_move(&t, out, "back");
	fields_set(out, "result", ret == 0 ? "ok" : fph_status_is_peer(ret) ?
						    "broken" : get_word(ret));
}

const struct codec_op ring_ops[] = {
	{ "ring", ring },
	{ "packed", packed },
	{ "used", used },
	{ NULL, NULL }
};
