// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Two faults that a kernel with KASAN and lockdep must see: memory that is read
 * after it was freed, and two locks that are taken in both orders.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(two);

static void lock_both(struct mutex *first, struct mutex *second)
{
	mutex_lock(first);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static int __init seeded_init(void)
{
	volatile char *freed = kmalloc(64, GFP_KERNEL);

	if (!freed)
		return -ENOMEM;
	/* First, for lockdep rests after a report of KASAN. */
	lock_both(&one, &two);
	lock_both(&two, &one);
	kfree((void *)freed);
	pr_info("seeded: %d\n", freed[8]);
	return 0;
}

static void __exit seeded_exit(void)
{
}

module_init(seeded_init);
module_exit(seeded_exit);
MODULE_DESCRIPTION("Faults that a kernel for debugging must see");
MODULE_LICENSE("Dual BSD/GPL");
