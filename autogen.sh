#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Makes configure and what it needs in a fresh checkout.
set -eu
cd "$(dirname "$0")"
exec autoreconf --install --warnings=all
