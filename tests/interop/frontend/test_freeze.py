# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""freeze and thaw, save and load, on the control socket and by fphctl."""

import json
import os
import socket

from common import daemon as daemons
from common import wait

from . import fixture, test_fphctl
from . import driver as drivers
from .driver import CFG_ACTUAL, Driver, F_ALL, F_INDIRECT, MIB
from .memory import Memory, Region
from .ring import SplitRing

GPA, LENGTH = 8 * MIB, 4 * MIB


def in_flight(daemon, role="report"):
    return fixture.queue(daemon, role)["in-flight"]


def offer(d, gpa=GPA):
    """Report a range of known content, without waiting."""
    d.memory.fill(gpa, LENGTH)
    d.offer("report", [(gpa, LENGTH, True)], bool(d.features & F_INDIRECT))


def late(daemon, d, gpa=GPA):
    """A discard that does not end until it may."""
    daemon.command("set-discard-delay", ms=3600000)
    offer(d, gpa)
    wait.until(lambda: daemon.stats()["reclaim"]["busy"], "it is going on")


def client(t, daemon):
    control = daemons.Control(daemon.control_path)
    t.defer(control.close)
    return control


def ask(control, name, **arguments):
    """Send a command and do not wait."""
    request = {"execute": name, "arguments": arguments}
    control.socket.sendall(json.dumps(request).encode() + b"\n")


def error(control, name, **arguments):
    try:
        control.command(name, **arguments)
    except daemons.ControlError as problem:
        return problem.error["class"]
    return None


def frozen(daemon):
    return daemon.stats()["freeze"]


def settle(daemon, d):
    """The daemon has looked at all kicks that came before."""
    d.frontend.get_config(0, 4)
    daemon.stats()


def test_freeze_hold(t):
    """Nothing is discarded and no buffer comes back; after thaw all of it
    happens."""
    daemon, d = fixture.start(t)
    answer = daemon.command("freeze")
    assert answer == {"mode": "hold", "frozen": True, "inhibitors": 1}
    offer(d)
    settle(daemon, d)
    assert d.ring("report").used_index == 0
    assert d.memory.intact(GPA, LENGTH)
    was = d.memory.resident
    assert daemon.command("thaw")["mode"] == "no"
    d.wait_used("report")
    assert d.memory.resident == was - LENGTH


def test_freeze_acknowledge(t):
    """Buffers come back at once and nothing is discarded, inflated pages
    neither."""
    daemon, d = fixture.start(t)
    daemon.command("freeze", mode="acknowledge")
    for turn in range(3):
        offer(d, GPA + turn * LENGTH)
        d.wait_used("report")
    d.memory.fill(0x400000, 16 * 4096)
    d.pages("inflate", list(range(0x400, 0x410)))
    assert d.memory.intact(GPA, 3 * LENGTH)
    assert d.memory.intact(0x400000, 16 * 4096)
    stats = daemon.stats()
    assert stats["report"]["bytes-skipped"] == 3 * LENGTH
    assert stats["report"]["bytes-discarded"] == 0
    daemon.command("thaw")
    fixture.gives_back(d)


def test_freeze_waits_for_a_late_discard(t):
    """The answer comes when the discard is over, not before; in both
    modes; a held buffer is returned by thaw only."""
    for mode in ("hold", "acknowledge"):
        daemon, d = fixture.start(t)
        late(daemon, d)
        control = client(t, daemon)
        ask(control, "freeze", mode=mode, **{"timeout-ms": 600000})
        wait.until(lambda: frozen(daemon)["mode"] == mode, "it begins")
        assert not frozen(daemon)["frozen"]
        assert control.receive(0.2) is None, "answered under a discard"
        # What comes meanwhile is not begun any more.
        offer(d, GPA + 2 * LENGTH)
        was = d.memory.resident
        daemon.command("set-discard-delay", ms=0)
        assert control.receive(60 * wait.SCALE)["return"]["frozen"]
        assert d.memory.resident == was - LENGTH
        assert d.memory.intact(GPA + 2 * LENGTH, LENGTH)
        settle(daemon, d)
        assert d.ring("report").used_index == (0 if mode == "hold" else 2)
        daemon.command("thaw")
        d.wait_used("report")
        fixture.gives_back(d, 32 * MIB)
        d.close()
        daemon.stop()


