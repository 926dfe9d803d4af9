/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * As much of a C library as the runner of the vectors uses, for an image that
 * firmware starts or a kernel loads.  Files are those in the image.
 */
#ifndef FPH_PORT_IMAGE_H
#define FPH_PORT_IMAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strcpy(char *to, const char *from);
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);
char *strdup(const char *s);
char *strtok(char *s, const char *set);
char *basename(char *path);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void *realloc(void *p, size_t size);
void free(void *p);
void qsort(void *base, size_t n, size_t size,
	   int (*compare)(const void *a, const void *b));
_Noreturn void exit(int code);
_Noreturn void abort(void);

extern int errno;
#define EINTR	4
#define EAGAIN	11
int isdigit(int c);
int isxdigit(int c);
unsigned long long strtoull(const char *s, char **end, int base);
long long strtoll(const char *s, char **end, int base);

typedef struct image_file FILE;
extern FILE *const stdin, *const stdout, *const stderr;
#define SEEK_END	2
FILE *fopen(const char *name, const char *mode);
int fseek(FILE *file, long offset, int whence);
long ftell(FILE *file);
void rewind(FILE *file);
size_t fread(void *to, size_t size, size_t n, FILE *file);
int fclose(FILE *file);
int fflush(FILE *file);
long getline(char **line, size_t *size, FILE *file);

int fputc(int c, FILE *file);
int fputs(const char *s, FILE *file);
int putchar(int c);
int puts(const char *s);
int printf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
int fprintf(FILE *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int vfprintf(FILE *file, const char *format, va_list args);
int snprintf(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args);
int vasprintf(char **to, const char *format, va_list args);

/* What of Linux the device and the stories name. */
typedef ptrdiff_t ssize_t;
struct iovec {
	void *iov_base;
	size_t iov_len;
};
enum { MADV_DONTNEED = 4, MADV_FREE = 8 };
enum { FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2 };
enum { PROT_READ = 1, PROT_WRITE = 2 };
enum { MAP_PRIVATE = 2, MAP_ANONYMOUS = 32, MAP_NORESERVE = 16384 };
#define MAP_FAILED	((void *)-1)
void *mmap(void *at, size_t len, int protection, int flags, int fd,
	   long offset);
int munmap(void *at, size_t len);

/* Runs all vectors of the image; the status of that program. */
int image_run(void);

/* What is around the image gives: a character of output, and the end. */
void image_put(int c);
_Noreturn void image_exit(int code);

#endif /* FPH_PORT_IMAGE_H */
