# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The demonstration with Debian's user-mode Linux kernel."""

from uml import guest as guests

import linux_guest
from linux_guest import MEM_MIB

KIND = linux_guest.Kind("user mode", 500, 60, 15)


def run(story, folder):
    guest = guests.Guest(folder, story.daemon.socket_path, MEM_MIB,
                         ["init_on_free=1"])
    linux_guest.run(story, guest, KIND)
