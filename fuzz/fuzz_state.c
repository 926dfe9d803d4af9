/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a saved state from anywhere.  It is refused, or it is loaded,
 * and then the object is a good one: it saves what loads again as the same,
 * and all that it holds comes out of it.
 *
 * Byte 0: the object (the lines of kinds[], modulo their number), bit 7 set:
 * what follows is the whole state, else what stands behind the header, which
 * is made to fit.  Byte 1: flags of load; then the bytes.
 */
#include <string.h>

#include <fph-vmm/balloon.h>
#include <fph/guest.h>
#include <fph/host.h>
#include <fph/vring.h>
#include <fph/wire.h>

#include "core/state.h"
#include "fuzz.h"

#define NUM		8u
#define NRANGES		16u
#define NBUFFERS	8u
#define MEMORY_SIZE	0x4000u
#define MAX_STATE	0x10000u

/* One object of any kind. */
union object {
	struct fph_report *report;
	struct fph_hint_session *session;
	struct fph_vq_device *device;
	struct fph_vq_driver *driver;
	struct fph_reporter *reporter;
	struct fph_hinter *hinter;
	struct fph_balloon *balloon;
};

struct kind {
	uint16_t number;
	uint64_t features;
	void (*make)(union object *o, void *memory, uint64_t features);
	int (*save)(const union object *o, void *buf, size_t size,
		    size_t *len);
	int (*load)(union object *o, const void *buf, size_t size,
		    uint32_t flags);
	void (*drain)(union object *o);
};

/* ------------------------------------------------------- reports and hints -- */

static void make_report(union object *o, void *memory, uint64_t features)
{
	struct fph_report_params p = {
		.size = sizeof(p), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .queue = FPH_QUEUE_REPORT
	};

	(void)features;
	MUST(fph_report_init(&o->report, memory, MEMORY_SIZE, &p) == FPH_OK);
}

static int save_report(const union object *o, void *buf, size_t size,
		       size_t *len)
{
	return fph_report_save(o->report, buf, size, len);
}

static int load_report(union object *o, const void *buf, size_t size,
		       uint32_t flags)
{
	return fph_report_load(o->report, buf, size, flags);
}

/* Runs that were out there are known by no one here: those stay. */
static void drain_report(union object *o)
{
	uint32_t out = fph_report_get_outstanding(o->report);
	struct fph_run run;
	struct fph_used used;
	uint32_t n = 0;

	while (fph_report_next(o->report, &run, 1) == 1) {
		MUST(run.len && run.gpa + (run.len - 1) >= run.gpa);
		run.outcome = FPH_OUTCOME_DISCARDED;
		run.freed = run.len;
		MUST(fph_report_complete(o->report, &run, 1) == 1);
	}
	MUST(fph_report_get_outstanding(o->report) == out);
	while (fph_report_take_used(o->report, &used, 1) == 1)
		n++;
	MUST(n <= NBUFFERS);
	MUST(fph_report_reset(o->report) == (out ? FPH_EBUSY : FPH_OK));
}

static void make_session(union object *o, void *memory, uint64_t features)
{
	struct fph_hint_session_params p = {
		.size = sizeof(p), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS
	};

	(void)features;
	MUST(fph_hint_session_init(&o->session, memory, MEMORY_SIZE, &p) ==
	     FPH_OK);
}

static int save_session(const union object *o, void *buf, size_t size,
			size_t *len)
{
	return fph_hint_session_save(o->session, buf, size, len);
}

static int load_session(union object *o, const void *buf, size_t size,
			uint32_t flags)
{
	return fph_hint_session_load(o->session, buf, size, flags);
}

static void drain_session(union object *o)
{
	uint32_t out = fph_hint_session_get_outstanding(o->session);
	struct fph_run run;
	struct fph_used used;
	uint32_t n = 0;

	while (fph_hint_session_next(o->session, &run, 1) == 1) {
		run.outcome = FPH_OUTCOME_CLEARED;
		run.freed = run.len;
		MUST(fph_hint_session_complete(o->session, &run, 1) == 1);
	}
	MUST(fph_hint_session_stop(o->session) ==
	     (out ? FPH_EINPROGRESS : FPH_OK));
	while (fph_hint_session_take_used(o->session, &used, 1) == 1)
		n++;
	MUST(n <= NBUFFERS);
	MUST(fph_hint_session_reset(o->session) ==
	     (out ? FPH_EBUSY : FPH_OK));
}

