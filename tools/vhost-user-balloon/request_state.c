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
#include <sys/mman.h>
#include <unistd.h>

#include "request.h"
#include "saved.h"

static int load(struct session *s, int fd)
{
	const char *why;
	int err = saved_load(s->device, fd, &why);

	if (err == EINVAL)
		session_complain(s, "device state refused: %s", why);
	return err;
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
	if (!saved_is_possible(s->device))
		return EBUSY;
	r->fd = memfd_create("device-state", MFD_CLOEXEC);
	if (r->fd < 0)
		return errno;
	if (direction == VU_STATE_FD_SAVE) {
		err = saved_write(s->device, r->fd);
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
		err = load(s, s->state_fd);
	session_forget_state_fd(s);
	return answer(r, err ? 1 : 0);
}
