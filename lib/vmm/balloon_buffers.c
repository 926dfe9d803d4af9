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
 *   a segment not guest memory		refused, returned: unmapped
 *   a readable segment			refused, returned: peer_errors
 *  inflate
 *   page frames in guest memory	discarded, returned after that
 *   one that is not guest memory	refused, returned: unmapped
 *   not whole entries, too many,
 *   or a writable segment		refused, returned: peer_errors
 *   the array is not guest memory	refused, returned: unmapped
 *  deflate
 *   as inflate				counted or refused, returned at once
 *  hint
 *   a command, hints, or both		to the session, which says what counts
 *   a command of not 4 bytes		refused, returned, and the device is
 *					broken: peer_errors
 *   command or hint not guest memory	refused, returned: unmapped
 *  statistics
 *   whole entries			decoded, held until asked for
 *   anything else			held; unmapped or peer_errors
 *   a second buffer			the first one is returned
 *
 * Memory that is unknown here never breaks the device: the driver may know of
 * memory that the VMM did not map for us.  A command of another size does, for
 * after it nothing tells which stream the hints belong to.
 */
#include <string.h>

#include "balloon_internal.h"

/* How much of a page frame array is copied at a time: whole entries. */
#define PIECE	1024u

/* Reads the segments of a buffer one after another, each byte once. */
struct reader {
	struct fph_memory *memory;
	const struct fph_seg *seg;
	uint32_t off;		/* in *seg */
};

static uint64_t make_cookie(uint32_t index, uint16_t head)
{
	return (uint64_t)index << 16 | head;
}

/* FPH_OK, FPH_PEER_UNMAPPED. */
static int read_range(struct fph_memory *m, uint64_t gpa, uint32_t len,
		      uint8_t *to)
{
	struct fph_range rest = { gpa, len };
	struct fph_piece piece;

	while (fph_memory_next(m, &rest, &piece) == 1) {
		memcpy(to, fph_memory_get_host(m, piece.gpa, piece.len),
		       (size_t)piece.len);
		to += piece.len;
	}
	return rest.len ? FPH_PEER_UNMAPPED : FPH_OK;
}

/* Copies len bytes, which the segments have.  FPH_OK, FPH_PEER_UNMAPPED. */
static int read_bytes(struct reader *r, uint8_t *to, uint32_t len)
{
	while (len) {
		uint32_t left = r->seg->len - r->off;
		uint32_t n = len < left ? len : left;
		int ret = read_range(r->memory, r->seg->gpa + r->off, n, to);

		if (ret != FPH_OK)
			return ret;
		to += n;
		len -= n;
		r->off += n;
		if (r->off == r->seg->len) {
			r->seg++;
			r->off = 0;
		}
	}
	return FPH_OK;
}

static bool is_ram(struct fph_balloon *b, const struct fph_seg *segs,
		   uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!fph_memory_is_ram(b->memory, segs[i].gpa, segs[i].len))
			return false;
	}
	return true;
}

static void count_error(struct fph_balloon *b, int queue, int status)
{
	if (status == FPH_PEER_UNMAPPED)
		b->count[queue].unmapped++;
	else if (fph_status_is_peer(status))
		b->count[queue].peer_errors++;
}

/* ---------------------------------------------------------------- report -- */

static void take_report(struct fph_balloon *b, uint32_t index,
			const struct fph_elem *elem)
{
	uint64_t cookie = make_cookie(index, elem->head);

	if (!is_ram(b, b->segs, elem->nseg)) {
		(void)fph_report_refuse(&b->report, cookie);
		count_error(b, FPH_QUEUE_REPORT, FPH_PEER_UNMAPPED);
		return;
	}
	count_error(b, FPH_QUEUE_REPORT,
		    fph_report_add(&b->report, cookie, b->segs, elem->nseg));
}

/* ------------------------------------------------------ inflate, deflate -- */

/* Page frames of a buffer, neighbours joined, in b->pfn_segs. */
struct frames {
	uint32_t nsegs;
	uint32_t count;
};

