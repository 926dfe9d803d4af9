/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fph_balloon

#if !defined(FPH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FPH_TRACE_H

#include <linux/tracepoint.h>

#include "fph_balloon.h"

TRACE_EVENT(fph_hint_begin,
	TP_PROTO(u32 id, unsigned long hold),
	TP_ARGS(id, hold),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(unsigned long, hold)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->hold = hold;
	),
	TP_printk("id=%#x hold=%lu", __entry->id, __entry->hold)
);

TRACE_EVENT(fph_hint_step,
	TP_PROTO(u32 id, unsigned long pfn, u64 pages, int ret),
	TP_ARGS(id, pfn, pages, ret),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(unsigned long, pfn)
		__field(u64, pages)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->pfn = pfn;
		__entry->pages = pages;
		__entry->ret = ret;
	),
	TP_printk("id=%#x pfn=%#lx pages=%llu ret=%d", __entry->id,
		  __entry->pfn, __entry->pages, __entry->ret)
);

TRACE_EVENT(fph_hint_end,
	TP_PROTO(const struct fph_round *round),
	TP_ARGS(round),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u64, pages)
		__field(u64, blocks)
		__field(u64, waits)
		__field(s64, us)
	),
	TP_fast_assign(
		__entry->id = round->id;
		__entry->pages = round->pages;
		__entry->blocks = round->blocks;
		__entry->waits = round->waits;
		/* 0: its STOP was not used. */
		__entry->us = round->stopped ?
			ktime_us_delta(round->stopped, round->seen) : 0;
	),
	TP_printk("id=%#x pages=%llu blocks=%llu waits=%llu us=%lld",
		  __entry->id, __entry->pages, __entry->blocks,
		  __entry->waits, __entry->us)
);

TRACE_EVENT(fph_report,
	TP_PROTO(unsigned int ranges, u64 pages, int ret),
	TP_ARGS(ranges, pages, ret),
	TP_STRUCT__entry(
		__field(unsigned int, ranges)
		__field(u64, pages)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->ranges = ranges;
		__entry->pages = pages;
		__entry->ret = ret;
	),
	TP_printk("ranges=%u pages=%llu ret=%d", __entry->ranges,
		  __entry->pages, __entry->ret)
);

TRACE_EVENT(fph_balloon_size,
	TP_PROTO(u32 num, u32 target),
	TP_ARGS(num, target),
	TP_STRUCT__entry(
		__field(u32, num)
		__field(u32, target)
	),
	TP_fast_assign(
		__entry->num = num;
		__entry->target = target;
	),
	TP_printk("num=%u target=%u", __entry->num, __entry->target)
);

#endif /* FPH_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
