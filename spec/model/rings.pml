/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The barriers of lib/vring, on processors that keep no order but the least.
 *
 * Two processors, driver and device, each with a short program: the accesses
 * to ring memory that the code makes, and its barriers.  A processor does its
 * accesses in any order that these allow:
 *
 *  - two accesses of one place stay in order;
 *  - a write that follows a branch comes after the read that decides on it
 *    (reads are not held back by a branch, nor by an address that was read);
 *  - RMB: earlier reads before later reads; WMB: earlier reads and writes
 *    before later writes; MB: everything before everything.
 *
 * That is what <fph/config.h> asks of a port and no more.  An access takes
 * effect for both processors at once; with two of them more is not to be seen.
 *
 * init chooses one of the programs below.  A switch takes one barrier of
 * lib/vring away, and its comment says where that is; ./run compares the list
 * with the sources.
 */

/* ---- barriers ---- */
#ifndef DROP_SPLIT_PUBLISH
#define DROP_SPLIT_PUBLISH 0	/* split_driver.c fph_split_publish: wmb */
#endif
#ifndef DROP_SPLIT_LOOK
#define DROP_SPLIT_LOOK 0	/* split_device.c look: rmb */
#endif
#ifndef DROP_SPLIT_PUSH
#define DROP_SPLIT_PUSH 0	/* split_device.c publish: wmb */
#endif
#ifndef DROP_SPLIT_LOOK_USED
#define DROP_SPLIT_LOOK_USED 0	/* split_driver.c fph_split_look_used: rmb */
#endif
#ifndef DROP_PACKED_PUBLISH
#define DROP_PACKED_PUBLISH 0	/* packed_driver.c fph_packed_publish: wmb */
#endif
#ifndef DROP_PACKED_POP
#define DROP_PACKED_POP 0	/* packed_device.c fph_packed_pop: rmb */
#endif
#ifndef DROP_PACKED_POP_FIRST
#define DROP_PACKED_POP_FIRST 0	/* but for buffers behind one */
#endif
#ifndef DROP_PACKED_POP_LATER
#define DROP_PACKED_POP_LATER 0	/* but for the first of a pop */
#endif
#ifndef DROP_PACKED_PUSH
#define DROP_PACKED_PUSH 0	/* packed_device.c publish: wmb */
#endif
#ifndef DROP_PACKED_LOOK_USED
#define DROP_PACKED_LOOK_USED 0	/* packed_driver.c fph_packed_look_used: rmb */
#endif
#ifndef DROP_EVENT_ASK
#define DROP_EVENT_ASK 0	/* packed.h fph_event_ask: wmb */
#endif
#ifndef DROP_EVENT_WANTS
#define DROP_EVENT_WANTS 0	/* packed.h fph_event_wants: rmb */
#endif
#ifndef DROP_KICK_DRIVER
#define DROP_KICK_DRIVER 0 /* vq_driver.c fph_vq_driver_should_notify: mb */
#endif
#ifndef DROP_KICK_DEVICE
#define DROP_KICK_DEVICE 0	/* vq_device.c fph_vq_device_want_notify: mb */
#endif
#ifndef DROP_IRQ_DEVICE
#define DROP_IRQ_DEVICE 0 /* vq_device.c fph_vq_device_should_notify: mb */
#endif
#ifndef DROP_IRQ_DRIVER
#define DROP_IRQ_DRIVER 0	/* vq_driver.c fph_vq_driver_want_notify: mb */
#endif

/* ---- other designs ---- */
#ifndef WMB_WRITES_ONLY
#define WMB_WRITES_ONLY 0	/* WMB lets earlier reads come later */
#endif
#ifndef OLD_PLACE
#define OLD_PLACE 0		/* an old place beside new flags is no error */
#endif

/* ---- places of memory: 0 at first, and 1 once they are written ---- */
mtype:place = {
	DESC, DESC2,		/* descriptors, also of a table; of packed ones
				   gpa and len */
	FLAGS, FLAGS2,		/* of packed descriptors */
	HEAD,			/* entry of the available ring */
	AVAIL_IDX,		/* in sleep(): or flags of a descriptor */
	USED_ID, USED_ID2, USED_LEN,
	USED_IDX,		/* in sleep(): or flags of a descriptor */
	BYTES,			/* of a buffer */
	WISH,			/* flags or event index of who sleeps */
	WISH_PLACE		/* packed: the place beside the flags */
};
#define PLACES	14

