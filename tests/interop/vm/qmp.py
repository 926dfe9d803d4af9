# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""QEMU's monitor, which speaks as the daemon's control socket does."""

from common import wait
from common.daemon import Control


class Qmp(Control):
    """Connected and ready for commands. An argument is named as QEMU has
    it: underscores are not hyphens there."""

    def __init__(self, path):
        super().__init__(path)
        if "QMP" not in (self.receive(30 * wait.SCALE) or {}):
            raise AssertionError("no greeting of QMP")
        self.command("qmp_capabilities")

    @staticmethod
    def argument_name(name):
        return name

    def wait_event(self, name, timeout=60.0):
        """Skip events up to one of this name; its data."""
        while True:
            found, data = self.next_event(timeout)
            if found == name:
                return data
