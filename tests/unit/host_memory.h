/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Real memory of every kind, and what the kernel says about it. */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/reclaim_internal.h"

#include "runner.h"

/* ---------------------------------------------------------------- skips -- */

/* Shared with the processes of the tests. */
static int *host_skips;

static inline void host_skip(const char *test, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "SKIP %s: ", test);
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	__atomic_add_fetch(host_skips, 1, __ATOMIC_RELAXED);
}

static inline void host_init(void)
{
	host_skips = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (host_skips == MAP_FAILED)
		abort();
}

/* ---------------------------------------------------------------- areas -- */

struct host_area {
	uint8_t *p;
	size_t len;
	size_t page;		/* of the backing */
	int fd;			/* -1: none; closed by host_unmap */
	void *reserved;		/* with a gap on both sides */
	size_t reserved_len;
};

/* Maps len bytes where they have no neighbours. */
static inline bool host_map(struct host_area *a, size_t len, size_t page,
			    int flags, int fd)
{
	uintptr_t at;

	memset(a, 0, sizeof(*a));
	a->fd = fd;
	a->len = len;
	a->page = page;
	a->reserved_len = len + 3 * page;
	a->reserved = mmap(NULL, a->reserved_len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(a->reserved, MAP_FAILED);
	at = ((uintptr_t)a->reserved + 2 * page - 1) & ~(page - 1);
	a->p = mmap((void *)at, len, PROT_READ | PROT_WRITE,
		    flags | MAP_FIXED, fd, 0);
	return a->p != MAP_FAILED;
}

static inline void host_unmap(struct host_area *a)
{
	munmap(a->reserved, a->reserved_len);
	if (a->fd >= 0)
		close(a->fd);
}

static inline size_t host_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Small pages, whatever the system's policy for huge ones. */
static inline void host_map_anon(struct host_area *a, size_t pages)
{
	ck_assert(host_map(a, pages * host_page(), host_page(),
			   MAP_PRIVATE | MAP_ANONYMOUS, -1));
	/* A kernel without huge pages has no such advice. */
	madvise(a->p, a->len, MADV_NOHUGEPAGE);
}

static inline void host_map_file(struct host_area *a, size_t pages, int fd,
				 int flags)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)(pages * host_page())), 0);
	ck_assert(host_map(a, pages * host_page(), host_page(), flags, fd));
}

static inline int host_memfd(void)
{
	return memfd_create("fph-test", MFD_CLOEXEC);
}

/* A file without a name in a directory, or -1. */
static inline int host_open_file(const char *dir)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/fph-test-XXXXXX", dir);
	fd = mkstemp(name);
	if (fd >= 0)
		unlink(name);
	return fd;
}

/* -------------------------------------------------------------- content -- */

static inline uint8_t host_byte(size_t page)
{
	return (uint8_t)(1 + page % 251);
}

static inline void host_fill(const struct host_area *a)
{
	size_t i;

	for (i = 0; i < a->len / a->page; i++)
		memset(a->p + i * a->page, host_byte(i), a->page);
}

static inline bool host_is(const struct host_area *a, size_t page, uint8_t c)
{
	const uint8_t *p = a->p + page * a->page;

	return p[0] == c && !memcmp(p, p + 1, a->page - 1);
}

/* Pages [from, to) read as zero, all others as they were filled. */
static inline void host_check_content(const struct host_area *a, size_t from,
				      size_t to)
{
	size_t i;

	for (i = 0; i < a->len / a->page; i++)
		ck_assert_msg(host_is(a, i, i >= from && i < to ? 0 :
				      host_byte(i)), "page %zu", i);
}

/* ------------------------------------------------------------ residency -- */

/* Pages [from, to) of the backing that are in memory. */
static inline size_t host_resident(const struct host_area *a, size_t from,
				   size_t to)
{
	size_t step = a->page / host_page();
	static unsigned char vec[65536];
	size_t n = 0;
	size_t i;

	ck_assert_uint_le((to - from) * step, sizeof(vec));
	ck_assert_int_eq(mincore(a->p + from * a->page, (to - from) * a->page,
				 vec), 0);
	for (i = 0; i < to - from; i++)
		n += vec[i * step] & 1;
	return n;
}