/* Drivers take pages one by one, and often next to each other. */
static void add_frame(struct fph_balloon *b, struct frames *f, uint64_t gpa)
{
	uint32_t page = 1u << VIRTIO_BALLOON_PFN_SHIFT;
	struct fph_seg *last = &b->pfn_segs[f->nsegs ? f->nsegs - 1 : 0];

	f->count++;
	if (f->nsegs && gpa == last->gpa + last->len) {
		last->len += page;
		return;
	}
	if (f->nsegs && gpa + page == last->gpa) {
		last->gpa = gpa;
		last->len += page;
		return;
	}
	last = &b->pfn_segs[f->nsegs++];
	last->gpa = gpa;
	last->len = page;
	last->flags = FPH_SEG_WRITE;
}

static int add_frames(struct fph_balloon *b, struct frames *f,
		      const uint8_t *piece, uint32_t len)
{
	uint64_t page = (uint64_t)1 << VIRTIO_BALLOON_PFN_SHIFT;
	uint64_t gpa;
	size_t off = 0;

	while (fph_pfn_decode(&gpa, piece, len, &off, b->endian) == 1) {
		if (!fph_memory_is_ram(b->memory, gpa, page))
			return FPH_PEER_UNMAPPED;
		add_frame(b, f, gpa);
	}
	return FPH_OK;
}

/* FPH_OK, FPH_PEER_* (the buffer is bad). */
static int read_frames(struct fph_balloon *b, const struct fph_elem *elem,
		       struct frames *f)
{
	struct reader r = { b->memory, b->segs, 0 };
	uint8_t piece[PIECE];
	uint32_t left, n;
	int ret = FPH_OK;

	memset(f, 0, sizeof(*f));
	if (elem->nread != elem->nseg)
		return FPH_PEER_DIRECTION;
	if (elem->read_len > FPH_BALLOON_MAX_PFNS * sizeof(uint32_t))
		return FPH_PEER_LONG_CHAIN;
	if (elem->read_len % sizeof(uint32_t))
		return FPH_PEER_SHORT;
	for (left = (uint32_t)elem->read_len; left && ret == FPH_OK;
	     left -= n) {
		n = left < PIECE ? left : PIECE;
		ret = read_bytes(&r, piece, n);
		if (ret == FPH_OK)
			ret = add_frames(b, f, piece, n);
	}
	return ret;
}

static void take_inflate(struct fph_balloon *b, uint32_t index,
			 const struct fph_elem *elem)
{
	uint64_t cookie = make_cookie(index, elem->head);
	struct frames f;
	int ret = read_frames(b, elem, &f);

	count_error(b, FPH_QUEUE_INFLATE, ret);
	if (ret != FPH_OK)
		(void)fph_report_refuse(&b->inflate, cookie);
	else
		(void)fph_report_add(&b->inflate, cookie, b->pfn_segs,
				     f.nsegs);
}

static void take_deflate(struct fph_balloon *b, uint32_t index,
			 const struct fph_elem *elem)
{
	struct frames f;
	int ret = read_frames(b, elem, &f);

	count_error(b, FPH_QUEUE_DEFLATE, ret);
	if (ret == FPH_OK)
		b->deflated += f.count;
	fph_balloon_push(b, index, FPH_QUEUE_DEFLATE, elem->head);
}

/* ------------------------------------------------------------------ hint -- */

/* FPH_OK; FPH_PEER_* (refused, and the session is broken). */
static int take_hint(struct fph_balloon *b, uint32_t index,
		     const struct fph_elem *elem)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	uint64_t cookie = make_cookie(index, elem->head);
	const struct fph_seg *hints = b->segs + elem->nread;
	uint32_t nhints = (uint32_t)elem->nseg - elem->nread;
	struct reader r = { b->memory, b->segs, 0 };
	uint8_t cmd[FPH_CMD_ID_SIZE] = { 0 };
	bool whole = !elem->read_len || elem->read_len == sizeof(cmd);
	int ret;

	/* A command of another size goes before memory that is unknown. */
	if (whole &&
	    (read_bytes(&r, cmd, (uint32_t)elem->read_len) != FPH_OK ||
	     !is_ram(b, hints, nhints))) {
		(void)fph_hint_session_refuse(&b->hint, cookie);
		count_error(b, FPH_QUEUE_HINT, FPH_PEER_UNMAPPED);
		return FPH_OK;
	}
	ret = fph_hint_session_add(&b->hint, cookie, cmd, elem->read_len,
				   hints, nhints);
	fph_balloon_note(b, &before);
	return ret;
}

