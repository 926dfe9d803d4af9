/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the guest have between them. */
#ifndef FPH_QEMU_GUEST_PRIVATE_H
#define FPH_QEMU_GUEST_PRIVATE_H

#include "guest.h"

void guest_init_report(struct guest *g);
void guest_init_hint(struct guest *g);

/* A block comes back from the reporter or the hinter. */
void guest_take_back(struct guest *g, const struct fph_returned *r,
		     bool reported);

#endif /* FPH_QEMU_GUEST_PRIVATE_H */
