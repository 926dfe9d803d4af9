/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Part of hinting.pml: the thread that serves the hinting queue. */

inline use_buffer(p)
{
	queued[p] = false;
	printf("@ device used page=%d\n", p)
}

/* REUSE_IDS: an id is free again after the STOP of its own stream. */
inline note_stream(v)
{
	if
	:: REUSE_IDS && v == STOP ->
		if
		:: DROP_D5_OWN -> reissuable[0] = true; reissuable[1] = true
		:: !DROP_D5_OWN && stream != STOP ->
			reissuable[stream - IDMIN] = true
		:: else
		fi;
		stream = STOP
	:: REUSE_IDS && v != STOP -> stream = v
	:: else
	fi
}

#define starts(v) (v >= IDMIN && (v == cur || DROP_D4A) &&		\
	(session == REQUESTED ||					\
	 (DROP_D4C && (session == STOPPED || session == ACTIVE))))

inline on_command(v)
{
	note_stream(v);
	if
	:: starts(v) ->
		session = ACTIVE;
		if
		:: SHOW_STOP -> cfg = STOP
		:: else
		fi
	:: else ->
		if
		:: session == ACTIVE -> session = STOPPED; cfg = STOP
		:: else
		fi
	fi
}

#define accepts	(session == ACTIVE ||					\
	(DROP_D4B && session == REQUESTED))

#define is_pending(p)	((SKIP_PENDING == 1 && unarmed[p]) || late[p])

/* What the device does with a hint that it accepted. */
inline act_on(p)
{
	if
	:: NO_HINTS
	:: !NO_HINTS && DISCARD ->
		if
		:: !written[p] || DROP_D7 || DROP_D7_ATOMIC ->
			printf("@ device discard page=%d\n", p);
			reached(DISCARDED);
			if
			:: page[p] == HELD ->
				printf("@ violation discard-held page=%d\n", p);
				assert(false)
			:: else
			fi
		:: else
		fi
	:: !NO_HINTS && !DISCARD && !is_pending(p) ->
		printf("@ device skip page=%d\n", p);
		todo[p] = false;
		if
		:: DROP_D6 -> log[p] = false; unarmed[p] = false
		:: DROP_D6_LAZY -> rearm_chunk(p)
		:: else
		fi;
		if
		:: ARM && p > 0 -> reached(ARMED)
		:: else
		fi;
		if
		:: DROP_D8 -> todo[0] = false; todo[NP - 1] = false
		:: else
		fi;
		reached(SKIPPED);
		if
		:: resets > 0 && !reset_wanted -> reached(RESET_SKIPPED)
		:: nth == 2 && cancelled -> reached(SECOND_SKIPPED)
		:: restored -> reached(RESTORED_SKIPPED)
		:: else
		fi
	:: else
	fi
}

/* Sees the hint for the first time; it is acted on in a later step. */
inline on_hint(p)
{
	if
	:: accepts && !(DROP_D7_ATOMIC && written[p]) ->
		inflight = p;
		if
		:: USED_EARLY -> use_buffer(p)
		:: else
		fi
	:: else ->
		if
		:: old > 0 -> reached(RESTORED_OLD)
		:: else
		fi;
		use_buffer(p)
	fi
}

#define may_pop	(inflight == NONE && !suspended &&			\
	(!DROP_D10 || session == REQUESTED || session == ACTIVE))

active proctype device()
{
	mtype kind = COMMAND;
	byte v;

end:	do
	:: atomic {
		may_pop && nempty(vq) -> vq ? kind(v);
		if
		:: kind == COMMAND ->
			if
			:: SHARED_START && v != STOP -> v = start_buf
			:: else
			fi;
			printf("@ device pop kind=command id=%d session=%e\n",
			       v, session);
			on_command(v)
		:: kind == HINT ->
			printf("@ device pop kind=hint page=%d session=%e\n",
			       v, session);
			on_hint(v)
		fi;
		v = 0; kind = COMMAND;
		old = (old > 0 -> old - 1 : 0)
	   }
	:: atomic {
		inflight != NONE -> act_on(inflight);
		if
		:: !USED_EARLY -> use_buffer(inflight)
		:: else
		fi;
		inflight = NONE
	   }
	:: atomic {
		reset_wanted && (inflight == NONE || DROP_D3_RESET) ->
		if
		:: session == ACTIVE -> reached(RESET_MID)
		:: else
		fi;
		do
		:: vq ? kind(v)
		:: empty(vq) -> break
		od;
		v = 0; kind = COMMAND;
		session = STOPPED; cfg = STOP;
		stream = STOP; reissuable[0] = true; reissuable[1] = true;
		reset_wanted = false;
		printf("@ device reset\n")
	   }
	:: atomic {
		suspend_wanted && !suspended && inflight == NONE ->
		if
		:: session == ACTIVE && len(vq) > 0 ->
			reached(SUSPENDED_MID)
		:: else
		fi;
		if
		:: !DROP_SUS1 && session != ENDED ->
			session = STOPPED; cfg = STOP
		:: else
		fi;
		suspended = true; due = cfg;
		printf("@ device suspend\n")
	   }
	od
}
