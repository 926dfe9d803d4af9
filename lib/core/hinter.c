/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page hinting.
 *
 * state x call -> next state.  "=" keeps the state.
 *
 *                  IDLE        WANTED        ACTIVE         STOPPING
 * reset            IDLE        IDLE          IDLE           IDLE
 * set_config of:
 *   a new id       WANTED      = (a)         STOPPING (a)   = (a)
 *   its own id     -           =             = (b)          =, IDLE next
 *   a spent id (h) =           IDLE (a)      STOPPING (a)   IDLE next (c)
 *   0              =           IDLE (a)      =, STOPPING(d) IDLE next (c)
 *   DONE           =           IDLE (a)      STOPPING (a)   IDLE next (c)
 * end              ESTATE      = (e)         = (e)          = (e) or ESTATE
 * stop             =           IDLE (a)      STOPPING (a)   IDLE next (c)
 * submit: START    -           ACTIVE        -              -
 *         HINT     -           -             =              -
 *         STOP     -           -             IDLE (f)       WANTED, IDLE (g)
 * abort of START   -           -             WANTED         WANTED, IDLE (g)
 *          HINT    -           -             =              =
 *          STOP    STOPPING    STOPPING      -              -
 * add, request, complete, next, pop keep the state.
 *
 * (a) what waits was seen under an id that is over (V1): it is withdrawn.
 * (b) shows that this device shows an id while it is active, if START is used.
 * (c) the state stays STOPPING, the next id is forgotten, as in (a).
 * (d) STOPPING, with (a), when the device is known to show active ids.
 * (e) add answers ESTATE from here on.  STOP is due when nothing waits.
 * (f) only after end.
 * (g) WANTED if there is a next id.
 * (h) that of the latest START, or the latest one that stop declined.
 *
 * Every START that was put into the queue has one STOP: ACTIVE is left by STOP
 * alone, or by way of STOPPING, which is left by STOP alone.
 */
#include "internal.h"

/* In the lower half of a cookie: the index is that of a command. */
#define COMMAND		0x80000000u

static bool is_init(const struct fph_hinter *h)
{
	return h->magic == FPH_MAGIC_HINTER;
}

/* ------------------------------------------------------------------ init -- */

static bool is_sound(const struct fph_hinter_params *p)
{
	if (p->content != FPH_CONTENT_FREE && p->content != FPH_CONTENT_KEPT)
		return false;
	if (p->mode < FPH_HINTER_HOLD || p->mode > FPH_HINTER_NEVER)
		return false;
	return fph_is_endian(p->endian) && p->commands &&
	       p->ncommands >= 2 && p->ncommands < COMMAND;
}

static bool is_allowed(const struct fph_hinter_params *p)
{
	return (p->features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) &&
	       p->content == FPH_CONTENT_FREE &&
	       (p->mode != FPH_HINTER_NEVER || p->metadata_outside);
}

static void free_commands(struct fph_hinter *h)
{
	fph_memset(h->commands, 0, sizeof(*h->commands) * h->ncommands);
	h->nfree = h->ncommands;
}

int fph_hinter_init(struct fph_hinter *h, const struct fph_hinter_params *p)
{
	struct fph_batcher_storage storage;
	struct fph_batcher batcher;

	if (!h || !p || !fph_params_fit(p, p->size, sizeof(*p)) ||
	    !is_sound(p))
		return FPH_EINVAL;
	if (!is_allowed(p))
		return FPH_EREFUSED;
	storage.slots = p->slots;
	storage.nslots = p->nslots;
	storage.batches = p->batches;
	storage.nbatches = p->nbatches;
	if (fph_batcher_init(&batcher, &storage, p->max_segs, FPH_NIL,
			     p->merge))
		return FPH_EINVAL;
	fph_memset(h, 0, sizeof(*h));
	h->magic = FPH_MAGIC_HINTER;
	h->state = FPH_HINTER_IDLE;
	h->mode = (uint32_t)p->mode;
	h->endian = (uint32_t)p->endian;
	h->indirect = p->indirect;
	h->commands = p->commands;
	h->ncommands = p->ncommands;
	fph_slot_list_init(&h->held);
	h->batcher = batcher;
	free_commands(h);
	return FPH_OK;
}

/* --------------------------------------------------------------- ranges -- */

/* Ranges that are over go to next, or if nobody holds them, nowhere. */
static void dispose(struct fph_hinter *h, struct fph_slot_list *list,
		    bool used)
{
	struct fph_batcher *b = &h->batcher;
	struct fph_returned out;

	if (h->mode != FPH_HINTER_NEVER)
		fph_slot_list_join(b->ranges.slots, &b->back[used], list);
	else
		while (fph_batcher_take(b, list, &out))
			;
}

