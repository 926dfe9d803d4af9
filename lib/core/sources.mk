# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The freestanding core. Plain make syntax, so that a port which takes these
# files into its own tree can include this list as it is.
FPH_CORE_SOURCES = \
	lib/core/batch.c \
	lib/core/hint_session.c \
	lib/core/hinter.c \
	lib/core/range.c \
	lib/core/report.c \
	lib/core/reporter.c \
	lib/core/status.c \
	lib/core/window.c \
	lib/core/wire.c
FPH_CORE_PRIVATE_H = \
	lib/core/internal.h
