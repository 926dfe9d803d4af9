/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The reporter, for the files that it is made of.  Not installed. */
#ifndef FPH_CORE_REPORTER_H
#define FPH_CORE_REPORTER_H

#include "pool.h"

#define FPH_REPORTER_MAGIC	0x72706866u

struct fph_reporter {
	uint32_t magic;
	uint32_t state;			/* enum fph_reporter_state */
	uint32_t content;		/* enum fph_content */
	uint32_t window;
	uint32_t low_water;
	uint32_t failures;		/* in a row */
	uint32_t max_failures;
	bool retrying;
	uint64_t flush_delay;
	uint64_t first_retry_delay;
	uint64_t retry_delay;
	uint64_t retry_at;
	struct fph_reporter_counters counters;
	struct fph_pool pool;
};

#endif /* FPH_CORE_REPORTER_H */