static void dispose_stale(struct fph_hinter *h, struct fph_slot_list *list)
{
	h->counters.stale += list->amount.ranges;
	h->counters.stale_bytes += list->amount.bytes;
	dispose(h, list, false);
}

/* What waits is not hinted any more. */
static void withdraw(struct fph_hinter *h)
{
	struct fph_slot_list list;

	fph_slot_list_init(&list);
	fph_batcher_withdraw(&h->batcher, &list);
	dispose_stale(h, &list);
	h->ended = false;
}

/* A hint is over, used or lost with a reset. */
static void finish(struct fph_hinter *h, struct fph_batch *batch, bool used)
{
	bool keep = used && h->mode == FPH_HINTER_HOLD && !batch->ended;
	struct fph_slot_list list;

	fph_slot_list_init(&list);
	fph_batcher_finish(&h->batcher, batch, &list);
	if (keep)
		fph_slot_list_join(h->batcher.ranges.slots, &h->held, &list);
	else
		dispose(h, &list, used);
}

/* DONE: used pages are free to go, the others when they are used. */
static void release_all(struct fph_hinter *h)
{
	struct fph_batcher *b = &h->batcher;
	uint32_t i;

	dispose(h, &h->held, true);
	for (i = b->first_out; i != FPH_NIL; i = b->batches[i].next)
		b->batches[i].ended = true;
}

int fph_hinter_reset(struct fph_hinter *h)
{
	struct fph_batcher *b = &h->batcher;

	if (!is_init(h))
		return FPH_EUNINIT;
	while (b->nout)
		finish(h, &b->batches[b->first_out], false);
	withdraw(h);
	dispose(h, &h->held, true);
	free_commands(h);
	h->state = FPH_HINTER_IDLE;
	h->id = 0;
	h->wanted = 0;
	h->spent = 0;
	h->declined = 0;
	h->shows = false;
	return FPH_OK;
}

/* ---------------------------------------------------------------- config -- */

/* The state outside of a round. */
static void rest(struct fph_hinter *h)
{
	h->id = 0;
	h->state = h->wanted ? FPH_HINTER_WANTED : FPH_HINTER_IDLE;
}

static void stop_round(struct fph_hinter *h)
{
	if (h->state != FPH_HINTER_ACTIVE)
		return;
	withdraw(h);
	h->state = FPH_HINTER_STOPPING;
}

/* Not in ACTIVE: what waits was seen under the id that was wanted. */
static void set_wanted(struct fph_hinter *h, uint32_t id)
{
	if (id == h->wanted)
		return;
	withdraw(h);
	h->wanted = id;
	if (h->state != FPH_HINTER_STOPPING)
		rest(h);
}

static void read_stop(struct fph_hinter *h)
{
	if (h->state == FPH_HINTER_ACTIVE && !h->shows) {
		h->counters.zeros++;
		return;
	}
	stop_round(h);
	set_wanted(h, 0);
}

static void read_id(struct fph_hinter *h, uint32_t id)
{
	if (h->state == FPH_HINTER_ACTIVE && id == h->id) {
		if (h->started)
			h->shows = true;
		return;
	}
	stop_round(h);
	/* An id has one START (VIO-HINT-DRV-3). */
	set_wanted(h, id == h->spent || id == h->declined ? 0 : id);
}

int fph_hinter_set_config(struct fph_hinter *h, uint32_t value)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	switch (value) {
	case VIRTIO_BALLOON_CMD_ID_STOP:
		read_stop(h);
		break;
	case VIRTIO_BALLOON_CMD_ID_DONE:
		release_all(h);
		stop_round(h);
		set_wanted(h, 0);
		break;
	default:
		read_id(h, value);
	}
	return FPH_OK;
}

int fph_hinter_stop(struct fph_hinter *h)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	stop_round(h);
	if (h->wanted)
		h->declined = h->wanted;
	set_wanted(h, 0);
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

uint32_t fph_hinter_get_id(const struct fph_hinter *h)
{
	if (!is_init(h) || h->ended)
		return 0;
	return h->state == FPH_HINTER_ACTIVE ? h->id : h->wanted;
}

int fph_hinter_add(struct fph_hinter *h, uint32_t id, uint64_t gpa,
		   uint64_t len, uint32_t owner)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	if (!id || id != fph_hinter_get_id(h))
		return FPH_ESTATE;
	return fph_batcher_add(&h->batcher, gpa, len, owner);
}

int fph_hinter_request(struct fph_hinter *h)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	h->batcher.urgent = h->batcher.waiting.ranges;
	return FPH_OK;
}

