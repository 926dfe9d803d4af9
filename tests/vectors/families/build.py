# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What the families of vectors are written with.

Nothing here knows how an implementation works: expectations are given by
the families, by hand or from their own tables.
"""

STATS, OOM, HINT, POISON, REPORT = (1 << n for n in range(1, 6))
TELL = 1
INDIRECT, EVENT_IDX, V1 = 1 << 28, 1 << 29, 1 << 32
ALL = STATS | HINT | POISON | REPORT | V1


def case(comment, op, given, expect, reqs, flags=(), result="valid",
         role="codec"):
    return {"comment": comment, "role": role, "reqs": list(reqs),
            "flags": list(flags), "op": op, "input": given,
            "expect": expect, "result": result}


def flatten(steps):
    for step in steps:
        if isinstance(step, list):
            yield from flatten(step)
        else:
            yield step


def story(comment, reqs, steps, flags=(), result="valid", role="device",
          source=None, offered=ALL, memory=("0x0+0x800000",), granule=4096,
          first_id=2, pages=()):
    made = {"comment": comment, "role": role, "reqs": list(reqs),
            "flags": list(flags)}
    if source:
        made["source"] = source
    made["input"] = {"offered": "%#x" % offered, "memory": list(memory),
                     "granule": str(granule), "first_id": str(first_id),
                     "pages": list(pages)}
    made["steps"] = list(flatten(steps))
    made["result"] = result
    return made


def do(op, expect=None, **given):
    """One step; what comes of it is an object, {} if nothing is said."""
    return {"op": op, "input": given, "expect": expect or {}}


def result(op, what="ok", **given):
    return do(op, {"result": what}, **given)


def boot(negotiated=ALL, rings=(0, 1, 2, 3, 4), poison=None):
    steps = [result("features", negotiated="%#x" % negotiated)]
    if poison is not None:
        steps.append(do("write_config", offset="12",
                        data=poison.to_bytes(4, "little").hex()))
    return steps + [result("vq", index=str(i)) for i in rings]


def offer(index, *buffers):
    return do("offer", index=str(index), buffers=list(buffers))


def run(index, taken, discarded=(), skipped=(), used=()):
    """Take all buffers, act, give back."""
    return do("run", {"result": "ok", "taken": str(taken),
                      "discarded": list(discarded), "skipped": list(skipped),
                      "used": [str(b) for b in used]}, index=str(index))


def run_broken(index, discarded=(), skipped=(), used=()):
    return do("run", {"result": "broken", "discarded": list(discarded),
                      "skipped": list(skipped),
                      "used": [str(b) for b in used]}, index=str(index))


def kick(index, taken, budget=None):
    given = {"index": str(index)}
    if budget:
        given["budget"] = str(budget)
    return do("kick", {"result": "ok", "taken": str(taken)}, **given)


def kick_result(index, what):
    return do("kick", {"result": what}, index=str(index))


def take(discarded=(), skipped=()):
    return do("take", {"discarded": list(discarded),
                       "skipped": list(skipped)})


def work(discarded=(), skipped=(), used=()):
    return do("work", {"discarded": list(discarded), "skipped": list(skipped),
                       "used": [str(b) for b in used]})


def finish(*used):
    return do("finish", {"used": [str(b) for b in used]})


def look(cmd_id, irq=0, broken=0):
    return do("look", {"cmd_id": str(cmd_id), "irq": str(irq),
                       "broken": str(broken)})


def publish(id_or_result):
    if isinstance(id_or_result, int):
        return do("publish", {"result": "ok", "id": str(id_or_result)})
    return result("publish", id_or_result)


def state(name):
    return do("state", {"state": name})


def command(number):
    return "R:" + number.to_bytes(4, "little").hex()


def hint(gpa, length=4096):
    return "W%#x+%#x" % (gpa, length)


def span(gpa, length=4096):
    return "%#x+%#x" % (gpa, length)


HARVEST = result("harvest")
