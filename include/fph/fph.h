/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* libfph: virtio-balloon free page hinting and free page reporting. */
#ifndef FPH_FPH_H
#define FPH_FPH_H

#include <fph/version.h>
#include <fph/config.h>
#include <fph/status.h>
#include <fph/wire.h>
#include <fph/range.h>
#include <fph/host.h>
#include <fph/guest.h>
#include <fph/vring.h>

#endif /* FPH_FPH_H */
