# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What the demonstration prints.

On a terminal the last line is live: a bar of the host memory, drawn again
and again. Elsewhere (a log, a pipe) there are plain lines only, one for
each larger change, so that nothing is lost and nothing scrolls away.
"""

import os
import sys
import threading
import time

WIDTH = 40
STEP_MIB = 32		# without a terminal: a line for each such change


class Screen:
    """Progress output; its methods may be called from any thread."""

    def __init__(self, full_mib, stream=sys.stdout):
        self.full = full_mib
        self.stream = stream
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.lock = threading.Lock()
        self.start = time.monotonic()
        self.shown = None
        self.drawn = False

    def elapsed(self):
        return time.monotonic() - self.start

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()

    def _erase(self):
        if self.drawn:
            self._write("\r\033[K")
            self.drawn = False

    def line(self, text=""):
        """A line that stays."""
        with self.lock:
            self._erase()
            self._write(text + "\n")

    def step(self, title):
        """A new chapter."""
        with self.lock:
            self._erase()
            bold, plain = ("\033[1m", "\033[0m") if self.live else ("", "")
            self._write("%s[%5.1f s] %s%s\n"
                        % (bold, self.elapsed(), title, plain))

    def memory(self, mib):
        """Host memory now; called often."""
        with self.lock:
            if self.live:
                cells = min(WIDTH, round(WIDTH * mib / self.full))
                self._write("\r\033[K          host memory [%s%s] %4d MiB" % (
                    "#" * cells, "." * (WIDTH - cells), mib))
                self.drawn = True
            elif self.shown is None or abs(mib - self.shown) >= STEP_MIB:
                self.shown = mib
                self._write("[%5.1f s]   host memory %4d MiB\n"
                            % (self.elapsed(), mib))

    def close(self):
        with self.lock:
            self._erase()


def table(rows):
    """Rows of (name, value) as lines with aligned columns."""
    left = max(len(name) for name, _ in rows)
    right = max(len(value) for _, value in rows)
    rule = "+-%s-+-%s-+" % ("-" * left, "-" * right)
    lines = [rule]
    for name, value in rows:
        lines.append("| %-*s | %*s |" % (left, name, right, value))
    return lines + [rule]
