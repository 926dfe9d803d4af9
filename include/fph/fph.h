/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * libfph: virtio-balloon free page hinting and free page reporting.
 *
 *	status.h	results, and the rules of every call: read it first
 *	types.h		ranges, segments, buffers, runs
 *	wire.h		numbers and layouts of the device
 *	host.h		reports and hint sessions of a VMM
 *	guest.h		reporter and hinter of a kernel
 *	policy.h	what a kernel hints and reports, and when
 *	vring.h		virtqueues, device side and driver side
 *
 * Each can be included alone.  A kernel copies those that it needs with the
 * sources in lib/core, and with vring.h those in lib/vring: "make vendor" does
 * it, and config.h says what they take from their environment.
 */
#ifndef FPH_FPH_H
#define FPH_FPH_H

#include <fph/version.h>
#include <fph/config.h>
#include <fph/status.h>
#include <fph/types.h>
#include <fph/wire.h>
#include <fph/host.h>
#include <fph/guest.h>
#include <fph/policy.h>
#include <fph/vring.h>

#endif /* FPH_FPH_H */
