# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A vhost-user back-end that takes nothing by itself.

A thread answers the front-end's messages; the queues are looked at when
somebody asks.
"""

import array
import mmap
import os
import socket
import struct
import threading

HEADER = struct.Struct("=III")
VERSION, REPLY, NEED_REPLY = 1, 4, 8
(GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE, SET_VRING_NUM,
 SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK,
 SET_VRING_CALL, GET_PROTOCOL, SET_PROTOCOL, GET_QUEUE_NUM, SET_ENABLE,
 SET_BACKEND_FD, GET_CONFIG, SET_CONFIG) = (
     1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 21, 24, 25)
PROTOCOL = 1 << 30
REPLY_ACK, BACKEND_REQ, CONFIG = 1 << 3, 1 << 5, 1 << 9
CONFIG_CHANGED = 2
NEXT, WRITE, INDIRECT = 1, 2, 4
BITS = {"stats": 1, "hint": 3, "report": 5}


class Ring:
    """A split ring, the device's side."""

    def __init__(self):
        self.num = 0
        self.desc = self.used = self.avail = 0
        self.taken = self.returned = 0
        self.call = None
        self.enabled = False
        self.held = []              # heads that were taken


class Backend:
    def __init__(self, path, offered):
        self.lock = threading.RLock()
        self.offered = offered
        self.negotiated = 0
        self.config = bytearray(16)
        self.regions = []           # gpa, size, uva, offset, mapping
        self.rings = {}
        self.channel = None         # to the front-end, for config changes
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.connection = None
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        for one in (self.connection, self.listener, self.channel):
            if one:
                one.close()

    # Messages.

    def serve(self):
        try:
            self.connection, _ = self.listener.accept()
            while self.message(self.connection):
                pass
        except OSError:
            pass

    def receive(self, connection, size, fds):
        data = b""
        while len(data) < size:
            part, ancillary, _, _ = connection.recvmsg(
                size - len(data), socket.CMSG_SPACE(8 * 4))
            for _, _, rights in ancillary:
                some = array.array("i")
                some.frombytes(rights[:len(rights) // 4 * 4])
                fds += some
            if not part:
                return None
            data += part
        return data

    def message(self, connection):
        fds = []
        header = self.receive(connection, HEADER.size, fds)
        if not header:
            return False
        request, flags, size = HEADER.unpack(header)
        payload = self.receive(connection, size, fds) if size else b""
        if payload is None:
            return False
        with self.lock:
            reply = self.handle(request, payload, fds)
        if reply is None and flags & NEED_REPLY:
            reply = bytes(8)
        if reply is not None:
            connection.sendall(HEADER.pack(request, VERSION | REPLY,
                                           len(reply)) + reply)
        return True

    def handle(self, request, payload, fds):
        u64 = struct.unpack_from("=Q", payload)[0] if len(payload) >= 8 else 0
        pair = struct.unpack_from("=II", payload) if len(payload) >= 8 else \
            (0, 0)
        ring = self.rings.setdefault(pair[0] & 0xff, Ring()) if request in (
            SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE,
            SET_VRING_CALL, SET_ENABLE) else None
        if request == GET_FEATURES:
            return struct.pack("=Q", self.offered | PROTOCOL)
        if request == GET_PROTOCOL:
            return struct.pack("=Q", REPLY_ACK | BACKEND_REQ | CONFIG)
        if request == GET_QUEUE_NUM:
            return struct.pack("=Q", 5)
        if request == SET_FEATURES:
            self.negotiated = u64
        elif request == SET_MEM_TABLE:
            self.set_memory(payload, fds)
        elif request == SET_VRING_NUM:
            ring.num = pair[1]
        elif request == SET_VRING_BASE:
            ring.taken = ring.returned = pair[1]
            ring.held = []
        elif request == SET_VRING_ADDR:
            ring.desc, ring.used, ring.avail = struct.unpack_from(
                "=QQQ", payload, 8)
        elif request == GET_VRING_BASE:
            ring.desc = 0
            return struct.pack("=II", pair[0], ring.taken)
        elif request == SET_ENABLE:
            ring.enabled = bool(pair[1])    # off before its memory is freed
        elif request == SET_VRING_CALL:
            ring.call = fds[0] if fds else None
        elif request == SET_BACKEND_FD:
            self.channel = socket.socket(fileno=fds[0])
        elif request == GET_CONFIG:
            offset, size = pair
            data = bytes(self.config) + bytes(offset + size)
            return payload[:12] + data[offset:offset + size]
        elif request == SET_CONFIG:
            offset, size = pair
            self.config[offset:offset + size] = payload[12:12 + size]
        return None

    def set_memory(self, payload, fds):
        count = struct.unpack_from("=I", payload)[0]
        self.regions = []
        for i in range(count):
            gpa, size, uva, offset = struct.unpack_from("=QQQQ", payload,
                                                        8 + 32 * i)
            self.regions.append((gpa, size, uva, offset, mmap.mmap(
                fds[i], offset + size)))

    # Memory.

    def place(self, at, size, by):
        for region in self.regions:
            start = region[by]
            if start <= at and at + size <= start + region[1]:
                return region[4], region[3] + at - start
        raise ValueError("no memory at %#x" % at)

    def read(self, at, size, by=0):
        mapping, offset = self.place(at, size, by)
        return mapping[offset:offset + size]

    def get16(self, at):
        return struct.unpack("<H", self.read(at, 2, 2))[0]

    def put(self, at, data):
        mapping, offset = self.place(at, len(data), 2)
        mapping[offset:offset + len(data)] = data

    # What the testee needs.

    def begin(self, shown):
        """Before a driver is loaded."""
        with self.lock:
            self.config[:] = bytes(8) + struct.pack("<II", shown, 0)
            self.rings = {}

    def set_id(self, value):
        with self.lock:
            self.config[8:12] = struct.pack("<I", value)
            self.channel.sendall(HEADER.pack(CONFIG_CHANGED, VERSION, 0))

    def ring(self, queue):
        """The ring of a queue: Linux counts those that were negotiated."""
        if not self.negotiated >> BITS[queue] & 1:
            return None
        index = 2 + sum(self.negotiated >> bit & 1
                        for bit in BITS.values() if bit < BITS[queue])
        ring = self.rings.get(index)
        return ring if ring and ring.desc and ring.enabled else None

    def chain(self, ring, head):
        """The segments of a buffer, as the protocol has them."""
        segs, at = [], head
        table = self.read(ring.desc, 16 * ring.num, 2)
        while True:
            gpa, length, flags, following = struct.unpack_from(
                "<QIHH", table, 16 * at)
            if flags & INDIRECT:
                table, at = self.read(gpa, length), 0
                continue
            if flags & WRITE:
                segs.append("W:%#x+%#x" % (gpa, length))
            else:
                segs.append("R@%#x:%s" % (gpa, self.read(gpa, length).hex()))
            if not flags & NEXT:
                return segs
            at = following

    def take(self, queue):
        """(head, segments) of each buffer that is new in a queue."""
        with self.lock:
            ring = self.ring(queue)
            found = []
            while ring and ring.taken != self.get16(ring.avail + 2):
                head = self.get16(ring.avail + 4 +
                                  2 * (ring.taken % ring.num))
                ring.taken = ring.taken + 1 & 0xffff
                ring.held.append(head)
                found.append((head, self.chain(ring, head)))
            return found

    def put_used(self, queue, head, length):
        with self.lock:
            ring = self.ring(queue)
            ring.held.remove(head)
            self.put(ring.used + 4 + 8 * (ring.returned % ring.num),
                     struct.pack("<II", head, length))
            ring.returned = ring.returned + 1 & 0xffff
            self.put(ring.used + 2, struct.pack("<H", ring.returned))
            os.eventfd_write(ring.call, 1)

    def return_all(self):
        """Returns what is in the two queues."""
        with self.lock:
            for queue in ("hint", "report"):
                self.take(queue)
                ring = self.ring(queue)
                for head in list(ring.held) if ring else []:
                    self.put_used(queue, head, 0)
