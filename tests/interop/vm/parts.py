# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The parts of the virtual machine: a QEMU that can have any vhost-user
device, and Debian's kernels. They are packages of several Debian releases,
unpacked in a folder of the build; nothing is installed.
"""

import glob
import lzma
import os
import platform
import shutil
import subprocess

from common import initramfs
from common.initramfs import MissingPart

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
FOLDER = os.environ.get("FPH_VM_DIR") or os.path.join(TOP, "build", "vm")
GET_DEBS = os.path.join(TOP, "build-aux", "get-debs")
INIT = os.path.join(HERE, "init.sh")
DEVICE = "vhost-user-test-device-pci"

# Name of the folder: packages, which of what they depend on, and releases to
# take them from, the first that works. Older releases have no such device.
KERNEL_PARTS = "^linux-(image|binary|modules)"
QEMU = "qemu"
OLD, NEW = "linux-6.1", "linux-new"
PACKAGES = {
    QEMU: ("qemu-system-x86", ".", ("trixie-backports", "sid")),
    # Debian's kernels for clouds are smaller, but know no page poisoning.
    OLD: ("linux-image-amd64", KERNEL_PARTS, ("bookworm",)),
    NEW: ("linux-image-cloud-amd64", KERNEL_PARTS,
          ("trixie-backports", "sid")),
}
# Modules that the balloon's driver needs, in their order. What a kernel has
# built in, it has no file of.
MODULES = ("virtio", "virtio_ring", "virtio_pci_legacy_dev",
           "virtio_pci_modern_dev", "virtio_pci")
DRIVER = "virtio_balloon"


def get(name):
    """Set up one of PACKAGES, unless it is there; fails by MissingPart."""
    packages, only, suites = PACKAGES[name]
    where = os.path.join(FOLDER, name)
    for suite in suites:
        done = subprocess.run(
            [GET_DEBS, "-o", only, suite, where] + packages.split(),
            check=False, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return
    raise MissingPart("%s cannot be had from %s; get-debs has said why"
                      % (packages, " or ".join(suites)))


def qemu():
    """The words that start QEMU (FPH_VM_QEMU, a path, wins)."""
    path = os.environ.get("FPH_VM_QEMU")
    if path:
        return [path]
    return [os.path.join(FOLDER, QEMU, "run"), "qemu-system-x86_64"]


def _one(name, pattern):
    found = glob.glob(os.path.join(FOLDER, name, pattern))
    if len(found) != 1:
        raise MissingPart("%d files %s in %s, expected one"
                          % (len(found), pattern, name))
    return found[0]


def kernel(name):
    """Path of a kernel."""
    for pattern in ("boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"):
        if glob.glob(os.path.join(FOLDER, name, pattern)):
            return _one(name, pattern)
    raise MissingPart("no kernel in " + name)


def module(name, module_name):
    """Content of a module, or None when the kernel has none."""
    pattern = "usr/lib/modules/*/kernel/drivers/virtio/%s.ko*" % module_name
    if not glob.glob(os.path.join(FOLDER, name, pattern)):
        return None
    path = _one(name, pattern)
    content = initramfs.read(path)
    return lzma.decompress(content) if path.endswith(".xz") else content


def build_initramfs(name, path):
    """The initramfs for a kernel, written to path."""
    modules = [(m + ".ko", module(name, m)) for m in MODULES]
    modules = [(m, content) for m, content in modules if content]
    names = "".join(m + "\n" for m, _ in modules).encode()
    driver = module(name, DRIVER)
    if not driver:
        raise MissingPart("no virtio_balloon.ko in " + name)
    initramfs.build(path, INIT, modules + [("modules", names),
                                           (DRIVER + ".ko", driver)])


def set_up(*kernels):
    """Have all parts there; fails by MissingPart where one cannot be had."""
    if platform.machine() != "x86_64":
        raise MissingPart("the virtual machine is one of x86-64, this is "
                          + platform.machine())
    initramfs.busybox()
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise MissingPart("no %s: this is not Debian" % tool)
    if not os.environ.get("FPH_VM_QEMU"):
        get(QEMU)
    for name in kernels:
        get(name)
    done = subprocess.run(qemu() + ["-device", DEVICE + ",help"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0 or "virtio-id" not in done.stdout:
        raise MissingPart("this QEMU has no %s: %s"
                          % (DEVICE, done.stdout.strip()[-200:]))
