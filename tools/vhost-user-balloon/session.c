/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "notify.h"
#include "session.h"

#define MAX_COMPLAINTS	32
#define SILENT_MS	1000
#define POLL_MS		20		/* for rings without a kick */

void session_init(struct session *s, struct device *device, bool inband)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->device = device;
	s->state_fd = -1;
	ring_log_init(&s->log);
	notify_init();
	backchannel_init(&s->back);
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_init(&s->rings[i]);
	s->offered_protocol = FPH_BIT(VU_PF_MQ) | FPH_BIT(VU_PF_LOG_SHMFD) |
			      FPH_BIT(VU_PF_REPLY_ACK) |
			      FPH_BIT(VU_PF_BACKEND_REQ) |
			      FPH_BIT(VU_PF_CONFIG) |
			      FPH_BIT(VU_PF_RESET_DEVICE) |
			      FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS) |
			      FPH_BIT(VU_PF_INFLIGHT_SHMFD) |
			      FPH_BIT(VU_PF_STATUS) |
			      FPH_BIT(VU_PF_DEVICE_STATE);
	if (inband)
		s->offered_protocol |= FPH_BIT(VU_PF_INBAND_NOTIFICATIONS);
}

void session_complain(struct session *s, const char *format, ...)
{
	char line[256];
	va_list args;

	if (s->complaints > MAX_COMPLAINTS)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (s->complaints++ == MAX_COMPLAINTS)
		log_line("front-end: more of this, not logged any more");
	else
		log_line("front-end: %s", line);
}

void session_fini(void)
{
	notify_fini();
}

void session_begin(struct session *s)
{
	s->connected = true;
	s->complaints = 0;
	s->connections++;
	s->first_message = s->messages;
	s->since = clock_now();
}

bool session_is_silent(const struct session *s)
{
	return s->connected && s->messages == s->first_message &&
	       clock_now() - s->since >= SILENT_MS;
}

void session_hang_up(struct session *s)
{
	s->connected = false;
	session_forget_state_fd(s);
	backchannel_close(&s->back);
}

void session_forget_state_fd(struct session *s)
{
	if (s->state_fd >= 0)
		close(s->state_fd);
	s->state_fd = -1;
}

/* ------------------------------------------------------------------- rings */

static struct inflight_ring get_inflight_ring(const struct vring *v)
{
	struct inflight_ring r = {
		.num = (uint16_t)v->num,
		.avail = v->host_avail,
		.used = v->host_used
	};

	return r;
}

/* Fault 6: buffers that a back-end before us had and did not return. */
static void recover(struct session *s, uint32_t index)
{
	struct vring *v = &s->rings[index];
	struct inflight_ring r = get_inflight_ring(v);
	uint32_t n = inflight_start(&s->inflight, index, &r, &v->base);

	device_get_taken(s->device, index);
	if (n)
		log_line("%u buffers of ring %u were in flight out of order: "
			 "returned with nothing done", n, index);
}

static void stop_ring(struct session *s, uint32_t index)
{
	if (vring_stop(&s->rings[index], index, s->device))
		session_complain(s, "ring %u is busy", index);
	else
		inflight_stop(&s->inflight, index);
}

static void complain_of_log(struct session *s, uint32_t index)
{
	session_complain(s, "ring %u was written and cannot be marked: the "
			 "dirty log is missing or too small", index);
}

static bool is_logged(const struct session *s)
{
	return s->acked >> VU_F_LOG_ALL & 1;
}

static void log_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; is_logged(s) && i < FPH_NQUEUES; i++) {
		if (s->rings[i].running &&
		    !ring_log_written(&s->log, s->device, i))
			complain_of_log(s, i);
	}
}

static void record_returned(struct session *s)
{
	uint32_t i;

	for (i = 0; s->inflight.map && i < FPH_NQUEUES; i++) {
		struct inflight_ring r = get_inflight_ring(&s->rings[i]);

		if (s->rings[i].running)
			inflight_return(&s->inflight, i, &r);
	}
	log_rings(s);
}

void session_pump(struct session *s)
{
	device_pump(s->device);
	record_returned(s);
}

void session_process(struct session *s, uint32_t index)
{
	struct inflight_ring r = get_inflight_ring(&s->rings[index]);
	uint32_t n;

	device_process(s->device, index);
	n = device_get_taken(s->device, index);
	if (n)
		inflight_take(&s->inflight, index, &r, n);
	record_returned(s);
}

