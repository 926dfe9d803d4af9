# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A migration around a device: some pages, a dirty log, a bitmap.

Content is a version number.  A page of the guest's is lost when the
destination has another version of it at the end.
"""


class Migration:
    PAGE = 4096

    def __init__(self, pages):
        self.held = {page: True for page in pages}
        self.source = {page: 1 for page in pages}
        self.destination = {page: 0 for page in pages}
        self.bitmap = set(pages)
        self.log = set()

    def free(self, page):
        self.held[page] = False

    def use(self, page, write):
        """The guest takes a page, and writes it or relies on what is there."""
        self.held[page] = True
        if write:
            self.source[page] += 1
            self.log.add(page)

    def harvest(self):
        self.bitmap |= self.log
        self.log = set()

    def skip(self, gpa, length):
        """Every page that the run touches: the caller rounds, not this."""
        self.bitmap = {page for page in self.bitmap
                       if page + self.PAGE <= gpa or page >= gpa + length}

    def discard(self, gpa, length):
        for page in self.source:
            if gpa < page + self.PAGE and page < gpa + length:
                self.source[page] = 0

    def send(self):
        for page in self.bitmap:
            self.destination[page] = self.source[page]
        self.bitmap = set()

    def lost(self):
        return [page for page, held in sorted(self.held.items()) if held and
                self.destination[page] != self.source[page]]
