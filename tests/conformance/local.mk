# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The conformance suite, and the programs that it is run on here.

CONFORMANCE_TESTEE = tests/conformance/testee_c
EXTRA_PROGRAMS = $(CONFORMANCE_TESTEE)
tests_conformance_testee_c_SOURCES = \
	tests/conformance/testee.h \
	tests/conformance/testee_c.c \
	tests/conformance/testee_codec.c \
	tests/conformance/testee_device.c \
	tests/conformance/testee_driver.c \
	tests/conformance/testee_rings.c
tests_conformance_testee_c_LDADD = \
	lib/libfph-vmm-objects.la lib/libfph-objects.la
CLEANFILES += $(CONFORMANCE_TESTEE)

CONFORMANCE = $(PYTHON3) $(srcdir)/tests/conformance/run

check-conformance: all
	$(MAKE) $(AM_MAKEFLAGS) $(CONFORMANCE_TESTEE)
	$(CONFORMANCE) --known-failures \
		$(srcdir)/tests/conformance/known/libfph.txt -- \
		$(CONFORMANCE_TESTEE)
	$(CONFORMANCE) -- $(PYTHON3) $(srcdir)/spec/refcodec/testee.py
	$(CONFORMANCE) --role codec -- \
		perl $(srcdir)/tests/conformance/testee_codec.pl
	@if command -v ruby >/dev/null; then \
		$(CONFORMANCE) -- ruby $(srcdir)/tests/conformance/testee.rb; \
	else \
		echo "testee.rb: skipped, there is no ruby"; \
	fi
	$(CONFORMANCE) --break 500 --break-least 90 -- $(CONFORMANCE_TESTEE)
	$(CONFORMANCE) --self-test

# What deployed implementations do, as a page: a quarter of an hour.  One that
# is not installed is left out by name.  Results of an earlier run are kept:
# remove the folder to run all again.
MATRIX = conformance-matrix
MATRIX_RUN = $(CONFORMANCE) --timeout 300
ADAPTERS = $(srcdir)/tests/conformance/adapters
MATRIX_COLUMNS = library reference daemon qemu qemu-new linux
# The command of another QEMU; empty: the one that check-vm unpacked, if it did.
MATRIX_QEMU_NEW =

conformance-matrix: all
	$(MAKE) $(AM_MAKEFLAGS) $(CONFORMANCE_TESTEE)
	mkdir -p $(MATRIX)
	set -e; run() { \
		column=$$1; shift; \
		test -s $(MATRIX)/$$column.json || { \
		echo "== $$column"; \
		$(MATRIX_RUN) --results $(MATRIX)/$$column.json "$$@" || \
			test -s $(MATRIX)/$$column.json || \
			echo "$$column: left out"; }; \
	}; \
	run library -- $(CONFORMANCE_TESTEE); \
	run reference -- $(PYTHON3) $(srcdir)/spec/refcodec/testee.py; \
	run daemon --role device --seeds 2 -- $(PYTHON3) \
		$(ADAPTERS)/daemon_device.py \
		tools/vhost-user-balloon/vhost-user-balloon; \
	run qemu --role device --seeds 2 --known-failures \
		$(srcdir)/tests/conformance/known/qemu.txt -- \
		$(PYTHON3) $(ADAPTERS)/qemu_device.py; \
	new='$(MATRIX_QEMU_NEW)'; vm='$(abs_top_srcdir)/build/vm/qemu/run'; \
	test -n "$$new" || ! test -x "$$vm" || \
		new="$$vm qemu-system-x86_64"; \
	test -z "$$new" || \
		run qemu-new --role device --seeds 2 --known-failures \
		$(srcdir)/tests/conformance/known/qemu.txt -- \
		$(PYTHON3) $(ADAPTERS)/qemu_device.py $$new; \
	run linux --role driver --seeds 2 --known-failures \
		$(srcdir)/tests/conformance/known/linux.txt -- \
		$(PYTHON3) $(ADAPTERS)/uml_driver.py; \
	files=; for column in $(MATRIX_COLUMNS); do \
		test ! -s $(MATRIX)/$$column.json || \
			files="$$files $(MATRIX)/$$column.json"; \
	done; \
	$(PYTHON3) $(srcdir)/tests/conformance/matrix \
		--out $(MATRIX)/matrix.adoc $$files
	@echo "the page is $(MATRIX)/matrix.adoc"

.PHONY: check-conformance conformance-matrix

EXTRA_DIST += \
	spec/refcodec/driver.py \
	spec/refcodec/testee.py \
	tests/conformance/GUIDE.adoc \
	tests/conformance/adapters/adapter.py \
	tests/conformance/adapters/backend.py \
	tests/conformance/adapters/daemon_device.py \
	tests/conformance/adapters/qemu_device.py \
	tests/conformance/adapters/qemu_vm.py \
	tests/conformance/adapters/uml_driver.py \
	tests/conformance/breaker.py \
	tests/conformance/codec.py \
	tests/conformance/drivers.py \
	tests/conformance/edits.py \
	tests/conformance/hints.py \
	tests/conformance/known/libfph.txt \
	tests/conformance/known/linux.txt \
	tests/conformance/known/qemu.txt \
	tests/conformance/lives.py \
	tests/conformance/matrix \
	tests/conformance/mutant.py \
	tests/conformance/mutants.py \
	tests/conformance/mutants_codec.py \
	tests/conformance/mutants_driver.py \
	tests/conformance/mutants_hints.py \
	tests/conformance/mutants_lives.py \
	tests/conformance/mutants_reports.py \
	tests/conformance/protocol.py \
	tests/conformance/random_drivers.py \
	tests/conformance/random_rounds.py \
	tests/conformance/reports.py \
	tests/conformance/rounds.py \
	tests/conformance/run \
	tests/conformance/self_test.py \
	tests/conformance/stories.py \
	tests/conformance/streams.py \
	tests/conformance/taking.py \
	tests/conformance/testee.rb \
	tests/conformance/testee_codec.pl \
	tests/conformance/testee_codec.rb \
	tests/conformance/testee_common.rb \
	tests/conformance/testee_device.rb \
	tests/conformance/testee_driver.rb \
	tests/conformance/variants.py \
	tests/conformance/world.py
