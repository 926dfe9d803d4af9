/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What runs the vectors where there is no C library. */
#include <image.h>

#define POOL_SIZE	(64u << 20)
#define POOL_ORDERS	27

/* Memory of 2^order bytes, which begins with this and is aligned to it. */
struct piece {
	struct piece *next;		/* while it is free */
	size_t order;
};

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
static struct piece *pool_free[POOL_ORDERS];

_Noreturn void exit(int code)
{
	image_exit(code);
}

_Noreturn void abort(void)
{
	exit(99);
}

/* -------------------------------------------------------------- memory --- */

static size_t get_room(size_t order)
{
	return ((size_t)1 << order) - sizeof(struct piece);
}

void *malloc(size_t size)
{
	struct piece *p;
	size_t order = 5;

	while (order < POOL_ORDERS && size > get_room(order))
		order++;
	if (order == POOL_ORDERS)
		abort();
	p = pool_free[order];
	if (p) {
		pool_free[order] = p->next;
		return p + 1;
	}
	if ((size_t)1 << order > POOL_SIZE - pool_used)
		abort();
	p = (struct piece *)(void *)(pool + pool_used);
	pool_used += (size_t)1 << order;
	p->order = order;
	return p + 1;
}

void *calloc(size_t n, size_t size)
{
	return memset(malloc(n * size), 0, n * size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (alignment > sizeof(struct piece))
		abort();
	return malloc(size);
}

void *realloc(void *p, size_t size)
{
	void *q = malloc(size);
	size_t old;

	if (p) {
		old = get_room(((struct piece *)p - 1)->order);
		memcpy(q, p, old < size ? old : size);
		free(p);
	}
	return q;
}

void free(void *p)
{
	struct piece *piece = (struct piece *)p - 1;

	if (!p)
		return;
	piece->next = pool_free[piece->order];
	pool_free[piece->order] = piece;
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

/* ------------------------------------------------------------- vectors --- */

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
