# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Boot a virtual machine on a daemon."""

from common import daemon as daemons
from common.machine import Machine

from . import guest as guests


def boot(context, arguments=(), on=None, name="guest", connect=True,
         kind=guests.Guest, **settings):
    """Start a daemon (or use `on`) and boot a guest on it.

    arguments are the daemon's, settings those of Guest, or of the kind of
    guest; without connect the guest has no device yet.
    """
    server = on or daemons.start(context, *arguments, "--verbose",
                                 name=name + "-daemon")
    guest = kind(context.workdir, server.socket_path if connect else None,
                 name=name, **settings)
    context.on_failure("console of the " + name, guest.console_tail)
    context.on_failure("QEMU of the " + name, guest.process_alive_text)
    context.defer(guest.kill)
    guest.start()
    if guest.memory is None:
        raise AssertionError("memory file of the guest not found")
    machine = Machine(context, server, guest)
    machine.log("booted")
    return machine
