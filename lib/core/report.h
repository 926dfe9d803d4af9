/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The receiver of free page reports, for the files that it is made of.  Not
 * installed.
 *
 *	report.c	the calls
 *	report_state.c	save and load
 */
#ifndef FPH_CORE_REPORT_H
#define FPH_CORE_REPORT_H

#include <fph/host.h>

#include "common.h"
#include "inflight.h"

#define FPH_REPORT_MAGIC	0x46705230u

struct fph_report {
	uint32_t magic;
	bool poisoned;
	struct fph_inflight inflight;
	struct fph_report_counters counters;	/* those that add counts */
};

#endif /* FPH_CORE_REPORT_H */
