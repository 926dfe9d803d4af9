/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#include "core/coalescer.h"

#include "testee.h"

int parse_endian(const char *text)
{
	return strcmp(text, "be") ? FPH_LE : FPH_BE;
}

static uint32_t number32(const struct request *r, int at)
{
	return (uint32_t)parse_number(r->word[at]);
}

/* ---------------------------------------------------------- config space -- */

static void print_field(const char *name, bool present, uint32_t value)
{
	if (present)
		printf(" %s=%" PRIu32, name, value);
	else
		printf(" %s=absent", name);
}

static void config_decode(const struct request *r)
{
	struct fph_balloon_config c;
	size_t len;
	uint8_t *data = parse_hex(r->word[1], &len);

	fph_config_decode(&c, data, len);
	free(data);
	printf("ok");
	print_field("num_pages", c.present & FPH_HAS_NUM_PAGES, c.num_pages);
	print_field("actual", c.present & FPH_HAS_ACTUAL, c.actual);
	print_field("cmd_id", c.present & FPH_HAS_CMD_ID,
		    c.free_page_hint_cmd_id);
	print_field("poison_val", c.present & FPH_HAS_POISON_VAL,
		    c.poison_val);
	putchar('\n');
}

static void config_encode(const struct request *r)
{
	struct fph_balloon_config c = {
		number32(r, 2), number32(r, 3), number32(r, 4), number32(r, 5),
		0
	};
	size_t len = number32(r, 1);
	uint8_t *data = malloc(len + 1);

	if (!data)
		exit(2);
	fph_config_encode(data, len, &c);
	printf("ok");
	print_hex(data, len);
	putchar('\n');
	free(data);
}

static void config_size(const struct request *r)
{
	printf("ok %" PRIu32 "\n",
	       fph_config_size(parse_number(r->word[1])));
}

/* ----------------------------------------------------------- command ids -- */

static void command_decode(const struct request *r)
{
	uint32_t id;
	size_t len;
	uint8_t *data = parse_hex(r->word[2], &len);

	if (fph_cmd_id_decode(&id, data, len, parse_endian(r->word[1])))
		puts("err length");
	else
		printf("ok %" PRIu32 "\n", id);
	free(data);
}

static void command_encode(const struct request *r)
{
	uint8_t data[FPH_CMD_ID_SIZE];

	fph_cmd_id_encode(data, number32(r, 2), parse_endian(r->word[1]));
	printf("ok");
	print_hex(data, sizeof(data));
	putchar('\n');
}

static void command_next(const struct request *r)
{
	uint32_t id = fph_cmd_id_next(number32(r, 1));

	if (id)
		printf("ok %" PRIu32 "\n", id);
	else
		puts("ok none");
}

/* ----------------------------------------------- page frames, statistics -- */

/* Decodes all entries, prints them when all are good. */
static void pfn_decode(const struct request *r)
{
	size_t len, off = 0;
	uint8_t *data = parse_hex(r->word[2], &len);
	uint64_t *gpas = malloc(8 * (len / 4 + 1));
	int n;

	if (!gpas)
		exit(2);
	n = fph_pfn_decode(gpas, (uint32_t)(len / 4 + 1), data, len, &off,
			   parse_endian(r->word[1]));
	if (n < 0 || off != len) {
		puts("err short");
	} else {
		printf("ok");
		for (int i = 0; i < n; i++)
			printf(" 0x%" PRIx64, gpas[i]);
		putchar('\n');
	}
	free(gpas);
	free(data);
}

static void pfn_encode(const struct request *r)
{
	static uint64_t gpas[MAX_WORDS];
	static uint8_t data[4 * MAX_WORDS];
	uint32_t n = (uint32_t)(r->words - 2);
	size_t off = 0;

	for (uint32_t i = 0; i < n; i++)
		gpas[i] = parse_number(r->word[i + 2]);
	if (n && fph_pfn_encode(data, sizeof(data), &off, gpas, n,
				parse_endian(r->word[1])) != (int)n) {
		puts("err refused");
		return;
	}
	printf("ok");
	print_hex(data, off);
	putchar('\n');
}

static void stat_decode(const struct request *r)
{
	size_t len, off = 0;
	uint8_t *data = parse_hex(r->word[2], &len);
	struct fph_stat *stats = malloc(sizeof(*stats) *
					(len / FPH_STAT_SIZE + 1));
	int n;

	if (!stats)
		exit(2);
	n = fph_stat_decode(stats, (uint32_t)(len / FPH_STAT_SIZE + 1), data,
			    len, &off, parse_endian(r->word[1]));
	if (n < 0 || off != len) {
		puts("err short");
	} else {
		printf("ok");
		for (int i = 0; i < n; i++)
			printf(" %u=0x%" PRIx64, stats[i].tag, stats[i].val);
		putchar('\n');
	}
	free(stats);
	free(data);
}

