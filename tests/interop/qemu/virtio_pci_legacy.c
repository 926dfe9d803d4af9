/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * virtio over PCI, legacy interface: registers in ports, a ring whose size is
 * the device's and whose areas follow each other (virtio 1.x, "Legacy
 * Interfaces: A Note on PCI Device Layout" and "A Note on Virtqueue Layout").
 */
#include <fph/wire.h>

#include "supervise.h"
#include "transport.h"

#define LEGACY_BALLOON	(0x1af4u | 0x1002u << 16)
#define PORTS		0xc000u

#define DEV_FEATURES	0u
#define DRV_FEATURES	4u
#define QUEUE_PFN	8u
#define QUEUE_SIZE	12u
#define QUEUE_SEL	14u
#define QUEUE_NOTIFY	16u
#define STATUS		18u
#define ISR		19u
#define CONFIG		20u		/* without MSI-X */

static void probe(struct transport *t)
{
	if (pci_get(t, 0) != LEGACY_BALLOON)
		die("virtio-pci: no legacy balloon");
	pci_set(t, PCI_BAR, PORTS);
	pci_set(t, PCI_COMMAND,
		(pci_get(t, PCI_COMMAND) & 0xffff0000u) | 7);
}

static uint8_t get_status(struct transport *t)
{
	return qtest_inb(&t->vm->qtest, PORTS + STATUS);
}

static void set_status(struct transport *t, uint8_t status)
{
	qtest_outb(&t->vm->qtest, PORTS + STATUS, status);
}

static uint64_t get_features(struct transport *t)
{
	return qtest_inl(&t->vm->qtest, PORTS + DEV_FEATURES);
}

static void set_features(struct transport *t, uint64_t features)
{
	CHECK(!(features >> 32));
	qtest_outl(&t->vm->qtest, PORTS + DRV_FEATURES, (uint32_t)features);
}

static uint32_t get_queue_max(struct transport *t, uint16_t queue)
{
	qtest_outw(&t->vm->qtest, PORTS + QUEUE_SEL, queue);
	return qtest_inw(&t->vm->qtest, PORTS + QUEUE_SIZE);
}

static void set_queue(struct transport *t, uint16_t queue, uint16_t num,
		      uint64_t desc, uint64_t avail, uint64_t used)
{
	uint64_t end = avail + 6 + 2u * num;

	CHECK(get_queue_max(t, queue) == num);
	CHECK(desc % 4096 == 0 && avail == desc + 16u * num);
	CHECK(used == (end + 4095) / 4096 * 4096);
	qtest_outl(&t->vm->qtest, PORTS + QUEUE_PFN, (uint32_t)(desc / 4096));
}

static void notify(struct transport *t, uint16_t queue)
{
	qtest_outw(&t->vm->qtest, PORTS + QUEUE_NOTIFY, queue);
}

/* Reading acknowledges. */
static uint8_t get_isr(struct transport *t)
{
	return qtest_inb(&t->vm->qtest, PORTS + ISR);
}

static uint32_t get_config(struct transport *t, uint32_t offset)
{
	return qtest_inl(&t->vm->qtest, (uint16_t)(PORTS + CONFIG + offset));
}

static void set_config(struct transport *t, uint32_t offset, uint32_t v)
{
	qtest_outl(&t->vm->qtest, (uint16_t)(PORTS + CONFIG + offset), v);
}

const struct transport_ops virtio_pci_legacy_ops = {
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
