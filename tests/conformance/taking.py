# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What a device may have taken from its hinting queue.

A device takes buffers in the order of the queue, at a moment that nobody
outside can see: between the offer and the return.  So this keeps every
history that fits what was seen so far.  A history says how many buffers were
taken, what state the round is in, and which buffers hold hints that count.
"""

import collections

STOP = 0
IDLE, REQUESTED, ACTIVE = "idle", "requested", "active"
History = collections.namedtuple("History", "taken state counting")
Offer = collections.namedtuple("Offer", "name kind command hints")
GOOD, REFUSED, COMMAND_ERROR, RING_ERROR = range(4)


class Queue:
    def __init__(self):
        self.offers = []            # Offer, in their order
        self.at = {}                # name: place in the queue
        self.published = None
        self.since = {}             # id: offers when it was published
        self.histories = {History(0, IDLE, frozenset())}

    def emptied(self):
        """The queue was reset: the same ids, and nothing in it."""
        fresh = Queue()
        fresh.since = dict.fromkeys(self.since, 0)
        return fresh

    # The driver.

    def offer(self, name, kind, command, hints):
        self.at[name] = len(self.offers)
        self.offers.append(Offer(name, kind, command, hints))

    def forget(self, name):
        """The device has no such queue: the offer did not happen."""
        if self.at.pop(name, None) is not None:
            self.offers.pop()

    def take(self, history):
        """The history with the next buffer taken, or None."""
        if history.taken == len(self.offers):
            return None
        offer = self.offers[history.taken]
        state, counting = history.state, history.counting
        if offer.kind == RING_ERROR:
            return history._replace(state=IDLE)
        if offer.kind == COMMAND_ERROR:
            state = IDLE
        elif offer.kind == GOOD:
            if offer.command is not None:
                if state == ACTIVE:
                    state = IDLE
                elif state == REQUESTED and offer.command == self.published:
                    state = ACTIVE
            if offer.hints and state == ACTIVE:
                counting |= {offer.name}
        return History(history.taken + 1, state, counting)

    def go_on(self):
        """At any moment the device may take more."""
        new = set(self.histories)
        while new:
            new = {self.take(h) for h in new} - self.histories - {None}
            self.histories |= new

    # The host.

    def end(self):
        """The host ends the round: what counts may still take effect."""
        self.published = None
        self.go_on()
        self.histories = {h._replace(state=IDLE) for h in self.histories}

    def barrier(self):
        """Nothing that was taken takes effect any more."""
        self.histories = {h._replace(counting=frozenset())
                          for h in self.histories}

    def may_publish(self, command):
        """Whether some history lets this id be published (FPH-D5)."""
        self.go_on()
        good = {h for h in self.histories if self.is_free(command, h.taken)}
        self.histories = good or self.histories
        return bool(good)

    def is_free(self, command, taken):
        """A START with it and then its own STOP were taken, or it is new."""
        if command not in self.since:
            return True
        said = [offer.command for offer in
                self.offers[self.since[command]:taken]
                if offer.kind == GOOD and offer.command is not None]
        return any(pair == (command, STOP) for pair in zip(said, said[1:]))

    def publish(self, command):
        self.published = command
        self.since[command] = len(self.offers)
        self.histories = {History(h.taken, REQUESTED, frozenset())
                          for h in self.histories}

    # What is seen.

    def keep(self, fits):
        """Only the histories that fit; whether there are any."""
        self.go_on()
        good = {h for h in self.histories if fits(h)}
        self.histories = good or self.histories
        return bool(good)

    def was_used(self, name):
        if name not in self.at:
            return True
        at = self.at[name]
        if not self.keep(lambda h: h.taken > at):
            return False
        self.histories = {h._replace(counting=h.counting - {name})
                          for h in self.histories}
        return True

    def may_skip(self, fits):
        """fits(names): whether a range is in the hints of these buffers."""
        return self.keep(lambda h: fits(h.counting))


