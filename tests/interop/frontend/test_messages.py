# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Every message of vhost-user, beyond those that user-mode Linux sends.

The order and choice of messages is that of QEMU's generic vhost-user
device; the front-end is our own.
"""

import os
import struct

from common import daemon as daemons
from common import wait

from . import driver as drivers
from . import fixture, vhost_user
from .driver import MIB, PROTOCOL
from .memory import Memory, Region
from .vhost_user import refused

S_ACKNOWLEDGE, S_DRIVER, S_DRIVER_OK, S_FEATURES_OK = 1, 2, 4, 8
S_NEEDS_RESET = 64
EXTRA = (1 << vhost_user.PF_STATUS | 1 << vhost_user.PF_MEM_SLOTS
         | 1 << vhost_user.PF_RESET_DEVICE)


def test_features_offered(t):
    """All features of the daemon are offered, and each option that
    switches one off does so; ACCESS_PLATFORM is never offered."""
    bits = {"--free-page-hint": 3, "--free-page-reporting": 5,
            "--page-poison": 4, "--stats": 1, "--event-idx": 29,
            "--indirect": 28, "--in-order": 35}
    everything = sum(1 << n for n in bits.values()) | 1 << 30 | 1 << 32
    for option in [None] + list(bits):
        arguments = [option + "=off"] if option else []
        daemon = daemons.start(t, *arguments, name="d%s" % bits.get(option))
        f = fixture.raw(daemon)
        offered = f.get_features()
        expected = everything & ~(1 << bits[option] if option else 0)
        assert offered & everything == expected, (option, hex(offered))
        assert not offered >> 33 & 1, "ACCESS_PLATFORM"
        assert not offered >> 34 & 1, "RING_PACKED"
        f.close()
        daemon.stop()


def test_inband_offered_on_request(t):
    """INBAND_NOTIFICATIONS is offered only with --inband=on."""
    for on in (False, True):
        daemon = daemons.start(t, "--inband=" + ("on" if on else "off"),
                               name="d%d" % on)
        f = fixture.raw(daemon)
        offered = f.get_protocol_features()
        assert bool(offered >> vhost_user.PF_INBAND & 1) == on
        for bit in (vhost_user.PF_REPLY_ACK, vhost_user.PF_CONFIG,
                    vhost_user.PF_BACKEND_REQ, vhost_user.PF_MEM_SLOTS,
                    vhost_user.PF_STATUS):
            assert offered >> bit & 1, bit
        f.close()
        daemon.stop()


def test_queue_num(t):
    """GET_QUEUE_NUM answers at least the five queues of a balloon."""
    daemon = daemons.start(t)
    f = fixture.raw(daemon)
    assert f.get_queue_num() >= 5
    f.close()


def test_mem_slots(t):
    """ADD_MEM_REG: an added region is given back by reports; REM_MEM_REG:
    a removed one is no guest memory any more and is not touched."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon, memory=Memory(
        Region(0, 16 * MIB), Region(1 << 32, 16 * MIB, offset=8192)))
    d.handshake(PROTOCOL | EXTRA)
    assert d.frontend.get_max_mem_slots() >= 8
    d.frontend.set_features(drivers.F_ALL)
    d.features, d.roles = drivers.F_ALL, drivers.queue_roles(drivers.F_ALL)
    for region in d.memory.regions:
        d.frontend.add_mem_reg(region)
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    fixture.gives_back(d)
    fixture.gives_back(d, (1 << 32) + 4 * MIB)
    low, high = d.memory.regions
    d.frontend.rem_mem_reg(high)
    high_was = high.resident
    before, refusals = daemon.stats()["report"], fixture.refused(daemon)
    d.memory.fill(4 * MIB, 4 * MIB)
    d.offer("report", [((1 << 32) + 8 * MIB, 4 * MIB, True)])
    wait.until(lambda: fixture.refused(daemon) > refusals,
               "the range outside memory is refused")
    assert high.resident == high_was, "a removed region was touched"
    assert d.memory.intact(4 * MIB, 4 * MIB)
    after = daemon.stats()["report"]
    assert after["bytes-discarded"] == before["bytes-discarded"], after
    assert low.resident > 0


