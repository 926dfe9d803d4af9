# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What both demonstrations have in common: the daemon, the record."""

import json
import subprocess

from common import daemon as daemons
from common import wait

import picture
import screen
import timeline

MIB = 1 << 20
PAGE = 4096


class Failed(Exception):
    """The demonstration did not show what it promises."""


class Story:
    """The daemon under demonstration, with screen, timeline and table."""

    def __init__(self, options, folder, full_mib):
        self.options = options
        self.screen = screen.Screen(full_mib)
        self.daemon = daemons.Daemon(
            options.daemon, folder, "--verbose",
            "--memory-file-systems=overlay,ext4,xfs,btrfs")
        self.rows = []
        self.line = None

    def say(self, text):
        self.screen.line("          " + text)

    def start_daemon(self):
        self.screen.step("the daemon: " + self.options.daemon)
        self.daemon.start()

    def start_timeline(self, resident):
        """resident() gives the bytes of host memory in use."""
        self.line = timeline.Timeline(resident, self.screen.memory)
        self.line.begin()

    def mark(self, text):
        """An event in the picture; returns the host memory in MiB."""
        return self.line.mark(text)

    def fact(self, name, value):
        """A row of the table at the end."""
        self.rows.append((name, value))

    def control(self, *words):
        """Use fphctl, as a person would, and return what it says."""
        self.say("$ fphctl " + " ".join(words))
        command = [self.options.fphctl,
                   "--control=" + self.daemon.control_path,
                   *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True,
                              timeout=60 * wait.SCALE)
        if done.returncode != 0:
            raise Failed("fphctl %s: status %d: %s" % (
                " ".join(words), done.returncode, done.stdout.strip()))
        return done.stdout

    def stats(self, part):
        return self.daemon.stats()[part]

    def ram(self):
        """Bytes of guest memory, as the daemon has it."""
        return self.stats("memory")["bytes"]

    def set_balloon(self, mib):
        """Ask for a balloon of this size, and return its pages."""
        self.control("balloon", str(self.ram() - mib * MIB))
        return mib * MIB // PAGE

    def wait_balloon(self, mib):
        """The guest has told that its balloon has this size."""
        pages = mib * MIB // PAGE
        wait.until(lambda: self.stats("config")["actual"] == pages,
                   "the balloon reaches %d MiB" % mib)

    def expect(self, condition, text):
        if not condition:
            raise Failed(text)

    def wait_below(self, limit_mib, what, timeout):
        """Host memory falls to the limit; returns the seconds it took.

        The limit of time is a promise to the user, not scaled.
        """
        begin = self.line.samples[-1][0]
        while True:
            seconds, mib = self.line.samples[-1]
            if mib <= limit_mib:
                return seconds - begin
            if seconds - begin > timeout:
                raise Failed("%s: host memory at %d MiB after %.1f s, "
                             "expected at most %d" % (
                                 what, mib, seconds - begin, limit_mib))
            if not self.daemon.alive():
                raise Failed("the daemon ended: " + self.daemon.log_tail(10))
            wait.pause(0.05)

    def settle(self):
        """Wait until the driver, which reports every two seconds, has no
        more to say."""
        wait.settled(lambda: self.stats("report")["chains"], 2.6, 60)

    def wait_reported(self, size):
        """The daemon has discarded this many bytes in all."""
        wait.until(lambda: self.stats("report")["bytes-discarded"] >= size,
                   "the guest reports")

    def hint_round(self, ram_mib, run=None):
        """A round of hints: what a live migration could leave out.

        run() plays the guest, where it does not play itself.
        """
        before = self.mark("hinting round begins")
        self.control("hint", "start")
        if run:
            run()
        wait.until(lambda: self.stats("hint")["state"] == "stopped",
                   "the guest ends its round")
        hint = self.stats("hint")
        after = self.mark("hinting round ends")
        skip, total = hint["bytes"] // PAGE, ram_mib * MIB // PAGE
        self.expect(skip > 0, "the guest hinted nothing")
        self.expect(abs(after - before) <= 8, "a hint changed host memory")
        self.say("%d hints: a migration would skip %d of %d pages (%d %%);"
                 " host memory is untouched by hints"
                 % (hint["buffers"], skip, total, 100 * skip // total))
        self.fact("pages that a migration would skip",
                  "%d of %d (%d %%)" % (skip, total, 100 * skip // total))

    def finish(self, title, subtitle):
        """Counters, table, picture."""
        report = self.stats("report")
        self.fact("reported by the guest, in all",
                  "%d MiB in %d chains" % (report["bytes-offered"] // MIB,
                                           report["chains"]))
        self.line.end()
        self.screen.close()
        for text in screen.table(self.rows):
            self.screen.line(text)
        if self.options.svg:
            with open(self.options.svg, "w", encoding="utf-8") as file:
                file.write(picture.draw(title, subtitle, self.line))
            self.screen.line("picture: " + self.options.svg)

    def log_counters(self):
        """For a failure: all that the daemon counted."""
        try:
            return json.dumps(self.daemon.stats(), indent=2)
        except (OSError, AssertionError, AttributeError) as error:
            return str(error)
