# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

if ENABLE_TOOLS
AM_CFLAGS += $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS) -pthread

# What both programs have.
noinst_LTLIBRARIES += tools/common/libcommon.la
tools_common_libcommon_la_SOURCES = \
	tools/common/metrics.c \
	tools/common/metrics.h \
	tools/common/passing.c \
	tools/common/passing.h

# All of the daemon but its main(), for the tests of its parts.
noinst_LTLIBRARIES += tools/vhost-user-balloon/libdaemon.la
tools_vhost_user_balloon_libdaemon_la_SOURCES = \
	tools/vhost-user-balloon/aside.c \
	tools/vhost-user-balloon/aside.h \
	tools/vhost-user-balloon/advice.c \
	tools/vhost-user-balloon/advice.h \
	tools/vhost-user-balloon/backchannel.c \
	tools/vhost-user-balloon/backchannel.h \
	tools/vhost-user-balloon/call.c \
	tools/vhost-user-balloon/call.h \
	tools/vhost-user-balloon/client.c \
	tools/vhost-user-balloon/client.h \
	tools/vhost-user-balloon/clock.h \
	tools/vhost-user-balloon/closer.c \
	tools/vhost-user-balloon/closer.h \
	tools/vhost-user-balloon/command.c \
	tools/vhost-user-balloon/command.h \
	tools/vhost-user-balloon/command_freeze.c \
	tools/vhost-user-balloon/command_guest.c \
	tools/vhost-user-balloon/command_hint.c \
	tools/vhost-user-balloon/connect.c \
	tools/vhost-user-balloon/connect.h \
	tools/vhost-user-balloon/control.c \
	tools/vhost-user-balloon/control.h \
	tools/vhost-user-balloon/daemon.c \
	tools/vhost-user-balloon/daemon.h \
	tools/vhost-user-balloon/device.c \
	tools/vhost-user-balloon/device.h \
	tools/vhost-user-balloon/dirty_log.c \
	tools/vhost-user-balloon/dirty_log.h \
	tools/vhost-user-balloon/event_json.c \
	tools/vhost-user-balloon/event_json.h \
	tools/vhost-user-balloon/events.c \
	tools/vhost-user-balloon/events.h \
	tools/vhost-user-balloon/file_kind.c \
	tools/vhost-user-balloon/file_kind.h \
	tools/vhost-user-balloon/freeze.c \
	tools/vhost-user-balloon/freeze.h \
	tools/vhost-user-balloon/frontend.c \
	tools/vhost-user-balloon/frontend.h \
	tools/vhost-user-balloon/governor.c \
	tools/vhost-user-balloon/governor.h \
	tools/vhost-user-balloon/hint.c \
	tools/vhost-user-balloon/hint.h \
	tools/vhost-user-balloon/inflight.c \
	tools/vhost-user-balloon/inflight.h \
	tools/vhost-user-balloon/listen.c \
	tools/vhost-user-balloon/listen.h \
	tools/vhost-user-balloon/log.c \
	tools/vhost-user-balloon/log.h \
	tools/vhost-user-balloon/memory_guard.c \
	tools/vhost-user-balloon/memory_guard.h \
	tools/vhost-user-balloon/memory_table.c \
	tools/vhost-user-balloon/memory_table.h \
	tools/vhost-user-balloon/message.c \
	tools/vhost-user-balloon/message.h \
	tools/vhost-user-balloon/metrics_socket.c \
	tools/vhost-user-balloon/metrics_socket.h \
	tools/vhost-user-balloon/notify.c \
	tools/vhost-user-balloon/notify.h \
	tools/vhost-user-balloon/options.c \
	tools/vhost-user-balloon/options.h \
	tools/vhost-user-balloon/options_features.c \
	tools/vhost-user-balloon/options_policy.c \
	tools/vhost-user-balloon/options_policy.h \
	tools/vhost-user-balloon/parse.c \
	tools/vhost-user-balloon/parse.h \
	tools/vhost-user-balloon/policy.c \
	tools/vhost-user-balloon/policy.h \
	tools/vhost-user-balloon/progress.c \
	tools/vhost-user-balloon/progress.h \
	tools/vhost-user-balloon/protocol.h \
	tools/vhost-user-balloon/request.c \
	tools/vhost-user-balloon/request.h \
	tools/vhost-user-balloon/request_device.c \
	tools/vhost-user-balloon/request_log.c \
	tools/vhost-user-balloon/request_memory.c \
	tools/vhost-user-balloon/request_state.c \
	tools/vhost-user-balloon/request_vring.c \
	tools/vhost-user-balloon/rights.c \
	tools/vhost-user-balloon/rights.h \
	tools/vhost-user-balloon/ring_log.c \
	tools/vhost-user-balloon/ring_log.h \
	tools/vhost-user-balloon/sandbox.c \
	tools/vhost-user-balloon/sandbox.h \
	tools/vhost-user-balloon/saved.c \
	tools/vhost-user-balloon/saved.h \
	tools/vhost-user-balloon/service.c \
	tools/vhost-user-balloon/service.h \
	tools/vhost-user-balloon/session.c \
	tools/vhost-user-balloon/session.h \
	tools/vhost-user-balloon/session_driver.c \
	tools/vhost-user-balloon/stats.c \
	tools/vhost-user-balloon/stats.h \
	tools/vhost-user-balloon/stats_guest.c \
	tools/vhost-user-balloon/stats_guest.h \
	tools/vhost-user-balloon/timers.c \
	tools/vhost-user-balloon/timers.h \
	tools/vhost-user-balloon/vring.c \
	tools/vhost-user-balloon/vring.h \
	tools/vhost-user-balloon/worker.c \
	tools/vhost-user-balloon/worker.h
