/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define bool			_Bool
#define true			1
#define false			0
