/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "clock.h"
#include "closer.h"
#include "service.h"

int service_init(struct service *s, const struct fph_balloon_params *params,
		 const struct memory_policy *memory,
		 const struct timer_options *timers,
		 const struct governor_options *governor, bool inband)
{
	int err;

	memset(s, 0, sizeof(*s));
	closer_init();
	events_init(&s->events);
	timers_init(&s->timers, timers);
	err = governor_init(&s->governor, governor);
	if (!err)
		err = device_init(&s->device, params, memory, &s->events);
	if (!err)
		session_init(&s->session, &s->device, inband);
	/* It decides by what the guest says. */
	if (governor->on && !timers->stats_ms)
		timers_set_stats(&s->timers, governor->interval_ms);
	return err;
}

void service_fini(struct service *s)
{
	device_fini(&s->device);
	governor_fini(&s->governor);
	session_fini();
	closer_fini();
}

static void set_target(struct service *s, uint64_t bytes)
{
	uint64_t pages = bytes >> VIRTIO_BALLOON_PFN_SHIFT;

	if (pages > UINT32_MAX)
		pages = UINT32_MAX;
	device_set_target(&s->device, (uint32_t)pages);
}

/* Apply a size of the guest that waits. */
static void apply_guest_size(struct service *s)
{
	uint64_t bytes = memory_table_get_bytes(&s->device.memory);

	if (!s->session.connected)
		s->applied = false;
	/* Regions may come one by one: they are all there when a ring runs. */
	if (!s->has_guest_size || s->applied || !s->device.enabled)
		return;
	s->applied = true;
	set_target(s, s->guest_size < bytes ? bytes - s->guest_size : 0);
}

bool service_set_guest_size(struct service *s, uint64_t bytes)
{
	s->has_guest_size = true;
	s->applied = false;
	s->guest_size = bytes;
	apply_guest_size(s);
	return s->applied;
}

void service_set_balloon_size(struct service *s, uint64_t bytes)
{
	s->has_guest_size = false;
	set_target(s, bytes);
}

/* -------------------------------------------------------------------- time */

void service_run(struct service *s, int64_t now)
{
	apply_guest_size(s);
	freeze_expire(&s->device.freeze, now);
	timers_run(&s->timers, &s->device, now);
	if (governor_run(&s->governor, &s->device, &s->timers, now))
		s->has_guest_size = false;
}

int64_t service_get_deadline(const struct service *s)
{
	int64_t at = governor_get_deadline(&s->governor);

	at = clock_earlier(at, timers_get_deadline(&s->timers, &s->device));
	return clock_earlier(at, freeze_get_deadline(&s->device.freeze));
}
