/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The tests, and what they have in common. */
#ifndef FPH_QEMU_TESTS_H
#define FPH_QEMU_TESTS_H

#include "guest.h"
#include "vm.h"

#define MIB	((uint64_t)1 << 20)

struct test {
	const char *name;
	void (*fn)(const struct test *t);
	enum vm_bus bus;
	uint64_t ring;			/* feature bits of the ring */
	int mode;			/* enum fph_hinter_mode */
};

#define HINT	FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define REPORT	FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)
#define INDIRECT FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT	FPH_BIT(VIRTIO_RING_F_EVENT_IDX)
#define PACKED	FPH_BIT(VIRTIO_F_RING_PACKED)

/* Lists that end with a test without a name. */
extern const struct test report_tests[];
extern const struct test migrate_tests[];
extern const struct test reuse_tests[];

/* With --verbose, what a test has measured. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Waits for a command id, and hints until its round is over. */
void hint_round(struct guest *g);

#endif /* FPH_QEMU_TESTS_H */
