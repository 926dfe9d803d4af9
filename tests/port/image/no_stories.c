/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* For an image without libfph-vmm, whose device the stories need. */
#include "../../vectors/operations.h"

const struct story_op device_ops[] = { { NULL, NULL } };
const struct story_op host_ops[] = { { NULL, NULL } };
const struct story_op life_ops[] = { { NULL, NULL } };

struct story *story_new(const struct fields *in)
{
	(void)in;
	return NULL;
}

void story_free(struct story *s)
{
	(void)s;
}
