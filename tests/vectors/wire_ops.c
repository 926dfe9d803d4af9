/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Operations without state: config space, commands, entries, queues, ranges. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#include "core/coalescer.h"

#include "operations.h"

#define BYTES_MAX	(64u * 1024)

static uint8_t bytes[BYTES_MAX];

int get_endian(const struct fields *in)
{
	if (fields_is(in, "endian", "le"))
		return FPH_LE;
	if (!fields_is(in, "endian", "be"))
		die("no byte order");
	return FPH_BE;
}

const char *get_word(int status)
{
	switch (status) {
	case FPH_OK:
		return "ok";
	case FPH_EBUSY:
	case FPH_EINPROGRESS:
		return "busy";
	case FPH_ESTATE:
		return "state";
	case FPH_EINVAL:
		return "refused";
	case FPH_EEXHAUSTED:
		return "exhausted";
	case FPH_PEER_BROKEN:
		return "broken";
	case FPH_PEER_CMD_LEN:
		return "length";
	case FPH_PEER_SHORT:
		return "short";
	default:
		return fph_status_name(status);
	}
}

/* ---------------------------------------------------------- config space -- */

static void set_field(struct fields *out, const char *name, uint32_t v,
		      bool present)
{
	if (present)
		fields_format(out, name, "%" PRIu32, v);
	else
		fields_set(out, name, "absent");
}

static void config_decode(const struct fields *in, struct fields *out)
{
	size_t len = parse_hex(fields_get(in, "data"), bytes, BYTES_MAX);
	struct fph_balloon_config c;

	if (fph_config_decode(&c, bytes, len) != FPH_OK)
		die("fph_config_decode failed");
	set_field(out, "num_pages", c.num_pages,
		  c.present & FPH_HAS_NUM_PAGES);
	set_field(out, "actual", c.actual, c.present & FPH_HAS_ACTUAL);
	set_field(out, "cmd_id", c.free_page_hint_cmd_id,
		  c.present & FPH_HAS_CMD_ID);
	set_field(out, "poison_val", c.poison_val,
		  c.present & FPH_HAS_POISON_VAL);
}

static void config_encode(const struct fields *in, struct fields *out)
{
	struct fph_balloon_config c = {
		.num_pages = (uint32_t)fields_number(in, "num_pages"),
		.actual = (uint32_t)fields_number(in, "actual"),
		.free_page_hint_cmd_id =
			(uint32_t)fields_number(in, "cmd_id"),
		.poison_val = (uint32_t)fields_number(in, "poison_val")
	};
	size_t size = (size_t)fields_number(in, "size");
	struct text t = { 0 };

	if (size > BYTES_MAX || fph_config_encode(bytes, size, &c) != FPH_OK)
		die("fph_config_encode failed");
	text_hex(&t, bytes, size);
	text_move(&t, out, "data");
}

static void config_size(const struct fields *in, struct fields *out)
{
	fields_format(out, "size", "%" PRIu32,
		      fph_config_size(fields_number(in, "features")));
}

/* -------------------------------------------------------------- commands -- */

static void command_decode(const struct fields *in, struct fields *out)
{
	size_t len = parse_hex(fields_get(in, "data"), bytes, BYTES_MAX);
	uint32_t id = 0;
	int ret = fph_cmd_id_decode(&id, bytes, len, get_endian(in));

	fields_set(out, "result", get_word(ret));
	if (ret == FPH_OK)
		fields_format(out, "id", "%" PRIu32, id);
}

static void command_encode(const struct fields *in, struct fields *out)
{
	struct text t = { 0 };

	if (fph_cmd_id_encode(bytes, (uint32_t)fields_number(in, "id"),
			      get_endian(in)) != FPH_OK)
		die("fph_cmd_id_encode failed");
	text_hex(&t, bytes, FPH_CMD_ID_SIZE);
	text_move(&t, out, "data");
}

static void command_next(const struct fields *in, struct fields *out)
{
	uint32_t next = fph_cmd_id_next((uint32_t)fields_number(in, "id"));

	if (next)
		fields_format(out, "id", "%" PRIu32, next);
	else
		fields_set(out, "id", "none");
}

