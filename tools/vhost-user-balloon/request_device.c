/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Requests about the device: features, config space, status, reset. */
#include <errno.h>

#include "advice.h"
#include "file_kind.h"
#include "request.h"

static int reply_u64(struct reply *r, uint64_t value)
{
	vu_store64(r->payload, value);
	r->size = 8;
	return 0;
}

/* ---------------------------------------------------------------- features */

static bool has_bit_30(uint64_t features)
{
	return features >> VU_F_PROTOCOL_FEATURES & 1;
}

/*
 * User-mode Linux ends a driver by disabling its rings and then asking for
 * the features.  Where bit 30 was not acknowledged it sends no disabling, so
 * that this is the only sign, after which ring memory belongs to others.  If
 * it is another front-end that only asks, the next kick starts its rings
 * again where they stopped.
 */
int request_get_features(struct session *s, struct vu_message *m,
			 struct reply *r)
{
	uint32_t i;

	(void)m;
	for (i = 0; s->negotiated && !has_bit_30(s->acked) && i < FPH_NQUEUES;
	     i++) {
		/* User-mode Linux has no rings without a kick. */
		if (!s->rings[i].polled)
			vring_stop(&s->rings[i], i, s->device);
	}
	return reply_u64(r, device_get_features(s->device) | VU_OWN_FEATURES);
}

/*
 * Whether this is another driver than the one before.  A front-end that stops
 * its rings and goes on with the same features only pauses its guest.
 */
static bool is_new_driver(const struct session *s, uint64_t features)
{
	uint64_t changed = (features ^ s->acked) & ~FPH_BIT(VU_F_LOG_ALL);

	return s->ran && (!session_is_paused(s) || changed ||
			   device_is_broken(s->device));
}

/* A log that is not used any more is given up: the next one comes anew. */
static void set_acked(struct session *s, uint64_t features)
{
	const uint64_t bit = FPH_BIT(VU_F_LOG_ALL);

	if ((s->acked & bit) && !(features & bit))
		ring_log_close(&s->log);
	s->acked = features;
}

/*
 * Trap: when the driver declines PAGE_POISON late, user-mode Linux sends the
 * features twice and the second time without bit 30.  Then no ring is ever
 * enabled by a message, so all of them are from here on.
 */
int request_set_features(struct session *s, struct vu_message *m,
			 struct reply *r)
{
	uint64_t features = vu_load64(m->payload);
	uint64_t virtio = features & ~VU_OWN_FEATURES;
	uint64_t changed = (features ^ s->acked) & ~FPH_BIT(VU_F_LOG_ALL);
	struct device *d = s->device;
	bool new_driver = is_new_driver(s, features);
	uint32_t i;

	(void)r;
	if (virtio & ~device_get_features(d))
		return EINVAL;
	/*
	 * The same again under enabled rings changes nothing, but for logging
	 * of writes: then a migration begins or ends.
	 */
	if (!changed && d->enabled &&
	    (has_bit_30(features) || features != s->acked)) {
		set_acked(s, features);
		return 0;
	}
	session_stop_rings(s);
	if (new_driver)
		session_forget_driver(s);
	if (device_set_features(d, virtio))
		return EINVAL;
	/* It may have come before, or for a driver with split rings. */
	if (s->inflight.map && !request_can_keep_inflight(s))
		inflight_close(&s->inflight);
	for (i = 0; i < FPH_NQUEUES; i++)
		s->rings[i].enabled = !has_bit_30(features);
	set_acked(s, features);
	s->negotiated = true;
	session_replay_config(s);
	return 0;
}

int request_get_protocol_features(struct session *s, struct vu_message *m,
				  struct reply *r)
{
	(void)m;
	return reply_u64(r, s->offered_protocol);
}

int request_set_protocol_features(struct session *s, struct vu_message *m,
				  struct reply *r)
{
	const uint64_t needed = FPH_BIT(VU_PF_BACKEND_REQ) |
				FPH_BIT(VU_PF_REPLY_ACK);
	uint64_t features = vu_load64(m->payload);
	bool inband = features >> VU_PF_INBAND_NOTIFICATIONS & 1;

