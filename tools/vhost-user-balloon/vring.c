/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "closer.h"
#include "notify.h"
#include "vring.h"

void vring_init(struct vring *v)
{
	memset(v, 0, sizeof(*v));
	v->kick = -1;
	v->call = -1;
	v->err = -1;
}

void vring_set_fd(int *slot, int fd)
{
	if (*slot >= 0)
		closer_close(*slot);
	*slot = fd;
}

void vring_forget_setup(struct vring *v)
{
	int call = v->call;
	int err = v->err;

	vring_set_fd(&v->kick, -1);
	vring_init(v);
	v->call = call;
	v->err = err;
}

void vring_reset(struct vring *v)
{
	vring_forget_setup(v);
	vring_set_fd(&v->call, -1);
	vring_set_fd(&v->err, -1);
}

/* ----------------------------------------------------------- start and stop */

struct parts {
	void *desc;
	void *avail;
	void *used;
};

static bool translate(const struct vring *v, const struct device *d,
		      struct parts *p)
{
	const struct memory_table *t = &d->memory;
	uint64_t features = device_get_negotiated(d);

	p->desc = memory_table_get_host(t, v->desc,
					FPH_VRING_DESC_SIZE(v->num));
	p->avail = memory_table_get_host(t, v->avail,
					 FPH_VRING_DRIVER_SIZE(features,
							       v->num));
	p->used = memory_table_get_host(t, v->used,
					FPH_VRING_DEVICE_SIZE(features,
							      v->num));
	return p->desc && p->avail && p->used;
}

bool vring_is_mapped(const struct vring *v, const struct device *d)
{
	struct parts p;

	return translate(v, d, &p);
}

/* Of a descriptor in a packed ring: the high byte of its flags. */
#define DESC_SIZE	16u
#define DESC_FLAGS_HIGH	15u
#define DESC_USED	0x80u

/*
 * Whether no lap of a packed ring is over.  User-mode Linux says that a new
 * ring's base is 0, whatever its layout.  To a packed one that is the begin of
 * an odd lap, and a ring that has come there has a used bit in a descriptor:
 * in one that is available in this lap or else in the last one used before.
 */
static bool is_first_lap(const uint8_t *desc, uint32_t num)
{
	uint32_t i;

	for (i = 0; i < num; i++) {
		if (desc[i * DESC_SIZE + DESC_FLAGS_HIGH] & DESC_USED)
			return false;
	}
	return true;
}

int vring_map(struct vring *v, const struct device *d)
{
	struct parts p;

	if (!vring_is_configured(v) || !translate(v, d, &p))
		return EFAULT;
	v->host_avail = p.avail;
	v->host_used = p.used;
	v->new_base = FPH_VRING_NEW_BASE(device_get_negotiated(d));
	if (v->base == 0 && v->new_base && is_first_lap(p.desc, v->num))
		v->base = v->new_base;
	return 0;
}

static void apply_enabled(const struct vring *v, uint32_t index,
			  struct device *d)
{
	if (v->running)
		device_enable_ring(d, index, v->enabled);
}

int vring_start(struct vring *v, uint32_t index, struct device *d)
{
	struct fph_balloon_ring ring = { .size = sizeof(ring) };
	struct parts p;

	if (v->running)
		return 0;
	if (!vring_is_configured(v) || !translate(v, d, &p))
		return EFAULT;
	ring.num = v->num;
	ring.base = v->base;
	ring.desc = p.desc;
	ring.driver = p.avail;
	ring.device = p.used;
	if (device_start_ring(d, index, &ring))
		return EINVAL;
	v->running = true;
	apply_enabled(v, index, d);
	return 0;
}

int vring_stop(struct vring *v, uint32_t index, struct device *d)
{
	int err;

	v->suspended = false;
	if (!v->running)
		return 0;
	err = device_stop_ring(d, index, &v->base);
	if (err)
		return err;
	v->running = false;
	return 0;
}

void vring_set_enabled(struct vring *v, uint32_t index, struct device *d,
		       bool on)
{
	v->enabled = on;
	apply_enabled(v, index, d);
}

/* ------------------------------------------------------------- descriptors */

/* How often poll may say "readable" of a descriptor with nothing to take. */
#define MAX_FALSE_KICKS	64

bool vring_take_kick(struct vring *v)
{
	int r = notify_take(v->kick);

	if (r > 0)
		v->false_kicks = 0;
	else if (r == 0)
		v->false_kicks++;
	if (r >= 0 && v->false_kicks < MAX_FALSE_KICKS)
		return true;
	/* Its other end is gone, or it would keep the loop busy for ever. */
	vring_set_fd(&v->kick, -1);
	return false;
}
