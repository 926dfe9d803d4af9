/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The saved state of the device, in a file that is memory: a front-end takes
 * it, or a client of the control socket.
 *
 * No ring runs at that moment: the state is of a device whose buffers all went
 * back, so it needs no address of a ring.
 */
#ifndef VUB_SAVED_H
#define VUB_SAVED_H

#include "device.h"

/* Whether no ring runs. */
bool saved_is_possible(const struct device *d);

/*
 * Write the state at the beginning of the file, which then ends with it and
 * stands at 0.  0, or a positive errno value: EBUSY, a ring runs.
 */
int saved_write(const struct device *d, int fd);

/*
 * Go on as the device whose state is in the file, from its beginning.  A freeze
 * there is not one here.  0, EINVAL, with *why, a text, or another errno value;
 * then nothing has changed.
 */
int saved_load(struct device *d, int fd, const char **why);

#endif /* VUB_SAVED_H */
