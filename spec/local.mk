# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The specification as HTML and PDF, and what shows that it is covered. Built
# on request: a build of the library needs none of it.

SPEC_CHAPTERS = \
	spec/chapters/answers.adoc \
	spec/chapters/bibliography.adoc \
	spec/chapters/config.adoc \
	spec/chapters/conformance.adoc \
	spec/chapters/errata.adoc \
	spec/chapters/flow.adoc \
	spec/chapters/hint-buffers.adoc \
	spec/chapters/hint-round.adoc \
	spec/chapters/inflate-stats.adoc \
	spec/chapters/lifecycle.adoc \
	spec/chapters/poison.adoc \
	spec/chapters/proposals.adoc \
	spec/chapters/queues.adoc \
	spec/chapters/report.adoc \
	spec/chapters/safety.adoc \
	spec/chapters/scope.adoc \
	spec/chapters/security.adoc

# Drawn by graphviz.
SPEC_FIGURES = \
	spec/figures/config-space.svg \
	spec/figures/descriptor.svg \
	spec/figures/hint-buffers.svg \
	spec/figures/lost-write.svg \
	spec/figures/packed-descriptor.svg \
	spec/figures/report.svg \
	spec/figures/round.svg \
	spec/figures/session.svg \
	spec/figures/stat-entry.svg

SPEC_THEME = \
	spec/theme/fph-theme.yml \
	spec/theme/fph.css \
	spec/theme/norms.rb

nobase_dist_doc_DATA += spec/fph-spec.adoc $(SPEC_CHAPTERS)
EXTRA_DIST += \
	$(SPEC_FIGURES:.svg=.dot) \
	$(SPEC_THEME) \
	spec/check_trace \
	spec/check_trace_test \
	spec/proposals/01-queue-indices.patch \
	spec/proposals/02-stop-and-reuse.patch \
	spec/proposals/03-stop-is-a-barrier.patch \
	spec/proposals/04-statistics-size.patch \
	spec/proposals/05-suspend.patch \
	spec/proposals/06-incremental-hints.patch \
	spec/proposals/07-acknowledged-hints.patch \
	spec/proposals/README.adoc \
	spec/proposals/debate-2019.adoc \
	spec/requirements.json

# Without its suffix.
SPEC_COVERAGE = spec/coverage

SPEC_FLAGS = --failure-level=WARN --attribute reproducible \
	--require '$(abs_srcdir)/spec/theme/norms.rb' \
	--attribute imagesdir='$(abs_builddir)/spec/figures' \
	--attribute coverage='$(abs_builddir)/$(SPEC_COVERAGE).adoc'

# The page of conformance-matrix, where that was run.
SPEC_RESULTS = conformance-matrix/matrix.adoc
SPEC_WITH_RESULTS = `test ! -s $(SPEC_RESULTS) || \
	echo "--attribute results=$(abs_builddir)/$(SPEC_RESULTS)"`

SPEC_PARTS = $(SPEC_CHAPTERS) $(SPEC_FIGURES) $(SPEC_THEME) \
	$(SPEC_COVERAGE).adoc

# Each requirement has a vector, a test, a model or a reason.
check-trace:
	@$(MKDIR_P) spec
	$(PYTHON3) $(srcdir)/spec/check_trace_test
	$(PYTHON3) $(srcdir)/spec/check_trace --chapter $(SPEC_COVERAGE).adoc

spec: spec/fph-spec.html spec/fph-spec.pdf

# Made anew each time, because it depends on all tests; what is wrong with it is
# for check-trace to say.
$(SPEC_COVERAGE).adoc: spec-force
	@$(MKDIR_P) spec
	@$(PYTHON3) $(srcdir)/spec/check_trace --quiet --chapter $@ || \
		test -s $@

spec/figures/%.svg: spec/figures/%.dot
	@$(MKDIR_P) spec/figures
	dot -Tsvg -o $@ $<

spec/fph-spec.html: spec/fph-spec.adoc $(SPEC_PARTS)
	asciidoctor $(SPEC_FLAGS) $(SPEC_WITH_RESULTS) --attribute linkcss! \
		--attribute stylesdir='$(abs_srcdir)/spec/theme' \
		--attribute stylesheet=fph.css \
		--out-file $@ $(srcdir)/spec/fph-spec.adoc

spec/fph-spec.pdf: spec/fph-spec.adoc $(SPEC_PARTS)
	asciidoctor-pdf $(SPEC_FLAGS) $(SPEC_WITH_RESULTS) \
		--attribute pdf-themesdir='$(abs_srcdir)/spec/theme' \
		--theme fph --out-file $@ $(srcdir)/spec/fph-spec.adoc

CLEANFILES += $(SPEC_COVERAGE).adoc $(SPEC_FIGURES) \
	spec/fph-spec.html spec/fph-spec.pdf

.PHONY: check-trace spec spec-force
