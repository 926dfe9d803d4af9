# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of a device's reports and configuration."""

from mutant import around, mutant, round_out

import config
import device
import entries
import poison
import queues
import ranges
import report
import testee

Device = device.Device
Role = testee.DeviceRole


@mutant("FPH-R2")
def report_used_before_discard():
    @around(Role, "give_back")
    def give_back(old, self):
        part = self.device.report
        part.returned += part.held
        part.held = []
        old(self)


@mutant("FPH-R4")
def poison_ignored():
    @around(poison, "may_discard")
    def may_discard(old, negotiated, value):
        return True


@mutant("FPH-CFG-6")
def poison_not_negotiated():
    @around(config, "merge_write")
    def merge_write(old, fields, negotiated, offset, data):
        return old(fields, negotiated | 1 << config.POISON, offset, data)
    config.POISON = config.PAGE_POISON


@mutant("FPH-P5")
def poison_survives_reset():
    @around(Device, "clear")
    def clear(old, self):
        kept = getattr(self, "fields", {}).get("poison_val", 0)
        old(self)
        self.fields["poison_val"] = kept


@mutant("FPH-R5")
def reset_does_not_wait():
    @around(Role, "do_device_reset")
    def reset(old, self):
        runs = self.runs
        for part in (self.device.report, self.device.inflate,
                     self.device.session):
            part.held = []
        result = old(self)
        self.runs = runs
        return result


@mutant("FPH-R5")
def reset_does_not_wait_for_inflation():
    @around(Role, "do_device_reset")
    def reset(old, self):
        runs = self.runs
        self.device.inflate.held = []
        result = old(self)
        self.runs = runs
        return result


@mutant("FPH-R6")
def reports_rounded_out():
    @around(report.Report, "take")
    def take(old, self):
        inwards, ranges.round_inwards = ranges.round_inwards, round_out
        runs = old(self)
        ranges.round_inwards = inwards
        return runs


@mutant("FPH-R7")
def bad_ranges_left_out():
    @around(report.Report, "add")
    def add(old, self, buffer, segs, discard):
        old(self, buffer, [s for s in segs if s.writable and
                           self.memory.holds(s.gpa, s.len)], discard)


@mutant("FPH-R8")
def poisoned_reports_kept():
    @around(report.Report, "add")
    def add(old, self, buffer, segs, discard):
        if discard:
            old(self, buffer, segs, discard)


@mutant("FPH-FEAT-3A")
def report_queue_always_there():
    @around(queues, "index")
    def index(old, queue, numbering, offered, negotiated):
        if queue == "report" and numbering == "negotiated":
            negotiated |= 1 << config.PAGE_REPORTING
        return old(queue, numbering, offered, negotiated)

    @around(queues, "identify")
    def identify(old, at, offered, negotiated, enabled):
        return old(at, offered, negotiated | 1 << config.PAGE_REPORTING,
                   enabled)


def come_back(when):
    """What is offered where no buffer may be taken is returned unread."""
    @around(testee.DeviceRole, "do_vq")
    def vq(old, self, queue, name, *segs):
        result = old(self, queue, name, *segs)
        if result == "err queue" and when(self.device):
            self.say("used %s 0" % name)
            return "ok"
        return result


@mutant("FPH-FEAT-3")
def returned_before_driver_ok():
    come_back(lambda device: not device.negotiated)


@mutant("FPH-FEAT-3A")
def returned_and_not_negotiated():
    come_back(lambda device: device.negotiated)


@mutant("FPH-PFN-13")
def inflated_pages_are_collected():
    """Pages of earlier buffers make a page of the backing whole."""
    @around(Device, "take_inflate")
    def take_inflate(old, self, buffer, segs):
        old(self, buffer, segs)
        all_of_them = self.__dict__.setdefault("collected", [])
        if self.inflate.waiting:
            name, frames = self.inflate.waiting.pop()
            all_of_them += frames
            self.inflate.waiting.append((name, list(all_of_them)))


@mutant("FPH-PFN-1")
def frames_of_host_size():
    """Frames in units of 64 KiB pages."""
    entries.PAGE = 65536
