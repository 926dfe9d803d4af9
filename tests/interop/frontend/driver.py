# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A balloon driver of our own, for what Linux never does.

It follows the order of user-mode Linux at set-up, and every step can be
taken alone.
"""

import os
import struct

from common import wait

from . import vhost_user
from .memory import Memory, Region
from .ring import PackedRing, SplitRing

MIB = 1 << 20

F_MUST_TELL, F_STATS, F_DEFLATE, F_HINT, F_POISON, F_REPORT = \
    (1 << n for n in range(6))
F_LOG_ALL, F_INDIRECT, F_EVENT_IDX, F_PROTOCOL, F_VERSION_1, F_PACKED, \
    F_IN_ORDER = (1 << n for n in (26, 28, 29, 30, 32, 34, 35))
F_ALL = (F_MUST_TELL | F_STATS | F_HINT | F_REPORT | F_INDIRECT | F_PROTOCOL
         | F_VERSION_1)

PROTOCOL = sum(1 << n for n in (
    vhost_user.PF_REPLY_ACK, vhost_user.PF_BACKEND_REQ,
    vhost_user.PF_CONFIG))

ID_STOP, ID_DONE = 0, 1
CFG_NUM_PAGES, CFG_ACTUAL, CFG_CMD_ID, CFG_POISON = 0, 4, 8, 12


class Driver:
    """A driver with memory of its own, connected to a back-end."""

    RINGS = 0x10000			# where the rings begin
    BUFFERS = 0x80000			# small buffers: ids, page numbers
    PAGES = 0x100000			# pages to give away begin here

    def __init__(self, context, path_or_socket, mib=64, num=64,
                 memory=None):
        self.memory = memory or Memory(Region(0, mib * MIB))
        self.num = num
        if isinstance(path_or_socket, str):
            self.frontend = vhost_user.FrontEnd.connect(path_or_socket)
        else:
            self.frontend = vhost_user.FrontEnd(path_or_socket)
        self.rings = {}
        self.kicks = {}
        self.calls = {}
        self.features = 0
        self.protocol = 0
        self.roles = {}
        if context:
            context.defer(self.close)

    def close(self):
        """Drop the connection and free everything."""
        self.frontend.close()
        for fd in list(self.kicks.values()) + list(self.calls.values()):
            os.close(fd)
        self.kicks, self.calls = {}, {}
        if self.memory:
            self.memory.close()
            self.memory = None

    # Set-up ------------------------------------------------------------

    def handshake(self, protocol=PROTOCOL):
        """What a front-end does when it connects."""
        f = self.frontend
        self.protocol = protocol
        f.set_owner()
        offered = f.get_features()
        assert offered & F_PROTOCOL, hex(offered)
        wanted = protocol & f.get_protocol_features()
        assert wanted == protocol, "protocol features 0x%x" % wanted
        f.set_protocol_features(protocol)
        if protocol >> vhost_user.PF_BACKEND_REQ & 1:
            f.set_backend_req_fd()
        return offered

    def negotiate(self, features=F_ALL, roles=None):
        """What a driver does when it probes, up to the rings."""
        self.frontend.set_features(features)
        self.features = features
        self.memory.write(self.BUFFERS, bytes(4096))
        self.frontend.set_mem_table(self.memory.regions)
        self.roles = roles or queue_roles(features)

    def start_ring(self, index, base=None, enable=True):
        """Set up one ring, an empty one without a base to go on from."""
        f = self.frontend
        kind = PackedRing if self.features & F_PACKED else SplitRing
        if index not in self.rings:
            gpa = self.RINGS + index * SplitRing.footprint(self.num)
            self.rings[index] = kind(self.memory, gpa, self.num)
        ring = self.rings[index]
        if base is None:
            ring.reset()
            base = kind.NEW_BASE
        inband = f.protocol >> vhost_user.PF_INBAND & 1
        f.set_vring_num(index, self.num)
        f.set_vring_base(index, base)
        f.set_vring_addr(index, *(self.memory.uva(a) for a in
                                  (ring.desc, ring.used, ring.avail)))
        if not inband:
            for table in (self.kicks, self.calls):
                if index not in table:
                    table[index] = os.eventfd(0, os.EFD_CLOEXEC
                                              | os.EFD_NONBLOCK)
            f.set_vring_call(index, self.calls[index])
            f.set_vring_kick(index, self.kicks[index])
        if enable and self.features & F_PROTOCOL:
            f.set_vring_enable(index, True)

    def start(self, features=F_ALL, protocol=PROTOCOL):
        """All of it."""
        self.handshake(protocol)
        self.negotiate(features)
        for index in sorted(self.roles.values()):
            self.start_ring(index)
        return self

    def reconnect(self, path, record):
        """To another back-end, which goes on by the record of buffers in
        flight: as QEMU does it, from where the used index is."""
        self.frontend.close()
        self.frontend = vhost_user.FrontEnd.connect(path)
        self.handshake(self.protocol)
        self.frontend.set_inflight_fd(record)
        self.frontend.set_features(self.features)
        self.frontend.set_mem_table(self.memory.regions)
        for index in sorted(self.rings):
            self.start_ring(index, self.rings[index].used_index)

    # Queues ------------------------------------------------------------

    def ring(self, role):
        return self.rings[self.roles[role]]

    def kick(self, role):
        index = self.roles[role]
        if self.frontend.protocol >> vhost_user.PF_INBAND & 1:
            self.frontend.vring_kick(index)
        else:
            os.eventfd_write(self.kicks[index], 1)

    def offer(self, role, segments, indirect=False):
        """Offer one chain and notify; returns its head."""
        head = self.ring(role).add(segments, indirect)
        self.kick(role)
        return head

    def wait_used(self, role, timeout=60):
        """Wait until every chain of a queue came back."""
        ring = self.ring(role)

        def back():
            self.frontend.serve_backend()
            ring.take_used()
            return not ring.outstanding
        wait.until(back, "buffers of %s return" % role, timeout, 0.002)

    def called(self, role):
        """How often the interrupt of a queue came since last asked."""
        try:
            return os.eventfd_read(self.calls[self.roles[role]])
        except BlockingIOError:
            return 0

    # The device --------------------------------------------------------

    def config(self, offset):
        """One field of config space."""
        data = self.frontend.get_config(offset, 4)
        return struct.unpack("<I", data)[0]

    def set_config(self, offset, value):
        self.frontend.set_config(offset, struct.pack("<I", value))

    def report(self, ranges, indirect=None):
        """Report free ranges (gpa, length) and wait for their return."""
        if indirect is None:
            indirect = bool(self.features & F_INDIRECT)
        self.offer("report", [(gpa, n, True) for gpa, n in ranges],
                   indirect)
        self.wait_used("report")

    def hint_word(self, value):
        """Send START (an id) or STOP on the hint queue."""
        self.memory.pack("<I", self.BUFFERS, value)
        self.offer("hint", [(self.BUFFERS, 4, False)])
        self.wait_used("hint")

    def hint(self, ranges):
        """Hint ranges, one buffer each."""
        for gpa, length in ranges:
            self.offer("hint", [(gpa, length, True)])
            self.wait_used("hint")

    def wait_command(self, old):
        """The device shows another command id than old: the new one."""
        def changed():
            self.frontend.serve_backend()
            value = self.config(CFG_CMD_ID)
            return value + 1 if value != old else 0
        return wait.until(changed, "new command id") - 1

    def pages(self, role, frames):
        """Send page frame numbers to inflate or deflate."""
        self.memory.write(self.BUFFERS, struct.pack("<%dI" % len(frames),
                                                    *frames))
        self.offer(role, [(self.BUFFERS, 4 * len(frames), False)])
        self.wait_used(role)


def fixed_roles(features):
    """Index of each queue as the specification has it: a queue keeps its
    number when another one is not there."""
    found = {"inflate": 0, "deflate": 1}
    for bit, name, index in ((F_STATS, "stats", 2), (F_HINT, "hint", 3),
                             (F_REPORT, "report", 4)):
        if features & bit:
            found[name] = index
    return found


def queue_roles(features):
    """Index of each queue, counted as Linux does: without gaps."""
    names = ["inflate", "deflate"]
    for bit, name in ((F_STATS, "stats"), (F_HINT, "hint"),
                      (F_REPORT, "report")):
        if features & bit:
            names.append(name)
    return {name: index for index, name in enumerate(names)}
