#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# check-dist.sh SRCDIR WORKDIR: the tarball can be made again from the same
# sources, byte by byte, and holds what git holds: two copies of the checkout,
# in folders of other names and with other time stamps, modes, time zones and
# builds, give the same tarball; what differs between the tarball and git is
# what dist-manifest.txt says.
set -eu
srcdir=$(cd "$1" && pwd)
work=$2
LC_ALL=C
export LC_ALL

fail() {
	echo "check-dist: $*" >&2
	exit 1
}

[ -e "$srcdir/.git" ] || fail 'needs a git checkout to compare with'
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

# What git holds, or would hold after the next commit.
(cd "$srcdir" && git ls-files --cached --others --exclude-standard) |
sort -u | while IFS= read -r file; do
	[ -e "$srcdir/$file" ] && echo "$file"
done > "$work/git"

epoch=$(git -C "$srcdir" log -1 --format=%ct 2>/dev/null) ||
	epoch=$(stat -c %Y "$srcdir/configure.ac")

# make_dist DIR: a tarball from a copy of the checkout in DIR.
make_dist() {
	mkdir -p "$1"
	tar -C "$srcdir" -cf - -T "$work/git" | tar -C "$1" -xf -
	find "$1" -type f -exec touch -d "@$2" {} +
	(
		cd "$1"
		./autogen.sh
		mkdir build
		cd build
		../configure --quiet --disable-tools --disable-unit-tests
		SOURCE_DATE_EPOCH=$epoch make dist
	) > "$work/$(basename "$1").log" 2>&1 || {
		tail -n 20 "$work/$(basename "$1").log" >&2
		fail "make dist failed in $1"
	}
}

make_dist "$work/one" 1000000000 &
one=$!
(umask 077; TZ=Asia/Tokyo; export TZ
	make_dist "$work/a-longer-name/two" 1600000000) &
two=$!
wait "$one" || exit 1
wait "$two" || exit 1

first=$(echo "$work"/one/build/*.tar.gz)
second=$(echo "$work"/a-longer-name/two/build/*.tar.gz)
cmp "$first" "$second" || fail 'the two tarballs differ'

mkdir "$work/unpacked"
tar -C "$work/unpacked" --strip-components=1 -xzf "$first"
(cd "$work/unpacked" && find . -type f | sed 's|^\./||' | sort) > "$work/tar"
{
	comm -13 "$work/git" "$work/tar" | sed 's/^/+ /'
	comm -23 "$work/git" "$work/tar" | sed 's/^/- /'
} > "$work/differs"
grep -v '^#' "$srcdir/build-aux/dist-manifest.txt" > "$work/expected"

# Each difference is expected by a line, and each line has its difference.
while IFS= read -r line; do
	found=no
	while IFS= read -r pattern; do
		# shellcheck disable=SC2254 # a pattern is meant
		case $line in $pattern) found=yes ;; esac
	done < "$work/expected"
	[ "$found" = yes ] || echo "not in dist-manifest.txt: $line"
done < "$work/differs" > "$work/wrong"
while IFS= read -r pattern; do
	found=no
	while IFS= read -r line; do
		# shellcheck disable=SC2254 # a pattern is meant
		case $line in $pattern) found=yes ;; esac
	done < "$work/differs"
	[ "$found" = yes ] || echo "in dist-manifest.txt only: $pattern"
done < "$work/expected" >> "$work/wrong"
cat "$work/wrong" >&2
[ ! -s "$work/wrong" ] || fail 'tarball and git differ ("+": in the tarball' \
	'only, "-": in git only) in other files than dist-manifest.txt says'

comm -12 "$work/git" "$work/tar" | while IFS= read -r file; do
	cmp "$srcdir/$file" "$work/unpacked/$file" || exit 1
done || fail 'a file is not the same in the tarball as in git'

echo "check-dist: ${first##*/} is the same twice and holds what git holds" \
	"($(wc -l < "$work/tar") files, sha256 $(sha256sum < "$first" |
	cut -c1-16))"
rm -rf "$work"
