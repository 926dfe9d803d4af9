# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A guest on QEMU's own balloon device, which can migrate."""

import os
import re

from common import wait
from vm import guest as guests
from vm.guest import MIB

from . import parts

MODULE = "/fph_balloon.ko"
STATUS = "/sys/kernel/debug/fph_balloon-virtio0/status"
TRACE = "/sys/kernel/debug/tracing/"
STOCK_ROUND = "virtio_balloon:report_free_page_func"
DEVICE = "virtio-balloon-pci,id=balloon,disable-legacy=on," \
    "free-page-hint=on,free-page-reporting=%s,iothread=io"
FULL_SPEED = 4096 * MIB


class Guest(guests.Guest):
    """With incoming it waits for a migration instead of booting."""

    def __init__(self, folder, name, kernel, mem_mib=1024, incoming=None,
                 report=False, append=(), options=(), mem_options=None):
        self.settings = {"mem_mib": mem_mib, "report": report,
                         "append": append, "options": options,
                         "mem_options": mem_options}
        options = ["-smp", "2", "-object", "iothread,id=io", "-device",
                   DEVICE % ("on" if report else "off")] + list(options)
        if incoming:
            options += ["-incoming", incoming]
        super().__init__(folder, name=name, kernel=kernel, mem_mib=mem_mib,
                         append=list(append) + [
                             "panic=-1", "sysrq_always_enabled"],
                         options=options, mem_options=mem_options)
        self.incoming = incoming

    def target(self, name, incoming):
        """The guest that a migration of this one goes to."""
        return Guest(os.path.dirname(self.folder), name, self.kernel,
                     incoming=incoming, **self.settings)

    def build_initramfs(self, path):
        parts.build_initramfs(self.kernel, path)

    def wait_up(self):
        if self.incoming:
            return
        super().wait_up()
        self.run("mount -t debugfs debugfs /sys/kernel/debug")
        self.run("cp /churn /bin/churn && chmod 755 /bin/churn")
        self.run("insmod /memwatch.ko")

    # The driver --------------------------------------------------------

    def load(self, driver, *words):
        """driver: "stock", or else the module's parameter hint."""
        if driver == "stock":
            self.insmod()
        else:
            self.run(" ".join(("insmod", MODULE, "hint=" + driver) + words))

    def unload(self, driver):
        self.run("rmmod " + ("virtio_balloon" if driver == "stock"
                             else "fph_balloon"))

    def status(self):
        """What the module counts."""
        return {name: int(value) for name, value in re.findall(
            r"^(\w+) (\d+)$", self.run("cat " + STATUS), re.M)}

    def complaints(self):
        """What the kernel did not like."""
        return self.run("dmesg | grep -E 'BUG|WARNING|Oops|INFO: |allocation "
                        "failure|Out of memory' || true").strip()

    # Memory ------------------------------------------------------------

    def dirty(self, mib):
        """Most of free memory has a content, none of it is in use."""
        self.run("dd if=/dev/urandom of=/tmp/r bs=1M count=8 2>/dev/null; "
                 "i=0; while [ $i -lt %d ]; do cat /tmp/r >> /tmp/fill || "
                 "break; i=$((i+1)); done; rm /tmp/fill /tmp/r" % (mib // 8))

    def keep(self, mib=24):
        """Files whose content must stay."""
        self.run("mkdir -p /tmp/keep; for k in 1 2 3; do dd if=/dev/urandom "
                 "of=/tmp/keep/$k bs=1M count=%d; done 2>/dev/null; "
                 "md5sum /tmp/keep/? > /tmp/sums" % (mib // 3))

    def check_kept(self):
        self.run("md5sum -c -s /tmp/sums")

    def churn(self, slots=64, pages=256, pause_us=2000, seed=1):
        """A program that keeps known content and replaces it for ever.

        The shell that runs commands cannot wait for it: it writes its
        status.
        """
        self.run("rm -f /tmp/churn; (churn %d %d %d %d > /tmp/churn.out 2>&1;"
                 " echo $? > /tmp/churn) & sleep 1"
                 % (slots, pages, pause_us, seed))

    def check_churn(self):
        """Ends it; every word that it kept must be as it was written."""
        self.run("killall -USR1 churn; while [ ! -s /tmp/churn ]; do "
                 "sleep 0.2; done")
        text = self.run("cat /tmp/churn.out /tmp/churn")
        if text.split()[-1] != "0":
            raise AssertionError("content is lost: " + text)
        return text

    def watch(self):
        """Begin to measure the least free memory."""
        self.run("echo > /proc/memwatch")
        return self.meminfo()

    def watched(self):
        """The least MemFree and MemAvailable since watch(), in bytes."""
        free, available = re.match(r"free (\d+) available (\d+)",
                                   self.run("cat /proc/memwatch")).groups()
        return int(free) * 1024, int(available) * 1024

    # Rounds --------------------------------------------------------------

    def _trace_calls(self, function):
        """Record when each call of a function begins and ends."""
        self.run("cd %s; echo 'p:calls/begin %s' > kprobe_events; "
                 "echo 'r:calls/end %s' >> kprobe_events; "
                 "echo 1 > events/calls/enable" % (TRACE, function, function))

    def _untrace_calls(self):
        self.run("cd %s; echo 0 > events/calls/enable; "
                 "echo > kprobe_events" % TRACE)

    def _calls(self):
        """Seconds that each call took, of those that ended."""
        times = [float(time) for time in
                 re.findall(r" ([\d.]+): (?:begin|end): ",
                            self.run("cat %strace" % TRACE))]
        return [end - begin for begin, end in zip(times[::2], times[1::2])]

    def trace_rounds(self, driver):
        """Record how long each round takes, from now on. The stock driver
        has no events of its own: its function is watched."""
        if driver == "stock":
            self._trace_calls(STOCK_ROUND)
        else:
            self.run("echo 1 > %sevents/fph_balloon/fph_hint_end/enable"
                     % TRACE)
        self.run("echo > %strace" % TRACE)

    def untrace_rounds(self, driver):
        if driver == "stock":
            self._untrace_calls()

    def longest_round(self, driver):
        """In seconds, of those that were traced and ended: the first, as a
        rule. None if there is none."""
        if driver == "stock":
            return max(self._calls(), default=None)
        text = self.run("cat %strace" % TRACE)
        return max((int(us) / 1e6 for us in
                    re.findall(r"fph_hint_end: .* us=(\d+)", text)),
                   default=None)

    def trace_turns(self):
        """Record how long the module's work on hints goes on without a
        pause. Not while the stock driver's rounds are."""
        self._trace_calls("fph_balloon:hint_work")

    def longest_turn(self):
        """In seconds, of those that were traced and ended."""
        turns = self._calls()
        self._untrace_calls()
        return max(turns)

    # Migration ---------------------------------------------------------

    def migrate(self, uri, bandwidth=FULL_SPEED, timeout=300):
        """All of a migration: what QEMU says of the memory, and seconds."""
        self.qmp.command("migrate-set-parameters", **{
            "max-bandwidth": bandwidth, "downtime-limit": 1000})
        self.qmp.command("migrate", uri=uri)
        info = {}

        def over():
            info.update(self.qmp.command("query-migrate"))
            return info["status"] in ("completed", "failed", "cancelled")
        wait.until(over, lambda: "migration ends: %r" % info, timeout, 0.05)
        if info["status"] != "completed":
            raise AssertionError("migration: %r" % info)
        return info["ram"], info["total-time"] / 1000

    def wait_running(self):
        wait.until(lambda: self.qmp.command("query-status")["running"],
                   "the guest runs", 120)

    def resume(self):
        """A source goes on as if nothing had been."""
        self.qmp.command("cont")
        self.wait_running()


def boot(context, kernel, name="guest", **settings):
    """A guest that is up; killed when the test ends."""
    guest = Guest(context.workdir, name, kernel, **settings)
    context.on_failure("console of the " + name, guest.console_tail)
    context.on_failure("QEMU of the " + name, guest.process_alive_text)
    context.defer(guest.kill)
    guest.start()
    context.log("%s: %s is up" % (name, parts.release(kernel)))
    return guest


def saved(path):
    """The URI that a migration goes to, and the one that it comes from."""
    return "exec:cat > " + path, "exec:cat " + path


def live(context, name):
    path = "unix:" + os.path.join(context.workdir, name + ".migrate")
    return path, path
