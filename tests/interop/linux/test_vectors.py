# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The vectors, inside the kernel, all but the stories: those need a device of
libfph-vmm.
"""

import glob
import json
import os
import re

from vm.parts import TOP

from . import parts
from .machine import boot


def counts():
    """Cases, and stories among them, of the files."""
    cases = stories = 0
    for path in glob.glob(os.path.join(TOP, "tests", "vectors", "*.json")):
        with open(path, encoding="utf-8") as file:
            tests = json.load(file)["tests"]
        cases += len(tests)
        stories += sum("steps" in test for test in tests)
    return cases, stories


def _test(t, kernel):
    cases, stories = counts()
    parts.build_vectors(kernel)
    guest = boot(t, kernel, mem_mib=512)
    status, text = guest.execute("insmod /fph_vectors.ko", 120)
    said = guest.run("dmesg | grep fph_vectors")
    assert status == 0, text + said
    last = re.findall(r"fph_vectors: (\d+) passed, (\d+) failed, (\d+) "
                      "skipped", said)[-1]
    t.log("%s passed, %s failed, %s skipped" % last)
    assert [int(n) for n in last] == [cases - stories, 0, stories], said
    assert cases > stories > 0
    guest.poweroff()


def test_vectors_old(t):
    """In kernel 6.1."""
    _test(t, parts.OLD)


def test_vectors_new(t):
    """In the newest kernel."""
    _test(t, parts.NEW)
