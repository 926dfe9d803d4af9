# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The demonstration with a real Linux guest and its stock virtio_balloon
module, in user mode or in a virtual machine."""

import re

from common.shell import GuestDied

import story as stories

MEM_MIB = 512
BALLOON_MIB = 128
# What may be in use later beyond the first low: 16 MiB of kept data, and
# free memory in pieces smaller than those that the driver reports.
SLACK_MIB = 64


def write_kept(story, guest, kept, name, mib):
    """Random data in the guest, with its checksum known here."""
    kept[name] = guest.fill(name, mib)
    story.say("guest keeps %d MiB of random data, md5 %s"
              % (mib, kept[name]))


def verify(guest, kept):
    """Names of the files that changed."""
    return [name for name, value in kept.items()
            if guest.checksum(name) != value]


class Kind:
    """What differs between guests: its name, and what to expect."""

    def __init__(self, name, full_mib, low_mib, limit_s):
        self.name = name
        self.full_mib = full_mib	# when everything is resident
        self.low_mib = low_mib		# when all that is free is given back
        self.limit_s = limit_s		# time for that


def boot(story, guest):
    story.screen.step("boot Linux with %d MiB; init_on_free=1 makes all of "
                      "it resident" % MEM_MIB)
    guest.start()
    story.start_timeline(lambda: guest.memory.resident)
    story.say("guest: " + guest.run("uname -sr").strip())
    story.mark("guest is up")


def first_fall(story, guest, kept, kind):
    story.screen.step("load the stock virtio_balloon driver")
    before = story.mark("driver loaded")
    story.expect(before >= kind.full_mib, "host memory at the driver's probe "
                 "is %d MiB, expected at least %d" % (before, kind.full_mib))
    guest.insmod()
    seconds = story.wait_below(kind.low_mib, "free page reporting",
                               kind.limit_s)
    story.settle()
    after = story.mark("free memory is back at the host")
    story.say("host memory %d -> %d MiB, most of it in %.1f s: the guest "
              "reported what it does not need" % (before, after, seconds))
    story.expect(not verify(guest, kept), "data of the guest changed")
    story.fact("host memory at the driver's probe", "%d MiB" % before)
    story.fact("after free page reporting", "%d MiB" % after)
    story.fact("time for most of that", "%.1f s" % seconds)
    return after


def work(story, guest, kept, low):
    """The guest uses a lot, keeps a little, frees the rest."""
    story.screen.step("the guest works with 300 MiB and frees them")
    guest.zeros("work", 300)
    high = story.mark("guest touched 300 MiB")
    story.expect(high >= low + 280, "host memory should have risen")
    write_kept(story, guest, kept, "during", 16)
    guest.remove("work")
    story.mark("guest freed them")
    seconds = story.wait_below(low + SLACK_MIB, "after the guest freed", 60)
    story.settle()
    after = story.mark("they are back at the host")
    story.say("host memory %d -> %d MiB, most of it in %.1f s"
              % (high, after, seconds))
    story.fact("guest used 300 MiB more", "%d MiB" % high)
    story.fact("after it freed them", "%d MiB" % after)


def hints(story, low):
    """With init_on_free the guest clears the pages that it held when DONE
    frees them: host memory rises, until they are reported again."""
    story.screen.step("a hinting round, as before a live migration")
    story.hint_round(MEM_MIB)
    story.control("hint", "done")
    freed = story.stats("report")["bytes-discarded"]
    story.say("the guest frees what it held; init_on_free clears these "
              "pages, then they are reported")
    story.wait_reported(freed + 256 * stories.MIB)
    story.wait_below(low + SLACK_MIB, "after DONE", 60)
    story.settle()
    story.mark("hinted pages freed and reported")


def balloon(story, low):
    story.screen.step("inflate a balloon of %d MiB, and deflate it"
                      % BALLOON_MIB)
    story.set_balloon(BALLOON_MIB)
    story.wait_balloon(BALLOON_MIB)
    at = story.mark("balloon of %d MiB" % BALLOON_MIB)
    story.say("the guest has %d MiB less; host memory %d MiB"
              % (BALLOON_MIB, at))
    story.set_balloon(0)
    story.wait_balloon(0)
    high = story.mark("balloon empty")
    story.say("the guest has them back, and reports them")
    # Single pages come back: not all of them are part of a free block. Where
    # this is slow, some of them are reported already.
    story.wait_below(max(high - BALLOON_MIB // 2, low + SLACK_MIB),
                     "after the balloon", 60)
    story.settle()
    story.mark("its pages are reported")
    story.fact("balloon inflated and deflated", "%d MiB" % BALLOON_MIB)


def run(story, guest, kind):
    """The whole story, with a guest that is not started yet. Its kernel
    has init_on_free=1."""
    kept = {}
    try:
        boot(story, guest)
        write_kept(story, guest, kept, "before", 2)
        low = first_fall(story, guest, kept, kind)
        work(story, guest, kept, low)
        hints(story, low)
        balloon(story, low)
        story.screen.step("verify the data that the guest kept throughout")
        bad = verify(guest, kept)
        story.expect(not bad, "data of the guest changed: %s" % bad)
        story.say("all checksums hold")
        story.fact("checksums of kept data", "%d of %d hold"
                   % (len(kept), len(kept)))
        release = re.sub(r"\s+", " ", guest.run("uname -sr")).strip()
        story.mark("checksums verified")
        story.finish("Host memory of a Linux guest of %d MiB" % MEM_MIB,
                     "unmodified %s (%s), stock virtio_balloon, "
                     "vhost-user-balloon" % (release, kind.name))
        guest.poweroff()
    except GuestDied as died:
        raise SystemError(str(died)) from None
    finally:
        if story.line:
            story.line.end()
        guest.kill()
