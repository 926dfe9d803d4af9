/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "memory_guard.h"

static const struct memory_table *guarded;
static struct {
	uint8_t *base;
	size_t len;
} others[GUARD_OTHERS];
static volatile sig_atomic_t hit;

static const struct memory_slot *find_slot(uintptr_t addr)
{
	uint32_t i;

	for (i = 0; guarded && i < guarded->nslots; i++) {
		const struct memory_slot *s = &guarded->slots[i];

		if (addr >= (uintptr_t)s->base &&
		    addr - (uintptr_t)s->base < s->maplen)
			return s;
	}
	return NULL;
}

/* Of the guarded mapping that an address is in; 0: it is in none. */
static uintptr_t get_page_size(uintptr_t addr)
{
	const struct memory_slot *s = find_slot(addr);
	uint32_t i;

	if (s)
		return (uintptr_t)s->map.page_size;
	for (i = 0; i < GUARD_OTHERS; i++) {
		if (others[i].base &&
		    addr - (uintptr_t)others[i].base < others[i].len)
			return 4096;
	}
	return 0;
}

/* Put an empty page where the file's page is gone, and try again. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	uintptr_t page = get_page_size((uintptr_t)info->si_addr);
	uintptr_t addr;

	(void)context;
	if (page) {
		addr = (uintptr_t)info->si_addr & ~(page - 1);
		if (mmap((void *)addr, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
		    MAP_FAILED) {
			hit = 1;
			return;
		}
	}
	/* Not ours: the same access again is fatal, as it has to be. */
	signal(number, SIG_DFL);
}

void memory_guard_set_other(int which, void *base, size_t len)
{
	others[which].base = base;
	others[which].len = len;
}

void memory_guard_install(const struct memory_table *t)
{
	struct sigaction action;

	guarded = t;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_bus_error;
	action.sa_flags = SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

bool memory_guard_take(void)
{
	bool was = hit;

	hit = 0;
	return was;
}
