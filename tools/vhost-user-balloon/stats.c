/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>

#include "clock.h"
#include "stats.h"
#include "stats_guest.h"

static void put(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

/* Sets of bits are read by people: as hexadecimal text. */
static void put_bits(json_t *o, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	json_object_set_new(o, name, json_string(text));
}

static void put_bool(json_t *o, const char *name, bool value)
{
	json_object_set_new(o, name, json_boolean(value));
}

static json_t *get_frontend(const struct service *s)
{
	const struct session *fe = &s->session;
	json_t *o = json_object();

	put_bool(o, "connected", fe->connected);
	put_bits(o, "features",
		 device_get_features(&s->device) | VU_OWN_FEATURES);
	put_bits(o, "acked", fe->acked);
	put_bits(o, "protocol-features", fe->protocol);
	put_bits(o, "status", session_get_status(fe));
	put_bool(o, "broken", device_is_broken(&s->device));
	put_bool(o, "waiting-for-discards", s->device.hold);
	put(o, "connections", fe->connections);
	put(o, "messages", fe->messages);
	put(o, "messages-refused", fe->refused);
	return o;
}

static json_t *get_report(const struct fph_report_counters *c,
			  const struct discard_totals *t,
			  const struct fph_balloon_queue_counters *q)
{
	json_t *o = json_object();

	put(o, "chains", c->buffers - c->refused);
	put(o, "returned", c->returned);
	put(o, "refused", c->refused);
	put(o, "poisoned", c->poisoned);
	put(o, "unmapped", q->unmapped);
	put(o, "peer-errors", q->peer_errors);
	put(o, "ranges", c->ranges);
	put(o, "runs", t->runs);
	put(o, "runs-not-freed", c->failed_runs);
	put(o, "bytes-offered", c->bytes_offered);
	put(o, "bytes-discarded", c->bytes_freed);
	put(o, "bytes-freed", t->freed);
	put(o, "bytes-lazy", c->bytes_lazy);
	put(o, "bytes-trimmed", c->bytes_trimmed);
	put(o, "bytes-overlap", c->bytes_overlap);
	put(o, "bytes-skipped", c->bytes_skipped);
	put(o, "bytes-failed", c->bytes_failed);
	return o;
}

static json_t *get_inflate(const struct fph_balloon_counters *c,
			   const struct discard_totals *t)
{
	json_t *o = get_report(&c->inflate, t,
			       &c->queue[FPH_QUEUE_INFLATE]);

	put(o, "pages", c->inflate.bytes_offered >> VIRTIO_BALLOON_PFN_SHIFT);
	put(o, "bytes-collected", c->collected);
	return o;
}

static json_t *get_deflate(const struct fph_balloon_counters *c)
{
	const struct fph_balloon_queue_counters *q =
		&c->queue[FPH_QUEUE_DEFLATE];
	json_t *o = json_object();

	put(o, "chains", q->popped);
	put(o, "pages", c->deflated);
	put(o, "unmapped", q->unmapped);
	put(o, "peer-errors", q->peer_errors);
	return o;
}

json_t *stats_query_hint(const struct service *s)
{
	const struct hint *h = &s->device.hint;
	struct fph_balloon_counters c;
	json_t *o = json_object();
	int state = hint_get_state(h);

	device_get_counters(&s->device, &c);
	json_object_set_new(o, "state",
			    json_string(hint_get_state_name(state)));
	put_bool(o, "pending", h->pending);
	put(o, "cmd-id", h->id);
	put(o, "config-cmd-id",
	    hint_get_config(h));
	put(o, "rounds", c.hint.rounds);
	put(o, "starts", c.hint.starts);
	put(o, "stops", h->streams_ended);
	put(o, "stale", c.hint.stale);
	put(o, "chains", c.hint.buffers);
	put(o, "returned", c.hint.returned);
	put(o, "buffers", h->buffers);
	put(o, "round-buffers", h->round_buffers);
	put(o, "hints", c.hint.hints);
	put(o, "bytes", c.hint.bytes);
	put(o, "bytes-exported", c.hint.bytes_cleared);
	put(o, "ignored", c.hint.ignored);
	put(o, "bytes-ignored", c.hint.bytes_ignored);
	put(o, "peer-errors", c.queue[FPH_QUEUE_HINT].peer_errors);
	put(o, "unmapped", c.queue[FPH_QUEUE_HINT].unmapped);
	/* Said in every answer: the pages are only told of. */
	put_bool(o, "migrates", false);
	return o;
}

/* In the order of enum fph_skip_reason. */
static const char *const skip_names[FPH_NSKIP] = {
	"none", "poison", "stale", "round-over", "empty", "file-private",
	"locked", "confidential", "readonly", "unmapped", "vfio", "postcopy",
	"snapshot", "userfaultfd", "embedder", "backoff", "disabled"
};

/* Of the moment when the worker was last idle: it owns them meanwhile. */
static json_t *get_reclaim(const struct service *s)
{
	const struct fph_reclaim_counters *c = &s->device.reclaimed;
	json_t *o = json_object();
	json_t *skipped = json_object();
	const struct worker *w = &s->device.worker;
	int i;

	put(o, "runs", c->runs);
	put(o, "bytes", c->bytes);
	put(o, "fallocate-calls", c->fallocate_calls);
	put(o, "madvise-calls", c->madvise_calls);
	put(o, "process-madvise-calls", c->process_madvise_calls);
	put(o, "syscalls", c->fallocate_calls + c->madvise_calls +
			   c->process_madvise_calls);
	put(o, "failed-calls", c->failures);
	put_bool(o, "busy", !worker_is_idle(&s->device.worker));
	put(o, "delay-ms", s->device.worker.delay_ms);
	put_bool(o, "disabled", worker_is_idle(w) && worker_is_disabled(w));
	/* Those before are no reasons of the engine's. */
	for (i = FPH_SKIP_FILE_PRIVATE; i < FPH_NSKIP; i++)
		put(skipped, skip_names[i], c->skipped[i]);
	json_object_set_new(o, "skipped", skipped);
	return o;
}

static json_t *get_inhibitor(const struct inhibitor *in)
{
	json_t *o = json_object();
	int64_t left = in->until - clock_now();

	json_object_set_new(o, "reason", json_string(in->reason));
	json_object_set_new(o, "mode",
			    json_string(freeze_get_mode_name(in->mode)));
	put(o, "count", in->count);
	if (in->until >= 0)
		put(o, "lease-ms", left > 0 ? (uint64_t)left : 0);
	return o;
}

static json_t *get_inhibitors(const struct service *s)
{
	const struct freeze *f = &s->device.freeze;
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < f->n; i++)
		json_array_append_new(list, get_inhibitor(&f->list[i]));
	return list;
}

