#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# The vectors: are the files what they should be, does the registry agree, and
# do the reference codec and the library give what they say; then both on
# random inputs (DIFF_FUZZ_COUNT, DIFF_FUZZ_SEED).
#
# Without a runner of the library (it needs jansson) the reference codec is
# tested alone.  With CI set nothing may be missing.
set -u
src=${top_srcdir:-.}
runner=${top_builddir:-.}/tests/vectors/run_vectors
python=${PYTHON3:-/usr/bin/python3}
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
failed=0

step() {
	echo "== $1"
	shift
	"$@" || failed=1
}

missing() {
	[ -z "${CI:-}" ] || failed=1
}

step 'files' "$python" "$src/tests/vectors/make_vectors" --check
step 'numbers' "$python" "$src/spec/check_registry"

echo '== schemas'
"$python" -W ignore "$src/tests/vectors/check_schema" "$src"/tests/vectors/*.json
case $? in
0) ;;
77) missing ;;
*) failed=1 ;;
esac

step 'reference codec' "$python" "$src/spec/refcodec/run_vectors.py" \
	"$src"/tests/vectors/*.json

if [ -x "$runner" ]; then
	step 'library' "$runner" "$src"/tests/vectors/*.json
	step 'both' "$python" "$src/spec/refcodec/diff_fuzz.py" \
		--count "${DIFF_FUZZ_COUNT:-20000}" \
		--seed "${DIFF_FUZZ_SEED:-1}" -- "$runner" --serve
else
	echo "vectors.sh: SKIPPED: no $runner, so the library was not tested" >&2
	missing
fi
exit "$failed"
