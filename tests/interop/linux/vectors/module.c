// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The vectors inside the kernel: they run when the module is loaded, and it is
 * loaded only if they pass.  What they say goes into the kernel's log.
 */
#include <linux/kernel.h>
#include <linux/module.h>

int image_run(void);
void image_put(int c);
void image_exit(int code);

void image_put(int c)
{
	static char line[200];
	static size_t len;

	if (c != '\n' && len + 1 < sizeof(line)) {
		line[len++] = c;
		return;
	}
	line[len] = '\0';
	pr_info("%s: %s\n", KBUILD_MODNAME, line);
	len = 0;
}

void image_exit(int code)
{
	panic("%s: status %d\n", KBUILD_MODNAME, code);
}

static int __init vectors_init(void)
{
	return image_run() ? -EINVAL : 0;
}

static void __exit vectors_exit(void)
{
}

module_init(vectors_init);
module_exit(vectors_exit);
MODULE_DESCRIPTION("the vectors of libfph, inside the kernel");
MODULE_LICENSE("Dual BSD/GPL");
