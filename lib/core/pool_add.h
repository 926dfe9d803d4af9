/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Adding free ranges, and merging those that touch.  Not installed. */
#ifndef FPH_CORE_POOL_ADD_H
#define FPH_CORE_POOL_ADD_H

#include "order.h"

/*
 * Adds ranges that wait.  How many; of the first FPH_EINVAL, FPH_EEXIST,
 * FPH_EFULL; FPH_EINVAL if n is 0.  O(n log waiting).
 */
int fph_pool_add(struct fph_pool *p, const struct fph_owned_range *ranges,
		 uint32_t n, uint64_t due);
/*
 * Run i waits again, urgent, behind the run older.  Who it is, together with
 * neighbours.  O(log waiting).
 */
uint32_t fph_pool_put_back(struct fph_pool *p, uint32_t i, uint32_t older);

#endif /* FPH_CORE_POOL_ADD_H */
