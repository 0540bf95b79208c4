#!/bin/sh
# Which lines and branches of compiler/ and runtime/ the test suite runs: sh tests/coverage.sh
# [ctest options] Prints a row a file with the lines that no test reached, and the sum; fails below
# 90 % of lines. It builds in BUILD (build-coverage) and takes a whole run of the tests. `ctest -L
# coverage` does the same, in the folder coverage of its build. What stays open, and why: memory
# that runs out, files that fail between two calls, and bug() (nothing forces them at every place;
# tests/force does at most); rows that bench prints for people (label bench); what another
# processor, another Lua or the library of a foreign target would take.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh
need_packages $BUILD_PACKAGES $GRAPH_PACKAGES libcmocka-dev liblua5.4-dev gcovr

BUILD=${BUILD:-build-coverage}
cmake -S . -B "$BUILD" -G Ninja -DCAEC_COVERAGE=ON --log-level=WARNING
cmake --build "$BUILD"
find "$BUILD" -name '*.gcda' -exec rm {} +
# A test that fails under coverage is worth a look, but its lines have run.
ctest --test-dir "$BUILD" -LE "bench|coverage|long" -j "$(nproc)" "$@" || echo "some tests failed"
gcovr --root . --object-directory "$BUILD" --filter '.*/?compiler/.*\.c$' \
    --filter '.*/?runtime/.*\.c$' --exclude "$BUILD" --exclude generated --exclude tests \
    --gcov-ignore-parse-errors --txt "$BUILD/coverage.txt" --json-summary "$BUILD/coverage.json" \
        --print-summary \
    --fail-under-line 90 "$BUILD" || status=$?
cat "$BUILD/coverage.txt"
exit "${status:-0}"
