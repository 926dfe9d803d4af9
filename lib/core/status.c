/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Names and classes of results, and the version.
 */
#include <fph/status.h>

struct status_name {
	int status;
	const char *name;
};

#define NAME(status)	{ status, #status }

static const struct status_name status_names[] = {
	NAME(FPH_OK),
	NAME(FPH_EINVAL),
	NAME(FPH_ESTATE),
	NAME(FPH_EBUSY),
	NAME(FPH_EFULL),
	NAME(FPH_EEXHAUSTED),
	NAME(FPH_ENOENT),
	NAME(FPH_EREFUSED),
	NAME(FPH_EINPROGRESS),
	NAME(FPH_EEXIST),
	NAME(FPH_ECORRUPT),
	NAME(FPH_EVERSION),
	NAME(FPH_PEER_BROKEN),
	NAME(FPH_PEER_SHORT),
	NAME(FPH_PEER_CMD_LEN),
	NAME(FPH_PEER_DIRECTION),
	NAME(FPH_PEER_RANGE),
	NAME(FPH_PEER_UNMAPPED),
	NAME(FPH_PEER_AVAIL_INDEX),
	NAME(FPH_PEER_HEAD),
	NAME(FPH_PEER_NEXT),
	NAME(FPH_PEER_LONG_CHAIN),
	NAME(FPH_PEER_ORDER),
	NAME(FPH_PEER_ZERO_LEN),
	NAME(FPH_PEER_WRAP),
	NAME(FPH_PEER_TOTAL),
	NAME(FPH_PEER_INDIRECT),
	NAME(FPH_PEER_INDIRECT_NEST),
	NAME(FPH_PEER_INDIRECT_NEXT),
	NAME(FPH_PEER_INDIRECT_LEN),
	NAME(FPH_PEER_INDIRECT_ADDR),
	NAME(FPH_PEER_INFLIGHT),
	NAME(FPH_PEER_USED_INDEX),
	NAME(FPH_PEER_USED_ID),
	NAME(FPH_EUNINIT),
	NAME(FPH_ENOMEM)
};

static const char *find_name(int status)
{
	size_t i;

	for (i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
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
