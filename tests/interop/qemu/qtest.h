/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Client of QEMU's qtest protocol: what a processor would do to memory,
 * registers and ports.  What is written here is seen by the dirty log, which
 * a write through a mapping of guest memory is not.
 */
#ifndef FPH_QEMU_QTEST_H
#define FPH_QEMU_QTEST_H

#include <stddef.h>
#include <stdint.h>

struct qtest {
	int fd;
	size_t have;			/* bytes in buf */
	char buf[4096];
};

/* Connects to a socket, for which it waits up to 30 seconds. */
int connect_unix(const char *path);

void qtest_open(struct qtest *q, const char *path);
void qtest_close(struct qtest *q);

uint8_t qtest_readb(struct qtest *q, uint64_t addr);
uint16_t qtest_readw(struct qtest *q, uint64_t addr);
uint32_t qtest_readl(struct qtest *q, uint64_t addr);
void qtest_writeb(struct qtest *q, uint64_t addr, uint8_t v);
void qtest_writew(struct qtest *q, uint64_t addr, uint16_t v);
void qtest_writel(struct qtest *q, uint64_t addr, uint32_t v);
void qtest_outb(struct qtest *q, uint16_t port, uint8_t v);
void qtest_outw(struct qtest *q, uint16_t port, uint16_t v);
void qtest_outl(struct qtest *q, uint16_t port, uint32_t v);
uint8_t qtest_inb(struct qtest *q, uint16_t port);
uint16_t qtest_inw(struct qtest *q, uint16_t port);
uint32_t qtest_inl(struct qtest *q, uint16_t port);

/* Guest memory; len up to 4096. */
void qtest_write(struct qtest *q, uint64_t addr, const void *data, size_t len);
void qtest_memset(struct qtest *q, uint64_t addr, uint8_t v, size_t len);

#endif /* FPH_QEMU_QTEST_H */
