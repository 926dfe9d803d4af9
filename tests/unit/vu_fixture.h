/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A daemon in this process and a front-end at the other end of its socket,
 * which sends what a test asks for, right or wrong.
 *
 * The daemon runs only in vu_step and in what waits for an answer.  At the
 * end it is checked that no file descriptor was left open.
 */
#ifndef FPH_TESTS_VU_FIXTURE_H
#define FPH_TESTS_VU_FIXTURE_H

#include "ring.h"
#include "vhost-user-balloon/daemon.h"

#define VU_MEM_SIZE	0x1000000u		/* bytes of guest memory */
#define VU_UVA		0x7f0000000000ull	/* where the front-end has it */
#define VU_PAGES	0x200000u		/* gpa: free pages from here */
#define VU_NUM		64u			/* entries of a ring */

#define VU_VIRTIO	(FPH_BIT(VIRTIO_F_VERSION_1) | \
			 FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ) | \
			 FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING))
#define VU_BIT_30	FPH_BIT(VU_F_PROTOCOL_FEATURES)
#define VU_PROTOCOL	(FPH_BIT(VU_PF_REPLY_ACK) | \
			 FPH_BIT(VU_PF_BACKEND_REQ) | FPH_BIT(VU_PF_CONFIG))

struct vu {
	struct daemon daemon;
	int nfds;			/* open before the test */
	int sock;			/* the front-end's end, -1: closed */
	int back;			/* the same of the back-end channel */
	int memfd;
	bool packed;			/* the features that were set */
	uint8_t *mem;
	struct ring rings[FPH_NQUEUES];
	int kick[FPH_NQUEUES];
	int call[FPH_NQUEUES];
};

/* An answer, or any message of the daemon. */
struct vu_answer {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint8_t payload[VU_MAX_PAYLOAD];
};

/*
 * A daemon with a front-end connected, which offers packed rings; inband: it
 * offers that.
 */
void vu_start(struct vu *v, bool inband);

/* The same, with an option of the daemon's command line. */
void vu_start_with(struct vu *v, const char *option);

/* Ends both. */
void vu_stop(struct vu *v);

/* Another front-end connects, after the one before is gone. */
void vu_connect(struct vu *v);

/* The daemon has hung up: another front-end connects and is answered. */
void vu_serve_next(struct vu *v);

/* The front-end goes. */
void vu_hang_up(struct vu *v);

/* Let the daemon do what there is to do, for some milliseconds. */
void vu_step(struct vu *v, int ms);

/* Send bytes as they are, with descriptors. */
void vu_send_raw(struct vu *v, const void *bytes, size_t len, const int *fds,
		 unsigned int nfds);

void vu_send(struct vu *v, uint32_t request, uint32_t flags,
	     const void *payload, uint32_t size, const int *fds,
	     unsigned int nfds);

/* Run the daemon until it answers: true; false when it hung up. */
bool vu_wait(struct vu *v, struct vu_answer *a);

/* Whether there is an answer, or the end, without running the daemon. */
bool vu_is_answered(struct vu *v);

/* Send with NEED_REPLY: 0 or an error, -1 when the daemon hung up. */
int64_t vu_ack(struct vu *v, uint32_t request, const void *payload,
	       uint32_t size, const int *fds, unsigned int nfds);

/* The same with a u64, and with a vring state. */
int64_t vu_ack_u64(struct vu *v, uint32_t request, uint64_t value);
int64_t vu_ack_state(struct vu *v, uint32_t request, uint32_t index,
		     uint32_t num);

/* A request with an answer of its own that is a u64; asserts that it comes. */
uint64_t vu_get_u64(struct vu *v, uint32_t request);

/* Protocol features, and the back-end channel if they hold it. */
void vu_protocol(struct vu *v, uint64_t features);

/* SET_FEATURES and the memory table; asserts. */
void vu_negotiate(struct vu *v, uint64_t features);

/* The region of all memory, at p as in a message. */
void vu_put_region(uint8_t *p, uint64_t gpa, uint64_t len, uint64_t uva,
		   uint64_t offset);

/* Set up one ring, with a kick and a call descriptor if not inband. */
void vu_ring(struct vu *v, uint32_t index, bool inband);

/* All of it, rings 0 to n - 1 enabled where bit 30 is among the features. */
void vu_boot(struct vu *v, uint64_t features, uint64_t protocol, uint32_t n);

/* Offer a buffer of one descriptor, without a kick. */
void vu_offer(struct vu *v, uint32_t index, uint64_t gpa, uint32_t len,
	      uint16_t flags);

/* Kick it. */
void vu_kick(struct vu *v, uint32_t index);

/* Run the daemon until the used index of a ring has this value; asserts. */
void vu_wait_used(struct vu *v, uint32_t index, uint16_t used);

/* Send an id on the hinting queue, which has this ring index; asserts. */
void vu_send_command(struct vu *v, uint32_t index, uint32_t id);

/* Use the pages, so that a discard shows; and whether it was done. */
void vu_touch(struct vu *v, size_t len);
bool vu_is_discarded(const struct vu *v, size_t len);

/* Bytes of host memory behind guest memory. */
uint64_t vu_get_resident(const struct vu *v);

/* Open file descriptors of this process, but for those being closed. */
int vu_count_fds(void);

#endif /* FPH_TESTS_VU_FIXTURE_H */
