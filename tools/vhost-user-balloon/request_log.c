/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Requests about the dirty log. */
#include <errno.h>

#include "notify.h"
#include "request.h"

/* The log must reach the end of guest memory as it is known now. */
static int check_reach(struct session *s, uint64_t size)
{
	uint64_t end = memory_table_get_end(&s->device->memory);

	if (size >= (end + 8 * DIRTY_LOG_PAGE - 1) / (8 * DIRTY_LOG_PAGE))
		return 0;
	session_complain(s, "the dirty log ends before guest memory does, at "
			 "0x%llx", (unsigned long long)end);
	return EINVAL;
}

int request_set_log_base(struct session *s, struct vu_message *m,
			 struct reply *r)
{
	uint64_t size = vu_load64(m->payload + VU_LOG_BYTES);
	uint64_t offset = vu_load64(m->payload + VU_LOG_OFFSET);
	int err = check_reach(s, size);

	if (!err)
		err = dirty_log_open(&s->log.pages, m->fds[0], size, offset);
	if (err)
		return err;
	vu_store64(r->payload, 0);
	r->size = 8;
	return 0;
}

int request_set_log_fd(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	(void)r;
	if (!notify_is_usable(m->fds[0]))
		return EBADF;
	vring_set_fd(&s->log.fd, vu_message_take_fd(m));
	return 0;
}
