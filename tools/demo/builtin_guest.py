# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The demonstration without Linux: a small guest built into this program.

Its memory is real shared memory, the daemon is the same and so are the
messages and queues; only the driver is ours.
"""

import hashlib

from common import wait
from frontend import driver
from frontend.memory import Memory, Region

MIB = 1 << 20
MEM_MIB = 512
KEPT = (0x100000, 31 * MIB)		# address and length of kept data
FREE = 32 * MIB				# from here on everything is free
BLOCK = 4 * MIB
CHAIN = 32				# blocks in a report


def touch(memory, begin, end):
    """Write every page of a range, one megabyte at a time."""
    content = bytes(range(1, 256)) * (MIB // 255) + bytes(MIB % 255)
    for gpa in range(begin, end, MIB):
        memory.write(gpa, content)


def checksum(memory):
    return hashlib.sha256(memory.read(*KEPT)).hexdigest()


def report_all(guest):
    """Report everything free, as Linux does: chains of 32 blocks."""
    blocks = [(gpa, BLOCK) for gpa in range(FREE, MEM_MIB * MIB, BLOCK)]
    for first in range(0, len(blocks), CHAIN):
        guest.report(blocks[first:first + CHAIN])
        wait.pause(0.3)


def hint_all(guest, old):
    """Answer a hinting request with all free blocks."""
    command = guest.wait_command(old)
    guest.hint_word(command)
    guest.hint([(gpa, BLOCK) for gpa in range(FREE, MEM_MIB * MIB, BLOCK)])
    guest.hint_word(driver.ID_STOP)


def balloon(story, guest):
    story.screen.step("inflate a balloon of 8 MiB, and deflate it")
    story.set_balloon(8)
    target = wait.until(lambda: _target(guest), "the new target")
    frames = range(FREE // 4096, FREE // 4096 + target)
    for role, size in (("inflate", target), ("deflate", 0)):
        for first in range(0, target, 256):
            guest.pages(role, frames[first:first + 256])
        guest.set_config(driver.CFG_ACTUAL, size)
        story.wait_balloon(size * 4096 // MIB)
        story.mark(role + "d")
        wait.pause(0.3)		# or the picture has all of it in one spot
        if role == "inflate":
            story.set_balloon(0)
    story.fact("balloon inflated and deflated", "8 MiB")


def _target(guest):
    guest.frontend.serve_backend()
    return guest.config(driver.CFG_NUM_PAGES)


def run(story, _folder):
    memory = Memory(Region(0, MEM_MIB * MIB))
    guest = driver.Driver(None, story.daemon.socket_path, memory=memory)
    try:
        story.screen.step("a small guest with %d MiB touches all of it"
                          % MEM_MIB)
        story.start_timeline(lambda: memory.resident)
        guest.start()
        touch(memory, 0x100000, MEM_MIB * MIB)
        kept = checksum(memory)
        high = story.mark("guest touched everything")
        story.expect(high >= MEM_MIB - 12, "only %d MiB resident" % high)
        story.fact("host memory, everything touched", "%d MiB" % high)
        story.screen.step("the guest reports its free memory")
        report_all(guest)
        seconds = story.wait_below(60, "free page reporting", 15)
        low = story.mark("free memory is back at the host")
        story.say("host memory %d -> %d MiB" % (high, low))
        story.fact("after free page reporting", "%d MiB" % low)
        story.expect(seconds < 15, "too slow")
        story.screen.step("the guest uses 256 MiB again, and frees them")
        touch(memory, FREE, FREE + 256 * MIB)
        story.mark("guest touched 256 MiB")
        report_all(guest)
        story.wait_below(60, "free page reporting", 15)
        story.mark("they are back at the host")
        story.screen.step("a hinting round, as before a live migration")
        old = guest.config(driver.CFG_CMD_ID)
        story.hint_round(MEM_MIB, lambda: hint_all(guest, old))
        story.control("hint", "done")
        wait.pause(0.3)
        balloon(story, guest)
        story.screen.step("verify the data that the guest kept throughout")
        story.expect(checksum(memory) == kept, "data of the guest changed")
        story.say("the checksum of %d MiB holds" % (KEPT[1] // MIB))
        story.fact("checksum of kept data", "holds")
        story.mark("checksum verified")
        story.finish("Host memory of a built-in guest of %d MiB" % MEM_MIB,
                     "a driver of our own over shared memory, "
                     "vhost-user-balloon")
    finally:
        if story.line:
            story.line.end()
        guest.close()