/* ------------------------------------------------------------------ rings -- */

static uint8_t ring_memory[2][4096] __attribute__((aligned(4096)));

static void make_device(union object *o, void *memory, uint64_t features)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.desc = ring_memory[0], .driver = ring_memory[0] + 1024,
		.device = ring_memory[0] + 2048
	};

	p.endian = FPH_LE;
	if (features & FPH_BIT(VIRTIO_F_RING_PACKED))
		p.base = 0x80008000;
	MUST(fph_vq_device_init(&o->device, memory, MEMORY_SIZE, &p) ==
	     FPH_OK);
}

static int save_device(const union object *o, void *buf, size_t size,
		       size_t *len)
{
	return fph_vq_device_save(o->device, buf, size, len);
}

static int load_device(union object *o, const void *buf, size_t size,
		       uint32_t flags)
{
	(void)flags;
	return fph_vq_device_load(o->device, buf, size);
}

static void drain_device(union object *o)
{
	uint32_t n = fph_vq_device_get_inflight(o->device);
	struct fph_buffer buffers[NUM];
	struct fph_seg segs[2 * NUM];

	MUST(n <= NUM);
	(void)fph_vq_device_should_notify(o->device);
	(void)fph_vq_device_pop(o->device, buffers, NUM, segs, 2 * NUM);
	for (uint64_t cookie = 1; cookie <= 65536; cookie++) {
		struct fph_used used = { .cookie = cookie };

		n = fph_vq_device_get_inflight(o->device);
		if (!n || fph_vq_device_push(o->device, &used, 1) != 1)
			break;
	}
}

static void make_driver(union object *o, void *memory, uint64_t features)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.endian = FPH_LE, .desc = ring_memory[0],
		.driver = ring_memory[0] + 1024,
		.device = ring_memory[0] + 2048
	};

	MUST(fph_vq_driver_init(&o->driver, memory, MEMORY_SIZE, &p) ==
	     FPH_OK);
}

static int save_driver(const union object *o, void *buf, size_t size,
		       size_t *len)
{
	return fph_vq_driver_save(o->driver, buf, size, len);
}

static int load_driver(union object *o, const void *buf, size_t size,
		       uint32_t flags)
{
	(void)flags;
	return fph_vq_driver_load(o->driver, buf, size);
}

static void drain_driver(union object *o)
{
	uint32_t n = fph_vq_driver_get_inflight(o->driver), done = 0;
	struct fph_buffer b = { .nwrite = 1 };
	struct fph_seg seg = { 0x1000, 1, FPH_SEG_WRITE };
	struct fph_used used;

	MUST(n <= NUM && fph_vq_driver_get_room(o->driver) <= NUM);
	while (done < NUM && fph_vq_driver_add(o->driver, &b, 1, &seg) == 1)
		done++;
	MUST(fph_vq_driver_get_inflight(o->driver) == n + done);
	MUST(n + done <= NUM);
	(void)fph_vq_driver_publish(o->driver);
	(void)fph_vq_driver_should_notify(o->driver);
	for (uint32_t i = 0; i < NUM; i++) {
		if (fph_vq_driver_take_used(o->driver, &used, 1) == 1)
			done--;
	}
	for (n += done; n; n--)
		MUST(fph_vq_driver_detach(o->driver, &used, 1) == 1);
	MUST(!fph_vq_driver_detach(o->driver, &used, 1));
}

/* --------------------------------------------------------- the guest's side -- */

#define NOW	1000u

static void make_reporter(union object *o, void *memory, uint64_t features)
{
	struct fph_reporter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.max_ranges = NRANGES, .window = NBUFFERS
	};

	(void)features;
	MUST(fph_reporter_init(&o->reporter, memory, MEMORY_SIZE, &p) ==
	     FPH_OK);
}

static int save_reporter(const union object *o, void *buf, size_t size,
			 size_t *len)
{
	return fph_reporter_save(o->reporter, NOW, buf, size, len);
}

static int load_reporter(union object *o, const void *buf, size_t size,
			 uint32_t flags)
{
	(void)flags;
	return fph_reporter_load(o->reporter, NOW, buf, size);
}

