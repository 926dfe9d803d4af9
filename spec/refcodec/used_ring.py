# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The driver's side of a ring: buffers that come back."""


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


def take_batch(inflight, number):
    """The buffers up to this one, and with it, the oldest first (Q-11A).

    inflight: names in the order in which they were made available.
    """
    if number not in inflight:
        raise DeviceError("not in flight")
    count = inflight.index(number) + 1
    batch = inflight[:count]
    del inflight[:count]
    return batch


def take_back_in_order(inflight, used, idx, used_idx, num):
    """A split ring with IN_ORDER.  A buffer's name is its id here.

    used: entry of the used ring: id.  idx: the buffers that came back before;
    each entry of the ring is at its index modulo num.
    """
    if (used_idx - idx) % 65536 > len(inflight):
        raise DeviceError("more than was offered")
    while idx != used_idx:
        batch = take_batch(inflight, used.get(idx % num))
        yield from batch
        if len(batch) > (used_idx - idx) % 65536:
            raise DeviceError("an index that is behind the batch")
        idx = (idx + len(batch)) % 65536


def take_back_packed(lists, used, place, num, in_order):
    """A packed ring: the lists that came back.

    lists: id: its number of descriptors, in the order in which they were made
    available.  used: slot: (id, whether both bits are set).  place: the slot
    where the next one is used, and the wrap counter there.
    """
    inflight = list(lists)
    slot, wrap = place
    while inflight and slot in used and used[slot][1] == wrap:
        number = used[slot][0]
        if in_order:
            batch = take_batch(inflight, number)
        elif number in inflight:
            batch = [number]
            inflight.remove(number)
        else:
            raise DeviceError("not in flight")
        yield from batch
        slot += sum(lists[n] for n in batch)            # PK-2
        if slot >= num:
            slot, wrap = slot - num, not wrap
