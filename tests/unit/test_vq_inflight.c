/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The record of buffers in flight: its layout, who goes on where another
 * stopped, and processes that are killed at any moment.
 */
#include <check.h>
#include <endian.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fph/vring.h>

#include "ring.h"
#include "runner.h"

#define NUM		16
#define MEM_SIZE	8192
#define PAGE		4096u

static struct ring r;
static uint8_t record[FPH_INFLIGHT_SIZE(NUM)] __attribute__((aligned(8)));
static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static struct fph_vq_device *vq;
static struct fph_buffer b[NUM];
static struct fph_seg segs[2 * NUM];

static uint64_t features;

static int take_up(struct ring *ring, void *inflight, uint32_t base)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = NUM,
		.features = features,
		.endian = ring->big ? FPH_BE : FPH_LE,
		.base = base,
		.desc = ring->desc,
		.driver = ring->avail,
		.device = ring->used,
		.inflight = inflight,
	};

	memset(vq_memory, 0x5a, sizeof(vq_memory));
	return fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), &p);
}

static void offer(struct ring *ring, uint16_t head, uint64_t id)
{
	ring_desc(ring, ring->desc, head, id * PAGE, PAGE, RING_WRITE, 0);
	ring_offer(ring, head);
}

static int pop(uint32_t n)
{
	return fph_vq_device_pop(vq, b, n, segs, 2 * NUM);
}

static int push(const struct fph_buffer *bufs, uint32_t n)
{
	struct fph_used used[NUM] = { { 0 } };

	for (uint32_t i = 0; i < n; i++)
		used[i].cookie = bufs[i].cookie;
	return fph_vq_device_push(vq, used, n);
}

/* The record in host order, as the front-end has it. */
static uint16_t get16(size_t off)
{
	uint16_t v;

	memcpy(&v, record + off, 2);
	return v;
}

static void put16(size_t off, uint16_t v)
{
	memcpy(record + off, &v, 2);
}

static uint64_t get64(size_t off)
{
	uint64_t v;

	memcpy(&v, record + off, 8);
	return v;
}

static void start(bool big)
{
	ring_init(&r, NUM, big, MEM_SIZE);
	memset(record, 0, sizeof(record));
}

START_TEST(test_layout)
{
	struct fph_buffer two[2];

	start(_i);
	ring_set_used_idx(&r, 7);
	ring_set_avail_idx(&r, 7);
	ck_assert_int_eq(take_up(&r, record, 7), FPH_OK);
	ck_assert_uint_eq(get64(0), 0);		/* features */
	ck_assert_uint_eq(get16(8), 1);		/* version */
	ck_assert_uint_eq(get16(10), NUM);	/* desc_num */
	ck_assert_uint_eq(get16(14), 7);	/* used_idx */

	for (uint16_t i = 0; i < 3; i++)
		offer(&r, (uint16_t)(2 - i), i);
	ck_assert_int_eq(pop(3), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(record[16 + 16 * i], 1);
		ck_assert_uint_eq(get64(16 + 16 * i + 8), 2 - i);
	}
	ck_assert_uint_eq(record[16 + 16 * 3], 0);
	two[0] = b[1];
	two[1] = b[0];
	ck_assert_int_eq(push(two, 2), 2);
	ck_assert_uint_eq(get16(12), 2);	/* last_batch_head */
	ck_assert_uint_eq(get16(16 + 16 * 2 + 6), 1);	/* its next */
	ck_assert_uint_eq(get16(14), 9);
	ck_assert_uint_eq(record[16 + 16 * 0], 1);
	ck_assert_uint_eq(record[16 + 16 * 1], 0);
	ck_assert_uint_eq(record[16 + 16 * 2], 0);
	ring_fini(&r);
}
END_TEST

/* Resubmitted in the order of their first pop, then on with the ring. */
START_TEST(test_resubmit)
{
	static const uint16_t heads[] = { 9, 3, 12, 0, 5, 7 };

	start(_i);
	ring_set_avail_idx(&r, 65534);
	ring_set_used_idx(&r, 65534);
	ck_assert_int_eq(take_up(&r, record, 65534), FPH_OK);
	for (uint16_t i = 0; i < 6; i++)
		offer(&r, heads[i], 100 + i);
	ck_assert_int_eq(pop(5), 5);
	ck_assert_int_eq(push(b + 1, 2), 2);
	for (int again = 0; again < 2; again++) {
		static const uint64_t ids[] = { 100, 103, 104, 105 };
		uint32_t done = 0;

		/* base is not looked at. */
		ck_assert_int_eq(take_up(&r, record, 77), FPH_OK);
		ck_assert_uint_eq(fph_vq_device_get_inflight(vq),
				  3u + (uint32_t)again);
		ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 1);
		while (done < 4) {
			int n = pop(again ? 1 : NUM);

			ck_assert_int_gt(n, 0);
			ck_assert_uint_eq(fph_vq_device_get_base(vq),
					  done + (uint32_t)n);
			for (int i = 0; i < n; i++, done++) {
				ck_assert_uint_eq(segs[i].gpa,
						  ids[done] * PAGE);
				ck_assert_uint_eq(fph_vq_device_get_base_of(
						  vq, b[i].cookie), done);
			}
		}
		ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 4);
		ck_assert_int_eq(pop(1), 0);
	}
	ring_fini(&r);
}
END_TEST

