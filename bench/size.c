/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the size of the guest costs, and what the library itself takes. */
#include <unistd.h>

#include <fph/guest.h>
#include <fph/host.h>
#include <fph-vmm/balloon.h>

#include "meter.h"

static long get_resident(void)
{
	long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	MUST(f && fscanf(f, "%ld %ld", &size, &pages) == 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void bench_balloon(void)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .features = FPH_BALLOON_FEATURES |
					       FPH_VRING_FEATURES
	};
	struct fph_balloon *b[16];
	long before;
	double each;
	int i;

	p.memory = fph_memory_new(NULL, NULL);
	before = get_resident();
	for (i = 0; i < 16; i++) {
		b[i] = fph_balloon_new(&p, NULL);
		MUST(b[i]);
	}
	each = (double)(get_resident() - before) / 16 / 1024;
	meter_value("resident, fph_balloon_new", "libfph", "KiB", each, each);
	for (i = 0; i < 16; i++)
		fph_balloon_free(b[i]);
}

static void put_bytes(const char *name, size_t bytes)
{
	meter_value(name, "libfph", "B", (double)bytes, (double)bytes);
}

void bench_size(void)
{
	static const struct {
		const char *name;
		uint32_t shift;
	} guests[] = {
		{ "size, guest of 1 GiB", 30 },
		{ "size, guest of 64 GiB", 36 },
		{ "size, guest of 1 TiB", 40 },
		{ "size, guest of 16 TiB", 44 },
	};
	size_t i;

	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
		bench_ring_sized(guests[i].name, guests[i].shift);
	put_bytes("memory, a range of a report", FPH_REPORT_SIZE(1, 0) -
		  FPH_REPORT_SIZE(0, 0));
	put_bytes("memory, a range of a reporter", FPH_REPORTER_SIZE(1, 0) -
		  FPH_REPORTER_SIZE(0, 0));
	put_bytes("memory, an entry of a device's ring",
		  FPH_VQ_DEVICE_SIZE(1) - FPH_VQ_DEVICE_SIZE(0));
	put_bytes("memory, an entry of a driver's ring",
		  FPH_VQ_DRIVER_SIZE(1) - FPH_VQ_DRIVER_SIZE(0));
	bench_balloon();
}
