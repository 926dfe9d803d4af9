/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs a fuzz target without a fuzzer.
 *
 * With arguments: the files named, as raw bytes, or as hexadecimal text when
 * the name ends in .hex ('#' begins a comment), or as a corpus of one such
 * input a line when it ends in .corpus.  Without: every seed of the target in
 * the source tree, then inputs from a fixed pseudo-random sequence.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_SIZE	65536
#define RANDOM_INPUTS	3000

static uint8_t input[INPUT_SIZE];

static size_t read_raw(FILE *f)
{
	return fread(input, 1, sizeof(input), f);
}

/* The rest of the file, or of the line. */
static size_t read_hex(FILE *f, const char *path, bool line)
{
	size_t nibbles = 0;
	int c;

	memset(input, 0, sizeof(input));
	while ((c = getc(f)) != EOF && nibbles < 2 * sizeof(input)) {
		int v;

		if (c == '#') {
			while (c != '\n' && c != EOF)
				c = getc(f);
			ungetc(c, f);
			continue;
		}
		if (line && c == '\n')
			break;
		if (isspace(c))
			continue;
		if (!isxdigit(c)) {
			fprintf(stderr, "%s: not hexadecimal: %c\n", path, c);
			exit(1);
		}
		v = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		input[nibbles / 2] |= (uint8_t)(nibbles & 1 ? v : v << 4);
		nibbles++;
	}
	return nibbles / 2;
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);

	return len > n && !strcmp(path + len - n, end);
}

static void run_corpus(FILE *f, const char *path)
{
	unsigned int n = 0;

	while (!feof(f)) {
		size_t size = read_hex(f, path, true);

		if (!size)
			continue;
		LLVMFuzzerTestOneInput(input, size);
		n++;
	}
	printf("%s: %u inputs\n", path, n);
}

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	if (ends_with(path, ".corpus")) {
		run_corpus(f, path);
		fclose(f);
		return;
	}
	size = ends_with(path, ".hex") ? read_hex(f, path, false) :
					 read_raw(f);
	fclose(f);
	printf("%s: %zu bytes\n", path, size);
	fflush(stdout);
	LLVMFuzzerTestOneInput(input, size);
}

/* Returns how many seeds ran. */
static unsigned int run_seeds(const char *dir)
{
	unsigned int n = 0;
	struct dirent *e;
	char path[4096];
	DIR *d = opendir(dir);

	if (!d) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		exit(1);
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir,
				     e->d_name) >= sizeof(path))
			continue;
		run_file(path);
		n++;
	}
	closedir(d);
	return n;
}

/*
 * Small values often: they reach further into a target than noise does.  But
 * the first byte is what kind of ring it is.
 */
static void run_random(void)
{
	uint64_t x = 1;

	for (unsigned int i = 0; i < RANDOM_INPUTS; i++) {
		size_t size = i % 512;

		for (size_t k = 0; k < size; k++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			input[k] = (uint8_t)(x >> 56);
			if (k && x & (uint64_t)3 << 40)
				input[k] &= 7;
		}
		LLVMFuzzerTestOneInput(input, size);
	}
	printf("%d random inputs\n", RANDOM_INPUTS);
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *name = strrchr(argv[0], '/');
	char dir[4096];

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			run_file(argv[i]);
		return 0;
	}
	name = name ? name + 1 : argv[0];
	if (!strncmp(name, "fuzz_", 5))
		name += 5;
	if ((size_t)snprintf(dir, sizeof(dir), "%s/fuzz/seeds/%s",
			     top ? top : ".", name) >= sizeof(dir))
		return 1;
	if (!run_seeds(dir)) {
		fprintf(stderr, "%s: no seeds\n", dir);
		return 1;
	}
	run_random();
	return 0;
}