START_TEST(test_refused)
{
	start(_i);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	put16(8, 2);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_EINVAL);
	put16(8, 1);
	put16(10, NUM / 2);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_EINVAL);
	put16(10, NUM);
	record[3] = 1;
	ck_assert_int_eq(take_up(&r, record, 0), FPH_EINVAL);
	record[3] = 0;
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ring_fini(&r);
}
END_TEST

/* Until they were popped again and returned no base says which they are. */
START_TEST(test_in_flight)
{
	struct fph_buffer first;

	start(_i);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 0);
	for (uint16_t i = 0; i < 3; i++)
		offer(&r, i, i);
	ck_assert_int_eq(pop(3), 3);
	ck_assert_int_eq(push(b + 1, 1), 1);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 2);
	ck_assert_int_eq(push(b, 1), FPH_ESTATE);
	ck_assert_int_eq(pop(1), 1);
	first = b[0];
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 2);
	ck_assert_int_eq(pop(NUM), 1);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 2);
	ck_assert_int_eq(push(b, 1), 1);
	ck_assert_int_eq(push(&first, 1), 1);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 0);
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 3);
	ring_fini(&r);
}
END_TEST

/* Killed before it sent the interrupt for what it had returned. */
START_TEST(test_last_interrupt)
{
	start(_i & 1);
	features = _i & 2 ? FPH_BIT(VIRTIO_RING_F_EVENT_IDX) : 0;
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	offer(&r, 0, 0);
	ck_assert_int_eq(pop(1), 1);
	ck_assert_int_eq(push(b, 1), 1);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), 1);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	}
	/* Together with what this one returns. */
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	offer(&r, 0, 0);
	ck_assert_int_eq(pop(1), 1);
	ck_assert_int_eq(push(b, 1), 1);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 1);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	/* A driver that wants none looks itself. */
	if (!features) {
		ring_set_avail_flags(&r, 1);
		ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	}
	features = 0;
	ring_fini(&r);
}
END_TEST

/* What cannot be popped is waited for by nobody. */
START_TEST(test_in_flight_broken)
{
	start(_i);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	for (uint16_t i = 0; i < 3; i++)
		offer(&r, i, i);
	ck_assert_int_eq(pop(3), 3);
	ring_desc(&r, r.desc, 1, PAGE, 0, RING_WRITE, 0);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ck_assert_int_eq(pop(NUM), 1);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 3);
	ck_assert_int_eq(pop(NUM), FPH_PEER_ZERO_LEN);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 1);
	ring_fini(&r);
}
END_TEST

/* What a guest writes into its used index, and a list that loops. */
START_TEST(test_hostile_record)
{
	start(false);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	for (uint16_t i = 0; i < NUM; i++)
		offer(&r, i, i);
	ck_assert_int_eq(pop(NUM), NUM);
	put16(12, 3);			/* last_batch_head */
	put16(16 + 16 * 3 + 6, 4);	/* next */
	put16(16 + 16 * 4 + 6, _i == 0 ? 3 : _i == 1 ? NUM : 0xffff);
	ring_set_used_idx(&r, _i == 3 ? 1 : 40000);
	ck_assert_int_eq(take_up(&r, record, 0), FPH_OK);
	ck_assert_uint_eq(record[16 + 16 * 3], 0);
	ck_assert_uint_eq(record[16 + 16 * 4], _i == 3);
	ck_assert_int_eq(pop(NUM), _i == 3 ? NUM - 1 : NUM - 2);
	ring_fini(&r);
}
END_TEST

/* -------------------------------------------------------------- kill -9 -- */

#define KILLS	40

/* What survives: the ring's memory, the record, and the order to stop. */
struct shared {
	_Alignas(16) uint8_t mem[MEM_SIZE];
	_Alignas(8) uint8_t record[FPH_INFLIGHT_SIZE(NUM)];
};

