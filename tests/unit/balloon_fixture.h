/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Runs of the balloon device one at a time, done well or badly. */
#ifndef BALLOON_FIXTURE_H
#define BALLOON_FIXTURE_H

#include "guest.h"

/* FPH_OK, or what complete answers. */
static inline int complete_run(struct fph_balloon *b, const struct fph_run *run,
			       bool ok)
{
	struct fph_run done = *run;
	int ret;

	done.outcome = ok ? FPH_OUTCOME_DISCARDED : FPH_OUTCOME_FAILED;
	done.freed = ok ? run->len : 0;
	ret = fph_balloon_complete(b, &done, 1);
	return ret == 1 ? FPH_OK : ret;
}

static inline int complete_hint(struct fph_balloon *b,
				const struct fph_run *run, bool ok)
{
	struct fph_run done = *run;
	int ret;

	done.outcome = ok ? FPH_OUTCOME_CLEARED : FPH_OUTCOME_FAILED;
	done.freed = ok ? run->len : 0;
	ret = fph_balloon_hint_complete(b, &done, 1);
	return ret == 1 ? FPH_OK : ret;
}

#endif /* BALLOON_FIXTURE_H */
