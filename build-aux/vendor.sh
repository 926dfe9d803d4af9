#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# A copy of what another project needs of the freestanding library: sources,
# the headers that these include and no other, licences, a manifest, and a
# build fragment for each of Kbuild, Meson and make.
set -eu
LC_ALL=C
export LC_ALL

usage() {
	cat <<'END'
usage: vendor.sh DEST PART... [port=PORT]

Copies the parts into the folder DEST:

  wire     the wire format; always taken
  guest    reporter and hinter
  policy   arming and pace, with the guest
  host     reports and hint sessions
  driver   the guest's side of rings
  device   the host's side of rings
  rings    both of them

With a port, its environment file ports/PORT/fph_PORT.h comes too and is what
the fragments build with; without one it is <fph/config.h>, or a file that you
name with -DFPH_CONFIG_FILE.

A folder that this script made is brought up to date: files that are not wanted
any more go, and a file that was changed there stops it before it does anything.
END
}

die() {
	echo "vendor: $*" >&2
	exit 1
}

[ $# -ge 2 ] || { usage >&2; exit 2; }
src=$(cd "$(dirname "$0")/.." && pwd)
dest=$1
shift

# list NAME: a list of sources.mk.
list() {
	# shellcheck disable=SC2016 # $() is make's
	printf 'include %s\ninclude %s\nlist:\n\t@echo $(%s)\n' \
		"$src/lib/core/sources.mk" "$src/lib/vring/sources.mk" \
		"$1" | MAKEFLAGS='' make -s -f - list
}

wire=yes guest=no policy=no host=no driver=no device=no port=''
for part in "$@"; do
	case $part in
	wire) ;;
	guest) guest=yes ;;
	policy) guest=yes policy=yes ;;
	host) host=yes ;;
	driver) driver=yes ;;
	device) device=yes ;;
	rings) driver=yes device=yes ;;
	port=*) port=${part#port=} ;;
	*) die "no part $part: there are wire, guest, policy, host, driver," \
		"device and rings" ;;
	esac
done
parts='' sources='' roots=''
take() {
	parts="$parts${parts:+ }$1"
	sources="$sources${sources:+ }$(list "$2")"
}
take wire FPH_WIRE_SOURCES
[ $guest = no ] || take guest FPH_GUEST_SOURCES
[ $policy = no ] || take policy FPH_POLICY_SOURCES
[ $host = no ] || take host FPH_HOST_SOURCES
[ $driver = no ] || take driver FPH_VRING_DRIVER_SOURCES
[ $device = no ] || take device FPH_VRING_DEVICE_SOURCES
# The header of all headers is of use with all parts only.
case $wire$guest$policy$host$driver$device in
*no*) ;;
*) roots=include/fph/fph.h ;;
esac

envfile=
if [ -n "$port" ]; then
	envfile=ports/$port/fph_$port.h
	[ -f "$src/$envfile" ] || die "no port $port: there is no $envfile"
fi