static void drain_reporter(union object *o)
{
	struct fph_reporter_amounts a;
	struct fph_returned back[NRANGES];
	struct fph_buffer b;
	struct fph_seg segs[NRANGES];
	uint64_t n;

	MUST(fph_reporter_submit(o->reporter, NOW, &b, 1, segs, NRANGES) >= 0);
	MUST(fph_reporter_get_amounts(o->reporter, &a, sizeof(a)) == FPH_OK);
	n = a.waiting.ranges + a.outstanding.ranges + a.back.ranges;
	MUST(n <= NRANGES);
	MUST(fph_reporter_reset(o->reporter) == FPH_OK);
	MUST(fph_reporter_take_back(o->reporter, back, NRANGES) == (int)n);
}

static void make_hinter(union object *o, void *memory, uint64_t mode)
{
	struct fph_hinter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		.mode = (uint32_t)mode, .flags = FPH_HINTER_METADATA_OUTSIDE,
		.max_ranges = NRANGES, .max_hints = NBUFFERS
	};

	MUST(fph_hinter_init(&o->hinter, memory, MEMORY_SIZE, &p) == FPH_OK);
}

static int save_hinter(const union object *o, void *buf, size_t size,
		       size_t *len)
{
	return fph_hinter_save(o->hinter, buf, size, len);
}

static int load_hinter(union object *o, const void *buf, size_t size,
		       uint32_t flags)
{
	(void)flags;
	return fph_hinter_load(o->hinter, buf, size);
}

static void drain_hinter(union object *o)
{
	struct fph_returned back[NRANGES];
	struct fph_hinter_amounts a;
	struct fph_buffer b[4];
	struct fph_seg segs[NRANGES];

	MUST(fph_hinter_submit(o->hinter, NRANGES, b, 4, segs, NRANGES) >= 0);
	MUST(fph_hinter_set_config(o->hinter, 77) == FPH_OK);
	MUST(fph_hinter_submit(o->hinter, NRANGES, b, 4, segs, NRANGES) >= 0);
	MUST(fph_hinter_get_amounts(o->hinter, &a, sizeof(a)) == FPH_OK);
	MUST(a.held.ranges <= NRANGES);
	MUST(fph_hinter_reset(o->hinter) == FPH_OK);
	MUST(fph_hinter_take_back(o->hinter, back, NRANGES) ==
	     (int)a.held.ranges);
}

/* ---------------------------------------------------------------- balloon -- */

#define FEATURES	(FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ) | \
			 FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) | \
			 FPH_BIT(VIRTIO_F_RING_PACKED) | \
			 FPH_BIT(VIRTIO_F_IN_ORDER) | \
			 FPH_BIT(VIRTIO_RING_F_EVENT_IDX) | \
			 FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC))

static struct fph_memory *guest_memory;
static uint8_t guest_pages[0x20000] __attribute__((aligned(4096)));

static void make_balloon(union object *o, void *memory, uint64_t features)
{
	struct fph_region region = {
		.len = sizeof(guest_pages), .host = guest_pages, .fd = -1,
		.page_size = 4096, .backing = FPH_BACKING_ANON
	};
	struct fph_balloon_params p = {
		.size = sizeof(p), .features = features,
		.inflate_granule = 0x10000, .max_collected = 0x20000,
		.max_queue_size = NUM
	};

	(void)memory;
	if (!guest_memory) {
		guest_memory = fph_memory_new(NULL, NULL);
		MUST(fph_memory_add(guest_memory, &region) == FPH_OK);
	}
	p.memory = guest_memory;
	o->balloon = fph_balloon_new(&p, NULL);
	MUST(o->balloon);
}

static int save_balloon(const union object *o, void *buf, size_t size,
			size_t *len)
{
	return fph_balloon_save(o->balloon, buf, size, len);
}

static int load_balloon(union object *o, const void *buf, size_t size,
			uint32_t flags)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];

	memset(guest_pages, 0, FPH_NQUEUES * 4096);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		rings[i] = (struct fph_balloon_ring){
			.size = sizeof(rings[i]), .num = NUM,
			.desc = guest_pages + i * 4096,
			.driver = guest_pages + i * 4096 + 1024,
			.device = guest_pages + i * 4096 + 2048
		};
	return fph_balloon_load(o->balloon, buf, size, flags, rings);
}