def test_freeze_in_time_or_not_at_all(t):
    """A discard that is too late: an error, and nobody has frozen."""
    daemon, d = fixture.start(t)
    late(daemon, d)
    assert error(daemon.control, "freeze", timeout_ms=50) == "Timeout"
    assert frozen(daemon) == {"mode": "no", "frozen": False,
                              "inhibitors": 0}
    # Another one's freeze stays.
    control = client(t, daemon)
    ask(control, "freeze", reason="backup", **{"timeout-ms": 600000})
    wait.until(lambda: frozen(daemon)["inhibitors"], "the other one waits")
    assert error(daemon.control, "freeze", timeout_ms=50) == "Timeout"
    assert frozen(daemon)["inhibitors"] == 1
    daemon.command("set-discard-delay", ms=0)
    assert control.receive(60 * wait.SCALE)["return"]["frozen"]
    daemon.command("thaw", reason="backup")
    d.wait_used("report")
    fixture.gives_back(d, 32 * MIB)


def test_freeze_reasons(t):
    """Counted by reason; HOLD is stronger; thaw takes its own away."""
    daemon, d = fixture.start(t)
    freeze, thaw = "freeze", "thaw"
    daemon.command(freeze, mode="acknowledge", reason="vfio")
    daemon.command(freeze, mode="acknowledge", reason="vfio")
    daemon.command(freeze, reason="snapshot")
    assert frozen(daemon) == {"mode": "hold", "frozen": True,
                              "inhibitors": 3}
    assert sorted((i["reason"], i["mode"], i["count"])
                  for i in daemon.stats()["inhibitors"]) == [
        ("snapshot", "hold", 1), ("vfio", "acknowledge", 2)]
    assert error(daemon.control, thaw) == "NotFrozen"
    assert error(daemon.control, thaw, reason="backup") == "NotFrozen"
    offer(d)
    daemon.command(thaw, reason="vfio")
    settle(daemon, d)
    assert d.ring("report").used_index == 0
    # Now only who acknowledges is left: the held buffer comes back.
    daemon.command(thaw, reason="snapshot")
    d.wait_used("report")
    assert d.memory.intact(GPA, LENGTH)
    assert frozen(daemon)["mode"] == "acknowledge"
    assert error(daemon.control, thaw, reason="snapshot") == "NotFrozen"
    daemon.command(thaw, reason="vfio")
    fixture.gives_back(d)
    for turn in range(16):
        daemon.command(freeze, reason="r%d" % turn)
    assert error(daemon.control, freeze, reason="one-more") == "TooMany"
    assert daemon.command(thaw, all=True)["inhibitors"] == 0
    assert error(daemon.control, thaw, all=True) == "NotFrozen"
    for bad in ({"mode": "x"}, {"reason": ""}, {"reason": "a b"},
                {"reason": "x" * 32}, {"timeout_ms": 0}, {"lease_ms": "1"},
                {"x": 1}):
        assert error(daemon.control, freeze, **bad) == "BadArgument", bad
    for bad in ({"reason": 7}, {"all": False},
                {"all": True, "reason": "a"}, {"x": 1}):
        assert error(daemon.control, thaw, **bad) == "BadArgument", bad
    fixture.gives_back(d)


def test_freeze_and_clients_that_die(t):
    """One that dies while it waits has not frozen; one that dies later
    has, until its lease is over."""
    daemon, d = fixture.start(t)
    late(daemon, d)
    control = client(t, daemon)
    ask(control, "freeze", reason="dead", **{"timeout-ms": 600000})
    wait.until(lambda: frozen(daemon)["inhibitors"], "it waits")
    control.close()
    wait.until(lambda: not frozen(daemon)["inhibitors"], "it is forgotten")
    daemon.command("set-discard-delay", ms=0)
    d.wait_used("report")
    control = client(t, daemon)
    control.command("freeze", reason="dead")
    control.close()
    control = client(t, daemon)
    control.command("freeze", reason="lease", lease_ms=600000)
    control.command("freeze", reason="short", lease_ms=1)
    control.close()
    wait.until(lambda: frozen(daemon)["inhibitors"] == 2, "one is over")
    assert {i["reason"] for i in daemon.stats()["inhibitors"]} == {
        "dead", "lease"}
    assert "short: its time is over" in daemon.log_text()
    offer(d)
    settle(daemon, d)
    assert d.memory.intact(GPA, LENGTH)
    daemon.command("thaw", all=True)
    d.wait_used("report")


