# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""DEVICE_STATE: the device moves to another daemon with its driver."""

from common import daemon as daemons
from common import wait

from . import fixture, vhost_user
from .driver import CFG_ACTUAL, CFG_CMD_ID, Driver, ID_DONE, MIB, PROTOCOL
from .vhost_user import Refused

MOVES = PROTOCOL | 1 << vhost_user.PF_DEVICE_STATE
PAGE = 4096


def refused(call, *arguments):
    try:
        call(*arguments)
    except Refused:
        return True
    return False


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


def test_device_moves(t):
    """actual, the command id and what the rings have go along; the driver
    notices nothing but a configuration change."""
    daemon, d = fixture.start(t, protocol=MOVES)
    d.set_config(CFG_ACTUAL, 77)
    d.memory.pack("<HQ", d.BUFFERS + 2048, 4, 1000)
    d.offer("stats", [(d.BUFFERS + 2048, 10, False)])
    wait.until(lambda: fixture.queue(daemon, "stats")["in-flight"] == 1,
               "the statistics are taken")
    daemon.command("hint-start")
    first = d.wait_command(0)
    d.hint_word(first)
    fixture.gives_back(d)
    assert refused(d.frontend.set_device_state_fd, 0), "rings run"
    bases = stop(d)
    state = save(d)
    assert state[:4] == b"FPHS"
    other, e = go_on(t, d)
    d.close()
    assert refused(e.frontend.set_device_state_fd, 2)
    assert refused(e.frontend.set_device_state_fd, 0, 1)
    assert refused(load, e, state[:-1])
    assert refused(load, e, b"")
    load(e, state)
    assert e.config(CFG_ACTUAL) == 77
    assert e.config(CFG_CMD_ID) == ID_DONE
    e.frontend.set_features(e.features)
    e.frontend.set_mem_table(e.memory.regions)
    for index, base in bases.items():
        e.start_ring(index, base)
    assert e.config(CFG_ACTUAL) == 77
    fixture.gives_back(e, 16 * MIB)
    wait.until(lambda: fixture.queue(other, "stats")["in-flight"] == 1,
               "the statistics are taken again, and count once")
    # Ids go on: the ring might hold a stream of the old one.
    other.command("hint-start")
    assert e.wait_command(ID_DONE) == first + 1
    other.stop()
    daemon.stop()
