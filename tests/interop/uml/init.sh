#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# First process of the guest. It mounts a folder of the host (hostfs) and
# runs the commands that the host puts there: req.N in, out.N and done.N
# back. "done" is renamed into place, so the host never sees half of it.
# The module is not loaded here: when that happens is up to the test.

/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -c /dev/null ] || mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o size=95% tmpfs /tmp
for word in $(cat /proc/cmdline); do
	case $word in
	hostdir=*) dir=${word#hostdir=} ;;
	esac
done
mount -t hostfs -o "$dir" none /host || poweroff -f
echo "guest is up"
: > /host/up

i=1
while :; do
	until [ -f /host/req.$i ]; do usleep 20000; done
	( . /host/req.$i ) > /host/out.$i 2>&1 < /dev/null
	echo $? > /host/tmp.$i
	mv /host/tmp.$i /host/done.$i
	i=$((i + 1))
done
