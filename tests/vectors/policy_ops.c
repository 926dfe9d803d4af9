/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's policies: arming. */
#include <inttypes.h>
#include <stdlib.h>

#include <fph/policy.h>
#include <fph/wire.h>

#include "operations.h"

#define ID	2u

/* A hinter in a round for ID, that has nothing to send. */
static struct fph_hinter *get_hinter(void)
{
	static uint64_t memory[FPH_HINTER_SIZE(1, 1) / 8];
	const struct fph_hinter_params params = {
		.size = sizeof(params), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		.mode = FPH_HINTER_NEVER, .flags = FPH_HINTER_METADATA_OUTSIDE,
		.max_ranges = 1, .max_hints = 1
	};
	struct fph_hinter *h;

	if (fph_hinter_init(&h, memory, sizeof(memory), &params) != FPH_OK ||
	    fph_hinter_set_config(h, ID) != FPH_OK)
		die("fph_hinter failed");
	return h;
}

static uint32_t get_shift(uint64_t unit)
{
	uint32_t shift = 0;

	while (unit >> shift > 1)
		shift++;
	return shift;
}

/* An arm for each unit that has one in the list. */
static void set_arms(struct fph_arms *a, const struct fields *in)
{
	struct fph_unit unit;
	char word[64];

	while (fph_arms_next(a, &unit) == 1) {
		const char *at = fields_get(in, "arms"), *end;

		while (fields_next(&at, word, sizeof(word))) {
			uint64_t arm = parse_number(word, &end);

			if (arm - unit.gpa < unit.len &&
			    fph_arms_set(a, arm) != FPH_OK)
				die("fph_arms_set failed");
		}
	}
}

static void arm(const struct fields *in, struct fields *out)
{
	struct fph_arms_params params = {
		.size = sizeof(params),
		.shift = get_shift(fields_number(in, "unit"))
	};
	const char *at = fields_get(in, "ranges");
	struct text t = { 0 };
	struct fph_arms *a;
	uint64_t gpa, len;
	char word[64];
	void *memory;

	parse_range(fields_get(in, "memory"), &params.gpa, &params.len);
	memory = calloc(1, fph_arms_size(&params));
	if (fph_arms_init(&a, memory, fph_arms_size(&params), &params) !=
	    FPH_OK || fph_arms_begin(a, ID) != FPH_OK)
		die("fph_arms failed");
	set_arms(a, in);
	if (fph_arms_is_ready(a, get_hinter()) != 1)
		die("fph_arms_is_ready failed");
	while (fields_next(&at, word, sizeof(word))) {
		parse_range(word, &gpa, &len);
		if (fph_arms_allows(a, gpa, len))
			text_item(&t, "0x%" PRIx64 "+0x%" PRIx64, gpa, len);
	}
	text_move(&t, out, "allowed");
	free(memory);
}

const struct codec_op policy_ops[] = {
	{ "arm", arm },
	{ NULL, NULL }
};
