/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Part of hinting.pml: the guest that uses its memory, and its driver. */

inline write(p)
{
	printf("@ guest write page=%d\n", p);
	if
	:: logging -> log[p] = true; same[p] = false
	:: else
	fi;
	if
	:: DISCARD -> written[p] = true
	:: else
	fi
}

#define may_reclaim(p)	(!WAIT_USED || !queued[p])

active proctype guest()
{
	byte p;

end:	do
	:: atomic {
		!paused -> select(p : ARM .. NP - 1);
		if
		:: page[p] == FREE ->
			page[p] = HELD;
			printf("@ guest take page=%d\n", p);
			if
			:: !DROP_V2 -> write(p)
			:: else
			fi
		:: page[p] == HELD ->
			write(p)
		:: page[p] == HELD ->
			page[p] = FREE;
			printf("@ guest free page=%d\n", p)
		:: page[p] == HINTED && may_reclaim(p) ->
			page[p] = FREE;
			printf("@ guest reclaim page=%d\n", p);
			reached(RECLAIMED)
		:: page[p] == HINTED	/* nor need it ever reclaim */
		fi;
		p = 0
	   }
	od
}

/* ------------------------------------------------------------ driver ---- */

/* Leaves NONE if it looked at no free page. */
inline pick_free(p)
{
	p = 0;
	do
	:: page[p] == FREE -> break
	:: p < NP - 1 -> p++
	:: else -> p = NONE; break
	od
}

inline take_back(p)
{
	if
	:: page[p] == HINTED && may_reclaim(p) ->
		page[p] = FREE;
		printf("@ driver release page=%d\n", p)
	:: else
	fi
}

/*
 * The driver's work is cancelled, so this happens between its steps.  Pages
 * come back after the device confirmed, all of them: nothing is queued then.
 */
inline reset_device()
{
	atomic {
		resets < RESETS && !paused ->
		resets++;
		reset_wanted = true;
		printf("@ driver reset\n");
		if
		:: TAKE_BACK_EARLY ->
			for_pages(p) { queued[p] = false; take_back(p) };
			p = 0
		:: else
		fi
	};
	atomic {
		!reset_wanted && !paused ->
		for_pages(p) { queued[p] = false; take_back(p) };
		p = 0; id = STOP; sent_id = STOP
	}
}

/* Between two of its steps, too; buffers and pages stay as they are. */
inline suspend_device()
{
	atomic {
		suspends < SUSPENDS && !paused ->
		suspends++;
		suspend_wanted = true;
		printf("@ driver suspend\n")
	};
	atomic {
		suspended && !paused ->
		suspend_wanted = false; suspended = false;
		if
		:: !DROP_SUS4 -> cfg = due
		:: else
		fi;
		due = STOP;
		printf("@ driver resume\n")
	}
}

/*
 * V3 is a matter of time only.  Safety runs leave it out, so they also cover
 * drivers that go on under an old id for as long as they like.
 */
#define may_go_on	(!LIVE || DROP_V3 || cfg == id)

active proctype driver()
{
	byte id = STOP;		/* config value as last read */
	byte sent_id = STOP;	/* id of the last stream, STOP: none */
	byte early = NONE;	/* DROP_V1: page picked before the id is read */
	byte p;

end:
idle:	do
	:: atomic {
		DROP_V1 && !paused && early == NONE -> pick_free(early)
	   }
	:: atomic {
		!paused && cfg != id -> id = cfg;
		printf("@ driver read id=%d\n", id);
		if
		:: id < IDMIN -> sent_id = STOP
		:: else
		fi
	   }
	:: atomic {
		!paused && id == DONE -> for_pages(p) { take_back(p) };
		p = 0
	   }
	:: reset_device()
	:: suspend_device()
	:: atomic {
		!paused && id >= IDMIN && id != sent_id && nfull(vq) ->
		vq ! COMMAND(id); sent_id = id; start_buf = id;
		printf("@ driver send kind=start id=%d\n", id)
	   };
	   if
	   :: atomic {
		early != NONE && !paused && nfull(vq) ->
		vq ! HINT(early);
		printf("@ driver send kind=hint page=%d\n", early);
		early = NONE
	      }
	   :: early == NONE
	   fi;
#if ARM
	   atomic {
		!paused && nfull(vq) -> vq ! HINT(0); queued[0] = true;
		printf("@ driver send kind=hint page=0\n")
	   };
	   !paused && !queued[0];
#endif
more:	   do
	   :: atomic {
		!paused && may_go_on -> pick_free(p);
		if
		:: p == NONE -> p = 0; goto more
		:: else -> page[p] = HINTED; queued[p] = WAIT_USED
		fi
	      };
	      atomic {
		!paused && nfull(vq) -> vq ! HINT(p);
		printf("@ driver send kind=hint page=%d\n", p);
		p = 0
	      }
	   :: reset_device(); goto idle
	   :: suspend_device()
	   :: OMIT_STOP -> goto idle
	   :: atomic {
		!paused && nfull(vq) -> vq ! COMMAND(STOP);
		printf("@ driver send kind=stop\n");
		goto idle
	      }
	   od
	od
}
