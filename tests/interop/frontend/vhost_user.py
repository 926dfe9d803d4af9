# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The vhost-user protocol, front-end side.

Channel sends and receives messages with descriptors. FrontEnd has a method
for each request; with REPLY_ACK it asks for an acknowledgement of every
request that has no reply of its own, and fails on a refusal. While it waits
it serves the back-end's own channel, as a front-end must.
"""

import array
import os
import select
import socket
import struct
import time

from common import wait

(GET_FEATURES, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE,
 SET_LOG_BASE, SET_LOG_FD, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE,
 GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR,
 GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM,
 SET_VRING_ENABLE, SEND_RARP, NET_SET_MTU, SET_BACKEND_REQ_FD, IOTLB_MSG,
 SET_VRING_ENDIAN, GET_CONFIG, SET_CONFIG) = range(1, 26)
GET_INFLIGHT_FD, SET_INFLIGHT_FD = 31, 32
RESET_DEVICE = 34
VRING_KICK = 35
GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG, SET_STATUS, GET_STATUS = \
    range(36, 41)

SET_DEVICE_STATE_FD, CHECK_DEVICE_STATE = 42, 43

# Requests of the back-end.
BACKEND_CONFIG_CHANGE = 2
BACKEND_VRING_CALL = 4
BACKEND_VRING_ERR = 5

VERSION, REPLY, NEED_REPLY = 1, 4, 8

PF_MQ = 0
PF_LOG_SHMFD = 1
PF_REPLY_ACK = 3
PF_BACKEND_REQ = 5
PF_CONFIG = 9
PF_INFLIGHT = 12
PF_RESET_DEVICE = 13
PF_INBAND = 14
PF_MEM_SLOTS = 15
PF_STATUS = 16
PF_DEVICE_STATE = 19

HEADER = struct.Struct("=III")
NO_FD = 0x100		# in place of an index: no descriptor comes with it


class Refused(AssertionError):
    """The back-end answered a request with an error."""


def refused(function, *args, **kwargs):
    """True when an acknowledged request is answered with an error."""
    try:
        function(*args, **kwargs)
    except Refused:
        return True
    return False


class Disconnected(AssertionError):
    """The back-end closed the connection."""


class Message:
    """A received message."""

    def __init__(self, request, flags, payload, fds):
        self.request = request
        self.flags = flags
        self.payload = payload
        self.fds = fds

    def u64(self):
        assert len(self.payload) == 8, self
        return struct.unpack("=Q", self.payload)[0]

    def __repr__(self):
        return "Message(%d, 0x%x, %s)" % (self.request, self.flags,
                                          self.payload.hex())


class Channel:
    """A stream socket that carries messages."""

    def __init__(self, stream):
        self.socket = stream

    def close(self):
        self.socket.close()

    def send(self, request, payload=b"", fds=(), flags=VERSION, size=None):
        """Send a message; size replaces the true one in its header."""
        header = HEADER.pack(request, flags,
                             len(payload) if size is None else size)
        self.send_raw(header + payload, fds)

    def send_raw(self, data, fds=()):
        rights = []
        if fds:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                       array.array("i", fds))]
        try:
            sent = self.socket.sendmsg([data], rights)
            if sent < len(data):
                self.socket.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            raise Disconnected("connection closed by the back-end") \
                from None

    def readable(self, timeout=0.0):
        """True when a message, or the end, can be received."""
        return bool(select.select([self.socket], [], [], timeout)[0])

    def _exactly(self, count):
        data, fds = b"", array.array("i")
        while len(data) < count:
            try:
                part, rights, _, _ = self.socket.recvmsg(
                    count - len(data), socket.CMSG_SPACE(64),
                    socket.MSG_CMSG_CLOEXEC)
            except ConnectionResetError:
                part, rights = b"", []
            if not part:
                raise Disconnected("end of the connection")
            data += part
            for level, kind, value in rights:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(value[:len(value) // 4 * 4])
        return data, list(fds)

    def receive(self):
        """The next message; blocks. Disconnected at the end."""
        header, fds = self._exactly(HEADER.size)
        request, flags, size = HEADER.unpack(header)
        payload = self._exactly(size)[0] if size else b""
        return Message(request, flags, payload, fds)


class FrontEnd:
    """A connection to a back-end, as front-end."""

    def __init__(self, stream):
        self.channel = Channel(stream)
        self.backend = None		# channel of the back-end's requests
        self.backend_seen = []		# its messages, oldest first
        self.acknowledge = False	# REPLY_ACK was negotiated
        self.protocol = 0

    @classmethod
    def connect(cls, path):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(path)
        return cls(stream)

    def close(self):
        self.channel.close()
        if self.backend:
            self.backend.close()
            self.backend = None

    # Requests in general -----------------------------------------------

    def post(self, request, payload=b"", fds=(), ack=None):
        """Send without waiting; returns whether an answer will come that
        finish() has to take, by the default of this connection or ack."""
        ask = self.acknowledge if ack is None else ack
        flags = VERSION | (NEED_REPLY if ask else 0)
        self.channel.send(request, payload, fds, flags)
        return ask

    def finish(self, request, timeout=60.0):
        """Take the answer to a request that was posted."""
        end = time.monotonic() + timeout * wait.SCALE
        while not self.channel.readable(0.02):
            self.serve_backend()
            if wait.stopping.is_set():
                raise wait.Interrupted()
            if time.monotonic() > end:
                raise wait.WaitTimeout("no answer to request %d" % request)
        message = self.channel.receive()
        assert message.request == request, (request, message)
        assert message.flags == VERSION | REPLY, message
        return message

    def ask(self, request, payload=b"", fds=()):
        """A request that has a reply of its own."""
        self.channel.send(request, payload, fds)
        return self.finish(request)

    def tell(self, request, payload=b"", fds=(), ack=None):
        """A request that has none: wait for the acknowledgement if one
        was asked for, and fail when it is a refusal."""
        if self.post(request, payload, fds, ack):
            code = self.finish(request).u64()
            if code:
                raise Refused("request %d: %d" % (request, code))

    def serve_backend(self):
        """Take and acknowledge what the back-end asks for."""
        while self.backend and self.backend.readable():
            try:
                message = self.backend.receive()
            except Disconnected:
                self.backend.close()
                self.backend = None
                return
            self.backend_seen.append(message)
            if message.flags & NEED_REPLY:
                self.backend.send(message.request, struct.pack("=Q", 0),
                                  flags=VERSION | REPLY)

    # One method for each request ---------------------------------------

    def get_features(self):
        return self.ask(GET_FEATURES).u64()

    def set_features(self, value, **kwargs):
        self.tell(SET_FEATURES, struct.pack("=Q", value), **kwargs)

    def get_protocol_features(self):
        return self.ask(GET_PROTOCOL_FEATURES).u64()

    def set_protocol_features(self, value, **kwargs):
        self.tell(SET_PROTOCOL_FEATURES, struct.pack("=Q", value), **kwargs)
        self.protocol = value
        self.acknowledge = bool(value >> PF_REPLY_ACK & 1)

    def set_owner(self):
        self.tell(SET_OWNER)

    def reset_owner(self):
        self.tell(RESET_OWNER)

    def reset_device(self, **kwargs):
        self.tell(RESET_DEVICE, **kwargs)

    def get_queue_num(self):
        return self.ask(GET_QUEUE_NUM).u64()

    def get_max_mem_slots(self):
        return self.ask(GET_MAX_MEM_SLOTS).u64()

    @staticmethod
    def mem_table(regions):
        """Payload and descriptors of SET_MEM_TABLE."""
        payload = struct.pack("=II", len(regions), 0)
        payload += b"".join(r.describe() for r in regions)
        return payload, [r.fd for r in regions]

    def set_mem_table(self, regions, **kwargs):
        self.tell(SET_MEM_TABLE, *self.mem_table(regions), **kwargs)

    def add_mem_reg(self, region, **kwargs):
        self.tell(ADD_MEM_REG, struct.pack("=Q", 0) + region.describe(),
                  [region.fd], **kwargs)

    def rem_mem_reg(self, region, **kwargs):
        self.tell(REM_MEM_REG, struct.pack("=Q", 0) + region.describe(),
                  **kwargs)

    def set_vring_num(self, index, num, **kwargs):
        self.tell(SET_VRING_NUM, struct.pack("=II", index, num), **kwargs)

    def set_vring_base(self, index, base, **kwargs):
        self.tell(SET_VRING_BASE, struct.pack("=II", index, base), **kwargs)

    def set_vring_addr(self, index, desc, used, avail, log=None, **kwargs):
        self.tell(SET_VRING_ADDR, struct.pack(
            "=IIQQQQ", index, log is not None, desc, used, avail, log or 0),
            **kwargs)

    def set_log_base(self, fd, size, offset=0):
        reply = self.ask(SET_LOG_BASE, struct.pack("=QQ", size, offset),
                         [fd])
        assert reply.u64() == 0, reply

    def get_vring_base(self, index):
        """(index, base) as answered."""
        reply = self.ask(GET_VRING_BASE, struct.pack("=II", index, 0))
        return struct.unpack("=II", reply.payload)

    def _vring_fd(self, request, index, fd, kwargs):
        value, fds = (index | NO_FD, []) if fd is None else (index, [fd])
        self.tell(request, struct.pack("=Q", value), fds, **kwargs)

    def set_vring_kick(self, index, fd, **kwargs):
        self._vring_fd(SET_VRING_KICK, index, fd, kwargs)

    def set_vring_call(self, index, fd, **kwargs):
        self._vring_fd(SET_VRING_CALL, index, fd, kwargs)

    def set_vring_err(self, index, fd, **kwargs):
        self._vring_fd(SET_VRING_ERR, index, fd, kwargs)

    def set_vring_enable(self, index, on, **kwargs):
        self.tell(SET_VRING_ENABLE, struct.pack("=II", index, int(on)),
                  **kwargs)

    def vring_kick(self, index, **kwargs):
        self.tell(VRING_KICK, struct.pack("=II", index, 0), **kwargs)

    def set_backend_req_fd(self, **kwargs):
        ours, theirs = socket.socketpair()
        self.backend = Channel(ours)
        with theirs:
            self.tell(SET_BACKEND_REQ_FD, fds=[theirs.fileno()], **kwargs)

    def get_config(self, offset, size, flags=0):
        """Bytes of config space, or None when the back-end refuses."""
        reply = self.ask(GET_CONFIG, struct.pack("=III", offset, size, flags)
                         + bytes(size))
        if not reply.payload:
            return None
        assert struct.unpack_from("=II", reply.payload) == (offset, size)
        assert len(reply.payload) == 12 + size, reply
        return reply.payload[12:]

    def set_config(self, offset, data, flags=0, **kwargs):
        self.tell(SET_CONFIG, struct.pack("=III", offset, len(data), flags)
                  + data, **kwargs)

    def set_status(self, value, **kwargs):
        self.tell(SET_STATUS, struct.pack("=Q", value), **kwargs)

    def set_device_state_fd(self, direction, phase=0):
        """A file for the state of the device, 0 to save, 1 to load; Refused
        when there is none."""
        ours, theirs = os.pipe()
        try:
            reply = self.ask(SET_DEVICE_STATE_FD,
                             struct.pack("=II", direction, phase), [theirs])
        finally:
            os.close(ours)
            os.close(theirs)
        if reply.u64():
            assert reply.u64() & 0x100 and not reply.fds, reply
            raise Refused("device state: 0x%x" % reply.u64())
        return os.fdopen(reply.fds[0], "r+b", buffering=0)

    def check_device_state(self):
        if self.ask(CHECK_DEVICE_STATE).u64():
            raise Refused("device state")

    def get_inflight_fd(self, queues, num):
        """The record of buffers in flight: its fields, and its file, which
        is the caller's."""
        reply = self.ask(GET_INFLIGHT_FD, struct.pack("=QQHH4x", 0, 0,
                                                      queues, num)[:20])
        assert len(reply.fds) == 1, reply
        return reply.payload, reply.fds[0]

    def set_inflight_fd(self, record):
        self.tell(SET_INFLIGHT_FD, record[0], [record[1]])

    def get_status(self):
        return self.ask(GET_STATUS).u64()
