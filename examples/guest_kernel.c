/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest kernel with virtqueues of its own: it reports its free pages, and
 * hints them when the host migrates it.
 *
 * Played here: an allocator of blocks, and queues whose device uses each buffer
 * at once.  Locks are comments; each may be a spinlock.
 */
#include <stdio.h>

#include <fph/guest.h>
#include <fph/wire.h>

#define NBLOCKS	128u
#define BLOCK	0x200000u		/* 2 MiB */
#define ROOM	64u			/* entries of the hinting queue */
#define FEATURES (FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) | \
		  FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT))

static uint64_t reporter_memory[FPH_REPORTER_SIZE(NBLOCKS, 2) / 8];
static uint64_t hinter_memory[FPH_HINTER_SIZE(NBLOCKS, 64) / 8];
static struct fph_reporter *reporter;
static struct fph_hinter *hinter;
static uint8_t commands[2][4];		/* command buffers, see the hinter */
static uint64_t now;			/* ns */

static bool is_free[NBLOCKS];		/* the allocator */
static uint32_t reported, hinted;

/* The allocator frees a block; called with its lock held. */
static void page_freed(uint32_t block)
{
	struct fph_owned_range range = {
		(uint64_t)block * BLOCK, BLOCK, block };

	/* Lock of the reporter, inside the allocator's. */
	is_free[block] = fph_reporter_add(reporter, now, &range, 1) != 1;
}

/* Blocks go back to the allocator; locks it, and not the objects. */
static void give_back(const struct fph_returned *back, int n)
{
	while (n > 0)
		is_free[back[--n].owner] = true;
}

/* After page_freed, at get_deadline, and after complete. */
static void report(void)
{
	struct fph_returned back[32];
	struct fph_used used = { 0 };
	struct fph_buffer buffer;
	struct fph_seg segs[32];

	while (fph_reporter_submit(reporter, now, &buffer, 1, segs, 32) > 0) {
		/* virtqueue_add of segs; if it fails fph_reporter_cancel */
		reported += buffer.nwrite;
		/* ... and later, when the device has used it: */
		used.cookie = buffer.cookie;
		fph_reporter_complete(reporter, now, &used, 1, true);
		give_back(back, fph_reporter_take_back(reporter, back, 32));
	}
}

/* A configuration change interrupt: cmd_id was read from config space. */
static void config_changed(uint32_t cmd_id)
{
	struct fph_owned_range range = { 0, BLOCK, 0 };
	struct fph_returned back[32];
	struct fph_used used = { 0 };
	struct fph_buffer buffer;
	struct fph_seg segs[32];
	uint32_t id, i;

	fph_hinter_set_config(hinter, cmd_id);
	id = fph_hinter_get_id(hinter);
	for (i = 0; id && i < NBLOCKS; i++) {
		range.gpa = (uint64_t)i * BLOCK;
		range.owner = i;
		/* Allocated: nobody else has it until it comes back. */
		if (is_free[i] && fph_hinter_add(hinter, id, &range, 1) == 1)
			is_free[i] = false;
	}
	fph_hinter_finish_input(hinter);
	while (fph_hinter_submit(hinter, ROOM, &buffer, 1, segs, 32) > 0) {
		for (i = 0; i < 4 && buffer.nread; i++)
			commands[buffer.index][i] = buffer.command[i];
		hinted += buffer.nwrite;
		used.cookie = buffer.cookie;
		fph_hinter_complete(hinter, &used, 1);
		give_back(back, fph_hinter_take_back(hinter, back, 32));
	}
}

int main(void)
{
	const struct fph_reporter_params rp = {
		.size = sizeof(rp), .features = FEATURES,
		.content = FPH_CONTENT_FREE, .max_ranges = NBLOCKS };
	const struct fph_hinter_params hp = {
		.size = sizeof(hp), .features = FEATURES,
		.content = FPH_CONTENT_FREE, .max_ranges = NBLOCKS };
	uint32_t i, nfree = 0;

	if (fph_reporter_init(&reporter, reporter_memory,
			      sizeof(reporter_memory), &rp) ||
	    fph_hinter_init(&hinter, hinter_memory, sizeof(hinter_memory), &hp))
		return 1;
	for (i = 0; i < NBLOCKS; i += 2)
		page_freed(i);
	fph_reporter_flush(reporter);
	report();
	config_changed(VIRTIO_BALLOON_CMD_ID_MIN);
	config_changed(VIRTIO_BALLOON_CMD_ID_DONE);
	for (i = 0; i < NBLOCKS; i++)
		nfree += is_free[i];
	printf("%u reported, %u hinted, %u free\n", reported, hinted, nfree);
	return reported != NBLOCKS / 2 || hinted != NBLOCKS / 2 ||
	       nfree != NBLOCKS / 2;
}
