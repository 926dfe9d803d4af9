/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Memory whose content is known, in a guest that migrates.
 *
 *	churn SLOTS PAGES PAUSE_US SEED
 *
 * Keeps SLOTS blocks of 1 to PAGES pages; for ever one of them is verified,
 * unmapped and replaced.  SIGUSR1: all are verified, and it ends.  Its status
 * is 0 when every word had the value that was written.  The longest turn tells
 * how long the guest stood still.
 */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096u
#define WORDS		(PAGE / sizeof(uint64_t))
#define MAX_SLOTS	4096u

struct slot {
	uint64_t *words;
	size_t pages;
	uint64_t seed;
};

static struct slot slots[MAX_SLOTS];
static volatile sig_atomic_t stopped;
static uint64_t state;
static unsigned long bad, zero, verified, longest_us;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t get_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Every word depends on its place, so that a page in another's place shows. */
static uint64_t get_word(const struct slot *s, size_t i)
{
	return (s->seed + i) * 0x9e3779b97f4a7c15u;
}

static void fill(struct slot *s, size_t pages)
{
	size_t i;

	s->pages = pages;
	s->seed = get_random();
	s->words = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->words == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	for (i = 0; i < pages * WORDS; i++)
		s->words[i] = get_word(s, i);
}

static void verify_page(const struct slot *s, size_t page)
{
	size_t i, wrong = 0, zeros = 0;

	for (i = page * WORDS; i < (page + 1) * WORDS; i++) {
		wrong += s->words[i] != get_word(s, i);
		zeros += !s->words[i];
	}
	bad += wrong > 0;
	zero += zeros == WORDS;
	verified++;
}

static void verify(const struct slot *s)
{
	size_t i;

	for (i = 0; i < s->pages; i++)
		verify_page(s, i);
}

static void turn(struct slot *s, size_t most, useconds_t pause_us)
{
	struct timespec begin, end;
	long us;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	verify(s);
	munmap(s->words, s->pages * PAGE);
	fill(s, 1 + get_random() % most);
	usleep(pause_us);
	clock_gettime(CLOCK_MONOTONIC, &end);
	us = (end.tv_sec - begin.tv_sec) * 1000000 +
	     (end.tv_nsec - begin.tv_nsec) / 1000;
	if (us > 0 && (unsigned long)us > longest_us)
		longest_us = (unsigned long)us;
}

int main(int argc, char **argv)
{
	size_t nslots, most, i;
	useconds_t pause_us;

	if (argc != 5)
		return 2;
	nslots = strtoul(argv[1], NULL, 0);
	most = strtoul(argv[2], NULL, 0);
	pause_us = (useconds_t)strtoul(argv[3], NULL, 0);
	state = strtoull(argv[4], NULL, 0) * 2 + 1;
	if (!nslots || nslots > MAX_SLOTS || !most)
		return 2;
	signal(SIGUSR1, stop);
	for (i = 0; i < nslots; i++)
		fill(&slots[i], 1 + get_random() % most);
	while (!stopped)
		turn(&slots[get_random() % nslots], most, pause_us);
	for (i = 0; i < nslots; i++)
		verify(&slots[i]);
	printf("verified %lu bad %lu zero %lu longest_us %lu\n", verified, bad,
	       zero, longest_us);
	return bad != 0;
}
