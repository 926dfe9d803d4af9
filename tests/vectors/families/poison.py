# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Whether reported pages may be discarded."""

from .build import case

TITLE = "Page poison"
NOTES = {
    "Poison": ("data loss", "A discard makes zeros of a pattern that the "
               "guest checks."),
    "NotNegotiated": ("negotiation", "A value that has no meaning."),
}
# value: may be discarded with PAGE_POISON.
TABLE = {0: "1", 1: "0", 0xaa: "0", 0xaaaaaaaa: "0", 0x80000000: "0",
         0xff000000: "0", 0xffffffff: "0"}


def cases():
    for value, discard in TABLE.items():
        yield case("%#x, negotiated" % value, "poison_discard",
                   {"negotiated": "1", "poison_val": "%#x" % value},
                   {"discard": discard}, ["FPH-R4"],
                   ["Poison"] if value else [])
        yield case("%#x, not negotiated" % value, "poison_discard",
                   {"negotiated": "0", "poison_val": "%#x" % value},
                   {"discard": "1"}, ["FPH-P5", "FPH-CFG-6"],
                   ["NotNegotiated"] if value else [])
