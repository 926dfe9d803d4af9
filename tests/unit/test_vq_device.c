/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Virtqueue, device side: what an honest driver sees. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"
#include "runner.h"
#include "vring/device.h"

#define NUM		8
#define MEM_SIZE	(256 * 1024)
#define TABLES		(64 * 1024)	/* gpa */

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(256) / 8];
static struct fph_vq_device *vq;
static struct fph_seg segs[256];
static struct fph_buffer elem;

static struct fph_vq_device_params params_of(bool event_idx, bool indirect)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = r.num,
		/* VERSION_1 is not looked at: endian is the byte order. */
		.features = (uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX |
			    (uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC |
			    FPH_BIT(VIRTIO_F_VERSION_1),
		.endian = r.big ? FPH_BE : FPH_LE,
		.base = r.avail_idx,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.map = ring_map,
		.map_ctx = &r,
	};

	return p;
}

static int init(const struct fph_vq_device_params *p)
{
	return fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), p);
}

static void start(uint32_t num, bool big, bool event_idx, bool indirect)
{
	struct fph_vq_device_params p;

	ring_init(&r, num, big, MEM_SIZE);
	p = params_of(event_idx, indirect);
	/* The memory may hold anything. */
	memset(vq_memory, 0x5a, sizeof(vq_memory));
	ck_assert_int_eq(init(&p), FPH_OK);
}

static void stop(void)
{
	ring_fini(&r);
}

static void offer_one(uint16_t head)
{
	ring_desc(&r, r.desc, head, 0x1000u * (head + 1u), 0x1000,
		  RING_WRITE, 0);
	ring_offer(&r, head);
}

static int pop(void)
{
	return fph_vq_device_pop(vq, &elem, 1, segs, r.num);
}

static int push(uint64_t cookie, uint32_t len)
{
	struct fph_used used = { .cookie = cookie, .len = len };

	return fph_vq_device_push(vq, &used, 1);
}

static uint32_t head_of(const struct fph_buffer *b)
{
	return fph_cookie_head(b->cookie);
}

START_TEST(test_init_refuses)
{
	uint8_t before[sizeof(vq_memory)];
	struct {
		struct fph_vq_device_params p;
		uint8_t tail[8];
	} big;

	ring_init(&r, NUM, false, MEM_SIZE);
	memset(vq_memory, 0x5a, sizeof(vq_memory));
	memcpy(before, vq_memory, sizeof(before));
	vq = NULL;
	for (int i = 0; i < 21; i++) {
		struct fph_vq_device_params p = params_of(true, true);

		switch (i) {
		case 0: p.size = 0; break;
		case 1: p.size = sizeof(p) - 1; break;
		case 2: p.num = 0; break;
		case 3: p.num = 3; break;
		case 4: p.num = 33; break;
		case 5: p.num = 32769; break;
		case 6: p.endian = FPH_BE + 1; break;
		case 7: p.base = 65536; break;
		case 8: p.desc = NULL; break;
		case 9: p.driver = NULL; break;
		case 10: p.device = NULL; break;
		case 11: p.desc = r.desc + 8; break;
		case 12: p.driver = r.avail + 1; break;
		case 13: p.device = r.used + 2; break;
		case 14: p.map = NULL; break;
		case 15: p.num = 65536; break;
		case 16:
			p.features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			p.driver = r.avail + 2;
			break;
		case 17:
			p.features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			p.base = NUM;
			break;
		case 18:
			p.features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			p.base = 1u << 16;
			break;
		case 19:
			p.features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			p.inflight = r.mem + MEM_SIZE / 2;
			break;
		case 20: p.inflight = r.mem + MEM_SIZE / 2 + 4; break;
		}
		ck_assert_msg(init(&p) == FPH_EINVAL, "case %d", i);
		if (i < 20)
			ck_assert_uint_eq(fph_vq_device_size(&p), 0);
		ck_assert_ptr_null(vq);
		ck_assert_mem_eq(vq_memory, before, sizeof(before));
	}
	ck_assert_int_eq(init(NULL), FPH_EINVAL);
	ck_assert_uint_eq(fph_vq_device_size(NULL), 0);

	/* A longer struct of a later version: only zeros are understood. */
	memset(&big, 0, sizeof(big));
	big.p = params_of(true, true);
	big.p.size = sizeof(big);
	big.tail[7] = 1;
	ck_assert_int_eq(init(&big.p), FPH_EINVAL);
	ck_assert_mem_eq(vq_memory, before, sizeof(before));
	big.tail[7] = 0;
	ck_assert_int_eq(init(&big.p), FPH_OK);

	/* The map is needed with indirect only; the default is little-endian. */
	big.p.features = FPH_BIT(VIRTIO_F_VERSION_1) | FPH_BIT(0);
	big.p.map = NULL;
	big.p.endian = 0;
	ck_assert_int_eq(init(&big.p), FPH_OK);
	stop();
}
END_TEST

