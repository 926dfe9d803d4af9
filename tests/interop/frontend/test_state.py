# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""DEVICE_STATE: the device moves to another daemon with its driver."""

from . import fixture
from .driver import CFG_ACTUAL, CFG_CMD_ID, ID_DONE, MIB
from .moving import MOVES, go_on, load, resume, save, stop
from .vhost_user import refused


def test_device_moves(t):
    """actual, the command id and what the rings have go along; the driver
    notices nothing but a configuration change."""
    daemon, d = fixture.start(t, protocol=MOVES)
    d.set_config(CFG_ACTUAL, 77)
    d.memory.pack("<HQ", d.BUFFERS + 2048, 4, 1000)
    d.offer("stats", [(d.BUFFERS + 2048, 10, False)])
    fixture.has_statistics(daemon)
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
    # Statistics go along, and are as old as the load.
    assert other.stats()["guest"]["updates"] == 1
    assert other.stats()["guest"]["last-update"] > 0
    assert e.config(CFG_ACTUAL) == 77
    assert e.config(CFG_CMD_ID) == ID_DONE
    resume(e, bases)
    assert e.config(CFG_ACTUAL) == 77
    fixture.gives_back(e, 16 * MIB)
    # Taken again, and counted once.
    fixture.has_statistics(other)
    # Ids go on: the ring might hold a stream of the old one.
    other.command("hint-start")
    assert e.wait_command(ID_DONE) == first + 1
    other.stop()
    daemon.stop()
