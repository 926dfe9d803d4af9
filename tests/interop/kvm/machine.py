# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A QEMU whose processor runs writer.S, and its two control sockets.

Guest memory is a file that is mapped here too. The processor writes what has
to be in the dirty log: a write through the mapping is not.
"""

import json
import mmap
import os
import socket
import struct
import subprocess

from common import wait

MEMORY = 2560 << 20     # more than two chunks of the log, below 4 GiB
MAILBOX = 0x500
PAGE = 4096


def build_rom(folder):
    """Assembles and links writer.S at the place where the ROM appears."""
    here = os.path.dirname(os.path.abspath(__file__))
    rom = os.path.join(folder, "writer.bin")
    parts = [os.path.join(folder, "writer" + end) for end in (".o", ".elf")]
    for command in (
            ["as", "--32", "-o", parts[0], os.path.join(here, "writer.S")],
            ["ld", "-m", "elf_i386", "-N", "-Ttext=0xf0000", "-o", parts[1],
             parts[0]],
            ["objcopy", "-O", "binary", parts[1], rom]):
        # What ld warns of, code that is writable, is no matter in a ROM.
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode:
            raise RuntimeError("%s: %s" % (command[0], done.stderr))
    return rom


class Lines:
    """A socket of lines."""

    def __init__(self, path, process):
        def connect():
            if process.poll() is not None:
                raise RuntimeError("QEMU ended: %d" % process.returncode)
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(path)
                return link
            except OSError:
                link.close()
                return None
        self.link = wait.until(connect, "no " + path)
        self.link.settimeout(60)
        self.file = self.link.makefile("rb")

    def ask(self, line):
        self.link.sendall(line.encode() + b"\n")

    def read(self):
        line = self.file.readline()
        if not line:
            raise RuntimeError("QEMU closed its socket")
        return line

    def close(self):
        self.file.close()
        self.link.close()


class Qtest(Lines):
    def call(self, line):
        self.ask(line)
        while True:
            answer = self.read().decode().strip()
            if answer.startswith("OK"):
                return answer[3:]
            if not answer.startswith("IRQ"):
                raise RuntimeError("%s: %s" % (line, answer))

    def get(self, size, address):
        return int(self.call("read%s 0x%x" % (size, address)), 16)

    def put(self, size, address, value):
        self.call("write%s 0x%x 0x%x" % (size, address, value))

    def out32(self, port, value):
        self.call("outl 0x%x 0x%x" % (port, value))

    def in32(self, port):
        return int(self.call("inl 0x%x" % port), 16)


class Qmp(Lines):
    def __init__(self, path, process):
        super().__init__(path, process)
        self.read()
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        self.ask(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self.read())
            if "error" in answer:
                raise RuntimeError("%s: %s" % (command, answer["error"]))
            if "return" in answer:
                return answer["return"]


class Machine:
    def __init__(self, program, folder, name, accelerator, options=(),
                 incoming=None):
        def at(end):
            return os.path.join(folder, name + end)
        self.ram_file = at(".ram")
        with open(self.ram_file, "wb") as file:
            file.truncate(MEMORY)
        command = [
            program, "-machine", "q35,smm=off,memory-backend=ram",
            "-accel", accelerator, "-cpu", "qemu64", "-m", "%dB" % MEMORY,
            "-object", "memory-backend-file,id=ram,size=%d,mem-path=%s,"
            "share=on" % (MEMORY, self.ram_file),
            "-object", "iothread,id=io", "-bios", build_rom(folder),
            "-display", "none", "-nodefaults", "-no-user-config",
            "-qtest", "unix:%s,server=on,wait=off" % at(".qtest"),
            "-qtest-log", "none",
            "-qmp", "unix:%s,server=on,wait=off" % at(".qmp"),
            "-device", "virtio-balloon-pci,addr=04.0,disable-legacy=on,"
            "free-page-hint=on,iothread=io", *options]
        if incoming:
            command += ["-incoming", incoming]
        self.log = open(at(".log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        try:
            self.qtest = Qtest(at(".qtest"), self.process)
            self.qmp = Qmp(at(".qmp"), self.process)
            with open(self.ram_file, "r+b") as file:
                self.ram = mmap.mmap(file.fileno(), MEMORY)
        except BaseException as error:
            self.process.kill()
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError("QEMU: " + self.log.read()) from error
        self.commands = 0

    def put32(self, address, value):
        struct.pack_into("<I", self.ram, address, value)

    def get32(self, address):
        return struct.unpack_from("<I", self.ram, address)[0]

    def write_pages(self, address, pages, value):
        """The processor writes the value to each page."""
        self.commands += 1
        for offset, number in ((8, address), (12, pages), (16, value),
                               (0, self.commands)):
            self.qtest.put("l", MAILBOX + offset, number)
        wait.until(lambda: self.qtest.get("l", MAILBOX + 4)
                   == self.commands, "the processor does not answer")

    def count(self, address, pages, value):
        return sum(self.get32(address + i * PAGE) == value
                   for i in range(pages))

    def close(self):
        try:
            if self.process.poll() is None:
                self.process.terminate()
                self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.qtest.close()
        self.qmp.close()
        self.ram.close()
        self.log.close()
        os.unlink(self.ram_file)
