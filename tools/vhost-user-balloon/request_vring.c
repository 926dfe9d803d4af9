/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Requests about rings. */
#include <errno.h>

#include "request.h"

/* The ring of a vring state or address payload, or NULL. */
static struct vring *get_ring(struct frontend *fe, const struct vu_message *m,
			      uint32_t *index)
{
	*index = vu_load32(m->payload + VU_STATE_INDEX);
	return *index < FPH_NQUEUES ? &fe->rings[*index] : NULL;
}

/* Start it if all that it needs has been said. */
static int try_start(struct frontend *fe, struct vring *v, uint32_t index)
{
	bool told = v->kick >= 0 || v->polled ||
		    (fe->back.inband && v->enabled);

	if (v->running || v->stopped || !told || !vring_is_configured(v))
		return 0;
	fe->ran = true;
	return vring_start(v, index, fe->device);
}

int request_set_vring_num(struct frontend *fe, struct vu_message *m,
			  struct reply *r)
{
	uint32_t num = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);

	(void)r;
	if (!v || num == 0 || num > FPH_BALLOON_QUEUE_SIZE ||
	    (num & (num - 1)))
		return EINVAL;
	if (v->running)
		return num == v->num ? 0 : EBUSY;
	v->num = num;
	return 0;
}

int request_set_vring_base(struct frontend *fe, struct vu_message *m,
			   struct reply *r)
{
	uint32_t base = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);

	(void)r;
	if (!v || base > UINT16_MAX)
		return EINVAL;
	if (v->running)
		return EBUSY;
	v->base = (uint16_t)base;
	return 0;
}

/* The log's address is of no use: writes to rings are not logged. */
int request_set_vring_addr(struct frontend *fe, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);
	struct vring next;

	(void)r;
	if (!v || vu_load32(m->payload + VU_ADDR_FLAGS))
		return EINVAL;
	next = *v;
	next.desc = vu_load64(m->payload + VU_ADDR_DESC);
	next.used = vu_load64(m->payload + VU_ADDR_USED);
	next.avail = vu_load64(m->payload + VU_ADDR_AVAIL);
	if (v->running)
		return next.desc == v->desc && next.used == v->used &&
		       next.avail == v->avail ? 0 : EBUSY;
	if (v->num && !vring_is_mapped(&next, &fe->device->memory))
		return EFAULT;
	next.has_addr = true;
	next.stopped = false;
	*v = next;
	return try_start(fe, v, index);
}

int request_get_vring_base(struct frontend *fe, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);
	int err;

	if (!v)
		return EINVAL;
	err = vring_stop(v, index, fe->device);
	if (err)
		return err;
	v->stopped = true;
	v->polled = false;
	vring_set_fd(&v->kick, -1);
	vu_store32(r->payload + VU_STATE_INDEX, index);
	vu_store32(r->payload + VU_STATE_NUM, v->base);
	r->size = VU_STATE_SIZE;
	return 0;
}

/* ------------------------------------------------------------- descriptors */

/* The descriptor of KICK, CALL or ERR: -1 in *fd is "none". */
static int get_fd(struct frontend *fe, struct vu_message *m, uint32_t *index,
		  int *fd)
{
	uint64_t v = vu_load64(m->payload);
	bool none = v & VU_FD_NONE;

	*index = (uint32_t)(v & VU_FD_INDEX_MASK);
	(void)fe;
	if (*index >= FPH_NQUEUES || (v & ~(uint64_t)0x1ff) ||
	    none != (m->nfds == 0))
		return EINVAL;
	*fd = vu_message_take_fd(m);
	return 0;
}

int request_set_vring_kick(struct frontend *fe, struct vu_message *m,
			   struct reply *r)
{
	struct vring *v;
	uint32_t index;
	int fd;
	int err = get_fd(fe, m, &index, &fd);

	(void)r;
	if (err)
		return err;
	v = &fe->rings[index];
	vring_set_fd(&v->kick, fd);
	v->polled = fd < 0;
	v->stopped = false;
	return try_start(fe, v, index);
}

int request_set_vring_call(struct frontend *fe, struct vu_message *m,
			   struct reply *r)
{
	uint32_t index;
	int fd;
	int err = get_fd(fe, m, &index, &fd);

	(void)r;
	if (!err)
		vring_set_fd(&fe->rings[index].call, fd);
	return err;
}

int request_set_vring_err(struct frontend *fe, struct vu_message *m,
			  struct reply *r)
{
	uint32_t index;
	int fd;
	int err = get_fd(fe, m, &index, &fd);

	(void)r;
	if (!err)
		vring_set_fd(&fe->rings[index].err, fd);
	return err;
}

/* ------------------------------------------------------- enable and notify */

int request_set_vring_enable(struct frontend *fe, struct vu_message *m,
			     struct reply *r)
{
	uint32_t on = vu_load32(m->payload + VU_STATE_NUM);
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);

	(void)r;
	if (!v || on > 1)
		return EINVAL;
	vring_set_enabled(v, index, fe->device, on);
	return on ? try_start(fe, v, index) : 0;
}

/*
 * The buffers are taken before the answer, and what follows from them is on
 * its way: the guest goes on only afterwards, which makes an in-band guest
 * deterministic.
 */
int request_vring_kick(struct frontend *fe, struct vu_message *m,
		       struct reply *r)
{
	uint32_t index;
	struct vring *v = get_ring(fe, m, &index);
	int err;

	(void)r;
	if (!v || !fe->back.inband)
		return EINVAL;
	v->stopped = false;
	err = try_start(fe, v, index);
	if (err)
		return err;
	device_process(fe->device, index);
	frontend_carry_effects(fe);
	return 0;
}
