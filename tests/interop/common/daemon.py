# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Start, control and stop the daemon vhost-user-balloon."""

import collections
import json
import os
import select
import signal
import socket
import subprocess
import time

from . import runner, wait


class ControlError(AssertionError):
    """The daemon answered a command with an error."""

    def __init__(self, name, error):
        super().__init__("%s: %s" % (name, error))
        self.error = error


class Control:
    """Client of the control socket: one JSON object per line. QMP is the
    same, but for the names of arguments."""

    @staticmethod
    def argument_name(name):
        """What stands for an argument's name on the socket."""
        return name.replace("_", "-")

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.buffer = b""
        self.events = collections.deque()
        self.serial = 0

    def close(self):
        self.socket.close()

    def receive(self, timeout):
        """The next object of any kind, or None when the time is over."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if wait.stopping.is_set():
                raise wait.Interrupted()
            if select.select([self.socket], [], [], min(left, 0.2))[0]:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise ConnectionError("control socket closed")
                self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def command(self, name, timeout=60.0, **arguments):
        """Execute and return the answer; events are kept for later.

        An underscore in an argument's name stands for a hyphen.
        """
        return self.together((name, arguments), timeout=timeout)[0]

    def together(self, *commands, timeout=60.0):
        """Execute several (name, arguments) that arrive in one piece, so
        that the daemon does one right after the other; their answers."""
        lines, answers = b"", {}
        first = self.serial + 1
        for name, arguments in commands:
            self.serial += 1
            request = {"execute": name, "id": self.serial}
            if arguments:
                request["arguments"] = {self.argument_name(k): v
                                        for k, v in arguments.items()}
            lines += json.dumps(request).encode() + b"\n"
        self.socket.sendall(lines)
        end = time.monotonic() + timeout * wait.SCALE
        while len(answers) < len(commands):
            answer = self.receive(max(0.0, end - time.monotonic()))
            if answer is None:
                raise wait.WaitTimeout("no answer to %r" % (commands,))
            if "event" in answer:
                self.events.append(answer)
                continue
            name = commands[answer["id"] - first][0]
            if "error" in answer:
                raise ControlError(name, answer["error"])
            answers[answer["id"]] = answer["return"]
        return [answers[number] for number in sorted(answers)]

    def next_event(self, timeout=60.0):
        """Next event as (name, data); fails when none comes in time."""
        end = time.monotonic() + timeout * wait.SCALE
        while not self.events:
            event = self.receive(max(0.0, end - time.monotonic()))
            if event is None:
                raise wait.WaitTimeout("no event")
            if "event" in event:
                self.events.append(event)
        event = self.events.popleft()
        return event["event"], event.get("data", {})

    def drain_events(self):
        """All events that are here already, as (name, data)."""
        while True:
            event = self.receive(0.001)
            if event is None:
                break
            if "event" in event:
                self.events.append(event)
        seen = [(e["event"], e.get("data", {})) for e in self.events]
        self.events.clear()
        return seen


def is_listening(path):
    """True when somebody listens on this socket address. To connect would
    tell as well, but would be a front-end to the daemon."""
    with open("/proc/net/unix", "r", errors="replace") as file:
        for line in file:
            fields = line.split(None, 7)
            if fields[-1].strip() == path and fields[3] == "00010000":
                return True
    return False


class Daemon:
    """One process of vhost-user-balloon listening in a folder."""

    def __init__(self, binary, folder, *arguments, name="daemon"):
        self.binary = binary
        self.socket_path = os.path.join(folder, name + ".sock")
        self.control_path = os.path.join(folder, name + ".ctl")
        self.log_path = os.path.join(folder, name + ".log")
        self.arguments = list(arguments)
        self.process = None
        self.control = None

    def start(self, pass_fds=(), listen=True, user=None):
        command = [self.binary, "--control=" + self.control_path]
        if listen:
            command.append("--socket-path=" + self.socket_path)
        command += self.arguments
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=pass_fds, start_new_session=True, user=user)
        try:
            paths = [self.control_path]
            if listen:
                paths.append(self.socket_path)
            wait.until(lambda: self._listening(paths), "daemon listens")
            self.control = Control(self.control_path)
        except BaseException:
            self.kill()
            raise
        return self

    def _listening(self, paths):
        if self.process.poll() is not None:
            raise AssertionError("daemon ended with %s at start:\n%s" % (
                self.process.returncode, self.log_tail()))
        return all(is_listening(p) for p in paths)

    def log_tail(self, lines=40):
        return runner.tail(self.log_path, lines)

    def log_text(self):
        with open(self.log_path, "r", errors="replace") as file:
            return file.read()

    # Commands ----------------------------------------------------------

    def command(self, name, **arguments):
        return self.control.command(name, **arguments)

    def stats(self):
        return self.command("query-stats")

    def hint(self):
        return self.command("query-hint")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    # The end -----------------------------------------------------------

    def kill(self, number=signal.SIGKILL):
        """Kill at once; no clean end is expected."""
        if self.control:
            self.control.close()
            self.control = None
        if self.process:
            if self.process.poll() is None:
                self.process.send_signal(number)
            self.process.wait()
            # Its second process has the sockets as well, and ends with it.
            wait.until(lambda: not is_listening(self.socket_path)
                       and not is_listening(self.control_path),
                       "nobody listens any more", interval=0.001)

    def stop(self):
        """SIGTERM: the daemon must end with 0 and unlink its sockets."""
        if self.control:
            self.control.close()
            self.control = None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60 * wait.SCALE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("daemon ignored SIGTERM") from None
        if code != 0:
            raise AssertionError("daemon ended with %d, expected 0" % code)
        for path in (self.socket_path, self.control_path):
            if os.path.exists(path):
                raise AssertionError("daemon left %s behind" % path)


def start(context, *arguments, name="daemon"):
    """A daemon for one test: stopped, or killed, when the test ends."""
    daemon = Daemon(context.options.daemon, context.workdir, *arguments,
                    name=name)
    context.on_failure("log of the " + name, daemon.log_tail)
    daemon.start()
    context.defer(daemon.kill)
    return daemon
