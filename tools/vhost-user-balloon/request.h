/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The requests of a front-end: one line of a table for each.
 *
 * A handler answers 0 or a positive errno value.  It runs only with a payload
 * of the size and the number of descriptors that its line allows; what it
 * does not take out of the message is closed afterwards.
 */
#ifndef VUB_REQUEST_H
#define VUB_REQUEST_H

#include "message.h"
#include "session.h"

/* What a request is answered with. */
enum reply_kind {
	REPLY_ACK	= 0,		/* when asked for: 0, or an error */
	REPLY_OWN	= 1		/* always, with a payload of its own */
};

struct reply {
	uint32_t size;
	int fd;				/* given away with it, or -1 */
	uint8_t payload[VU_MAX_PAYLOAD];
};

struct request {
	const char *name;
	uint16_t min_size;		/* of the payload, bytes */
	uint16_t max_size;
	uint8_t min_fds;
	uint8_t max_fds;
	uint8_t kind;			/* enum reply_kind */
	/* Whether this message has to wait for discards; may be NULL: no. */
	bool (*prepare)(struct session *s, const struct vu_message *m);
	int (*handle)(struct session *s, struct vu_message *m,
		      struct reply *reply);
};

/* The line of a request, NULL for one that is not known. */
const struct request *request_find(uint32_t number);

/* Whether this SET_VRING_BASE shows that another driver took over. */
bool request_is_new_driver(struct session *s, const struct vu_message *m);

/* Whether what is in flight can be kept; tells why not. */
bool request_can_keep_inflight(struct session *s);

/* What the table is made of. */
int request_get_features(struct session *s, struct vu_message *m,
			 struct reply *r);
int request_set_features(struct session *s, struct vu_message *m,
			 struct reply *r);
int request_get_protocol_features(struct session *s, struct vu_message *m,
				  struct reply *r);
int request_set_protocol_features(struct session *s, struct vu_message *m,
				  struct reply *r);
int request_get_queue_num(struct session *s, struct vu_message *m,
			  struct reply *r);
int request_set_backend_req_fd(struct session *s, struct vu_message *m,
			       struct reply *r);
int request_get_config(struct session *s, struct vu_message *m,
		       struct reply *r);
int request_set_config(struct session *s, struct vu_message *m,
		       struct reply *r);
int request_get_status(struct session *s, struct vu_message *m,
		       struct reply *r);
int request_set_status(struct session *s, struct vu_message *m,
		       struct reply *r);
int request_reset_device(struct session *s, struct vu_message *m,
			 struct reply *r);

int request_set_device_state_fd(struct session *s, struct vu_message *m,
				struct reply *r);
int request_check_device_state(struct session *s, struct vu_message *m,
			       struct reply *r);

int request_set_mem_table(struct session *s, struct vu_message *m,
			  struct reply *r);
int request_get_max_mem_slots(struct session *s, struct vu_message *m,
			      struct reply *r);
int request_add_mem_reg(struct session *s, struct vu_message *m,
			struct reply *r);
int request_rem_mem_reg(struct session *s, struct vu_message *m,
			struct reply *r);

int request_set_log_base(struct session *s, struct vu_message *m,
			 struct reply *r);
int request_set_log_fd(struct session *s, struct vu_message *m,
		       struct reply *r);

int request_get_inflight_fd(struct session *s, struct vu_message *m,
			    struct reply *r);
int request_set_inflight_fd(struct session *s, struct vu_message *m,
			    struct reply *r);

int request_set_vring_num(struct session *s, struct vu_message *m,
			  struct reply *r);
int request_set_vring_addr(struct session *s, struct vu_message *m,
			   struct reply *r);
int request_set_vring_base(struct session *s, struct vu_message *m,
			   struct reply *r);
int request_get_vring_base(struct session *s, struct vu_message *m,
			   struct reply *r);
int request_set_vring_kick(struct session *s, struct vu_message *m,
			   struct reply *r);
int request_set_vring_call(struct session *s, struct vu_message *m,
			   struct reply *r);
int request_set_vring_err(struct session *s, struct vu_message *m,
			  struct reply *r);
int request_set_vring_enable(struct session *s, struct vu_message *m,
			     struct reply *r);
int request_vring_kick(struct session *s, struct vu_message *m,
		       struct reply *r);

#endif /* VUB_REQUEST_H */
