/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the daemon serves, to a front-end and on the control socket: one
 * device, what a front-end set up of it, and what an operator wants of it.
 */
#ifndef VUB_SERVICE_H
#define VUB_SERVICE_H

#include "governor.h"
#include "session.h"
#include "timers.h"

struct service {
	struct events events;
	struct device device;
	struct session session;
	struct timers timers;
	struct governor governor;
	bool quit;			/* somebody wants the end */
	bool has_guest_size;		/* the guest's size was told ... */
	bool applied;			/* ... and is in the target */
	uint64_t guest_size;		/* bytes that the guest shall keep */
};

/* params, memory: as of device_init.  0, or a positive errno value. */
int service_init(struct service *s, const struct fph_balloon_params *params,
		 const struct memory_policy *memory,
		 const struct timer_options *timers,
		 const struct governor_options *governor, bool inband);
void service_fini(struct service *s);

/*
 * The size that the guest shall have, in bytes: what it has more at that moment
 * goes into the balloon.  Memory that is plugged in later is the guest's; one
 * that starts anew gets this size again.  Whether its memory is known: a driver
 * runs; else it waits for one.
 */
bool service_set_guest_size(struct service *s, uint64_t bytes);

/* The size of the balloon itself, in bytes. */
void service_set_balloon_size(struct service *s, uint64_t bytes);

/* What is due by now; when there is more to do, -1 for "never". */
void service_run(struct service *s, int64_t now);
int64_t service_get_deadline(const struct service *s);

#endif /* VUB_SERVICE_H */
