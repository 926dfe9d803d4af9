# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Fault 18: what a daemon that was taken over could still do, as its process
and its program show it. What ends it is in tests/unit/test_sandbox.c."""

import os
import re
import shutil
import stat
import subprocess

from common import daemon as daemons
from common import runner

from . import fixture

NOBODY = 65534


def status(daemon, name):
    # Once it answers, it has given up all that it will.
    daemon.stats()
    with open("/proc/%d/status" % daemon.process.pid) as file:
        return re.search("^%s:\\s*(.*)$" % name, file.read(), re.M)[1]


def limit(daemon, name):
    """The hard limit of a process, as text."""
    with open("/proc/%d/limits" % daemon.process.pid) as file:
        return re.search("^%s +\\S+ +(\\S+)" % name, file.read(), re.M)[1]


def namespace(pid, kind):
    return os.readlink("/proc/%s/ns/%s" % (pid, kind))


def test_fault_18_privileges_and_limits(t):
    """No capabilities, no new privileges, limits of zero, mounts and network
    of its own where the user may; and it serves all the same."""
    daemon = daemons.start(t)
    assert status(daemon, "CapEff") == status(daemon, "CapPrm") == "0" * 16
    assert status(daemon, "NoNewPrivs") == "1"
    for name in ("Max core file size", "Max processes", "Max locked memory",
                 "Max msgqueue size"):
        assert limit(daemon, name) == "0", name
    may = subprocess.run(["unshare", "-m", "-n", "true"], check=False,
                         stderr=subprocess.DEVNULL).returncode == 0
    for kind in ("mnt", "net"):
        own = namespace(daemon.process.pid, kind)
        t.log("%s: %s, here %s" % (kind, own, namespace("self", kind)))
        assert not may or own != namespace("self", kind), kind
    fixture.serves(t, daemon)
    daemon.stop()


def test_fault_18_without_root(t):
    """The same where the user may nothing: it starts and serves."""
    if os.geteuid() != 0:
        raise runner.Skip("only root can become another user")
    done = subprocess.run([t.options.daemon, "--version"], user=NOBODY,
                          stdout=subprocess.DEVNULL, check=False,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise runner.Skip("another user cannot run it: " + done.stderr)
    os.chown(t.workdir, NOBODY, -1)
    daemon = daemons.Daemon(t.options.daemon, t.workdir)
    t.defer(daemon.kill)
    daemon.start(user=NOBODY)
    assert status(daemon, "Uid").split()[0] == str(NOBODY)
    assert status(daemon, "CapEff") == "0" * 16
    fixture.serves(t, daemon)
    daemon.stop()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_fault_18_modes_and_groups_of_sockets(t):
    """By default the control socket is its user's alone; options say who can
    connect, to each of the two."""
    umask = os.umask(0o022)
    t.defer(os.umask, umask)
    daemon = daemons.start(t, name="default")
    assert mode(daemon.control_path) == 0o600
    assert mode(daemon.socket_path) == 0o755
    daemon.stop()
    group = os.getgid() if os.geteuid() else 12345
    daemon = daemons.start(t, "--socket-mode=660", "--control-mode=620",
                           "--socket-group=%d" % group,
                           "--control-group=%d" % group, name="options")
    assert mode(daemon.socket_path) == 0o660
    assert mode(daemon.control_path) == 0o620
    assert os.stat(daemon.socket_path).st_gid == group
    assert os.stat(daemon.control_path).st_gid == group
    fixture.serves(t, daemon)
    daemon.stop()


def test_fault_18_program_is_hardened(t):
    """All symbols are bound before main and cannot be changed then, the
    stack is protected, and calls of the C library check their buffers."""
    if not shutil.which("readelf"):
        raise runner.Skip("there is no readelf (package binutils)")
    folder, name = os.path.split(t.options.daemon)
    path = os.path.join(folder, ".libs", name)
    path = path if os.path.exists(path) else t.options.daemon
    text = subprocess.run(["readelf", "-W", "-d", "-l", "-s", path],
                          stdout=subprocess.PIPE, text=True, check=True,
                          timeout=60).stdout
    for want in ("BIND_NOW", "GNU_RELRO", "__stack_chk_fail"):
        assert want in text, want
    if "__asan_init" in text or "__gcov_" in text:
        t.log("no _FORTIFY_SOURCE in a build with sanitizers or coverage")
    else:
        assert re.search("__\\w+printf_chk", text), "_FORTIFY_SOURCE"
