/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * QEMU's generic vhost-user device must be told by hand what the balloon is
 * like, and the daemon what pages the guest's memory is on.  Where the messages
 * show that one was told something wrong, the log says what to set: a line for
 * each kind, once for a connection.
 */
#ifndef VUB_ADVICE_H
#define VUB_ADVICE_H

#include "session.h"

/* Configuration space is read. */
void advice_after_read(struct session *s, uint32_t offset, uint32_t size);

/* Memory came. */
void advice_after_memory(struct session *s);

/* A message is refused, with a positive errno value. */
void advice_after_refusal(struct session *s, const struct vu_message *m,
			  int err);

/* The front-end goes. */
void advice_at_end(struct session *s);

#endif /* VUB_ADVICE_H */