START_TEST(test_memory)
{
	struct fph_vq_device_params p;
	size_t size;

	start(NUM, false, false, false);
	p = params_of(false, false);
	for (uint32_t num = 1; num <= FPH_VRING_MAX_SIZE; num *= 2) {
		p.num = num;
		p.inflight = NULL;
		size = fph_vq_device_size(&p);
		ck_assert_uint_gt(size, 0);
		ck_assert_uint_le(size, FPH_VQ_DEVICE_SIZE(num));
		p.inflight = vq_memory;
		ck_assert_uint_ge(fph_vq_device_size(&p), size);
		ck_assert_uint_le(fph_vq_device_size(&p),
				  FPH_VQ_DEVICE_SIZE(num));
	}
	p = params_of(false, false);
	size = fph_vq_device_size(&p);
	ck_assert_int_eq(fph_vq_device_init(&vq, vq_memory, size - 1, &p),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_init(&vq, NULL, size, &p), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_init(&vq, (uint8_t *)vq_memory + 4,
					    size, &p), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_init(NULL, vq_memory, size, &p),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_init(&vq, vq_memory, size, &p), FPH_OK);
	stop();
}
END_TEST

START_TEST(test_uninit)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];

	ring_init(&r, NUM, false, MEM_SIZE);
	vq = NULL;
	ck_assert_int_eq(pop(), FPH_EUNINIT);
	ck_assert_int_eq(push(1, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, false), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_take_written(vq, spans), FPH_EUNINIT);
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 0);
	ck_assert_uint_eq(fph_vq_device_get_base_of(vq, 0x10001), 0);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 0);
	ck_assert(fph_vq_device_is_broken(vq));
	stop();
}
END_TEST

