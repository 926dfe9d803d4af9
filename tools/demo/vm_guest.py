# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The demonstration with a virtual machine: QEMU without KVM, and Debian's
kernel for its own machines."""

from vm import guest as guests
from vm import parts

import linux_guest
from linux_guest import MEM_MIB

KIND = linux_guest.Kind("in QEMU", 480, 140, 40)


def run(story, folder):
    # With init_on_alloc, which Debian has on, the guest would write to each
    # page that it hints.
    guest = guests.Guest(folder, story.daemon.socket_path, MEM_MIB,
                         kernel=parts.NEW,
                         append=["init_on_free=1", "init_on_alloc=0"])
    linux_guest.run(story, guest, KIND)
