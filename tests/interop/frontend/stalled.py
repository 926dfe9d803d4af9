# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A file on a file system that does not answer any more.

One process serves a FUSE file system of one file, in a mount namespace of its
own: it answers until the file is open, and then takes requests without a
word. A second one has the file open and sends it to whom it is told. The
test itself never has it: to close it, as any new process of its would, waits
for an answer.
"""

import array
import contextlib
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys

LOOKUP, GETATTR, OPEN, INIT = 1, 3, 14, 26
CLONE_NEWNS, MS_REC_PRIVATE = 0x20000, 0x44000
SIZE = 1 << 24
HEADER = struct.Struct("=IIQQIIII")


def why_not():
    """A reason why there can be no such file here, or None."""
    if os.geteuid() != 0:
        return "to mount a file system needs root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    return None


class StalledFile:
    """folder is where it is mounted, out of sight."""

    def __init__(self, folder):
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), folder,
                 str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL)
        if not self.socket.recv(1):
            self.close()
            raise OSError("no FUSE file system could be mounted")

    def send(self, stream, data, count=1):
        """Send data on a stream socket, and the file count times."""
        self.socket.sendmsg(
            [struct.pack("=I", count) + data],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
              struct.pack("=i", stream.fileno()))])
        if not self.socket.recv(1):
            raise OSError("the process that sends has ended")

    def close(self):
        """The end of the file system: whoever waits goes on."""
        self.process.kill()
        self.process.wait()
        self.socket.close()


# ------------------------------------------------------------ its processes

def call(function, *arguments):
    """A call of the C library."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (function, os.strerror(number)))


def attributes(node):
    """The folder is node 1, the file 2; valid for no time at all."""
    mode, size = (0o40700, 0) if node == 1 else (0o100600, SIZE)
    return struct.pack("=QQQQQQIIIIIIIIII", node, size, 0, 0, 0, 0, 0, 0, 0,
                       mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node):
    """What is said to a request, or None."""
    if opcode == INIT:
        return struct.pack("=IIIIHHIIHHI28x", 7, 31, 0, 0, 16, 12, 4096, 1,
                           1, 0, 0)
    if opcode == LOOKUP:
        return struct.pack("=QQQQII", 2, 0, 0, 0, 0, 0) + attributes(2)
    if opcode == GETATTR:
        return struct.pack("=QII", 0, 0, 0) + attributes(node)
    if opcode == OPEN:
        return struct.pack("=QII", 0, 0, 0)
    return None


def serve(device):
    """Until the file is open; then only take what comes."""
    opcode = None
    while opcode != OPEN:
        _, opcode, unique, node, _, _, _, _ = HEADER.unpack_from(
            os.read(device, 1 << 17))
        payload = answer(opcode, node)
        error = -errno.ENOSYS if payload is None else 0
        payload = payload or b""
        os.write(device, struct.pack("=IiQ", 16 + len(payload), error,
                                     unique) + payload)
    while True:
        os.read(device, 1 << 17)


def send_on_demand(commands, path):
    """The process that has the file."""
    file = os.open(path, os.O_RDWR)
    commands.sendall(b".")
    while True:
        data, rights, _, _ = commands.recvmsg(1 << 16, socket.CMSG_SPACE(4))
        if not data:
            return
        fd = array.array("i", rights[0][2])[0]
        count = struct.unpack_from("=I", data)[0]
        with socket.socket(fileno=fd) as stream, \
                contextlib.suppress(OSError):
            stream.sendmsg([data[4:]],
                           [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                             array.array("i", [file] * count))])
        commands.sendall(b".")


def main(folder, number):
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC_PRIVATE, None)
    device = os.open("/dev/fuse", os.O_RDWR)
    call("mount", b"stalled", folder.encode(), b"fuse", 0,
         b"fd=%d,rootmode=40000,user_id=0,group_id=0" % device)
    commands = socket.socket(fileno=number)
    if os.fork():
        commands.close()
        serve(device)
    os.close(device)
    send_on_demand(commands, os.path.join(folder, "file"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
