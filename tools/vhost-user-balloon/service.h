/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the daemon serves, to a front-end and on the control socket: one
 * device, what a front-end set up of it, and what an operator wants of it.
 */
#ifndef VUB_SERVICE_H
#define VUB_SERVICE_H

#include "session.h"

struct service {
	struct events events;
	struct device device;
	struct session session;
	bool quit;			/* somebody wants the end */
	bool has_guest_size;		/* balloon was told as a size */
	uint64_t guest_size;		/* bytes that the guest shall keep */
};

/* params: as of device_init.  0, or a positive errno value. */
int service_init(struct service *s, const struct fph_balloon_params *params,
		 bool inband);
void service_fini(struct service *s);

/*
 * The size that the guest shall have, in bytes; what is more goes into the
 * balloon.  Kept until its memory is known.  Whether it is known now.
 */
bool service_set_guest_size(struct service *s, uint64_t bytes);

/* Apply it as far as the memory is known. */
void service_apply_guest_size(struct service *s);

#endif /* VUB_SERVICE_H */