static struct shared *shared;

static void map_shared(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	ring_init(&r, NUM, false, MEM_SIZE);
	r.desc = shared->mem + (r.desc - r.mem);
	r.avail = shared->mem + (r.avail - r.mem);
	r.used = shared->mem + (r.used - r.mem);
}

/* The device: pops and pushes in any order until it is killed. */
static void serve(uint64_t seed)
{
	struct fph_buffer out[NUM];
	uint32_t n = 0;

	if (take_up(&r, shared->record, 0) != FPH_OK)
		_exit(1);
	for (;;) {
		uint32_t want = 1 + ring_random(&seed) % 5;
		int ret = 0;

		if (want > NUM - n)
			want = NUM - n;
		if (want)
			ret = fph_vq_device_pop(vq, out + n, want, segs,
						2 * NUM);
		if (ret < 0)
			_exit(2);
		n += (uint32_t)ret;
		for (uint32_t i = n; i > 1; i--) {
			uint32_t k = ring_random(&seed) % i;
			struct fph_buffer x = out[k];

			out[k] = out[i - 1];
			out[i - 1] = x;
		}
		want = 1 + ring_random(&seed) % 4;
		if (want > n)
			want = n;
		if (want && push(out + n - want, want) != (int)want)
			_exit(3);
		n -= want;
	}
}

/* The driver's side: every head is offered again when it came back. */
struct driver {
	bool out[NUM];
	uint16_t seen;			/* used entries */
	uint64_t returned;
};

static uint16_t load_used_idx(void)
{
	return le16toh(__atomic_load_n((uint16_t *)(void *)(r.used + 2),
				       __ATOMIC_ACQUIRE));
}

static void drive(struct driver *d)
{
	while (d->seen != load_used_idx()) {
		uint32_t id = ring_get_used_id(&r, d->seen++);

		WANT(id < NUM);
		/* Twice, or never offered. */
		WANT(d->out[id]);
		d->out[id] = false;
		d->returned++;
	}
	for (uint16_t i = 0; i < NUM; i++) {
		if (d->out[i])
			continue;
		d->out[i] = true;
		ring_desc(&r, r.desc, i, PAGE, PAGE, RING_WRITE, 0);
		ring_put(r.avail + 4 + 2 * (r.avail_idx % NUM), 2, i, false);
		r.avail_idx++;
		__atomic_store_n((uint16_t *)(void *)(r.avail + 2),
				 htole16(r.avail_idx), __ATOMIC_RELEASE);
	}
}

/* Lets the driver run for some time, then kills the device. */
static void run_and_kill(struct driver *d, uint64_t *seed)
{
	uint64_t stop = d->returned + ring_random(seed) % 2000;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid)
		serve(*seed);
	while (d->returned < stop && !waitpid(pid, &status, WNOHANG))
		drive(d);
	/* Somewhere in the middle of something. */
	for (uint32_t i = ring_random(seed) % 3000; i; i--)
		drive(d);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_killed)
{
	struct driver d = { .seen = 0 };
	uint64_t seed = 99;

	map_shared();
	for (int i = 0; i < KILLS; i++)
		run_and_kill(&d, &seed);
	/* Whatever is out comes back from the last device. */
	drive(&d);
	ck_assert_int_eq(take_up(&r, shared->record, 0), FPH_OK);
	for (int n; (n = pop(NUM)) > 0;)
		ck_assert_int_eq(push(b, (uint32_t)n), n);
	while (d.seen != load_used_idx()) {
		uint32_t id = ring_get_used_id(&r, d.seen++);

		WANT(id < NUM && d.out[id]);
		d.out[id] = false;
	}
	for (int i = 0; i < NUM; i++)
		ck_assert(!d.out[i]);
	ck_assert_uint_gt(d.returned, KILLS);
	munmap(shared, sizeof(*shared));
	ring_fini(&r);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_inflight");
	TCase *tc = tcase_create("inflight");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_layout, 0, 2);
	tcase_add_loop_test(tc, test_resubmit, 0, 2);
	tcase_add_loop_test(tc, test_in_flight, 0, 2);
	tcase_add_loop_test(tc, test_in_flight_broken, 0, 2);
	tcase_add_loop_test(tc, test_last_interrupt, 0, 4);
	tcase_add_loop_test(tc, test_refused, 0, 2);
	tcase_add_loop_test(tc, test_hostile_record, 0, 4);
	tcase_add_test(tc, test_killed);
	suite_add_tcase(s, tc);
	return s;
}
