# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The program itself: options, sockets, one front-end after another."""

import json
import os
import socket
import subprocess

from common import daemon as daemons
from common import wait

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
    for option in ("--socket-path", "--fd", "--control", "--num-pages",
                   "--free-page-hint", "--free-page-reporting",
                   "--page-poison", "--stats", "--inband", "--event-idx",
                   "--indirect", "--discard-delay-ms", "--once",
                   "--socket-mode", "--socket-group", "--control-mode",
                   "--control-group", "--max-memory", "--sandbox",
                   "--print-capabilities", "--verbose"):
        assert option in text, option
    assert "vhost-user-balloon" in output(t, "--version")
    for wrong in (("--nonsense",), (), ("--fd=99",), ("--fd=x",),
                  ("--socket-path=/x/y", "--stats=maybe"),
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
