/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Keeps the guest's memory as the policy decides: looks at the guest's
 * statistics and at the host's pressure from time to time, and sets the target.
 */
#ifndef VUB_GOVERNOR_H
#define VUB_GOVERNOR_H

#include "policy.h"
#include "timers.h"

struct governor_options {
	bool on;			/* there is a policy */
	struct policy policy;
	uint32_t interval_ms;		/* between decisions */
	const char *pressure_path;	/* a file in the format of PSI */
};

struct governor {
	struct governor_options options;
	bool enabled;			/* it decides now */
	int fd;				/* of the pressure, or -1 */
	int64_t next;			/* when it decides again */
	uint32_t calm;
	bool has_pressure;
	uint32_t pressure;		/* hundredths of a percent */
	struct policy_result last;
};

/* 0, or why the file of the pressure cannot be used: a positive errno value. */
int governor_init(struct governor *g, const struct governor_options *options);
void governor_fini(struct governor *g);

/* Switch it off or on again; it must have a policy. */
void governor_enable(struct governor *g, bool on);

/* Decide, if it is time.  Whether there is a new target for the device. */
bool governor_run(struct governor *g, struct device *d,
		  const struct timers *t, int64_t now);
int64_t governor_get_deadline(const struct governor *g);

#endif /* VUB_GOVERNOR_H */
