# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The specification as HTML and PDF, and what shows that it is covered. Built
# on request: a build of the library needs none of it.

SPEC_CHAPTERS = \
	spec/chapters/answers.adoc \
	spec/chapters/config.adoc \
	spec/chapters/differences.adoc \
	spec/chapters/errata.adoc \
	spec/chapters/flow.adoc \
	spec/chapters/hint-buffers.adoc \
	spec/chapters/hint-round.adoc \
	spec/chapters/inflate-stats.adoc \
	spec/chapters/lifecycle.adoc \
	spec/chapters/poison.adoc \
	spec/chapters/queues.adoc \
	spec/chapters/report.adoc \
	spec/chapters/safety.adoc \
	spec/chapters/scope.adoc \
	spec/chapters/security.adoc

EXTRA_DIST += \
	$(SPEC_CHAPTERS) \
	spec/check_trace \
	spec/check_trace_test \
	spec/fph-spec.adoc \
	spec/requirements.json

# Without its suffix.
SPEC_COVERAGE = spec/coverage

SPEC_FLAGS = --failure-level=WARN --attribute reproducible \
	--attribute coverage='$(abs_builddir)/$(SPEC_COVERAGE).adoc'

# Each requirement has a vector, a test, a model or a reason.
check-trace:
	@$(MKDIR_P) spec
	$(PYTHON3) $(srcdir)/spec/check_trace_test
	$(PYTHON3) $(srcdir)/spec/check_trace --chapter $(SPEC_COVERAGE).adoc

spec: spec/fph-spec.html spec/fph-spec.pdf

# Made anew each time, for it depends on all tests; what is wrong with it is
# for check-trace to say.
$(SPEC_COVERAGE).adoc: spec-force
	@$(MKDIR_P) spec
	@$(PYTHON3) $(srcdir)/spec/check_trace --quiet --chapter $@ || \
		test -s $@

spec/fph-spec.html: spec/fph-spec.adoc $(SPEC_CHAPTERS) $(SPEC_COVERAGE).adoc
	asciidoctor $(SPEC_FLAGS) --out-file $@ $(srcdir)/spec/fph-spec.adoc

spec/fph-spec.pdf: spec/fph-spec.adoc $(SPEC_CHAPTERS) $(SPEC_COVERAGE).adoc
	asciidoctor-pdf $(SPEC_FLAGS) --out-file $@ \
		$(srcdir)/spec/fph-spec.adoc

CLEANFILES += $(SPEC_COVERAGE).adoc spec/fph-spec.html spec/fph-spec.pdf

.PHONY: check-trace spec spec-force
