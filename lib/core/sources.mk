# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The freestanding core. Plain make syntax, so that a port which takes these
# files into its own tree can include this list as it is: the wire alone, or
# with it the host's side, the guest's, or both.
FPH_WIRE_SOURCES = \
	lib/core/status.c \
	lib/core/wire.c
FPH_HOST_SOURCES = \
	lib/core/coalescer.c \
	lib/core/coalescer_sort.c \
	lib/core/hint_session.c \
	lib/core/inflight.c \
	lib/core/report.c
# To save and load them, if that is wanted.
FPH_HOST_STATE_SOURCES = \
	lib/core/hint_session_state.c \
	lib/core/inflight_state.c \
	lib/core/report_state.c
FPH_GUEST_SOURCES = \
	lib/core/hinter.c \
	lib/core/hinter_round.c \
	lib/core/order.c \
	lib/core/pool.c \
	lib/core/pool_add.c \
	lib/core/reporter.c \
	lib/core/tree.c
# Policies for a driver that looks at free memory itself.
FPH_POLICY_SOURCES = \
	lib/core/arms.c \
	lib/core/pace.c
# To save and load reporter and hinter, if that is wanted.
FPH_GUEST_STATE_SOURCES = \
	lib/core/hinter_state.c \
	lib/core/pool_state.c \
	lib/core/reporter_state.c
FPH_CORE_SOURCES = \
	$(FPH_WIRE_SOURCES) $(FPH_HOST_SOURCES) $(FPH_HOST_STATE_SOURCES) \
	$(FPH_GUEST_SOURCES) $(FPH_POLICY_SOURCES) $(FPH_GUEST_STATE_SOURCES)
FPH_CORE_PRIVATE_H = \
	lib/core/coalescer.h \
	lib/core/coalescer_sort.h \
	lib/core/common.h \
	lib/core/hint_session.h \
	lib/core/hinter.h \
	lib/core/inflight.h \
	lib/core/inflight_state.h \
	lib/core/order.h \
	lib/core/pool.h \
	lib/core/pool_add.h \
	lib/core/pool_state.h \
	lib/core/report.h \
	lib/core/reporter.h \
	lib/core/runs.h \
	lib/core/state.h \
	lib/core/tree.h
