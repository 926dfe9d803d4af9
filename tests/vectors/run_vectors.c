/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs the vectors against the library.
 *
 *	run_vectors FILE.json...	each case; exit 1 when one fails
 *	run_vectors --serve		operations from stdin, one a line
 *
 * A line is "op name=value name=value ..."; the answer is a line of the same
 * form without op.  "story ..." begins a device, and the operations of
 * stories act on it from then on.  An empty line flushes the answers.
 */
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations.h"

static bool run_codec(const struct codec_op *ops, const char *op,
		      const struct fields *in, struct fields *out)
{
	for (; ops->name; ops++) {
		if (!strcmp(ops->name, op)) {
			ops->run(in, out);
			return true;
		}
	}
	return false;
}

bool codec_run(const char *op, const struct fields *in, struct fields *out)
{
	return run_codec(wire_ops, op, in, out) ||
	       run_codec(ring_ops, op, in, out) ||
	       run_codec(used_ops, op, in, out) ||
	       run_codec(policy_ops, op, in, out);
}

static bool run_step(const struct story_op *ops, struct story *s,
		     const char *op, const struct fields *in,
		     struct fields *out)
{
	for (; ops->name; ops++) {
		if (!strcmp(ops->name, op)) {
			ops->run(s, in, out);
			return true;
		}
	}
	return false;
}

bool story_run(struct story *s, const char *op, const struct fields *in,
	       struct fields *out)
{
	return run_step(device_ops, s, op, in, out) ||
	       run_step(host_ops, s, op, in, out) ||
	       run_step(life_ops, s, op, in, out);
}

/* ------------------------------------------------------------------ JSON -- */

static const char *get_string(const json_t *value)
{
	if (!json_is_string(value))
		die("a value is no string");
	return json_string_value(value);
}

static void read_fields(struct fields *f, const json_t *object)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		die("no object where one must be");
	json_object_foreach((json_t *)object, name, value) {
		struct text t = { 0 };
		json_t *item;
		size_t i;

		if (json_is_array(value)) {
			json_array_foreach(value, i, item)
				text_item(&t, "%s", get_string(item));
			text_move(&t, f, name);
		} else {
			fields_set(f, name, get_string(value));
		}
	}
}

static bool is_same(const struct fields *a, const struct fields *b)
{
	for (unsigned int i = 0; i < a->n; i++) {
		const char *other = fields_find(b, a->field[i].name);

		if (!other || strcmp(other, a->field[i].value))
			return false;
	}
	return a->n == b->n;
}

/* An object, or an array of objects which are all acceptable. */
static bool is_expected(const json_t *expect, const struct fields *got)
{
	struct fields f = { 0 };
	bool same = false;
	json_t *choice;
	size_t i;

	if (json_is_array(expect)) {
		json_array_foreach(expect, i, choice)
			same = same || is_expected(choice, got);
		return same;
	}
	read_fields(&f, expect);
	same = is_same(&f, got);
	fields_clear(&f);
	return same;
}

static void print_fields(const struct fields *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		printf("%s%s=%s", i ? " " : "", f->field[i].name,
		       f->field[i].value);
	putchar('\n');
}

/* One operation; s is NULL outside a story. */
static bool run_one(struct story *s, const json_t *step)
{
	const char *op = get_string(json_object_get(step, "op"));
	struct fields in = { 0 };
	struct fields out = { 0 };
	bool good;

	read_fields(&in, json_object_get(step, "input"));
	if (!(s ? story_run(s, op, &in, &out) : codec_run(op, &in, &out)))
		die("no operation %s", op);
	good = is_expected(json_object_get(step, "expect"), &out);
	if (!good) {
		printf("  %s gave ", op);
		print_fields(&out);
	}
	fields_clear(&in);
	fields_clear(&out);
	return good;
}

/* Skipped: no such guest can be made here. */
enum verdict { PASSED, FAILED, SKIPPED, NVERDICTS };

static enum verdict run_case(const json_t *test)
{
	json_t *steps = json_object_get(test, "steps");
	struct fields in = { 0 };
	struct story *s;
	json_t *step;
	bool good = true;
	size_t i;

	if (!steps)
		return run_one(NULL, test) ? PASSED : FAILED;
	read_fields(&in, json_object_get(test, "input"));
	s = story_new(&in);
	if (!s) {
		fields_clear(&in);
		return SKIPPED;
	}
	json_array_foreach(steps, i, step) {
		good = run_one(s, step);
		if (!good) {
			printf("  in step %zu\n", i);
			break;
		}
	}
	story_free(s);
	fields_clear(&in);
	return good ? PASSED : FAILED;
}

/* Adds the verdicts to the sums. */
static void run_file(const char *path, unsigned int sums[NVERDICTS])
{
	char *name = strdup(path);
	unsigned int n[NVERDICTS] = { 0 };
	enum verdict verdict;
	json_error_t error;
	json_t *top = json_load_file(path, 0, &error);
	json_t *test;
	size_t i;

	if (!top || !name)
		die("%s:%d: %s", path, error.line, error.text);
	json_array_foreach(json_object_get(top, "tests"), i, test) {
		verdict = run_case(test);
		n[verdict]++;
		sums[verdict]++;
		if (verdict == PASSED)
			continue;
		printf("%s: tcId %d (%s) %s\n", basename(name),
		       (int)json_integer_value(json_object_get(test, "tcId")),
		       get_string(json_object_get(test, "comment")),
		       verdict == SKIPPED ? "skipped" : "failed");
	}
	printf("%-24s %5u passed, %u failed\n", basename(name), n[PASSED],
	       n[FAILED]);
	json_decref(top);
	free(name);
}

/* ----------------------------------------------------------------- serve -- */

static void serve_line(char *line, struct story **s)
{
	char *op = strtok(line, " \n");
	struct fields in = { 0 };
	struct fields out = { 0 };
	char *name, *value;

	if (!op) {
		fflush(stdout);
		return;
	}
	while ((name = strtok(NULL, " \n"))) {
		value = strchr(name, '=');
		if (!value)
			die("no value: %s", name);
		*value = '\0';
		fields_set(&in, name, value + 1);
	}
	if (!strcmp(op, "story")) {
		story_free(*s);
		*s = story_new(&in);
		if (!*s)
			die("no such guest can be made here");
	} else if (!codec_run(op, &in, &out) &&
		   !(*s && story_run(*s, op, &in, &out))) {
		die("no operation %s", op);
	}
	print_fields(&out);
	fields_clear(&in);
	fields_clear(&out);
}

static void serve(void)
{
	struct story *s = NULL;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		serve_line(line, &s);
	free(line);
	story_free(s);
}

int main(int argc, char **argv)
{
	unsigned int sums[NVERDICTS] = { 0 };

	if (argc == 2 && !strcmp(argv[1], "--serve")) {
		serve();
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s --serve | FILE.json...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		run_file(argv[i], sums);
	printf("%u passed, %u failed, %u skipped\n", sums[PASSED],
	       sums[FAILED], sums[SKIPPED]);
	return sums[FAILED] || !sums[PASSED];
}
