/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Requests about the state of the device: a front-end takes it out of one
 * daemon and puts it into another, while the rings are stopped.
 *
 * The protocol lets the back-end answer with a descriptor of its own, which is
 * used in place of the front-end's.  Ours is always memory: nobody waits for
 * the other to read or to write, and a descriptor of the front-end is not
 * touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "request.h"

/* More than any device of this daemon can have. */
#define MAX_STATE	(64u << 20)

static int write_all(int fd, const uint8_t *p, size_t n)
{
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

static bool is_stopped(const struct session *s)
{
	uint32_t base;

	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (fph_balloon_ring_get_base(s->device->balloon, i, &base) !=
		    FPH_ESTATE)
			return false;
	}
	return true;
}

/* 0, or a positive errno value. */
static int save(const struct session *s, int fd)
{
	const struct fph_balloon *b = s->device->balloon;
	size_t size;
	void *state;
	int err;

	(void)fph_balloon_save(b, NULL, 0, &size);
	state = malloc(size);
	if (!state)
		return ENOMEM;
	err = fph_balloon_save(b, state, size, &size) == FPH_OK ?
	      write_all(fd, state, size) : EBUSY;
	free(state);
	return err;
}

static int load(struct session *s, int fd)
{
	struct fph_balloon *b = s->device->balloon;
	struct stat st;
	uint8_t *state;
	int err, ret;

	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > MAX_STATE)
		return EINVAL;
	state = malloc((size_t)st.st_size);
	if (!state)
		return ENOMEM;
	err = read_all(fd, state, (size_t)st.st_size);
	if (!err) {
		ret = fph_balloon_load(b, state, (size_t)st.st_size,
				       FPH_LOAD_MOVED, NULL);
		if (ret != FPH_OK) {
			session_complain(s, "device state refused: %s",
					 fph_status_name(ret));
			err = EINVAL;
		}
	}
	free(state);
	if (err)
		return err;
	/* No ring runs: what was held there is taken again. */
	for (int queue = 0; queue < FPH_NQUEUES; queue++)
		device_leave_buffers(s->device, queue);
	/* Who froze the device there is not here. */
	(void)fph_balloon_thaw(b);
	return 0;
}

/* A descriptor that goes away with the answer; the state is in it, or will. */
static int transfer(struct session *s, const struct vu_message *m,
		    struct reply *r)
{
	uint32_t direction = vu_load32(m->payload + VU_STATE_FD_DIRECTION);
	int err = 0;

	if (vu_load32(m->payload + VU_STATE_FD_PHASE) != VU_STATE_FD_STOPPED ||
	    direction > VU_STATE_FD_LOAD)
		return EINVAL;
	if (!is_stopped(s))
		return EBUSY;
	r->fd = memfd_create("device-state", MFD_CLOEXEC);
	if (r->fd < 0)
		return errno;
	if (direction == VU_STATE_FD_SAVE) {
		err = save(s, r->fd);
	} else {
		s->state_fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
		if (s->state_fd < 0)
			err = errno;
	}
	if (err) {
		close(r->fd);
		r->fd = -1;
	}
	return err;
}

static int answer(struct reply *r, uint64_t value)
{
	vu_store64(r->payload, value);
	r->size = 8;
	return 0;
}

int request_set_device_state_fd(struct session *s, struct vu_message *m,
				struct reply *r)
{
	int err;

	session_forget_state_fd(s);
	err = transfer(s, m, r);
	if (err)
		session_complain(s, "device state: %s", strerror(err));
	return answer(r, err ? VU_STATE_FD_NONE | 1 : 0);
}

int request_check_device_state(struct session *s, struct vu_message *m,
			       struct reply *r)
{
	int err = 0;

	(void)m;
	/* What was saved is there at once. */
	if (s->state_fd >= 0)
		err = is_stopped(s) ? load(s, s->state_fd) : EBUSY;
	session_forget_state_fd(s);
	return answer(r, err ? 1 : 0);
}