json_t *stats_query_freeze(const struct service *s)
{
	const struct freeze *f = &s->device.freeze;
	json_t *o = json_object();

	json_object_set_new(o, "mode",
			    json_string(freeze_get_mode_name(f->mode)));
	put_bool(o, "frozen", f->quiet);
	put(o, "inhibitors", freeze_count(f));
	return o;
}

static json_t *get_memory(const struct service *s)
{
	json_t *o = json_object();

	put(o, "regions", s->device.memory.nslots);
	put(o, "bytes", memory_table_get_bytes(&s->device.memory));
	put(o, "page-size", s->device.page_size);
	put(o, "resident-bytes",
	    memory_table_get_resident(&s->device.memory));
	return o;
}

/* Sizes in bytes; what config space shows is under "config". */
static json_t *get_balloon(const struct service *s)
{
	uint64_t target = device_get_target(&s->device);
	uint64_t actual = device_get_actual(&s->device);
	json_t *o = json_object();

	put(o, "target", target << VIRTIO_BALLOON_PFN_SHIFT);
	put(o, "actual", actual << VIRTIO_BALLOON_PFN_SHIFT);
	if (s->has_guest_size)
		put(o, "guest-size", s->guest_size);
	return o;
}

static json_t *get_config(const struct service *s)
{
	uint8_t space[FPH_CONFIG_SIZE];
	struct fph_balloon_config config;
	json_t *o = json_object();

	device_get_config(&s->device, 0, space, sizeof(space));
	fph_config_decode(&config, space, sizeof(space));
	put(o, "size", device_get_config_size(&s->device));
	put(o, "num-pages", config.num_pages);
	put(o, "actual", config.actual);
	put(o, "free-page-hint-cmd-id", config.free_page_hint_cmd_id);
	put(o, "poison-val", config.poison_val);
	return o;
}

static json_t *get_queue(const struct service *s, uint32_t index,
			 const struct fph_balloon_counters *c)
{
	static const char *const roles[FPH_NQUEUES] = {
		"inflate", "deflate", "stats", "hint", "report"
	};
	const struct vring *v = &s->session.rings[index];
	int candidates = 0;
	int queue = device_get_role(&s->device, index, &candidates);
	json_t *o = json_object();

	put(o, "index", index);
	json_object_set_new(o, "role", json_string(queue < 0 ? "unknown" :
						   roles[queue]));
	put(o, "numbering-candidates", (uint64_t)candidates);
	put(o, "size", v->num);
	put_bool(o, "running", v->running);
	put_bool(o, "enabled", v->running && v->enabled);
	put_bool(o, "broken", device_is_broken(&s->device));
	if (queue >= 0) {
		const struct fph_balloon_queue_counters *q =
			&c->queue[queue];

		put(o, "popped", q->popped);
		put(o, "pushed", q->pushed);
		put(o, "in-flight", device_get_inflight(&s->device, queue));
	}
	return o;
}

/* Those that a driver set up. */
static json_t *get_queues(const struct service *s,
			  const struct fph_balloon_counters *c)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (vring_is_configured(&s->session.rings[i]))
			json_array_append_new(list, get_queue(s, i, c));
	}
	return list;
}

json_t *stats_query(const struct service *s)
{
	struct fph_balloon_counters c;
	json_t *o = json_object();

	device_get_counters(&s->device, &c);
	json_object_set_new(o, "front-end", get_frontend(s));
	json_object_set_new(o, "memory", get_memory(s));
	json_object_set_new(o, "config", get_config(s));
	json_object_set_new(o, "balloon", get_balloon(s));
	json_object_set_new(o, "guest", stats_query_guest(s));
	if (s->governor.options.on)
		json_object_set_new(o, "policy", stats_query_policy(s));
	json_object_set_new(o, "report",
			    get_report(&c.report, &s->device.report,
				       &c.queue[FPH_QUEUE_REPORT]));
	json_object_set_new(o, "hint", stats_query_hint(s));
	json_object_set_new(o, "inflate",
			    get_inflate(&c, &s->device.inflate));
	json_object_set_new(o, "deflate", get_deflate(&c));
	json_object_set_new(o, "reclaim", get_reclaim(s));
	json_object_set_new(o, "freeze", stats_query_freeze(s));
	json_object_set_new(o, "inhibitors", get_inhibitors(s));
	json_object_set_new(o, "queues", get_queues(s, &c));
	return o;
}
