// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Free page hinting: rounds, and the queue.
 *
 * All is done by one work item, in steps of bounded length.  Each step reads
 * the id anew and begins with what the device has used.  After 50 ms of steps
 * the work item is queued anew, so that it can be frozen and cancelled.
 */
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include "fph_balloon.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define MAX_RANGES	2048u		/* on their way to the device */
#define STEP_GROUPS	16u		/* groups of pages with memory */
#define TURN		(HZ / 20 + 1)
#define NOTIFY_AGAIN	(HZ / 50 + 1)
#define TURN		(HZ / 20 + 1)	/* what a guest that goes to sleep waits */

static const char *const hows[] = {
	[FPH_HINT_OFF]		= "off",
	[FPH_HINT_UNTIL_USED]	= "until_used",
	[FPH_HINT_ARMED]	= "armed",
	[FPH_HINT_NEVER]	= "never",
};

static char *hint = "until_used";
module_param(hint, charp, 0444);
MODULE_PARM_DESC(hint, "how free memory is hinted: until_used (default; safe on every host), armed, never (unsafe on QEMU with KVM without a dirty ring), off");

const char *fph_hint_how_name(enum fph_hint_how how)
{
	return hows[how];
}

/* ------------------------------------------------------------- the queue -- */

static int put(struct fph_balloon *fb, const struct fph_buffer *buffer,
	       const struct fph_seg *segs)
{
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_HINT];
	void *token = (void *)(uintptr_t)buffer->cookie;
	struct fph_hint *h = &fb->hint;
	u8 *command;
	u32 i;

	if (buffer->flags & (FPH_BUFFER_START | FPH_BUFFER_STOP)) {
		command = h->commands + buffer->index * FPH_CMD_ID_SIZE;
		memcpy(command, buffer->command, FPH_CMD_ID_SIZE);
		sg_init_one(h->sg, command, FPH_CMD_ID_SIZE);
		return virtqueue_add_outbuf(vq, h->sg, 1, token,
					    GFP_NOWAIT | __GFP_NOWARN);
	}
	sg_init_table(h->sg, buffer->nwrite);
	for (i = 0; i < buffer->nwrite; i++)
		sg_set_page(&h->sg[i], pfn_to_page(PHYS_PFN(segs[i].gpa)),
			    segs[i].len, 0);
	return virtqueue_add_inbuf(vq, h->sg, buffer->nwrite, token,
				   GFP_NOWAIT | __GFP_NOWARN);
}

/* Puts n buffers into the queue; what does not fit is cancelled, last first. */
static bool put_all(struct fph_balloon *fb, int n)
{
	struct fph_hint *h = &fb->hint;
	const struct fph_seg *segs = h->segs;
	int i;

	for (i = 0; i < n; i++) {
		if (put(fb, &h->buffers[i], segs))
			break;
		if (h->buffers[i].flags & FPH_BUFFER_STOP)
			h->round.stop_cookie = h->buffers[i].cookie;
		segs += h->buffers[i].nread + h->buffers[i].nwrite;
	}
	while (n > i)
		fph_hinter_cancel(h->core, h->buffers[--n].cookie);
	return i > 0;
}

static void pump(struct fph_balloon *fb)
{
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_HINT];
	struct fph_hint *h = &fb->hint;
	int n;

	do {
		n = fph_hinter_submit(h->core, vq->num_free, h->buffers,
				      FPH_HINT_BATCH, h->segs,
				      ARRAY_SIZE(h->segs));
	} while (n > 0 && put_all(fb, n));
	virtqueue_kick(vq);
}

static bool is_with_device(const struct fph_hint *h)
{
	struct fph_hinter_amounts amounts;

	fph_hinter_get_amounts(h->core, &amounts, sizeof(amounts));
	return amounts.buffers;
}

/*
 * QEMU (7.2 and 11.1) looks into the queue, finds nothing, and asks for
 * notifications only then: what was put there in between it does not see.  So
 * it is notified again while nothing comes back.
 */
static void reap(struct fph_balloon *fb)
{
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_HINT];
	struct fph_hint *h = &fb->hint;
	struct fph_used used = {};
	unsigned int len;
	void *token;

	token = virtqueue_get_buf(vq, &len);
	if (!token && is_with_device(h))
		virtqueue_notify(vq);
	for (; token; token = virtqueue_get_buf(vq, &len)) {
		used.cookie = (uintptr_t)token;
		fph_hinter_complete(h->core, &used, 1);
		if (used.cookie == h->round.stop_cookie)
			h->round.stopped = ktime_get();
	}
	if (h->how == FPH_HINT_UNTIL_USED)
		fph_give_back(h);
}

