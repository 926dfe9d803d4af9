# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A daemon and a guest joined for one test, and what both sides say."""

from . import wait

MIB = 1 << 20
BLOCK = 4 * MIB		# the driver reports and hints blocks of this size

F_MUST_TELL, F_STATS, F_DEFLATE, F_HINT, F_POISON, F_REPORT = range(6)
F_INDIRECT, F_EVENT_IDX, F_PROTOCOL = 28, 29, 30
F_PACKED, F_IN_ORDER = 34, 35

WITHOUT_REPORT = ("--free-page-reporting=off",)
WITHOUT_HINT = ("--free-page-hint=off",)


class Machine:
    """daemon, guest, and readings of the file that joins them."""

    def __init__(self, context, daemon, guest):
        self.context = context
        self.daemon = daemon
        self.guest = guest

    # Readings ----------------------------------------------------------

    @property
    def resident(self):
        """Bytes of host memory that the guest occupies."""
        return self.guest.memory.resident

    def part(self, name):
        """One part of the daemon's counters."""
        return self.daemon.stats()[name]

    def report(self):
        return self.part("report")

    def hint(self):
        return self.part("hint")

    def acked(self):
        """The acknowledged features as a number."""
        value = self.part("front-end")["acked"]
        return int(value, 0) if isinstance(value, str) else value

    def has(self, bit):
        return bool(self.acked() >> bit & 1)

    def queue(self, role):
        """The queue of a role, or None when there is none."""
        for queue in self.daemon.stats()["queues"]:
            if queue["role"] == role:
                return queue
        return None

    # Waiting -----------------------------------------------------------

    def wait_resident_below(self, limit, what, timeout=90):
        """The memory file shrinks to limit bytes or less."""
        wait.until(lambda: self.resident <= limit, lambda:
                   "%s: file at %.1f MiB, expected at most %.1f; %r"
                   % (what, self.resident / MIB, limit / MIB,
                      self.report()), timeout, 0.1)

    def wait_discarded(self, size):
        """The counter of discarded bytes reaches size. It follows the
        file, by as much as the daemon's discarding thread needs."""
        wait.until(lambda: self.report()["bytes-discarded"] >= size,
                   lambda: "%d bytes discarded: %r" % (size, self.report()))

    def wait_returned(self):
        """Every report that came is returned to the guest."""
        def returned():
            report = self.report()
            return report["chains"] == report["returned"]
        wait.until(returned, "reports return")

    def wait_reports_quiet(self):
        """No report for more than two of the driver's 2 s periods."""
        wait.settled(lambda: self.report()["chains"], 5.0, 120)

    def wait_hint_state(self, *states, timeout=60):
        wait.until(lambda: self.hint()["state"] in states,
                   lambda: "hint state %r, expected %r"
                   % (self.hint(), states), timeout)
        return self.hint()

    def wait_free(self, at_least, what, timeout=60):
        """The guest's MemFree reaches at_least bytes."""
        wait.until(lambda: self.guest.free() >= at_least, lambda:
                   "%s: MemFree %.1f MiB, expected %.1f"
                   % (what, self.guest.free() / MIB, at_least / MIB),
                   timeout, 0.2)

    def log(self, text):
        self.context.log("%s; file %.1f MiB" % (text, self.resident / MIB))

    # The end -----------------------------------------------------------

    def finish(self):
        """A clean end of both: the guest with 0, the daemon with 0 and
        nothing of it left behind, and nothing refused on the way."""
        self.wait_returned()
        report = self.report()
        for name in ("refused", "unmapped", "peer-errors", "bytes-failed"):
            assert report[name] == 0, (name, report)
        for queue in self.daemon.stats()["queues"]:
            assert not queue["broken"], queue
        self.guest.poweroff()
        wait.until(lambda: not self.part("front-end")["connected"],
                   "daemon sees the end of the guest")
        self.daemon.stop()


def free_memory_check(machine, slack_mib=24):
    """Host memory is about what the guest does not have free: the guest
    has no more free memory that the host still pays for."""
    used = machine.guest.memory.size - machine.guest.free()
    assert machine.resident <= used + slack_mib * MIB, (
        "file %.1f MiB, guest uses %.1f MiB"
        % (machine.resident / MIB, used / MIB))


def set_balloon(machine, size):
    """Ask for a balloon of size bytes."""
    machine.daemon.command("balloon",
                           value=machine.part("memory")["bytes"] - size)


def wait_balloon(machine, size):
    """The guest has told that its balloon has size bytes."""
    wait.until(lambda: actual(machine) == size, lambda:
               "balloon at %d, expected %d" % (actual(machine), size), 60)


def actual(machine):
    return machine.part("config")["actual"] * 4096
