/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Memory whose content is known, in a guest that migrates.
 *
 *	churn SLOTS PAGES PAUSE_US SEED
 *
 * Keeps SLOTS blocks of 1 to PAGES pages; for ever one of them is verified,
 * unmapped and replaced.  SIGUSR1: all are verified, and it ends.  Its status
 * is 0 when every word had the value that was written.
 */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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
static unsigned long bad, zero, verified;

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
	while (!stopped) {
		struct slot *s = &slots[get_random() % nslots];

		verify(s);
		munmap(s->words, s->pages * PAGE);
		fill(s, 1 + get_random() % most);
		usleep(pause_us);
	}
	for (i = 0; i < nslots; i++)
		verify(&slots[i]);
	printf("verified %lu bad %lu zero %lu\n", verified, bad, zero);
	return bad != 0;
}
