# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The program itself: options, sockets, one front-end after another."""

import json
import os
import re
import shutil
import socket
import subprocess

from common import daemon as daemons
from common import runner, wait

from . import fixture
from .driver import Driver


def output(t, *arguments, expect=0):
    """Run to the end; returns standard output."""
    done = subprocess.run([t.options.daemon, *arguments], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          timeout=60 * wait.SCALE)
    assert done.returncode == expect, (arguments, done)
    return done.stdout if expect == 0 else done.stderr


def test_capabilities(t):
    """--print-capabilities: a JSON object with the type of the device, as
    the back-end conventions say, and nothing else on standard output."""
    found = json.loads(output(t, "--print-capabilities"))
    assert isinstance(found, dict) and isinstance(found["type"], str), found
    assert "features" not in found or isinstance(found["features"], list)


def test_help_and_version(t):
    """--help names every option; --version says who it is; an unknown
    option or no socket is an error that says so."""
    text = output(t, "--help")
    for option in ("--connect", "--metrics", "--stats-interval",
                   "--stuck-after", "--hint-timeout", "--policy",
                   "--pressure-file",
                   "--socket-path", "--fd", "--control", "--num-pages",
                   "--free-page-hint", "--free-page-reporting",
                   "--page-poison", "--stats", "--inband", "--event-idx",
                   "--page-size", "--indirect", "--packed", "--in-order",
                   "--discard-delay-ms", "--once",
                   "--socket-mode", "--socket-group", "--control-mode",
                   "--control-group", "--max-memory", "--sandbox",
                   "--print-capabilities", "--verbose"):
        assert option in text, option
    assert "vhost-user-balloon" in output(t, "--version")
    for wrong in (("--nonsense",), (), ("--fd=99",), ("--fd=x",),
                  ("--socket-path=/x/y", "--stats=maybe"),
                  ("--socket-path=/x/y", "--page-size=24K"),
                  ("--socket-path=/x/y", "--page-size=2K"),
                  ("--socket-path=/x/y", "--page-size=2G"),
                  ("--socket-path=/x/y", "--stats-interval=x"),
                  ("--socket-path=/x/y", "--stuck-after=-1"),
                  ("--socket-path=/x/y", "--socket-mode=8"),
                  ("--socket-path=/x/y", "--control-group=no such"),
                  ("--socket-path=" + "x" * 200,)):
        done = subprocess.run([t.options.daemon, *wrong], check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode not in (0, None) and done.returncode > 0
        assert done.stderr, wrong


def test_fd(t):
    """--fd: the front-end's connection is inherited."""
    ours, theirs = socket.socketpair()
    daemon = daemons.Daemon(t.options.daemon, t.workdir,
                            "--fd=%d" % theirs.fileno(), "--verbose")
    t.defer(daemon.kill)
    daemon.start(pass_fds=[theirs.fileno()], listen=False)
    theirs.close()
    d = Driver(t, ours).start()
    fixture.gives_back(d)
    d.close()
    assert daemon.process.wait(60 * wait.SCALE) == 0, \
        "without a socket to listen on it ends with its front-end"


def test_one_after_another(t):
    """Front-ends come and go: each finds a clean device."""
    daemon = daemons.start(t)
    for _ in range(5):
        d = fixture.connect(t, daemon).start()
        assert d.config(4) == 0, "no balloon of the one before"
        d.set_config(4, 1234)
        assert d.config(4) == 1234
        fixture.gives_back(d)
        d.close()
    daemon.stop()


def test_once(t):
    """--once: the daemon ends when its first front-end is gone."""
    daemon = daemons.start(t, "--once")
    d = fixture.connect(t, daemon).start()
    fixture.gives_back(d)
    d.close()
    assert daemon.process.wait(60 * wait.SCALE) == 0
    assert not os.path.exists(daemon.socket_path)
    assert not os.path.exists(daemon.control_path)


def test_sigterm_at_once(t):
    """SIGTERM as soon as the socket is there: exit 0, and it is gone."""
    path = os.path.join(t.workdir, "at-once")
    for turn in range(5):
        process = subprocess.Popen(
            [t.options.daemon, "--socket-path=" + path],
            stderr=subprocess.DEVNULL)
        while not os.path.exists(path):
            assert process.poll() is None, "daemon ended at start"
        process.terminate()
        code = process.wait(60 * wait.SCALE)
        assert code == 0, "turn %d: %d" % (turn, code)
        assert not os.path.exists(path), "turn %d: socket left" % turn


def test_sigterm(t):
    """SIGTERM with and without a front-end: exit 0, sockets unlinked."""
    daemon = daemons.start(t, name="idle")
    daemon.stop()
    daemon = daemons.start(t, name="busy")
    d = fixture.connect(t, daemon).start()
    fixture.gives_back(d)
    daemon.stop()


def test_stale_socket(t):
    """A socket left by a killed daemon is no obstacle; one in use is."""
    daemon = daemons.start(t)
    daemon.kill()
    assert os.path.exists(daemon.socket_path)
    again = daemons.start(t)
    fixture.serves(t, again)
    done = subprocess.run([t.options.daemon, "--socket-path="
                           + again.socket_path], check=False,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=60)
    assert done.returncode != 0, "two daemons on one socket"
    fixture.serves(t, again)
    again.stop()


def test_quit(t):
    """The command quit ends the daemon with 0."""
    daemon = daemons.start(t)
    daemon.command("quit")
    assert daemon.process.wait(60 * wait.SCALE) == 0
    assert not os.path.exists(daemon.socket_path)


def test_counters_of_the_host(t):
    """What the daemon says about memory is what the file shows."""
    daemon, d = fixture.start(t)
    d.memory.fill(4 << 20, 16 << 20)
    stats = daemon.stats()["memory"]
    assert stats["bytes"] == d.memory.regions[0].size, stats
    assert stats["resident-bytes"] == d.memory.resident, stats
    d.report([(4 << 20, 8 << 20)])
    stats = daemon.stats()["memory"]
    assert stats["resident-bytes"] == d.memory.resident, stats


def listen(t, name="front-end"):
    """A front-end's socket; (path, socket)."""
    path = os.path.join(t.workdir, name)
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    t.defer(ours.close)
    ours.bind(path)
    ours.listen()
    ours.settimeout(60 * wait.SCALE)
    return path, ours


def test_connect(t):
    """--connect: the daemon comes to a front-end that listens, waits for one
    that is not there, and comes again."""
    path = os.path.join(t.workdir, "front-end")
    daemon = daemons.Daemon(t.options.daemon, t.workdir,
                            "--connect=" + path, "--verbose")
    t.defer(daemon.kill)
    daemon.start(listen=False)
    wait.until(lambda: "is tried again" in daemon.log_text(), "it waits")
    ours = listen(t)[1]
    for _ in range(3):
        d = Driver(t, ours.accept()[0]).start()
        fixture.gives_back(d)
        d.close()
    ours.close()
    os.unlink(path)
    assert daemon.alive()
    daemon.stop()


def test_connect_once(t):
    """--connect with --once ends after its front-end; with another way to one
    it is an error."""
    path, ours = listen(t)
    daemon = daemons.Daemon(t.options.daemon, t.workdir,
                            "--connect=" + path, "--once")
    t.defer(daemon.kill)
    daemon.start(listen=False)
    d = Driver(t, ours.accept()[0]).start()
    fixture.gives_back(d)
    d.close()
    assert daemon.process.wait(60 * wait.SCALE) == 0
    for other in ("--socket-path=" + path + "2", "--fd=3"):
        text = output(t, "--connect=" + path, other, expect=2)
        assert "exclude each other" in text, text


def read_all(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.connect(path)
        stream.settimeout(60 * wait.SCALE)
        parts = []
        while True:
            part = stream.recv(1 << 16)
            if not part:
                return b"".join(parts).decode()
            parts.append(part)


def test_metrics_socket(t):
    """--metrics: what fphctl metrics prints, to whoever connects; one that
    never reads is no burden."""
    path = os.path.join(t.workdir, "metrics")
    daemon, d = fixture.start(t, "--metrics=" + path)
    fixture.gives_back(d)
    silent = []
    for _ in range(40):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        t.defer(stream.close)
        stream.connect(path)
        silent.append(stream)
    text = read_all(path)
    assert "fph_report_bytes_freed_total %d\n" % fixture.BLOCK in text
    assert text.endswith("# EOF\n")
    fds = len(os.listdir("/proc/%d/fd" % daemon.process.pid))
    read_all(path)
    daemon.stats()
    assert len(os.listdir("/proc/%d/fd" % daemon.process.pid)) == fds
    if t.options.fphctl:
        printed = subprocess.run(
            [t.options.fphctl, "--control=" + daemon.control_path,
             "metrics"], check=True, stdout=subprocess.PIPE, text=True)
        assert [line.split()[0] for line in printed.stdout.splitlines()] == \
            [line.split()[0] for line in text.splitlines()]
    daemon.stop()
    assert not os.path.exists(path)


UNITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                     "..", "tools", "vhost-user-balloon")


def analyze(t, *words):
    """systemd-analyze; its output."""
    done = subprocess.run(["systemd-analyze", "--no-pager", *words],
                          check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, cwd=t.workdir, timeout=60 * wait.SCALE)
    assert done.returncode == 0, (words, done.stdout)
    return done.stdout


def test_systemd_units(t):
    """systemd finds nothing wrong with the units, and little that the
    service could do beyond its task: exposure of at most 1 of 10."""
    if not shutil.which("systemd-analyze"):
        raise runner.Skip("no systemd-analyze: Debian package systemd")
    service = "vhost-user-balloon@.service"
    with open(os.path.join(UNITS, service + ".in")) as file:
        text = file.read().replace("@bindir@", os.path.dirname(
            os.path.abspath(t.options.daemon)))
    with open(os.path.join(t.workdir, service), "w") as file:
        file.write(text)
    shutil.copy(os.path.join(UNITS, "vhost-user-balloon@.socket"), t.workdir)
    said = analyze(t, "verify", "--man=no", "./" + service,
                   "./vhost-user-balloon@.socket")
    assert not said.strip(), said
    said = analyze(t, "security", "--offline=true", "./" + service)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert found and float(found[1]) <= 1, said
    t.log("exposure %s" % found[1])