	(void)r;
	if (features & ~s->offered_protocol)
		return EINVAL;
	/* The protocol has no other answer to this than to hang up. */
	if (inband && (features & needed) != needed) {
		s->protocol = 0;
		return EPROTO;
	}
	s->protocol = features;
	s->back.inband = inband;
	s->back.reply_ack = features >> VU_PF_REPLY_ACK & 1;
	return 0;
}

int request_get_queue_num(struct session *s, struct vu_message *m,
			  struct reply *r)
{
	(void)s;
	(void)m;
	return reply_u64(r, FPH_NQUEUES);
}

int request_set_backend_req_fd(struct session *s, struct vu_message *m,
			       struct reply *r)
{
	(void)r;
	/* The answer to another kind of file may never come.  Fault 13. */
	if (file_get_kind(m->fds[0]) != FILE_LOCAL_SOCKET)
		return EBADF;
	backchannel_open(&s->back, vu_message_take_fd(m));
	return 0;
}

/* ------------------------------------------------------------ config space */

static int check_config(const struct vu_message *m, uint32_t *offset,
			uint32_t *size)
{
	*offset = vu_load32(m->payload + VU_CONFIG_OFFSET);
	*size = vu_load32(m->payload + VU_CONFIG_SIZE);
	if (*size > VU_CONFIG_MAX || *offset > VU_CONFIG_MAX ||
	    *offset + *size > VU_CONFIG_MAX ||
	    m->size != VU_CONFIG_DATA + *size)
		return EINVAL;
	return 0;
}

int request_get_config(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	uint32_t offset, size;
	int err = check_config(m, &offset, &size);

	if (err)
		return err;
	memcpy(r->payload, m->payload, VU_CONFIG_DATA);
	device_get_config(s->device, offset, r->payload + VU_CONFIG_DATA, size);
	r->size = m->size;
	backchannel_config_read(&s->back);
	advice_after_read(s, offset, size);
	if (offset <= FPH_CONFIG_CMD_ID &&
	    offset + size >= FPH_CONFIG_CMD_ID + FPH_CMD_ID_SIZE)
		s->done_read = true;
	return 0;
}

static void restore_target(struct session *s, const uint8_t *data,
			   uint32_t size)
{
	struct fph_balloon_config config;

	fph_config_decode(&config, data, size);
	device_set_target(s->device, config.num_pages);
}

/*
 * The driver's bytes are kept beside the device: some front-ends pass them on
 * before they pass on the features under which they have a meaning.
 */
int request_set_config(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	uint32_t flags = vu_load32(m->payload + VU_CONFIG_FLAGS);
	const uint8_t *data = m->payload + VU_CONFIG_DATA;
	uint32_t offset, size, i;
	int err = check_config(m, &offset, &size);

	(void)r;
	if (err || (flags & ~VU_CONFIG_MIGRATION))
		return EINVAL;
	for (i = 0; i < size && offset + i < FPH_CONFIG_SIZE; i++) {
		s->config[offset + i] = data[i];
		s->config_written |= 1u << (offset + i);
	}
	if (size)
		device_set_config(s->device, offset, data, size);
	/* The whole space of a device that was migrated here.  Fault 9. */
	if ((flags & VU_CONFIG_MIGRATION) && offset == 0 &&
	    size >= FPH_CONFIG_ACTUAL)
		restore_target(s, data, size);
	return 0;
}

/* --------------------------------------------------------- status and reset */

int request_get_status(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	(void)m;
	return reply_u64(r, session_get_status(s));
}

int request_set_status(struct session *s, struct vu_message *m,
		       struct reply *r)
{
	uint64_t status = vu_load64(m->payload);

	(void)r;
	if (status > 0xff)
		return EINVAL;
	/*
	 * QEMU sends status 0 after it has stopped the rings, for a reset and
	 * for a pause alike.  After a pause it does not write the config again:
	 * poison_val and actual must last.  What comes next tells which of the
	 * two it was, see request_set_vring_base.  Fault 3.
	 */
	if (status == 0 && (!s->paused || device_is_broken(s->device)))
		session_reset_device(s);
	s->status = (uint8_t)status;
	return 0;
}

int request_reset_device(struct session *s, struct vu_message *m,
			 struct reply *r)
{
	(void)m;
	(void)r;
	session_reset_device(s);
	return 0;
}
