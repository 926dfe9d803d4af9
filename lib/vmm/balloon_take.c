/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the balloon device does with a buffer, by its queue.
 *
 * A buffer is looked at whole before any of it counts.  What is wrong with a
 * ring breaks the device; what is wrong with a buffer only refuses the buffer,
 * which is returned with nothing of it done.  One case is both.
 *
 *  what came				what becomes of it
 *  ------------------------------------------------------------------------
 *  any queue
 *   index, head, next, loop, order,	broken: nothing more is popped, what
 *   zero length, wrap, indirect	was popped before is completed
 *  report
 *   writable guest memory		discarded, returned after that
 *   the same, poison in use		returned, nothing discarded (R4)
 *   ends not at the granule		trimmed, the rest discarded (R6)
 *   overlaps, repeats			discarded once, all returned
 *   a segment not guest memory		refused, returned: unmapped; with
 *					KEEP_GOOD_PART the others are done
 *   a readable segment			refused, returned: peer_errors
 *  inflate
 *   page frames in guest memory	discarded, returned after that
 *   the same, less than a granule	collected, returned at once
 *   one that is not guest memory	refused, returned: unmapped; with
 *					KEEP_GOOD_PART the others are done
 *   not whole entries, too many,
 *   or a writable segment		refused, returned: peer_errors
 *   the array is not guest memory	refused, returned: unmapped
 *  deflate
 *   as inflate				counted or refused, returned at once;
 *					with HOLD_DEFLATE after complete
 *  hint
 *   a command, hints, or both		to the session, which says what counts
 *   a command of not 4 bytes		refused, returned, and the device is
 *					broken: peer_errors
 *   command or hint not guest memory	refused, returned: unmapped
 *  statistics				balloon_stats.c
 *   whole entries			decoded, held until asked for
 *   anything else			held; unmapped or peer_errors
 *   a second buffer			the first one is returned
 *
 * Memory that is unknown here never breaks the device: the driver may know of
 * memory that the VMM did not map for us.  A command of another size does:
 * after it nothing tells which stream the hints belong to.
 */
#include "vmm/balloon_internal.h"

/* Page frames that are copied out of guest memory at a time. */
#define FRAMES		256u

/* The most bytes of a segment of joined frames, whole granules of any kind. */
#define SEG_BYTES	0x80000000u

/* ---------------------------------------------------------------- report -- */

/* Leaves those segments alone that are not guest memory, not all of them. */
static void skip_unmapped(struct fph_balloon *b, struct fph_buffer *buffer,
			  struct fph_seg *segs)
{
	for (uint32_t i = 0; i < buffer->nread + buffer->nwrite; i++) {
		if (!fph_memory_is_ram(b->memory, segs[i].gpa, segs[i].len))
			segs[i].flags |= FPH_SEG_SKIP;
	}
	buffer->flags &= ~FPH_BUFFER_REFUSE;
}

/* Counts buffers with memory that is none, and says what is done of them. */
static void check_mapped(struct fph_balloon *b, struct fph_buffer *buffers,
			 uint32_t n)
{
	struct fph_seg *segs = b->segs;
	int bad = fph_memory_check(b->memory, buffers, n, segs);

	if (bad <= 0)
		return;
	b->count[FPH_QUEUE_REPORT].unmapped += (uint32_t)bad;
	if (!(b->flags & FPH_BALLOON_KEEP_GOOD_PART))
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (buffers[i].flags & FPH_BUFFER_REFUSE)
			skip_unmapped(b, &buffers[i], segs);
		segs += buffers[i].nread + buffers[i].nwrite;
	}
}

/* ------------------------------------------------------ inflate, deflate -- */

/* Page frames of a buffer, neighbours joined, in b->frames. */
struct frames {
	uint32_t nsegs;
	uint32_t count;
	uint32_t unmapped;
};

/* Drivers take pages one by one, and often next to each other. */
static void add_row(struct fph_balloon *b, struct frames *f, uint64_t gpa,
		    uint32_t count)
{
	struct fph_seg *last = &b->frames[f->nsegs ? f->nsegs - 1 : 0];
	uint32_t len = count * (uint32_t)BALLOON_PAGE;

	f->count += count;
	if (f->nsegs && last->len <= SEG_BYTES - len) {
		if (gpa == last->gpa + last->len) {
			last->len += len;
			return;
		}
		if (gpa + len == last->gpa) {
			last->gpa = gpa;
			last->len += len;
			return;
		}
	}
	last = &b->frames[f->nsegs++];
	last->gpa = gpa;
	last->len = len;
	last->flags = FPH_SEG_WRITE;
}