# headers FILE...: the headers that the files include, and those of these.
headers() {
	awk -v src="$src" '
	function want(file) {
		if (!(file in seen)) {
			seen[file] = 1
			queue[last++] = file
		}
	}
	function has(file,	line, found) {
		found = (getline line < (src "/" file)) >= 0
		close(src "/" file)
		return found
	}
	BEGIN {
		for (i = 1; i < ARGC; i++)
			want(ARGV[i])
		while (first < last) {
			file = queue[first++]
			dir = file
			sub(/[^\/]*$/, "", dir)
			while ((getline line < (src "/" file)) > 0) {
				if (line !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/)
					continue
				split(line, at, /[<">]/)
				name = at[2]
				if (line ~ /</) {
					if (name ~ /^fph\//)
						want("include/" name)
				} else {
					if (has(dir name))
						want(dir name)
					else
						want("lib/" name)
				}
			}
			close(src "/" file)
			if (file ~ /\.h$/)
				print file
		}
	}' "$@" | sort
}

# shellcheck disable=SC2086 # file names without blanks
needed=$(headers $sources $roots)
for file in $sources $needed; do
	[ -f "$src/$file" ] || die "$file is wanted and not here"
done

# ------------------------------------------------------- what is there already

if [ -f "$dest/MANIFEST" ]; then
	(cd "$dest" && sha256sum --quiet -c MANIFEST) >&2 ||
		die "$dest was changed; see the names above"
	old=$(sed -n 's/^[0-9a-f]\{64\}  //p' "$dest/MANIFEST")
	for file in $old; do
		rm -f "$dest/$file"
	done
	rm -f "$dest/MANIFEST"
	find "$dest" -depth -mindepth 1 -type d -exec rmdir {} + 2> /dev/null ||
		: # not empty
elif [ -e "$dest" ] && [ -n "$(ls -A "$dest")" ]; then
	die "$dest is not empty and has no MANIFEST of this script"
fi
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)

# ----------------------------------------------------------------------- copy

# copy FILE [NAME]
copy() {
	to=${2:-$1}
	mkdir -p "$dest/$(dirname "$to")"
	cp "$src/$1" "$dest/$to"
	chmod 644 "$dest/$to"
	copied="$copied $to"
}

copied=
for file in $sources $needed; do
	copy "$file"
done
[ -z "$envfile" ] || copy "$envfile" "include/${envfile##*/}"
copy COPYING
copy LICENSES/BSD-2-Clause.txt
copy LICENSES/GPL-2.0-or-later.txt

# ------------------------------------------------------------------ fragments

spdx='# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later'
define='' meson_define=''
if [ -n "$port" ]; then
	define=" -DFPH_CONFIG_FILE='\"fph_$port.h\"'"
	meson_define="'-DFPH_CONFIG_FILE=\"fph_$port.h\"'"
fi

# lines FORMAT: one line for each source, whose name has no suffix.
lines() {
	for file in $sources; do
		# shellcheck disable=SC2059 # a format is meant
		printf "$1" "${file%.c}"
	done
}

cat > "$dest/fph.mk" <<END
$spdx
#
# For make: include this file and compile \$(FPH_SOURCES) with \$(FPH_CPPFLAGS).
# What calls them is compiled with the same flags.
FPH_DIR := \$(dir \$(lastword \$(MAKEFILE_LIST)))
FPH_SOURCES := \$(addprefix \$(FPH_DIR),$(lines ' \\\n\t%s.c'))
FPH_CPPFLAGS := -I\$(FPH_DIR)include -I\$(FPH_DIR)lib$define
END

cat > "$dest/fph.kbuild" <<END
$spdx
#
# For Kbuild: include this file in the module's own, and add \$(fph-objs) to
# its objects.  This folder stands beside that file; else set fph-dir before,
# to the way from there to here.
fph-path := \$(dir \$(lastword \$(MAKEFILE_LIST)))
fph-dir ?= \$(notdir \$(patsubst %/,%,\$(fph-path)))
fph-objs := \$(addprefix \$(fph-dir)/,$(lines ' \\\n\t%s.o'))
ccflags-y += -I\$(fph-path)include -I\$(fph-path)lib$define
END

cat > "$dest/meson.build" <<END
$spdx
#
# For Meson: subdir() this folder, and add fph_dep to the dependencies.
fph_args = [$meson_define]
fph_sources = files(
$(lines "\t'%s.c',\n")
)
fph_lib = static_library('fph', fph_sources,
	include_directories: include_directories('include', 'lib'),
	c_args: fph_args + ['-ffreestanding'])
fph_dep = declare_dependency(link_with: fph_lib,
	include_directories: include_directories('include'),
	compile_args: fph_args)
END

# ------------------------------------------------------------------- manifest

version=$(awk '/^#define FPH_VERSION_(MAJOR|MINOR|PATCH)\t/ {
	v = v sep $3; sep = "." } END { print v }' "$src/include/fph/version.h")
commit=$(git -C "$src" describe --always --dirty --abbrev=12 2> /dev/null) ||
	commit=
{
	echo "# libfph $version${commit:+, commit $commit}"
	echo "# parts: $parts${port:+; port: $port}"
	(
		cd "$dest"
		# shellcheck disable=SC2086 # file names without blanks
		sha256sum $copied fph.kbuild fph.mk meson.build
	)
} > "$dest/MANIFEST.new"
mv "$dest/MANIFEST.new" "$dest/MANIFEST"
echo "vendor: libfph $version in $dest: $parts${port:+, port $port}"