mtype:kind = { READ, WRITE, RMB, WMB, MB };
mtype:who = { DRIVER, DEVICE };

#define STEPS	10		/* of a program */
#define CLAIMS	4

/* A processor and what it does. */
typedef processor {
	mtype:kind kind[STEPS];
	mtype:place place[STEPS];
	mtype:place branch[STEPS];	/* WRITE: only if that was seen as 1 */
	short first[STEPS];		/* the steps before it, as bits */
	short done;
	byte n;
	bit saw[PLACES]
};

/* If one saw a value in a place, another one saw this in that. */
typedef claim {
	mtype:who if_who, then_who;
	mtype:place if_place, then_place;
	bit if_value, then_value
};

processor cpu[3];		/* by who */
bit memory[PLACES];
claim claims[CLAIMS];
byte nclaims;

/* --------------------------------------------------------------- steps -- */

inline put(who, k, p, if_new)
{
	cpu[who].kind[cpu[who].n] = k;
	cpu[who].place[cpu[who].n] = p;
	cpu[who].branch[cpu[who].n] = if_new;
	cpu[who].n++
}

inline barrier(who, k, dropped)
{
	if
	:: !(dropped) -> put(who, k, 0, 0)
	:: else
	fi
}

inline claim_that(who1, p1, v1, who2, p2, v2)
{
	claims[nclaims].if_who = who1;
	claims[nclaims].if_place = p1;
	claims[nclaims].if_value = v1;
	claims[nclaims].then_who = who2;
	claims[nclaims].then_place = p2;
	claims[nclaims].then_value = v2;
	nclaims++
}

#define read(who, p)			put(who, READ, p, 0)
#define write(who, p)			put(who, WRITE, p, 0)
#define write_if_new(who, p, seen)	put(who, WRITE, p, seen)

#define shows(who, shown, p)	claim_that(who, shown, 1, who, p, 1)
#define never_sees(who, p)	claim_that(who, p, 1, who, p, 0)

/* ------------------------------------------------------------ programs -- */

/* A buffer of a split ring: add, publish; pop. */
inline split_offer()
{
	write(DRIVER, BYTES);
	write(DRIVER, DESC);
	write(DRIVER, HEAD);
	barrier(DRIVER, WMB, DROP_SPLIT_PUBLISH);
	write(DRIVER, AVAIL_IDX);

	read(DEVICE, AVAIL_IDX);
	barrier(DEVICE, RMB, DROP_SPLIT_LOOK);
	read(DEVICE, HEAD);
	read(DEVICE, DESC);
	read(DEVICE, BYTES);

	shows(DEVICE, AVAIL_IDX, HEAD);
	shows(DEVICE, AVAIL_IDX, DESC);
	shows(DEVICE, AVAIL_IDX, BYTES)
}

/* It comes back: push; take_used. */
inline split_use()
{
	write(DEVICE, BYTES);
	write(DEVICE, USED_ID);
	write(DEVICE, USED_LEN);
	barrier(DEVICE, WMB, DROP_SPLIT_PUSH);
	write(DEVICE, USED_IDX);

	read(DRIVER, USED_IDX);
	barrier(DRIVER, RMB, DROP_SPLIT_LOOK_USED);
	read(DRIVER, USED_ID);
	read(DRIVER, USED_LEN);
	read(DRIVER, BYTES);

	shows(DRIVER, USED_IDX, USED_ID);
	shows(DRIVER, USED_IDX, USED_LEN);
	shows(DRIVER, USED_IDX, BYTES)
}

/* What pop copied is not what the driver writes there for the next buffer. */
inline split_reuse()
{
	read(DEVICE, HEAD);
	read(DEVICE, DESC);
	read(DEVICE, BYTES);
	write(DEVICE, USED_ID);
	barrier(DEVICE, WMB, DROP_SPLIT_PUSH);
	write(DEVICE, USED_IDX);

	read(DRIVER, USED_IDX);
	write_if_new(DRIVER, BYTES, USED_IDX);
	write_if_new(DRIVER, DESC, USED_IDX);
	write_if_new(DRIVER, HEAD, USED_IDX);

	never_sees(DEVICE, HEAD);
	never_sees(DEVICE, DESC);
	never_sees(DEVICE, BYTES)
}