def test_mem_region_errors(t):
    """Regions that overlap, wrap, do not exist or do not fit their file
    are refused; the others go on working."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon, mib=16)
    d.handshake(PROTOCOL | EXTRA)
    f = d.frontend
    f.set_features(drivers.F_ALL)
    d.features, d.roles = drivers.F_ALL, drivers.queue_roles(drivers.F_ALL)
    f.add_mem_reg(d.memory.regions[0])
    other = Region(8 * MIB, 16 * MIB)
    t.defer(other.close)
    assert refused(f.add_mem_reg, other), "overlap"
    other.gpa = (1 << 64) - MIB
    assert refused(f.add_mem_reg, other), "wraps"
    other.gpa, other.size = 1 << 33, 0
    assert refused(f.add_mem_reg, other), "empty"
    other.size = 16 * MIB
    assert refused(f.rem_mem_reg, other), "never added"
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    fixture.gives_back(d)


def test_mem_table_change(t):
    """SET_MEM_TABLE with another set while rings run: the new memory is
    used from then on, and the old one not touched."""
    daemon, d = fixture.start(t, mib=16)
    fixture.gives_back(d)
    extra = Region(1 << 32, 16 * MIB)
    d.memory.regions.append(extra)
    d.frontend.set_mem_table(d.memory.regions)
    fixture.gives_back(d, (1 << 32) + 4 * MIB)
    fixture.gives_back(d, 8 * MIB)
    d.memory.regions.pop()
    t.defer(extra.close)
    d.frontend.set_mem_table(d.memory.regions)
    was = extra.resident
    fixture.gives_back(d)
    assert extra.resident == was
    assert daemon.stats()["memory"]["bytes"] == 16 * MIB


def test_status(t):
    """SET_STATUS and GET_STATUS: the steps of a driver. 0 after the rings
    were stopped may be a pause, so that what the driver wrote is kept until
    its rings begin anew."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon, mib=16)
    d.handshake(PROTOCOL | EXTRA)
    f = d.frontend
    steps = (S_ACKNOWLEDGE, S_ACKNOWLEDGE | S_DRIVER,
             S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK)
    for turn in range(2):
        assert f.get_status() == 0, turn
        for value in steps[:2]:
            f.set_status(value)
            assert f.get_status() == value
        d.negotiate()
        f.set_status(steps[2])
        assert f.get_status() == steps[2]
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        assert d.config(drivers.CFG_ACTUAL) == 0, "reset forgets actual"
        f.set_status(steps[2] | S_DRIVER_OK)
        assert f.get_status() == steps[2] | S_DRIVER_OK
        fixture.gives_back(d)
        d.set_config(drivers.CFG_ACTUAL, 77)
        assert d.config(drivers.CFG_ACTUAL) == 77
        for index in sorted(d.roles.values(), reverse=True):
            f.set_vring_enable(index, False)
            f.get_vring_base(index)
        f.set_status(0)
        assert d.config(drivers.CFG_ACTUAL) == 77, "perhaps a pause"
    assert daemon.alive()


def test_reset_device(t):
    """RESET_DEVICE stops every ring and forgets the driver's state; after
    a new set-up the device works as before."""
    _, d = fixture.start(t, protocol=PROTOCOL
                         | 1 << vhost_user.PF_RESET_DEVICE)
    fixture.gives_back(d)
    d.set_config(drivers.CFG_ACTUAL, 5)
    d.frontend.reset_device()
    assert d.config(drivers.CFG_ACTUAL) == 0
    d.negotiate()
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    fixture.gives_back(d, 8 * MIB)


def test_vring_base(t):
    """GET_VRING_BASE answers the index of the next buffer and stops the
    ring; SET_VRING_BASE goes on there."""
    _, d = fixture.start(t)
    index = d.roles["report"]
    for turn in range(3):
        fixture.gives_back(d, (4 + 4 * turn) * MIB)
    assert d.frontend.get_vring_base(index) == (index, 3)
    d.memory.fill(32 * MIB, 4 * MIB)
    was = d.memory.resident
    head = d.ring("report").add([(32 * MIB, 4 * MIB, True)])
    os.eventfd_write(d.kicks[index], 1)
    d.frontend.get_features()
    assert d.ring("report").used_index == 3, "a stopped ring is silent"
    assert d.memory.resident == was
    d.start_ring(index, base=3)
    d.kick("report")
    d.wait_used("report")
    assert d.memory.resident == was - 4 * MIB and head is not None
    assert d.frontend.get_vring_base(index) == (index, 4)


def test_disabled_ring_is_silent(t):
    """A disabled ring takes no buffer; enabled again it takes all."""
    _, d = fixture.start(t)
    index = d.roles["report"]
    d.frontend.set_vring_enable(index, False)
    d.memory.fill(8 * MIB, 4 * MIB)
    was = d.memory.resident
    d.offer("report", [(8 * MIB, 4 * MIB, True)])
    d.frontend.get_features()
    assert d.ring("report").used_index == 0
    assert d.memory.resident == was
    d.frontend.set_vring_enable(index, True)
    d.wait_used("report")
    assert d.memory.resident == was - 4 * MIB


