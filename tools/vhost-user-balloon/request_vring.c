/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Requests about rings. */
#include <errno.h>

#include "notify.h"
#include "request.h"

/* The ring of a vring state or address payload, or NULL. */
static struct vring *get_ring(struct session *s, const struct vu_message *m,
			      uint32_t *index)
{
	*index = vu_load32(m->payload + VU_STATE_INDEX);
	return *index < FPH_NQUEUES ? &s->rings[*index] : NULL;
}

int request_set_vring_num(struct session *s, struct vu_message *m,
			  struct reply *r)
{
	uint32_t num = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);

	(void)r;
	if (!v || num == 0 || num > s->device->max_queue_size ||
	    ((num & (num - 1)) && !device_is_packed(s->device)))
		return EINVAL;
	if (v->running)
		return num == v->num ? 0 : EBUSY;
	v->num = num;
	return 0;
}

/* An index of 16 bits, or packed: two places; start looks at those. */
static bool is_base(const struct session *s, uint32_t base)
{
	return base <= UINT16_MAX || device_is_packed(s->device);
}

/*
 * QEMU's reset of a guest looks like a pause: the rings are stopped with
 * GET_VRING_BASE and set up again.  But after a pause a ring goes on where it
 * was stopped, and a new driver's begins anew; where both are the same, the
 * one before had no buffer on it.  (All rings at a multiple of 65536 buffers,
 * packed ones at the end of an even lap, is the one chance of an error; then
 * the state of the old driver stays.)  Faults 2 and 3.
 */
bool request_is_new_driver(struct session *s, const struct vu_message *m)
{
	uint32_t base = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);

	return v && is_base(s, base) && v->stopped && s->paused &&
	       base != v->base;
}

int request_set_vring_base(struct session *s, struct vu_message *m,
			   struct reply *r)
{
	uint32_t base = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);

	(void)r;
	if (!v || !is_base(s, base))
		return EINVAL;
	/* Of a new ring it may have been another one; see vring_map. */
	if (v->running)
		return base == v->base || (!base && v->base == v->new_base) ?
		       0 : EBUSY;
	if (request_is_new_driver(s, m))
		session_change_driver(s);
	v->base = base;
	return 0;
}

/* The log's address is of no use, see ring_log.h. */
int request_set_vring_addr(struct session *s, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);
	struct vring next;

	(void)r;
	if (!v || (vu_load32(m->payload + VU_ADDR_FLAGS) & ~VU_ADDR_F_LOG))
		return EINVAL;
	next = *v;
	next.desc = vu_load64(m->payload + VU_ADDR_DESC);
	next.used = vu_load64(m->payload + VU_ADDR_USED);
	next.avail = vu_load64(m->payload + VU_ADDR_AVAIL);
	if (v->running)
		return next.desc == v->desc && next.used == v->used &&
		       next.avail == v->avail ? 0 : EBUSY;
	if (v->num && !vring_is_mapped(&next, s->device)) {
		session_complain(s, "ring %u does not lie in one region of "
				 "shared memory: is the guest's memory shared "
				 "(share=on)?", index);
		return EFAULT;
	}
	next.has_addr = true;
	next.stopped = false;
	*v = next;
	return session_try_start(s, index);
}

int request_get_vring_base(struct session *s, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);
	int err;

	if (!v)
		return EINVAL;
	err = vring_stop(v, index, s->device);
	if (err)
		return err;
	inflight_stop(&s->inflight, index);
	v->stopped = true;
	v->polled = false;
	/* What is written from here on may be a new driver's. */
	s->paused = s->ran && session_is_paused(s);
	if (s->paused)
		s->config_written = 0;
	vring_set_fd(&v->kick, -1);
	vu_store32(r->payload + VU_STATE_INDEX, index);
	vu_store32(r->payload + VU_STATE_NUM, v->base);
	r->size = VU_STATE_SIZE;
	return 0;
}

/* ------------------------------------------------------------- descriptors */

/* The descriptor of KICK, CALL or ERR: -1 in *fd is "none". */
static int get_fd(struct session *s, struct vu_message *m, uint32_t *index,
		  int *fd)
{
	uint64_t v = vu_load64(m->payload);
	bool none = v & VU_FD_NONE;

	*index = (uint32_t)(v & VU_FD_INDEX_MASK);
	if (*index >= FPH_NQUEUES || (v & ~(uint64_t)0x1ff) ||
	    none != (m->nfds == 0))
		return EINVAL;
	if (!none && !notify_is_usable(m->fds[0])) {
		session_complain(s, "ring %u: neither an eventfd, a pipe nor "
				 "a local socket", *index);
		return EBADF;
	}
	*fd = vu_message_take_fd(m);
	return 0;
}

int request_set_vring_kick(struct session *s, struct vu_message *m,
			   struct reply *r)
{
	struct vring *v;
	uint32_t index;
	int fd;
	int err = get_fd(s, m, &index, &fd);

	(void)r;
	if (err)
		return err;
	v = &s->rings[index];
	vring_set_fd(&v->kick, fd);
	v->polled = fd < 0;
	v->stopped = false;
	return session_try_start(s, index);
}

int request_set_vring_call(struct session *s, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	int fd;
	int err = get_fd(s, m, &index, &fd);

	(void)r;
	if (err)
		return err;
	vring_set_fd(&s->rings[index].call, fd);
	/* The one before may not have been looked at.  Fault 5. */
	if (s->rings[index].running)
		session_raise_calls(s, 1u << index);
	return 0;
}

int request_set_vring_err(struct session *s, struct vu_message *m,
			  struct reply *r)
{
	uint32_t index;
	int fd;
	int err = get_fd(s, m, &index, &fd);

	(void)r;
	if (!err)
		vring_set_fd(&s->rings[index].err, fd);
	return err;
}

/* ------------------------------------------------------- enable and notify */

int request_set_vring_enable(struct session *s, struct vu_message *m,
			     struct reply *r)
{
	uint32_t on = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);

	(void)r;
	if (!v || on > 1)
		return EINVAL;
	vring_set_enabled(v, index, s->device, on);
	return on ? session_try_start(s, index) : 0;
}

/*
 * The buffers are taken before the answer, and what follows from them is on
 * its way: the guest goes on only afterwards, which makes an in-band guest
 * deterministic.
 */
int request_vring_kick(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(s, m, &index);
	int err;

	(void)r;
	if (!v || !s->back.inband)
		return EINVAL;
	v->stopped = false;
	err = session_try_start(s, index);
	if (err)
		return err;
	session_process(s, index);
	session_carry_effects(s);
	return 0;
}
