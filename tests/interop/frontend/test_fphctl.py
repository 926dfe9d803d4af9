# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The client fphctl against a daemon with a driver."""

import json
import os
import re
import signal
import struct
import subprocess

from common import daemon as daemons
from common import runner, wait

from . import driver as drivers
from . import fixture
from .driver import MIB

OK, REFUSED, USAGE, LOST = range(4)


def command(t, daemon, *words):
    """The command line; skips the test where there is no fphctl."""
    if not t.options.fphctl:
        raise runner.Skip("no fphctl: give --fphctl PATH or FPH_FPHCTL")
    control = ["--control=" + daemon.control_path] if daemon else []
    return [t.options.fphctl, *control, *words]


def run(t, daemon, *words, expect=OK):
    """Run to the end; returns its output, or its complaint."""
    done = subprocess.run(command(t, daemon, *words), check=False,
                          stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60 * wait.SCALE)
    assert done.returncode == expect, (words, done)
    if expect != OK:
        assert done.stderr and not done.stdout, done
        return done.stderr
    return done.stdout


def begin(t, daemon, *words):
    """Run one that does not end by itself, with its output in a file."""
    path = os.path.join(t.workdir, "-".join(words).replace("/", "_"))
    with open(path, "wb") as out:
        process = subprocess.Popen(command(t, daemon, *words), stdout=out,
                                   stdin=subprocess.DEVNULL)

    def end():
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait()
    t.defer(end)

    def lines():
        with open(path) as file:
            return file.read().splitlines()
    return process, lines


def test_fphctl_stats(t):
    """stats: everything the daemon counts, as text and as JSON."""
    daemon, d = fixture.start(t)
    fixture.gives_back(d)
    found = json.loads(run(t, daemon, "stats", "--json"))
    # Serving the question itself changes nothing that is counted here.
    assert found["report"] == daemon.stats()["report"], found
    assert found["report"]["bytes-discarded"] == 4 * MIB
    text = run(t, daemon, "stats")
    for part in found:
        assert re.search(r"^%s\b" % part, text, re.M), part
    assert re.search(r"bytes-discarded +4194304 \(4\.0 MiB\)", text), text


def test_fphctl_metrics(t):
    """metrics: what stats says, as OpenMetrics: counters and gauges."""
    daemon, d = fixture.start(t)
    fixture.gives_back(d)
    lines = run(t, daemon, "metrics").splitlines()
    assert lines.pop() == "# EOF"
    kinds, values = {}, {}
    # Each metric has its type in the line before, and comes once.
    for about, sample in zip(lines[::2], lines[1::2], strict=True):
        name, kind = re.fullmatch(
            "# TYPE ([a-z_]+) (counter|gauge)", about).groups()
        suffix = "_total" if kind == "counter" else ""
        value = re.fullmatch("%s%s ([0-9]+)" % (name, suffix), sample)
        assert value and name not in kinds, (about, sample)
        kinds[name], values[name] = kind, int(value[1])
    assert kinds["fph_report_bytes_freed"] == "counter"
    assert values["fph_report_bytes_freed"] == 4 * MIB
    assert kinds["fph_memory_bytes"] == "gauge"
    assert values["fph_memory_bytes"] == 64 * MIB
    assert values["fph_front_end_connected"] == 1
    stats = daemon.stats()
    assert values["fph_config_num_pages"] == stats["config"]["num-pages"]
    assert {"fph_skipped_" + name.replace("-", "_") for name in
            stats["reclaim"]["skipped"]} <= set(kinds)


def test_fphctl_hint(t):
    """hint start, status, stop, done, and the pages to skip as events."""
    daemon, d = fixture.start(t)
    _, lines = begin(t, daemon, "skips")

    def listening():
        """Its first line shows that it has subscribed."""
        daemon.command("hint-start")
        daemon.command("hint-done")
        return lines()
    wait.until(listening, "skips shows what happens")
    known = len(lines())
    old = d.config(drivers.CFG_CMD_ID)
    run(t, daemon, "hint", "start", "--max-buffers=3", "--then=stop")
    first = d.wait_command(old)
    d.hint_word(first)
    d.hint([(8 * MIB + n * 2 * MIB, MIB) for n in range(5)])
    status = json.loads(run(t, daemon, "hint", "status", "--json"))
    assert status["buffers"] == 3 and status["state"] == "idle", status
    d.hint_word(drivers.ID_STOP)
    run(t, daemon, "hint", "start")
    second = d.wait_command(drivers.ID_STOP)
    assert second > first
    run(t, daemon, "hint", "stop")
    assert d.wait_command(second) == drivers.ID_STOP
    run(t, daemon, "hint", "done")
    assert d.wait_command(drivers.ID_STOP) == drivers.ID_DONE
    skips = wait.until(lambda: [s for s in lines() if s.startswith("skip ")]
                       if len(lines()) > known + 3 else None,
                       "the skips are shown")
    assert skips == ["skip 0x%x 0x%x" % (8 * MIB + n * 2 * MIB, MIB)
                     for n in range(3)], skips


