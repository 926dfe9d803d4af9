# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Manual pages: written as doc/man/NAME.SECTION.adoc, made by asciidoctor and
# shipped in the tarball. A page shows the day of the release, so that the
# same source gives the same bytes on every day.

MAN_PAGES = \
	doc/man/fph_balloon.3 \
	doc/man/fph_coalescer.3 \
	doc/man/fph_hint_session.3 \
	doc/man/fph_hinter.3 \
	doc/man/fph_memory.3 \
	doc/man/fph_reclaim.3 \
	doc/man/fph_report.3 \
	doc/man/fph_reporter.3 \
	doc/man/fph_split_device.3 \
	doc/man/fph_split_driver.3 \
	doc/man/fph_status.3 \
	doc/man/fph_wire.3 \
	doc/man/fphctl.1 \
	doc/man/vhost-user-balloon.1

EXTRA_DIST += doc/design.md $(MAN_PAGES:=.adoc)

if HAVE_MAN
dist_man_MANS += $(MAN_PAGES)
else
dist-hook: no-manual-pages
no-manual-pages:
	@echo 'make dist: the tarball brings the manual pages, and they need' \
		'asciidoctor' >&2
	@false
endif

doc/man/%: doc/man/%.adoc
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(ASCIIDOCTOR) -b manpage -a reproducible \
		-a docdate=$(FPH_RELEASE_DATE) \
		-a mansource='libfph $(PACKAGE_VERSION)' \
		-a manmanual='libfph manual' -o $@ $<
MAINTAINERCLEANFILES = $(MAN_PAGES)
