/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Free page reporting.
 *
 * Three processes: the guest that uses its memory, its driver that reports
 * free pages and resets the device, and the device.  Each report is one page.
 * The device may hold several reports, discard them in any order, leave any
 * of them undiscarded, and return them in any order.
 *
 * SAFETY: a page that the guest holds keeps its data; and if the guest counts
 * on the content of its free pages, a page it takes has that content.
 * LIVENESS (-DLIVE): a reported page comes back.
 *
 * printf lines that start with "@" are the events; README.adoc lists them.
 */

/* ---- bounds, and what may happen ---- */
#ifndef NP
#define NP 2			/* guest pages */
#endif
#ifndef QLEN
#define QLEN 2			/* reports that the queue can hold */
#endif
#ifndef RESETS
#define RESETS 1		/* device resets that the driver may do */
#endif
#ifndef RESTORE
#define RESTORE 0		/* one save and restore may happen */
#endif
#ifndef CRASHES
#define CRASHES 0		/* times that the device's process may crash
				   and another one take over by its record */
#endif
#ifndef LIVE
#define LIVE 0			/* liveness run */
#endif

/* ---- poison: what the guest counts on in a free page ---- */
#ifndef POISON_ZERO
#define POISON_ZERO 0		/* PAGE_POISON negotiated, poison_val 0 */
#endif
#ifndef POISON_PATTERN
#define POISON_PATTERN 0	/* PAGE_POISON negotiated, poison_val not 0 */
#endif

/* ---- rules ---- */
#ifndef DROP_R1
#define DROP_R1 0		/* a page is taken before its report is used */
#endif
#ifndef DROP_R2
#define DROP_R2 0		/* a report is used before its discard */
#endif
#ifndef DROP_R3
#define DROP_R3 0		/* the guest counts on a pattern that it did
				   not negotiate */
#endif
#ifndef DROP_R3_WRITE
#define DROP_R3_WRITE 0		/* negotiated, but the page is not written
				   before it is reported: the guest leaves
				   that to the device */
#endif
#ifndef DROP_R4
#define DROP_R4 0		/* discard although poison_val is not 0 */
#endif
#ifndef DROP_R5
#define DROP_R5 0		/* reset does not wait for discards */
#endif
#ifndef DROP_R6
#define DROP_R6 0		/* ranges are rounded outwards */
#endif
#ifndef DROP_RETURN
#define DROP_RETURN 0		/* a report left undiscarded is kept */
#endif
#ifndef DROP_RETURN_RESTORE
#define DROP_RETURN_RESTORE 0	/* popped reports are not in the saved state */
#endif

#ifndef DROP_L10
#define DROP_L10 0		/* a report is taken before it is recorded */
#endif
#ifndef DROP_L10A
#define DROP_L10A 0		/* who takes over trusts the record, and does
				   not look at the used ring */
#endif
#ifndef DROP_L10B
#define DROP_L10B 0		/* and does not wait for discards of the
				   process that crashed */
#endif

/* ---- what a reachability run looks for ---- */
mtype = {
	DISCARDED,		/* a page is discarded */
	LEFT,			/* a report is returned without a discard */
	RESET_MID,		/* a reset is asked for during a discard */
	RESET_DISCARDED,	/* a page is discarded after a reset */
	RESTORED_MID,		/* a restore finds one popped, one queued */
	SWAPPED,		/* reports come back in another order */
	CRASHED_MID,		/* a crash finds two reports taken */
	CRASHED_BEHIND		/* and one in the used ring, still recorded */
};
#ifndef REACH
#define REACH 0
#endif

#define NEGOTIATED	(POISON_ZERO || POISON_PATTERN)
#define WRITES_POISON	((NEGOTIATED || DROP_R3) && !DROP_R3_WRITE)

#define ZERO	0		/* contents of a page */
#define DATA	1
#define PATTERN	2
#define POISON	(POISON_ZERO -> ZERO : PATTERN)

mtype = { FREE, HELD, REPORTED };	/* a page, to the guest */
/* a report, to the device; PUSHED: in the used ring, still recorded */
mtype = { ABSENT, POPPED, READY, LATE, PUSHED };