/* Nor is a length that take_used copied that of the next lap. */
inline split_length()
{
	read(DRIVER, USED_LEN);
	write(DRIVER, DESC);
	barrier(DRIVER, WMB, DROP_SPLIT_PUBLISH);
	write(DRIVER, AVAIL_IDX);

	read(DEVICE, AVAIL_IDX);
	write_if_new(DEVICE, USED_LEN, AVAIL_IDX);

	never_sees(DRIVER, USED_LEN)
}

/* A list of two descriptors: the flags of the first come last. */
inline packed_offer()
{
	write(DRIVER, BYTES);
	write(DRIVER, DESC);
	write(DRIVER, DESC2);
	write(DRIVER, FLAGS2);
	barrier(DRIVER, WMB, DROP_PACKED_PUBLISH);
	write(DRIVER, FLAGS);

	read(DEVICE, FLAGS);
	barrier(DEVICE, RMB, DROP_PACKED_POP);
	read(DEVICE, DESC);
	read(DEVICE, FLAGS2);
	read(DEVICE, DESC2);
	read(DEVICE, BYTES);

	shows(DEVICE, FLAGS, DESC);
	shows(DEVICE, FLAGS, FLAGS2);
	shows(DEVICE, FLAGS, DESC2);
	shows(DEVICE, FLAGS, BYTES)
}

/* Two buffers, each published alone; one pop takes both. */
inline packed_offer_more()
{
	write(DRIVER, DESC);
	barrier(DRIVER, WMB, DROP_PACKED_PUBLISH);
	write(DRIVER, FLAGS);
	write(DRIVER, DESC2);
	barrier(DRIVER, WMB, DROP_PACKED_PUBLISH);
	write(DRIVER, FLAGS2);

	read(DEVICE, FLAGS);
	barrier(DEVICE, RMB, DROP_PACKED_POP || DROP_PACKED_POP_FIRST);
	read(DEVICE, DESC);
	read(DEVICE, FLAGS2);
	barrier(DEVICE, RMB, DROP_PACKED_POP || DROP_PACKED_POP_LATER);
	read(DEVICE, DESC2);

	shows(DEVICE, FLAGS, DESC);
	shows(DEVICE, FLAGS2, DESC2)
}

/* A batch of two is used: the flags of the first come last. */
inline packed_use()
{
	write(DEVICE, BYTES);
	write(DEVICE, USED_ID);
	write(DEVICE, USED_ID2);
	write(DEVICE, FLAGS2);
	barrier(DEVICE, WMB, DROP_PACKED_PUSH);
	write(DEVICE, FLAGS);

	read(DRIVER, FLAGS);
	barrier(DRIVER, RMB, DROP_PACKED_LOOK_USED);
	read(DRIVER, USED_ID);
	read(DRIVER, BYTES);
	read(DRIVER, FLAGS2);
	barrier(DRIVER, RMB, DROP_PACKED_LOOK_USED);
	read(DRIVER, USED_ID2);

	shows(DRIVER, FLAGS, USED_ID);
	shows(DRIVER, FLAGS, BYTES);
	shows(DRIVER, FLAGS, FLAGS2);
	shows(DRIVER, FLAGS, USED_ID2)
}

/* The second descriptor of a list, which no used one overwrites. */
inline packed_reuse()
{
	read(DEVICE, DESC2);
	write(DEVICE, USED_ID);
	barrier(DEVICE, WMB, DROP_PACKED_PUSH);
	write(DEVICE, FLAGS);

	read(DRIVER, FLAGS);
	write_if_new(DRIVER, DESC2, FLAGS);

	never_sees(DEVICE, DESC2)
}

/*
 * One asks to be told and looks again; the other shows something and looks
 * whether to tell.  WISH is of one word: flags, or a split ring's event index.
 */
inline sleep(asks, drop_ask, tells, drop_tell, shown)
{
	write(asks, WISH);
	barrier(asks, MB, drop_ask);
	read(asks, shown);

	write(tells, shown);
	barrier(tells, MB, drop_tell);
	read(tells, WISH);

	claim_that(asks, shown, 0, tells, WISH, 1)
}

