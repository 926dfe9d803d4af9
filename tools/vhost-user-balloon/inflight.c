/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_kind.h"
#include "inflight.h"
#include "memory_guard.h"

/* A queue: a header, then 16 bytes for each head. */
#define ALIGN		64u
#define MAX_HEADS	32768u
#define Q_VERSION	8u		/* u16: 1 */
#define Q_NUM		10u		/* u16 */
#define Q_USED_IDX	14u		/* u16: cleared up to */
#define Q_HEADS		16u
#define HEAD_SIZE	16u
#define HEAD_MARK	0u		/* u8: 1 in flight */
#define HEAD_COUNTER	8u		/* u64: in which order they came */

/* Of a ring: flags, index, entries. */
#define RING_IDX	2u
#define RING_ENTRIES	4u
#define USED_SIZE	8u

static uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static size_t get_stride(uint16_t num)
{
	size_t size = Q_HEADS + (size_t)num * HEAD_SIZE;

	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static uint8_t *get_queue(const struct inflight *f, uint32_t queue)
{
	return f->queues + queue * get_stride(f->num);
}

/* Whether this ring's heads are kept. */
static bool is_kept(const struct inflight *f, uint32_t queue, uint16_t num)
{
	return f->map && queue < f->nqueues && num <= f->num;
}

static uint8_t *get_mark(const struct inflight *f, uint32_t queue,
			 uint32_t head)
{
	return get_queue(f, queue) + Q_HEADS + head * HEAD_SIZE + HEAD_MARK;
}

/* ---------------------------------------------------------- create and open */

static void init_queue(uint8_t *q, uint16_t num)
{
	store16(q + Q_VERSION, 1);
	store16(q + Q_NUM, num);
}

static bool are_sizes_good(uint16_t nqueues, uint16_t num)
{
	return nqueues && nqueues <= INFLIGHT_QUEUES && num && num <= MAX_HEADS;
}

static int map_region(struct inflight *f, int fd, uint64_t size,
		      uint64_t offset)
{
	f->map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, (off_t)offset);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return errno;
	}
	f->len = (size_t)size;
	f->queues = f->map;
	return 0;
}

/* Not guarded: nobody else has it yet, and the guard is for the one in use. */
int inflight_create(uint16_t nqueues, uint16_t num, int *fd, uint64_t *size)
{
	struct inflight f = { .num = num };
	uint32_t i;
	int err;

	if (!are_sizes_good(nqueues, num))
		return EINVAL;
	*size = nqueues * get_stride(num);
	*fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return errno;
	err = ftruncate(*fd, (off_t)*size) ? errno :
	      map_region(&f, *fd, *size, 0);
	if (err) {
		close(*fd);
		return err;
	}
	for (i = 0; i < nqueues; i++)
		init_queue(get_queue(&f, i), num);
	munmap(f.map, f.len);
	return 0;
}

int inflight_open(struct inflight *f, int fd, uint64_t size, uint64_t offset,
		  uint16_t nqueues, uint16_t num)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	uint32_t i;
	int err;

	memset(f, 0, sizeof(*f));
	if (!are_sizes_good(nqueues, num) ||
	    size < nqueues * get_stride(num) || size > 1u << 30 ||
	    offset > 1u << 30 || offset % page ||
	    file_get_kind(fd) != FILE_MEMORY || fstat(fd, &st) ||
	    (uint64_t)st.st_size < offset + size)
		return EINVAL;
	err = map_region(f, fd, size, offset);
	if (err)
		return err;
	memory_guard_set_other(GUARD_INFLIGHT, f->map, f->len);
	f->nqueues = nqueues;
	f->num = num;
	for (i = 0; i < nqueues; i++)
		f->cleared[i] = load16(get_queue(f, i) + Q_USED_IDX);
	return 0;
}

void inflight_close(struct inflight *f)
{
	if (f->map) {
		memory_guard_set_other(GUARD_INFLIGHT, NULL, 0);
		munmap(f->map, f->len);
	}
	memset(f, 0, sizeof(*f));
}

/* ------------------------------------------------------------ take and return */

static uint16_t get_used_idx(const struct inflight_ring *r)
{
	uint16_t idx = load16(r->used + RING_IDX);

	atomic_thread_fence(memory_order_acquire);
	return idx;
}