mtype page[NP] = FREE;
byte content[NP];
bool counts_on[NP];			/* the guest counts on POISON in it */
mtype report[NP] = ABSENT;
chan avail = [QLEN] of { byte };
chan used = [QLEN] of { byte };
bool recorded[NP];			/* CRASHES: outside the process */
bool left_over[NP];			/* a discard of a crashed process */
bool reset_wanted, restored;
byte resets, crashes;
byte first = NP;			/* SWAPPED: the report popped first */

#define for_pages(p)	for (p : 0 .. NP - 1)

/* Over all pages, for NP up to 3. */
#define none_of(what)	(!what(0) && !what(NP / 2) && !what(NP - 1))
#define is_free(p)	(page[p] == FREE)
#define discarding(p)	(report[p] == POPPED || report[p] == LATE)
#define quiet		none_of(discarding)

inline reached(what)
{
	if
	:: REACH == what -> printf("@ reached goal=%e\n", what); assert(false)
	:: else
	fi
}

inline violation(p)
{
	printf("@ violation data-lost page=%d\n", p);
	assert(false)
}

/* ------------------------------------------------------------- guest ---- */

inline take_page(p)
{
	printf("@ guest take page=%d\n", p);
	if
	:: counts_on[p] && content[p] != POISON -> violation(p)
	:: else
	fi;
	page[p] = HELD; content[p] = DATA; counts_on[p] = false
}

inline free_page(p)
{
	if
	:: content[p] != DATA -> violation(p)
	:: else
	fi;
	printf("@ guest free page=%d\n", p);
	page[p] = FREE;
	if
	:: WRITES_POISON -> content[p] = POISON; counts_on[p] = true
	:: else
	fi
}

proctype guest()
{
	byte p;

end:	do
	:: atomic {
		select(p : 0 .. NP - 1);
		if
		:: page[p] == FREE -> take_page(p)
		:: page[p] == HELD -> free_page(p)
		:: page[p] == REPORTED && DROP_R1 -> take_page(p)
		:: else
		fi;
		p = 0
	   }
	od
}

/* ------------------------------------------------------------ driver ---- */

inline take_back(p)
{
	if
	:: page[p] == REPORTED ->
		page[p] = FREE;
		printf("@ driver release page=%d\n", p)
	:: else
	fi
}

proctype driver()
{
	byte p;

end:	do
	:: atomic {
		nfull(avail) && !none_of(is_free) ->
		if
		:: is_free(0) -> p = 0
		:: is_free(NP / 2) -> p = NP / 2
		:: is_free(NP - 1) -> p = NP - 1
		fi;
		page[p] = REPORTED; avail ! p;
		printf("@ driver send kind=report page=%d\n", p);
		p = 0
	   }
	:: atomic {
		used ? p -> take_back(p);
		if
		:: DROP_R3_WRITE && NEGOTIATED -> counts_on[p] = true
		:: else
		fi;
		p = 0
	   }
	:: atomic {
		resets < RESETS -> resets++;
		reset_wanted = true;
		printf("@ driver reset\n");
		if
		:: !quiet -> reached(RESET_MID)
		:: else
		fi
	   };
	   atomic {
		!reset_wanted -> for_pages(p) { take_back(p) };
		p = 0
	   }
	od
}

/* ------------------------------------------------------------ device ---- */

/* Discards, or leaves it: an inhibitor, an unaligned edge, a failure. */
inline discard(p)
{
	if
	:: !POISON_PATTERN || DROP_R4 ->
		printf("@ device discard page=%d\n", p);
		content[p] = ZERO;
		if
		:: DROP_R6 -> content[0] = ZERO; content[NP - 1] = ZERO
		:: else
		fi;
		reached(DISCARDED);
		if
		:: resets > 0 && !reset_wanted -> reached(RESET_DISCARDED)
		:: else
		fi
	:: printf("@ device leave page=%d\n", p);
		reached(LEFT);
		if
		:: DROP_RETURN -> report[p] = ABSENT
		:: else
		fi
	fi
}