/* Caller's errors change neither the object nor ring memory. */
START_TEST(test_caller_errors)
{
	uint8_t before[sizeof(vq_memory)];
	uint8_t *mem;

	start(NUM, _i, false, true);
	offer_one(0);
	mem = malloc(MEM_SIZE);
	ck_assert_ptr_nonnull(mem);
	memcpy(mem, r.mem, MEM_SIZE);
	memcpy(before, vq_memory, sizeof(before));

	ck_assert_int_eq(fph_vq_device_pop(vq, &elem, 1, segs, NUM - 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_pop(vq, &elem, 0, segs, NUM),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_pop(vq, NULL, 1, segs, NUM),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_pop(vq, &elem, 1, NULL, NUM),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_push(vq, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_push(vq, &(struct fph_used){
					    .cookie = 1 }, 0), FPH_EINVAL);
	ck_assert_int_eq(push(1, 0), FPH_ESTATE);
	ck_assert_int_eq(fph_vq_device_take_written(vq, NULL), FPH_EINVAL);
	ck_assert_mem_eq(vq_memory, before, sizeof(before));
	ck_assert_mem_eq(r.mem, mem, MEM_SIZE);

	ck_assert_int_eq(pop(), 1);
	ck_assert_int_eq(push(0, 0), FPH_EINVAL);
	ck_assert_int_eq(push(NUM + 1, 0), FPH_EINVAL);
	ck_assert_int_eq(push(0x10000, 0), FPH_EINVAL);
	ck_assert_int_eq(push((uint64_t)1 << 32 | 1, 0), FPH_EINVAL);
	ck_assert_uint_eq(ring_get_used_idx(&r), 0);
	ck_assert_int_eq(push(elem.cookie, 7), 1);
	ck_assert_int_eq(push(elem.cookie, 7), FPH_ESTATE);
	ck_assert_uint_eq(ring_get_used_idx(&r), 1);
	free(mem);
	stop();
}
END_TEST

START_TEST(test_direct_chain)
{
	struct fph_buffer none;

	start(NUM, _i, false, false);
	memset(&elem, 0x5a, sizeof(elem));
	none = elem;
	ck_assert_int_eq(pop(), 0);
	ck_assert_mem_eq(&elem, &none, sizeof(elem));

	ring_desc(&r, r.desc, 5, 0x123456789abcdef0, 4, RING_NEXT, 2);
	ring_desc(&r, r.desc, 2, 0x2000, 8, RING_NEXT, 7);
	ring_desc(&r, r.desc, 7, 0xffffffffffffff00, 0x100,
		  RING_NEXT | RING_WRITE, 0);
	/* Flags that no specification knows are nobody's business. */
	ring_desc(&r, r.desc, 0, 0, 0xfffff000, RING_WRITE | 0xfff8, 0xffff);
	ring_offer(&r, 5);
	ck_assert_int_eq(pop(), 1);
	ck_assert_uint_eq(head_of(&elem), 5);
	ck_assert_uint_eq((elem.nread + elem.nwrite), 4);
	ck_assert_uint_eq(elem.nread, 2);
	ck_assert_uint_eq(elem.flags, 0);
	ck_assert_uint_eq(elem.reserved, 0);
	ck_assert(segs[0].gpa == 0x123456789abcdef0 && segs[0].len == 4);
	ck_assert(segs[1].gpa == 0x2000 && segs[1].len == 8);
	ck_assert(segs[2].gpa == 0xffffffffffffff00 && segs[2].len == 0x100);
	ck_assert(segs[3].gpa == 0 && segs[3].len == 0xfffff000);
	ck_assert_uint_eq(segs[0].flags, 0);
	ck_assert_uint_eq(segs[1].flags, 0);
	ck_assert_uint_eq(segs[2].flags, FPH_SEG_WRITE);
	ck_assert_uint_eq(segs[3].flags, FPH_SEG_WRITE);
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 1);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 1);
	ck_assert_int_eq(pop(), 0);

	ck_assert_int_eq(push(elem.cookie, 0x01020304), 1);
	ck_assert_uint_eq(ring_get_used_idx(&r), 1);
	ck_assert_uint_eq(ring_get_used_id(&r, 0), 5);
	ck_assert_uint_eq(ring_get_used_len(&r, 0), 0x01020304);
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 0);
	ck_assert(!fph_vq_device_is_broken(vq));
	stop();
}
END_TEST

/* The used index goes on where ring memory has it, the base where told. */
START_TEST(test_take_up)
{
	struct fph_vq_device_params p;

	ring_init(&r, NUM, _i, MEM_SIZE);
	ring_set_avail_idx(&r, 65535);
	ring_set_used_idx(&r, 65530);
	ring_set_used_flags(&r, 1);
	p = params_of(false, false);
	ck_assert_int_eq(init(&p), FPH_OK);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 65535);
	ck_assert_int_eq(pop(), 0);
	offer_one(3);
	ck_assert_int_eq(pop(), 1);
	ck_assert_uint_eq(head_of(&elem), 3);
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 0);
	ck_assert_int_eq(push(elem.cookie, 0), 1);
	ck_assert_uint_eq(ring_get_used_idx(&r), 65531);
	ck_assert_uint_eq(ring_get_used_id(&r, 65530), 3);

	/* With event index the wish stands behind the used ring alone. */
	offer_one(4);
	ring_set_used_flags(&r, 1);
	p = params_of(true, false);
	ck_assert_uint_eq(p.base, 1);
	ck_assert_int_eq(init(&p), FPH_OK);
	ck_assert_uint_eq(ring_get_avail_event(&r), 1);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	stop();
}
END_TEST

