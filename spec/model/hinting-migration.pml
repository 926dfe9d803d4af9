/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Part of hinting.pml: the thread that migrates, cancels and restores. */

inline stop_hints()
{
	if
	:: DROP_SUS1 && suspended	/* it cannot be shown, so ... */
	:: else -> session = STOPPED; set_config(STOP)
	fi;
	printf("@ host stop\n")
}

#define quiet		(inflight == NONE)

/* Brackets every sync: D2, then D3. */
inline before_sync(drop)
{
	atomic {
		if
		:: drop
		:: else -> stop_hints()
		fi
	};
	drop || DROP_D3 || quiet
}

inline sync(p)
{
	for_pages(p) {
		d_step {
			printf("@ host sync page=%d dirty=%d\n", p, log[p]);
			todo[p] = todo[p] || log[p];
			if
			:: LAZY_LOG -> unarmed[p] = log[p]
			:: else -> log[p] = false
			fi;
			if
			:: suspended -> reached(SUSPENDED_SYNC)
			:: else
			fi
		}
	};
	p = 0
}

inline arm_guard(p)
{
	for_pages(p) { written[p] = false };
	p = 0
}

inline choose_id()
{
	if
	:: REUSE_IDS && reissuable[0] -> cur = IDMIN
	:: REUSE_IDS && reissuable[1] -> cur = IDMIN + 1
	:: REUSE_IDS && !reissuable[0] && !reissuable[1] -> cur = STOP
	:: !REUSE_IDS -> cur = next_id; next_id++
	fi;
	if
	:: REUSE_IDS && cur != STOP && !DROP_D5 ->
		reissuable[cur - IDMIN] = false
	:: else
	fi
}

inline note_issued()
{
	if
	:: REACH == REISSUED ->
		if
		:: issued[cur - IDMIN] -> reached(REISSUED)
		:: else -> issued[cur - IDMIN] = true
		fi
	:: else
	fi
}

inline note_late(p)
{
	for_pages(p) { late[p] = unarmed[p] };
	p = 0
}

inline publish(p)
{
	atomic {
		if
		:: suspended -> cur = STOP
		:: else -> choose_id()
		fi;
		if
		:: cur != STOP ->
			session = REQUESTED; cfg = cur;
			printf("@ host publish id=%d\n", cur);
			note_issued()
		:: else
		fi;
		if
		:: DISCARD && !DROP_D7_ARM -> arm_guard(p)
		:: SKIP_PENDING == 2 -> note_late(p)
		:: else
		fi
	};
#if DROP_D7_ARM
	atomic { arm_guard(p) }
#endif
}

/* Takes the bit, re-arms the log, then copies: a write between is logged. */
inline send_page(p)
{
	d_step {
		todo[p] = false;
		rearm_chunk(p)
	};
	d_step {
		same[p] = true;
		printf("@ host send page=%d\n", p)
	}
}

/* Writes stop being logged, or begin to be, for a new destination. */
inline set_migrating(on, p)
{
	logging = on;
	for_pages(p) {
		log[p] = on && LAZY_LOG;
		todo[p] = on;
		same[p] = false;
		unarmed[p] = false;
		late[p] = false
	};
	p = 0
}

inline check_switchover(p)
{
	for_pages(p) {
		if
		:: DISCARD || same[p] || (ARM && p == 0)
		:: !DISCARD && !same[p] && page[p] == HELD && p >= ARM ->
			printf("@ violation data-lost page=%d\n", p);
			assert(false)
		:: else -> reached(SAVED)
		fi
	};
	p = 0
}

active proctype migration()
{
	byte round, p;

begin:	if
	:: STOP_FIRST && nth < MIGRATIONS -> before_sync(0)
	:: else
	fi;
	atomic {
		if
		:: nth == MIGRATIONS -> goto finish
		:: else
		fi;
		nth++; round = 0;
		set_migrating(true, p);
		printf("@ host begin migration=%d\n", nth);
		if
		:: DROP_D5_CANCEL -> next_id = IDMIN
		:: else
		fi
	};
	do
	:: round < ROUNDS ->
		before_sync(DROP_D2);
#if DROP_D1
		publish(p);
		sync(p);
#else
		sync(p);
		publish(p);
#endif
		do
		:: p < NP && todo[p] -> send_page(p); p++
		:: p < NP -> p++	/* not in this round */
		:: p == NP -> break
		:: CANCEL -> goto cancel
		:: RESTORE && !restored -> goto restore
		od;
		p = 0; round++
	:: else -> break
	od;

	/* stop and copy */
	atomic { !reset_wanted -> paused = true; printf("@ host pause\n") };
	before_sync(DROP_D2 || DROP_D2_FINAL);
	sync(p);
	atomic {
		if
		:: !DROP_D9 -> session = ENDED; set_config(DONE);
			printf("@ host done\n")
		:: else
		fi
	};
	do
	:: p < NP && todo[p] -> send_page(p); p++
	:: p < NP && !todo[p] -> p++
	:: p == NP -> break
	od;
	atomic {
		printf("@ host switchover migration=%d\n", nth);
		check_switchover(p);
		if
		:: nth == 2 && cancelled -> reached(SECOND)
		:: else
		fi;
		/* the guest runs on at the destination, with its ring */
		set_migrating(false, p);
		paused = false
	};
	goto begin;

cancel:	atomic {
		p = 0; cancelled = true;
		printf("@ host cancel\n");
		if
		:: !DROP_D2_CANCEL -> stop_hints()
		:: else
		fi
	};
	DROP_D2_CANCEL || DROP_D3_CANCEL || quiet;
	atomic {
		if
		:: !DROP_D9_CANCEL -> set_config(DONE); printf("@ host done\n");
			if
			:: !DROP_D2_CANCEL -> session = ENDED
			:: else
			fi
		:: else
		fi;
		set_migrating(false, p)
	};
	goto begin;

	/*
	 * Save and restore, at any moment.  What is in guest memory comes
	 * back: pages and ring.  Of the device the saved state comes back: id
	 * counter, streams seen, and the popped buffer, which is returned.
	 * No dirty log does, so no migration runs and the session is not live.
	 */
restore: atomic {
		!reset_wanted && (RESTORE == 1 || len(vq) > 0) ->
		p = 0; restored = true;
		old = (REACH == RESTORED_OLD -> len(vq) : 0);
		if
		:: session == ACTIVE && inflight != NONE && len(vq) > 0 ->
			reached(RESTORED_MID)
		:: else
		fi;
		printf("@ host restore\n");
		if
		:: DROP_D3_RESTORE || inflight == NONE
		:: else ->
			if
			:: !DROP_D10_RESTORE -> use_buffer(inflight)
			:: else
			fi;
			inflight = NONE
		fi;
		if
		:: !DROP_D2_RESTORE -> session = STOPPED; cfg = STOP
		:: else
		fi;
		if
		:: !DROP_D9_RESTORE -> cfg = DONE; printf("@ host done\n");
			if
			:: !DROP_D2_RESTORE -> session = ENDED
			:: else
			fi
		:: else
		fi;
		if
		:: DROP_D5_RESTORE -> next_id = IDMIN
		:: else
		fi;
		set_migrating(false, p)
	};
	goto begin;

finish:	over = true
}