inline push(p)
{
	used ! p;
	printf("@ device used page=%d\n", p);
	if
	:: first == NP || first == p
	:: else -> reached(SWAPPED)
	fi;
	first = NP
}

inline note_first(p)
{
	if
	:: REACH == SWAPPED && first == NP -> first = p
	:: else
	fi
}

/* After a reset nothing is returned; a discard in flight still happens. */
inline drop_reports(p)
{
	do
	:: avail ? p
	:: used ? p
	:: empty(avail) && empty(used) -> break
	od;
	for_pages(p) {
		if
		:: discarding(p) -> report[p] = LATE
		:: else -> report[p] = ABSENT
		fi;
		recorded[p] = false
	};
	p = 0; first = NP
}

/* A popped report comes back as it is: nothing discards for it any more. */
inline load_reports(p)
{
	for_pages(p) {
		if
		:: report[p] == POPPED ->
			if
			:: len(avail) > 0 -> reached(RESTORED_MID)
			:: else
			fi;
			report[p] = (DROP_RETURN_RESTORE -> ABSENT : READY)
		:: else
		fi
	};
	p = 0
}

/*
 * The process is gone, its record and the ring are not.  Who takes over holds
 * what was taken and not returned; the used ring says what was returned.
 */
inline take_over(p)
{
	if
	:: discarding(0) && discarding(NP - 1) && NP > 1 ->
		reached(CRASHED_MID)
	:: else
	fi;
	for_pages(p) {
		if
		:: report[p] == PUSHED && DROP_L10A ->
			report[p] = POPPED
		:: report[p] == PUSHED && !DROP_L10A ->
			reached(CRASHED_BEHIND);
			report[p] = ABSENT; recorded[p] = false
		:: report[p] == POPPED && DROP_L10B ->
			report[p] = READY; left_over[p] = true
		:: report[p] == LATE || !recorded[p] -> report[p] = ABSENT
		:: else -> report[p] = POPPED
		fi
	};
	p = 0; first = NP
}

proctype device()
{
	byte p;

end:	do
	:: atomic {
		!reset_wanted && nempty(avail) -> avail ? p;
		report[p] = POPPED; recorded[p] = CRASHES && !DROP_L10;
		printf("@ device pop kind=report page=%d\n", p);
		if
		:: REACH == SWAPPED && first == NP -> first = p
		:: else
		fi;
		p = 0
	   }
	:: atomic {
		reset_wanted && (quiet || DROP_R5) ->
		drop_reports(p);
		reset_wanted = false;
		printf("@ device reset\n")
	   }
	:: atomic {
		RESTORE && !restored && !reset_wanted -> restored = true;
		printf("@ host restore\n");
		load_reports(p)
	   }
	:: atomic {
		crashes < CRASHES && !reset_wanted -> crashes++;
		printf("@ device crash\n");
		take_over(p)
	   }
	od
}

/* One thread per page: discards finish in any order. */
proctype worker(byte p)
{
end:	do
	:: atomic {
		report[p] == POPPED && !DROP_R2 ->
		report[p] = READY; discard(p)
	   }
	:: atomic {
		report[p] == POPPED && DROP_R2 && nfull(used) ->
		push(p); report[p] = LATE
	   }
	:: atomic {
		report[p] == READY && nfull(used) ->
		push(p); report[p] = (CRASHES -> PUSHED : ABSENT)
	   }
	:: atomic {
		report[p] == PUSHED ->
		report[p] = ABSENT; recorded[p] = false
	   }
	:: atomic {
		left_over[p] -> left_over[p] = false; discard(p)
	   }
	:: atomic {
		report[p] == LATE -> report[p] = ABSENT; discard(p)
	   }
	od
}

init {
	byte p;

	atomic {
		for_pages(p) {
			content[p] = (WRITES_POISON -> POISON : DATA);
			counts_on[p] = WRITES_POISON;
			run worker(p)
		};
		run guest();
		run driver();
		run device()
	}
}

#if LIVE
ltl returned { [] (page[0] == REPORTED -> <> (page[0] != REPORTED)) }
#endif
