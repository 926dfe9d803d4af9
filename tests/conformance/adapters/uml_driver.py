#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The unmodified Linux driver as a testee, in user-mode Linux.

This is a vhost-user back-end which does nothing by itself: what the driver
puts into its queues is told, and returned when the runner says so.  The guest
has its own memory, whose free pages nobody outside knows.
"""

import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "interop"))

from adapter import Adapter, Skip                        # noqa: E402
from backend import Backend                              # noqa: E402
from uml import guest as guests                          # noqa: E402

MEMORY = 192                    # MiB
HINT, REPORT, V1 = 1 << 3, 1 << 5, 1 << 32
IDLE = 0.2                      # seconds without a buffer: it waits
REPORT_DELAY = 3.0              # Linux begins to report 2 s after a page
LONGEST = 20.0


class Machine:
    """A guest whose device offers these features; they last until it ends."""

    def __init__(self, folder, features):
        self.features = features
        path = os.path.join(folder, "%x.sock" % features)
        self.backend = Backend(path, features)
        self.guest = guests.Guest(folder, path, MEMORY,
                                  name="guest-%x" % features)
        self.loaded = False
        self.guest.start()

    def load(self, shown):
        if self.loaded:
            self.unload()
        if self.features & REPORT:
            # Linux remembers what was reported, whoever the device was.
            self.guest.zeros("used", MEMORY // 2)
            self.guest.remove("used")
        self.backend.begin(shown)
        self.guest.insmod()
        self.loaded = True

    def unload(self):
        """The driver waits for its buffers while it goes."""
        number = self.guest.begin("rmmod virtio_balloon")
        done = os.path.join(self.guest.share, "done.%d" % number)
        self.backend.set_id(1)
        end = time.monotonic() + LONGEST
        while not os.path.exists(done) and time.monotonic() < end:
            self.backend.return_all()
            time.sleep(0.02)
        self.guest.finish(number, "rmmod")

    def close(self):
        self.guest.kill()
        self.backend.close()


class UmlDriver(Adapter):
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="fph-uml.")
        self.machines = {}              # by features
        machine = self.machine(HINT | V1)
        self.hello = ("linux-%s-uml roles=driver acts=hints,reports"
                      " memory=own quirks=start-rewritten"
                      % machine.guest.run("uname -r").strip())

    def machine(self, features):
        if features not in self.machines:
            self.machines[features] = Machine(self.folder.name, features)
        return self.machines[features]

    def close(self):
        while self.machines:
            self.machines.popitem()[1].close()

    def do_reset(self, *words):
        given = dict(word.split("=") for word in words)
        if given["role"] != "driver":
            raise Skip("role")
        if given["content"] != "free":
            raise Skip("another kernel command line")
        self.features = int(given["features"], 0)
        machine = self.machine(self.features)
        self.backend = machine.backend
        self.buffers = {}               # number: (queue, head)
        self.number = 0
        machine.load(int(given["cmd_id"]))
        if self.backend.negotiated & self.features & 0x3f != \
                self.features & 0x3f:
            raise Skip("features that it does not accept")
        self.fresh = True
        self.look()
        size = max([ring.num for ring in self.backend.rings.values()])
        return "ok ring=%d" % size

    def look(self):
        """Tells what is new in the two queues; whether there was any."""
        found = False
        for queue in ("hint", "report"):
            for head, segs in self.backend.take(queue):
                self.number += 1
                self.buffers[self.number] = (queue, head)
                self.say("vq %s %d %s" % (queue, self.number, " ".join(segs)))
                found = True
        return found

    def wait(self, first):
        end = time.monotonic() + LONGEST
        idle = time.monotonic() + first
        while time.monotonic() < min(end, idle):
            if self.look():
                idle = time.monotonic() + IDLE
            time.sleep(0.002)

    def do_work(self, steps=None):
        self.wait(REPORT_DELAY if self.fresh and self.features & REPORT
                  else IDLE)
        self.fresh = False
        return "ok"

    def do_config(self, value):
        self.backend.set_id(int(value, 0))
        self.wait(IDLE)                 # it reads the id when it likes
        return "ok"

    def do_used(self, number, length):
        if int(number) not in self.buffers:
            raise Skip("a buffer that it does not have would end its queue")
        self.backend.put_used(*self.buffers.pop(int(number)), int(length))
        return "ok"

    def do_device_reset(self):
        raise Skip("a reset that the driver does not ask for")


if __name__ == "__main__":
    try:
        UmlDriver().run()
    except Exception as error:          # noqa: B902 pylint: disable=W0718
        sys.exit("uml_driver.py: %s: %s" % (type(error).__name__, error))
