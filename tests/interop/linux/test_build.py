# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The module builds, without a word of the compiler."""

import re

from . import parts


def _test(t, kernel):
    text = parts.build(kernel, "W=1")[1]
    said = [line for line in text.splitlines()
            if re.search(r"warning|error", line) and "pahole" not in line]
    t.log("built for " + parts.release(kernel))
    assert not said, "\n".join(said)


def test_build_old(t):
    """For Debian's 6.1, with W=1."""
    _test(t, parts.OLD)


def test_build_new(t):
    """For the newest kernel that can be had, with W=1."""
    _test(t, parts.NEW)
