/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Queues of the balloon, in guest memory that a migration copies. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "../../guest/pages.h"
#include "balloon.h"
#include "supervise.h"

/* What a queue has in guest memory, from its place on; bytes. */
#define RINGS		0x100000u	/* the first queue's place */
#define RING_STRIDE	0x2a000u
#define COMMANDS	0x8000u
#define TABLES		0x9000u		/* indirect ones, one for an entry */

/* Entries of a ring, where the driver may say it. */
#define RING_ENTRIES	256u

#define TABLE_SIZE	(16u * BALLOON_SEGS)
#define COMMAND_SIZE	16u

/* As a legacy device wants them; others take them anywhere. */
static void place_areas(struct balloon_queue *q)
{
	uint64_t end;

	q->avail = q->gpa + FPH_VRING_DESC_SIZE(q->num);
	end = q->avail + FPH_VRING_DRIVER_SIZE(0, q->num);
	q->used = (end + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE;
	CHECK(q->used + FPH_VRING_DEVICE_SIZE(0, q->num) <= q->gpa + COMMANDS);
}

static bool is_legacy(const struct balloon *b)
{
	return b->vm->bus == VM_PCI_LEGACY;
}

static uint16_t choose_num(const struct balloon *b, uint32_t max)
{
	CHECK(max >= 32 && max <= BALLOON_RING_MAX);
	return (uint16_t)(is_legacy(b) || max < RING_ENTRIES ? max :
			  RING_ENTRIES);
}

static void make_queue(struct balloon *b, int queue)
{
	struct balloon_queue *q = &b->queue[queue];
	const struct transport_ops *ops = b->transport.ops;
	struct fph_vq_driver_params p = { .size = sizeof(p) };
	int index;

	/* This device counts the queues that it offers. */
	index = fph_queue_index(queue, FPH_NUMBERING_OFFERED, b->offered,
				    b->features);
	if (index == FPH_ENOENT)
		return;
	CHECK(index >= 0);
	q->index = (uint16_t)index;
	q->gpa = RINGS + (uint32_t)queue * RING_STRIDE;
	q->num = choose_num(b, ops->get_queue_max(&b->transport, q->index));
	place_areas(q);
	p.num = q->num;
	p.features = b->features;
	p.desc = b->ram + q->gpa;
	p.driver = b->ram + q->avail;
	p.device = b->ram + q->used;
	if (b->features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC)) {
		CHECK(q->num <= RING_ENTRIES);
		p.tables = b->ram + q->gpa + TABLES;
		p.tables_gpa = q->gpa + TABLES;
		p.table_entries = BALLOON_SEGS;
	}
	CHECK(fph_vq_driver_init(&q->vq, q->memory, sizeof(q->memory), &p) ==
	      FPH_OK);
	ops->set_queue(&b->transport, q->index, q->num, q->gpa, q->avail,
		       q->used);
}

static const struct transport_ops *choose_ops(enum vm_bus bus)
{
	switch (bus) {
	case VM_MMIO:
		return &virtio_mmio_ops;
	case VM_PCI:
		return &virtio_pci_ops;
	default:
		return &virtio_pci_legacy_ops;
	}
}

void balloon_start(struct balloon *b, struct vm *vm, uint64_t features)
{
	const struct transport_ops *ops;
	struct transport *t = &b->transport;
	uint8_t status = 0;

	memset(b, 0, sizeof(*b));
	b->vm = vm;
	b->size = vm->size;
	b->ram = mmap(NULL, vm->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      vm->ram_fd, 0);
	CHECK(b->ram != MAP_FAILED);
	/* In use from now on, so that no hole is filled later. */
	memset(b->ram + RINGS, 0, FPH_NQUEUES * RING_STRIDE);
	ops = choose_ops(vm->bus);
	t->ops = ops;
	t->vm = vm;
	ops->probe(t);
	ops->set_status(t, status);
	ops->set_status(t, status |= STATUS_ACKNOWLEDGE);
	ops->set_status(t, status |= STATUS_DRIVER);
	b->offered = ops->get_features(t);
	b->features = features;
	if (!is_legacy(b))
		b->features |= FPH_BIT(VIRTIO_F_VERSION_1);
	CHECK(!(b->features & ~b->offered));
	ops->set_features(t, b->features);
	if (b->features & FPH_BIT(VIRTIO_F_VERSION_1)) {
		ops->set_status(t, status |= STATUS_FEATURES_OK);
		CHECK(ops->get_status(t) & STATUS_FEATURES_OK);
	}
	make_queue(b, FPH_QUEUE_HINT);
	make_queue(b, FPH_QUEUE_REPORT);
	ops->set_status(t, status | STATUS_DRIVER_OK);
}

void balloon_move(struct balloon *b, struct vm *vm)
{
	CHECK(vm->size == b->size && vm->bus == b->vm->bus);
	CHECK(mmap(b->ram, b->size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, vm->ram_fd, 0) == b->ram);
	b->vm = vm;
	b->transport.vm = vm;
}

