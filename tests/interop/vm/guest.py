# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""One guest: QEMU without KVM, a Debian kernel, and a balloon device that
is a daemon of ours. QEMU connects to the daemon, which must be there first.
"""

import os
import re
import select
import socket
import subprocess
import time

from common import daemon, memfile, runner, shell, wait
from common.shell import GuestDied

from . import parts
from .qmp import Qmp

MIB = 1 << 20


def memory(mib, shared=True, more=""):
    """QEMU's options for memory in a file that the daemon can map too."""
    kind = "memory-backend-memfd,share=on" if shared else \
        "memory-backend-ram"
    return ["-m", "%dM%s" % (mib, more), "-object",
            "%s,id=ram,size=%dM" % (kind, mib)]


def chardev(number, socket_path):
    return ["-chardev", "socket,id=c%d,path=%s" % (number, socket_path)]


def device(number, num_vqs=5, config_size=16):
    """The device's properties, as QMP's device_add has them."""
    return {"driver": parts.DEVICE, "id": "balloon%d" % number,
            "chardev": "c%d" % number, "virtio-id": 5, "num_vqs": num_vqs,
            "config_size": config_size}


def device_option(properties):
    words = dict(properties)
    return ["-device", ",".join([words.pop("driver")] + [
        "%s=%s" % item for item in words.items()])]


