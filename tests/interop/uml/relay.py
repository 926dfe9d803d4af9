# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What user-mode Linux cannot do: reconnect to a daemon that was killed.

A relay stands between the two and passes messages on. It remembers what the
guest has set up, keeps the record of buffers in flight, and tells all of it to
the next daemon. Buffers, kicks and interrupts do not pass it: descriptors are
handed on.
"""

import os
import select
import socket
import struct
import threading
import time
import traceback

from frontend import vhost_user as vu
from frontend.vhost_user import Channel, Disconnected, NEED_REPLY, VERSION

HEADS = 256		# of the largest ring of user-mode Linux
OWN_REPLY = {vu.GET_FEATURES, vu.GET_PROTOCOL_FEATURES, vu.GET_QUEUE_NUM,
             vu.GET_VRING_BASE, vu.GET_CONFIG, vu.GET_MAX_MEM_SLOTS,
             vu.GET_STATUS}
ONCE = (vu.SET_OWNER, vu.SET_PROTOCOL_FEATURES, vu.SET_BACKEND_REQ_FD,
        vu.SET_FEATURES, vu.SET_MEM_TABLE)
OF_RING = (vu.SET_VRING_NUM, vu.SET_VRING_BASE, vu.SET_VRING_ADDR,
           vu.SET_VRING_CALL, vu.SET_VRING_ERR, vu.SET_VRING_KICK,
           vu.SET_VRING_ENABLE)


class Relay(threading.Thread):
    """Serves one guest at path; the daemon's socket is at target."""

    def __init__(self, path, target):
        super().__init__()
        self.target = target
        self.ending = threading.Event()
        self.once = {}			# request -> (payload, fds)
        self.rings = {}			# index -> request -> (payload, fds)
        self.config = {}		# offset -> payload
        self.record = None
        self.ack = False
        self.upstream = None
        self.reconnects = 0
        self.error = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)

    def end(self):
        self.ending.set()
        self.join()
        self.listener.close()
        assert self.error is None, self.error

    def run(self):
        try:
            if self.wait(self.listener):
                guest = Channel(self.listener.accept()[0])
                self.connect()
                self.serve(guest)
                guest.close()
        except Disconnected:
            pass
        except Exception:  # pylint: disable=broad-except
            self.error = traceback.format_exc()
        finally:
            if self.upstream:
                self.upstream.close()

    def wait(self, stream):
        while not self.ending.is_set():
            if select.select([stream], [], [], 0.1)[0]:
                return True
        return False

    # The daemon --------------------------------------------------------

    def connect(self):
        while not self.ending.is_set():
            try:
                stream = socket.socket(socket.AF_UNIX)
                stream.connect(self.target)
                self.upstream = Channel(stream)
                return
            except OSError:
                stream.close()
                time.sleep(0.005)
        raise Disconnected()

    def exchange(self, request, payload, fds, flags):
        """Its answer, or None where there is none."""
        self.upstream.send(request, payload, fds, flags)
        if request == vu.SET_PROTOCOL_FEATURES:
            self.ack = bool(struct.unpack("=Q", payload)[0]
                            >> vu.PF_REPLY_ACK & 1)
        if request in OWN_REPLY or (flags & NEED_REPLY and self.ack):
            return self.upstream.receive()
        return None

    def tell(self, request, payload, fds=()):
        """Of the relay itself: it must be taken."""
        answer = self.exchange(request, payload, fds, VERSION | NEED_REPLY)
        assert not answer or not answer.u64(), (request, answer)

    def used_index(self, index):
        """Where a ring goes on, by guest memory."""
        address = struct.unpack_from(
            "=QQQ", self.rings[index][vu.SET_VRING_ADDR][0], 8)[1]
        payload, fds = self.once[vu.SET_MEM_TABLE]
        for n, fd in enumerate(fds):
            _, size, uva, offset = struct.unpack_from("=QQQQ", payload,
                                                      8 + 32 * n)
            if uva <= address < uva + size:
                return struct.unpack("<H", os.pread(
                    fd, 2, offset + address - uva + 2))[0]
        raise AssertionError("a ring outside of memory")

    def replay(self):
        """All that the daemon before was told."""
        self.ack = False
        for request in ONCE:
            if request == vu.SET_FEATURES and self.record:
                self.tell(vu.SET_INFLIGHT_FD, self.record[0],
                          [self.record[1]])
            if request in self.once:
                self.tell(request, *self.once[request])
        for payload in self.config.values():
            self.tell(vu.SET_CONFIG, payload)
        for index, ring in sorted(self.rings.items()):
            if vu.SET_VRING_ADDR in ring:
                ring[vu.SET_VRING_BASE] = (struct.pack(
                    "=II", index, self.used_index(index)), [])
            for request in OF_RING:
                if request in ring:
                    self.tell(request, *ring[request])

    def again(self):
        """A new daemon in place of the one that ended."""
        while True:
            self.upstream.close()
            self.connect()
            try:
                self.replay()
                self.reconnects += 1
                return
            except Disconnected:
                pass

    # The guest ---------------------------------------------------------

    def serve(self, guest):
        """Both ends are watched; the guest's messages are passed on."""
        while not self.ending.is_set():
            ready = select.select([guest.socket, self.upstream.socket], [], [],
                                  0.1)[0]
            if self.upstream.socket in ready:
                self.again()
            elif guest.socket in ready:
                self.pass_on(guest, guest.receive())

    def pass_on(self, guest, message):
        if message.request == vu.SET_PROTOCOL_FEATURES:
            message.payload = struct.pack(
                "=Q", message.u64() | 1 << vu.PF_INFLIGHT)
        while True:
            try:
                answer = self.exchange(message.request, message.payload,
                                       message.fds, message.flags)
                break
            except Disconnected:
                self.again()
        self.remember(message)
        if answer:
            guest.send(answer.request, answer.payload, answer.fds,
                       answer.flags)

    def remember(self, message):
        request, payload = message.request, message.payload
        entry = (payload, message.fds)
        if request in self.once or request in ONCE:
            self.replace(self.once, request, entry)
        elif request in OF_RING:
            index = payload[0]
            self.replace(self.rings.setdefault(index, {}), request, entry)
        elif request == vu.GET_VRING_BASE:
            self.forget(payload[0])
        elif request == vu.SET_CONFIG:
            self.config[payload[:4]] = payload
        if request == vu.SET_PROTOCOL_FEATURES:
            answer = self.get_record()
            self.record = answer.payload, answer.fds[0]
            self.tell(vu.SET_INFLIGHT_FD, self.record[0], [self.record[1]])

    def get_record(self):
        self.upstream.send(vu.GET_INFLIGHT_FD, struct.pack(
            "=QQHH", 0, 0, 5, HEADS))
        return self.upstream.receive()

    def forget(self, index):
        for _, fds in self.rings.pop(index, {}).values():
            for fd in fds:
                os.close(fd)

    @staticmethod
    def replace(table, request, entry):
        for fd in table.get(request, (b"", []))[1]:
            os.close(fd)
        table[request] = entry