void balloon_stop(struct balloon *b)
{
	munmap(b->ram, b->size);
	b->ram = NULL;
}

/*
 * The ring was written by stores of this process.  They are real to the
 * device, but not to the dirty log: write the same again the other way.
 */
static void log_memory(struct balloon *b, uint64_t gpa, uint32_t len)
{
	qtest_write(&b->vm->qtest, gpa, b->ram + gpa, len);
}

static bool is_packed(const struct balloon *b)
{
	return b->features & FPH_BIT(VIRTIO_F_RING_PACKED);
}

static void log_ring(struct balloon *b, const struct balloon_queue *q)
{
	uint64_t gpa;
	uint16_t idx;

	/* One byte, which the device does not write, makes a page dirty. */
	for (gpa = q->gpa; gpa < q->avail; gpa += PAGES_SIZE)
		log_memory(b, gpa, 1);
	if (is_packed(b)) {
		log_memory(b, q->avail, 1);
		return;
	}
	memcpy(&idx, b->ram + q->avail + 2, sizeof(idx));
	qtest_writew(&b->vm->qtest, q->avail + 2, idx);
}

/*
 * The table of the buffer that was added last, and is not published.  Which
 * one it is a packed ring does not tell: then all of them.
 */
static void log_table(struct balloon *b, const struct balloon_queue *q)
{
	const uint8_t *avail = b->ram + q->avail;
	uint32_t off, end = is_packed(b) ? q->num * TABLE_SIZE : 0;
	uint16_t idx, head;

	for (off = 0; off < end; off += PAGES_SIZE)
		log_memory(b, q->gpa + TABLES + off, 1);
	if (is_packed(b))
		return;
	memcpy(&idx, avail + 2, sizeof(idx));
	memcpy(&head, avail + 4 + 2 * (idx % q->num), sizeof(head));
	log_memory(b, q->gpa + TABLES + head * TABLE_SIZE, 1);
}

static uint32_t take_buffer(struct balloon_queue *q)
{
	uint32_t i;

	for (i = 0; i < BALLOON_BUFFERS; i++)
		if (!q->busy[i])
			return i;
	die("balloon: too many buffers in a queue");
}

void balloon_put(struct balloon *b, int queue, const struct fph_seg *segs,
		 uint32_t nsegs, uint64_t cookie)
{
	struct balloon_queue *q = &b->queue[queue];
	struct fph_buffer buffer = { .cookie = take_buffer(q) };
	uint32_t i;
	int notify;

	for (i = 0; i < nsegs; i++) {
		if (segs[i].flags & FPH_SEG_WRITE)
			buffer.nwrite++;
		else
			buffer.nread++;
	}
	q->busy[buffer.cookie] = true;
	q->cookie[buffer.cookie] = cookie;
	CHECK(fph_vq_driver_add(q->vq, &buffer, 1, segs) == 1);
	if (b->features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC))
		log_table(b, q);
	CHECK(fph_vq_driver_publish(q->vq) == FPH_OK);
	log_ring(b, q);
	notify = fph_vq_driver_should_notify(q->vq);
	CHECK(notify >= 0);
	if (notify)
		balloon_notify(b, queue);
}

void balloon_notify(struct balloon *b, int queue)
{
	b->transport.ops->notify(&b->transport, b->queue[queue].index);
}

void balloon_put_command(struct balloon *b, uint32_t command,
			 const uint8_t bytes[4], uint64_t cookie)
{
	struct fph_seg seg = { .len = FPH_CMD_ID_SIZE };

	CHECK(command < BALLOON_COMMANDS);
	seg.gpa = b->queue[FPH_QUEUE_HINT].gpa + COMMANDS +
		command * COMMAND_SIZE;
	qtest_write(&b->vm->qtest, seg.gpa, bytes, FPH_CMD_ID_SIZE);
	balloon_put(b, FPH_QUEUE_HINT, &seg, 1, cookie);
}

bool balloon_get(struct balloon *b, int queue, uint64_t *cookie)
{
	struct balloon_queue *q = &b->queue[queue];
	struct fph_used used;
	int n = fph_vq_driver_take_used(q->vq, &used, 1);

	if (n < 0)
		die("balloon: queue %d: %s", queue, fph_status_name(n));
	if (n == 0)
		return false;
	CHECK(used.cookie < BALLOON_BUFFERS && q->busy[used.cookie]);
	q->busy[used.cookie] = false;
	*cookie = q->cookie[used.cookie];
	return true;
}

uint32_t balloon_get_room(const struct balloon *b, int queue)
{
	return fph_vq_driver_get_room(b->queue[queue].vq);
}

uint32_t balloon_get_cmd_id(struct balloon *b)
{
	return b->transport.ops->get_config(&b->transport, FPH_CONFIG_CMD_ID);
}
