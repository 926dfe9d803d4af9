/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "service.h"

int service_init(struct service *s, const struct fph_balloon_params *params,
		 bool inband)
{
	int err;

	memset(s, 0, sizeof(*s));
	events_init(&s->events);
	err = device_init(&s->device, params, &s->events);
	if (!err)
		session_init(&s->session, &s->device, inband);
	return err;
}

void service_fini(struct service *s)
{
	device_fini(&s->device);
}

void service_apply_guest_size(struct service *s)
{
	uint64_t bytes = memory_table_get_bytes(&s->device.memory);
	uint64_t pages = 0;

	if (!s->has_guest_size || !bytes)
		return;
	if (s->guest_size < bytes)
		pages = (bytes - s->guest_size) >> VIRTIO_BALLOON_PFN_SHIFT;
	if (pages > UINT32_MAX)
		pages = UINT32_MAX;
	device_set_target(&s->device, (uint32_t)pages);
}

bool service_set_guest_size(struct service *s, uint64_t bytes)
{
	s->has_guest_size = true;
	s->guest_size = bytes;
	service_apply_guest_size(s);
	return memory_table_get_bytes(&s->device.memory) != 0;
}
