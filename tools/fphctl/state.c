/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * freeze, thaw, save, load.
 *
 * The daemon opens no files: the state goes through memory that is handed to
 * it, and from there to the file, or the other way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arguments.h"

static void put_ms(json_t *args, const char *name, double seconds)
{
	if (seconds > 0)
		json_object_set_new(args, name,
				    json_integer((json_int_t)(seconds * 1000)));
}

static json_t *get_args(const struct arguments *a)
{
	json_t *args = json_object();

	if (a->reason)
		json_object_set_new(args, "reason", json_string(a->reason));
	return args;
}

int run_freeze(struct client *c, const struct arguments *a)
{
	json_t *args = get_args(a);

	if (a->nwords == 2)
		json_object_set_new(args, "mode", json_string(a->words[1]));
	put_ms(args, "timeout-ms", a->timeout);
	put_ms(args, "lease-ms", a->lease);
	return run_simple(c, a, "freeze", args);
}

int run_thaw(struct client *c, const struct arguments *a)
{
	json_t *args = get_args(a);

	if (a->all)
		json_object_set_new(args, "all", json_true());
	return run_simple(c, a, "thaw", args);
}

/* ----------------------------------------------------------- save and load */

static int failed(const char *what, int err)
{
	fprintf(stderr, "fphctl: %s: %s\n", what, strerror(err));
	return EXIT_REFUSED;
}

/* All that there is, from where both stand.  0, or a positive errno value. */
static int copy(int from, int to)
{
	char buf[65536];
	ssize_t n, k, done;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		for (done = 0; done < n; done += k) {
			k = write(to, buf + done, (size_t)(n - done));
			if (k < 0)
				return errno;
		}
	}
	return n < 0 ? errno : 0;
}

static int exchange(struct client *c, const char *name, int fd)
{
	json_t *answer;
	int code = client_execute_with(c, name, NULL, fd, &answer);

	json_decref(answer);
	return code;
}

static int write_file(int fd, const char *path)
{
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err;

	if (out < 0)
		return failed(path, errno);
	err = lseek(fd, 0, SEEK_SET) ? errno : copy(fd, out);
	if (!err && fsync(out) && errno != EINVAL)
		err = errno;
	if (close(out) && !err)
		err = errno;
	return err ? failed(path, err) : EXIT_OK;
}

static int with_memory(struct client *c, const char *path, bool load)
{
	int in = -1, err = 0, code;
	int fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return failed("memfd", errno);
	if (load) {
		in = open(path, O_RDONLY | O_CLOEXEC);
		err = in < 0 ? errno : copy(in, fd);
	}
	code = err ? failed(path, err) :
		     exchange(c, load ? "load" : "save", fd);
	if (code == EXIT_OK && !load)
		code = write_file(fd, path);
	if (in >= 0)
		close(in);
	close(fd);
	return code;
}

int run_save(struct client *c, const struct arguments *a)
{
	if (a->nwords != 2)
		return usage("save needs a file");
	return with_memory(c, a->words[1], false);
}

int run_load(struct client *c, const struct arguments *a)
{
	if (a->nwords != 2)
		return usage("load needs a file");
	return with_memory(c, a->words[1], true);
}
