# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# Bounded proofs with cbmc, which is unpacked in build/cbmc of the sources at
# the first run; clean-proof removes it. PROOF_FLAGS adds options of the runner
# (-k NAME, -j JOBS, --limit SECONDS). Status 77 says that no cbmc can be had
# here; the runner has said why.

EXTRA_DIST += \
	proof/check_proof \
	proof/common.c \
	proof/env.h \
	proof/hint_command.c \
	proof/packed_read.c \
	proof/proof.h \
	proof/range_cut.c \
	proof/range_trim.c \
	proof/ring_math.c \
	proof/state_reader.c \
	proof/time_left.c \
	proof/wire_command.c \
	proof/wire_config.c \
	proof/wire_pages.c \
	proof/wire_queues.c \
	proof/wire_stats.c

check-proof:
	@'$(PYTHON3)' '$(srcdir)/proof/check_proof' $(PROOF_FLAGS) || \
		{ code=$$?; test $$code -eq 77 || exit $$code; }

clean-proof:
	rm -rf '$(srcdir)/build/cbmc'

.PHONY: check-proof clean-proof
