/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One ring as the front-end sets it up.
 *
 * NUM, BASE and ADDR configure it, a kick descriptor, an in-band kick or
 * being enabled starts it, GET_VRING_BASE stops it.  Enabled or not is kept
 * apart and takes effect while it runs.
 */
#ifndef VUB_VRING_H
#define VUB_VRING_H

#include "device.h"

struct vring {
	uint32_t num;			/* entries, 0: not told yet */
	uint32_t base;			/* where it goes on when it starts */
	uint32_t new_base;		/* of a ring that nobody used */
	bool has_addr;
	uint64_t desc;			/* addresses of the front-end */
	uint64_t avail;
	uint64_t used;
	bool enabled;
	bool running;
	bool stopped;			/* by GET_VRING_BASE, until set up */
	bool suspended;			/* is to run, but has no memory now */
	bool polled;			/* no kick descriptor: look by itself */
	uint32_t false_kicks;		/* in a row, with nothing to take */
	uint8_t *host_avail;		/* while it runs */
	uint8_t *host_used;
	int kick;			/* descriptors, or -1 */
	int call;
	int err;
};

/* A ring that nobody set up. */
void vring_init(struct vring *v);

/* Close its descriptors and forget all of it; it must not run. */
void vring_reset(struct vring *v);

/* The same, but its call and err descriptors stay. */
void vring_forget_setup(struct vring *v);

/* Whether its three parts lie in the device's memory. */
bool vring_is_mapped(const struct vring *v, const struct device *d);

static inline bool vring_is_configured(const struct vring *v)
{
	return v->num != 0 && v->has_addr;
}

/* Find its parts: host_avail, host_used, new_base.  0, or EFAULT. */
int vring_map(struct vring *v, const struct device *d);

/* Start a configured ring.  0, or a positive errno value. */
int vring_start(struct vring *v, uint32_t index, struct device *d);

/*
 * Stop it, keeping its base; the device must be quiet.  0, EBUSY when a
 * buffer is still in flight all the same.
 */
int vring_stop(struct vring *v, uint32_t index, struct device *d);

/* Enable or disable; takes effect now or when it starts. */
void vring_set_enabled(struct vring *v, uint32_t index, struct device *d,
		       bool on);

/* Replace a descriptor; the old one is closed. */
void vring_set_fd(int *slot, int fd);

/* Take the notification off the kick descriptor.  False: it was closed. */
bool vring_take_kick(struct vring *v);

#endif /* VUB_VRING_H */
