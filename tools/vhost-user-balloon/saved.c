/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fph/status.h>

#include "saved.h"

/* More than any device of this daemon can have. */
#define MAX_STATE	(64u << 20)

bool saved_is_possible(const struct device *d)
{
	uint32_t base, i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (fph_balloon_ring_get_base(d->balloon, i, &base) !=
		    FPH_ESTATE)
			return false;
	}
	return true;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	if (lseek(fd, 0, SEEK_SET) || ftruncate(fd, 0))
		return errno;
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k <= 0)
			return k ? errno : EIO;
		p += k;
		n -= (size_t)k;
	}
	return lseek(fd, 0, SEEK_SET) ? errno : 0;
}

static int read_all(int fd, uint8_t *p, size_t n)
{
	if (lseek(fd, 0, SEEK_SET))
		return errno;
	while (n) {
		ssize_t k = read(fd, p, n);

		if (k <= 0)
			return k ? errno : EIO;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int saved_write(const struct device *d, int fd)
{
	size_t size;
	void *state;
	int err;

	if (!saved_is_possible(d))
		return EBUSY;
	(void)fph_balloon_save(d->balloon, NULL, 0, &size);
	state = malloc(size);
	if (!state)
		return ENOMEM;
	err = fph_balloon_save(d->balloon, state, size, &size) == FPH_OK ?
	      write_all(fd, state, size) : EBUSY;
	free(state);
	return err;
}

/* What the device counts beside the library is of the one before. */
static void take_over(struct device *d)
{
	(void)fph_balloon_thaw(d->balloon);
	freeze_forget_mode(&d->freeze);
	device_leave_all_buffers(d);
	d->stats_came = true;
	hint_tell_state(&d->hint);
}

int saved_load(struct device *d, int fd, const char **why)
{
	struct stat st;
	uint8_t *state;
	int err, status;

	*why = "it is empty, or too large";
	if (!saved_is_possible(d))
		return EBUSY;
	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > MAX_STATE)
		return EINVAL;
	state = malloc((size_t)st.st_size);
	if (!state)
		return ENOMEM;
	err = read_all(fd, state, (size_t)st.st_size);
	if (!err) {
		status = fph_balloon_load(d->balloon, state,
					  (size_t)st.st_size, FPH_LOAD_MOVED,
					  NULL);
		*why = fph_status_name(status);
		err = status == FPH_OK ? 0 : EINVAL;
	}
	free(state);
	if (!err)
		take_over(d);
	return err;
}
