# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""One guest: Debian's user-mode Linux kernel, remote-controlled.

The kernel connects to the vhost-user socket once, at boot, so the daemon
must be there first. Each guest is a session of its own: the kernel has
helper processes that hold the socket, and only killing the whole group
lets the daemon see the end of its front-end.
"""

import os
import signal
import subprocess

from common import initramfs, memfile, runner, shell, wait
from common.shell import GuestDied

from . import parts

MIB = 1 << 20


def memory_folder(mib):
    """A folder for the memory file: enough room, executable mappings.

    User-mode Linux runs its guest's programs from this file, so a file
    system mounted "noexec" (as /dev/shm is in many containers) is useless,
    and a small one ends in a bus error.
    """
    candidates = (os.environ.get("FPH_UML_TMPDIR"), "/dev/shm",
                  os.environ.get("TMPDIR"), "/tmp", "/var/tmp")
    for folder in candidates:
        try:
            found = os.statvfs(folder) if folder else None
        except OSError:
            continue
        if found and not found.f_flag & os.ST_NOEXEC \
                and os.access(folder, os.W_OK | os.X_OK) \
                and found.f_bavail * found.f_frsize > (mib + 64) * MIB:
            return folder
    raise runner.Skip("no folder with %d MiB of room for guest memory: set "
                      "FPH_UML_TMPDIR" % (mib + 64))


def _fixed_addresses():
    """The words that switch address randomisation off, where allowed.

    Without it the memory file has a random, sparse gap: everything works,
    only its size is less telling. Container filters may deny the call.
    """
    words = ["setarch", "-R"]
    try:
        done = subprocess.run(words + ["true"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return []
    return words if done.returncode == 0 else []


def why_not(folder):
    """A reason why user-mode Linux cannot run here, or None.

    The kernel traces its own processes; a container may deny that. It is
    asked itself: it tests ptrace before anything else, and without a root
    file system it ends by panic a second later.
    """
    try:
        path = parts.kernel()
        parts.module()
        initramfs.busybox()
        where = memory_folder(32)
    except (initramfs.MissingPart, runner.Skip) as missing:
        return str(missing)
    command = _fixed_addresses() + [
        path, "mem=32M", "con=null", "con0=null,fd:1", "panic=-1",
        "uml_dir=%s/" % folder, "umid=probe"]
    # A file, not a pipe: the kernel drops what a pipe does not take at once.
    with open(os.path.join(folder, "console"), "w+b") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(os.environ, TMPDIR=where))
        try:
            process.wait(timeout=60 * wait.SCALE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _kill_group(process)
        console.seek(0)
        text = console.read()
    # The first lines of the log may be gone by the time of the panic.
    if b"Linux version" in text or b"Kernel panic" in text:
        return None
    lines = text.decode(errors="replace").strip().splitlines()
    for line in lines:
        if "ptrace" in line and "not permitted" in line:
            return "ptrace is denied here: " + line.strip()
    return "user-mode Linux does not start: " + " / ".join(lines[-3:])


def _kill_group(process):
    """SIGKILL to the whole session of a process, then reap it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if process.stdout:
        process.stdout.close()


class Guest(shell.Shell):
    """A guest bound to a daemon's socket. start() boots it."""

    def __init__(self, folder, socket_path, mem_mib=512, kernel_args=(),
                 name="guest"):
        self.folder = os.path.join(folder, name)
        self.share = os.path.join(self.folder, "share")
        self.console_path = os.path.join(folder, name + ".console")
        self.socket_path = socket_path
        self.mem_mib = mem_mib
        self.kernel_args = list(kernel_args)
        self.process = None
        self.memory = None
        self.serial = 0

    def start(self):
        """Boot, without the driver; returns when the guest listens."""
        os.makedirs(self.share)
        archive = os.path.join(self.folder, "initrd")
        initramfs.build(archive, parts.INIT,
                        [("virtio_balloon.ko",
                          initramfs.read(parts.module()))])
        command = _fixed_addresses() + [
            parts.kernel(), "mem=%dM" % self.mem_mib,
            "initrd=" + archive, "root=/dev/ram0",
            "con=null", "con0=null,fd:1",
            "virtio_uml.device=%s:5" % self.socket_path,
            "hostdir=" + self.share, "umid=guest",
            "uml_dir=%s/" % self.folder] + self.kernel_args
        environment = dict(os.environ, TMPDIR=memory_folder(self.mem_mib))
        with open(self.console_path, "wb") as console:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console,
                stderr=subprocess.STDOUT, env=environment,
                start_new_session=True)
        try:
            self._wait_file("up", "guest boots", 120)
            self.memory = memfile.MemoryFile.of_process(
                self.process.pid, self.mem_mib * MIB * 9 // 10)
            if self.memory is None:
                raise AssertionError("memory file of the guest not found")
        except BaseException:
            self.kill()
            raise
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def console_tail(self, lines=12):
        return runner.tail(self.console_path, lines)

    def console_text(self):
        with open(self.console_path, "r", errors="replace") as file:
            return file.read()

    def _wait_file(self, name, what, timeout):
        path = os.path.join(self.share, name)

        def there():
            if os.path.exists(path):
                return True
            if not self.alive():
                raise GuestDied("guest ended with %s while: %s\n%s" % (
                    self.process.returncode, what, self.console_tail(15)))
            return False
        wait.until(there, what, timeout, interval=0.01)
        return path

    # Remote control ----------------------------------------------------

    def begin(self, command):
        """Hand a command to the guest without waiting; returns its
        number for finish(). The guest runs one after the other."""
        self.serial += 1
        path = os.path.join(self.share, "tmp.req")
        with open(path, "w") as file:
            file.write(command + "\n")
        os.rename(path, os.path.join(self.share, "req.%d" % self.serial))
        return self.serial

    def finish(self, number, command="", timeout=120):
        """Wait for a command; returns (status, output)."""
        done = self._wait_file("done.%d" % number, "guest runs: " + command,
                               timeout)
        with open(done) as file:
            status = int(file.read())
        path = os.path.join(self.share, "out.%d" % number)
        with open(path, errors="replace") as file:
            return status, file.read()

    def execute(self, command, timeout):
        return self.finish(self.begin(command), command, timeout)

    # The end -----------------------------------------------------------

    def poweroff(self, timeout=60, lost_device=False):
        """A clean end: the kernel halts, and its process exits with 0.

        With lost_device its status is not asked for: once halted, the process
        runs its pending signal handlers a last time, and that of a connection
        that broke can end it by a signal.
        """
        self.begin("poweroff -f")
        wait.until(lambda: not self.alive(), "guest powers off", timeout)
        status = self.process.returncode
        if "reboot: System halted" not in self.console_text() \
                or status and not lost_device:
            raise AssertionError("guest ended with %d:\n%s"
                                 % (status, self.console_tail()))
        self.kill()

    def kill(self):
        if self.memory:
            self.memory.close()
            self.memory = None
        if self.process:
            _kill_group(self.process)