def test_fphctl_balloon(t):
    """balloon SIZE: what the guest keeps, in bytes or larger units."""
    daemon, d = fixture.start(t, mib=64)
    for size, keeps in (("48M", 48 * MIB), (str(32 * MIB), 32 * MIB),
                        ("65536K", 64 * MIB), ("40MiB", 40 * MIB),
                        ("1G", 64 * MIB)):
        run(t, daemon, "balloon", size)
        assert d.config(drivers.CFG_NUM_PAGES) == (64 * MIB - keeps) // 4096


def test_fphctl_guest_stats(t):
    """guest-stats: asks the guest, and shows what it answers."""
    daemon, d = fixture.start(t)

    def give(free):
        data = struct.pack("<HQ", 4, free) + struct.pack("<HQ", 5, 1 << 30)
        d.memory.write(d.BUFFERS, data)
        d.offer("stats", [(d.BUFFERS, len(data), False)])
    give(1 << 20)
    wait.until(lambda: fixture.queue(daemon, "stats")["popped"] == 1, "taken")
    process, lines = begin(t, daemon, "guest-stats")
    wait.until(lambda: d.ring("stats").take_used(), "the guest is asked")
    give(5 << 20)
    assert process.wait(60 * wait.SCALE) == OK
    assert any(re.match(r"free-memory +5242880", s) for s in lines()), lines()


def test_fphctl_watch(t):
    """watch: a line each time where there is no terminal."""
    daemon, d = fixture.start(t)
    _, lines = begin(t, daemon, "watch", "--interval=0.05")
    wait.until(lambda: len(lines()) > 2, "lines come")
    fixture.gives_back(d)
    wait.until(lambda: "given back 4.0 MiB" in lines()[-1], "they change")


def test_fphctl_errors(t):
    """Each kind of failure has its exit status and says what it is."""
    daemon, _ = fixture.start(t)
    for words in ((), ("fly",), ("stats", "more"), ("hint",),
                  ("hint", "fly"), ("balloon",), ("balloon", "-1"),
                  ("balloon", "1X"), ("balloon", "x"),
                  ("balloon", "99999999999999G"),
                  ("watch", "--interval=0"), ("--nonsense",),
                  ("hint", "start", "--max-buffers=x")):
        run(t, daemon, *words, expect=USAGE)
    run(t, None, "stats", expect=USAGE)
    run(t, daemon, "hint", "start", "--then=fly", expect=REFUSED)
    run(t, daemon, "hint", "start")
    run(t, daemon, "hint", "start", expect=REFUSED)
    daemon.stop()
    run(t, daemon, "stats", expect=LOST)
    assert "fphctl" in run(t, None, "--version")
    assert "guest-stats" in run(t, None, "--help")


def test_fphctl_many_clients(t):
    """Several clients at once are served; one that hangs up in the middle
    of a line, or never reads, does not disturb the others."""
    daemon, d = fixture.start(t)
    clients = [daemons.Control(daemon.control_path) for _ in range(8)]
    for client in clients:
        t.defer(client.close)
        client.command("subscribe", events=["hint", "skip", "stats"])
    clients[0].socket.sendall(b'{"execute":')
    clients[0].close()
    old = d.config(drivers.CFG_CMD_ID)
    run(t, daemon, "hint", "start")
    d.hint_word(d.wait_command(old))
    for _ in range(40):
        for turn in range(16):
            d.ring("hint").add([(8 * MIB + turn * 2 * MIB, MIB, True)])
        d.kick("hint")
        d.wait_used("hint")
    d.hint_word(drivers.ID_STOP)
    for client in clients[1:]:
        # Events and answers come in the order in which they happened.
        client.command("query-hint")
        seen = client.drain_events()
        assert sum(name == "SKIP" for name, _ in seen) == 640
    fixture.gives_back(d)
