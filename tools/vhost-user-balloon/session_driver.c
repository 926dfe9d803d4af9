/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What ends with a driver, with a reset of the device, and with a session. */
#include "session.h"

void session_forget_driver(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++)
		vring_forget_setup(&s->rings[i]);
	device_reset(s->device);
	s->back.calls = 0;
	s->ran = false;
	s->paused = false;
}

void session_change_driver(struct session *s)
{
	session_suspend_rings(s);
	device_reset(s->device);
	s->back.calls = 0;
	s->paused = false;
	device_set_features(s->device,
			    s->acked & ~VU_OWN_FEATURES);
	session_replay_config(s);
	session_resume_rings(s);
}

void session_reset_device(struct session *s)
{
	session_stop_rings(s);
	session_forget_driver(s);
	s->acked = 0;
	s->negotiated = false;
	s->status = 0;
	s->config_written = 0;
}

void session_replay_config(struct session *s)
{
	uint32_t i;

	for (i = 0; i < FPH_CONFIG_SIZE; i++) {
		if (s->config_written & 1u << i)
			device_set_config(s->device, i, &s->config[i], 1);
	}
}

uint8_t session_get_status(const struct session *s)
{
	const uint8_t needs_reset = 0x40;

	return device_is_broken(s->device) ? s->status | needs_reset :
					     s->status;
}

void session_end(struct session *s)
{
	uint32_t i;

	session_stop_rings(s);
	session_reset_device(s);
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_reset(&s->rings[i]);
	memory_table_clear(&s->device->memory);
	inflight_close(&s->inflight);
	ring_log_close(&s->log);
	s->protocol = 0;
}
