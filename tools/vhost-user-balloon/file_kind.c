/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_kind.h"

static bool is_local(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       domain == AF_UNIX;
}

int file_get_kind(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return FILE_OTHER;
	switch (st.stx_mode & S_IFMT) {
	case 0:
		return FILE_NONE;
	case S_IFIFO:
		return FILE_PIPE;
	case S_IFSOCK:
		return is_local(fd) ? FILE_LOCAL_SOCKET : FILE_OTHER;
	case S_IFREG:
		/* Only these two kinds of memory have seals. */
		return fcntl(fd, F_GET_SEALS) >= 0 ? FILE_MEMORY : FILE_OTHER;
	}
	return FILE_OTHER;
}

static bool is_listed(const char *name, const char *names)
{
	size_t len = strlen(name);

	while (*names) {
		size_t n = strcspn(names, ",");

		if (n == len && !memcmp(names, name, n))
			return true;
		names += n + (names[n] == ',');
	}
	return false;
}

/* A line of mountinfo: ... MAJOR:MINOR ... - TYPE ... */
static bool is_mount_of(char *line, unsigned int major, unsigned int minor,
			const char *names)
{
	unsigned int found_major, found_minor;
	char type[64];
	char *dash = strstr(line, " - ");

	return dash && sscanf(line, "%*u %*u %u:%u", &found_major,
			      &found_minor) == 2 &&
	       found_major == major && found_minor == minor &&
	       sscanf(dash, " - %63s", type) == 1 && is_listed(type, names);
}

static FILE *mounts;

void file_prepare(void)
{
	if (!mounts)
		mounts = fopen("/proc/self/mountinfo", "re");
}

bool file_is_on(int fd, const char *names)
{
	struct statx st;
	char line[4096];
	bool found = false;

	file_prepare();
	if (!mounts)
		return false;
	/* Read anew: what is mounted changes. */
	rewind(mounts);
	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
		   &st)) {
		while (!found && fgets(line, sizeof(line), mounts))
			found = is_mount_of(line, st.stx_dev_major,
					    st.stx_dev_minor, names);
	}
	return found;
}
