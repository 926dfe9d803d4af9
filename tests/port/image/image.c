/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What runs the vectors where there is no C library, all but the stories: those
 * need the device of libfph-vmm.
 */
#include <image.h>

#include "../../vectors/operations.h"

#define POOL_SIZE	(64u << 20)

struct image_file {
	const char *name;		/* ends the list with NULL */
	const char *text;
	const char *end;
	size_t at;
};

/* From a file that is made beside this one. */
extern struct image_file image_files[];

FILE *const stdin, *const stdout, *const stderr;

static _Alignas(16) char pool[POOL_SIZE];
static size_t pool_used;

_Noreturn void exit(int code)
{
	image_exit(code);
}

_Noreturn void abort(void)
{
	exit(99);
}

/* -------------------------------------------------------------- memory --- */

/* The size stands before each piece. */
void *calloc(size_t n, size_t size)
{
	size_t need = (n * size + 31) / 16 * 16;
	char *p = pool + pool_used;

	if (need > POOL_SIZE - pool_used)
		abort();
	pool_used += need;
	*(size_t *)(void *)p = n * size;
	return p + 16;
}

void *realloc(void *p, size_t size)
{
	size_t old = p ? *(size_t *)(void *)((char *)p - 16) : 0;
	void *q = calloc(1, size);

	if (p)
		memcpy(q, p, old < size ? old : size);
	return q;
}

void free(void *p)
{
	(void)p;
}

/* --------------------------------------------------------------- files --- */

FILE *fopen(const char *name, const char *mode)
{
	FILE *file = image_files;

	(void)mode;
	while (file->name && strcmp(file->name, name))
		file++;
	return file->name ? file : NULL;
}

int fseek(FILE *file, long offset, int whence)
{
	if (offset || whence != SEEK_END)
		abort();
	file->at = (size_t)(file->end - file->text);
	return 0;
}

long ftell(FILE *file)
{
	return (long)file->at;
}

void rewind(FILE *file)
{
	file->at = 0;
}

size_t fread(void *to, size_t size, size_t n, FILE *file)
{
	memcpy(to, file->text + file->at, size * n);
	return n;
}

int fclose(FILE *file)
{
	(void)file;
	return 0;
}

int fflush(FILE *file)
{
	(void)file;
	return 0;
}

long getline(char **line, size_t *size, FILE *file)
{
	(void)line;
	(void)size;
	(void)file;
	return -1;
}

/* ------------------------------------------------------------- console --- */

int fputc(int c, FILE *file)
{
	(void)file;
	image_put(c);
	return c;
}

int putchar(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *s, FILE *file)
{
	while (*s)
		fputc(*s++, file);
	return 0;
}

int puts(const char *s)
{
	fputs(s, stdout);
	return putchar('\n');
}

int vfprintf(FILE *file, const char *format, va_list args)
{
	char *s;
	int n = vasprintf(&s, format, args);

	fputs(s, file);
	return n;
}

int fprintf(FILE *file, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vfprintf(file, format, args);
	va_end(args);
	return n;
}

int printf(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vfprintf(stdout, format, args);
	va_end(args);
	return n;
}

/* ------------------------------------------------------------- stories --- */

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

/* run_vectors.c, whose main() was named so. */
int run_vectors(int argc, char **argv);

int image_run(void)
{
	static char *argv[32] = { "run_vectors" };
	int argc = 1;

	for (FILE *file = image_files; file->name && argc < 32; file++)
		argv[argc++] = (char *)file->name;
	return run_vectors(argc, argv);
}
