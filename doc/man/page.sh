#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# page.sh page SRCDIR NAME: the manual page NAME as AsciiDoc, from its header.
# page.sh aliases SRCDIR: each function and the page that has it, one a line.
set -eu
here=$2/doc/man

rows() { grep -v '^#' "$here/pages.txt"; }

# part HEADER FIRST LAST [OPTION...]
part() {
	header=$2/include/$3
	awk -v first="$4" -v last="$5" -v names="$1" -f "$here/header.awk" \
		"$header"
}

page() {
	lib=fph
	case $2 in fph-vmm/*) lib='fph-vmm -lfph' ;; esac
	cat <<END
= $1(3)
:doctype: manpage

== NAME

$1 - $5

== SYNOPSIS

[source,c]
----
#include <$2>
----

Link with _-l${lib}_.

== DESCRIPTION

This page says what the header says.

END
	part '' "$srcdir" "$2" "$3" "$4" | expand
	printf '\n== SEE ALSO\n\n'
	rows | cut -d '|' -f 1 | grep -vx "$1" |
	sed -e 's/.*/*&*(3),/'
	echo '*libfph*(7)'
}

srcdir=$2
case $1 in
page)
	rows | while IFS='|' read -r name header first last what; do
		[ "$name" != "$3" ] ||
			page "$name" "$header" "$first" "$last" "$what"
	done
	;;
aliases)
	rows | while IFS='|' read -r name header first last what; do
		part 1 "$srcdir" "$header" "$first" "$last" |
		grep -v "^$name\$" | sed "s/\$/ $name/"
	done
	;;
esac
