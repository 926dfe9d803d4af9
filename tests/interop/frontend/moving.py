# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A device moves to another daemon, or a driver goes on there without it."""

from common import daemon as daemons

from . import vhost_user
from .driver import Driver, PROTOCOL

MOVES = PROTOCOL | 1 << vhost_user.PF_DEVICE_STATE


def stop(d):
    """Stop all rings; where each goes on."""
    return {index: d.frontend.get_vring_base(index)[1]
            for index in sorted(d.rings)}


def save(d):
    with d.frontend.set_device_state_fd(0) as file:
        state = file.read()
    d.frontend.check_device_state()
    return state


def load(d, state):
    with d.frontend.set_device_state_fd(1) as file:
        file.write(state)
    d.frontend.check_device_state()


def go_on(t, old, *arguments):
    """A front-end on another daemon, with the memory of the old one."""
    daemon = daemons.start(t, "--verbose", *arguments, name="other")
    d = Driver(t, daemon.socket_path, num=old.num, memory=old.memory)
    old.memory = None
    d.handshake(MOVES)
    d.features, d.roles, d.rings = old.features, old.roles, old.rings
    return daemon, d


def resume(d, bases):
    """What is set up again there, and where each ring goes on."""
    d.frontend.set_features(d.features)
    d.frontend.set_mem_table(d.memory.regions)
    for index, base in bases.items():
        d.start_ring(index, base)
