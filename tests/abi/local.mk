# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later

TESTS += tests/abi/abi.tap tests/abi/headers.tap
dist_check_SCRIPTS += tests/abi/abi.tap tests/abi/headers.tap
