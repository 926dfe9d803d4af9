# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# What another project takes of this one.

TESTS += tests/port/vendor.tap
dist_check_SCRIPTS += tests/port/vendor.tap
EXTRA_DIST += build-aux/vendor.sh

# make vendor DEST=DIR [PARTS="guest rings"] [PORT=linux]
PARTS = guest host rings
vendor:
	@test -n '$(DEST)' || { \
		echo 'usage: make vendor DEST=DIR [PARTS="..."] [PORT=...]' >&2; \
		exit 2; }
	@$(SHELL) $(top_srcdir)/build-aux/vendor.sh '$(DEST)' $(PARTS) \
		$(PORT:%=port=%)

.PHONY: vendor
