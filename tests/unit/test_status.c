/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Every status has its name and its class, and nothing else has one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/status.h>

enum status_class { CALLER, PEER, INTERNAL };

#define STATUS(status, class)	{ status, #status, class }

static const struct {
	int status;
	const char *name;
	enum status_class class;
} statuses[] = {
	STATUS(FPH_OK, CALLER),
	STATUS(FPH_EINVAL, CALLER),
	STATUS(FPH_ESTATE, CALLER),
	STATUS(FPH_EBUSY, CALLER),
	STATUS(FPH_EFULL, CALLER),
	STATUS(FPH_EEXHAUSTED, CALLER),
	STATUS(FPH_ENOENT, CALLER),
	STATUS(FPH_EREFUSED, CALLER),
	STATUS(FPH_PEER_BROKEN, PEER),
	STATUS(FPH_PEER_SHORT, PEER),
	STATUS(FPH_PEER_CMD_LEN, PEER),
	STATUS(FPH_PEER_DIRECTION, PEER),
	STATUS(FPH_PEER_RANGE, PEER),
	STATUS(FPH_PEER_UNMAPPED, PEER),
	STATUS(FPH_PEER_AVAIL_INDEX, PEER),
	STATUS(FPH_PEER_HEAD, PEER),
	STATUS(FPH_PEER_NEXT, PEER),
	STATUS(FPH_PEER_LONG_CHAIN, PEER),
	STATUS(FPH_PEER_ORDER, PEER),
	STATUS(FPH_PEER_ZERO_LEN, PEER),
	STATUS(FPH_PEER_WRAP, PEER),
	STATUS(FPH_PEER_TOTAL, PEER),
	STATUS(FPH_PEER_INDIRECT, PEER),
	STATUS(FPH_PEER_INDIRECT_NEST, PEER),
	STATUS(FPH_PEER_INDIRECT_NEXT, PEER),
	STATUS(FPH_PEER_INDIRECT_LEN, PEER),
	STATUS(FPH_PEER_INDIRECT_ADDR, PEER),
	STATUS(FPH_PEER_INFLIGHT, PEER),
	STATUS(FPH_PEER_USED_INDEX, PEER),
	STATUS(FPH_PEER_USED_ID, PEER),
	STATUS(FPH_EUNINIT, INTERNAL)
};

#define NSTATUSES	(sizeof(statuses) / sizeof(statuses[0]))

START_TEST(names_and_classes)
{
	size_t i;
	int status;

	for (i = 0; i < NSTATUSES; i++) {
		status = statuses[i].status;
		ck_assert_str_eq(fph_status_get_name(status),
				 statuses[i].name);
		ck_assert_int_eq(fph_status_is_peer(status),
				 statuses[i].class == PEER);
	}
}
END_TEST

static bool is_known(int status)
{
	size_t i;

	for (i = 0; i < NSTATUSES; i++)
		if (statuses[i].status == status)
			return true;
	return false;
}

START_TEST(nothing_else_has_a_name)
{
	int status;

	for (status = -1000; status < 0; status++) {
		if (is_known(status))
			continue;
		ck_assert_str_eq(fph_status_get_name(status), "FPH_?");
		ck_assert(!fph_status_is_peer(status));
	}
}
END_TEST

START_TEST(counts_are_ok)
{
	static const int counts[] = { 0, 1, 2, 4096, 0x7fffffff };
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		ck_assert_str_eq(fph_status_get_name(counts[i]), "FPH_OK");
		ck_assert(!fph_status_is_peer(counts[i]));
	}
}
END_TEST

START_TEST(classes_are_ranges)
{
	size_t i;

	/* A port may tell the class from the number: keep them apart. */
	for (i = 0; i < NSTATUSES; i++) {
		int status = statuses[i].status;

		if (statuses[i].class == CALLER)
			ck_assert(status <= 0 && status > -32);
		else if (statuses[i].class == PEER)
			ck_assert(status <= -32 && status > -96);
		else
			ck_assert(status <= -96);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("status");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, names_and_classes);
	tcase_add_test(tc, nothing_else_has_a_name);
	tcase_add_test(tc, counts_are_ok);
	tcase_add_test(tc, classes_are_ranges);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