tools_vhost_user_balloon_libdaemon_la_CFLAGS = $(AM_CFLAGS) \
	$(FPH_HARDEN_CFLAGS)

tools_vhost_user_balloon_libdaemon_la_LIBADD = tools/common/libcommon.la

DAEMON_LIBS = tools/vhost-user-balloon/libdaemon.la $(JANSSON_LIBS) \
	$(SECCOMP_LIBS)

bin_PROGRAMS += tools/vhost-user-balloon/vhost-user-balloon tools/fphctl/fphctl

tools_vhost_user_balloon_vhost_user_balloon_SOURCES = \
	tools/vhost-user-balloon/main.c
tools_vhost_user_balloon_vhost_user_balloon_CFLAGS = $(AM_CFLAGS) \
	$(FPH_HARDEN_CFLAGS)
tools_vhost_user_balloon_vhost_user_balloon_LDFLAGS = $(AM_LDFLAGS) -pthread \
	$(FPH_HARDEN_LDFLAGS)
tools_vhost_user_balloon_vhost_user_balloon_LDADD = \
	tools/vhost-user-balloon/libdaemon.la lib/libfph-vmm.la \
	lib/libfph.la $(JANSSON_LIBS) $(SECCOMP_LIBS)

tools_fphctl_fphctl_SOURCES = \
	tools/fphctl/arguments.h \
	tools/fphctl/client.c \
	tools/fphctl/client.h \
	tools/fphctl/main.c \
	tools/fphctl/show.c \
	tools/fphctl/show.h \
	tools/fphctl/state.c \
	tools/fphctl/watch.c
tools_fphctl_fphctl_LDADD = tools/common/libcommon.la $(JANSSON_LIBS)

# Where QEMU's conventions say that management software looks for back-ends.
vhostuserdir = $(datadir)/qemu/vhost-user
vhostuser_DATA = tools/vhost-user-balloon/50-vhost-user-balloon.json
CLEANFILES += tools/vhost-user-balloon/50-vhost-user-balloon.json

tools/vhost-user-balloon/50-vhost-user-balloon.json: \
		tools/vhost-user-balloon/50-vhost-user-balloon.json.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@bindir[@]|$(bindir)|' \
		$(top_srcdir)/tools/vhost-user-balloon/50-vhost-user-balloon.json.in \
		> $@

# Where systemd looks for units of what is installed below this prefix.
systemdunitdir = $(prefix)/lib/systemd/system
systemdunit_DATA = tools/vhost-user-balloon/vhost-user-balloon@.service \
	tools/vhost-user-balloon/vhost-user-balloon@.socket
CLEANFILES += tools/vhost-user-balloon/vhost-user-balloon@.service

tools/vhost-user-balloon/vhost-user-balloon@.service: \
		tools/vhost-user-balloon/vhost-user-balloon@.service.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@bindir[@]|$(bindir)|' \
		$(top_srcdir)/tools/vhost-user-balloon/vhost-user-balloon@.service.in \
		> $@
endif

EXTRA_DIST += \
	tools/demo/builtin_guest.py \
	tools/demo/demo \
	tools/demo/linux_guest.py \
	tools/demo/picture.py \
	tools/demo/screen.py \
	tools/demo/story.py \
	tools/demo/timeline.py \
	tools/demo/uml_guest.py \
	tools/demo/vm_guest.py \
	tools/vhost-user-balloon/50-vhost-user-balloon.json.in \
	tools/vhost-user-balloon/vhost-user-balloon@.service.in \
	tools/vhost-user-balloon/vhost-user-balloon@.socket