/* How many frames at the front ascend without a gap. */
static uint32_t count_row(const uint64_t *gpas, uint32_t n)
{
	uint32_t k = 1;

	while (k < n && gpas[k] == gpas[k - 1] + BALLOON_PAGE)
		k++;
	return k;
}

/* A row that is not all guest memory.  FPH_OK, FPH_PEER_UNMAPPED. */
static int add_good_part(struct fph_balloon *b, struct frames *f, uint64_t gpa,
			 uint32_t count)
{
	if (!(b->flags & FPH_BALLOON_KEEP_GOOD_PART)) {
		f->count += count;	/* it was work all the same */
		return FPH_PEER_UNMAPPED;
	}
	for (; count; count--, gpa += BALLOON_PAGE) {
		if (fph_memory_is_ram(b->memory, gpa, BALLOON_PAGE))
			add_row(b, f, gpa, 1);
		else
			f->unmapped++;
	}
	return FPH_OK;
}

/*
 * FPH_OK, FPH_PEER_UNMAPPED.  A row is looked up and joined at once: that saves
 * 98 of 135 instructions a frame where frames ascend.
 */
static int add_frames(struct fph_balloon *b, struct frames *f,
		      const uint64_t *gpas, uint32_t n)
{
	uint32_t i, k;

	for (i = 0; i < n; i += k) {
		k = count_row(gpas + i, n - i);
		if (fph_memory_is_ram(b->memory, gpas[i], k * BALLOON_PAGE))
			add_row(b, f, gpas[i], k);
		else if (add_good_part(b, f, gpas[i], k) != FPH_OK)
			return FPH_PEER_UNMAPPED;
	}
	return FPH_OK;
}

static int check_array(const struct fph_buffer *buffer,
		       const struct fph_seg *segs, uint64_t *total)
{
	*total = 0;
	if (buffer->nwrite)
		return FPH_PEER_DIRECTION;
	for (uint32_t i = 0; i < buffer->nread; i++)
		*total += segs[i].len;
	if (*total > FPH_BALLOON_MAX_PFNS * sizeof(uint32_t))
		return FPH_PEER_LONG_CHAIN;
	return *total % sizeof(uint32_t) ? FPH_PEER_SHORT : FPH_OK;
}

/* FPH_OK, FPH_PEER_* (the buffer is bad, and counted). */
static int read_frames(struct fph_balloon *b, int queue,
		       const struct fph_buffer *buffer,
		       const struct fph_seg *segs, struct frames *f)
{
	struct fph_balloon_queue_counters *count = &b->count[queue];
	uint8_t piece[FRAMES * sizeof(uint32_t)];
	uint64_t gpas[FRAMES];
	uint64_t total, at;
	int ret = check_array(buffer, segs, &total);

	*f = (struct frames){ 0, 0, 0 };
	for (at = 0; ret == FPH_OK && at < total; at += sizeof(piece)) {
		size_t len = total - at < sizeof(piece) ?
			     (size_t)(total - at) : sizeof(piece);
		size_t off = 0;

		ret = fph_memory_read(b->memory, segs, buffer->nread, at,
				      piece, len);
		if (ret != FPH_OK)
			break;
		ret = fph_pfn_decode(gpas, FRAMES, piece, len, &off,
				     b->endian);
		ret = add_frames(b, f, gpas, (uint32_t)ret);
	}
	if (ret == FPH_PEER_UNMAPPED || f->unmapped)
		count->unmapped++;
	else if (ret < 0)
		count->peer_errors++;
	return ret;
}

/*
 * Without MUST_TELL_HOST a driver may use a page again before the device hears
 * of it, so none is changed any more once its buffer was returned.
 */
static bool may_collect(const struct fph_balloon *b)
{
	return b->collected && (b->negotiated &
				FPH_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST));
}

/*
 * Puts the frames into the collection, and what became whole by them in their
 * place.  What the collection does not cover stays, to be trimmed.
 */
static void collect(struct fph_balloon *b, struct frames *f)
{
	struct fph_range range;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nsegs; i++) {
		range.gpa = b->frames[i].gpa;
		range.len = b->frames[i].len;
		if (fph_page_set_covers(b->collected, &range))
			fph_page_set_add(b->collected, &range);
		else
			b->frames[n++] = b->frames[i];
	}
	/* A granule of more than a segment can say is given in parts. */
	while (n < FPH_BALLOON_MAX_PFNS &&
	       fph_page_set_take(b->collected, &range, 1)) {
		for (; range.len && n < FPH_BALLOON_MAX_PFNS; n++) {
			uint32_t len = range.len < SEG_BYTES ?
				       (uint32_t)range.len : SEG_BYTES;

			b->frames[n].gpa = range.gpa;
			b->frames[n].len = len;
			b->frames[n].flags = FPH_SEG_WRITE;
			range.gpa += len;
			range.len -= len;
		}
	}
	f->nsegs = n;
}

