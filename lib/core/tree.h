/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balanced tree of groups.  Not installed. */
#ifndef FPH_CORE_TREE_H
#define FPH_CORE_TREE_H

#include "runs.h"

/* Puts group i behind group prev.  O(log groups). */
void fph_tree_insert(struct fph_group *groups, uint32_t i, uint32_t prev);
/* O(log groups). */
void fph_tree_remove(struct fph_group *groups, uint32_t i);

static inline uint32_t fph_tree_root(const struct fph_group *groups)
{
	return groups[0].child[1];
}

#endif /* FPH_CORE_TREE_H */
