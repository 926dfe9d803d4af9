# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Waiting for a condition, never for a fixed time.

A machine under load may be ten times slower than an idle one, so a test
never asserts how long something took: it polls with a generous limit.
FPH_TIMEOUT_SCALE multiplies every limit (for emulators and valgrind).
"""

import os
import threading
import time

SCALE = float(os.environ.get("FPH_TIMEOUT_SCALE", "1"))

# Set when the run was interrupted: every wait ends at once, so that the
# clean-up of each test runs in its own thread.
stopping = threading.Event()


class Interrupted(Exception):
    """The run was interrupted while this test waited."""


class WaitTimeout(AssertionError):
    """A condition did not come true in time."""


def pause(seconds):
    """Sleep that ends early, with Interrupted, when the run is stopped."""
    if stopping.wait(seconds):
        raise Interrupted()


def until(condition, what, timeout=60.0, interval=0.03):
    """Poll condition() until it is true and return its value.

    what names the condition in the failure; it may be a function, called
    only then, to show the last state seen.
    """
    end = time.monotonic() + timeout * SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise WaitTimeout("not within %.0f s: %s"
                              % (timeout * SCALE, text))
        pause(interval)


def settled(sample, quiet=3.0, timeout=60.0, interval=0.1):
    """Wait until sample() kept one value for quiet seconds; return it."""
    end = time.monotonic() + timeout * SCALE
    value, since = sample(), time.monotonic()
    while time.monotonic() - since < quiet:
        pause(interval)
        now = sample()
        if now != value:
            value, since = now, time.monotonic()
        if time.monotonic() > end:
            raise WaitTimeout("still changing after %.0f s: %r"
                              % (timeout * SCALE, value))
    return value
