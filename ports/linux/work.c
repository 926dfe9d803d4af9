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
