/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A migration around a device: some pages, a dirty log, a bitmap.
 *
 * The content of a page is a version number.  A page that the guest relies on
 * is lost when the destination has another version of it at the end.
 */
#ifndef FPH_VECTORS_MIGRATION_H
#define FPH_VECTORS_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "fields.h"

#define MIGRATION_PAGES	16u
#define MIGRATION_PAGE	4096u

struct page {
	uint64_t gpa;
	unsigned int source;
	unsigned int destination;
	bool held;			/* the guest relies on its content */
	bool logged;			/* dirty log */
	bool marked;			/* bitmap: to be sent */
};

struct migration {
	unsigned int n;
	struct page page[MIGRATION_PAGES];
};

/* list: addresses of pages; none was sent yet. */
void migration_init(struct migration *m, const char *list);
void migration_free(struct migration *m, uint64_t gpa);
void migration_use(struct migration *m, uint64_t gpa, bool writes);
/* The dirty log goes into the bitmap. */
void migration_harvest(struct migration *m);
/* Every page that the range touches. */
void migration_skip(struct migration *m, uint64_t gpa, uint64_t len);
void migration_discard(struct migration *m, uint64_t gpa, uint64_t len);
void migration_send(struct migration *m);
void migration_list_lost(const struct migration *m, struct text *t);

#endif /* FPH_VECTORS_MIGRATION_H */
