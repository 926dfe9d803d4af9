# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Manual pages, made by asciidoctor and shipped in the tarball.  Those of the
# programs and the overview are written by hand; those of the library say what
# the headers say: doc/man/pages.txt names the part of a header that makes a
# page.  A page shows the day of the release, so that the same source gives the
# same bytes on every day.

FPH_MAN3 = \
	doc/man/fph_arms.3 \
	doc/man/fph_balloon.3 \
	doc/man/fph_hint_session.3 \
	doc/man/fph_hinter.3 \
	doc/man/fph_memory.3 \
	doc/man/fph_migration.3 \
	doc/man/fph_pace.3 \
	doc/man/fph_reclaim.3 \
	doc/man/fph_report.3 \
	doc/man/fph_reporter.3 \
	doc/man/fph_status.3 \
	doc/man/fph_types.3 \
	doc/man/fph_vq_device.3 \
	doc/man/fph_vq_driver.3 \
	doc/man/fph_wire.3
FPH_MAN1 = \
	doc/man/fphctl.1 \
	doc/man/vhost-user-balloon.1
FPH_MAN7 = doc/man/libfph.7
FPH_MAN_WRITTEN = $(FPH_MAN1) $(FPH_MAN7)

fph_man_parts = doc/man/header.awk doc/man/page.sh doc/man/pages.txt
EXTRA_DIST += $(FPH_MAN_WRITTEN:=.adoc) $(fph_man_parts)

# What the headers and these pages name stands below $(docdir) by the same
# name, the examples and the specification too.
nobase_dist_doc_DATA += \
	doc/design.md \
	doc/saved-state.adoc \
	doc/security.adoc \
	doc/vmstate.adoc

if HAVE_MAN
dist_man_MANS += $(FPH_MAN3) $(FPH_MAN_WRITTEN)

# `man fph_report_add` finds the page of its module.
install-data-hook:
	$(SHELL) $(top_srcdir)/doc/man/page.sh aliases '$(top_srcdir)' | \
	while read -r name page; do \
		echo ".so man3/$$page.3" > \
			"$(DESTDIR)$(man3dir)/$$name.3" || exit 1; \
	done
uninstall-hook:
	$(SHELL) $(top_srcdir)/doc/man/page.sh aliases '$(top_srcdir)' | \
	while read -r name page; do \
		rm -f "$(DESTDIR)$(man3dir)/$$name.3"; \
	done
else
dist-hook: no-manual-pages
no-manual-pages:
	@echo 'make dist: the tarball brings the manual pages, and they need' \
		'asciidoctor' >&2
	@false
endif

FPH_ASCIIDOCTOR_MAN = $(ASCIIDOCTOR) -b manpage -a reproducible \
	-a docdate=$(FPH_RELEASE_DATE) \
	-a mansource='libfph $(PACKAGE_VERSION)' \
	-a manmanual='libfph manual'

$(FPH_MAN3): $(fph_man_parts) $(FPH_PUBLIC_H) $(FPH_VMM_PUBLIC_H)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SHELL) $(top_srcdir)/doc/man/page.sh page '$(top_srcdir)' \
		$(@F:.3=) > $@.adoc-tmp && \
	$(FPH_ASCIIDOCTOR_MAN) -o $@ $@.adoc-tmp && rm -f $@.adoc-tmp

$(FPH_MAN_WRITTEN): %: %.adoc
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(FPH_ASCIIDOCTOR_MAN) -o $@ $<
MAINTAINERCLEANFILES = $(FPH_MAN3) $(FPH_MAN_WRITTEN)