/* --------------------------------------------------------------- entries -- */

/* An odd number of entries a call, so that the last call has fewer. */
#define STEP	7u

static void pfn_decode(const struct fields *in, struct fields *out)
{
	size_t len = parse_hex(fields_get(in, "data"), bytes, BYTES_MAX);
	struct text t = { 0 };
	uint64_t gpas[STEP];
	size_t off = 0;
	int ret;

	while ((ret = fph_pfn_decode(gpas, STEP, bytes, len, &off,
				     get_endian(in))) > 0) {
		for (int i = 0; i < ret; i++)
			text_item(&t, "0x%" PRIx64, gpas[i]);
	}
	fields_set(out, "result", get_word(ret));
	if (ret == FPH_OK)
		text_move(&t, out, "gpas");
	free(t.s);
}

static void pfn_encode(const struct fields *in, struct fields *out)
{
	const char *at = fields_get(in, "gpas");
	struct text t = { 0 };
	size_t off = 0;
	uint64_t gpa;
	const char *end;
	char word[32];
	int ret = 1;

	while (ret == 1 && fields_next(&at, word, sizeof(word))) {
		gpa = parse_number(word, &end);
		ret = fph_pfn_encode(bytes, BYTES_MAX, &off, &gpa, 1,
				     get_endian(in));
	}
	fields_set(out, "result", get_word(ret == 1 ? FPH_OK : ret));
	if (ret != 1)
		return;
	text_hex(&t, bytes, off);
	text_move(&t, out, "data");
}

static void stat_decode(const struct fields *in, struct fields *out)
{
	size_t len = parse_hex(fields_get(in, "data"), bytes, BYTES_MAX);
	struct fph_stat stats[STEP];
	struct text t = { 0 };
	size_t off = 0;
	int ret;

	while ((ret = fph_stat_decode(stats, STEP, bytes, len, &off,
				      get_endian(in))) > 0) {
		for (int i = 0; i < ret; i++)
			text_item(&t, "%u=0x%" PRIx64,
				  (unsigned int)stats[i].tag, stats[i].val);
	}
	fields_set(out, "result", get_word(ret));
	if (ret == FPH_OK)
		text_move(&t, out, "stats");
	free(t.s);
}

static void stat_encode(const struct fields *in, struct fields *out)
{
	const char *at = fields_get(in, "stats");
	struct fph_stat stat = { 0 };
	struct text t = { 0 };
	size_t off = 0;
	const char *end;
	char word[64];

	while (fields_next(&at, word, sizeof(word))) {
		stat.tag = (uint16_t)parse_number(word, &end);
		if (*end != '=')
			die("no statistic: %s", word);
		stat.val = parse_number(end + 1, &end);
		if (fph_stat_encode(bytes, BYTES_MAX, &off, &stat, 1,
				    get_endian(in)) != 1)
			die("fph_stat_encode failed");
	}
	text_hex(&t, bytes, off);
	text_move(&t, out, "data");
}

/* ---------------------------------------------------------------- queues -- */

static const char *const numberings[] = {
	[FPH_NUMBERING_FIXED] = "fixed",
	[FPH_NUMBERING_NEGOTIATED] = "negotiated",
	[FPH_NUMBERING_OFFERED] = "offered"
};

static const char *const queues[FPH_NQUEUES] = {
	"inflate", "deflate", "stats", "hint", "report"
};

static int find_word(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++) {
		if (words[i] && !strcmp(words[i], word))
			return i;
	}
	die("unknown word %s", word);
}

static void queue_index(const struct fields *in, struct fields *out)
{
	int ret = fph_queue_index(
		find_word(fields_get(in, "queue"), queues, FPH_NQUEUES),
		find_word(fields_get(in, "numbering"), numberings,
			  FPH_NUMBERING_OFFERED + 1),
		fields_number(in, "offered"), fields_number(in, "negotiated"));

	if (ret >= 0)
		fields_format(out, "index", "%d", ret);
	else
		fields_set(out, "index", ret == FPH_ENOENT ? "none" :
							     get_word(ret));
}