static void drain_balloon(union object *o)
{
	struct fph_run run;
	uint32_t base;

	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		(void)fph_balloon_process(o->balloon, i, NUM);
	while (fph_balloon_next(o->balloon, &run, 1) == 1) {
		run.outcome = FPH_OUTCOME_DISCARDED;
		run.freed = run.len;
		MUST(fph_balloon_complete(o->balloon, &run, 1) == 1);
	}
	while (fph_balloon_hint_next(o->balloon, &run, 1) == 1) {
		run.outcome = FPH_OUTCOME_CLEARED;
		run.freed = run.len;
		MUST(fph_balloon_hint_complete(o->balloon, &run, 1) == 1);
	}
	(void)fph_balloon_flush(o->balloon);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		(void)fph_balloon_ring_stop(o->balloon, i, &base);
	(void)fph_balloon_reset(o->balloon);
	fph_balloon_free(o->balloon);
}

/* -------------------------------------------------------------------- run -- */

#define PACKED		FPH_BIT(VIRTIO_F_RING_PACKED)
#define IN_ORDER	FPH_BIT(VIRTIO_F_IN_ORDER)

static const struct kind kinds[] = {
	{ FPH_STATE_REPORT, 0, make_report, save_report, load_report,
	  drain_report },
	{ FPH_STATE_HINT_SESSION, 0, make_session, save_session, load_session,
	  drain_session },
	{ FPH_STATE_VQ_DEVICE, 0, make_device, save_device, load_device,
	  drain_device },
	{ FPH_STATE_VQ_DEVICE, PACKED, make_device, save_device, load_device,
	  drain_device },
	{ FPH_STATE_VQ_DEVICE, IN_ORDER, make_device, save_device, load_device,
	  drain_device },
	{ FPH_STATE_VQ_DEVICE, PACKED | IN_ORDER, make_device, save_device,
	  load_device, drain_device },
	{ FPH_STATE_BALLOON, FEATURES, make_balloon, save_balloon,
	  load_balloon, drain_balloon },
	{ FPH_STATE_VQ_DRIVER, 0, make_driver, save_driver, load_driver,
	  drain_driver },
	{ FPH_STATE_VQ_DRIVER, PACKED, make_driver, save_driver, load_driver,
	  drain_driver },
	{ FPH_STATE_VQ_DRIVER, IN_ORDER, make_driver, save_driver,
	  load_driver, drain_driver },
	{ FPH_STATE_VQ_DRIVER, PACKED | IN_ORDER, make_driver, save_driver,
	  load_driver, drain_driver },
	{ FPH_STATE_REPORTER, 0, make_reporter, save_reporter, load_reporter,
	  drain_reporter },
	{ FPH_STATE_HINTER, FPH_HINTER_HOLD, make_hinter, save_hinter,
	  load_hinter, drain_hinter },
	{ FPH_STATE_HINTER, FPH_HINTER_NEVER, make_hinter, save_hinter,
	  load_hinter, drain_hinter },
};

#define NKINDS		(sizeof(kinds) / sizeof(kinds[0]))

static uint8_t state[MAX_STATE], again[MAX_STATE];
static uint64_t memory[2][MEMORY_SIZE / 8];

/* The state as a whole: its length. */
static size_t put_header(uint16_t kind, const uint8_t *data, size_t size)
{
	struct fph_state_writer w;
	size_t len;

	fph_state_begin(&w, state, MAX_STATE);
	memcpy(state + FPH_STATE_HEADER, data, size);
	w.len += size;
	MUST(fph_state_end(&w, kind, 1, &len) == FPH_OK);
	return len;
}

static void check(const struct kind *k, size_t len, uint32_t flags)
{
	union object one, two;
	size_t first, second;

	memset(ring_memory, 0, sizeof(ring_memory));
	memset(memory, 0xa5, sizeof(memory));
	k->make(&one, memory[0], k->features);
	if (k->load(&one, state, len, flags) == FPH_OK) {
		MUST(k->save(&one, state, MAX_STATE, &first) == FPH_OK);
		k->make(&two, memory[1], k->features);
		MUST(k->load(&two, state, first, 0) == FPH_OK);
		MUST(k->save(&two, again, MAX_STATE, &second) == FPH_OK);
		MUST(first == second && !memcmp(state, again, first));
		k->drain(&two);
	}
	k->drain(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t which = fuzz_u8(&in);
	uint32_t flags = fuzz_u8(&in);
	const struct kind *k = &kinds[(which & 0x7f) % NKINDS];
	size_t len;

	if (in.left > MAX_STATE - FPH_STATE_HEADER)
		return 0;
	if (which & 0x80) {
		memcpy(state, in.data, in.left);
		len = in.left;
	} else {
		len = put_header(k->number, in.data, in.left);
	}
	check(k, len, flags);
	return 0;
}
