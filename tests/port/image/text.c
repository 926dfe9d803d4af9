/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Memory, text and order. */
#include <image.h>

/* -fno-builtin: a loop here must not become a call of itself. */
void *memcpy(void *to, const void *from, size_t n)
{
	return memmove(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
	const char *f = from;
	char *t = to;

	if (t <= f) {
		while (n--)
			*t++ = *f++;
	} else {
		while (n--)
			t[n] = f[n];
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	char *t = to;

	while (n--)
		*t++ = (char)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* What fph_efi.h takes of EDK II. */
void *CopyMem(void *to, const void *from, size_t n)
{
	return memmove(to, from, n);
}

void *SetMem(void *to, size_t n, uint8_t value)
{
	return memset(to, value, n);
}

intptr_t CompareMem(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

size_t strlen(const char *s)
{
	return strcspn(s, "");
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--, a++, b++)
		;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strcpy(char *to, const char *from)
{
	return memcpy(to, from, strlen(from) + 1);
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

/* strchr() finds the end of the set too. */
size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (!strchr(set, s[n]))
		n++;
	return n;
}

char *strdup(const char *s)
{
	return strcpy(calloc(1, strlen(s) + 1), s);
}

char *strtok(char *s, const char *set)
{
	static char *next;

	s = s ? s : next;
	s += strspn(s, set);
	next = s + strcspn(s, set);
	if (*next)
		*next++ = '\0';
	return *s ? s : NULL;
}

char *basename(char *path)
{
	char *slash;

	while ((slash = strchr(path, '/')))
		path = slash + 1;
	return path;
}

int errno;

int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

int isxdigit(int c)
{
	return isdigit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Bases 0, 10 and 16; the largest number when there is no room for it. */
unsigned long long strtoull(const char *s, char **end, int base)
{
	unsigned long long v = 0;
	unsigned int digit, b = (unsigned int)base;

	if (b != 10 && s[0] == '0' && (s[1] | 32) == 'x' && isxdigit(s[2])) {
		s += 2;
		b = 16;
	}
	b = b ? b : 10;
	for (; b == 16 ? isxdigit(*s) : isdigit(*s); s++) {
		digit = isdigit(*s) ? (unsigned int)(*s - '0') :
				      (unsigned int)((*s | 32) - 'a' + 10);
		if (v > (~0ull - digit) / b) {
			errno = 34;
			v = (~0ull - digit) / b;
		}
		v = v * b + digit;
	}
	if (end)
		*end = (char *)s;
	return v;
}

long long strtoll(const char *s, char **end, int base)
{
	return *s == '-' ? -(long long)strtoull(s + 1, end, base) :
			   (long long)strtoull(s, end, base);
}

/* By insertion: what is sorted here is short. */
void qsort(void *base, size_t n, size_t size,
	   int (*compare)(const void *a, const void *b))
{
	char *first = base, *at, byte;

	for (size_t i = 1; i < n; i++) {
		for (at = first + i * size; at != first &&
		     compare(at - size, at) > 0; at -= size) {
			for (size_t k = 0; k < size; k++) {
				byte = at[k];
				at[k] = at[k - size];
				at[k - size] = byte;
			}
		}
	}
}
