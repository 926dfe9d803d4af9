/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/passing.h"
#include "vhost-user-balloon/clock.h"
#include "vhost-user-balloon/closer.h"
#include "vu_fixture.h"

/* Longer than anything takes, even on a loaded machine. */
#define PATIENCE_MS	60000

#define RING_BYTES	0x10000u
#define AVAIL_OFFSET	0x4000u
#define USED_OFFSET	0x8000u

int vu_count_fds(void)
{
	DIR *dir;
	int n = 0;

	while (closer_get_pending())
		usleep(1000);
	dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---------------------------------------------------------- start and stop */

static void open_memory(struct vu *v)
{
	v->memfd = memfd_create("vu", MFD_CLOEXEC);
	ck_assert_int_ge(v->memfd, 0);
	ck_assert_int_eq(ftruncate(v->memfd, VU_MEM_SIZE), 0);
	v->mem = mmap(NULL, VU_MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->memfd, 0);
	ck_assert_ptr_ne(v->mem, MAP_FAILED);
}

/* Packed rings: where a new one begins, the bits of a descriptor's flags. */
#define PACKED_NEW	0x80008000u
#define PACKED_AVAIL	0x80u
#define PACKED_USED	0x8000u

static void init_rings(struct vu *v)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		struct ring *r = &v->rings[i];

		memset(r, 0, sizeof(*r));
		r->mem = v->mem;
		r->mem_size = VU_MEM_SIZE;
		r->desc = v->mem + i * RING_BYTES;
		r->avail = r->desc + AVAIL_OFFSET;
		r->used = r->desc + USED_OFFSET;
		r->num = VU_NUM;
		memset(r->desc, 0, RING_BYTES);
	}
}

void vu_connect(struct vu *v)
{
	int pair[2];

	ck_assert_int_eq(v->daemon.frontend.state, FRONTEND_NONE);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	v->sock = pair[0];
	frontend_connect(&v->daemon.frontend, pair[1]);
	init_rings(v);
}

void vu_start(struct vu *v, bool inband)
{
	vu_start_with(v, inband ? "--inband=on" : "--inband=off");
}

