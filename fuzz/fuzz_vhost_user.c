/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a front-end and its guest: messages of vhost-user, right and
 * wrong, with descriptors of any kind, to a daemon in this process.  Whatever
 * came, the daemon goes on to serve the next one, and no descriptor is left.
 *
 * Operations of one byte (the low 3 bits), each with its arguments,
 * big-endian; n is bits 3 to 7 of the operation:
 *
 *   0 message     request 1, flags 1 (added to the version), size 1 (if n is
 *                 odd; else one that the request takes), kinds of descriptors
 *                 1 (0: none, else three of two bits, see open_fd), payload
 *   1 boot        bit 0 of n: with the protocol's features; bit 1: inband
 *   2 ring        index n modulo 5: all that it needs
 *   3 offer       ring n modulo 5: page 1, pages 1, flags 1
 *   4 write       offset 2 in guest memory, value 2
 *   5 bytes       n bytes, as they are
 *   6 shorten     the file of the memory to n pages (n above 16: whole)
 *   7 hang up, and connect again
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon.h"
#include "vhost-user-balloon/protocol.h"
#include "vhost-user-balloon/request.h"

static struct fuzz_daemon *d;

/* A descriptor of one kind; own: guest memory, without a copy. */
static int open_fd(uint32_t kind)
{
	int fd = -1, pair[2];

	switch (kind) {
	case 0:
		fd = dup(d->memfd);
		break;
	case 1:
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		break;
	case 2:
		fd = memfd_create("other", MFD_CLOEXEC);
		MUST(!ftruncate(fd, 0x2000));
		break;
	default:
		MUST(!pipe2(pair, O_CLOEXEC | O_NONBLOCK));
		close(pair[1]);
		fd = pair[0];
	}
	MUST(fd >= 0);
	return fd;
}

static void message(struct fuzz_input *in, bool sized)
{
	uint32_t request = fuzz_u8(in);
	const struct request *known = request_find(request);
	uint32_t flags = VU_FLAG_VERSION ^ fuzz_u8(in);
	uint32_t size = known ? known->max_size : 8;
	uint8_t payload[VU_MAX_PAYLOAD];
	unsigned int nfds = 0;
	uint32_t kinds;
	int fds[4];

	if (sized)
		size = fuzz_u8(in);
	kinds = fuzz_u8(in);
	for (; kinds > 1 && nfds < 4; kinds >>= 2)
		fds[nfds++] = open_fd(kinds & 3);
	if (size > sizeof(payload))
		size = sizeof(payload);
	for (uint32_t i = 0; i < size; i++)
		payload[i] = fuzz_u8(in);
	fuzz_message(d, request, flags, payload, size, fds, nfds);
	while (nfds)
		close(fds[--nfds]);
	fuzz_daemon_run(d);
}

#define FEATURES	(FPH_BIT(VIRTIO_F_VERSION_1) | \
			 FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ) | \
			 FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING))

static void boot(uint32_t how)
{
	uint64_t protocol = FPH_BIT(VU_PF_REPLY_ACK) | FPH_BIT(VU_PF_CONFIG) |
			    FPH_BIT(VU_PF_STATUS) |
			    FPH_BIT(VU_PF_DEVICE_STATE);

	if (how & 2)
		protocol |= FPH_BIT(VU_PF_INBAND_NOTIFICATIONS) |
			    FPH_BIT(VU_PF_BACKEND_REQ);
	fuzz_boot(d, FEATURES | (how & 1 ? FPH_BIT(VU_F_PROTOCOL_FEATURES) :
					   0), protocol);
}

static void offer(struct fuzz_input *in, uint32_t index)
{
	uint64_t gpa = (uint64_t)fuzz_u8(in) << 12;
	uint32_t len = (uint32_t)fuzz_u8(in) << 12;

	fuzz_offer(d, index, gpa, len, fuzz_u8(in) ^ 2u);
}

static void send_bytes(struct fuzz_input *in, uint32_t n)
{
	uint8_t bytes[32];

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = fuzz_u8(in);
	fuzz_send(d, bytes, n, NULL, 0);
	fuzz_daemon_run(d);
}

static void write_memory(struct fuzz_input *in)
{
	uint32_t offset = (uint32_t)fuzz_uint(in, 2) & 0x3ffe;
	uint16_t value = (uint16_t)fuzz_uint(in, 2);

	memcpy(d->mem + offset, &value, sizeof(value));
}

/* Our own mapping must not be touched then: the daemon's guard is its own. */
static void shorten(uint32_t pages)
{
	MUST(!ftruncate(d->memfd, pages > 16 ? FUZZ_MEM_SIZE : pages << 12));
	fuzz_daemon_run(d);
	MUST(!ftruncate(d->memfd, FUZZ_MEM_SIZE));
}

static void step(struct fuzz_input *in)
{
	uint8_t op = fuzz_u8(in);
	uint32_t n = op >> 3;

	switch (op & 7) {
	case 0:
		message(in, n & 1);
		break;
	case 1:
		boot(n);
		break;
	case 2:
		fuzz_start_ring(d, n % FPH_NQUEUES);
		break;
	case 3:
		offer(in, n % FPH_NQUEUES);
		break;
	case 4:
		write_memory(in);
		break;
	case 5:
		send_bytes(in, n);
		break;
	case 6:
		shorten(n);
		break;
	default:
		fuzz_daemon_hang_up(d);
		fuzz_daemon_connect(d);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	d = fuzz_daemon_get();
	fuzz_daemon_connect(d);
	while (in.left)
		step(&in);
	fuzz_daemon_hang_up(d);
	return 0;
}
