/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reporter and hinter with much that waits: what one call costs, in
 * instructions, must not grow with that by more than its logarithm.
 *
 * Run by itself it asks valgrind (callgrind) to count a child at n and at 8n;
 * with FPH_SCALE_LONG at 262,144 ranges.  Without valgrind it skips.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "runner.h"

#define LARGE	(getenv("FPH_SCALE_LONG") ? 262144u : 32768u)
#define SMALL	(LARGE / 8)
#define REPEAT	64u
#define PAGE	4096u

static struct fph_returned *out;

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(EXIT_FAILURE);
}

#define MUST(cond) do {							\
	if (!(cond))							\
		die(#cond);						\
} while (0)

static void *get_memory(size_t size)
{
	void *mem = malloc(size);

	MUST(size && mem);
	return mem;
}

static struct fph_owned_range page_at(uint32_t i, uint32_t stride)
{
	struct fph_owned_range range = { (uint64_t)i * stride * PAGE, PAGE, i };

	return range;
}

static struct fph_reporter *make_reporter(uint32_t n, uint32_t stride)
{
	struct fph_reporter_params p = { .size = sizeof(p) };
	struct fph_owned_range range;
	struct fph_reporter *r;
	size_t size;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = n + REPEAT;
	p.window = 32;
	size = fph_reporter_size(&p);
	MUST(fph_reporter_init(&r, get_memory(size), size, &p) == FPH_OK);
	/* An odd step walks through all of a power of two, in no order. */
	for (i = 0; i < n; i++) {
		range = page_at((i * 40503u) & (n - 1), stride);
		MUST(fph_reporter_add(r, 0, &range, 1) == 1);
	}
	return r;
}

/* Fault 1: submit looked at all that waits while it is not a full buffer. */
static void submit_merged(uint32_t n)
{
	struct fph_reporter *r = make_reporter(n, 1);
	struct fph_owned_range range;
	struct fph_buffer buffer;
	struct fph_seg segs[32];
	uint32_t i;

	for (i = 0; i < REPEAT; i++) {
		range = page_at(n + i, 1);
		MUST(fph_reporter_add(r, 0, &range, 1) == 1);
		MUST(fph_reporter_submit(r, 0, &buffer, 1, segs, 32) == 0);
	}
}

/* Out and back and into the tree again, between strangers. */
static void submit_scattered(uint32_t n)
{
	struct fph_reporter *r = make_reporter(n, 2);
	struct fph_used used = { 0 };
	struct fph_buffer buffer;
	struct fph_seg segs[32];
	uint64_t when;
	uint32_t i;

	for (i = 0; i < REPEAT; i++) {
		MUST(fph_reporter_submit(r, 0, &buffer, 1, segs, 32) == 1);
		used.cookie = buffer.cookie;
		if (i % 2)
			MUST(fph_reporter_complete(r, 0, &used, 1, true) == 1);
		else
			MUST(fph_reporter_cancel(r, 0, used.cookie) == FPH_OK);
		MUST(fph_reporter_submit(r, 1u << 30, &buffer, 1, segs,
					 32) == 1);
		used.cookie = buffer.cookie;
		MUST(fph_reporter_complete(r, 0, &used, 1, true) == 1);
		MUST(fph_reporter_take_back(r, out, 64) > 0);
		MUST(fph_reporter_shrink(r, out, 8) == 8);
		fph_reporter_get_deadline(r, &when);
	}
	MUST(fph_reporter_reset(r) == FPH_OK);
}

static struct fph_hinter *make_hinter(uint32_t n, uint32_t mode)
{
	struct fph_hinter_params p = { .size = sizeof(p) };
	struct fph_owned_range range;
	struct fph_hinter *h;
	size_t size;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	p.flags = FPH_HINTER_METADATA_OUTSIDE | FPH_HINTER_INDIRECT;
	p.max_ranges = n;
	p.max_hints = 32768;
	p.max_segs = 8;
	size = fph_hinter_size(&p);
	MUST(fph_hinter_init(&h, get_memory(size), size, &p) == FPH_OK);
	MUST(fph_hinter_set_config(h, 2) == FPH_OK);
	for (i = 0; i < n; i++) {
		range = page_at((i * 40503u) & (n - 1), 2);
		MUST(fph_hinter_add(h, 2, &range, 1) == 1);
	}
	return h;
}

static uint32_t submit_all(struct fph_hinter *h)
{
	struct fph_buffer buffer;
	struct fph_seg segs[8];
	uint32_t n = 0;

	while (fph_hinter_submit(h, 65536, &buffer, 1, segs, 8) == 1)
		n++;
	return n;
}

/*
 * Fault 2: taking back what is with the device looked at each buffer that was
 * emptied before.  The last of all ranges is as cheap as the first.
 */