def test_freeze_and_a_front_end_that_stops(t):
    """A ring stops at once under HOLD: its buffers go back without effect.
    The freeze outlasts the front-end and holds for the next one."""
    daemon, d = fixture.start(t)
    daemon.command("freeze", reason="snapshot")
    offer(d)
    settle(daemon, d)
    for index in sorted(d.rings):
        d.frontend.get_vring_base(index)
    # Not taken at all, or taken and given back: never lost.
    assert d.memory.intact(GPA, LENGTH)
    assert frozen(daemon) == {"mode": "hold", "frozen": True,
                              "inhibitors": 1}
    d.close()
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "gone")
    d = fixture.connect(t, daemon).start()
    offer(d)
    settle(daemon, d)
    assert d.ring("report").used_index == 0
    assert d.memory.intact(GPA, LENGTH)
    daemon.command("thaw", reason="snapshot")
    d.wait_used("report")
    fixture.gives_back(d)


def test_freeze_with_buffers_taken_before(t):
    """Two reports, of which one is being discarded and one waits; HOLD; the
    rings are stopped: both are back, one with and one without effect."""
    daemon, d = fixture.start(t, features=F_ALL & ~F_INDIRECT)
    late(daemon, d)
    offer(d, GPA + 2 * LENGTH)
    wait.until(lambda: in_flight(daemon) == 2, "both are taken")
    control = client(t, daemon)
    ask(control, "freeze", **{"timeout-ms": 600000})
    wait.until(lambda: frozen(daemon)["mode"] == "hold", "it begins")
    daemon.command("set-discard-delay", ms=0)
    assert control.receive(60 * wait.SCALE)["return"]["frozen"]
    assert in_flight(daemon) == 2 and d.ring("report").used_index == 0
    index = d.roles["report"]
    assert d.frontend.get_vring_base(index) == (index, 2)
    assert len(d.ring("report").take_used()) == 2
    assert d.memory.intact(GPA + 2 * LENGTH, LENGTH)
    assert d.memory.zero(GPA, LENGTH)


def test_freeze_in_a_hint_round(t):
    """Hints that come under a freeze skip nothing; the round goes on
    afterwards, and can be ended meanwhile."""
    daemon, d = fixture.start(t)
    daemon.command("subscribe", events=["skip"])

    def begin():
        old = d.config(drivers.CFG_CMD_ID)
        daemon.command("hint-start")
        d.hint_word(d.wait_command(old))
        d.hint([(GPA, MIB)])
        assert skips() == 1

    def skips():
        daemon.stats()
        return len(daemon.control.drain_events())
    begin()
    daemon.command("freeze", mode="acknowledge")
    d.hint([(GPA + MIB, MIB)])
    assert skips() == 0
    daemon.command("freeze", reason="hold")
    d.offer("hint", [(GPA + 2 * MIB, MIB, True)])
    settle(daemon, d)
    assert d.ring("hint").outstanding == 1 and skips() == 0
    daemon.command("thaw", all=True)
    d.wait_used("hint")
    assert skips() == 1
    assert daemon.hint()["state"] == "active"
    daemon.command("freeze")
    assert daemon.command("hint-stop")["state"] in ("idle", "stopping")
    daemon.command("thaw")
    d.hint_word(drivers.ID_STOP)
    daemon.command("hint-done")
    begin()


# Save and load ---------------------------------------------------------

def pass_file(control, name, data=b""):
    """save or load with a memfd; what is in it afterwards."""
    fd = os.memfd_create("state")
    with os.fdopen(fd, "w+b", buffering=0) as file:
        file.write(data)
        request = json.dumps({"execute": name}).encode() + b"\n"
        socket.send_fds(control.socket, [request], [fd])
        answer = control.receive(60 * wait.SCALE)
        if "error" in answer:
            return answer["error"]["class"]
        file.seek(0)
        return file.read()


def copy(memory):
    """The memory of a snapshot."""
    regions = []
    for region in memory.regions:
        regions.append(Region(region.gpa, region.size, region.offset,
                              region.uva))
        regions[-1].map[:] = region.map[:]
    return Memory(*regions)


