# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Rings over shared memory, freestanding like the core. A port with a
# virtqueue of its own leaves them out.
FPH_VRING_SOURCES = \
	lib/vring/split_device.c \
	lib/vring/split_driver.c
FPH_VRING_PRIVATE_H = \
	lib/vring/split.h
