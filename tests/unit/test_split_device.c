/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Split ring, device side: what an honest driver sees. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"

#define NUM		8
#define MEM_SIZE	(256 * 1024)
#define TABLES		(64 * 1024)	/* gpa */

static struct ring r;
static struct fph_split_device vq;
static struct fph_seg segs[256];
static struct fph_elem elem;

static struct fph_split_device_params params_of(bool event_idx, bool indirect)
{
	struct fph_split_device_params p = {
		.size = sizeof(p),
		.num = (uint16_t)r.num,
		.base = r.avail_idx,
		.event_idx = event_idx,
		.indirect = indirect,
		.endian = r.big ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.avail = r.avail,
		.used = r.used,
		.map = ring_map,
		.map_ctx = &r,
	};

	return p;
}

static void start(uint32_t num, bool big, bool event_idx, bool indirect)
{
	struct fph_split_device_params p;

	ring_init(&r, num, big, MEM_SIZE);
	p = params_of(event_idx, indirect);
	ck_assert_int_eq(fph_split_device_init(&vq, &p), FPH_OK);
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
	return fph_split_device_pop(&vq, &elem, segs, r.num);
}

START_TEST(test_init_refuses)
{
	struct fph_split_device before;
	struct {
		struct fph_split_device_params p;
		uint8_t tail[8];
	} big;

	ring_init(&r, NUM, false, MEM_SIZE);
	memset(&vq, 0x5a, sizeof(vq));
	before = vq;
	for (int i = 0; i < 18; i++) {
		struct fph_split_device_params p = params_of(true, true);

		switch (i) {
		case 0: p.size = 0; break;
		case 1: p.size = sizeof(p) - 1; break;
		case 2: p.num = 0; break;
		case 3: p.num = 3; break;
		case 4: p.num = 33; break;
		case 5: p.num = 32769; break;
		case 6: p.endian = 0; break;
		case 7: p.endian = FPH_BE + 1; break;
		case 8: p.desc = NULL; break;
		case 9: p.avail = NULL; break;
		case 10: p.used = NULL; break;
		case 11: p.desc = r.desc + 8; break;
		case 12: p.avail = r.avail + 1; break;
		case 13: p.used = r.used + 2; break;
		case 14: p.map = NULL; break;
		case 15: p.num = 48; break;
		case 16:
			ck_assert_int_eq(fph_split_device_init(&vq, NULL),
					 FPH_EINVAL);
			continue;
		case 17:
			ck_assert_int_eq(fph_split_device_init(NULL, &p),
					 FPH_EINVAL);
			continue;
		}
		ck_assert_msg(fph_split_device_init(&vq, &p) == FPH_EINVAL,
			      "case %d", i);
		ck_assert_mem_eq(&vq, &before, sizeof(vq));
	}

	/* A longer struct of a later version: only zeros are understood. */
	memset(&big, 0, sizeof(big));
	big.p = params_of(true, true);
	big.p.size = sizeof(big);
	big.tail[7] = 1;
	ck_assert_int_eq(fph_split_device_init(&vq, &big.p), FPH_EINVAL);
	ck_assert_mem_eq(&vq, &before, sizeof(vq));
	big.tail[7] = 0;
	ck_assert_int_eq(fph_split_device_init(&vq, &big.p), FPH_OK);

	/* The map is needed with indirect only. */
	big.p.indirect = false;
	big.p.map = NULL;
	ck_assert_int_eq(fph_split_device_init(&vq, &big.p), FPH_OK);
	stop();
}
END_TEST

START_TEST(test_uninit)
{
	struct fph_split_device zero;

	ring_init(&r, NUM, false, MEM_SIZE);
	memset(&vq, 0, sizeof(vq));
	zero = vq;
	ck_assert_int_eq(pop(), FPH_EUNINIT);
	ck_assert_int_eq(fph_split_device_push(&vq, 0, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_split_device_get_notify(&vq), FPH_EUNINIT);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), FPH_EUNINIT);
	ck_assert_int_eq(fph_split_device_arm(&vq, false), FPH_EUNINIT);
	ck_assert_uint_eq(fph_split_device_get_base(&vq), 0);
	ck_assert_uint_eq(fph_split_device_get_inflight(&vq), 0);
	ck_assert(fph_split_device_is_broken(&vq));
	ck_assert_mem_eq(&vq, &zero, sizeof(vq));
	ck_assert_int_eq(fph_split_device_push(NULL, 0, 0), FPH_EUNINIT);
	stop();
}
END_TEST

