# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Find the parts of the guest: kernel and module from Debian's package
user-mode-linux."""

import glob
import os
import shutil

from common.initramfs import MissingPart

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "init.sh")


def kernel():
    """Path of the user-mode kernel (FPH_UML_KERNEL wins)."""
    path = os.environ.get("FPH_UML_KERNEL") or shutil.which("linux.uml")
    if not path or not os.access(path, os.X_OK):
        raise MissingPart("no linux.uml: install user-mode-linux")
    return path


def module():
    """Path of the stock virtio_balloon.ko (FPH_UML_MODULE wins)."""
    path = os.environ.get("FPH_UML_MODULE")
    if path:
        return path
    found = glob.glob("/usr/lib/uml/modules/*/kernel/drivers/virtio/"
                      "virtio_balloon.ko")
    if not found:
        raise MissingPart("no virtio_balloon.ko below /usr/lib/uml/modules:"
                          " install user-mode-linux")
    return sorted(found)[-1]
