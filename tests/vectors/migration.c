/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "migration.h"

void migration_init(struct migration *m, const char *list)
{
	const char *end;
	char word[32];

	memset(m, 0, sizeof(*m));
	while (fields_next(&list, word, sizeof(word))) {
		if (m->n == MIGRATION_PAGES)
			die("too many pages");
		m->page[m->n++] = (struct page) {
			.gpa = parse_number(word, &end),
			.source = 1,
			.held = true,
			.marked = true
		};
	}
}

static struct page *find(struct migration *m, uint64_t gpa)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (m->page[i].gpa == gpa)
			return &m->page[i];
	}
	die("no page 0x%" PRIx64, gpa);
}

void migration_free(struct migration *m, uint64_t gpa)
{
	find(m, gpa)->held = false;
}

void migration_use(struct migration *m, uint64_t gpa, bool writes)
{
	struct page *p = find(m, gpa);

	p->held = true;
	if (writes) {
		p->source++;
		p->logged = true;
	}
}

void migration_harvest(struct migration *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (m->page[i].logged)
			m->page[i].marked = true;
		m->page[i].logged = false;
	}
}

static bool touches(const struct page *p, uint64_t gpa, uint64_t len)
{
	return p->gpa + (MIGRATION_PAGE - 1) >= gpa && p->gpa <= gpa + len - 1;
}

void migration_skip(struct migration *m, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (touches(&m->page[i], gpa, len))
			m->page[i].marked = false;
	}
}

void migration_discard(struct migration *m, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (touches(&m->page[i], gpa, len))
			m->page[i].source = 0;
	}
}

void migration_send(struct migration *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct page *p = &m->page[i];

		if (p->marked)
			p->destination = p->source;
		p->marked = false;
	}
}

/* Pages are in ascending order in a story. */
void migration_list_lost(const struct migration *m, struct text *t)
{
	for (unsigned int i = 0; i < m->n; i++) {
		const struct page *p = &m->page[i];

		if (p->held && p->destination != p->source)
			text_item(t, "0x%" PRIx64, p->gpa);
	}
}
