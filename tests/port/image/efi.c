/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The image as an EFI program, which uses no service of the firmware. */
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

int efi_main(void *image, void *system_table);

int efi_main(void *image, void *system_table)
{
	(void)image;
	(void)system_table;
	exit(image_run());
}