static void shrink_outstanding(uint32_t n)
{
	struct fph_hinter *h = make_hinter(n, FPH_HINTER_HOLD);
	uint32_t i;

	MUST(submit_all(h) == 1 + n / 8);
	for (i = 0; i + REPEAT < n; i += 32)
		MUST(fph_hinter_shrink(h, out, 32) == 32);
	for (i = 0; i < REPEAT; i++)
		MUST(fph_hinter_shrink(h, out, 1) == 1);
	MUST(fph_hinter_shrink(h, out, 1) == 0);
}

/* An id that is over: dropped, whatever waits, in one step. */
static void drop_waiting(uint32_t n)
{
	struct fph_hinter *h = make_hinter(n, FPH_HINTER_NEVER);

	MUST(submit_all(h) > 0);
	MUST(fph_hinter_set_config(h, 3) == FPH_OK);
	MUST(fph_hinter_set_config(h, 1) == FPH_OK);
}

static const struct {
	const char *name;
	void (*run)(uint32_t n);
	/* Functions whose cost is looked at: inclusive, in all calls. */
	const char *functions[5];
} cases[] = {
	{ "submit_merged", submit_merged, { "fph_reporter_submit" } },
	{ "submit_scattered", submit_scattered,
	  { "fph_reporter_submit", "fph_reporter_complete",
	    "fph_reporter_cancel", "fph_reporter_shrink",
	    "fph_reporter_reset" } },
	{ "drop_waiting", drop_waiting, { "fph_hinter_set_config" } },
};

/* ------------------------------------------------------------- callgrind -- */

/* Why nothing can be counted here, or NULL. */
static const char *why_not(void)
{
#ifdef __SANITIZE_ADDRESS__
	return "valgrind does not run what a sanitizer instruments";
#endif
#ifdef __clang__
	return "valgrind 3.19 cannot read clang's DWARF 5; gcc's build counts";
#endif
	/* So check-valgrind runs the tests. */
	if (getenv("CK_FORK"))
		return "valgrind does not run valgrind";
	if (system("valgrind --version >/dev/null 2>&1"))
		return "valgrind is not here to count with";
	return NULL;
}

static uint64_t count(const char *program, const char *name, uint32_t n,
		      const char *function)
{
	char command[1024], line[256];
	unsigned long long cost = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "FPH_SCALE_CASE=%s FPH_SCALE_N=%u valgrind --tool=callgrind "
		 "--callgrind-out-file=/dev/null --collect-atstart=no "
		 "--toggle-collect=%s '%s' 2>&1", name, n, function, program);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "Collected : ");

		if (at)
			cost = strtoull(at + 12, NULL, 10);
	}
	ck_assert_int_eq(pclose(f), 0);
	ck_assert_msg(cost != 0, "%s: nothing was counted", function);
	return cost;
}

/* An eighth of what waits: three levels less of 15 to 18.  Linear is 8. */
START_TEST(cost_does_not_grow)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	uint64_t small, large;
	size_t i;

	ck_assert_int_gt(len, 0);
	self[len] = 0;
	for (i = 0; i < 5 && cases[_i].functions[i]; i++) {
		small = count(self, cases[_i].name, SMALL,
			      cases[_i].functions[i]);
		large = count(self, cases[_i].name, LARGE,
			      cases[_i].functions[i]);
		printf("%s %s: %llu, %llu\n", cases[_i].name,
		       cases[_i].functions[i], (unsigned long long)small,
		       (unsigned long long)large);
		ck_assert_uint_le(large, small + small * 2 / 5);
	}
}
END_TEST

/* Linear in the buffers, so that it is the whole that has to be: 8 times. */
START_TEST(taking_all_is_linear)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	uint64_t small, large;

	ck_assert_int_gt(len, 0);
	self[len] = 0;
	small = count(self, "shrink_outstanding", SMALL, "fph_hinter_shrink");
	large = count(self, "shrink_outstanding", LARGE, "fph_hinter_shrink");
	printf("shrink_outstanding: %llu, %llu\n", (unsigned long long)small,
	       (unsigned long long)large);
	ck_assert_uint_le(large, small * 9);
}
END_TEST

Suite *make_suite(void)
{
	const char *name = getenv("FPH_SCALE_CASE");
	const char *n = getenv("FPH_SCALE_N");
	Suite *suite;
	TCase *tc;
	size_t i, ncases = sizeof(cases) / sizeof(cases[0]);

	if (name && n) {
		out = get_memory(64 * sizeof(*out));
		if (!strcmp(name, "shrink_outstanding"))
			shrink_outstanding((uint32_t)strtoul(n, NULL, 0));
		for (i = 0; i < ncases; i++) {
			if (!strcmp(name, cases[i].name))
				cases[i].run((uint32_t)strtoul(n, NULL, 0));
		}
		exit(EXIT_SUCCESS);
	}
	if (why_not()) {
		fprintf(stderr, "SKIP test_guest_scale: %s\n", why_not());
		exit(77);
	}
	suite = suite_create("guest_scale");
	tc = tcase_create("guest_scale");
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, cost_does_not_grow, 0, (int)ncases);
	tcase_add_test(tc, taking_all_is_linear);
	suite_add_tcase(suite, tc);
	return suite;
}