/* ------------------------------------------------------------- the round -- */

static void read_config(struct fph_balloon *fb)
{
	u8 bytes[FPH_CONFIG_SIZE] = {};
	struct fph_balloon_config config;

	virtio_cread_bytes(fb->vdev, FPH_CONFIG_CMD_ID,
			   bytes + FPH_CONFIG_CMD_ID, FPH_CMD_ID_SIZE);
	fph_config_decode(&config, bytes, sizeof(bytes));
	fph_hinter_set_config(fb->hint.core, config.free_page_hint_cmd_id);
}

static void end_round(struct fph_hint *h)
{
	fph_arm_end(h);
	if (!h->round.id)
		return;
	trace_fph_hint_end(&h->round);
	h->last = h->round;
	memset(&h->round, 0, sizeof(h->round));
}

static void begin_round(struct fph_hint *h, u32 id)
{
	end_round(h);
	h->round.id = id;
	h->round.seen = ktime_get();
	h->nranges = 0;
	h->next = 0;
	fph_walk_begin(&h->walk);
	if (h->how == FPH_HINT_UNTIL_USED)
		fph_take_limit(h);
	else if (h->how == FPH_HINT_ARMED)
		fph_arm_begin(h, id);
	trace_fph_hint_begin(id, h->hold);
}

/* Every buffer of the round was used, STOP too. */
static bool is_over(const struct fph_hint *h)
{
	return !is_with_device(h) && h->round.stopped;
}

/* Adds what was seen free; -ENOSPC: not all of it. */
static int add_seen(struct fph_hint *h, u32 id)
{
	int n;

	while (h->next < h->nranges) {
		n = fph_hinter_add(h->core, id, h->ranges + h->next,
				   h->nranges - h->next);
		if (n <= 0)
			return -ENOSPC;
		h->next += n;
	}
	h->nranges = 0;
	h->next = 0;
	return 0;
}

/* As fph_take_some, without taking anything. */
static int look_at_some(struct fph_hint *h, u32 id)
{
	unsigned int i;
	bool more = true;
	int ret;

	for (i = 0; i < STEP_GROUPS && more; i++) {
		ret = add_seen(h, id);
		if (ret)
			return ret;
		more = fph_walk_group(h);
	}
	ret = add_seen(h, id);
	if (ret)
		return ret;
	return more;
}

/* True when there is more to do at once. */
static bool collect(struct fph_balloon *fb, u32 id)
{
	struct fph_hint *h = &fb->hint;
	u64 before = h->round.pages;
	int ret;

	if (h->how == FPH_HINT_UNTIL_USED)
		ret = fph_take_some(h, id);
	else
		ret = look_at_some(h, id);
	trace_fph_hint_step(id, h->walk.pfn, h->round.pages - before, ret);
	if (ret < 0)
		h->round.waits++;
	if (ret) {
		fph_hinter_flush(h->core);
	} else {
		h->round.walked = ktime_get();
		fph_hinter_finish_input(h->core);
	}
	pump(fb);
	return ret > 0;
}

/* Arms first, then looks.  True when there is more to do at once. */
static bool go_on(struct fph_balloon *fb, u32 id)
{
	struct fph_hint *h = &fb->hint;
	bool more = fph_arm_next(h, id);

	pump(fb);
	return more || (fph_is_armed(h) && collect(fb, id));
}

/* One step.  True when there is more to do at once. */
static bool step(struct fph_balloon *fb)
{
	struct fph_hint *h = &fb->hint;
	bool more = false;
	u32 id;

	mutex_lock(&h->lock);
	reap(fb);
	if (h->round.id || test_bit(0, &h->changed)) {
		clear_bit(0, &h->changed);
		read_config(fb);
	}
	id = fph_hinter_get_id(h->core);
	if (id && id != h->round.id && (!h->round.id || is_over(h)))
		begin_round(h, id);
	pump(fb);		/* START, before the first look */
	if (id && id == h->round.id && !h->offlining)
		more = go_on(fb, id);
	if (!id && h->round.id && is_over(h))
		end_round(h);
	mutex_unlock(&h->lock);
	return more;
}

