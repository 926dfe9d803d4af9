# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Boot a user-mode Linux guest on a daemon."""

from common import daemon as daemons
from common import wait
from common.machine import Machine

from . import guest as guests

# The guest's memory may have to lie on a disk.
DISKS = "--memory-file-systems=overlay,ext4,xfs,btrfs"


def boot(context, daemon=(), kernel=(), mem_mib=512, probe=True,
         name="guest", on=None):
    """Start a daemon (or use the one of `on`) and boot a guest on it.

    daemon and kernel are extra arguments; with probe the driver is loaded.
    """
    server = on or daemons.start(context, *daemon, "--verbose", DISKS)
    guest = guests.Guest(context.workdir, server.socket_path, mem_mib,
                         kernel, name)
    context.on_failure("console of the " + name, guest.console_tail)
    context.defer(guest.kill)
    guest.start()
    machine = Machine(context, server, guest)
    machine.log("booted")
    if probe:
        guest.insmod()
        wait.until(lambda: "hint" in server.stats() and machine.acked(),
                   "driver negotiates")
        machine.log("driver loaded, features 0x%x" % machine.acked())
    return machine
