/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* virtio over PCI, modern devices (virtio 1.x, "Virtio Over PCI Bus"). */
#include <fph/wire.h>

#include "supervise.h"
#include "transport.h"

/* Configuration space by ports; where the balloon is; where its BAR goes. */
#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc
#define DEVICE		4u
#define BAR_ADDRESS	0xe0000000u

#define PCI_CAPS	0x34u
#define CAP_VENDOR	0x09u

enum {					/* kinds of structures */
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	CAP_ISR = 3,
	CAP_DEVICE = 4
};

/* The common configuration structure. */
#define DEV_FEATURES_SEL 0x00u
#define DEV_FEATURES	0x04u
#define DRV_FEATURES_SEL 0x08u
#define DRV_FEATURES	0x0cu
#define STATUS		0x14u
#define QUEUE_SEL	0x16u
#define QUEUE_SIZE	0x18u
#define QUEUE_ENABLE	0x1cu
#define QUEUE_NOTIFY	0x1eu
#define QUEUE_DESC	0x20u
#define QUEUE_AVAIL	0x28u
#define QUEUE_USED	0x30u

uint32_t pci_get(struct transport *t, uint32_t offset)
{
	qtest_outl(&t->vm->qtest, CONFIG_ADDRESS,
		   0x80000000u | DEVICE << 11 | offset);
	return qtest_inl(&t->vm->qtest, CONFIG_DATA);
}

void pci_set(struct transport *t, uint32_t offset, uint32_t v)
{
	qtest_outl(&t->vm->qtest, CONFIG_ADDRESS,
		   0x80000000u | DEVICE << 11 | offset);
	qtest_outl(&t->vm->qtest, CONFIG_DATA, v);
}

/* One capability at offset cap, whose first word is head. */
static void take_cap(struct transport *t, uint32_t cap, uint32_t head,
		     uint32_t *bar)
{
	uint64_t at = BAR_ADDRESS + pci_get(t, cap + 8);

	switch (head >> 24) {
	case CAP_COMMON:
		t->common = at;
		*bar = pci_get(t, cap + 4) & 0xff;
		break;
	case CAP_NOTIFY:
		t->notify = at;
		t->notify_multiplier = pci_get(t, cap + 16);
		break;
	case CAP_ISR:
		t->isr = at;
		break;
	case CAP_DEVICE:
		t->config = at;
		break;
	}
}

static void probe(struct transport *t)
{
	uint32_t cap, head, bar = 0;

	if (pci_get(t, 0) != (0x1af4u | (0x1040u + VIRTIO_ID_BALLOON) << 16))
		die("virtio-pci: no balloon");
	for (cap = pci_get(t, PCI_CAPS) & 0xff; cap; cap = head >> 8 & 0xff) {
		head = pci_get(t, cap);
		if ((head & 0xff) == CAP_VENDOR)
			take_cap(t, cap, head, &bar);
	}
	CHECK(t->common && t->notify && t->isr && t->config);
	pci_set(t, PCI_BAR + 4 * bar, BAR_ADDRESS);
	pci_set(t, PCI_BAR + 4 * bar + 4, 0);
	/* Memory, ports, bus master. */
	pci_set(t, PCI_COMMAND,
		(pci_get(t, PCI_COMMAND) & 0xffff0000u) | 7);
}

static uint8_t get_status(struct transport *t)
{
	return qtest_readb(&t->vm->qtest, t->common + STATUS);
}

static void set_status(struct transport *t, uint8_t status)
{
	qtest_writeb(&t->vm->qtest, t->common + STATUS, status);
}

static uint64_t get_features(struct transport *t)
{
	struct qtest *q = &t->vm->qtest;
	uint64_t low;

	qtest_writel(q, t->common + DEV_FEATURES_SEL, 0);
	low = qtest_readl(q, t->common + DEV_FEATURES);
	qtest_writel(q, t->common + DEV_FEATURES_SEL, 1);
	return low | (uint64_t)qtest_readl(q, t->common + DEV_FEATURES) << 32;
}

static void set_features(struct transport *t, uint64_t features)
{
	struct qtest *q = &t->vm->qtest;

	qtest_writel(q, t->common + DRV_FEATURES_SEL, 0);
	qtest_writel(q, t->common + DRV_FEATURES, (uint32_t)features);
	qtest_writel(q, t->common + DRV_FEATURES_SEL, 1);
	qtest_writel(q, t->common + DRV_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t get_queue_max(struct transport *t, uint16_t queue)
{
	qtest_writew(&t->vm->qtest, t->common + QUEUE_SEL, queue);
	return qtest_readw(&t->vm->qtest, t->common + QUEUE_SIZE);
}

static void set_address(struct transport *t, uint32_t reg, uint64_t v)
{
	qtest_writel(&t->vm->qtest, t->common + reg, (uint32_t)v);
	qtest_writel(&t->vm->qtest, t->common + reg + 4, (uint32_t)(v >> 32));
}

static void set_queue(struct transport *t, uint16_t queue, uint16_t num,
		      uint64_t desc, uint64_t avail, uint64_t used)
{
	struct qtest *q = &t->vm->qtest;

	qtest_writew(q, t->common + QUEUE_SEL, queue);
	qtest_writew(q, t->common + QUEUE_SIZE, num);
	set_address(t, QUEUE_DESC, desc);
	set_address(t, QUEUE_AVAIL, avail);
	set_address(t, QUEUE_USED, used);
	t->notify_at[queue] = t->notify + (uint64_t)t->notify_multiplier *
		qtest_readw(q, t->common + QUEUE_NOTIFY);
	qtest_writew(q, t->common + QUEUE_ENABLE, 1);
}

static void notify(struct transport *t, uint16_t queue)
{
	qtest_writew(&t->vm->qtest, t->notify_at[queue], queue);
}

/* Reading acknowledges. */
static uint8_t get_isr(struct transport *t)
{
	return qtest_readb(&t->vm->qtest, t->isr);
}

static uint32_t get_config(struct transport *t, uint32_t offset)
{
	return qtest_readl(&t->vm->qtest, t->config + offset);
}

static void set_config(struct transport *t, uint32_t offset, uint32_t v)
{
	qtest_writel(&t->vm->qtest, t->config + offset, v);
}

const struct transport_ops virtio_pci_ops = {
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
