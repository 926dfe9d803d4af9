/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* printf(): of the conversions c, d, s, u and x what our format strings have. */
#include <image.h>

struct sink {
	char *to;
	size_t size;
	size_t len;			/* also what had no room */
};

struct conversion {
	int left, zero;
	size_t width;
	size_t precision;		/* of a string */
	int longs;			/* 'l's; size_t is two */
};

static void put(struct sink *s, char c)
{
	if (s->len + 1 < s->size)
		s->to[s->len] = c;
	s->len++;
}

static void put_padded(struct sink *s, const struct conversion *c,
		       const char *text)
{
	size_t n = 0;

	while (n < c->precision && text[n])
		n++;
	for (size_t i = n; !c->left && i < c->width; i++)
		put(s, c->zero ? '0' : ' ');
	for (size_t i = 0; i < n; i++)
		put(s, text[i]);
	for (size_t i = n; c->left && i < c->width; i++)
		put(s, ' ');
}

static void put_number(struct sink *s, const struct conversion *c,
		       unsigned long long v, unsigned int base, int minus)
{
	char digits[24];
	char *d = digits + sizeof(digits);

	*--d = '\0';
	do {
		*--d = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (minus)
		*--d = '-';
	put_padded(s, c, d);
}

static size_t read_width(const char **at)
{
	char *end;
	size_t n = (size_t)strtoull(*at, &end, 10);

	*at = end;
	return n;
}

static void read_conversion(struct conversion *c, const char **at)
{
	*c = (struct conversion){ .precision = SIZE_MAX };
	for (; **at == '-' || **at == '0'; ++*at) {
		c->left |= **at == '-';
		c->zero |= **at == '0';
	}
	c->width = read_width(at);
	if (**at == '.') {
		++*at;
		c->precision = read_width(at);
	}
	for (; **at == 'l' || **at == 'z'; ++*at)
		c->longs += **at == 'z' ? 2 : 1;
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct sink s = { .to = to, .size = size };
	struct conversion c;
	char one[2] = "";
	long long v;

	for (; *format; format++) {
		if (*format != '%') {
			put(&s, *format);
			continue;
		}
		format++;
		read_conversion(&c, &format);
		switch (*format) {
		case 's':
			put_padded(&s, &c, va_arg(args, const char *));
			break;
		case 'c':
			one[0] = (char)va_arg(args, int);
			put_padded(&s, &c, one);
			break;
		case 'd':
			v = c.longs > 1 ? va_arg(args, long long) :
					  va_arg(args, int);
			put_number(&s, &c, v < 0 ? 0 - (unsigned long long)v :
				   (unsigned long long)v, 10, v < 0);
			break;
		case 'u':
		case 'x':
			put_number(&s, &c, c.longs > 1 ?
				   va_arg(args, unsigned long long) :
				   va_arg(args, unsigned int),
				   *format == 'x' ? 16 : 10, 0);
			break;
		default:
			abort();
		}
	}
	if (size)
		to[s.len < size ? s.len : size - 1] = '\0';
	return (int)s.len;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to, size, format, args);
	va_end(args);
	return n;
}

int vasprintf(char **to, const char *format, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	*to = calloc(1, (size_t)n + 1);
	return vsnprintf(*to, (size_t)n + 1, format, args);
}
