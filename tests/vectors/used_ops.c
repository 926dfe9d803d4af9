/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Rings as a driver finds them: buffers that come back. */
#include <inttypes.h>
#include <string.h>

#include "operations.h"
#include "ring_bytes.h"

#define AVAIL_RING	4u
#define USED_RING	4u
#define USED_FLAGS	0x8080u		/* of a packed ring, in odd laps */

/* A ring, its driver, and the id of each buffer that was offered. */
struct driver {
	struct memory m;
	struct fph_vq_driver *vq;
	uint64_t num;
	bool packed;
	int endian;
	uint64_t place;			/* buffers or descriptors until now */
	uint32_t n;
	uint32_t id[NUM_MAX];
};

static struct driver *make_driver(const struct fields *in, uint64_t features,
				  int endian)
{
	static uint64_t vq_memory[FPH_VQ_DRIVER_SIZE(NUM_MAX) / 8];
	static struct driver d;
	struct fph_vq_driver_params params = {
		.size = sizeof(params),
		.num = (uint32_t)fields_number(in, "num"),
		.features = features,
		.endian = (uint32_t)endian,
		.desc = d.m.desc,
		.driver = d.m.avail,
		.device = d.m.used
	};

	memset(&d, 0, sizeof(d));
	d.num = params.num;
	d.packed = features & FPH_BIT(VIRTIO_F_RING_PACKED);
	d.endian = endian;
	if (d.num > NUM_MAX ||
	    fph_vq_driver_init(&d.vq, vq_memory, sizeof(vq_memory), &params) !=
	    FPH_OK)
		die("fph_vq_driver_init failed");
	return &d;
}

/* Offers one buffer; its number is its cookie. */
static void offer(struct driver *d, const char *text)
{
	struct fph_seg segs[NUM_MAX];
	struct fph_buffer b = { .cookie = d->n };
	uint64_t gpa, len, last;

	for (const char *at = text; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (b.nwrite == NUM_MAX || d->n == NUM_MAX)
			die("too many buffers");
		parse_range(at + 1, &gpa, &len);
		segs[b.nwrite++] = (struct fph_seg) {
			.gpa = gpa,
			.len = (uint32_t)len,
			.flags = FPH_SEG_WRITE
		};
	}
	if (fph_vq_driver_add(d->vq, &b, 1, segs) != 1 ||
	    fph_vq_driver_publish(d->vq) != FPH_OK)
		die("a buffer was not offered: %s", text);
	d->place += d->packed ? b.nwrite : 1;
	last = (d->place - 1) % d->num;
	d->id[d->n++] = d->packed ? get16(d->m.desc + 16 * last + 12, FPH_LE) :
			get16(d->m.avail + AVAIL_RING + 2 * last, d->endian);
}

static void offer_all(struct driver *d, const char *list)
{
	char word[256];

	while (fields_next(&list, word, sizeof(word)))
		offer(d, word);
}

/* What a device writes to return a buffer: value is a length, or flags. */
static void write_one(struct driver *d, uint64_t at, uint64_t id,
		      uint64_t value)
{
	uint8_t *p = d->packed ? d->m.desc + 16 * at + 12 :
				 d->m.used + USED_RING + 8 * at;

	if (at >= d->num)
		die("no place %" PRIu64, at);
	if (d->packed) {
		put16(p, id, FPH_LE);
		put16(p + 2, value, FPH_LE);
	} else {
		put32(p, id, d->endian);
		put32(p + 4, value, d->endian);
	}
}

/* So many buffers of one descriptor are offered and come back. */
static void go_on(struct driver *d, uint64_t first)
{
	struct fph_used back;

	for (uint64_t i = 0; i < first; i++) {
		offer(d, "W0x0+0x1000");
		write_one(d, i % d->num, d->id[0],
			  d->packed && i / d->num % 2 == 0 ? USED_FLAGS : 0);
		if (!d->packed)
			put16(d->m.used + 2, i + 1, d->endian);
		if (fph_vq_driver_take_used(d->vq, &back, 1) != 1)
			die("a buffer did not come back");
		d->n = 0;
	}
}

/* "bN", the id of buffer N, or an id; then the mark and a number. */
static uint64_t parse_written(const struct driver *d, const char *word,
			      char mark, uint64_t *value)
{
	bool named = word[0] == 'b';
	const char *end;
	uint64_t id = parse_number(word + named, &end);

	if (*end != mark || (named && id >= d->n))
		die("nothing of a device: %s", word);
	*value = parse_number(end + 1, &end);
	return named ? d->id[id] : id;
}

/* "PLACE=" and what parse_written takes. */
static void write_places(struct driver *d, const char *list, char mark)
{
	uint64_t at, id, value;
	const char *end;
	char word[64];

	while (fields_next(&list, word, sizeof(word))) {
		at = parse_number(word, &end);
		if (*end != '=')
			die("no place: %s", word);
		id = parse_written(d, end + 1, mark, &value);
		write_one(d, at, id, value);
	}
}

static void take_back(struct driver *d, struct fields *out)
{
	struct text t = { 0 };
	struct fph_used back;
	int ret;

	while ((ret = fph_vq_driver_take_used(d->vq, &back, 1)) == 1)
		text_item(&t, "%" PRIu64, back.cookie);
	text_move(&t, out, "back");
	fields_set(out, "result", ret == 0 ? "ok" : fph_status_is_peer(ret) ?
						    "broken" : get_word(ret));
}

static void used(const struct fields *in, struct fields *out)
{
	struct driver *d = make_driver(in, 0, get_endian(in));
	const char *list = fields_get(in, "used");
	uint64_t id, value;
	char word[64];

	offer_all(d, fields_get(in, "buffers"));
	for (uint64_t i = 0; fields_next(&list, word, sizeof(word)); i++) {
		id = parse_written(d, word, '+', &value);
		write_one(d, i, id, value);
	}
	put16(d->m.used + 2, fields_number(in, "used_idx"), d->endian);
	take_back(d, out);
}

static void used_in_order(const struct fields *in, struct fields *out)
{
	struct driver *d = make_driver(in, FPH_BIT(VIRTIO_F_IN_ORDER), FPH_LE);

	go_on(d, fields_number(in, "first"));
	offer_all(d, fields_get(in, "buffers"));
	write_places(d, fields_get(in, "used"), '+');
	put16(d->m.used + 2, fields_number(in, "used_idx"), FPH_LE);
	take_back(d, out);
}

static void packed_used(const struct fields *in, struct fields *out)
{
	bool in_order = fields_is(in, "in_order", "1");
	struct driver *d = make_driver(in, FPH_BIT(VIRTIO_F_RING_PACKED) |
				       (uint64_t)in_order << VIRTIO_F_IN_ORDER,
				       FPH_LE);

	go_on(d, fields_number(in, "first"));
	offer_all(d, fields_get(in, "buffers"));
	write_places(d, fields_get(in, "used"), ':');
	take_back(d, out);
}

const struct codec_op used_ops[] = {
	{ "used", used },
	{ "used_in_order", used_in_order },
	{ "packed_used", packed_used },
	{ NULL, NULL }
};
