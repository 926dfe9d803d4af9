/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Requests about guest memory.
 *
 * Rings lie in it, so those that run are stopped before it changes and go on
 * afterwards, at their new place.
 */
#include <errno.h>

#include "advice.h"
#include "log.h"
#include "request.h"

static void parse_region(struct memory_region *r, const uint8_t *p)
{
	r->gpa = vu_load64(p + VU_REGION_GPA);
	r->len = vu_load64(p + VU_REGION_LEN);
	r->uva = vu_load64(p + VU_REGION_UVA);
	r->offset = vu_load64(p + VU_REGION_OFFSET);
}

static void log_region(const char *what, const struct memory_region *r)
{
	log_detail("   %s gpa 0x%llx, 0x%llx bytes, at 0x%llx, offset 0x%llx",
		   what, (unsigned long long)r->gpa,
		   (unsigned long long)r->len, (unsigned long long)r->uva,
		   (unsigned long long)r->offset);
}

static void end_change(struct session *s, int err)
{
	const char *word = s->device->memory.word;

	if (!err)
		advice_after_memory(s);
	else if (word)
		session_complain(s, "memory refused: %s", word);
}

int request_set_mem_table(struct session *s, struct vu_message *m,
			  struct reply *r)
{
	uint32_t n = vu_load32(m->payload + VU_TABLE_NUM);
	struct memory_region regions[VU_TABLE_MAX];
	uint32_t i;
	int err;

	(void)r;
	if (n > VU_TABLE_MAX || m->nfds != n ||
	    m->size < VU_TABLE_REGIONS + n * VU_REGION_SIZE)
		return EINVAL;
	for (i = 0; i < n; i++) {
		parse_region(&regions[i], m->payload + VU_TABLE_REGIONS +
					  i * VU_REGION_SIZE);
		log_region("region", &regions[i]);
	}
	session_suspend_rings(s);
	m->nfds = 0;
	err = memory_table_set(&s->device->memory, regions, m->fds, n);
	device_memory_changed(s->device);
	end_change(s, err);
	session_resume_rings(s);
	return err;
}

int request_get_max_mem_slots(struct session *s, struct vu_message *m,
			      struct reply *r)
{
	(void)s;
	(void)m;
	vu_store64(r->payload, MEMORY_TABLE_SLOTS);
	r->size = 8;
	return 0;
}

int request_add_mem_reg(struct session *s, struct vu_message *m,
			struct reply *r)
{
	struct memory_region region;
	int err;

	(void)r;
	parse_region(&region, m->payload + VU_SINGLE_REGION);
	log_region("add", &region);
	session_suspend_rings(s);
	err = memory_table_add(&s->device->memory, &region,
			       vu_message_take_fd(m));
	device_memory_changed(s->device);
	end_change(s, err);
	session_resume_rings(s);
	return err;
}

int request_rem_mem_reg(struct session *s, struct vu_message *m,
			struct reply *r)
{
	struct memory_region region;
	int err;

	(void)r;
	parse_region(&region, m->payload + VU_SINGLE_REGION);
	log_region("remove", &region);
	session_suspend_rings(s);
	err = memory_table_remove(&s->device->memory, &region);
	device_memory_changed(s->device);
	session_resume_rings(s);
	return err;
}

bool request_can_keep_inflight(struct session *s)
{
	if (device_is_packed(s->device))
		session_complain(s, "packed rings have no inflight region: "
				 "start the daemon with --packed=off");
	return !device_is_packed(s->device);
}

/* Filled with the sizes, and none where there is none to be had. */
int request_get_inflight_fd(struct session *s, struct vu_message *m,
			    struct reply *r)
{
	uint16_t nqueues = vu_load16(m->payload + VU_INFLIGHT_QUEUES);
	uint16_t num = vu_load16(m->payload + VU_INFLIGHT_NUM);
	uint64_t size = 0;

	memcpy(r->payload, m->payload, m->size);
	r->size = m->size;
	if (!request_can_keep_inflight(s)) {
		r->fd = -1;
	} else if (inflight_create(nqueues, num, &r->fd, &size)) {
		session_complain(s, "no inflight region for %u queues of %u",
				 nqueues, num);
		r->fd = -1;
		size = 0;
	}
	vu_store64(r->payload + VU_INFLIGHT_BYTES, size);
	vu_store64(r->payload + VU_INFLIGHT_OFFSET, 0);
	return 0;
}

int request_set_inflight_fd(struct session *s, struct vu_message *m,
			    struct reply *r)
{
	struct inflight next;
	uint32_t i;
	int err;

	(void)r;
	for (i = 0; i < FPH_NQUEUES; i++) {
		if (s->rings[i].running)
			return EBUSY;
	}
	inflight_close(&s->inflight);
	if (!request_can_keep_inflight(s))
		return EOPNOTSUPP;
	err = inflight_open(&next, m->fds[0],
			    vu_load64(m->payload + VU_INFLIGHT_BYTES),
			    vu_load64(m->payload + VU_INFLIGHT_OFFSET),
			    vu_load16(m->payload + VU_INFLIGHT_QUEUES),
			    vu_load16(m->payload + VU_INFLIGHT_NUM));
	if (!err)
		s->inflight = next;
	return err;
}
