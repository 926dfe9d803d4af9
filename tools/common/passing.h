/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Descriptors that go with bytes over a local socket. */
#ifndef FPH_TOOLS_PASSING_H
#define FPH_TOOLS_PASSING_H

#include <sys/types.h>

#define PASSING_MAX	64u		/* descriptors at a time */

/* As send; n descriptors, up to PASSING_MAX, go with the first byte. */
ssize_t passing_send(int sock, const void *bytes, size_t len, const int *fds,
		     unsigned int n, int flags);

#endif /* FPH_TOOLS_PASSING_H */
