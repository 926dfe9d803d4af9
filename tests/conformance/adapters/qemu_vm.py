# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A QEMU whose balloon device is driven from outside, over qtest.

No guest runs: the processor halts in its reset vector.  Guest memory is a
file that is mapped here too; registers are reached by the qtest protocol.
"""

import json
import mmap
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

MIB = 1 << 20
HALT = bytes((0xfa, 0xf4, 0xeb, 0xfd))      # cli; hlt; jmp back
SLOTS, STRIDE, NSLOTS = 0xfeb00000, 0x200, 24
MAGIC, BALLOON = 0x74726976, 5
(VERSION, DEVICE, FEATURES, FEATURES_SEL, DRIVER_FEATURES,
 DRIVER_SEL) = 0x4, 0x8, 0x10, 0x14, 0x20, 0x24
QUEUE_SEL, QUEUE_MAX, QUEUE_NUM, QUEUE_READY = 0x30, 0x34, 0x38, 0x44
NOTIFY, ISR, ACK, STATUS = 0x50, 0x60, 0x64, 0x70
DESC, AVAIL, USED, CONFIG = 0x80, 0x90, 0xa0, 0x100


class Line:
    """A socket of QEMU's that talks in lines."""

    def __init__(self, path):
        end = time.monotonic() + 30
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)
        self.socket.settimeout(30)
        self.lines = self.socket.makefile("rb")

    def ask(self, text):
        self.socket.sendall(text.encode("ascii") + b"\n")

    def next(self):
        line = self.lines.readline()
        if not line:
            raise EOFError("QEMU ended")
        return line.decode().strip()

    def close(self):
        self.lines.close()
        self.socket.close()


class Machine:
    """qemu: its program.  size: bytes of memory.  options: of the device."""

    def __init__(self, qemu, size, options):
        self.size, self.options = size, options
        self.folder = tempfile.mkdtemp(prefix="fph-qemu.")
        bios = os.path.join(self.folder, "bios")
        with open(bios, "wb") as f:
            f.write(HALT.join((b"\xf4" * 0xfff0, b"\xf4" * 12)))
        self.fd = os.memfd_create("fph-qemu")
        os.ftruncate(self.fd, size)
        paths = [os.path.join(self.folder, n) for n in ("qtest", "qmp")]
        self.errors = open(os.path.join(self.folder, "err"), "w+b")
        self.process = subprocess.Popen(
            [*qemu, "-machine", "microvm,rtc=off,pit=off,pic=off,"
             "isa-serial=off,auto-kernel-cmdline=off,memory-backend=ram",
             "-accel", "tcg", "-m", "%dM" % (size // MIB),
             "-object", "memory-backend-file,id=ram,size=%d,share=on,"
             "mem-path=/proc/self/fd/%d" % (size, self.fd),
             "-object", "iothread,id=io", "-bios", bios, "-display", "none",
             "-nodefaults", "-no-user-config",
             "-global", "virtio-mmio.force-legacy=false",
             "-qtest", "unix:%s,server=on,wait=off" % paths[0],
             "-qtest-log", "none",
             "-qmp", "unix:%s,server=on,wait=off" % paths[1],
             "-device", "virtio-balloon-device,iothread=io," + options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.errors, pass_fds=(self.fd,), start_new_session=True)
        self.lines = []
        try:
            self.qtest, self.qmp = (Line(p) for p in paths)
            self.qmp.next()
            self.command("qmp_capabilities")
            self.memory = mmap.mmap(self.fd, size)
            self.populate(0, size)
            self.base = self.find()
        except BaseException:
            self.close()
            raise
        self.migrated = False

    def close(self):
        for name in ("qtest", "qmp"):
            line = self.__dict__.pop(name, None)
            if line:
                line.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        if "memory" in self.__dict__:
            self.memory.close()
        self.errors.close()
        os.close(self.fd)
        shutil.rmtree(self.folder)

    # Memory: what the device gave back is a hole of the file.

    def populate(self, gpa, length):
        """Data, for a page that was only reserved counts as a hole."""
        self.memory[gpa:gpa + length] = b"\xa5" * length

    def holes(self):
        """Ranges that were given back; they are filled again."""
        found, at = [], 0
        while at < self.size:
            start = os.lseek(self.fd, at, os.SEEK_HOLE)
            if start >= self.size:
                break
            try:
                at = os.lseek(self.fd, start, os.SEEK_DATA)
            except OSError:
                at = self.size
            found.append((start, at - start))
        for start, length in found:
            self.populate(start, length)
        return found

    # Registers.

    def query(self, text):
        self.qtest.ask(text)
        while True:
            words = self.qtest.next().split()
            if words[0] == "OK":
                return int(words[1], 0) if len(words) > 1 else 0
            if words[0] != "IRQ":
                raise RuntimeError("%s: %s" % (text, words))

    def read(self, register, size="l"):
        return self.query("read%s %#x" % (size, self.base + register))

    def write(self, register, value, size="l"):
        self.query("write%s %#x %#x" % (size, self.base + register, value))

    def find(self):
        for slot in reversed(range(NSLOTS)):
            base = SLOTS + slot * STRIDE
            if self.query("readl %#x" % base) == MAGIC and \
                    self.query("readl %#x" % (base + DEVICE)) == BALLOON:
                return base
        raise RuntimeError("no balloon")

    def get_features(self):
        value = 0
        for half in (0, 1):
            self.write(FEATURES_SEL, half)
            value |= self.read(FEATURES) << 32 * half
        return value

    def set_features(self, value):
        for half in (0, 1):
            self.write(DRIVER_SEL, half)
            self.write(DRIVER_FEATURES, value >> 32 * half & 0xffffffff)

    def queue_max(self, index):
        self.write(QUEUE_SEL, index)
        return self.read(QUEUE_MAX)

    def set_queue(self, index, ring):
        self.write(QUEUE_SEL, index)
        self.write(QUEUE_NUM, ring.size)
        for register, gpa in ((DESC, ring.desc), (AVAIL, ring.avail),
                              (USED, ring.used)):
            self.write(register, gpa & 0xffffffff)
            self.write(register + 4, gpa >> 32)
        self.write(QUEUE_READY, 1)

    # QMP.

    def command(self, name, **arguments):
        self.qmp.ask(json.dumps({"execute": name, "arguments": arguments}))
        while True:
            said = json.loads(self.qmp.next())
            if "error" in said:
                raise RuntimeError("%s: %s" % (name, said["error"]["desc"]))
            if "return" in said:
                return said["return"]

    def migration(self):
        return self.command("query-migrate")
