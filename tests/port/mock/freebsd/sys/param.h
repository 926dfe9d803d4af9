/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Of FreeBSD's header, what the port takes from it. */
#include <sys/types.h>
