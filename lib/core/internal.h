/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the core share and nobody else sees.
 */
#ifndef FPH_CORE_INTERNAL_H
#define FPH_CORE_INTERNAL_H

#include <fph/guest.h>
#include <fph/host.h>
#include <fph/wire.h>

/* First member of an initialised object; a zeroed object has none of them. */
#define FPH_MAGIC_COALESCER	0x46704330u
#define FPH_MAGIC_REPORT	0x46705230u
#define FPH_MAGIC_HINT_SESSION	0x46704830u
#define FPH_MAGIC_REPORTER	0x46705231u
#define FPH_MAGIC_HINTER	0x46704831u

/* Ends a list of slots, chains or batches: never an index of one. */
#define FPH_NIL	0x7fffffffu

/* ----------------------------------------------------------------- bytes -- */

/* One byte at a time: no alignment, no byte order of the host. */

static inline bool fph_is_endian(int endian)
{
	return endian == FPH_LE || endian == FPH_BE;
}

static inline uint16_t fph_get16(const uint8_t *p, int endian)
{
	uint32_t first = p[0];
	uint32_t second = p[1];

	return (uint16_t)(endian == FPH_LE ? first | second << 8 :
					     second | first << 8);
}

static inline uint32_t fph_get32(const uint8_t *p, int endian)
{
	uint32_t first = fph_get16(p, endian);
	uint32_t second = fph_get16(p + 2, endian);

	return endian == FPH_LE ? first | second << 16 : second | first << 16;
}

static inline uint64_t fph_get64(const uint8_t *p, int endian)
{
	uint64_t first = fph_get32(p, endian);
	uint64_t second = fph_get32(p + 4, endian);

	return endian == FPH_LE ? first | second << 32 : second | first << 32;
}

static inline void fph_put16(uint8_t *p, uint16_t v, int endian)
{
	p[endian == FPH_LE ? 0 : 1] = (uint8_t)(v & 0xff);
	p[endian == FPH_LE ? 1 : 0] = (uint8_t)(v >> 8);
}

static inline void fph_put32(uint8_t *p, uint32_t v, int endian)
{
	fph_put16(p + (endian == FPH_LE ? 0 : 2), (uint16_t)(v & 0xffff),
		  endian);
	fph_put16(p + (endian == FPH_LE ? 2 : 0), (uint16_t)(v >> 16), endian);
}

static inline void fph_put64(uint8_t *p, uint64_t v, int endian)
{
	fph_put32(p + (endian == FPH_LE ? 0 : 4), (uint32_t)(v & 0xffffffffu),
		  endian);
	fph_put32(p + (endian == FPH_LE ? 4 : 0), (uint32_t)(v >> 32), endian);
}

/* ------------------------------------------------------------ parameters -- */

/*
 * A struct of parameters: known members, then a tail of a later version, in
 * which only zeros are understood.
 */
