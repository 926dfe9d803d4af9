# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The line protocol: a testee as a process.  GUIDE.adoc describes it."""

import os
import select
import subprocess
import time

VERSION = "1"
TIMEOUT = 60
MAX_LINES = 100000
ENDS = ("ok", "err", "skip")
ACTIONS = ("skip-range", "discard", "clear-log", "used", "cfg", "irq",
           "broken", "vq")


class Died(Exception):
    """The testee ended, was silent, or said what no testee may say."""


class Skip(Exception):
    """The testee does not do this."""


class Answer:
    """status is "ok" or "err"; words: what follows it; actions: before it."""

    def __init__(self, status, words, actions):
        self.status, self.words, self.actions = status, words, actions

    @property
    def ok(self):
        return self.status == "ok"

    @property
    def code(self):
        return self.words[0] if self.status == "err" and self.words else ""

    def __str__(self):
        return " ".join([self.status, *self.words])


class Testee:
    timeout = TIMEOUT               # seconds for one answer

    def __init__(self, command, trace=False):
        self.command = command
        self.trace = trace
        self.name = "?"
        self.about = {}
        self.buffer = b""
        self.requests = 0
        self.world = None           # what the last test had around it
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read_line(self):
        end = time.monotonic() + self.timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            pipe = self.process.stdout
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise Died("no answer within %d s" % self.timeout)
            data = os.read(pipe.fileno(), 65536)
            if not data:
                raise Died("it ended")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        try:
            text = line.decode("ascii").strip()
        except UnicodeDecodeError as error:
            raise Died("not ASCII: %r" % line) from error
        if self.trace:
            print("  < " + text)
        return text

    def ask(self, *words):
        """Send one request, return its Answer; Skip when it says so."""
        line = " ".join(str(word) for word in words)
        self.requests += 1
        if self.trace:
            print("  > " + line)
        try:
            self.process.stdin.write(line.encode("ascii") + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Died("it ended") from error
        actions = []
        while len(actions) < MAX_LINES:
            said = self.read_line().split()
            if said and said[0] in ENDS:
                if said[0] == "skip":
                    raise Skip(" ".join(said[1:]))
                return Answer(said[0], said[1:], actions)
            if not said or said[0] not in ACTIONS:
                raise Died("neither an action nor an answer: '%s'"
                           % " ".join(said)[:80])
            actions.append(said)
        raise Died("it does not stop talking")

    def hello(self):
        answer = self.ask("hello", VERSION)
        if not answer.ok or answer.words[:2] != ["fph-conformance", VERSION]:
            raise Died("hello: '%s'" % answer)
        self.name = answer.words[2] if len(answer.words) > 2 else "?"
        for word in answer.words[3:]:
            key, _, value = word.partition("=")
            self.about[key] = value.split(",")

    def has(self, key, value):
        return value in self.about.get(key, [])

    def close(self):
        try:
            self.ask("bye")
            self.process.stdin.close()
            self.process.wait(TIMEOUT)
        except (Died, Skip, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        return self.process.returncode
