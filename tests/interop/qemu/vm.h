/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A QEMU with a balloon device and a guest that does nothing: its processor
 * halts in a ROM of our own, so that the virtual machine runs, as a live
 * migration needs, and all that a driver does is done from here.
 */
#ifndef FPH_QEMU_VM_H
#define FPH_QEMU_VM_H

#include <sys/types.h>

#include "qmp.h"
#include "qtest.h"

enum vm_bus {
	VM_MMIO,			/* microvm, virtio-mmio */
	VM_PCI,				/* q35, virtio over modern PCI */
	VM_PCI_LEGACY			/* the same, its legacy interface */
};

struct vm {
	enum vm_bus bus;
	pid_t pid;
	int ram_fd;			/* guest memory: offset is address */
	uint8_t *ram;
	uint64_t size;			/* bytes */
	struct qtest qtest;
	struct qmp qmp;
	char incoming[128];		/* where to migrate to, or empty */
};

/* NULL, or why no QEMU can be run here. */
const char *vm_why_not(void);

/*
 * vm_start - start a QEMU with size bytes of memory
 *
 * incoming: it waits for a migration, whose address is vm->incoming.
 */
void vm_start(struct vm *vm, enum vm_bus bus, uint64_t size, bool incoming);

/* Ends it; fatal when it had ended before, or does not end with 0. */
void vm_stop(struct vm *vm);

/* Bytes of host memory behind the guest's. */
uint64_t vm_get_allocated(const struct vm *vm);

/* Whether there is host memory behind each page: npages entries. */
void vm_get_present(const struct vm *vm, bool *present, uint64_t npages);

#endif /* FPH_QEMU_VM_H */
