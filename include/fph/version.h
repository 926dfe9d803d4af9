/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The version of these headers.  configure.ac reads it from here. */
#ifndef FPH_VERSION_H
#define FPH_VERSION_H

#define FPH_VERSION_MAJOR	0
#define FPH_VERSION_MINOR	2
#define FPH_VERSION_PATCH	0

/* Comparable: FPH_VERSION >= FPH_VERSION_OF(0, 2, 0). */
#define FPH_VERSION_OF(major, minor, patch) \
	((uint32_t)(major) << 16 | (uint32_t)(minor) << 8 | (uint32_t)(patch))
#define FPH_VERSION	FPH_VERSION_OF(FPH_VERSION_MAJOR, FPH_VERSION_MINOR, \
				       FPH_VERSION_PATCH)

/* As text: "0.2.0". */
#define FPH_VERSION_JOIN(major, minor, patch)	#major "." #minor "." #patch
#define FPH_VERSION_TEXT(major, minor, patch) \
	FPH_VERSION_JOIN(major, minor, patch)
#define FPH_VERSION_STRING	FPH_VERSION_TEXT(FPH_VERSION_MAJOR, \
					 FPH_VERSION_MINOR, FPH_VERSION_PATCH)

#endif /* FPH_VERSION_H */