/* Caller's errors change neither the object nor ring memory. */
START_TEST(test_caller_errors)
{
	struct fph_split_device before;
	uint8_t *mem;

	start(NUM, _i, false, true);
	offer_one(0);
	mem = malloc(MEM_SIZE);
	ck_assert_ptr_nonnull(mem);
	memcpy(mem, r.mem, MEM_SIZE);
	before = vq;

	ck_assert_int_eq(fph_split_device_pop(&vq, &elem, segs, NUM - 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_split_device_pop(&vq, NULL, segs, NUM),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_split_device_pop(&vq, &elem, NULL, NUM),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_split_device_push(&vq, NUM, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_split_device_push(&vq, 0xffff, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_split_device_push(&vq, 0, 0), FPH_ESTATE);
	ck_assert_mem_eq(&vq, &before, sizeof(vq));
	ck_assert_mem_eq(r.mem, mem, MEM_SIZE);

	ck_assert_int_eq(pop(), 1);
	ck_assert_int_eq(fph_split_device_push(&vq, 0, 7), FPH_OK);
	ck_assert_int_eq(fph_split_device_push(&vq, 0, 7), FPH_ESTATE);
	ck_assert_uint_eq(ring_get_used_idx(&r), 1);
	free(mem);
	stop();
}
END_TEST

START_TEST(test_direct_chain)
{
	struct fph_elem none;

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
	ck_assert_uint_eq(elem.head, 5);
	ck_assert_uint_eq(elem.nseg, 4);
	ck_assert_uint_eq(elem.nread, 2);
	ck_assert_uint_eq(elem.read_len, 12);
	ck_assert_uint_eq(elem.write_len, 0xfffff100);
	ck_assert(segs[0].gpa == 0x123456789abcdef0 && segs[0].len == 4);
	ck_assert(segs[1].gpa == 0x2000 && segs[1].len == 8);
	ck_assert(segs[2].gpa == 0xffffffffffffff00 && segs[2].len == 0x100);
	ck_assert(segs[3].gpa == 0 && segs[3].len == 0xfffff000);
	ck_assert_uint_eq(segs[0].flags, 0);
	ck_assert_uint_eq(segs[1].flags, 0);
	ck_assert_uint_eq(segs[2].flags, FPH_SEG_WRITE);
	ck_assert_uint_eq(segs[3].flags, FPH_SEG_WRITE);
	ck_assert_uint_eq(fph_split_device_get_base(&vq), 1);
	ck_assert_uint_eq(fph_split_device_get_inflight(&vq), 1);
	ck_assert_int_eq(pop(), 0);

	ck_assert_int_eq(fph_split_device_push(&vq, 5, 0x01020304), FPH_OK);
	ck_assert_uint_eq(ring_get_used_idx(&r), 1);
	ck_assert_uint_eq(ring_get_used_id(&r, 0), 5);
	ck_assert_uint_eq(ring_get_used_len(&r, 0), 0x01020304);
	ck_assert_uint_eq(fph_split_device_get_inflight(&vq), 0);
	ck_assert(!fph_split_device_is_broken(&vq));
	stop();
}
END_TEST

/* The used index goes on where ring memory has it, the base where told. */
START_TEST(test_take_up)
{
	struct fph_split_device_params p;

	ring_init(&r, NUM, _i, MEM_SIZE);
	ring_set_avail_idx(&r, 65535);
	ring_set_used_idx(&r, 65530);
	ring_set_used_flags(&r, 1);
	p = params_of(false, false);
	ck_assert_int_eq(fph_split_device_init(&vq, &p), FPH_OK);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	ck_assert_uint_eq(fph_split_device_get_base(&vq), 65535);
	ck_assert_int_eq(pop(), 0);
	offer_one(3);
	ck_assert_int_eq(pop(), 1);
	ck_assert_uint_eq(elem.head, 3);
	ck_assert_uint_eq(fph_split_device_get_base(&vq), 0);
	ck_assert_int_eq(fph_split_device_push(&vq, 3, 0), FPH_OK);
	ck_assert_uint_eq(ring_get_used_idx(&r), 65531);
	ck_assert_uint_eq(ring_get_used_id(&r, 65530), 3);

	/* With event index the wish stands behind the used ring alone. */
	offer_one(4);
	ring_set_used_flags(&r, 1);
	p = params_of(true, false);
	ck_assert_uint_eq(p.base, 1);
	ck_assert_int_eq(fph_split_device_init(&vq, &p), FPH_OK);
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
		ck_assert_int_eq(fph_split_device_push(&vq, i, 0), FPH_OK);
		ck_assert_int_eq(fph_split_device_get_notify(&vq), !silent);
		/* Asked again without a push: nothing new to tell. */
		ck_assert_int_eq(fph_split_device_get_notify(&vq), 0);
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
		ck_assert_int_eq(fph_split_device_push(&vq, i, 0), FPH_OK);
		ck_assert_int_eq(fph_split_device_get_notify(&vq), want[i]);
	}

	/* Passed in the middle of a batch. */
	ring_set_used_event(&r, 7);
	for (uint16_t i = 0; i < 4; i++) {
		offer_one(i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(fph_split_device_push(&vq, i, 0), FPH_OK);
	}
	ck_assert_int_eq(fph_split_device_get_notify(&vq), 1);
	ck_assert_int_eq(fph_split_device_get_notify(&vq), 0);
	stop();
}
END_TEST

/* 65536 pushes between two questions: the used index looks unmoved. */
START_TEST(test_notify_all_round)
{
	start(NUM, false, _i, false);
	offer_one(0);
	WANT(pop() == 1);
	WANT(fph_split_device_push(&vq, 0, 0) == FPH_OK);
	WANT(fph_split_device_get_notify(&vq) == 1);
	for (uint32_t i = 0; i < 65536; i++) {
		offer_one((uint16_t)(i % NUM));
		WANT(pop() == 1);
		WANT(fph_split_device_push(&vq, elem.head, 0) == FPH_OK);
	}
	WANT(ring_get_used_idx(&r) == 1);
	WANT(fph_split_device_get_notify(&vq) == 1);
	WANT(fph_split_device_get_notify(&vq) == 0);
	stop();
}
END_TEST

START_TEST(test_arm_flags)
{
	start(NUM, _i, false, false);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);
	ck_assert_int_eq(fph_split_device_arm(&vq, false), 0);
	ck_assert_uint_eq(ring_get_used_flags(&r), 1);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), 0);
	ck_assert_uint_eq(ring_get_used_flags(&r), 0);

	/* Offered between the last look and the wish: seen by arm itself. */
	ck_assert_int_eq(fph_split_device_arm(&vq, false), 0);
	ck_assert_int_eq(pop(), 0);
	offer_one(1);
	ck_assert_int_eq(fph_split_device_arm(&vq, false), 0);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), 1);
	ck_assert_int_eq(pop(), 1);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), 0);

	/* A broken ring asks nobody to pop again. */
	ring_offer(&r, NUM);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), 1);
	ck_assert_int_eq(pop(), FPH_PEER_HEAD);
	ck_assert_int_eq(fph_split_device_arm(&vq, true), 0);
	stop();
}
END_TEST

