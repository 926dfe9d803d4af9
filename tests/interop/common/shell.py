# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What the tests do by the shell of a Linux guest, of whatever kind."""

import re

MODULE = "/virtio_balloon.ko"


class GuestDied(AssertionError):
    """The guest ended while the test still needed it."""


class CommandFailed(AssertionError):
    """A command in the guest ended with a status other than 0."""


class Shell:
    """A guest that can execute(command, timeout), which returns the
    command's (status, output)."""

    def run(self, command, timeout=120, check=True):
        """Run a shell command in the guest and return its output."""
        status, output = self.execute(command, timeout)
        if check and status != 0:
            raise CommandFailed("in the guest: %s: status %d: %s"
                                % (command, status, output))
        return output

    def insmod(self):
        self.run("insmod " + MODULE)

    def rmmod(self):
        self.run("rmmod virtio_balloon")

    def meminfo(self):
        """/proc/meminfo, in bytes."""
        text = self.run("cat /proc/meminfo")
        return {name: int(value) * 1024 for name, value in
                re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}

    def free(self):
        return self.meminfo()["MemFree"]

    def set_report_order(self, order):
        self.run("echo %d > /sys/module/page_reporting/parameters/"
                 "page_reporting_order" % order)

    def fill(self, name, mib):
        """Random content in the guest's tmpfs; returns its checksum."""
        return self.run("dd if=/dev/urandom of=/tmp/%s bs=1M count=%d "
                        "2>/dev/null && md5sum < /tmp/%s"
                        % (name, mib, name)).split()[0]

    def zeros(self, name, mib):
        """Touch memory fast: a file of zero bytes."""
        self.run("dd if=/dev/zero of=/tmp/%s bs=1M count=%d 2>/dev/null"
                 % (name, mib))

    def checksum(self, name):
        return self.run("md5sum < /tmp/" + name).split()[0]

    def remove(self, *names):
        self.run("rm -f " + " ".join("/tmp/" + n for n in names))
