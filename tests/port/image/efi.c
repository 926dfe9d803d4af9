/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The image as an EFI program; its firmware gives the memory of guests. */
#include <image.h>

#define DEBUG_CONSOLE	0xe9
#define DEBUG_EXIT	0xf4

void image_put(int c)
{
	__asm__ volatile("outb %0, %1" : :
			 "a"((uint8_t)c), "Nd"((uint16_t)DEBUG_CONSOLE));
}

_Noreturn void image_exit(int code)
{
	for (;;)
		__asm__ volatile("outl %0, %1" : :
				 "a"(code), "Nd"((uint16_t)DEBUG_EXIT));
}

/* As far as they are of use here; UEFI specification 2.10, 4.3 and 4.4. */
struct boot_services {
	char header[24];
	void *task_priority[2];
	uint64_t (*allocate_pages)(int how, int what, uint64_t n,
				   uint64_t *address);
};

struct system_table {
	char header[24];
	void *others[9];
	const struct boot_services *boot;
};

#define PAGE_SIZE	4096u
#define ANY_PAGES	0
#define LOADER_DATA	2

/* What the largest story maps, and a little more. */
#define GUEST_SIZE	(2048u << 20)

static char *guest;
static size_t guest_used;

/* What is in it is not zero: a story looks only at what it wrote. */
void *mmap(void *at, size_t len, int protection, int flags, int fd, long offset)
{
	(void)at;
	(void)protection;
	(void)flags;
	(void)fd;
	(void)offset;
	if (len > GUEST_SIZE - guest_used)
		return MAP_FAILED;
	guest_used += len;
	return guest + guest_used - len;
}

/* A story gives back all that it mapped before the next one begins. */
int munmap(void *at, size_t len)
{
	(void)at;
	guest_used -= len;
	return 0;
}

int efi_main(void *image, const struct system_table *table);

int efi_main(void *image, const struct system_table *table)
{
	uint64_t address;

	(void)image;
	if (table->boot->allocate_pages(ANY_PAGES, LOADER_DATA,
					GUEST_SIZE / PAGE_SIZE, &address))
		abort();
	guest = (char *)(uintptr_t)address;
	exit(image_run());
}
