/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What lib/vmm asks of a system: no story has a clock, or frees memory. */
#include <image.h>

#include "vmm/system.h"

uint64_t fph_system_get_time(void)
{
	abort();
}

uint64_t fph_system_get_page_size(void)
{
	abort();
}

const struct fph_reclaim_ops fph_system_reclaim_ops;
