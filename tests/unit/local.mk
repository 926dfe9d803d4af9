# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# One libcheck program for each module, from the one file of its name. What
# several of them need is in a library of its own, main() too (runner.c).

UNIT_TESTS =
EXTRA_DIST += tests/unit/valgrind.supp

if HAVE_UNIT_TESTS
check_LTLIBRARIES = tests/unit/libsupport.la
tests_unit_libsupport_la_SOURCES = \
	tests/guest/pages.c \
	tests/guest/pages.h \
	tests/unit/balloon_fixture.h \
	tests/unit/damage.h \
	tests/unit/fake_calls.h \
	tests/unit/guest.c \
	tests/unit/guest.h \
	tests/unit/hint_fixture.h \
	tests/unit/hinter_fixture.h \
	tests/unit/host_memory.h \
	tests/unit/range_model.h \
	tests/unit/report_fixture.h \
	tests/unit/reporter_fixture.h \
	tests/unit/reclaim_fixture.h \
	tests/unit/ring.c \
	tests/unit/ring.h \
	tests/unit/runner.c \
	tests/unit/runner.h

# Those of the libraries, which need no tool.
LIB_TESTS = \
	tests/unit/test_alloc \
	tests/unit/test_arms \
	tests/unit/test_balloon \
	tests/unit/test_balloon_calls \
	tests/unit/test_balloon_freeze \
	tests/unit/test_balloon_hint \
	tests/unit/test_balloon_hostile \
	tests/unit/test_balloon_hostile_hint \
	tests/unit/test_balloon_inflight \
	tests/unit/test_balloon_legacy \
	tests/unit/test_balloon_limits \
	tests/unit/test_balloon_load \
	tests/unit/test_balloon_options \
	tests/unit/test_balloon_queues \
	tests/unit/test_balloon_rings \
	tests/unit/test_balloon_soak \
	tests/unit/test_balloon_state \
	tests/unit/test_balloon_stats \
	tests/unit/test_guest_host \
	tests/unit/test_hint_session \
	tests/unit/test_hint_session_random \
	tests/unit/test_hint_session_rules \
	tests/unit/test_hinter \
	tests/unit/test_hinter_calls \
	tests/unit/test_hinter_faults \
	tests/unit/test_hinter_hold \
	tests/unit/test_hinter_random \
	tests/unit/test_hinter_trace \
	tests/unit/test_memory \
	tests/unit/test_migration \
	tests/unit/test_pace \
	tests/unit/test_page_set \
	tests/unit/test_pages \
	tests/unit/test_pool \
	tests/unit/test_range \
	tests/unit/test_range_random \
	tests/unit/test_reclaim \
	tests/unit/test_reclaim_calls \
	tests/unit/test_reclaim_faults \
	tests/unit/test_reclaim_memory \
	tests/unit/test_report \
	tests/unit/test_report_random \
	tests/unit/test_report_rules \
	tests/unit/test_reporter \
	tests/unit/test_reporter_calls \
	tests/unit/test_reporter_random \
	tests/unit/test_reporter_window \
	tests/unit/test_state_guest \
	tests/unit/test_state_host \
	tests/unit/test_status \
	tests/unit/test_vq_device \
	tests/unit/test_vq_device_batch \
	tests/unit/test_vq_device_hostile \
	tests/unit/test_vq_dma \
	tests/unit/test_vq_driver \
	tests/unit/test_vq_driver_hostile \
	tests/unit/test_vq_driver_state \
	tests/unit/test_vq_inflight \
	tests/unit/test_vq_packed \
	tests/unit/test_vq_pair \
	tests/unit/test_vq_state \
	tests/unit/test_vq_trace \
	tests/unit/test_wire
UNIT_TESTS += $(LIB_TESTS)

if ENABLE_TOOLS
UNIT_TESTS += \
	tests/unit/test_command \
	tests/unit/test_control \
	tests/unit/test_freeze \
	tests/unit/test_inflight \
	tests/unit/test_policy \
	tests/unit/test_sandbox \
	tests/unit/test_vhost_user \
	tests/unit/test_vhost_user_life \
	tests/unit/test_vhost_user_limits \
	tests/unit/test_vhost_user_notify \
	tests/unit/test_vhost_user_peer \
	tests/unit/test_vhost_user_random \
	tests/unit/test_vhost_user_rings \
	tests/unit/test_vhost_user_setup

check_LTLIBRARIES += tests/unit/libvhostuser.la
tests_unit_libvhostuser_la_SOURCES = \
	tests/unit/control_fixture.h \
	tests/unit/vu_fixture.c \
	tests/unit/vu_fixture.h

DAEMON_LDADD = tests/unit/libvhostuser.la $(DAEMON_LIBS) $(LDADD)
tests_unit_test_command_LDADD = $(DAEMON_LDADD)
tests_unit_test_control_LDADD = $(DAEMON_LDADD)
tests_unit_test_freeze_LDADD = $(DAEMON_LDADD)
tests_unit_test_inflight_LDADD = $(DAEMON_LDADD)
tests_unit_test_policy_LDADD = $(DAEMON_LIBS) $(LDADD)
tests_unit_test_sandbox_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_life_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_limits_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_notify_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_peer_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_random_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_rings_LDADD = $(DAEMON_LDADD)
tests_unit_test_vhost_user_setup_LDADD = $(DAEMON_LDADD)
endif

# With an environment in which barriers tell the test.
tests_unit_test_vq_trace_SOURCES = \
	tests/unit/ring.c \
	tests/unit/ring.h \
	tests/unit/runner.c \
	tests/unit/runner.h \
	tests/unit/test_vq_trace.c \
	tests/unit/trace_config.h \
	$(FPH_VRING_SOURCES)
tests_unit_test_vq_trace_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit \
	-DFPH_CONFIG_FILE='"trace_config.h"'
tests_unit_test_vq_trace_LDADD = $(CHECK_LIBS)

# With an environment in which each side has a copy of the memory.
tests_unit_test_vq_dma_SOURCES = \
	tests/unit/dma_hooks.h \
	tests/unit/ring.c \
	tests/unit/ring.h \
	tests/unit/runner.c \
	tests/unit/runner.h \
	tests/unit/test_vq_pair.c \
	$(FPH_VRING_SOURCES)
tests_unit_test_vq_dma_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit \
	-include $(srcdir)/tests/unit/dma_hooks.h -DPAIR_ROUNDS=5000u
tests_unit_test_vq_dma_LDADD = $(CHECK_LIBS)
# With an allocator that fails when the test wants it.
tests_unit_test_alloc_SOURCES = \
	tests/unit/runner.c \
	tests/unit/runner.h \
	tests/unit/test_alloc.c \
	$(FPH_VMM_SOURCES)
tests_unit_test_alloc_CPPFLAGS = $(AM_CPPFLAGS) -Dmalloc=test_malloc \
	-Dcalloc=test_calloc -Dfree=test_free
tests_unit_test_alloc_LDADD = lib/libfph-objects.la $(CHECK_LIBS)

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# For every program that names no libraries of its own.
AM_CFLAGS += $(CHECK_CFLAGS)
LDADD = tests/unit/libsupport.la \
	lib/libfph-vmm-objects.la lib/libfph-objects.la $(CHECK_LIBS)
endif