def test_vring_err(t):
    """SET_VRING_ERR: a driver that breaks the rules is told through the
    descriptor; without one nothing happens."""
    _, d = fixture.start(t)
    index = d.roles["report"]
    error = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    t.defer(os.close, error)
    d.frontend.set_vring_err(index, error)
    d.frontend.set_vring_err(d.roles["hint"], None)
    fixture.gives_back(d)
    ring = d.ring("report")
    ring.put(ring.desc, 0, 8 * MIB, 4096, 3, 60000)
    ring.publish(0)
    d.kick("report")

    def told():
        d.frontend.serve_backend()
        try:
            return os.eventfd_read(error)
        except BlockingIOError:
            return 0
    wait.until(told, "the error descriptor is signalled")


def test_config(t):
    """GET_CONFIG reads any part; SET_CONFIG of the driver changes actual
    only, whatever its flags."""
    daemon, d = fixture.start(t)
    f = d.frontend
    daemon.command("balloon", value=d.memory.regions[0].size - MIB)
    wait.until(lambda: d.config(drivers.CFG_NUM_PAGES) == 256, "target")
    whole = f.get_config(0, 16)
    assert len(whole) == 16
    for size in range(1, 17):
        assert f.get_config(0, size) == whole[:size]
    for offset in range(16):
        assert f.get_config(offset, 1) == whole[offset:offset + 1]
    for flags in (0, 1):
        d.frontend.set_config(drivers.CFG_ACTUAL, struct.pack(
            "<I", 100 + flags), flags)
        assert d.config(drivers.CFG_ACTUAL) == 100 + flags
    f.set_config(0, struct.pack("<III", 9, 50, 9), ack=False)
    now = struct.unpack("<4I", f.get_config(0, 16))
    assert now[0] == 256, "the target is the device's"
    assert now[2] == struct.unpack_from("<I", whole, 8)[0], "so is the id"


def test_config_change_is_told(t):
    """A new target is told by CONFIG_CHANGE on the back-end's channel, and
    a front-end that never answers it does not stop the daemon."""
    daemon, d = fixture.start(t)
    daemon.command("balloon", value=d.memory.regions[0].size - MIB)

    def told():
        d.frontend.serve_backend()
        return [m for m in d.frontend.backend_seen
                if m.request == vhost_user.BACKEND_CONFIG_CHANGE]
    wait.until(told, "CONFIG_CHANGE")
    for size in range(2, 40):
        daemon.command("balloon",
                       value=d.memory.regions[0].size - size * MIB)
    fixture.gives_back(d)


def test_reply_ack(t):
    """With REPLY_ACK every request is acknowledged when asked, and not
    when not asked; unknown or wrong ones are refused."""
    daemon, d = fixture.start(t)
    f = d.frontend
    assert refused(f.tell, 200)
    assert refused(f.set_vring_num, 99, 64), "no such ring"
    assert refused(f.set_vring_num, 0, 0), "no entries"
    assert refused(f.set_vring_num, 0, 40000), "too many entries"
    assert refused(f.set_vring_enable, 99, True)
    f.set_vring_enable(0, True, ack=False)
    assert f.get_queue_num() >= 5, "no answer came before this one"
    f.set_vring_enable(0, True, ack=True)
    fixture.gives_back(d)
    assert daemon.alive()


def test_without_reply_ack(t):
    """Without REPLY_ACK, BACKEND_REQ and a backend channel a driver works
    all the same."""
    _, d = fixture.start(t, protocol=1 << vhost_user.PF_CONFIG)
    fixture.gives_back(d)
    assert d.called("report") >= 1


def test_inband(t):
    """INBAND: a kick is a message, acknowledged after the ring was looked
    at; the call is a message of the back-end."""
    daemon = daemons.start(t, "--inband=on")
    d = fixture.connect(t, daemon)
    d.start(protocol=PROTOCOL | 1 << vhost_user.PF_INBAND)
    fixture.gives_back(d)
    d.frontend.serve_backend()
    calls = [m for m in d.frontend.backend_seen
             if m.request == vhost_user.BACKEND_VRING_CALL]
    assert calls, "no VRING_CALL"
    assert struct.unpack_from("=I", calls[0].payload)[0] == \
        d.roles["report"]


def test_inband_exact_stop(t):
    """INBAND makes the end of a round exact: after N buffers the driver
    sees the new command id before its next kick is answered."""
    daemon = daemons.start(t, "--inband=on")
    d = fixture.connect(t, daemon)
    d.start(protocol=PROTOCOL | 1 << vhost_user.PF_INBAND)
    daemon.command("hint-start", max_buffers=5, then="stop")
    command = d.wait_command(0)
    d.hint_word(command)
    for sent in range(1, 10):
        d.hint([(8 * MIB + sent * MIB, MIB)])
        if d.config(drivers.CFG_CMD_ID) != command:
            break
    assert sent == 5, sent
    assert d.config(drivers.CFG_CMD_ID) == drivers.ID_STOP
    d.hint_word(drivers.ID_STOP)
    hint = daemon.hint()
    assert hint["buffers"] == 5 and hint["stops"] == 1, hint