/* A line of /proc/self/smaps for the mapping at a->p, in bytes; -1: none. */
static inline long host_smaps(const struct host_area *a, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool is_here = false;
	unsigned long start;
	unsigned long end;
	char line[512];
	long kib = -1;

	ck_assert_ptr_nonnull(f);
	while (kib < 0 && fgets(line, sizeof(line), f)) {
		size_t n = strlen(field);

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_here = start <= (uintptr_t)a->p &&
				  (uintptr_t)a->p < end;
		else if (is_here && !strncmp(line, field, n) && line[n] == ':')
			kib = strtol(line + n + 1, NULL, 10);
	}
	fclose(f);
	return kib < 0 ? -1 : kib * 1024;
}

/* Bytes mapped and in memory; huge pages have lines of their own. */
static inline long host_rss(const struct host_area *a)
{
	return host_smaps(a, "Rss") + host_smaps(a, "Shared_Hugetlb") +
	       host_smaps(a, "Private_Hugetlb");
}

/* Bytes that the file takes. */
static inline long host_blocks(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return (long)st.st_blocks * 512;
}

/* ----------------------------------------------------------- huge pages -- */

/*
 * The pool belongs to the whole machine.  So it is a process of its own that
 * takes pages for us, one test at a time, and gives them back when the other
 * end of a pipe is closed: by us, or by the kernel after a crash or a kill.
 */
struct host_huge {
	pid_t guard;
	int alive;		/* closed when we are through */
};

/* By size: the default one of a machine may be gigantic. */
#define HOST_HUGE_POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static inline bool host_set_pool(int fd, long n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", n);

	return pwrite(fd, text, (size_t)len, 0) == len;
}

static inline long host_get_pool(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

static inline bool host_lock_pool(int fd)
{
	int i;

	for (i = 0; i < 600; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return true;
		usleep(100000);
	}
	return false;
}

/* Tells why not, or that it is done; then waits for the end. */
static inline void host_guard(int alive, int ready, long n)
{
	int fd = open(HOST_HUGE_POOL, O_RDWR | O_CLOEXEC);
	long saved;
	char why;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || !host_lock_pool(fd)) {
		(void)!write(ready, fd < 0 ? "p" : "l", 1);
		_exit(0);
	}
	saved = host_get_pool(fd);
	why = host_set_pool(fd, saved + n) && host_get_pool(fd) >= saved + n ?
	      'y' : 'n';
	(void)!write(ready, &why, 1);
	while (read(alive, &why, 1) < 0 && errno == EINTR)
		;
	host_set_pool(fd, saved);
	_exit(0);
}

static inline void host_huge_end(struct host_huge *h)
{
	close(h->alive);
	ck_assert_int_eq(waitpid(h->guard, NULL, 0), h->guard);
}

/* NULL, or the reason why there are no huge pages. */
static inline const char *host_huge_begin(struct host_huge *h, long n)
{
	char why = 0;
	int alive[2];
	int ready[2];

	ck_assert_int_eq(pipe(alive), 0);
	ck_assert_int_eq(pipe(ready), 0);
	fflush(NULL);
	h->guard = fork();
	ck_assert_int_ge(h->guard, 0);
	if (!h->guard) {
		close(alive[1]);
		close(ready[0]);
		host_guard(alive[0], ready[1], n);
	}
	close(alive[0]);
	close(ready[1]);
	h->alive = alive[1];
	ck_assert_int_eq(read(ready[0], &why, 1), 1);
	close(ready[0]);
	if (why == 'y')
		return NULL;
	host_huge_end(h);
	return why == 'p' ? "cannot write " HOST_HUGE_POOL " (not root?)" :
	       why == 'l' ? "another test keeps " HOST_HUGE_POOL " locked" :
	       "the kernel cannot provide so many";
}

#endif /* HOST_MEMORY_H */
