/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * As much of a C library as the runner of the vectors uses, for an image that
 * firmware starts or a kernel loads.  Files are those in the image, and memory
 * is not freed.
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
char *strchr(const char *s, int c);
char *strcpy(char *to, const char *from);
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);
char *strdup(const char *s);
char *strtok(char *s, const char *set);
char *basename(char *path);

void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void free(void *p);
_Noreturn void exit(int code);
_Noreturn void abort(void);

extern int errno;
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

/* Runs all vectors of the image; the status of that program. */
int image_run(void);

/* What is around the image gives: a character of output, and the end. */
void image_put(int c);
_Noreturn void image_exit(int code);

#endif /* FPH_PORT_IMAGE_H */