class Guest(shell.Shell):
    """A guest, bound to a daemon's socket if it has one. start() boots it.

    kernel is one of parts'; append are words of the kernel's command line;
    options are QEMU's, and mem_options replace those for memory.
    """

    def __init__(self, folder, socket_path=None, mem_mib=512,
                 kernel=parts.OLD, append=(), options=(), mem_options=None,
                 name="guest"):
        self.folder = os.path.join(folder, name)
        self.console_path = os.path.join(folder, name + ".console")
        self.errors_path = os.path.join(folder, name + ".errors")
        self.mem_mib = mem_mib
        self.kernel = kernel
        self.append = list(append)
        self.options = list(options)
        self.mem_options = mem_options or memory(mem_mib)
        if socket_path:
            self.options = chardev(0, socket_path) + device_option(
                device(0)) + self.options
        self.process = None
        self.memory = None
        self.agent = None
        self.qmp = None
        self.buffer = b""

    # Start -------------------------------------------------------------

    def _path(self, name):
        return os.path.join(self.folder, name)

    def build_initramfs(self, path):
        parts.build_initramfs(self.kernel, path)

    def _command(self):
        return parts.qemu() + [
            "-machine", "q35,memory-backend=ram", "-accel", "tcg",
            "-cpu", "max", "-display", "none", "-nodefaults",
            "-no-user-config", "-kernel", parts.kernel(self.kernel),
            "-initrd", self._path("initrd"), "-append",
            " ".join(["console=ttyS0", "quiet"] + self.append),
            "-chardev", "socket,id=console,path=%s,server=on,wait=off,"
            "logfile=%s" % (self._path("console"), self.console_path),
            "-serial", "chardev:console",
            "-serial", "unix:%s,server=on,wait=off" % self._path("agent"),
            "-qmp", "unix:%s,server=on,wait=off" % self._path("qmp"),
        ] + self.mem_options + self.options

    def launch(self):
        """Start QEMU without waiting for anything."""
        os.makedirs(self.folder)
        self.build_initramfs(self._path("initrd"))
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=errors,
                stderr=subprocess.STDOUT, start_new_session=True)

    def start(self):
        """Boot; returns when the guest listens."""
        self.launch()
        try:
            self.qmp = Qmp(self._listening("qmp"))
            self.agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.agent.connect(self._listening("agent"))
            self.memory = memfile.MemoryFile.of_process(
                self.process.pid, self.mem_mib * MIB)
            self.wait_up()
        except BaseException:
            self.kill()
            raise
        return self

    def _listening(self, name):
        path = self._path(name)

        def there():
            self._check_alive("QEMU starts")
            return daemon.is_listening(path)
        wait.until(there, "QEMU listens")
        return path

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _check_alive(self, what):
        if not self.alive():
            raise GuestDied("QEMU ended with %s while: %s\n%s\n%s" % (
                self.process.returncode, what, self.errors_text(),
                self.console_tail(15)))

    def console_tail(self, lines=12):
        return runner.tail(self.console_path, lines)

    def errors_text(self):
        """What QEMU wrote to its standard error."""
        return runner.tail(self.errors_path).strip()

    def process_alive_text(self):
        """For a failure: is QEMU there, and what did it say?"""
        return "%s\n%s" % ("alive" if self.alive() else "ended with %s"
                           % self.process.returncode, self.errors_text())

    def show_tasks(self):
        """Have the kernel say on its console where its tasks and processors
        are, also when the shell hangs; for a failure, so it never fails. Needs
        sysrq_always_enabled."""
        if not self.qmp:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as console:
                console.connect(self._path("console"))
                for key in b"9wlt":         # 9: nothing is left out
                    self.qmp.command("chardev-send-break", id="console")
                    console.sendall(bytes([key]))
                    self._skip(console, 30)
        except (OSError, AssertionError) as error:
            runner.say("no tasks are shown: %r" % error)

    @staticmethod
    def _skip(console, seconds):
        """What comes, until there is a pause; its log has it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and \
                select.select([console], [], [], 2)[0] and \
                console.recv(1 << 16):
            pass

    # Remote control ----------------------------------------------------

    def _read_until(self, pattern, what, timeout):
        """Output of the agent up to a pattern, and the pattern's match."""
        end = time.monotonic() + timeout * wait.SCALE
        while True:
            match = re.search(pattern, self.buffer)
            if match:
                text = self.buffer[:match.start()]
                self.buffer = self.buffer[match.end():]
                return text.decode(errors="replace"), match
            if wait.stopping.is_set():
                raise wait.Interrupted()
            self._check_alive(what)
            if time.monotonic() > end:
                raise wait.WaitTimeout("not within %.0f s: %s" % (
                    timeout * wait.SCALE, what))
            if select.select([self.agent], [], [], 0.2)[0]:
                self.buffer += self.agent.recv(1 << 16)

    def wait_up(self):
        """The guest, started or reset, is ready for commands."""
        self._read_until(rb"@UP@\r?\n", "guest boots", 120)

    def begin(self, command):
        """Execute without waiting for the end; finish() is due."""
        try:
            self.agent.sendall(command.encode() + b"\n")
        except OSError:
            self._check_alive("before: " + command)
            raise

    def finish(self, command, timeout):
        text, match = self._read_until(rb"@(\d+)@\r?\n",
                                       "guest runs: " + command, timeout)
        return int(match.group(1)), text.replace("\r\n", "\n")

    def execute(self, command, timeout):
        self.begin(command)
        return self.finish(command, timeout)

    def reset(self):
        """The reset button; returns at once. What ran in the guest is
        gone with all that it wrote here."""
        self.qmp.command("system_reset")
        self.buffer = b""

    def features(self):
        """The bits that the driver has acknowledged, as the guest has
        them."""
        text = self.run("cat /sys/bus/virtio/devices/virtio0/features")
        return {bit for bit, on in enumerate(text.strip()) if on == "1"}

    def interrupts(self):
        """Interrupts of virtio devices so far."""
        lines = re.findall(r"^\s*\d+:(.*virtio.*)$",
                           self.run("cat /proc/interrupts"), re.M)
        return sum(int(line.split()[0]) for line in lines)

    # The end -----------------------------------------------------------

    def poweroff(self, timeout=60):
        """A clean end: QEMU must exit with 0, without a complaint."""
        self.agent.sendall(b"poweroff -f\n")
        wait.until(lambda: not self.alive(), "guest powers off", timeout)
        if self.process.returncode != 0:
            raise AssertionError("QEMU ended with %d, expected 0\n%s" % (
                self.process.returncode, self.errors_text()))
        self.kill()

    def kill(self):
        for what in (self.memory, self.agent, self.qmp):
            if what:
                what.close()
        self.memory = self.agent = self.qmp = None
        if self.process:
            self.process.kill()
            self.process.wait()