START_TEST(test_no_interrupt)
{
	start(NUM, _i, false, false);
	for (uint16_t i = 0; i < 4; i++) {
		bool silent = i & 1;

		ring_set_avail_flags(&r, silent);
		offer_one(i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(push(elem.cookie, 0), 1);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), !silent);
		/* Asked again without a push: nothing new to tell. */
		ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	}
	stop();
}
END_TEST

/* used_event 3: an interrupt at the first and the fourth, as with QEMU. */
START_TEST(test_used_event)
{
	static const int want[] = { 1, 0, 0, 1, 0, 0 };

	start(NUM, _i, true, false);
	ring_set_used_event(&r, 3);
	/* The flags mean nothing with event index. */
	ring_set_avail_flags(&r, 1);
	for (uint16_t i = 0; i < 6; i++) {
		offer_one(i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(push(elem.cookie, 0), 1);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), want[i]);
	}

	/* Passed in the middle of a batch. */
	ring_set_used_event(&r, 7);
	for (uint16_t i = 0; i < 4; i++) {
		offer_one(i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(push(elem.cookie, 0), 1);
	}
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 1);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	stop();
}
END_TEST

/* 65536 pushes between two questions: the used index looks unmoved. */
START_TEST(test_notify_all_round)
{
	start(NUM, false, _i, false);
	offer_one(0);
	WANT(pop() == 1);
	WANT(push(elem.cookie, 0) == 1);
	WANT(fph_vq_device_should_notify(vq) == 1);
	for (uint32_t i = 0; i < 65536; i++) {
		offer_one((uint16_t)(i % NUM));
		WANT(pop() == 1);
		WANT(push(elem.cookie, 0) == 1);
	}
	WANT(ring_get_used_idx(&r) == 1);
	WANT(fph_vq_device_should_notify(vq) == 1);
	WANT(fph_vq_device_should_notify(vq) == 0);
	stop();
}
END_TEST

START_TEST(test_arm_flags)
{
	start(NUM, _i, false, false);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, false), 0);
	ck_assert_uint_eq(ring_get_used_flags(&r), 1);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 0);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);

	/* Offered between the last look and the wish: seen by arm itself. */
	ck_assert_int_eq(fph_vq_device_want_notify(vq, false), 0);
	ck_assert_int_eq(pop(), 0);
	offer_one(1);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, false), 0);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 1);
	ck_assert_int_eq(pop(), 1);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 0);

	/* A broken ring asks nobody to pop again. */
	ring_offer(&r, NUM);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 1);
	ck_assert_int_eq(pop(), FPH_PEER_HEAD);
	ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 0);
	stop();
}
END_TEST

START_TEST(test_arm_event)
{
	start(NUM, _i, true, false);
	ck_assert_uint_eq(ring_get_avail_event(&r), 0);
	for (uint16_t i = 0; i < 3; i++) {
		offer_one(i);
		ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 1);
		ck_assert_uint_eq(ring_get_avail_event(&r), i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(fph_vq_device_want_notify(vq, true), 0);
		ck_assert_uint_eq(ring_get_avail_event(&r), i + 1);
		/* Off: the wish is behind the driver. */
		ck_assert_int_eq(fph_vq_device_want_notify(vq, false), 0);
		ck_assert_uint_eq(ring_get_avail_event(&r), i);
		ck_assert_int_eq(push(elem.cookie, 0), 1);
		ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	}
	stop();
}
END_TEST

/* What the driver changes after pop has no effect on what was given out. */
START_TEST(test_copied_once)
{
	struct fph_seg seg;

	start(NUM, false, false, false);
	offer_one(1);
	ck_assert_int_eq(pop(), 1);
	seg = segs[0];
	memset(r.mem, 0xff, MEM_SIZE);
	ck_assert_mem_eq(&seg, &segs[0], sizeof(seg));
	ck_assert(seg.gpa == 0x2000 && seg.len == 0x1000);
	stop();
}
END_TEST

/* A buffer that the random driver made, as the device must see it. */
struct expect {
	uint16_t nseg;
	uint16_t nread;
	struct fph_seg segs[NUM];
};

static struct expect expect[NUM];

/*
 * Writes a buffer whose head is head: one descriptor of the ring, or two, the
 * rest in an indirect table that may be misaligned and may have gaps.
 */