void inflight_take(struct inflight *f, uint32_t queue,
		   const struct inflight_ring *r, uint32_t n)
{
	if (!is_kept(f, queue, r->num))
		return;
	for (; n; n--) {
		uint16_t at = f->marked[queue]++ % r->num;
		uint16_t head = load16(r->avail + RING_ENTRIES + 2u * at);
		uint8_t *mark;

		if (head >= r->num)
			continue;
		mark = get_mark(f, queue, head);
		f->counter++;
		memcpy(mark + HEAD_COUNTER, &f->counter, 8);
		*mark = 1;
	}
	atomic_thread_fence(memory_order_release);
}

void inflight_return(struct inflight *f, uint32_t queue,
		     const struct inflight_ring *r)
{
	uint16_t idx, n;

	if (!is_kept(f, queue, r->num))
		return;
	idx = get_used_idx(r);
	n = (uint16_t)(idx - f->cleared[queue]);
	/* The driver can write anything there; then only what fits counts. */
	if (n > r->num)
		n = r->num;
	for (; n; n--) {
		uint16_t at = (uint16_t)(idx - n) % r->num;
		uint16_t head = load16(r->used + RING_ENTRIES +
				       USED_SIZE * at);

		if (head < r->num)
			*get_mark(f, queue, head) = 0;
	}
	atomic_thread_fence(memory_order_release);
	f->cleared[queue] = idx;
	store16(get_queue(f, queue) + Q_USED_IDX, idx);
}

void inflight_stop(struct inflight *f, uint32_t queue)
{
	uint32_t head;

	for (head = 0; f->map && queue < f->nqueues && head < f->num; head++)
		*get_mark(f, queue, head) = 0;
}

/* -------------------------------------------------------------------- start */

static uint16_t count_marks(const struct inflight *f, uint32_t queue,
			    uint16_t num)
{
	uint16_t n = 0;
	uint16_t head;

	for (head = 0; head < num; head++)
		n = (uint16_t)(n + (*get_mark(f, queue, head) == 1));
	return n;
}

/* Whether the n marks are those of the n buffers from this index on. */
static bool are_next(const struct inflight *f, uint32_t queue,
		     const struct inflight_ring *r, uint16_t from, uint16_t n)
{
	uint8_t met[MAX_HEADS / 8] = { 0 };
	uint16_t i;

	for (i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(from + i) % r->num;
		uint16_t head = load16(r->avail + RING_ENTRIES + 2u * at);

		/* One that came back and was offered again is there twice. */
		if (head >= r->num || *get_mark(f, queue, head) != 1 ||
		    (met[head / 8] & 1u << head % 8))
			return false;
		met[head / 8] = (uint8_t)(met[head / 8] | 1u << head % 8);
	}
	return true;
}

static void return_all(struct inflight *f, uint32_t queue,
		       const struct inflight_ring *r, uint16_t idx)
{
	uint16_t head;

	for (head = 0; head < r->num; head++) {
		uint8_t *e = r->used + RING_ENTRIES +
			     USED_SIZE * (idx % r->num);

		if (*get_mark(f, queue, head) != 1)
			continue;
		memset(e, 0, USED_SIZE);
		store16(e, head);
		idx++;
	}
	atomic_thread_fence(memory_order_release);
	store16(r->used + RING_IDX, idx);
}

uint32_t inflight_start(struct inflight *f, uint32_t queue,
			const struct inflight_ring *r, uint32_t *base)
{
	uint16_t used, n;

	if (!is_kept(f, queue, r->num))
		return 0;
	n = count_marks(f, queue, r->num);
	if (!n) {
		f->cleared[queue] = get_used_idx(r);
		store16(get_queue(f, queue) + Q_USED_IDX, f->cleared[queue]);
		f->marked[queue] = (uint16_t)*base;
		return 0;
	}
	inflight_return(f, queue, r);
	used = f->cleared[queue];
	n = count_marks(f, queue, r->num);
	*base = used;
	if (n && !are_next(f, queue, r, used, n)) {
		return_all(f, queue, r, used);
		inflight_return(f, queue, r);
		*base = f->cleared[queue];
	} else {
		n = 0;
	}
	f->marked[queue] = (uint16_t)*base;
	return n;
}
