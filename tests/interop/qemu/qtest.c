/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The qtest protocol: one line there, one line back. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qtest.h"
#include "supervise.h"

#define MAX_DATA	4096u

int connect_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	double end = now() + 30;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		die("path too long: %s", path);
	strcpy(addr.sun_path, path);
	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			die("socket: %s", strerror(errno));
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		close(fd);
		if (now() > end)
			die("QEMU does not listen on %s", path);
		nap();
	}
}

void qtest_open(struct qtest *q, const char *path)
{
	memset(q, 0, sizeof(*q));
	q->fd = connect_unix(path);
}

void qtest_close(struct qtest *q)
{
	close(q->fd);
	q->fd = -1;
}

static void send_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("qtest: QEMU is gone");
		p += n;
		len -= (size_t)n;
	}
}

/* The next line into line, without its end. */
static void get_line(struct qtest *q, char *line, size_t size)
{
	char *end;
	ssize_t n;
	size_t len;

	while (!(end = memchr(q->buf, '\n', q->have))) {
		CHECK(q->have < sizeof(q->buf));
		n = read(q->fd, q->buf + q->have, sizeof(q->buf) - q->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("qtest: QEMU is gone");
		q->have += (size_t)n;
	}
	len = (size_t)(end - q->buf);
	CHECK(len < size);
	memcpy(line, q->buf, len);
	line[len] = 0;
	q->have -= len + 1;
	memmove(q->buf, end + 1, q->have);
}

/* Sends a command and returns the number that comes back, or 0. */
static uint64_t command(struct qtest *q, const char *text)
{
	char line[256];

	send_all(q->fd, text, strlen(text));
	do {
		get_line(q, line, sizeof(line));
	} while (!strncmp(line, "IRQ ", 4));
	if (strncmp(line, "OK", 2) != 0)
		die("qtest: %.60s -> %s", text, line);
	return line[2] ? strtoull(line + 3, NULL, 0) : 0;
}

__attribute__((format(printf, 2, 3)))
static uint64_t commandf(struct qtest *q, const char *format, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return command(q, text);
}

uint8_t qtest_readb(struct qtest *q, uint64_t addr)
{
	return (uint8_t)commandf(q, "readb 0x%" PRIx64 "\n", addr);
}

uint16_t qtest_readw(struct qtest *q, uint64_t addr)
{
	return (uint16_t)commandf(q, "readw 0x%" PRIx64 "\n", addr);
}

uint32_t qtest_readl(struct qtest *q, uint64_t addr)
{
	return (uint32_t)commandf(q, "readl 0x%" PRIx64 "\n", addr);
}

void qtest_writeb(struct qtest *q, uint64_t addr, uint8_t v)
{
	commandf(q, "writeb 0x%" PRIx64 " 0x%x\n", addr, v);
}

void qtest_writew(struct qtest *q, uint64_t addr, uint16_t v)
{
	commandf(q, "writew 0x%" PRIx64 " 0x%x\n", addr, v);
}

void qtest_writel(struct qtest *q, uint64_t addr, uint32_t v)
{
	commandf(q, "writel 0x%" PRIx64 " 0x%" PRIx32 "\n", addr, v);
}

void qtest_outb(struct qtest *q, uint16_t port, uint8_t v)
{
	commandf(q, "outb 0x%x 0x%x\n", port, v);
}

void qtest_outw(struct qtest *q, uint16_t port, uint16_t v)
{
	commandf(q, "outw 0x%x 0x%x\n", port, v);
}

void qtest_outl(struct qtest *q, uint16_t port, uint32_t v)
{
	commandf(q, "outl 0x%x 0x%" PRIx32 "\n", port, v);
}

uint8_t qtest_inb(struct qtest *q, uint16_t port)
{
	return (uint8_t)commandf(q, "inb 0x%x\n", port);
}

uint16_t qtest_inw(struct qtest *q, uint16_t port)
{
	return (uint16_t)commandf(q, "inw 0x%x\n", port);
}

uint32_t qtest_inl(struct qtest *q, uint16_t port)
{
	return (uint32_t)commandf(q, "inl 0x%x\n", port);
}

void qtest_write(struct qtest *q, uint64_t addr, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * MAX_DATA + 64];
	const uint8_t *b = data;
	size_t i;
	int n;

	CHECK(len > 0 && len <= MAX_DATA);
	n = sprintf(text, "write 0x%" PRIx64 " 0x%zx 0x", addr, len);
	for (i = 0; i < len; i++) {
		text[n++] = digits[b[i] >> 4];
		text[n++] = digits[b[i] & 15];
	}
	text[n++] = '\n';
	text[n] = 0;
	command(q, text);
}

void qtest_memset(struct qtest *q, uint64_t addr, uint8_t v, size_t len)
{
	commandf(q, "memset 0x%" PRIx64 " 0x%zx 0x%x\n", addr, len, v);
}
