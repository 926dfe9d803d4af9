/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One daemon in this process, for all inputs of a target, and the end of a
 * socket of its peer.  It runs only in fuzz_daemon_run.
 */
#ifndef FPH_FUZZ_DAEMON_H
#define FPH_FUZZ_DAEMON_H

#include "fuzz.h"
#include "vhost-user-balloon/daemon.h"

#define FUZZ_MEM_SIZE	0x100000u	/* bytes of guest memory */
#define FUZZ_UVA	0x7f0000000000ull
#define FUZZ_NUM	16u		/* entries of a ring */

struct fuzz_daemon {
	struct daemon daemon;
	int memfd;
	uint8_t *mem;
	int sock;			/* the front-end's end, or -1 */
	int lowest_fd;			/* free as the input began */
	uint16_t avail[FPH_NQUEUES];	/* as the guest wrote it */
};

/* The daemon, idle and with its memory cleared up to the pages. */
struct fuzz_daemon *fuzz_daemon_get(void);

/* A front-end connects; a socket pair: the peer's end, the daemon's. */
void fuzz_daemon_connect(struct fuzz_daemon *d);
void fuzz_socket_pair(int pair[2]);

/* It goes, if there is one, and all that the input brought is closed. */
void fuzz_daemon_hang_up(struct fuzz_daemon *d);

/*
 * A turn of the daemon's loop, which takes one message; its answers are
 * dropped.
 */
void fuzz_daemon_run(struct fuzz_daemon *d);

/* A message of the front-end, as it is. */
void fuzz_send(struct fuzz_daemon *d, const void *bytes, size_t len,
	       const int *fds, unsigned int nfds);
void fuzz_message(struct fuzz_daemon *d, uint32_t request, uint32_t flags,
		  const void *payload, uint32_t size, const int *fds,
		  unsigned int nfds);

/* Features and memory; then a ring with all that it needs. */
void fuzz_boot(struct fuzz_daemon *d, uint64_t features, uint64_t protocol);
void fuzz_start_ring(struct fuzz_daemon *d, uint32_t index);

/* A buffer of one descriptor in a ring, and a kick. */
void fuzz_offer(struct fuzz_daemon *d, uint32_t index, uint64_t gpa,
		uint32_t len, uint16_t flags);

#endif /* FPH_FUZZ_DAEMON_H */
