/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How a driver speaks to a virtio device: one interface, three transports. */
#ifndef FPH_QEMU_TRANSPORT_H
#define FPH_QEMU_TRANSPORT_H

#include "vm.h"

/* Bits of the device status. */
#define STATUS_ACKNOWLEDGE	1u
#define STATUS_DRIVER		2u
#define STATUS_DRIVER_OK	4u
#define STATUS_FEATURES_OK	8u
#define STATUS_NEEDS_RESET	64u

/* Bits of the interrupt status. */
#define ISR_RING		1u
#define ISR_CONFIG		2u

struct transport {
	const struct transport_ops *ops;
	struct vm *vm;
	uint64_t base;			/* mmio: the registers */
	uint64_t common;		/* pci: the four structures */
	uint64_t isr;
	uint64_t config;
	uint64_t notify;
	uint32_t notify_multiplier;
	uint64_t notify_at[8];		/* pci: per queue */
};

struct transport_ops {
	/* Finds the balloon; t->vm is set. */
	void (*probe)(struct transport *t);
	uint8_t (*get_status)(struct transport *t);
	void (*set_status)(struct transport *t, uint8_t status);
	uint64_t (*get_features)(struct transport *t);
	void (*set_features)(struct transport *t, uint64_t features);
	uint32_t (*get_queue_max)(struct transport *t, uint16_t queue);
	void (*set_queue)(struct transport *t, uint16_t queue, uint16_t num,
			  uint64_t desc, uint64_t avail, uint64_t used);
	void (*notify)(struct transport *t, uint16_t queue);
	/* Reads the interrupt status and acknowledges what it read. */
	uint8_t (*get_isr)(struct transport *t);
	/* Config space; offset is a multiple of 4. */
	uint32_t (*get_config)(struct transport *t, uint32_t offset);
	void (*set_config)(struct transport *t, uint32_t offset, uint32_t v);
};

extern const struct transport_ops virtio_mmio_ops;
extern const struct transport_ops virtio_pci_ops;
extern const struct transport_ops virtio_pci_legacy_ops;

/* The balloon's PCI configuration space; offset is a multiple of 4. */
#define PCI_COMMAND	0x04u
#define PCI_BAR		0x10u

uint32_t pci_get(struct transport *t, uint32_t offset);
void pci_set(struct transport *t, uint32_t offset, uint32_t v);

#endif /* FPH_QEMU_TRANSPORT_H */
