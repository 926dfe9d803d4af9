# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "A round of hinting": the device."""

import commands

IDLE, REQUESTED, ACTIVE, STOPPING, STOPPED, DONE = (
    "IDLE", "REQUESTED", "ACTIVE", "STOPPING", "STOPPED", "DONE")


class HintSession:
    """The state of the rounds, by the table of the chapter.

    Buffers are names.  take() gives out what may be skipped now, and
    finish() says that it was: a buffer comes back after that (D13).
    """

    def __init__(self, memory, granule, first_id=commands.MIN):
        self.memory = memory
        self.granule = granule
        self.next_id = first_id
        self.clear()

    def clear(self):
        self.state = IDLE
        self.after_stopping = IDLE
        self.id = None
        self.broken = False
        self.harvested = False      # since the last reset (D1)
        self.harvesting = False
        self.waiting = []           # (buffer, ranges) that count
        self.held = []              # buffers that are being acted on
        self.returned = []

    def shown(self):
        """The value of free_page_hint_cmd_id (D11)."""
        if self.state in (REQUESTED, ACTIVE):
            return self.id
        return commands.DONE if self.state == DONE else commands.STOP

    # The host's side.

    def publish(self):
        if self.broken:
            return "broken"
        if self.state in (REQUESTED, ACTIVE):
            return "state"
        if self.state == STOPPING:
            return "busy"
        if not self.harvested or self.harvesting:
            return "state"
        if self.held or self.waiting:
            return "busy"
        if self.next_id is None:
            return "exhausted"
        self.id = self.next_id
        self.next_id = commands.following(self.id)
        self.state = REQUESTED
        return "ok"

    def end_round(self):
        """From here on no hint counts, taken or not (D2, D3)."""
        self.drop()
        if self.state in (REQUESTED, ACTIVE, STOPPED):
            self.state = STOPPING
            self.after_stopping = IDLE

    def drop(self):
        """What waits comes back with nothing done."""
        self.returned += [buffer for buffer, _ in self.waiting]
        self.waiting = []

    def drain(self):
        if self.held:
            return "busy"
        if self.state == STOPPING:
            self.state = self.after_stopping
        return "ok"

    def stop(self):
        self.end_round()
        return self.drain()

    def done(self):
        self.end_round()
        if self.state == STOPPING:
            self.after_stopping = DONE
        else:
            self.state = DONE
        return self.drain()

    def harvest_begin(self):
        if self.harvesting:
            return "state"
        self.end_round()
        result = self.drain()
        self.harvesting = result == "ok"
        return result

    def harvest_end(self):
        if not self.harvesting:
            return "state"
        self.harvesting = False
        self.harvested = True
        return "ok"

    def reset(self):
        """A device reset: ids go on (L1, D5A)."""
        if self.held:
            return "busy"
        harvesting = self.harvesting
        self.clear()
        self.harvesting = harvesting
        if self.next_id is None:
            self.next_id = commands.MIN
        return "ok"

    def restore(self):
        """No dirty log survives; the counter does (L3, L4)."""
        self.harvested = self.harvesting = False

    # The driver's side.

    def take_command(self, command):
        if self.state == REQUESTED and command == self.id:
            self.state = ACTIVE             # D4A, D4C
        elif self.state == ACTIVE:
            self.state = STOPPED            # D4D

    def refuse(self, buffer):
        """Return it with nothing of it done (BUF-8)."""
        self.returned.append(buffer)

    def break_off(self):
        """An error: the round is over, and none begins before a reset."""
        self.broken = True
        self.end_round()
        self.drain()

    def refuse_command(self, buffer):
        """A command that has not 4 bytes (BUF-4)."""
        self.break_off()
        self.refuse(buffer)

    def add(self, buffer, command, hints):
        """A good buffer: command or None, then hints (BUF-7)."""
        if command is not None:
            self.take_command(command)
        if hints and self.state == ACTIVE:  # D4B
            self.waiting.append((buffer, hints))
        else:
            self.returned.append(buffer)    # D10

    # Acting on hints.

    def take(self):
        """The runs to skip (BUF-10, D8); they are held until finish()."""
        buffers = [buffer for buffer, _ in self.waiting]
        runs = self.memory.coalesce([r for _, hints in self.waiting
                                     for r in hints], self.granule)
        self.waiting = []
        if runs:
            self.held += buffers
        else:
            self.returned += buffers
        return runs

    def finish(self):
        self.returned += self.held
        self.held = []
