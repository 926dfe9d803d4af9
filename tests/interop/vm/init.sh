#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# First process of the guest. It takes one command a line from the second
# serial port, and answers with its output and a line "@STATUS@". The driver
# is not loaded here, unless the kernel's command line has the word
# "autoload": when that happens is up to the test.

/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -c /dev/ttyS1 ] || mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o size=95% tmpfs /tmp
for module in $(cat /modules); do
	insmod "/$module" || poweroff -f
done
case " $(cat /proc/cmdline) " in
*" autoload "*) insmod /virtio_balloon.ko || poweroff -f ;;
esac
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "guest is up"
echo "@UP@" >&3

while IFS= read -r line <&3; do
	( eval "$line" ) > /.out 2>&1 < /dev/null
	status=$?
	cat /.out >&3
	echo "@$status@" >&3
done
