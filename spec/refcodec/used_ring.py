# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The driver's side of a split ring: buffers that come back."""


class DeviceError(Exception):
    """The device broke a rule of the ring."""


def take_back(heads, used, used_idx):
    """The buffers that the device returned, one after another (X6).

    heads: head of each buffer in flight: its name.  used: (id, length) from
    entry 0 of the used ring on; the length is ignored (Q-9).
    """
    if used_idx > len(heads):
        raise DeviceError("more than was offered")
    inflight = dict(heads)
    for number, _ in used[:used_idx]:
        if number not in inflight:
            raise DeviceError("not in flight")
        yield inflight.pop(number)
