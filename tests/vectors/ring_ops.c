/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Rings as a device finds them, from the bytes of their descriptors. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "operations.h"
#include "ring_bytes.h"

#define PIECES_MAX	8u
#define PIECE_SIZE	8192u

/* Pieces of guest memory; nothing else is mapped. */
struct pieces {
	unsigned int n;
	uint64_t gpa[PIECES_MAX];
	size_t len[PIECES_MAX];
	uint8_t bytes[PIECES_MAX][PIECE_SIZE];
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

static void run_packed(uint64_t features, const struct fields *in,
		       struct fields *out)
{
	static uint64_t cookies[NUM_MAX];
	static struct memory m, before;
	uint64_t place = fields_number(in, "first") |
			 (fields_is(in, "wrap", "1") ? 0x8000u : 0);
	struct fph_vq_device *vq;
	uint32_t n;

	memset(&m, 0, sizeof(m));
	vq = make_ring(&m, features | FPH_BIT(VIRTIO_F_RING_PACKED),
		       (uint32_t)(place << 16 | place), in, FPH_LE);
	before = m;
	n = pop_all(vq, cookies, out);
	push_done(vq, cookies, n, fields_get(in, "done"));
	show_written(&m, &before, fields_number(in, "num"), out);
}

static void packed(const struct fields *in, struct fields *out)
{
	run_packed(0, in, out);
}

static void packed_in_order(const struct fields *in, struct fields *out)
{
	run_packed(FPH_BIT(VIRTIO_F_IN_ORDER), in, out);
}

const struct codec_op ring_ops[] = {
	{ "ring", ring },
	{ "packed", packed },
	{ "packed_in_order", packed_in_order },
	{ NULL, NULL }
};