/* The same by the flags and the place of a packed ring's event structure. */
inline sleep_at_place(asks, drop_ask, tells, drop_tell)
{
	write(asks, WISH_PLACE);
	barrier(asks, WMB, DROP_EVENT_ASK);
	write(asks, WISH);
	barrier(asks, MB, drop_ask);
	read(asks, FLAGS);

	write(tells, FLAGS);
	barrier(tells, MB, drop_tell);
	read(tells, WISH);
	barrier(tells, RMB, DROP_EVENT_WANTS);
	read(tells, WISH_PLACE);

	claim_that(asks, FLAGS, 0, tells, WISH, 1);
	claim_that(asks, FLAGS, 0, tells, WISH_PLACE, 1);
	if
	:: !OLD_PLACE -> shows(tells, WISH, WISH_PLACE)
	:: else
	fi
}

inline choose_program()
{
	if
	:: split_offer()
	:: split_use()
	:: split_reuse()
	:: split_length()
	:: packed_offer()
	:: packed_offer_more()
	:: packed_use()
	:: packed_reuse()
	:: sleep(DEVICE, DROP_KICK_DEVICE, DRIVER, DROP_KICK_DRIVER,
		 AVAIL_IDX)
	:: sleep(DRIVER, DROP_IRQ_DRIVER, DEVICE, DROP_IRQ_DEVICE, USED_IDX)
	:: sleep_at_place(DEVICE, DROP_KICK_DEVICE, DRIVER, DROP_KICK_DRIVER)
	:: sleep_at_place(DRIVER, DROP_IRQ_DRIVER, DEVICE, DROP_IRQ_DEVICE)
	fi
}

/* --------------------------------------------------------------- order -- */

#define kind_of(i)	cpu[who].kind[i]
#define is_access(i)	(kind_of(i) == READ || kind_of(i) == WRITE)
#define is_before_wmb(i) (kind_of(i) == WRITE ||			\
			  kind_of(i) == READ && !WMB_WRITES_ONLY)

/* Whether step j must be done before step i, which stands behind it. */
#define stays_before(j, i)						\
	(kind_of(j) == MB || kind_of(i) == MB ||			\
	 kind_of(j) == READ && kind_of(i) == RMB ||			\
	 kind_of(j) == RMB && kind_of(i) == READ ||			\
	 is_before_wmb(j) && kind_of(i) == WMB ||			\
	 kind_of(j) == WMB && kind_of(i) == WRITE ||			\
	 is_access(j) && is_access(i) &&				\
		cpu[who].place[j] == cpu[who].place[i] ||		\
	 kind_of(j) == READ && cpu[who].branch[i] == cpu[who].place[j])

inline order_steps(who)
{
	for (i : 0 .. cpu[who].n - 1) {
		for (j : 0 .. i) {
			if
			:: j < i && stays_before(j, i) ->
				cpu[who].first[i] = cpu[who].first[i] | 1 << j
			:: else
			fi
		}
	}
}

/* ---------------------------------------------------------- processors -- */

inline do_step()
{
	p = cpu[me].place[i];
	if
	:: cpu[me].kind[i] == READ ->
		cpu[me].saw[p] = memory[p];
		printf("@ %e read place=%e value=%d\n", me, p, memory[p])
	:: cpu[me].kind[i] == WRITE &&
	   (!cpu[me].branch[i] || cpu[me].saw[cpu[me].branch[i]]) ->
		memory[p] = 1;
		printf("@ %e write place=%e\n", me, p)
	:: else
	fi;
	cpu[me].done = cpu[me].done | 1 << i;
	p = 0
}

proctype run_cpu(mtype:who me)
{
	byte i;
	mtype:place p;

	do
	:: atomic {
		select (i : 0 .. STEPS - 1);
		if
		:: i < cpu[me].n && !(cpu[me].done & 1 << i) &&
		   !(cpu[me].first[i] & ~cpu[me].done) -> do_step()
		:: else
		fi;
		i = 0
	   }
	:: cpu[me].done == (1 << cpu[me].n) - 1 -> break
	od
}

/* ------------------------------------------------------------ verdicts -- */

#define if_saw(c)	(cpu[c.if_who].saw[c.if_place] == c.if_value)
#define then_saw(c)	(cpu[c.then_who].saw[c.then_place] == c.then_value)

init {
	byte i, j;

	atomic {
		choose_program();
		order_steps(DRIVER);
		order_steps(DEVICE);
		run run_cpu(DRIVER);
		run run_cpu(DEVICE)
	};
	_nr_pr == 1;
	for (i : 0 .. nclaims - 1) {
		if
		:: if_saw(claims[i]) && !then_saw(claims[i]) ->
			printf("@ violation order place=%e\n",
			       claims[i].then_place);
			assert(false)
		:: else
		fi
	}
}
