/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Every status has its name and its class, and nothing else has one. */
#include <stdlib.h>
#include <string.h>

#include <fph/status.h>

#include "runner.h"

enum status_class { CALLER, PEER, INTERNAL };

/*
 * Written down by hand, with the numbers: they are part of the interface.
 * Fault 12: FPH_ENOMEM had no name, and this list was the library's own.
 */
static const struct {
	int status;
	const char *name;
	enum status_class class;
} statuses[] = {
	{ 0, "FPH_OK", CALLER },
	{ -1, "FPH_EINVAL", CALLER },
	{ -2, "FPH_ESTATE", CALLER },
	{ -3, "FPH_EBUSY", CALLER },
	{ -4, "FPH_EFULL", CALLER },
	{ -5, "FPH_EEXHAUSTED", CALLER },
	{ -6, "FPH_ENOENT", CALLER },
	{ -7, "FPH_EREFUSED", CALLER },
	{ -8, "FPH_EINPROGRESS", CALLER },
	{ -9, "FPH_EEXIST", CALLER },
	{ -10, "FPH_ECORRUPT", CALLER },
	{ -11, "FPH_EVERSION", CALLER },
	{ -32, "FPH_PEER_BROKEN", PEER },
	{ -33, "FPH_PEER_SHORT", PEER },
	{ -34, "FPH_PEER_CMD_LEN", PEER },
	{ -35, "FPH_PEER_DIRECTION", PEER },
	{ -36, "FPH_PEER_RANGE", PEER },
	{ -37, "FPH_PEER_UNMAPPED", PEER },
	{ -48, "FPH_PEER_AVAIL_INDEX", PEER },
	{ -49, "FPH_PEER_HEAD", PEER },
	{ -50, "FPH_PEER_NEXT", PEER },
	{ -51, "FPH_PEER_LONG_CHAIN", PEER },
	{ -52, "FPH_PEER_ORDER", PEER },
	{ -53, "FPH_PEER_ZERO_LEN", PEER },
	{ -54, "FPH_PEER_WRAP", PEER },
	{ -55, "FPH_PEER_TOTAL", PEER },
	{ -56, "FPH_PEER_INDIRECT", PEER },
	{ -57, "FPH_PEER_INDIRECT_NEST", PEER },
	{ -58, "FPH_PEER_INDIRECT_NEXT", PEER },
	{ -59, "FPH_PEER_INDIRECT_LEN", PEER },
	{ -60, "FPH_PEER_INDIRECT_ADDR", PEER },
	{ -61, "FPH_PEER_INFLIGHT", PEER },
	{ -62, "FPH_PEER_USED_INDEX", PEER },
	{ -63, "FPH_PEER_USED_ID", PEER },
	{ -96, "FPH_EUNINIT", INTERNAL },
	{ -97, "FPH_ENOMEM", INTERNAL }
};

#define NSTATUSES	(sizeof(statuses) / sizeof(statuses[0]))

/* The compiler would say it if two had one number. */
START_TEST(numbers_have_their_symbols)
{
	size_t n = 0;
	int status;

	for (status = -1000; status <= 0; status++) {
		switch (status) {
		case FPH_OK:
		case FPH_EINVAL:
		case FPH_ESTATE:
		case FPH_EBUSY:
		case FPH_EFULL:
		case FPH_EEXHAUSTED:
		case FPH_ENOENT:
		case FPH_EREFUSED:
		case FPH_EINPROGRESS:
		case FPH_EEXIST:
		case FPH_ECORRUPT:
		case FPH_EVERSION:
		case FPH_PEER_BROKEN:
		case FPH_PEER_SHORT:
		case FPH_PEER_CMD_LEN:
		case FPH_PEER_DIRECTION:
		case FPH_PEER_RANGE:
		case FPH_PEER_UNMAPPED:
		case FPH_PEER_AVAIL_INDEX:
		case FPH_PEER_HEAD:
		case FPH_PEER_NEXT:
		case FPH_PEER_LONG_CHAIN:
		case FPH_PEER_ORDER:
		case FPH_PEER_ZERO_LEN:
		case FPH_PEER_WRAP:
		case FPH_PEER_TOTAL:
		case FPH_PEER_INDIRECT:
		case FPH_PEER_INDIRECT_NEST:
		case FPH_PEER_INDIRECT_NEXT:
		case FPH_PEER_INDIRECT_LEN:
		case FPH_PEER_INDIRECT_ADDR:
		case FPH_PEER_INFLIGHT:
		case FPH_PEER_USED_INDEX:
		case FPH_PEER_USED_ID:
		case FPH_EUNINIT:
		case FPH_ENOMEM:
			ck_assert_str_ne(fph_status_name(status), "FPH_?");
			n++;
			break;
		default:
			ck_assert_str_eq(fph_status_name(status), "FPH_?");
		}
	}
	ck_assert_uint_eq(n, NSTATUSES);
}
END_TEST

START_TEST(names_and_classes)
{
	size_t i;
	int status;

	for (i = 0; i < NSTATUSES; i++) {
		status = statuses[i].status;
		ck_assert_str_eq(fph_status_name(status),
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
		ck_assert_str_eq(fph_status_name(status), "FPH_?");
		ck_assert(!fph_status_is_peer(status));
	}
}
END_TEST

START_TEST(counts_are_ok)
{
	static const int counts[] = { 0, 1, 2, 4096, 0x7fffffff };
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		ck_assert_str_eq(fph_status_name(counts[i]), "FPH_OK");
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

START_TEST(the_version_that_runs)
{
	ck_assert_uint_eq(fph_version(), FPH_VERSION);
	ck_assert_uint_eq(fph_version() >> 16, FPH_VERSION_MAJOR);
	ck_assert_uint_eq(fph_version() >> 8 & 0xff, FPH_VERSION_MINOR);
	ck_assert_uint_eq(fph_version() & 0xff, FPH_VERSION_PATCH);
	ck_assert(FPH_VERSION >= FPH_VERSION_OF(0, 1, 255));
	ck_assert(FPH_VERSION < FPH_VERSION_OF(FPH_VERSION_MAJOR + 1, 0, 0));
}
END_TEST

RUNNER_SUITE("status",
	     numbers_have_their_symbols,
	     names_and_classes,
	     nothing_else_has_a_name,
	     counts_are_ok,
	     classes_are_ranges,
	     the_version_that_runs)
