/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The table of requests.
 *
 * Which of them wait for discards (R5): those after which a front-end may
 * take ring memory or guest memory away, or which change the memory map that
 * a discard looks things up in.  User-mode Linux never stops a ring; it
 * disables them all and then asks for the features, as a barrier.
 */
#include "request.h"

static bool wait_always(struct session *s, const struct vu_message *m)
{
	(void)s;
	(void)m;
	return true;
}

static bool wait_if_disabled(struct session *s, const struct vu_message *m)
{
	uint32_t index = vu_load32(m->payload + VU_STATE_INDEX);

	if (index >= FPH_NQUEUES || vu_load32(m->payload + VU_STATE_NUM))
		return false;
	vring_set_enabled(&s->rings[index], index, s->device, false);
	return true;
}

static bool wait_if_status_0(struct session *s, const struct vu_message *m)
{
	if ((uint8_t)vu_load64(m->payload))
		return false;
	session_disable_rings(s);
	return true;
}

static bool disable_and_wait(struct session *s, const struct vu_message *m)
{
	(void)m;
	session_disable_rings(s);
	return true;
}

static int do_nothing(struct session *s, struct vu_message *m,
		      struct reply *r)
{
	(void)s;
	(void)m;
	(void)r;
	return 0;
}

#define TABLE_MIN	(VU_TABLE_REGIONS)
#define TABLE_MAX_SIZE	(VU_TABLE_REGIONS + VU_TABLE_MAX * VU_REGION_SIZE)

static const struct request requests[] = {
	[VU_GET_FEATURES] = { "GET_FEATURES", 0, 0, 0, 0, REPLY_OWN,
		wait_always, request_get_features },
	[VU_SET_FEATURES] = { "SET_FEATURES", 8, 8, 0, 0, REPLY_ACK,
		wait_always, request_set_features },
	[VU_SET_OWNER] = { "SET_OWNER", 0, 0, 0, 0, REPLY_ACK,
		NULL, do_nothing },
	/* Deprecated; to some it means "disable all rings", so it does. */
	[VU_RESET_OWNER] = { "RESET_OWNER", 0, 0, 0, 0, REPLY_ACK,
		disable_and_wait, do_nothing },
	[VU_SET_MEM_TABLE] = { "SET_MEM_TABLE", TABLE_MIN, TABLE_MAX_SIZE,
		0, VU_TABLE_MAX, REPLY_ACK,
		wait_always, request_set_mem_table },
	[VU_SET_LOG_BASE] = { "SET_LOG_BASE", VU_LOG_SIZE, VU_LOG_SIZE, 1, 1,
		REPLY_OWN, NULL, request_set_log_base },
	[VU_SET_LOG_FD] = { "SET_LOG_FD", 0, 8, 1, 1, REPLY_ACK,
		NULL, request_set_log_fd },
	[VU_SET_VRING_NUM] = { "SET_VRING_NUM", VU_STATE_SIZE, VU_STATE_SIZE,
		0, 0, REPLY_ACK, NULL, request_set_vring_num },
	[VU_SET_VRING_ADDR] = { "SET_VRING_ADDR", VU_ADDR_SIZE, VU_ADDR_SIZE,
		0, 0, REPLY_ACK, NULL, request_set_vring_addr },
	[VU_SET_VRING_BASE] = { "SET_VRING_BASE", VU_STATE_SIZE,
		VU_STATE_SIZE, 0, 0, REPLY_ACK,
		request_is_new_driver, request_set_vring_base },
	[VU_GET_VRING_BASE] = { "GET_VRING_BASE", VU_STATE_SIZE,
		VU_STATE_SIZE, 0, 0, REPLY_OWN,
		wait_always, request_get_vring_base },
	[VU_SET_VRING_KICK] = { "SET_VRING_KICK", 8, 8, 0, 1, REPLY_ACK,
		NULL, request_set_vring_kick },
	[VU_SET_VRING_CALL] = { "SET_VRING_CALL", 8, 8, 0, 1, REPLY_ACK,
		NULL, request_set_vring_call },
	[VU_SET_VRING_ERR] = { "SET_VRING_ERR", 8, 8, 0, 1, REPLY_ACK,
		NULL, request_set_vring_err },
	[VU_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, 0, 0, 0,
		REPLY_OWN, NULL, request_get_protocol_features },
	[VU_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", 8, 8, 0, 0,
		REPLY_ACK, NULL, request_set_protocol_features },
	[VU_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", 0, 0, 0, 0, REPLY_OWN,
		NULL, request_get_queue_num },
	[VU_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", VU_STATE_SIZE,
		VU_STATE_SIZE, 0, 0, REPLY_ACK,
		wait_if_disabled, request_set_vring_enable },
	[VU_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", 0, 8, 1, 1,
		REPLY_ACK, NULL, request_set_backend_req_fd },
	[VU_GET_CONFIG] = { "GET_CONFIG", VU_CONFIG_DATA,
		VU_CONFIG_DATA + VU_CONFIG_MAX, 0, 0, REPLY_OWN,
		NULL, request_get_config },
	[VU_SET_CONFIG] = { "SET_CONFIG", VU_CONFIG_DATA,
		VU_CONFIG_DATA + VU_CONFIG_MAX, 0, 0, REPLY_ACK,
		NULL, request_set_config },
	[VU_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", VU_INFLIGHT_SIZE,
		VU_INFLIGHT_SIZE + 4, 0, 0, REPLY_OWN,
		NULL, request_get_inflight_fd },
	[VU_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", VU_INFLIGHT_SIZE,
		VU_INFLIGHT_SIZE + 4, 1, 1, REPLY_ACK,
		NULL, request_set_inflight_fd },
	[VU_RESET_DEVICE] = { "RESET_DEVICE", 0, 0, 0, 0, REPLY_ACK,
		disable_and_wait, request_reset_device },
	[VU_VRING_KICK] = { "VRING_KICK", VU_STATE_SIZE, VU_STATE_SIZE, 0, 0,
		REPLY_ACK, NULL, request_vring_kick },
	[VU_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", 0, 0, 0, 0,
		REPLY_OWN, NULL, request_get_max_mem_slots },
	[VU_ADD_MEM_REG] = { "ADD_MEM_REG", VU_SINGLE_REGION_SIZE,
		VU_SINGLE_REGION_SIZE, 1, 1, REPLY_ACK,
		wait_always, request_add_mem_reg },
	/* Some front-ends send a descriptor along, which is of no use. */
	[VU_REM_MEM_REG] = { "REM_MEM_REG", VU_SINGLE_REGION_SIZE,
		VU_SINGLE_REGION_SIZE, 0, 1, REPLY_ACK,
		wait_always, request_rem_mem_reg },
	[VU_SET_STATUS] = { "SET_STATUS", 8, 8, 0, 0, REPLY_ACK,
		wait_if_status_0, request_set_status },
	[VU_GET_STATUS] = { "GET_STATUS", 0, 0, 0, 0, REPLY_OWN,
		NULL, request_get_status },
	[VU_SET_DEVICE_STATE_FD] = { "SET_DEVICE_STATE_FD",
		VU_STATE_FD_SIZE, VU_STATE_FD_SIZE, 1, 1, REPLY_OWN,
		wait_always, request_set_device_state_fd },
	[VU_CHECK_DEVICE_STATE] = { "CHECK_DEVICE_STATE", 0, 0, 0, 0,
		REPLY_OWN, wait_always, request_check_device_state }
};

const struct request *request_find(uint32_t number)
{
	if (number >= sizeof(requests) / sizeof(requests[0]) ||
	    !requests[number].name)
		return NULL;
	return &requests[number];
}
