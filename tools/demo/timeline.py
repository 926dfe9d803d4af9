# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Host memory over time, sampled beside the demonstration."""

import threading
import time

INTERVAL = 0.05


class Timeline:
    """Samples resident() (bytes) in a thread, and keeps named events.

    show(mib) is called with each sample, for the live display.
    """

    def __init__(self, resident, show):
        self.resident = resident
        self.show = show
        self.start = time.monotonic()
        self.samples = []		# (seconds, MiB)
        self.events = []		# (seconds, MiB, text)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def begin(self):
        self.sample()
        self.thread.start()

    def _run(self):
        while not self.ended.wait(INTERVAL):
            self.sample()

    def sample(self):
        """Take one now; returns MiB."""
        mib = self.resident() / (1 << 20)
        self.samples.append((time.monotonic() - self.start, mib))
        self.show(mib)
        return mib

    def mark(self, text):
        """Note an event; returns the host memory at it in MiB."""
        mib = self.sample()
        self.events.append((self.samples[-1][0], mib, text))
        return mib

    def end(self):
        """Stop sampling. The memory may go away after this."""
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join()
