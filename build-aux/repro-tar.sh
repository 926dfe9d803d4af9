#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# repro-tar.sh SRCDIR DIR: writes a tar archive of DIR to its output, the same
# bytes for the same files: sorted names, no owner, the mode that matters, and
# one time stamp. That is SOURCE_DATE_EPOCH, or the time of the last commit, or
# (in an unpacked tarball) the time stamp which the tarball brought.
set -eu
srcdir=$1
dir=$2

if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
	epoch=$SOURCE_DATE_EPOCH
elif [ -e "$srcdir/.git" ] &&
	epoch=$(git -C "$srcdir" log -1 --format=%ct 2>/dev/null) &&
	[ -n "$epoch" ]; then
	:
else
	epoch=$(stat -c %Y "$srcdir/configure.ac")
fi

LC_ALL=C exec "${TAR:-tar}" --format=ustar --sort=name --mtime="@$epoch" \
	--owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w \
	-chf - "$dir"
