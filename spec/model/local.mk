# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The models are built and run here, whatever the library is built for.
MODEL_CC = cc
MODEL_FLAGS =

check-model:
	CC='$(MODEL_CC)' $(PYTHON3) $(srcdir)/spec/model/run $(MODEL_FLAGS)

.PHONY: check-model

EXTRA_DIST += \
	spec/model/README.adoc \
	spec/model/hinting.pml \
	spec/model/hinting-device.pml \
	spec/model/hinting-guest.pml \
	spec/model/hinting-migration.pml \
	spec/model/hinting-rules.pml \
	spec/model/reporting.pml \
	spec/model/rings.pml \
	spec/model/run \
	spec/model/runs.txt