START_TEST(test_arm_event)
{
	start(NUM, _i, true, false);
	ck_assert_uint_eq(ring_get_avail_event(&r), 0);
	for (uint16_t i = 0; i < 3; i++) {
		offer_one(i);
		ck_assert_int_eq(fph_split_device_arm(&vq, true), 1);
		ck_assert_uint_eq(ring_get_avail_event(&r), i);
		ck_assert_int_eq(pop(), 1);
		ck_assert_int_eq(fph_split_device_arm(&vq, true), 0);
		ck_assert_uint_eq(ring_get_avail_event(&r), i + 1);
		/* Off: the wish is behind the driver. */
		ck_assert_int_eq(fph_split_device_arm(&vq, false), 0);
		ck_assert_uint_eq(ring_get_avail_event(&r), i);
		ck_assert_int_eq(fph_split_device_push(&vq, i, 0), FPH_OK);
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
	uint16_t popped[NUM];
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
			h = elem.head;
			WANT(flying[h]);
			WANT(elem.nseg == expect[h].nseg);
			WANT(elem.nread == expect[h].nread);
			WANT(!memcmp(segs, expect[h].segs,
				     elem.nseg * sizeof(segs[0])));
			popped[npopped++] = h;
			break;
		default:
			if (!npopped)
				break;
			k = ring_random(&seed) % npopped;
			h = popped[k];
			popped[k] = popped[--npopped];
			len = ring_random(&seed);
			WANT(fph_split_device_push(&vq, h, len) == FPH_OK);
			WANT(ring_get_used_id(&r, used) == h);
			WANT(ring_get_used_len(&r, used) == len);
			used++;
			WANT(ring_get_used_idx(&r) == used);
			flying[h] = false;
			done++;
		}
		WANT(fph_split_device_get_inflight(&vq) == npopped);
		WANT(fph_split_device_get_base(&vq) ==
		     (uint16_t)(r.avail_idx - noffered));
	}
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split_device");
	TCase *tc = tcase_create("honest");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_init_refuses);
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
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