int fph_hinter_end(struct fph_hinter *h)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	if (h->state != FPH_HINTER_ACTIVE && !h->wanted)
		return FPH_ESTATE;
	h->ended = true;
	return FPH_OK;
}

/* ---------------------------------------------------------------- submit -- */

/* There is a free one: START leaves one for its STOP. */
static void take_command(struct fph_hinter *h, enum fph_hinter_kind kind,
			 struct fph_hinter_buffer *buffer)
{
	uint32_t id = kind == FPH_HINTER_START ? h->id :
						 VIRTIO_BALLOON_CMD_ID_STOP;
	struct fph_command *command;
	uint32_t i = 0;

	while (h->commands[i].serial)
		i++;
	command = &h->commands[i];
	command->serial = fph_batcher_serial(&h->batcher);
	command->kind = (uint32_t)kind;
	command->id = h->id;
	h->nfree--;
	buffer->cookie = (uint64_t)command->serial << 32 | COMMAND | i;
	buffer->kind = kind;
	buffer->id = h->id;
	buffer->nsegs = 0;
	buffer->command = i;
	fph_put32(buffer->bytes, id, (int)h->endian);
}

static int send_start(struct fph_hinter *h, struct fph_hinter_buffer *buffer)
{
	h->id = h->wanted;
	h->wanted = 0;
	h->before = h->spent;
	h->spent = h->id;
	h->started = false;
	h->state = FPH_HINTER_ACTIVE;
	take_command(h, FPH_HINTER_START, buffer);
	h->start = buffer->cookie;
	h->counters.rounds++;
	return 1;
}

static int send_stop(struct fph_hinter *h, struct fph_hinter_buffer *buffer)
{
	take_command(h, FPH_HINTER_STOP, buffer);
	rest(h);
	h->counters.stops++;
	return 1;
}

static int send_hint(struct fph_hinter *h, struct fph_seg *segs,
		     uint32_t nsegs, struct fph_hinter_buffer *buffer)
{
	const struct fph_batch *batch;
	uint64_t cookie;
	int n = fph_batcher_cut(&h->batcher, h->ended, segs, nsegs, &cookie);

	if (!n)
		return 0;
	fph_memset(buffer, 0, sizeof(*buffer));
	buffer->cookie = cookie;
	buffer->kind = FPH_HINTER_HINT;
	buffer->id = h->id;
	buffer->nsegs = (uint32_t)n;
	batch = fph_batcher_find(&h->batcher, cookie);
	h->counters.hints++;
	h->counters.segs += (uint32_t)n;
	h->counters.ranges += batch->members.amount.ranges;
	h->counters.bytes += batch->members.amount.bytes;
	return 1;
}

static bool is_stop_due(const struct fph_hinter *h)
{
	if (h->state == FPH_HINTER_STOPPING)
		return true;
	return h->state == FPH_HINTER_ACTIVE && h->ended &&
	       !h->batcher.waiting.ranges;
}

static int send_next(struct fph_hinter *h, uint32_t room, struct fph_seg *segs,
		     uint32_t nsegs, struct fph_hinter_buffer *buffer)
{
	if (is_stop_due(h))
		return room ? send_stop(h, buffer) : 0;
	if (room < 2)
		return 0;
	if (h->state == FPH_HINTER_WANTED)
		return h->nfree < 2 ? 0 : send_start(h, buffer);
	if (h->state != FPH_HINTER_ACTIVE)
		return 0;
	if (!h->indirect && nsegs > room - 1)
		nsegs = room - 1;
	return send_hint(h, segs, nsegs, buffer);
}

int fph_hinter_submit(struct fph_hinter *h, uint32_t room,
		      struct fph_seg *segs, uint32_t nsegs,
		      struct fph_hinter_buffer *buffer)
{
	int ret;

	if (!is_init(h))
		return FPH_EUNINIT;
	if (!nsegs)
		return FPH_EINVAL;
	ret = send_next(h, room, segs, nsegs, buffer);
	if (ret)
		h->latest = buffer->cookie;
	return ret;
}

/* -------------------------------------------------------------- complete -- */

static struct fph_command *find_command(const struct fph_hinter *h,
					uint64_t cookie)
{
	uint32_t i = (uint32_t)(cookie & 0xffffffffu) ^ COMMAND;
	uint32_t serial = (uint32_t)(cookie >> 32);

	if (i >= h->ncommands || !serial || h->commands[i].serial != serial)
		return NULL;
	return &h->commands[i];
}

static void free_command(struct fph_hinter *h, struct fph_command *command)
{
	command->serial = 0;
	h->nfree++;
}

