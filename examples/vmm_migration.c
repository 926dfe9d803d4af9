/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VMM that migrates a guest, and skips the pages that the guest hints.
 *
 * The guest is played in main(); its buffers come from the hinting queue.
 */
#include <stdio.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>
#include <fph-vmm/migration.h>

#define PAGE	4096u
#define NPAGES	1024u			/* of the guest, from address 0 */
#define BITS	(8 * sizeof(long))

static uint64_t session_memory[FPH_HINT_SESSION_SIZE(256, 64) / 8];
static struct fph_hint_session *session;

/* The dirty log of the host; and what the migration still has to send. */
static bool log_dirty[NPAGES];
static unsigned long to_send[NPAGES / BITS];
static const struct fph_migration_block block = {
	.len = NPAGES * PAGE, .bitmap = to_send, .page_shift = 12
};

/* Buffers of the hinting queue came; returns how many go back to it. */
static int take_hints(struct fph_buffer *buffers, uint32_t n,
		      const struct fph_seg *segs)
{
	struct fph_used used[64];
	struct fph_run runs[64];
	int k, back = 0;

	fph_hint_session_add(session, buffers, n, segs);
	while ((k = fph_hint_session_next(session, runs, 64)) > 0) {
		/* Under the lock of the bitmap, once for all of them. */
		fph_migration_clear(&block, 1, runs, (uint32_t)k);
		fph_hint_session_complete(session, runs, (uint32_t)k);
	}
	while ((k = fph_hint_session_take_used(session, used, 64)) > 0)
		back += k;
	return back;
}

/*
 * The log is read, and armed again, before each pass.  The session ends its
 * round first: a hint must not clear what was written after it.
 */
static void sync_log(void)
{
	while (fph_hint_session_sync_begin(session) == FPH_EINPROGRESS)
		;			/* complete what is out: none here */
	for (uint32_t i = 0; i < NPAGES; i++) {
		if (log_dirty[i])
			to_send[i / BITS] |= 1ul << i % BITS;
		log_dirty[i] = false;
	}
	fph_hint_session_sync_end(session);
}

static uint32_t send_pass(void)
{
	return (uint32_t)fph_bitmap_clear(to_send, 0, NPAGES);
}

int main(void)
{
	const struct fph_hint_session_params p = {
		.size = sizeof(p), .max_ranges = 256, .max_buffers = 64
	};
	static const struct fph_seg segs[] = {
		{ 0, 4, 0 },				/* START */
		{ 256 * PAGE, 256 * PAGE, FPH_SEG_WRITE },
		{ 600 * PAGE, 100 * PAGE, FPH_SEG_WRITE },
		{ 0, 4, 0 },				/* STOP */
	};
	struct fph_buffer buffers[] = {
		{ .cookie = 1, .nread = 1 }, { .cookie = 2, .nwrite = 2 },
		{ .cookie = 3, .nread = 1 },
	};
	uint32_t id, first, second;
	int back;

	if (fph_hint_session_init(&session, session_memory,
				  sizeof(session_memory), &p))
		return 1;
	/* It begins: everything is dirty. */
	memset(log_dirty, true, sizeof(log_dirty));
	sync_log();
	if (fph_hint_session_request(session, &id))
		return 1;
	/* ... the config interrupt; the guest reads the id and answers. */
	fph_cmd_id_encode(buffers[0].command, id, FPH_LE);
	fph_cmd_id_encode(buffers[2].command, VIRTIO_BALLOON_CMD_ID_STOP,
			  FPH_LE);
	back = take_hints(buffers, 3, segs);
	log_dirty[300] = true;		/* it uses a page that it hinted */
	first = send_pass();
	sync_log();
	second = send_pass();
	/* On every way out: the guest may have its pages again. */
	while (fph_hint_session_done(session) == FPH_EINPROGRESS)
		;
	printf("%d buffers; %u pages sent, then %u of %u\n", back, first,
	       second, NPAGES);
	return back != 3 || first != NPAGES - 356 || second != 1;
}
