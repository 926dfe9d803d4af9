# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Codec role: the vectors of tests/vectors, one request each.

A request has its arguments in a fixed order; an answer's words are compared
as numbers where they are numbers.
"""

import json
import os

from world import Violation, need

FILES = ("config.json", "commands.json", "entries.json", "queues.json",
         "ranges.json", "rings.json", "packed.json", "used.json",
         "poison.json")
FIELDS = ("num_pages", "actual", "cmd_id", "poison_val")


def hexa(text):
    return text or "-"


def listed(value):
    return [value] if isinstance(value, str) else list(value)


# op: the names of its inputs, in the order of the request.
REQUESTS = {
    "config_decode": ("data",),
    "config_encode": ("size", *FIELDS),
    "config_size": ("features",),
    "command_decode": ("endian", "data"),
    "command_encode": ("endian", "id"),
    "command_next": ("id",),
    "pfn_decode": ("endian", "data"),
    "pfn_encode": ("endian", "gpas"),
    "stat_decode": ("endian", "data"),
    "stat_encode": ("endian", "stats"),
    "queue_index": ("queue", "numbering", "offered", "negotiated"),
    "queue_infer": ("offered", "negotiated", "enabled"),
    "coalesce": ("granule", "ranges"),
    "poison_discard": ("negotiated", "poison_val"),
    "ring": ("num", "endian", "indirect", "avail_idx", "avail", "table",
             "memory"),
    "packed": ("num", "indirect", "first", "wrap", "done", "table",
               "memory"),
    "packed_in_order": ("num", "indirect", "first", "wrap", "done", "table",
                        "memory"),
    "used": ("num", "endian", "buffers", "used_idx", "used"),
    "used_in_order": ("num", "first", "buffers", "used_idx", "used"),
    "packed_used": ("num", "in_order", "first", "buffers", "used"),
}
# These answer with what came before an error, too.
RINGS = ("ring", "packed", "packed_in_order", "used", "used_in_order",
         "packed_used")
# Where an op has another name, or a list is one word.
NAMES = {"used": "used-ring"}
JOINED = {"avail": ",".join, "done": ",".join, "table": "".join}


def request(case):
    op, given = case["op"], case["input"]
    words = [NAMES.get(op, op.replace("_", "-"))]
    for name in REQUESTS[op]:
        value = given[name]
        if name in JOINED:
            value = JOINED[name](value)
        elif name == "buffers" and op == "packed_used":
            value = ",".join(str(b.count("|") + 1) for b in value)
        elif name == "buffers":
            value = str(len(value))
        words += map(hexa, listed(value))
    return words


def wanted(op, expect):
    """(status, words) that an answer must have."""
    result = expect.get("result", "ok")
    if op == "config_decode":
        return "ok", ["%s=%s" % (n, expect[n]) for n in FIELDS]
    values = [word for name, value in expect.items() if name != "result"
              for word in listed(value)]
    if op in RINGS:
        return ("ok", values) if result == "ok" else \
            ("err", [result, *values])
    if result != "ok":
        return "err", [result]
    if "data" in expect:
        return "ok", [hexa(expect["data"])]
    return "ok", values


def normal(word):
    """A word with its numbers in one form: 0x10+16 is 16+16."""
    for mark in ("+", "=", ":"):
        if mark in word:
            return mark.join(map(normal, word.split(mark)))
    if word[:1] in ("R", "W") and word[1:2].isdigit():
        return word[0] + normal(word[1:])
    try:
        return str(int(word, 0))
    except ValueError:
        return word.lower()


def words_of(op, words):
    if op in ("command_encode", "config_encode", "pfn_encode",
              "stat_encode"):
        return [word.lower() for word in words]
    if op in RINGS:
        words = [part for word in words for part in word.split("|")]
    return [normal(word) for word in words]


def check(testee, case):
    op = case["op"]
    answer = testee.ask(*request(case))
    need(not answer.actions, "%s: an action", op)
    choices = case["expect"]
    if not isinstance(choices, list):
        choices = [choices]
    for choice in choices:
        status, words = wanted(op, choice)
        if answer.status == status and \
                words_of(op, answer.words) == words_of(op, words):
            return
    raise Violation("'%s': got '%s', not '%s'" % (
        " ".join(request(case))[:200], str(answer)[:200],
        " ".join([status, *words])[:200]))


def about(case, notes):
    """What a report says of a case: comment, norms, known mistakes."""
    text = "%s: %s" % (case["comment"], " ".join(case["reqs"]))
    for flag in case["flags"]:
        text += " (%s: %s)" % (flag, notes[flag]["description"])
    return text


def tests(folder):
    """(name, about, call) of each case."""
    for file in FILES:
        with open(os.path.join(folder, file), encoding="utf-8") as f:
            top = json.load(f)
        for case in top["tests"]:
            name = "codec/%s/%s" % (file[:-5], case["tcId"])
            yield (name, about(case, top["notes"]),
                   lambda testee, case=case: check(testee, case))
