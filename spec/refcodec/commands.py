# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Buffers of the hinting queue": command ids."""

STOP = 0
DONE = 1
MIN = 2
LAST = 0xffffffff


def decode(data, order):
    """The id in the readable part; ValueError: not 4 bytes (BUF-1, BUF-4)."""
    if len(data) != 4:
        raise ValueError("a command id has 4 bytes")
    return int.from_bytes(data, order)


def encode(command, order):
    return command.to_bytes(4, order)


def following(command):
    """The id after this one; None when there is none (D5A)."""
    return None if command == LAST else max(command + 1, MIN)
