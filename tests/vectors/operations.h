/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The operations of the vectors, on the library: README.adoc in this folder
 * says what each takes and gives.
 */
#ifndef FPH_VECTORS_OPERATIONS_H
#define FPH_VECTORS_OPERATIONS_H

#include "fields.h"

struct story;

struct codec_op {
	const char *name;
	void (*run)(const struct fields *in, struct fields *out);
};

struct story_op {
	const char *name;
	void (*run)(struct story *s, const struct fields *in,
		    struct fields *out);
};

/* Each ends with an entry without a name. */
extern const struct codec_op wire_ops[];
extern const struct codec_op ring_ops[];
extern const struct codec_op used_ops[];
extern const struct codec_op policy_ops[];
extern const struct story_op device_ops[];
extern const struct story_op host_ops[];
extern const struct story_op life_ops[];

/* False when there is no such operation. */
bool codec_run(const char *op, const struct fields *in, struct fields *out);
bool story_run(struct story *s, const char *op, const struct fields *in,
	       struct fields *out);

/*
 * A device with its driver's memory; from the "input" of a story.  NULL where
 * there can be no such guest: on a machine of 32 bits, or in an image without
 * libfph-vmm.
 */
struct story *story_new(const struct fields *in);
void story_free(struct story *s);

/* "le" or "be", as enum fph_endian. */
int get_endian(const struct fields *in);

/* The word for what a call answered. */
const char *get_word(int status);

#endif /* FPH_VECTORS_OPERATIONS_H */
