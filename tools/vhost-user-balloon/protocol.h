/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The vhost-user protocol: numbers and layouts.
 *
 * Numbers on the socket are in the byte order of the machine.  Payloads are
 * read and written byte by byte at the offsets below, never through a struct.
 */
#ifndef VUB_PROTOCOL_H
#define VUB_PROTOCOL_H

#include <stdint.h>
#include <string.h>

/* Requests of the front-end. */
enum vu_request {
	VU_GET_FEATURES			= 1,
	VU_SET_FEATURES			= 2,
	VU_SET_OWNER			= 3,
	VU_RESET_OWNER			= 4,
	VU_SET_MEM_TABLE		= 5,
	VU_SET_LOG_BASE			= 6,
	VU_SET_LOG_FD			= 7,
	VU_SET_VRING_NUM		= 8,
	VU_SET_VRING_ADDR		= 9,
	VU_SET_VRING_BASE		= 10,
	VU_GET_VRING_BASE		= 11,
	VU_SET_VRING_KICK		= 12,
	VU_SET_VRING_CALL		= 13,
	VU_SET_VRING_ERR		= 14,
	VU_GET_PROTOCOL_FEATURES	= 15,
	VU_SET_PROTOCOL_FEATURES	= 16,
	VU_GET_QUEUE_NUM		= 17,
	VU_SET_VRING_ENABLE		= 18,
	VU_SET_BACKEND_REQ_FD		= 21,
	VU_GET_CONFIG			= 24,
	VU_SET_CONFIG			= 25,
	VU_GET_INFLIGHT_FD		= 31,
	VU_SET_INFLIGHT_FD		= 32,
	VU_RESET_DEVICE			= 34,
	VU_VRING_KICK			= 35,
	VU_GET_MAX_MEM_SLOTS		= 36,
	VU_ADD_MEM_REG			= 37,
	VU_REM_MEM_REG			= 38,
	VU_SET_STATUS			= 39,
	VU_GET_STATUS			= 40,
	VU_SET_DEVICE_STATE_FD		= 42,
	VU_CHECK_DEVICE_STATE		= 43
};

/* Requests of the back-end. */
enum vu_backend_request {
	VU_BACKEND_CONFIG_CHANGE	= 2,
	VU_BACKEND_VRING_CALL		= 4,
	VU_BACKEND_VRING_ERR		= 5
};

/* The header: three numbers of 32 bits. */
#define VU_HEADER_SIZE		12u
#define VU_HEADER_REQUEST	0u
#define VU_HEADER_FLAGS		4u
#define VU_HEADER_LENGTH	8u

#define VU_FLAG_VERSION_MASK	3u
#define VU_FLAG_VERSION		1u
#define VU_FLAG_REPLY		4u
#define VU_FLAG_NEED_REPLY	8u

/* The largest payload that any known message has, rounded up generously. */
#define VU_MAX_PAYLOAD		512u
#define VU_MAX_FDS		8u

/* Feature bits that belong to vhost-user and not to virtio. */
#define VU_F_LOG_ALL		26
#define VU_F_PROTOCOL_FEATURES	30
#define VU_OWN_FEATURES		(UINT64_C(1) << VU_F_LOG_ALL |		\
				 UINT64_C(1) << VU_F_PROTOCOL_FEATURES)

enum vu_protocol_feature {
	VU_PF_MQ			= 0,
	VU_PF_LOG_SHMFD			= 1,
	VU_PF_REPLY_ACK			= 3,
	VU_PF_BACKEND_REQ		= 5,
	VU_PF_CONFIG			= 9,
	VU_PF_INFLIGHT_SHMFD		= 12,
	VU_PF_RESET_DEVICE		= 13,
	VU_PF_INBAND_NOTIFICATIONS	= 14,
	VU_PF_CONFIGURE_MEM_SLOTS	= 15,
	VU_PF_STATUS			= 16,
	VU_PF_DEVICE_STATE		= 19
};

/* State of a vring: index, number. */
#define VU_STATE_SIZE		8u
#define VU_STATE_INDEX		0u
#define VU_STATE_NUM		4u

/* Addresses of a vring. */
#define VU_ADDR_SIZE		40u
#define VU_ADDR_INDEX		0u
#define VU_ADDR_FLAGS		4u
#define VU_ADDR_DESC		8u
#define VU_ADDR_USED		16u
#define VU_ADDR_AVAIL		24u

#define VU_ADDR_F_LOG		1u	/* flag: the log's address is set */

/* The dirty log: size, offset in the file. */
#define VU_LOG_SIZE		16u
#define VU_LOG_BYTES		0u
#define VU_LOG_OFFSET		8u

/* KICK, CALL and ERR: index and a flag for "no descriptor comes along". */
#define VU_FD_INDEX_MASK	0xffu
#define VU_FD_NONE		0x100u

/* A memory region, also at offset 8 of ADD_MEM_REG and REM_MEM_REG. */
#define VU_REGION_SIZE		32u
#define VU_REGION_GPA		0u
#define VU_REGION_LEN		8u
#define VU_REGION_UVA		16u
#define VU_REGION_OFFSET	24u
#define VU_SINGLE_REGION	8u
#define VU_SINGLE_REGION_SIZE	40u

/* The memory table: number, padding, regions. */
#define VU_TABLE_NUM		0u
#define VU_TABLE_REGIONS	8u
#define VU_TABLE_MAX		8u

/* The inflight region; some send 4 bytes of padding behind it. */
#define VU_INFLIGHT_SIZE	20u
#define VU_INFLIGHT_BYTES	0u
#define VU_INFLIGHT_OFFSET	8u
#define VU_INFLIGHT_QUEUES	16u
#define VU_INFLIGHT_NUM		18u

/* The transfer of the device's state: direction, phase. */
#define VU_STATE_FD_SIZE	8u
#define VU_STATE_FD_DIRECTION	0u
#define VU_STATE_FD_PHASE	4u
#define VU_STATE_FD_SAVE	0u
#define VU_STATE_FD_LOAD	1u
#define VU_STATE_FD_STOPPED	0u	/* the only phase */
#define VU_STATE_FD_NONE	0x100u	/* of the answer: no descriptor */

/* Config space: offset, size, flags, bytes. */
#define VU_CONFIG_OFFSET	0u
#define VU_CONFIG_SIZE		4u
#define VU_CONFIG_FLAGS		8u
#define VU_CONFIG_DATA		12u
#define VU_CONFIG_MAX		256u
#define VU_CONFIG_MIGRATION	1u	/* flag of SET_CONFIG */

static inline uint16_t vu_load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t vu_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t vu_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void vu_store32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void vu_store64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif /* VUB_PROTOCOL_H */
