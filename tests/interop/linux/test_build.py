# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The module builds, without a word of the compiler and of sparse."""

import re
import shutil

from common import runner

from . import parts

STRICT = ("W=1", "KCFLAGS=-Wframe-larger-than=512")
SPARSE = ("C=2", "CF=-D__CHECK_ENDIAN__")


def _test(t, kernel, *words):
    text = parts.build(kernel, *STRICT, *words)[1]
    said = [line for line in text.splitlines()
            if re.search(r"warning|error", line) and "pahole" not in line]
    t.log("built for " + parts.release(kernel))
    assert not said, "\n".join(said)
    return text


def test_build_old(t):
    """For Debian's 6.1, with W=1, no frame above 512 bytes, and sparse."""
    if not shutil.which("sparse"):
        raise runner.Skip("no sparse here: install the package")
    text = _test(t, parts.OLD, *SPARSE)
    checked = len(re.findall(r"^ +CHECK .*/module/", text, re.M))
    assert checked >= 11, text


def test_build_new(t):
    """For the newest kernel that can be had, with W=1, and no frame above 512
    bytes. Debian's sparse does not know what its headers use."""
    _test(t, parts.NEW)
