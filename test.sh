#!/bin/sh
# Installs what is missing, builds, and runs the tests. The last line counts single test cases: N passed, N failed, N skipped.
#   sh test.sh [ctest options, for example -R errors]
# BUILD names the build folder (default build-test), so that a build of yours stays as it is.
set -eu
cd "$(dirname "$0")"
. cmake/packages.sh
need_packages $BUILD_PACKAGES $GRAPH_PACKAGES libcmocka-dev liblua5.4-dev

build=${BUILD:-build-test}
cmake -S . -B "$build" -G Ninja -DCAEC_TESTS=ON --log-level=WARNING
cmake --build "$build"

# The same compiler on the other Lua: both must write the same bytes.
cmake -S . -B "$build/lua5.4" -G Ninja -DCAEC_LUA=lua5.4 -DCAEC_TESTS=OFF --log-level=WARNING
cmake --build "$build/lua5.4" --target caec
CAEC_OTHER=$PWD/$build/lua5.4/bin/caec
export CAEC_OTHER
if [ -z "${CAEC_SHARED:-}" ] && [ -d ../shared/dogs_raw ]; then
    CAEC_SHARED=$(cd ../shared && pwd)
    export CAEC_SHARED
fi

log=$build/test.log
status=0
CMOCKA_MESSAGE_OUTPUT=STDOUT ctest --test-dir "$build" -LE "bench|coverage" --verbose --output-log "$log" -j "$(nproc)" "$@" || status=$?

passed=$(grep -c '\[       OK \]' "$log" || true)
# A case that did not pass is named twice: where it ran and in its program's list.
failed=$(grep '\[  FAILED  \] [^0-9]' "$log" | sort -u | wc -l)
skipped=$(grep '\[  SKIPPED \] [^0-9]' "$log" | sort -u | wc -l)
# A program that died says nothing more: ctest's own verdict counts then.
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