void vu_start_with(struct vu *v, const char *option)
{
	struct options o;
	char *argv[] = { (char *)"daemon", (char *)"--fd=0",
			 (char *)"--packed=on", (char *)(uintptr_t)option,
			 NULL };
	uint32_t i;

	/* As the daemon's own main does. */
	signal(SIGPIPE, SIG_IGN);
	memset(v, 0, sizeof(*v));
	v->nfds = vu_count_fds();
	v->back = -1;
	for (i = 0; i < FPH_NQUEUES; i++) {
		v->kick[i] = -1;
		v->call[i] = -1;
	}
	open_memory(v);
	ck_assert_int_eq(options_parse(&o, 4, argv), OPTIONS_RUN);
	ck_assert_int_eq(daemon_init(&v->daemon, &o), 0);
	vu_connect(v);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vu_hang_up(struct vu *v)
{
	uint32_t i;

	close_fd(&v->sock);
	close_fd(&v->back);
	for (i = 0; i < FPH_NQUEUES; i++) {
		close_fd(&v->kick[i]);
		close_fd(&v->call[i]);
	}
}

void vu_serve_next(struct vu *v)
{
	while (v->daemon.frontend.state != FRONTEND_NONE)
		vu_step(v, 0);
	vu_hang_up(v);
	vu_connect(v);
	ck_assert_uint_ne(vu_get_u64(v, VU_GET_FEATURES), 0);
}

void vu_stop(struct vu *v)
{
	/* The end of the daemon waits for a while, not for ever. */
	while (closer_get_pending())
		usleep(1000);
	daemon_fini(&v->daemon);
	vu_hang_up(v);
	munmap(v->mem, VU_MEM_SIZE);
	close_fd(&v->memfd);
	ck_assert_int_eq(vu_count_fds(), v->nfds);
}

/* ---------------------------------------------------------------- messages */

void vu_step(struct vu *v, int ms)
{
	int64_t end = clock_now() + ms;

	do
		ck_assert(daemon_step(&v->daemon, 1));
	while (clock_now() < end);
}

void vu_send_raw(struct vu *v, const void *bytes, size_t len, const int *fds,
		 unsigned int nfds)
{
	/* The daemon may have hung up already: that is seen by vu_wait. */
	(void)!passing_send(v->sock, bytes, len, fds, nfds, MSG_NOSIGNAL);
}

void vu_send(struct vu *v, uint32_t request, uint32_t flags,
	     const void *payload, uint32_t size, const int *fds,
	     unsigned int nfds)
{
	uint8_t message[VU_HEADER_SIZE + VU_MAX_PAYLOAD];

	ck_assert_uint_le(size, VU_MAX_PAYLOAD);
	vu_store32(message + VU_HEADER_REQUEST, request);
	vu_store32(message + VU_HEADER_FLAGS, flags | VU_FLAG_VERSION);
	vu_store32(message + VU_HEADER_LENGTH, size);
	if (size)
		memcpy(message + VU_HEADER_SIZE, payload, size);
	vu_send_raw(v, message, VU_HEADER_SIZE + size, fds, nfds);
}

bool vu_is_answered(struct vu *v)
{
	struct pollfd p = { .fd = v->sock, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

bool vu_wait(struct vu *v, struct vu_answer *a)
{
	int64_t end = clock_now() + PATIENCE_MS;
	uint8_t header[VU_HEADER_SIZE];

	while (!vu_is_answered(v)) {
		ck_assert(clock_now() < end);
		vu_step(v, 0);
	}
	if (recv(v->sock, header, sizeof(header), MSG_WAITALL) !=
	    sizeof(header))
		return false;
	a->request = vu_load32(header + VU_HEADER_REQUEST);
	a->flags = vu_load32(header + VU_HEADER_FLAGS);
	a->size = vu_load32(header + VU_HEADER_LENGTH);
	ck_assert_uint_le(a->size, sizeof(a->payload));
	ck_assert_uint_eq(a->flags, VU_FLAG_VERSION | VU_FLAG_REPLY);
	if (a->size)
		ck_assert_int_eq(recv(v->sock, a->payload, a->size,
				      MSG_WAITALL), a->size);
	return true;
}

int64_t vu_ack(struct vu *v, uint32_t request, const void *payload,
	       uint32_t size, const int *fds, unsigned int nfds)
{
	struct vu_answer a;

	vu_send(v, request, VU_FLAG_NEED_REPLY, payload, size, fds, nfds);
	if (!vu_wait(v, &a))
		return -1;
	ck_assert_uint_eq(a.request, request);
	ck_assert_uint_eq(a.size, 8);
	return (int64_t)vu_load64(a.payload);
}

int64_t vu_ack_u64(struct vu *v, uint32_t request, uint64_t value)
{
	uint8_t p[8];

	vu_store64(p, value);
	return vu_ack(v, request, p, sizeof(p), NULL, 0);
}

int64_t vu_ack_state(struct vu *v, uint32_t request, uint32_t index,
		     uint32_t num)
{
	uint8_t p[VU_STATE_SIZE];

	vu_store32(p + VU_STATE_INDEX, index);
	vu_store32(p + VU_STATE_NUM, num);
	return vu_ack(v, request, p, sizeof(p), NULL, 0);
}

uint64_t vu_get_u64(struct vu *v, uint32_t request)
{
	struct vu_answer a;

	vu_send(v, request, 0, NULL, 0, NULL, 0);
	ck_assert(vu_wait(v, &a));
	ck_assert_uint_eq(a.request, request);
	ck_assert_uint_eq(a.size, 8);
	return vu_load64(a.payload);
}

/* ------------------------------------------------------------------ set-up */

void vu_protocol(struct vu *v, uint64_t features)
{
	int pair[2];

	if (features & FPH_BIT(VU_PF_REPLY_ACK)) {
		ck_assert_int_eq(vu_ack_u64(v, VU_SET_PROTOCOL_FEATURES,
					    features), 0);
	} else {
		uint8_t p[8];

		vu_store64(p, features);
		vu_send(v, VU_SET_PROTOCOL_FEATURES, 0, p, 8, NULL, 0);
	}
	if (!(features & FPH_BIT(VU_PF_BACKEND_REQ)))
		return;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	close_fd(&v->back);
	v->back = pair[0];
	ck_assert_int_eq(vu_ack(v, VU_SET_BACKEND_REQ_FD, NULL, 0, &pair[1],
				1), 0);
	close(pair[1]);
}

void vu_put_region(uint8_t *p, uint64_t gpa, uint64_t len, uint64_t uva,
		   uint64_t offset)
{
	vu_store64(p + VU_REGION_GPA, gpa);
	vu_store64(p + VU_REGION_LEN, len);
	vu_store64(p + VU_REGION_UVA, uva);
	vu_store64(p + VU_REGION_OFFSET, offset);
}

void vu_negotiate(struct vu *v, uint64_t features)
{
	uint8_t p[VU_TABLE_REGIONS + 2 * VU_REGION_SIZE] = { 0 };

	ck_assert_int_eq(vu_ack_u64(v, VU_SET_FEATURES, features), 0);
	v->packed = features & FPH_BIT(VIRTIO_F_RING_PACKED);
	/* As user-mode Linux sends it: room for two, of which one is used. */
	vu_store32(p + VU_TABLE_NUM, 1);
	vu_put_region(p + VU_TABLE_REGIONS, 0, VU_MEM_SIZE, VU_UVA, 0);
	ck_assert_int_eq(vu_ack(v, VU_SET_MEM_TABLE, p, sizeof(p), &v->memfd,
				1), 0);
}

static uint64_t to_uva(const struct vu *v, const uint8_t *p)
{
	return VU_UVA + (uint64_t)(p - v->mem);
}

static void set_eventfd(struct vu *v, uint32_t request, uint32_t index,
			int *slot)
{
	uint8_t p[8];

	close_fd(slot);
	*slot = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ck_assert_int_ge(*slot, 0);
	vu_store64(p, index);
	ck_assert_int_eq(vu_ack(v, request, p, 8, slot, 1), 0);
}

void vu_ring(struct vu *v, uint32_t index, bool inband)
{
	struct ring *r = &v->rings[index];
	uint8_t p[VU_ADDR_SIZE] = { 0 };

	if (!inband)
		set_eventfd(v, VU_SET_VRING_CALL, index, &v->call[index]);
	ck_assert_int_eq(vu_ack_state(v, VU_SET_VRING_NUM, index, VU_NUM), 0);
	ck_assert_int_eq(vu_ack_state(v, VU_SET_VRING_BASE, index,
				      v->packed ? PACKED_NEW :
				      ring_get_avail_idx(r)), 0);
	vu_store32(p + VU_ADDR_INDEX, index);
	vu_store64(p + VU_ADDR_DESC, to_uva(v, r->desc));
	vu_store64(p + VU_ADDR_AVAIL, to_uva(v, r->avail));
	vu_store64(p + VU_ADDR_USED, to_uva(v, r->used));
	ck_assert_int_eq(vu_ack(v, VU_SET_VRING_ADDR, p, sizeof(p), NULL, 0),
			 0);
	if (!inband)
		set_eventfd(v, VU_SET_VRING_KICK, index, &v->kick[index]);
}

void vu_boot(struct vu *v, uint64_t features, uint64_t protocol, uint32_t n)
{
	bool inband = protocol & FPH_BIT(VU_PF_INBAND_NOTIFICATIONS);
	uint32_t i;

	vu_protocol(v, protocol);
	vu_negotiate(v, features);
	for (i = 0; i < n; i++)
		vu_ring(v, i, inband);
	for (i = 0; i < n && (features & VU_BIT_30); i++)
		ck_assert_int_eq(vu_ack_state(v, VU_SET_VRING_ENABLE, i, 1),
				 0);
}

/* One descriptor a buffer, so that the place is as in a split ring. */
static void offer_packed(struct ring *r, uint64_t gpa, uint32_t len,
			 uint16_t flags)
{
	uint32_t at = r->avail_idx % VU_NUM;
	bool odd = r->avail_idx / VU_NUM % 2;

	r->avail_idx++;
	ring_desc(r, r->desc, at, gpa, len, (uint16_t)at,
		  (uint16_t)(flags | (odd ? PACKED_USED : PACKED_AVAIL)));
}

void vu_offer(struct vu *v, uint32_t index, uint64_t gpa, uint32_t len,
	      uint16_t flags)
{
	struct ring *r = &v->rings[index];
	uint16_t head = (uint16_t)(r->avail_idx % VU_NUM);

	if (v->packed) {
		offer_packed(r, gpa, len, flags);
		return;
	}
	ring_desc(r, r->desc, head, gpa, len, flags, 0);
	ring_offer(r, head);
}

void vu_kick(struct vu *v, uint32_t index)
{
	ck_assert_int_eq(eventfd_write(v->kick[index], 1), 0);
}

/* Packed: as many as were offered, the last one's bits say so. */
static bool is_used(const struct vu *v, uint32_t index, uint16_t used)
{
	const struct ring *r = &v->rings[index];
	uint16_t last = (uint16_t)(used - 1);
	uint64_t bits = last / VU_NUM % 2 ? 0 : PACKED_AVAIL | PACKED_USED;

	if (!v->packed)
		return ring_get_used_idx(r) == used;
	return (ring_get(r->desc + 16 * (last % VU_NUM) + 14, 2, false) &
		(PACKED_AVAIL | PACKED_USED)) == bits;
}

void vu_wait_used(struct vu *v, uint32_t index, uint16_t used)
{
	int64_t end = clock_now() + PATIENCE_MS;

	while (!is_used(v, index, used)) {
		ck_assert(clock_now() < end);
		vu_step(v, 0);
	}
}

void vu_send_command(struct vu *v, uint32_t index, uint32_t id)
{
	uint16_t used = ring_get_used_idx(&v->rings[index]);

	ring_put(v->mem + 0x100000, 4, id, false);
	vu_offer(v, index, 0x100000, 4, 0);
	vu_kick(v, index);
	vu_wait_used(v, index, (uint16_t)(used + 1));
}

void vu_touch(struct vu *v, size_t len)
{
	memset(v->mem + VU_PAGES, 0x5a, len);
}

bool vu_is_discarded(const struct vu *v, size_t len)
{
	return v->mem[VU_PAGES] == 0 && v->mem[VU_PAGES + len - 1] == 0;
}

uint64_t vu_get_resident(const struct vu *v)
{
	struct stat st;

	ck_assert_int_eq(fstat(v->memfd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}