static inline bool fph_params_fit(const void *params, size_t size,
				  size_t known)
{
	const uint8_t *b = params;

	if (size < known)
		return false;
	for (size_t i = known; i < size; i++) {
		if (b[i])
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- coalescer -- */

/*
 * fph_coalescer_find - the run of a token that is out, as next gave it
 *
 * FPH_OK (*run is set), FPH_EINVAL (not a token that can be out).
 */
int fph_coalescer_find(const struct fph_coalescer *c, uint32_t token,
		       struct fph_run *run);

/*
 * fph_coalescer_drop - take back one range that was not handed out
 *
 * 1 (*m is set, its slot is free again), 0 (all is handed out, or none left).
 */
int fph_coalescer_drop(struct fph_coalescer *c, struct fph_member *m);

/* Whether ranges wait for next. */
bool fph_coalescer_is_waiting(const struct fph_coalescer *c);

/* Puts everything that waits into the closed set, sorted. */
void fph_coalescer_gather(struct fph_coalescer *c);

/* Puts a sorted list of slots, which may be empty, into the closed set. */
void fph_coalescer_put(struct fph_coalescer *c, uint32_t list);

/* Frees slot i, which is in no list.  m may be NULL. */
void fph_coalescer_release(struct fph_coalescer *c, uint32_t i,
			   struct fph_member *m);

/* ---------------------------------------------------------------- window -- */

/*
 * A window is a set of chains over a coalescer; the owner of a range is the
 * index of its chain.  A chain is pending while one of its ranges is: added,
 * not handed out; or in a run that is handed out.  It is ready after that,
 * and free again once end gave its cookie back.
 */

/*
 * fph_segs_check - whether segments are a legal list of ranges
 *
 * Each is writable, not empty, and does not wrap.  *bytes: their sum.
 *
 * FPH_OK, FPH_PEER_DIRECTION, FPH_PEER_RANGE; then *bytes is unchanged.
 */
int fph_segs_check(const struct fph_seg *segs, uint32_t nsegs,
		   uint64_t *bytes);

/* FPH_OK; FPH_EINVAL (storage or granule), the object is then unchanged. */
int fph_window_init(struct fph_window *w, const struct fph_storage *storage,
		    uint64_t granule);

/* Forgets every range and chain.  No run may be out. */
void fph_window_reset(struct fph_window *w);

/*
 * fph_window_get_room - whether a chain of nsegs ranges can be added
 *
 * FPH_OK, FPH_EFULL (not now), FPH_EINVAL (never).
 */
int fph_window_get_room(const struct fph_window *w, uint32_t nsegs);

/*
 * fph_window_add - add a chain whose segments were checked
 *
 * There must be room.  A chain without segments is ready at once, as done.
 */
void fph_window_add(struct fph_window *w, uint64_t cookie,
		    const struct fph_seg *segs, uint32_t nsegs);

/* Adds a chain that is ready at once.  There must be room for one. */
void fph_window_add_ready(struct fph_window *w, uint64_t cookie,
			  enum fph_outcome outcome);

/* 1 (*run is set and not empty), 0. */
int fph_window_next(struct fph_window *w, struct fph_run *run);

/* FPH_OK, FPH_EINVAL (run is not handed out). */
int fph_window_complete(struct fph_window *w, const struct fph_run *run,
			bool ok);

/* 1 (*end is set), 0. */
int fph_window_end(struct fph_window *w, struct fph_chain_end *end);

/*
 * fph_window_drop - take back what was not handed out, as ignored
 *
 * Adds the number of ranges and their bytes to *ranges and *bytes.
 */
void fph_window_drop(struct fph_window *w, uint64_t *ranges, uint64_t *bytes);

/* --------------------------------------------------------------- batches -- */

/*
 * A batch is the ranges of one buffer in a queue.  A range waits, is
 * outstanding in a batch, or is in a list: a coalescer's slot that is in none
 * of its own sets.  The lists back[] are those that give returns.
 */

struct fph_batcher_storage {
	struct fph_slot *slots;
	uint32_t nslots;
	struct fph_batch *batches;
	uint32_t nbatches;
};

/* FPH_OK; FPH_EINVAL (storage or a limit of 0), *b is then undefined. */
int fph_batcher_init(struct fph_batcher *b,
		     const struct fph_batcher_storage *storage,
		     uint32_t max_segs, uint32_t max_ranges, bool merge);

/* As fph_coalescer_add, with FPH_EINVAL above FPH_MAX_BUFFER too. */
int fph_batcher_add(struct fph_batcher *b, uint64_t gpa, uint64_t len,
		    uint32_t owner);

/*
 * fph_batcher_cut - make a batch of what waits
 *
 * force: also when it is not full.
 *
 * The number of segments; 0: no batch is free, or none is due.
 */
int fph_batcher_cut(struct fph_batcher *b, bool force, struct fph_seg *segs,
		    uint32_t nsegs, uint64_t *cookie);

/* A number for a cookie, never 0. */
uint32_t fph_batcher_serial(struct fph_batcher *b);

/* The batch of a cookie that is out, NULL if there is none. */
struct fph_batch *fph_batcher_find(const struct fph_batcher *b,
				   uint64_t cookie);

/* The batch is over: its ranges go to the end of a list. */
void fph_batcher_finish(struct fph_batcher *b, struct fph_batch *batch,
			struct fph_slot_list *to);

/* The batch is over: its ranges wait again. */
void fph_batcher_undo(struct fph_batcher *b, struct fph_batch *batch);

/* All that waits goes to the end of a list. */
void fph_batcher_withdraw(struct fph_batcher *b, struct fph_slot_list *to);

/* Takes one range that waits.  1 (*out is set, as not used), 0. */
int fph_batcher_pop(struct fph_batcher *b, struct fph_returned *out);

/* Takes a range of the oldest batch.  1 (*out is set, as not used), 0. */
int fph_batcher_pop_out(struct fph_batcher *b, struct fph_returned *out);

/* Takes the first range of a list.  1 (*out is set but for used), 0. */
int fph_batcher_take(struct fph_batcher *b, struct fph_slot_list *list,
		     struct fph_returned *out);

/* Takes a range of back[], used ones first.  1 (*out is set), 0. */
int fph_batcher_give(struct fph_batcher *b, struct fph_returned *out);

void fph_amount_add(struct fph_amount *a, const struct fph_amount *b);

void fph_slot_list_init(struct fph_slot_list *list);

/* Moves all of from to the end of to. */
void fph_slot_list_join(struct fph_slot *slots, struct fph_slot_list *to,
			struct fph_slot_list *from);

#endif /* FPH_CORE_INTERNAL_H */