/* One turn.  A guest that is about to sleep waits until it is over. */
static void hint_work(struct work_struct *work)
{
	struct fph_hint *h = container_of(to_delayed_work(work),
					  struct fph_hint, work);
	struct fph_balloon *fb = container_of(h, struct fph_balloon, hint);
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_HINT];
	unsigned long end = jiffies + TURN;
	bool more;

	do {
		virtqueue_disable_cb(vq);
		more = step(fb) || !virtqueue_enable_cb(vq);
		cond_resched();
	} while (more && !READ_ONCE(fb->stopping) && time_before(jiffies, end));
	if (more)
		fph_queue_work(fb, &h->work, 0);
	else if (is_with_device(h))
		fph_queue_work(fb, &h->work, NOTIFY_AGAIN);
}

/* ---------------------------------------------------------------- events -- */

void fph_hint_used(struct virtqueue *vq)
{
	struct fph_balloon *fb = vq->vdev->priv;

	fph_queue_work(fb, &fb->hint.work, 0);
}

void fph_hint_changed(struct fph_balloon *fb)
{
	if (!fb->hint.core)
		return;
	set_bit(0, &fb->hint.changed);
	fph_queue_work(fb, &fb->hint.work, 0);
}

/*
 * While memory goes offline nothing is looked at: pfn_to_online_page() may
 * change its mind at any time then.
 */
static int memory_event(struct notifier_block *nb, unsigned long action,
			void *unused)
{
	struct fph_hint *h = container_of(nb, struct fph_hint, memory);
	struct fph_balloon *fb = container_of(h, struct fph_balloon, hint);

	if (action != MEM_GOING_OFFLINE && action != MEM_OFFLINE &&
	    action != MEM_CANCEL_OFFLINE)
		return NOTIFY_OK;
	mutex_lock(&h->lock);
	if (action == MEM_GOING_OFFLINE)
		h->offlining++;
	else if (h->offlining)
		h->offlining--;
	mutex_unlock(&h->lock);
	fph_queue_work(fb, &h->work, 0);
	return NOTIFY_OK;
}

/* ------------------------------------------------------------ init, exit -- */

static int init_core(struct fph_balloon *fb)
{
	struct fph_hint *h = &fb->hint;
	struct fph_hinter_params params = {
		.size = sizeof(params),
		.content = fb->content,
		.features = fb->vdev->features,
		.mode = h->how == FPH_HINT_UNTIL_USED ?
			FPH_HINTER_UNTIL_USED : FPH_HINTER_NEVER,
		.flags = FPH_HINTER_METADATA_OUTSIDE,	/* struct page */
		.endian = fb->endian,
		.max_ranges = MAX_RANGES,
		.max_segs = FPH_HINT_SEGS,
		.commands = FPH_HINT_COMMANDS,
	};
	size_t size = fph_hinter_size(&params);
	void *mem;
	int ret;

	if (!size) {
		dev_info(&fb->vdev->dev,
			 "no hints: free memory has content that must stay\n");
		return 0;
	}
	mem = kvmalloc(size, GFP_KERNEL);
	h->commands = kcalloc(FPH_HINT_COMMANDS, FPH_CMD_ID_SIZE, GFP_KERNEL);
	h->ranges = kvcalloc(FPH_GROUP / 2 + 1, sizeof(*h->ranges), GFP_KERNEL);
	ret = mem && h->commands && h->ranges ?
	      fph_hinter_init(&h->core, mem, size, &params) : FPH_EFULL;
	if (ret == FPH_OK)
		return 0;
	kvfree(mem);
	h->core = NULL;
	return -ENOMEM;
}

int fph_hint_init(struct fph_balloon *fb)
{
	struct fph_hint *h = &fb->hint;
	int ret;

	mutex_init(&h->lock);
	INIT_DELAYED_WORK(&h->work, hint_work);
	h->memory.notifier_call = memory_event;
	ret = match_string(hows, ARRAY_SIZE(hows), hint);
	if (ret < 0) {
		dev_err(&fb->vdev->dev, "hint=%s: no such way\n", hint);
		return ret;
	}
	h->how = ret;
	if (h->how == FPH_HINT_OFF || !fb->vqs[FPH_QUEUE_HINT])
		return 0;
	ret = init_core(fb);
	if (!ret && h->core)
		ret = register_memory_notifier(&h->memory);
	if (ret)
		fph_hint_exit(fb);
	return ret;
}

void fph_hint_exit(struct fph_balloon *fb)
{
	struct fph_hint *h = &fb->hint;

	if (h->core) {
		unregister_memory_notifier(&h->memory);
		fph_hinter_reset(h->core);
		fph_give_back(h);
		end_round(h);
	}
	kvfree(h->core);
	h->core = NULL;
	kfree(h->commands);
	h->commands = NULL;
	kvfree(h->ranges);
	h->ranges = NULL;
}