static void make_random(uint16_t head, uint64_t *seed)
{
	struct expect *x = &expect[head];
	uint32_t n = 1 + ring_random(seed) % NUM;
	uint64_t table = TABLES + 4096u * head + ring_random(seed) % 7;
	uint32_t step = 1 + ring_random(seed) % 3;

	x->nseg = (uint16_t)n;
	x->nread = (uint16_t)(ring_random(seed) % (n + 1));
	for (uint32_t i = 0; i < n; i++) {
		struct fph_seg *s = &x->segs[i];
		bool write = i >= x->nread;
		bool more = i + 1 < n;

		s->gpa = (uint64_t)ring_random(seed) << 32 | ring_random(seed);
		s->len = 1 + ring_random(seed) % 65536;
		s->flags = write ? FPH_SEG_WRITE : 0;
		ring_desc(&r, r.mem + table, i * step, s->gpa, s->len,
			  (uint16_t)((write ? RING_WRITE : 0) |
				     (more ? RING_NEXT : 0)),
			  (uint16_t)((i + 1) * step));
	}
	/* The flag WRITE beside INDIRECT is ignored. */
	ring_desc(&r, r.desc, head, table, 16 * (n * step),
		  (uint16_t)(RING_INDIRECT |
			     (ring_random(seed) & RING_WRITE)), 0xffff);
}

/* More than 65536 buffers: each index passes its end. */
START_TEST(test_random_driver)
{
	bool flying[NUM] = { false };
	uint64_t popped[NUM];
	uint32_t npopped = 0, noffered = 0, done = 0;
	uint16_t used = 0;
	uint64_t seed = 1 + (uint64_t)_i;

	start(NUM, _i & 1, _i & 2, true);
	while (done < 70000) {
		uint16_t h = (uint16_t)(ring_random(&seed) % NUM);
		uint32_t k, len;

		switch (ring_random(&seed) % 4) {
		case 0:
		case 1:
			if (flying[h])
				break;
			flying[h] = true;
			make_random(h, &seed);
			ring_offer(&r, h);
			noffered++;
			break;
		case 2:
			WANT(pop() == (noffered > 0));
			if (!noffered)
				break;
			noffered--;
			h = (uint16_t)head_of(&elem);
			WANT(flying[h]);
			WANT((elem.nread + elem.nwrite) == expect[h].nseg);
			WANT(elem.nread == expect[h].nread);
			WANT(!memcmp(segs, expect[h].segs,
				     (elem.nread + elem.nwrite) * sizeof(segs[0])));
			popped[npopped++] = elem.cookie;
			break;
		default:
			if (!npopped)
				break;
			k = ring_random(&seed) % npopped;
			h = (uint16_t)(popped[k] - 1);
			len = ring_random(&seed);
			WANT(push(popped[k], len) == 1);
			popped[k] = popped[--npopped];
			WANT(ring_get_used_id(&r, used) == h);
			WANT(ring_get_used_len(&r, used) == len);
			used++;
			WANT(ring_get_used_idx(&r) == used);
			flying[h] = false;
			done++;
		}
		WANT(fph_vq_device_get_inflight(vq) == npopped);
		WANT(fph_vq_device_get_base(vq) ==
		     (uint16_t)(r.avail_idx - noffered));
	}
	stop();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_device");
	TCase *tc = tcase_create("honest");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_init_refuses);
	tcase_add_test(tc, test_memory);
	tcase_add_test(tc, test_uninit);
	tcase_add_loop_test(tc, test_caller_errors, 0, 2);
	tcase_add_loop_test(tc, test_direct_chain, 0, 2);
	tcase_add_loop_test(tc, test_take_up, 0, 2);
	tcase_add_loop_test(tc, test_no_interrupt, 0, 2);
	tcase_add_loop_test(tc, test_used_event, 0, 2);
	tcase_add_loop_test(tc, test_notify_all_round, 0, 2);
	tcase_add_loop_test(tc, test_arm_flags, 0, 2);
	tcase_add_loop_test(tc, test_arm_event, 0, 2);
	tcase_add_test(tc, test_copied_once);
	tcase_add_loop_test(tc, test_random_driver, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