def test_save_and_load(t):
    """A snapshot of a guest with reports in flight: another daemon and
    another front-end go on from it, and so does the first."""
    daemon, d = fixture.start(t, features=F_ALL & ~F_INDIRECT)
    d.set_config(CFG_ACTUAL, 77)
    daemon.command("balloon", balloon=MIB)
    daemon.command("hint-start")
    first = d.wait_command(0)
    assert pass_file(daemon.control, "save") == "NotFrozen"
    late(daemon, d)
    for turn in range(1, 4):
        offer(d, GPA + turn * LENGTH)
    wait.until(lambda: in_flight(daemon) == 4, "all are taken")
    control = client(t, daemon)
    ask(control, "freeze", reason="snapshot", **{"timeout-ms": 600000})
    wait.until(lambda: frozen(daemon)["mode"] == "hold", "it begins")
    assert pass_file(daemon.control, "save") == "NotFrozen"
    daemon.command("set-discard-delay", ms=0)
    assert control.receive(60 * wait.SCALE)["return"]["frozen"]
    state = pass_file(daemon.control, "save")
    assert state[:4] == b"FPHS"
    assert frozen(daemon)["mode"] == "hold"
    memory = copy(d.memory)
    used = {index: ring.used_index for index, ring in d.rings.items()}
    daemon.command("thaw", reason="snapshot")
    # The first guest: everything came back once, and it goes on.
    d.wait_used("report")
    assert d.ring("report").last_used == 4
    fixture.gives_back(d, 40 * MIB)
    assert pass_file(daemon.control, "load", state) == "WrongState"
    # The second one.
    other = daemons.start(t, "--verbose", name="other")
    assert pass_file(other.control, "load", state[:-1]) == "BadState"
    assert pass_file(other.control, "load") == "BadState"
    assert error(other.control, "load") == "BadDescriptor"
    assert pass_file(other.control, "load", state) == state
    assert frozen(other)["mode"] == "no"
    e = restored(t, d, other, memory, used)
    assert e.config(CFG_ACTUAL) == 77
    assert e.config(drivers.CFG_NUM_PAGES) == MIB // 4096
    assert all(q["in-flight"] == 0 for q in other.stats()["queues"])
    assert e.ring("report").used_index == 4
    # What was being discarded is gone, what waited is not.
    assert memory.zero(GPA, LENGTH)
    assert memory.intact(GPA + LENGTH, 3 * LENGTH)
    fixture.gives_back(e, 40 * MIB)
    # Ids go on: the ring might hold a stream of the old one.
    other.command("hint-start")
    assert e.wait_command(drivers.ID_DONE) == first + 1
    other.stop()


def restored(t, d, daemon, memory, used):
    """A front-end that goes on with a snapshot of d."""
    e = Driver(t, daemon.socket_path, memory=memory)
    e.handshake()
    e.frontend.set_features(d.features)
    e.features, e.roles = d.features, d.roles
    e.frontend.set_mem_table(memory.regions)
    rings = {index: memory.read(ring.desc, ring.table - ring.desc)
             for index, ring in d.rings.items()}
    for index, old in d.rings.items():
        ring = e.rings[index] = SplitRing(memory, old.desc, old.num)
        if used[index]:
            memory.write(ring.desc, rings[index])
            ring.next_avail = ring.last_used = used[index]
        e.start_ring(index, used[index])
    return e


def test_freeze_by_fphctl(t):
    """freeze, thaw, save and load by the program."""
    daemon, d = fixture.start(t)
    state = os.path.join(t.workdir, "state")
    run = test_fphctl.run
    run(t, daemon, "save", state, expect=test_fphctl.REFUSED)
    assert not os.path.exists(state)
    run(t, daemon, "freeze", "acknowledge", "--reason=vfio")
    run(t, daemon, "freeze", "--timeout=60", "--for=3600")
    text = run(t, daemon, "stats")
    assert "vfio" in text and "operator" in text, text
    assert "fph_freeze_inhibitors 2\n" in run(t, daemon, "metrics")
    assert "fph_freeze_frozen 1\n" in run(t, daemon, "metrics")
    run(t, daemon, "save", state)
    with open(state, "rb") as file:
        assert file.read(4) == b"FPHS"
    run(t, daemon, "load", state, expect=test_fphctl.REFUSED)
    run(t, daemon, "thaw", "--reason=vfio")
    run(t, daemon, "thaw", "--reason=vfio", expect=test_fphctl.REFUSED)
    run(t, daemon, "thaw", "--all")
    for words in (("freeze", "fly"), ("freeze", "--reason=a b")):
        run(t, daemon, *words, expect=test_fphctl.REFUSED)
    for words in (("save",), ("load",), ("freeze", "--for=x"),
                  ("freeze", "--timeout=0"), ("thaw", "now")):
        run(t, daemon, *words, expect=test_fphctl.USAGE)
    fixture.gives_back(d)
    other = daemons.start(t, name="other")
    run(t, other, "load", state + "-not-there", expect=test_fphctl.REFUSED)
    run(t, other, "load", state)