static void stat_encode(const struct request *r)
{
	static struct fph_stat stats[MAX_WORDS];
	static uint8_t data[FPH_STAT_SIZE * MAX_WORDS];
	uint32_t n = (uint32_t)(r->words - 2);
	size_t off = 0;

	for (uint32_t i = 0; i < n; i++) {
		const char *value = strchr(r->word[i + 2], '=');

		stats[i].tag = (uint16_t)parse_number(r->word[i + 2]);
		stats[i].val = parse_number(value ? value + 1 : "");
	}
	if (n)
		fph_stat_encode(data, sizeof(data), &off, stats, n,
				parse_endian(r->word[1]));
	printf("ok");
	print_hex(data, off);
	putchar('\n');
}

/* ---------------------------------------------------------------- queues -- */

static const char *const queue_names[] = {
	"inflate", "deflate", "stats", "hint", "report"
};
static const char *const numbering_names[] = {
	"", "fixed", "negotiated", "offered"
};

static int find(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	exit(2);
}

static void queue_index(const struct request *r)
{
	int index = fph_queue_index(find(queue_names, 5, r->word[1]),
					find(numbering_names, 4, r->word[2]),
					parse_number(r->word[3]),
					parse_number(r->word[4]));

	if (index < 0)
		puts("ok none");
	else
		printf("ok %d\n", index);
}

static void queue_infer(const struct request *r)
{
	uint32_t enabled = 0;

	for (int i = 3; i < r->words; i++)
		enabled |= 1u << number32(r, i);
	printf("ok");
	for (int n = FPH_NUMBERING_FIXED; n <= FPH_NUMBERING_OFFERED; n++) {
		int numbering;

		/* The preferred one is taken when it fits. */
		if (fph_queue_infer(&numbering, parse_number(r->word[1]),
				    parse_number(r->word[2]), enabled,
				    n) > 0 && numbering == n)
			printf(" %s", numbering_names[n]);
	}
	putchar('\n');
}

/* ---------------------------------------------------------------- ranges -- */

static void coalesce(const struct request *r)
{
	static uint64_t memory[MAX_WORDS * 16];
	struct fph_coalescer c;
	struct fph_run run;
	uint32_t nempty;
	int result = fph_coalescer_init(&c, memory, sizeof(memory), MAX_WORDS,
					parse_number(r->word[1]));

	for (int i = 2; i < r->words && result >= 0; i++) {
		struct fph_owned_range range = { 0 };

		parse_range(r->word[i], &range.gpa, &range.len);
		result = fph_coalescer_add(&c, &range, 1);
	}
	if (result < 0) {
		puts("err refused");
		return;
	}
	printf("ok");
	while (fph_coalescer_next(&c, &run, 1, &nempty) == 1)
		if (run.len)
			printf(" 0x%" PRIx64 "+0x%" PRIx64, run.gpa, run.len);
	putchar('\n');
}

/* ---------------------------------------------------------------- poison -- */

static void poison_discard(const struct request *r)
{
	static uint64_t memory[FPH_REPORT_SIZE(1, 1) / 8];
	const struct fph_report_params params = {
		.size = sizeof(params), .max_ranges = 1, .max_buffers = 1
	};
	struct fph_seg page = { 0x1000, 0x1000, FPH_SEG_WRITE };
	struct fph_buffer buffer = { .cookie = 1, .nwrite = 1 };
	struct fph_report *report;
	struct fph_run run;

	if (fph_report_init(&report, memory, sizeof(memory), &params) ||
	    fph_report_set_poison(report, number32(r, 1), number32(r, 2)) ||
	    fph_report_add(report, &buffer, 1, &page) != 1)
		exit(2);
	printf("ok %d\n", fph_report_next(report, &run, 1));
}

static const struct handler handlers[] = {
	{ "config-decode", 2, config_decode },
	{ "config-encode", 6, config_encode },
	{ "config-size", 2, config_size },
	{ "command-decode", 3, command_decode },
	{ "command-encode", 3, command_encode },
	{ "command-next", 2, command_next },
	{ "pfn-decode", 3, pfn_decode },
	{ "pfn-encode", 2, pfn_encode },
	{ "stat-decode", 3, stat_decode },
	{ "stat-encode", 2, stat_encode },
	{ "queue-index", 5, queue_index },
	{ "queue-infer", 3, queue_infer },
	{ "coalesce", 2, coalesce },
	{ "poison-discard", 3, poison_discard },
	{ NULL, 0, NULL }
};

_Bool testee_codec(const struct request *r)
{
	return request_handle(r, handlers);
}
