/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host's migration.
 *
 * A sync moves the log to the bitmap todo.  With an eager log it clears the
 * log; else a chunk of the log is cleared before its first page is sent, as
 * QEMU does it with KVM's manual protect: what was written to such a page
 * since the sync is forgotten then, for it is about to be sent.
 */
#include "sim.h"

#define WORD	(8 * sizeof(unsigned long))

static uint32_t get_pages(const struct sim *s)
{
	return SIM_PAGES >> s->config.shift;
}

static bool is_todo(const struct sim_migration *m, uint32_t hp)
{
	return m->todo[hp / WORD] >> hp % WORD & 1;
}

/* ------------------------------------------------------------------- log -- */

static void arm_chunk(struct sim *s, uint32_t hp)
{
	struct sim_migration *m = &s->migration;
	uint32_t first = hp - hp % s->config.chunk;

	if (s->config.log == SIM_LOG_EAGER)
		return;
	for (uint32_t i = first; i < first + s->config.chunk; i++) {
		if (m->unarmed[i])
			m->log[i] = false;
		m->unarmed[i] = false;
	}
}

static void harvest(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	memset(m->late, 0, sizeof(m->late));
	for (uint32_t i = 0; i < get_pages(s); i++) {
		if (!m->log[i])
			continue;
		m->todo[i / WORD] |= 1ul << i % WORD;
		if (s->config.log == SIM_LOG_EAGER)
			m->log[i] = false;
		else
			m->unarmed[i] = true;
	}
}

static void set_logging(struct sim *s, bool on)
{
	struct sim_migration *m = &s->migration;

	m->logging = on;
	m->syncing = false;
	m->owes_harvest = false;
	memset(m->log, on && s->config.log != SIM_LOG_EAGER, sizeof(m->log));
	memset(m->unarmed, 0, sizeof(m->unarmed));
	memset(m->todo, on ? 0xff : 0, sizeof(m->todo));
	memset(m->copy, 0, sizeof(m->copy));
}

/* -------------------------------------------------------------- barriers -- */

/* Applies to each device in turn; false: it is to be repeated. */
static bool stop_all(struct sim *s, int (*stop)(struct fph_balloon *))
{
	bool over = true;

	for (uint32_t i = 0; i < s->config.ndevices; i++) {
		int ret = stop(s->device[i].host.balloon);

		sim_check(s, ret == FPH_OK || ret == FPH_EINPROGRESS,
			  "barrier: %d", ret);
		over = over && ret == FPH_OK;
	}
	return over;
}

/* Whether all devices have begun the sync. */
static bool begin_sync(struct sim *s)
{
	bool over = true;

	if (sim_drops(s, SIM_D2))
		return true;
	for (uint32_t i = 0; i < s->config.ndevices; i++) {
		struct sim_host *h = &s->device[i].host;
		int ret;

		if (h->in_sync)
			continue;
		ret = fph_balloon_hint_sync_begin(h->balloon);
		sim_check(s, ret == FPH_OK || ret == FPH_EINPROGRESS,
			  "sync: %d", ret);
		h->in_sync = ret == FPH_OK;
		over = over && h->in_sync;
	}
	return over || sim_drops(s, SIM_D3);
}

static void end_sync(struct sim *s)
{
	for (uint32_t i = 0; i < s->config.ndevices; i++) {
		struct sim_host *h = &s->device[i].host;

		/* Those that drop D2 tell the session what is not so. */
		if (sim_drops(s, SIM_D2) && fph_balloon_hint_get_state(
			h->balloon) != FPH_HINT_ACTIVE)
			h->in_sync = fph_balloon_hint_sync_begin(h->balloon) ==
				     FPH_OK;
		if (h->in_sync)
			sim_check(s, fph_balloon_hint_sync_end(h->balloon) ==
				  FPH_OK, "sync end");
		h->in_sync = false;
	}
	if (s->config.log == SIM_LOG_ARMED)
		for (uint32_t i = 0; i < get_pages(s); i += s->config.chunk)
			arm_chunk(s, i);
}

/* The whole sync; false: discards of hints are still out. */
static bool sync_all(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	m->syncing = true;
	if (!begin_sync(s))
		return false;
	m->syncing = false;
	/* D1: the id is published first. */
	if (sim_has(s, SIM_D1) && m->phase == SIM_LIVE)
		m->owes_harvest = true;
	else
		harvest(s);
	end_sync(s);
	return true;
}

/* ----------------------------------------------------------------- steps -- */

void sim_migration_begin(struct sim *s)
{
	if (s->migration.phase != SIM_IDLE || s->drains)
		return;
	set_logging(s, true);
	s->migration.phase = SIM_LIVE;
}

/* Goes on with what is begun, too. */
void sim_migration_sync(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	if (m->phase == SIM_CANCELLING)
		sim_migration_cancel(s);
	else if (m->phase != SIM_IDLE && m->phase != SIM_LIVE)
		sim_migration_finish(s);
	if (m->phase != SIM_LIVE)
		return;
	if (m->owes_harvest) {
		m->owes_harvest = false;
		harvest(s);
		return;
	}
	sync_all(s);
}

