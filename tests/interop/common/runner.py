# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A small test runner: registration, isolation, clean-up, a clear summary.

A test is a function with one argument, the Context, and a docstring that
says what is proven. It fails by raising. Exit status: 0 all passed, 1 a
failure, 77 everything was skipped (automake's "skipped").
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

from . import wait

EXIT_SKIP = 77


class Skip(Exception):
    """The test cannot run here; the text says why."""


# What became of a test: "pass", "fail", "skip" or "none", not run.
Result = collections.namedtuple("Result", "name outcome seconds text")


class Context:
    """One test's surroundings: folder, log, clean-up, diagnostics."""

    def __init__(self, name, options):
        self.name = name
        self.options = options
        self.lines = []
        self.stack = contextlib.ExitStack()
        self.diagnostics = []
        self.cases = []
        self.start = time.monotonic()
        self.workdir = make_workdir(name)

    def log(self, text):
        """Record a line: shown with --verbose and when the test fails."""
        line = "%7.2f %s" % (time.monotonic() - self.start, text)
        self.lines.append(line)
        if self.options.verbose:
            say("    [%s] %s" % (self.name, line))

    def defer(self, function, *args):
        """Call function(*args) at the end, last registered first."""
        self.stack.callback(function, *args)

    def case(self, function, *args):
        """Run one of several cases on what this test has set up.

        It counts as a test of its own: when it fails, the others go on.
        """
        start = time.monotonic()
        outcome, text = "pass", ""
        try:
            function(*args)
        except Exception as error:  # pylint: disable=broad-except
            if isinstance(error, wait.Interrupted):
                raise
            outcome, text = "fail", _failure_text(self)
        self.cases.append(Result("%s: %s" % (self.name, function.__name__),
                                 outcome, time.monotonic() - start, text))
        self.log("%s %s" % (outcome, function.__name__))

    def on_failure(self, title, function):
        """function() gives text that helps to understand a failure."""
        self.diagnostics.append((title, function))


_print_lock = threading.Lock()


def say(text):
    with _print_lock:
        print(text, flush=True)


def make_workdir(name):
    """A private folder whose path fits a socket address and a kernel
    command line: short, and without a space or a comma."""
    for base in (os.environ.get("TMPDIR"), "/tmp", "/var/tmp", "/run"):
        if base and re.fullmatch(r"[\w/.+-]{1,60}", base) \
                and os.access(base, os.W_OK | os.X_OK):
            prefix = "fph-%s." % re.sub(r"\W", "", name)[:20]
            return tempfile.mkdtemp(prefix=prefix, dir=base)
    raise RuntimeError("no usable folder for temporary files: set TMPDIR "
                       "to a short path without spaces")


def skips_are_failures():
    """In CI a test that silently stopped running must be noticed."""
    return (os.environ.get("FPH_REQUIRE_UML") == "1"
            or os.environ.get("CI") == "true")


def _run_one(function, options):
    """Run one test; return its Results, those of its cases first."""
    context = Context(function.__name__, options)
    outcome, text = "pass", ""
    try:
        with context.stack:
            try:
                function(context)
            except Skip as reason:
                outcome, text = "skip", str(reason)
            except wait.Interrupted:
                outcome, text = "fail", "interrupted"
            except Exception:  # pylint: disable=broad-except
                outcome, text = "fail", _failure_text(context)
    except Exception:  # pylint: disable=broad-except
        outcome = "fail"
        text += "\nclean-up failed:\n" + traceback.format_exc()
    finally:
        if options.keep and outcome == "fail":
            text += "\nkept: %s" % context.workdir
        else:
            shutil.rmtree(context.workdir, ignore_errors=True)
    if outcome == "skip" and skips_are_failures():
        outcome = "fail"
        text = "skipped, but skips are failures here: " + text
    return context.cases + [Result(function.__name__, outcome,
                                   time.monotonic() - context.start, text)]


def _failure_text(context):
    """Everything known about a failure, collected before clean-up."""
    parts = [traceback.format_exc()]
    if context.lines and not context.options.verbose:
        parts.append("--- steps\n" + "\n".join(context.lines))
    for title, function in context.diagnostics:
        try:
            parts.append("--- %s\n%s" % (title, function()))
        except Exception as error:  # pylint: disable=broad-except
            parts.append("--- %s: %s" % (title, error))
    return "\n".join(parts)


def tail(path, lines=40):
    """The last lines of a text file, or a note that it is not there."""
    try:
        with open(path, "r", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as error:
        return str(error)


def _parse(argv, description, default_jobs):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--daemon", default=os.environ.get("FPH_DAEMON"),
                        help="path of vhost-user-balloon (or FPH_DAEMON)")
    parser.add_argument("--fphctl", default=os.environ.get("FPH_FPHCTL"),
                        help="path of fphctl (or FPH_FPHCTL)")
    parser.add_argument("--library", default=os.environ.get("FPH_LIBRARY"),
                        help="path of libfph.so (or FPH_LIBRARY)")
    parser.add_argument("--list", action="store_true",
                        help="list the tests and what they prove")
    parser.add_argument("-k", metavar="NAME", action="append", default=[],
                        help="run only tests whose name contains NAME")
    parser.add_argument("-j", "--jobs", type=int, default=default_jobs,
                        help="tests at a time (default %(default)s)")
    parser.add_argument("--verbose", action="store_true",
                        help="show every step as it happens")
    parser.add_argument("--keep", action="store_true",
                        help="keep the folder of a failed test")
    return parser.parse_args(argv)


def _list(tests):
    for function in tests:
        doc = " ".join((function.__doc__ or "").split())
        say("%s\n    %s" % (function.__name__, doc))


def _stop(_signal, _frame):
    wait.stopping.set()


def main(tests, description, argv=None, jobs=1, precheck=None):
    """Run tests; precheck(options) raises Skip when none of them can run.

    Returns the exit status.
    """
    options = _parse(argv, description, jobs)
    tests = [f for f in tests
             if not options.k or any(k in f.__name__ for k in options.k)]
    if options.list:
        _list(tests)
        return 0
    if not options.daemon or not os.access(options.daemon, os.X_OK):
        say("no daemon to test: give --daemon PATH or FPH_DAEMON (%r)"
            % options.daemon)
        return 1
    options.daemon = os.path.abspath(options.daemon)
    if options.fphctl:
        options.fphctl = os.path.abspath(options.fphctl)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    if precheck:
        try:
            precheck(options)
        except Skip as reason:
            say("SKIPPED: %s" % reason)
            say("0 passed, 0 failed, %d skipped" % len(tests))
            return 1 if skips_are_failures() else EXIT_SKIP
    return _run_all(tests, options)


def _show(result):
    say("%-4s %-44s %6.1f s%s" % (
        result.outcome.upper(), result.name, result.seconds,
        "\n" + result.text if result.text else ""))


def _run_all(tests, options):
    start = time.monotonic()
    counts = {"pass": 0, "fail": 0, "skip": 0, "none": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(_guarded, f, options) for f in tests]
        for future in concurrent.futures.as_completed(running):
            for result in future.result():
                counts[result.outcome] += 1
                if result.outcome != "none":
                    _show(result)
    say("%d passed, %d failed, %d skipped in %.0f s"
        % (counts["pass"], counts["fail"], counts["skip"],
           time.monotonic() - start))
    if wait.stopping.is_set():
        say("interrupted: %d tests were not run" % counts["none"])
        return 1
    if counts["fail"]:
        return 1
    return 0 if counts["pass"] else EXIT_SKIP


def _guarded(function, options):
    """A test that has not begun when the run is stopped never begins."""
    if wait.stopping.is_set():
        return [Result(function.__name__, "none", 0.0, "")]
    return _run_one(function, options)


def run_script(tests, description, **kwargs):
    sys.exit(main(tests, description, **kwargs))