static void queue_infer(const struct fields *in, struct fields *out)
{
	const char *at = fields_get(in, "enabled");
	uint64_t offered = fields_number(in, "offered");
	uint64_t negotiated = fields_number(in, "negotiated");
	struct text t = { 0 };
	uint32_t enabled = 0;
	const char *end;
	char word[16];
	int n, chosen;

	while (fields_next(&at, word, sizeof(word)))
		enabled |= 1u << (parse_number(word, &end) & 31);
	/* One that fits is chosen when it is preferred. */
	for (n = FPH_NUMBERING_FIXED; n <= FPH_NUMBERING_OFFERED; n++) {
		if (fph_queue_infer(&chosen, offered, negotiated, enabled,
				    n) > 0 && chosen == n)
			text_item(&t, "%s", numberings[n]);
	}
	text_move(&t, out, "fits");
}

/* ---------------------------------------------------------------- ranges -- */

#define RANGES_MAX	4096u

static void coalesce(const struct fields *in, struct fields *out)
{
	static uint64_t memory[RANGES_MAX * 16];
	const char *at = fields_get(in, "ranges");
	struct fph_owned_range range = { 0 };
	struct fph_coalescer c;
	struct text t = { 0 };
	struct fph_run runs[STEP];
	uint32_t n, nempty;
	int ret = 1;
	char word[64];

	if (fph_coalescer_init(&c, memory, sizeof(memory), RANGES_MAX,
			       fields_number(in, "granule")) != FPH_OK)
		die("fph_coalescer_init failed");
	while (ret == 1 && fields_next(&at, word, sizeof(word))) {
		parse_range(word, &range.gpa, &range.len);
		ret = fph_coalescer_add(&c, &range, 1);
		range.owner++;
	}
	fields_set(out, "result", get_word(ret == 1 ? FPH_OK : ret));
	if (ret != 1)
		return;
	while ((n = fph_coalescer_next(&c, runs, STEP, &nempty)) > 0) {
		for (uint32_t i = 0; i < n; i++) {
			if (runs[i].len)
				text_item(&t, "0x%" PRIx64 "+0x%" PRIx64,
					  runs[i].gpa, runs[i].len);
		}
	}
	text_move(&t, out, "runs");
}

/* ---------------------------------------------------------------- poison -- */

static void poison_discard(const struct fields *in, struct fields *out)
{
	static uint64_t memory[FPH_REPORT_SIZE(1, 1) / 8];
	const struct fph_report_params params = {
		.size = sizeof(params), .max_ranges = 1, .max_buffers = 1
	};
	struct fph_seg page = { 0x1000, 0x1000, FPH_SEG_WRITE };
	struct fph_buffer buffer = { .cookie = 1, .nwrite = 1 };
	struct fph_report *r;
	struct fph_run run;

	if (fph_report_init(&r, memory, sizeof(memory), &params) != FPH_OK ||
	    fph_report_set_poison(r, fields_is(in, "negotiated", "1"),
				  (uint32_t)fields_number(in, "poison_val")) !=
	    FPH_OK || fph_report_add(r, &buffer, 1, &page) != 1)
		die("fph_report failed");
	fields_format(out, "discard", "%d", fph_report_next(r, &run, 1));
}

const struct codec_op wire_ops[] = {
	{ "config_decode", config_decode },
	{ "config_encode", config_encode },
	{ "config_size", config_size },
	{ "command_decode", command_decode },
	{ "command_encode", command_encode },
	{ "command_next", command_next },
	{ "pfn_decode", pfn_decode },
	{ "pfn_encode", pfn_encode },
	{ "stat_decode", stat_decode },
	{ "stat_encode", stat_encode },
	{ "queue_index", queue_index },
	{ "queue_infer", queue_infer },
	{ "coalesce", coalesce },
	{ "poison_discard", poison_discard },
	{ NULL, NULL }
};
