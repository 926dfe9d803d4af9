/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "aside.h"
#include "closer.h"
#include "file_kind.h"
#include "log.h"

#define END_MS		200

static struct aside aside;
static unsigned int users;

static void do_close(intptr_t fd)
{
	close((int)fd);
}

void closer_init(void)
{
	int err;

	if (users++)
		return;
	err = aside_start(&aside, do_close);
	if (err)
		log_line("no thread to close files with");
}

void closer_fini(void)
{
	if (--users == 0)
		aside_stop(&aside, END_MS);
}

void closer_close(int fd)
{
	switch (file_get_kind(fd)) {
	case FILE_PIPE:
	case FILE_LOCAL_SOCKET:
	case FILE_NONE:
	case FILE_MEMORY:
		close(fd);
		return;
	}
	if (!aside.started)
		close(fd);
	else if (!aside_put(&aside, fd))
		log_line("descriptor %d is left open: those before it are "
			 "still being closed", fd);
}
