# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Pack an initramfs around a static busybox.

The archive (cpio, "newc") is written here, so that neither cpio nor root
is needed.
"""

import os
import shutil
import stat
import struct


class MissingPart(Exception):
    """Something that the guest is made of is not here; the text names it."""


def _is_static(path):
    """True for an ELF program without an interpreter (64-bit, or any
    other: then it is taken on trust)."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            return head[:4] == b"\x7fELF"
        order = "<" if head[5] == 1 else ">"
        offset, = struct.unpack_from(order + "Q", head, 32)
        size, count = struct.unpack_from(order + "HH", head, 54)
        for i in range(count):
            file.seek(offset + i * size)
            if struct.unpack(order + "I", file.read(4))[0] == 3:
                return False
    return True


def busybox():
    """Path of a static busybox (FPH_BUSYBOX wins)."""
    candidates = (os.environ.get("FPH_BUSYBOX"), "/bin/busybox",
                  shutil.which("busybox.static"), shutil.which("busybox"))
    for path in candidates:
        if path and os.access(path, os.X_OK) and _is_static(path):
            return path
    raise MissingPart("no static busybox: install busybox-static")


def _entry(inode, name, mode, data=b"", device=(0, 0)):
    """One member of a "newc" archive."""
    raw = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0],
              device[1], len(raw), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def build(path, init, modules):
    """Write the archive to path: the script init as first process, and
    modules, a list of (name in the archive, content)."""
    parts = [(name, stat.S_IFDIR | 0o755, b"", (0, 0)) for name in
             ("bin", "dev", "proc", "sys", "tmp", "host")]
    parts.append(("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)))
    parts.append(("bin/busybox", stat.S_IFREG | 0o755, read(busybox()),
                  (0, 0)))
    parts += [(name, stat.S_IFREG | 0o644, content, (0, 0))
              for name, content in modules]
    parts.append(("init", stat.S_IFREG | 0o755, read(init), (0, 0)))
    with open(path, "wb") as file:
        for inode, (name, mode, data, device) in enumerate(parts, 1):
            file.write(_entry(inode, name, mode, data, device))
        file.write(_entry(0, "TRAILER!!!", 0))
