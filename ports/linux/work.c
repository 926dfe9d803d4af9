// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#include "fph_balloon.h"

void fph_queue_work(struct fph_balloon *fb, struct delayed_work *work,
		    unsigned long delay)
{
	unsigned long flags;

	spin_lock_irqsave(&fb->stop_lock, flags);
	if (!fb->stopping)
		mod_delayed_work(fb->wq, work, delay);
	spin_unlock_irqrestore(&fb->stop_lock, flags);
}

static bool was_used(struct virtqueue *vq, void **token)
{
	unsigned int len;

	*token = virtqueue_get_buf(vq, &len);
	return *token || virtqueue_is_broken(vq);
}

/*
 * Until the device has used the one buffer in a queue: its token, or NULL from a
 * broken queue.  A notification or an interrupt can be lost when a host stops
 * and goes on, and nobody may wait for ever for that: rmmod waits for us.
 */
void *fph_wait_used(struct virtqueue *vq, wait_queue_head_t *acked)
{
	void *token;

	while (!wait_event_timeout(*acked, was_used(vq, &token), HZ))
		virtqueue_notify(vq);
	return token;
}