/* ------------------------------------------------------------ statistics -- */

/* FPH_OK, FPH_PEER_* (the buffer is bad; *stats is unchanged). */
static int read_stats(struct fph_balloon *b, const struct fph_elem *elem,
		      struct balloon_stats *stats)
{
	struct reader r = { b->memory, b->segs, 0 };
	uint8_t copy[FPH_BALLOON_NSTATS * FPH_STAT_SIZE];
	uint32_t len = sizeof(copy);
	size_t off = 0;
	int ret;

	if (elem->nread != elem->nseg)
		return FPH_PEER_DIRECTION;
	if (elem->read_len % FPH_STAT_SIZE)
		return FPH_PEER_SHORT;
	/* What is beyond the number that is kept is not looked at. */
	if (elem->read_len < len)
		len = (uint32_t)elem->read_len;
	ret = read_bytes(&r, copy, len);
	if (ret != FPH_OK)
		return ret;
	stats->n = 0;
	while (fph_stat_decode(&stats->entry[stats->n], copy, len, &off,
			       b->endian) == 1) {
		stats->n++;
		if (off == len)
			break;
	}
	return FPH_OK;
}

static void return_stats(struct fph_balloon *b)
{
	b->stats.held = false;
	fph_balloon_push(b, b->stats.ring, FPH_QUEUE_STATS, b->stats.head);
}

/*
 * A bad buffer is held as well: if it came back at once, a driver that answers
 * each return with new statistics would keep both sides busy for ever.
 */
static void take_stats(struct fph_balloon *b, uint32_t index,
		       const struct fph_elem *elem)
{
	struct balloon_stats *stats = &b->stats;
	int ret = read_stats(b, elem, stats);

	count_error(b, FPH_QUEUE_STATS, ret);
	if (ret == FPH_OK) {
		b->stats_read++;
		b->events |= FPH_EVENT_STATS;
	}
	if (stats->held)
		return_stats(b);
	stats->held = true;
	stats->asked = false;
	stats->ring = index;
	stats->head = elem->head;
}

int fph_balloon_stats_request(struct fph_balloon *b)
{
	const struct balloon_stats *stats = &b->stats;
	const struct balloon_ring *r = &b->ring[stats->ring];

	if (stats->asked)
		return FPH_EBUSY;
	if (!stats->held || !r->enabled || b->broken || b->resetting)
		return FPH_ESTATE;
	if (b->frozen)
		return FPH_EBUSY;
	return_stats(b);
	b->stats.asked = true;
	return FPH_OK;
}

uint32_t fph_balloon_get_stats(const struct fph_balloon *b,
			       struct fph_stat *stats, uint32_t n)
{
	uint32_t count = b->stats.n < n ? b->stats.n : n;

	if (count)
		memcpy(stats, b->stats.entry, count * sizeof(*stats));
	return count;
}

/* ----------------------------------------------------------- all of them -- */

bool fph_balloon_is_room(const struct fph_balloon *b, int queue, uint32_t num)
{
	switch (queue) {
	case FPH_QUEUE_INFLATE:
		return fph_report_is_room(&b->inflate, FPH_BALLOON_MAX_PFNS);
	case FPH_QUEUE_HINT:
		return fph_hint_session_is_room(&b->hint, num);
	case FPH_QUEUE_REPORT:
		return fph_report_is_room(&b->report, num);
	default:
		return true;
	}
}

int fph_balloon_take(struct fph_balloon *b, uint32_t index, int queue,
		     const struct fph_elem *elem)
{
	switch (queue) {
	case FPH_QUEUE_INFLATE:
		take_inflate(b, index, elem);
		break;
	case FPH_QUEUE_DEFLATE:
		take_deflate(b, index, elem);
		break;
	case FPH_QUEUE_STATS:
		take_stats(b, index, elem);
		break;
	case FPH_QUEUE_HINT:
		return take_hint(b, index, elem);
	default:
		take_report(b, index, elem);
		break;
	}
	return FPH_OK;
}
