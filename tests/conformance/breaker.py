# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Breaks what a testee says, at random points, and counts what is found.

One fault at a time, in one test: an action or an answer is dropped, said
twice, said in another place, or has another number.  Faults that change
nothing are not made: the used length, the order and number of interrupts,
the order of two buffers or of two ranges.
"""

import collections
import random
import re

import protocol

NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
NEVER = {"irq"}                 # to say these twice or elsewhere is right


class Broken(protocol.Testee):
    """A testee with one fault in its nth answer."""

    def arm(self, dice, at):
        self.dice, self.at, self.seen = dice, at, 0
        self.fault = None

    dice, at, seen, fault = None, 0, 0, None

    def ask(self, *words):
        answer = super().ask(*words)
        if self.dice and self.seen == self.at:
            self.fault = self.spoil(answer, " ".join(map(str, words)))
        self.seen += bool(self.dice)
        return answer

    def spoil(self, answer, request):
        """Puts a fault in; its kind and what it is, or None."""
        kinds = [self.drop, self.repeat, self.move, self.renumber]
        others = [self.restate, self.reword]
        self.dice.shuffle(kinds)
        self.dice.shuffle(others)
        for kind in kinds + others:
            said = kind(answer)
            if said:
                return kind.__name__, "%s (answer to '%s')" % (
                    said, request[:80])
        return None

    def drop(self, answer):
        if not answer.actions:
            return None
        at = self.dice.randrange(len(answer.actions))
        return "without '%s'" % " ".join(answer.actions.pop(at))

    def repeat(self, answer):
        some = [a for a in answer.actions if a[0] not in NEVER and
                a[0] not in ("skip-range", "discard", "cfg", "broken")]
        if not some:
            return None
        action = self.dice.choice(some)
        answer.actions.insert(answer.actions.index(action), action)
        return "twice '%s'" % " ".join(action)

    def move(self, answer):
        """A range after the return of its buffer, an id after its irq."""
        places = [i for i, (a, b) in enumerate(zip(answer.actions,
                                                   answer.actions[1:]))
                  if (a[0], b[0]) in (("skip-range", "used"),
                                      ("discard", "used"), ("cfg", "irq"))]
        if not places:
            return None
        at = self.dice.choice(places)
        a, b = answer.actions[at:at + 2]
        answer.actions[at:at + 2] = [b, a]
        return "'%s' before '%s'" % (" ".join(b), " ".join(a))

    def renumber(self, answer):
        """Another number in an action; not the used length."""
        some = [a for a in answer.actions if len(a) > 1]
        if not some:
            return None
        action = self.dice.choice(some)
        last = 2 if action[0] == "used" else len(action)
        return self.change(action, 1, last)

    def restate(self, answer):
        """Another number, or byte, in the answer itself."""
        if not answer.words:
            return None
        return self.change(answer.words, 0, len(answer.words))

    def change(self, words, first, last):
        at = self.dice.randrange(first, last)
        old = words[at]
        found = list(NUMBER.finditer(old))
        if not found:
            return None
        hit = self.dice.choice(found)
        digits = hit.group()
        value = int(digits, 16 if "x" in digits else 10)
        value += self.dice.choice((1, 4096, 1 << 32)) if value > 4095 else 1
        text = "%#x" % value if "x" in digits else \
            str(value).rjust(len(digits), "0")
        words[at] = old[:hit.start()] + text + old[hit.end():]
        return "'%s' for '%s'" % (words[at], old)

    def reword(self, answer):
        """ok for err, or the other way round."""
        if answer.status == "err":
            answer.status, answer.words = "ok", ["2"]
            return "ok for err"
        if answer.words:
            return None
        answer.status, answer.words = "err", ["state"]
        return "err for ok"


def answers_of(session, test):
    """How many answers a test has, or 0 if it does not pass."""
    before = session.requests + session.testee.requests
    result, _ = session.one(test)
    if result != "pass":
        return 0
    return session.requests + session.testee.requests - before


def main(tests, session, faults, seed):
    """Tries so many faults; prints the share found, and gives it."""
    dice = random.Random(seed)
    counts, missed = collections.Counter(), []
    tests = [t for t in tests if not t.name.startswith(("random", "codec"))]
    lengths = {}
    while sum(counts.values()) < faults:
        test = dice.choice(tests)
        if test.name not in lengths:
            lengths[test.name] = answers_of(session, test)
        if not lengths[test.name]:
            tests.remove(test)
            continue
        session.testee.arm(dice, dice.randrange(lengths[test.name]))
        result, _ = session.one(test)
        fault = session.testee.fault if session.testee else ("end", "")
        if session.testee:
            session.testee.arm(None, 0)
        if not fault:
            continue
        counts[fault[0], result == "fail"] += 1
        if result != "fail":
            missed.append("%s: %s: %s" % (test.name, *fault))
    for kind in sorted({kind for kind, _ in counts}):
        found = counts[kind, True]
        print("%-10s %4d of %4d found" % (kind, found,
                                          found + counts[kind, False]))
    for line in missed[:40]:
        print("missed  " + line)
    found = sum(n for (_, good), n in counts.items() if good)
    print("faults of a testee: %d of %d found, %.1f %% (seed %d)" % (
        found, faults, 100.0 * found / faults, seed))
    return 100.0 * found / faults