/*
 * A ring that goes on in the middle may hold used buffers whose interrupt was
 * lost with a former descriptor or back-end, so it is raised once.  Where the
 * front-end keeps what is in flight, index 0 may be that after 65536 buffers.
 */
static int start_ring(struct session *s, uint32_t index)
{
	struct vring *v = &s->rings[index];
	int err = vring_map(v, s->device);

	if (!err) {
		recover(s, index);
		err = vring_start(v, index, s->device);
	}
	if (!err && s->inflight.map && is_logged(s) &&
	    !ring_log_used(&s->log, s->device, v))
		complain_of_log(s, index);
	v->suspended = err == EFAULT;
	if (!err && (v->base != v->new_base || s->inflight.map))
		session_raise_calls(s, 1u << index);
	return err;
}

int session_try_start(struct session *s, uint32_t index)
{
	struct vring *v = &s->rings[index];
	bool told = v->kick >= 0 || v->polled ||
		    (s->back.inband && v->enabled);

	if (v->running || v->stopped || !told || !vring_is_configured(v))
		return 0;
	s->ran = true;
	return start_ring(s, index);
}

void session_suspend_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		struct vring *v = &s->rings[i];
		bool runs = v->running || v->suspended;

		stop_ring(s, i);
		v->suspended = runs;
	}
}

void session_resume_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (s->rings[i].suspended && start_ring(s, i))
			session_complain(s, "ring %u lost its memory", i);
	}
}

bool session_is_paused(const struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (s->rings[i].has_addr && !s->rings[i].stopped)
			return false;
	}
	return true;
}

void session_stop_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++)
		stop_ring(s, i);
}

void session_disable_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++)
		vring_set_enabled(&s->rings[i], i, s->device, false);
}

void session_take_buffers(struct session *s)
{
	uint32_t ready = device_get_ready(s->device);
	uint32_t n, i;

	for (n = 0; n < FPH_NQUEUES; n++) {
		i = (s->first_ring + n) % FPH_NQUEUES;
		if ((ready & 1u << i) || s->rings[i].polled)
			session_process(s, i);
	}
	/* Where the time is over before all had their turn. */
	s->first_ring = (s->first_ring + 1) % FPH_NQUEUES;
	session_pump(s);
}

void session_take_kick(struct session *s, uint32_t index)
{
	struct vring *v = &s->rings[index];

	if (!vring_take_kick(v))
		session_complain(s, "kick descriptor of ring %u closed", index);
	/* It may have been stopped without the driver's knowledge. */
	if (!v->running && !v->stopped && vring_is_configured(v))
		start_ring(s, index);
	session_process(s, index);
}

int64_t session_get_deadline(const struct session *s)
{
	int64_t at = backchannel_get_deadline(&s->back);
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (s->rings[i].running && s->rings[i].polled)
			at = clock_earlier(at, clock_now() + POLL_MS);
	}
	return at;
}

/* ----------------------------------------------------------------- effects */

void session_raise_calls(struct session *s, uint32_t rings)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (!(rings & 1u << i))
			continue;
		if (s->rings[i].call >= 0)
			notify_raise(s->rings[i].call);
		else if (s->back.inband)
			backchannel_call(&s->back, 1u << i);
	}
}

static void tell_broken(struct session *s)
{
	struct fph_balloon_counters c;
	uint32_t i;

	device_get_counters(s->device, &c);
	session_complain(s, "the driver broke a ring: %s",
			 fph_status_name((int)c.last_error));
	for (i = 0; i < FPH_NQUEUES; i++)
		notify_raise(s->rings[i].err);
	if (session_has_protocol(s, VU_PF_STATUS))
		backchannel_config_changed(&s->back);
}

void session_carry_effects(struct session *s)
{
	struct device_effects e = device_take_effects(s->device);

	session_raise_calls(s, e.calls);
	if (e.events & FPH_EVENT_BROKEN)
		tell_broken(s);
	if (e.events & FPH_EVENT_CONFIG) {
		s->done_read = false;
		if (s->connected)
			backchannel_config_changed(&s->back);
	}
	if (e.events & FPH_EVENT_STATS)
		events_put(s->device->event_queue, EVENT_GUEST_STATS, 0, 0);
	/*
	 * QEMU 11.1 crashes on a configuration change while its rings are
	 * stopped; a driver reads the configuration anyway when it sets up
	 * its rings.  Fault 1.
	 */
	s->back.no_config = !s->device->enabled ||
			    !session_has_protocol(s, VU_PF_CONFIG);
	backchannel_run(&s->back, clock_now());
}