static uint32_t take_inflate(struct fph_balloon *b, struct fph_buffer *buffer,
			     const struct fph_seg *segs)
{
	struct fph_buffer taken = *buffer;
	struct frames f;

	if (read_frames(b, FPH_QUEUE_INFLATE, buffer, segs, &f) != FPH_OK) {
		taken.flags |= FPH_BUFFER_REFUSE;
		f.nsegs = 0;
	} else if (may_collect(b)) {
		collect(b, &f);
	}
	taken.nread = 0;
	taken.nwrite = f.nsegs;
	(void)fph_report_add(b->inflate, &taken, 1, b->frames);
	return f.count;
}

static uint32_t take_deflate(struct fph_balloon *b, struct fph_buffer *buffer,
			     const struct fph_seg *segs)
{
	struct fph_used used = { .cookie = buffer->cookie };
	struct fph_buffer taken = *buffer;
	struct fph_range range;
	struct frames f;

	if (read_frames(b, FPH_QUEUE_DEFLATE, buffer, segs, &f) != FPH_OK)
		f.nsegs = 0;
	else
		b->deflated += f.count;
	for (uint32_t i = 0; b->collected && i < f.nsegs; i++) {
		range.gpa = b->frames[i].gpa;
		range.len = b->frames[i].len;
		if (fph_page_set_covers(b->collected, &range))
			fph_page_set_remove(b->collected, &range);
	}
	if (!b->deflate) {
		fph_balloon_push(b, FPH_QUEUE_DEFLATE, &used, 1);
		return f.count;
	}
	taken.nread = 0;
	taken.nwrite = f.nsegs;
	(void)fph_report_add(b->deflate, &taken, 1, b->frames);
	return f.count;
}

/* ------------------------------------------------------------------ hint -- */

/*
 * Reads the command of a buffer.  One of another size goes before memory that
 * is unknown: the session is to see it.
 */
static void read_command(struct fph_balloon *b, struct fph_buffer *buffer,
			 const struct fph_seg *segs)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < buffer->nread; i++)
		total += segs[i].len;
	if (total && total != sizeof(buffer->command))
		buffer->flags &= ~FPH_BUFFER_REFUSE;
	else if (total && !(buffer->flags & FPH_BUFFER_REFUSE) &&
		 fph_memory_read(b->memory, segs, buffer->nread, 0,
				 buffer->command, sizeof(buffer->command)))
		buffer->flags |= FPH_BUFFER_REFUSE;
	if (buffer->flags & FPH_BUFFER_REFUSE)
		b->count[FPH_QUEUE_HINT].unmapped++;
}

/* FPH_OK; FPH_PEER_* (refused, and the session is broken). */
static int take_hints(struct fph_balloon *b, struct fph_buffer *buffers,
		      uint32_t n)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	const struct fph_seg *segs = b->segs;
	int ret;

	(void)fph_memory_check(b->memory, buffers, n, b->segs);
	for (uint32_t i = 0; i < n; i++) {
		read_command(b, &buffers[i], segs);
		segs += buffers[i].nread + buffers[i].nwrite;
	}
	(void)fph_hint_session_add(b->hint, buffers, n, b->segs);
	ret = fph_hint_session_get_error(b->hint);
	fph_balloon_note(b, &before);
	return ret;
}

/* ----------------------------------------------------------- all of them -- */

static uint32_t take_frames(struct fph_balloon *b, int queue,
			    struct fph_buffer *buffers, uint32_t n)
{
	const struct fph_seg *segs = b->segs;
	uint32_t work = 0;

	for (uint32_t i = 0; i < n; i++) {
		work += queue == FPH_QUEUE_INFLATE ?
			take_inflate(b, &buffers[i], segs) :
			take_deflate(b, &buffers[i], segs);
		segs += buffers[i].nread;
		segs += buffers[i].nwrite;
	}
	return work;
}

int fph_balloon_take(struct fph_balloon *b, int queue,
		     struct fph_buffer *buffers, uint32_t n, uint32_t *work)
{
	for (uint32_t i = 0; i < n; i++)
		*work += buffers[i].nread + buffers[i].nwrite;
	switch (queue) {
	case FPH_QUEUE_INFLATE:
	case FPH_QUEUE_DEFLATE:
		*work += take_frames(b, queue, buffers, n);
		break;
	case FPH_QUEUE_STATS:
		fph_balloon_take_stats(b, buffers, n, b->segs);
		break;
	case FPH_QUEUE_HINT:
		return take_hints(b, buffers, n);
	default:
		check_mapped(b, buffers, n);
		(void)fph_report_add(b->report, buffers, n, b->segs);
		break;
	}
	return FPH_OK;
}