int fph_hinter_complete(struct fph_hinter *h, uint64_t cookie)
{
	struct fph_command *command;
	struct fph_batch *batch;

	if (!is_init(h))
		return FPH_EUNINIT;
	batch = fph_batcher_find(&h->batcher, cookie);
	command = find_command(h, cookie);
	if (batch != NULL) {
		finish(h, batch, true);
	} else if (command != NULL) {
		free_command(h, command);
		if (cookie == h->start)
			h->started = true;
	} else {
		return FPH_EINVAL;
	}
	return FPH_OK;
}

/* ----------------------------------------------------------------- abort -- */

/* START is not in the queue, and so its id is not spent. */
static void abort_start(struct fph_hinter *h)
{
	h->spent = h->before;
	if (h->state == FPH_HINTER_ACTIVE)
		h->wanted = h->id;
	rest(h);
	if (h->wanted == h->spent)
		set_wanted(h, 0);
}

static void abort_stop(struct fph_hinter *h, uint32_t id)
{
	h->id = id;
	h->state = FPH_HINTER_STOPPING;
}

static void abort_hint(struct fph_hinter *h, struct fph_batch *batch)
{
	struct fph_slot_list list;

	if (h->state == FPH_HINTER_ACTIVE) {
		h->batcher.urgent += batch->members.amount.ranges;
		fph_batcher_undo(&h->batcher, batch);
		return;
	}
	/* Its round has ended meanwhile. */
	fph_slot_list_init(&list);
	fph_batcher_finish(&h->batcher, batch, &list);
	dispose_stale(h, &list);
}

int fph_hinter_abort(struct fph_hinter *h, uint64_t cookie)
{
	struct fph_command *command;
	struct fph_batch *batch;

	if (!is_init(h))
		return FPH_EUNINIT;
	batch = fph_batcher_find(&h->batcher, cookie);
	command = find_command(h, cookie);
	if (cookie != h->latest || (batch == NULL && command == NULL))
		return FPH_EINVAL;
	h->counters.aborted++;
	if (batch != NULL) {
		abort_hint(h, batch);
		return FPH_OK;
	}
	free_command(h, command);
	if (command->kind == FPH_HINTER_START)
		abort_start(h);
	else
		abort_stop(h, command->id);
	return FPH_OK;
}

/* ------------------------------------------------------------------ next -- */

int fph_hinter_next(struct fph_hinter *h, struct fph_returned *out)
{
	int ret;

	if (!is_init(h))
		return FPH_EUNINIT;
	ret = fph_batcher_give(&h->batcher, out);
	h->counters.returned += (uint32_t)ret;
	return ret;
}

static int pop(struct fph_hinter *h, struct fph_returned *out)
{
	struct fph_batcher *b = &h->batcher;

	/* Nobody holds what waits there. */
	if (h->mode == FPH_HINTER_NEVER)
		return 0;
	if (fph_batcher_give(b, out))
		return 1;
	if (fph_batcher_take(b, &h->held, out)) {
		out->used = true;
		return 1;
	}
	if (fph_batcher_pop(b, out))
		return 1;
	if (h->mode == FPH_HINTER_HOLD)
		return fph_batcher_pop_out(b, out);
	return b->outstanding.ranges ? FPH_EBUSY : 0;
}

int fph_hinter_pop(struct fph_hinter *h, struct fph_returned *out)
{
	int ret;

	if (!is_init(h))
		return FPH_EUNINIT;
	ret = pop(h, out);
	if (ret == 1)
		h->counters.returned++;
	return ret;
}

/* ------------------------------------------------------------------- get -- */

int fph_hinter_get_state(const struct fph_hinter *h)
{
	return is_init(h) ? (int)h->state : FPH_EUNINIT;
}

int fph_hinter_get_amounts(const struct fph_hinter *h,
			   struct fph_hinter_amounts *out)
{
	const struct fph_batcher *b = &h->batcher;

	if (!is_init(h))
		return FPH_EUNINIT;
	fph_memset(out, 0, sizeof(*out));
	out->waiting = b->waiting;
	out->outstanding = b->outstanding;
	out->used = h->held.amount;
	out->back = b->back[false].amount;
	fph_amount_add(&out->back, &b->back[true].amount);
	out->buffers = b->nout;
	if (h->mode == FPH_HINTER_NEVER)
		return FPH_OK;
	fph_amount_add(&out->held, &out->waiting);
	fph_amount_add(&out->held, &out->outstanding);
	fph_amount_add(&out->held, &out->used);
	fph_amount_add(&out->held, &out->back);
	return FPH_OK;
}

int fph_hinter_get_counters(const struct fph_hinter *h,
			    struct fph_hinter_counters *out)
{
	if (!is_init(h))
		return FPH_EUNINIT;
	*out = h->counters;
	return FPH_OK;
}
