# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Kernels with their headers, the modules built for them, and what else the
guest is made of. Kernels are unpacked in the folder of check-vm, and QEMU is
that of check-vm: the one of Debian 12, 7.2.22, loses writes of TCG guests in
migrations, also where nobody hints (see doc/linux-guest.adoc).
"""

import glob
import os
import shutil
import subprocess

from common import initramfs, runner
from common.initramfs import MissingPart
from vm import parts as vm

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = os.path.join(vm.TOP, "ports", "linux")

OLD, NEW = "build-6.1", "build-new"
_IMAGE = "linux-(image|headers|kbuild|binary|modules)"
# The tools of a newer release come with the libraries that they need.
_LIBS = "libc6$|libelf1|zlib1g$|libzstd1$"
_BOTH = "linux-image-cloud-amd64 linux-headers-cloud-amd64"
vm.PACKAGES.update({
    OLD: (_BOTH, "^" + _IMAGE, ("bookworm",)),
    NEW: (_BOTH, "^(%s|%s)" % (_IMAGE, _LIBS), ("trixie-backports", "sid")),
})


def folder(name):
    return os.path.join(vm.FOLDER, name)


def set_up():
    """Have all parts there; fails by MissingPart."""
    for tool in ("apt-get", "dpkg-deb", "gcc", "make"):
        if not shutil.which(tool):
            raise MissingPart("no %s here" % tool)
    initramfs.busybox()
    if not os.environ.get("FPH_VM_QEMU"):
        vm.get(vm.QEMU)
    for name in (OLD, NEW):
        vm.get(name)
        _mend_headers(name)


def precheck(_options):
    """Set up what is missing; skip everything where it cannot be had."""
    try:
        set_up()
    except MissingPart as missing:
        raise runner.Skip(str(missing)) from None


# Headers --------------------------------------------------------------------

def headers(name):
    """The folder that modules are built against: headers, or a whole source
    that was built."""
    source = os.path.join(folder(name), "source")
    if os.path.isdir(source):
        return source
    found = glob.glob(os.path.join(folder(name),
                                   "usr/src/linux-headers-*-cloud-*"))
    if len(found) != 1:
        raise MissingPart("%d folders of headers in %s" % (len(found), name))
    return found[0]


def release(name):
    return os.path.basename(headers(name)).replace("linux-headers-", "")


def _mend_headers(name):
    """The headers name each other by absolute paths, and their tools want
    the C library of their release."""
    stamp = os.path.join(folder(name), ".mended")
    if os.path.exists(stamp):
        return
    path = os.path.join(headers(name), "Makefile")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    here = os.path.join(folder(name), "usr", "src")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("=/usr/src", "=" + here)
                   .replace("include /usr/src", "include " + here))
    for base, _, files in os.walk(os.path.join(folder(name), "usr", "lib")):
        for file in files:
            if "linux-kbuild" in base:
                _wrap(name, os.path.join(base, file))
    with open(stamp, "w", encoding="utf-8"):
        pass


WRAPPER = """#!/bin/sh
exec %s/usr/bin/.ld.so --inhibit-cache --library-path \\
	%s/usr/lib/x86_64-linux-gnu %s "$@"
"""


def _wrap(name, path):
    """A program that does not run with the machine's C library."""
    if os.path.islink(path) or not os.access(path, os.X_OK):
        return
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return
    done = subprocess.run([path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          check=False)
    if b"GLIBC_" not in done.stderr and b"ELFUTILS_" not in done.stderr:
        return
    os.rename(path, path + ".elf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WRAPPER % (folder(name), folder(name), path + ".elf"))
    os.chmod(path, 0o755)


# Build ----------------------------------------------------------------------

def environment():
    """A make of ours is no part of the one that runs these tests."""
    return {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def kbuild(name, where, *words):
    """Build the modules of a folder; what the compiler said."""
    done = subprocess.run(
        ["make", "-j2", "-C", headers(name), "M=" + where,
         "CC=" + os.environ.get("FPH_LINUX_CC", "gcc"),
         # What the kernel was built with and this machine may not have.
         "CONFIG_DEBUG_INFO_BTF_MODULES=",
         "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT="] + list(words) +
        ["modules"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        env=environment())
    if done.returncode != 0:
        raise AssertionError("the module does not build for %s:\n%s" % (
            release(name), done.stdout[-6000:]))
    return done.stdout


def vendor(where, *words):
    """The library, or parts of it, into a module's folder."""
    subprocess.run(["sh", os.path.join(vm.TOP, "build-aux", "vendor.sh"),
                    os.path.join(where, "libfph")] + list(words) +
                   ["port=linux"], check=True, stdin=subprocess.DEVNULL,
                   env=environment())


def build(name, *words):
    """Build fph_balloon and what measures it; folder and output."""
    where = os.path.join(folder(name), "fph")
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(PORT, os.path.join(where, "module"))
    shutil.copytree(os.path.join(HERE, "memwatch"),
                    os.path.join(where, "memwatch"))
    vendor(os.path.join(where, "module"), "policy")
    text = kbuild(name, os.path.join(where, "module"), *words)
    text += kbuild(name, os.path.join(where, "memwatch"), *words)
    subprocess.run(["gcc", "-O2", "-Wall", "-static", "-o",
                    os.path.join(where, "churn"),
                    os.path.join(HERE, "churn.c")], check=True)
    return where, text


RUNNER = ("vectors/fields.[ch]", "vectors/operations.h",
          "vectors/policy_ops.c", "vectors/ring_bytes.h",
          "vectors/ring_ops.c", "vectors/run_vectors.c", "vectors/story.h",
          "vectors/used_ops.c", "vectors/wire_ops.c",
          "vectors/migration.h", "port/check/jansson.[ch]",
          "port/image/text.c", "port/image/format.c", "port/image/image.c",
          "port/image/no_stories.c")


def build_vectors(name):
    """Build fph_vectors, which runs the vectors inside the kernel."""
    where = os.path.join(folder(name), "fph", "vectors")
    tests = os.path.join(vm.TOP, "tests")
    image = os.path.join(tests, "port", "image")
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "vectors"), where)
    shutil.copytree(os.path.join(image, "include"),
                    os.path.join(where, "include"))
    for pattern in RUNNER:
        for path in glob.glob(os.path.join(tests, pattern)):
            shutil.copy(path, where)
    vendor(where, "policy", "host", "rings")
    subprocess.run(["sh", os.path.join(image, "make_files"), vm.TOP],
                   check=True, cwd=where)
    kbuild(name, where)


def _stripped(path):
    out = path + ".stripped"
    subprocess.run(["strip", "-g", "-o", out, path], check=True)
    return initramfs.read(out)


def build_initramfs(name, path):
    """The initramfs for a kernel, with all that build() made."""
    where = os.path.join(folder(name), "fph")
    modules = [(m + ".ko", vm.module(name, m)) for m in vm.MODULES]
    modules = [(m, content) for m, content in modules if content]
    names = "".join(m + "\n" for m, _ in modules).encode()
    modules += [
        ("modules", names),
        (vm.DRIVER + ".ko", vm.module(name, vm.DRIVER)),
        ("fph_balloon.ko",
         _stripped(os.path.join(where, "module", "fph_balloon.ko"))),
        ("memwatch.ko",
         _stripped(os.path.join(where, "memwatch", "memwatch.ko"))),
        ("churn", initramfs.read(os.path.join(where, "churn"))),
    ]
    vectors = os.path.join(where, "vectors", "fph_vectors.ko")
    if os.path.exists(vectors):
        modules.append(("fph_vectors.ko", _stripped(vectors)))
    initramfs.build(path, vm.INIT, modules)
