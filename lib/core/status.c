/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Names and classes of results, and the version.
 */
#include <fph/status.h>

/* Each status.  The strings and the numbers below are in this order. */
#define STATUSES(DO) \
	DO(FPH_OK) \
	DO(FPH_EINVAL) \
	DO(FPH_ESTATE) \
	DO(FPH_EBUSY) \
	DO(FPH_EFULL) \
	DO(FPH_EEXHAUSTED) \
	DO(FPH_ENOENT) \
	DO(FPH_EREFUSED) \
	DO(FPH_EINPROGRESS) \
	DO(FPH_EEXIST) \
	DO(FPH_ECORRUPT) \
	DO(FPH_EVERSION) \
	DO(FPH_PEER_BROKEN) \
	DO(FPH_PEER_SHORT) \
	DO(FPH_PEER_CMD_LEN) \
	DO(FPH_PEER_DIRECTION) \
	DO(FPH_PEER_RANGE) \
	DO(FPH_PEER_UNMAPPED) \
	DO(FPH_PEER_AVAIL_INDEX) \
	DO(FPH_PEER_HEAD) \
	DO(FPH_PEER_NEXT) \
	DO(FPH_PEER_LONG_CHAIN) \
	DO(FPH_PEER_ORDER) \
	DO(FPH_PEER_ZERO_LEN) \
	DO(FPH_PEER_WRAP) \
	DO(FPH_PEER_TOTAL) \
	DO(FPH_PEER_INDIRECT) \
	DO(FPH_PEER_INDIRECT_NEST) \
	DO(FPH_PEER_INDIRECT_NEXT) \
	DO(FPH_PEER_INDIRECT_LEN) \
	DO(FPH_PEER_INDIRECT_ADDR) \
	DO(FPH_PEER_INFLIGHT) \
	DO(FPH_PEER_USED_INDEX) \
	DO(FPH_PEER_USED_ID) \
	DO(FPH_EUNINIT) \
	DO(FPH_ENOMEM)

/*
 * One string of names, each with its end, and a byte for each: a table of
 * pointers would be as large as all names, and be relocated.
 */
#define NAME(status)	#status "\0"
#define NUMBER(status)	status,

static const char names[] = STATUSES(NAME);
static const signed char numbers[] = { STATUSES(NUMBER) };

static const char *find_name(int status)
{
	const char *name = names;
	size_t i;

	for (i = 0; i < sizeof(numbers); i++) {
		if (numbers[i] == status)
			return name;
		while (*name++)
			;
	}
	return NULL;
}

bool fph_status_is_peer(int status)
{
	return status <= FPH_PEER_BROKEN && status > FPH_EUNINIT &&
	       find_name(status) != NULL;
}

const char *fph_status_name(int status)
{
	const char *name = find_name(status > 0 ? FPH_OK : status);

	return name != NULL ? name : "FPH_?";
}

uint32_t fph_version(void)
{
	return FPH_VERSION;
}
