# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Rings over shared memory, freestanding like the core. A port takes the side
# that it needs; with a virtqueue of its own it leaves both out.
FPH_VRING_DEVICE_SOURCES = \
	lib/vring/in_order.c \
	lib/vring/packed_device.c \
	lib/vring/packed_read.c \
	lib/vring/record.c \
	lib/vring/split_device.c \
	lib/vring/split_read.c \
	lib/vring/vq_device.c
# To save and load them, if that is wanted.
FPH_VRING_STATE_SOURCES = \
	lib/vring/vq_device_state.c \
	lib/vring/vq_driver_state.c
FPH_VRING_DRIVER_SOURCES = \
	lib/vring/packed_driver.c \
	lib/vring/slots.c \
	lib/vring/split_driver.c \
	lib/vring/vq_driver.c
FPH_VRING_SOURCES = \
	$(FPH_VRING_DEVICE_SOURCES) \
	$(FPH_VRING_STATE_SOURCES) \
	$(FPH_VRING_DRIVER_SOURCES)
FPH_VRING_PRIVATE_H = \
	lib/vring/device.h \
	lib/vring/driver.h \
	lib/vring/packed.h \
	lib/vring/ring.h \
	lib/vring/split.h
