/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <fph/wire.h>

#include "options.h"

uint64_t options_get_features(const struct options *o)
{
	const struct {
		bool on;
		unsigned int bit;
	} all[] = {
		/* Small pages are collected only from who tells before use. */
		{ true, VIRTIO_BALLOON_F_MUST_TELL_HOST },
		{ o->stats, VIRTIO_BALLOON_F_STATS_VQ },
		{ o->deflate_on_oom, VIRTIO_BALLOON_F_DEFLATE_ON_OOM },
		{ o->free_page_hint, VIRTIO_BALLOON_F_FREE_PAGE_HINT },
		{ o->page_poison, VIRTIO_BALLOON_F_PAGE_POISON },
		{ o->free_page_reporting, VIRTIO_BALLOON_F_PAGE_REPORTING },
		{ o->indirect, VIRTIO_RING_F_INDIRECT_DESC },
		{ o->event_idx, VIRTIO_RING_F_EVENT_IDX },
		{ o->packed, VIRTIO_F_RING_PACKED },
		{ o->in_order, VIRTIO_F_IN_ORDER }
	};
	uint64_t features = 0;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		features |= all[i].on ? FPH_BIT(all[i].bit) : 0;
	return features;
}
