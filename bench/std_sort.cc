// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
// std::sort for the comparison, of ranges with owners, by address.
#include <algorithm>
#include <cstddef>

#include <fph/types.h>

extern "C" void bench_std_sort(fph_owned_range *ranges, std::size_t n)
{
	std::sort(ranges, ranges + n,
		  [](const fph_owned_range &a, const fph_owned_range &b) {
			  return a.gpa < b.gpa;
		  });
}
