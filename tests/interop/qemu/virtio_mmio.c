/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* virtio over MMIO, version 2 (virtio 1.x, "Virtio Over MMIO"). */
#include <fph/wire.h>

#include "supervise.h"
#include "transport.h"

/* Where the microvm machine has its slots. */
#define SLOT_BASE	0xfeb00000u
#define SLOT_SIZE	0x200u
#define NSLOTS		24u

#define MAGIC		0x000u
#define VERSION		0x004u
#define DEVICE_ID	0x008u
#define DEV_FEATURES	0x010u
#define DEV_FEATURES_SEL 0x014u
#define DRV_FEATURES	0x020u
#define DRV_FEATURES_SEL 0x024u
#define QUEUE_SEL	0x030u
#define QUEUE_MAX	0x034u
#define QUEUE_NUM	0x038u
#define QUEUE_READY	0x044u
#define QUEUE_NOTIFY	0x050u
#define ISR_STATUS	0x060u
#define ISR_ACK		0x064u
#define STATUS		0x070u
#define QUEUE_DESC	0x080u
#define QUEUE_AVAIL	0x090u
#define QUEUE_USED	0x0a0u
#define CONFIG		0x100u

static uint32_t get(struct transport *t, uint32_t reg)
{
	return qtest_readl(&t->vm->qtest, t->base + reg);
}

static void set(struct transport *t, uint32_t reg, uint32_t v)
{
	qtest_writel(&t->vm->qtest, t->base + reg, v);
}

static void set64(struct transport *t, uint32_t reg, uint64_t v)
{
	set(t, reg, (uint32_t)v);
	set(t, reg + 4, (uint32_t)(v >> 32));
}

static void probe(struct transport *t)
{
	uint32_t i;

	/* The first device lands in the last slot. */
	for (i = NSLOTS; i-- > 0;) {
		t->base = SLOT_BASE + i * SLOT_SIZE;
		if (get(t, MAGIC) == 0x74726976 &&
		    get(t, DEVICE_ID) == VIRTIO_ID_BALLOON) {
			CHECK(get(t, VERSION) == 2);
			return;
		}
	}
	die("virtio-mmio: no balloon");
}

static uint8_t get_status(struct transport *t)
{
	return (uint8_t)get(t, STATUS);
}

static void set_status(struct transport *t, uint8_t status)
{
	set(t, STATUS, status);
}

static uint64_t get_features(struct transport *t)
{
	uint64_t low;

	set(t, DEV_FEATURES_SEL, 0);
	low = get(t, DEV_FEATURES);
	set(t, DEV_FEATURES_SEL, 1);
	return low | (uint64_t)get(t, DEV_FEATURES) << 32;
}

static void set_features(struct transport *t, uint64_t features)
{
	set(t, DRV_FEATURES_SEL, 0);
	set(t, DRV_FEATURES, (uint32_t)features);
	set(t, DRV_FEATURES_SEL, 1);
	set(t, DRV_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t get_queue_max(struct transport *t, uint16_t queue)
{
	set(t, QUEUE_SEL, queue);
	return get(t, QUEUE_MAX);
}

static void set_queue(struct transport *t, uint16_t queue, uint16_t num,
		      uint64_t desc, uint64_t avail, uint64_t used)
{
	set(t, QUEUE_SEL, queue);
	set(t, QUEUE_NUM, num);
	set64(t, QUEUE_DESC, desc);
	set64(t, QUEUE_AVAIL, avail);
	set64(t, QUEUE_USED, used);
	set(t, QUEUE_READY, 1);
}

static void notify(struct transport *t, uint16_t queue)
{
	set(t, QUEUE_NOTIFY, queue);
}

static uint8_t get_isr(struct transport *t)
{
	uint32_t isr = get(t, ISR_STATUS);

	if (isr)
		set(t, ISR_ACK, isr);
	return (uint8_t)isr;
}

static uint32_t get_config(struct transport *t, uint32_t offset)
{
	return get(t, CONFIG + offset);
}

static void set_config(struct transport *t, uint32_t offset, uint32_t v)
{
	set(t, CONFIG + offset, v);
}

const struct transport_ops virtio_mmio_ops = {
	.probe = probe,
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_queue_max = get_queue_max,
	.set_queue = set_queue,
	.notify = notify,
	.get_isr = get_isr,
	.get_config = get_config,
	.set_config = set_config,
};