void sim_migration_publish(struct sim *s)
{
	struct sim_host *h = &s->dev->host;
	uint32_t id;

	if (s->migration.phase != SIM_LIVE || s->migration.syncing)
		return;
	if (fph_balloon_hint_request(h->balloon, &id) != FPH_OK)
		return;
	sim_check(s, id > h->last_id || sim_has(s, SIM_D5),
		  "id %u after %u", id, h->last_id);
	h->last_id = id;
	for (uint32_t i = 0; i < get_pages(s); i++)
		s->migration.late[i] |= s->migration.unarmed[i];
}

/* Takes the bit, re-arms the log, then copies: a write after that is logged. */
static void send_page(struct sim *s, uint32_t hp)
{
	struct sim_migration *m = &s->migration;
	uint32_t shift = s->config.shift;

	m->todo[hp / WORD] &= ~(1ul << hp % WORD);
	arm_chunk(s, hp);
	for (uint32_t p = hp << shift; p < (hp + 1) << shift; p++)
		m->copy[p] = *sim_tag(s, p);
}

void sim_migration_send(struct sim *s)
{
	struct sim_migration *m = &s->migration;
	uint32_t hp = sim_below(&s->rng, get_pages(s));
	uint32_t left = 1 + sim_below(&s->rng, 8);

	if (m->phase != SIM_LIVE)
		return;
	for (; hp < get_pages(s) && left; hp++) {
		if (!is_todo(m, hp))
			continue;
		send_page(s, hp);
		left--;
	}
}

void sim_migration_hint(struct sim *s, struct fph_run *run)
{
	struct sim_migration *m = &s->migration;
	const struct fph_migration_block block = {
		.gpa = 0,
		.len = SIM_PAGES * SIM_PAGE,
		.bitmap = m->todo,
		.page_shift = 12 + s->config.shift
	};
	uint32_t first = (uint32_t)(run->gpa >> block.page_shift);
	uint32_t n = (uint32_t)(run->len >> block.page_shift);
	struct fph_run page = *run;

	sim_check(s, run->gpa + run->len <= block.len, "hint of no page");
	if (s->config.log != SIM_LOG_PENDING) {
		s->cleared += fph_migration_clear(&block, 1, run, 1);
		for (uint32_t i = first; i < first + n; i++) {
			if (sim_drops(s, SIM_D6))
				m->log[i] = m->unarmed[i] = false;
			if (s->config.log == SIM_LOG_ON_HINT)
				arm_chunk(s, i);
		}
		return;
	}
	/*
	 * What was written under the id to a page that was not armed then is
	 * forgotten when its chunk is armed, perhaps before the hint is seen.
	 */
	run->outcome = FPH_OUTCOME_CLEARED;
	run->freed = 0;
	for (uint32_t i = first; i < first + n; i++) {
		if (m->late[i])
			continue;
		page.gpa = (uint64_t)i << block.page_shift;
		page.len = (uint64_t)1 << block.page_shift;
		s->cleared += fph_migration_clear(&block, 1, &page, 1);
		run->freed += page.freed;
	}
}

/* -------------------------------------------------------------- its ends -- */

static void switch_over(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	for (uint32_t p = 0; p < SIM_PAGES; p++) {
		*sim_tag(s, p) = m->copy[p];
		if (s->page[p].want)
			sim_check(s, m->copy[p] == s->page[p].want,
				  "page %u: lost by the migration", p);
	}
	set_logging(s, false);
	m->phase = SIM_IDLE;
	m->count++;
}

/* All devices move; false: one is not quiet yet. */
static bool move_devices(struct sim *s)
{
	struct sim_device *dev = s->dev;
	uint8_t devno = s->devno;
	bool over = true;

	for (uint8_t i = 0; i < s->config.ndevices && over; i++) {
		s->dev = &s->device[i];
		s->devno = i;
		if (s->dev->host.nwork || s->dev->host.nhints)
			over = false;
		else
			over = sim_host_move(s);
	}
	s->dev = dev;
	s->devno = devno;
	return over;
}

void sim_migration_finish(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	if (m->phase == SIM_LIVE && !m->syncing && !s->drains) {
		for (uint32_t i = 0; i < s->config.ndevices; i++)
			if (s->device[i].driver.state == SIM_DRIVER_RESETS)
				return;
		m->phase = SIM_FINAL;
	}
	if (m->phase == SIM_FINAL && sync_all(s)) {
		stop_all(s, fph_balloon_hint_done);
		for (uint32_t hp = 0; hp < get_pages(s); hp++)
			if (is_todo(m, hp))
				send_page(s, hp);
		m->phase = SIM_SWITCHING;
	}
	if (m->phase == SIM_SWITCHING && move_devices(s))
		switch_over(s);
}

void sim_migration_cancel(struct sim *s)
{
	struct sim_migration *m = &s->migration;

	if (m->phase == SIM_LIVE)
		m->phase = SIM_CANCELLING;
	if (m->phase != SIM_CANCELLING)
		return;
	/* A sync that has begun is ended first. */
	if (!stop_all(s, sim_has(s, SIM_D9) ? fph_balloon_hint_stop :
					      fph_balloon_hint_done))
		return;
	end_sync(s);
	set_logging(s, false);
	m->phase = SIM_IDLE;
}
