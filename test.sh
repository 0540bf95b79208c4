#!/bin/sh
# Installs what is missing, builds, and runs the tests: sh test.sh [--verbose] [ctest options, for
# example -R errors] Prints a line a test program, and all that a failing one said; with --verbose
# what passing cases say too. The last line counts single test cases: N passed, N failed, N skipped.
# When interrupted it counts what has come to its end, and exits with 130 (SIGINT), 143 (SIGTERM) or
# 129 (SIGHUP). BUILD names the build folder (default build-test), so that a build of yours stays as
# it is.
set -eu
cd "$(dirname "$0")"
. cmake/packages.sh
. tests/tools/group.sh

verbose=
if [ "${1:-}" = --verbose ]; then
    verbose=--verbose
    shift
fi
build=${BUILD:-build-test}
results=$build/Testing/Temporary/LastTest.log
rm -f "$results" "$results".tmp*

# Sets passed, failed, skipped and programs from the results so far.
count() {
    set -- $(cat "$results" "$results".tmp* 2>/dev/null | awk -f tests/tools/cases.awk)
    passed=$1 failed=$2 skipped=$3 programs=$4
}
closing_line() { echo "$passed passed, $failed failed, $skipped skipped"; }
# Also while the output goes into a file.
exec 3>&1
interrupted() {
    count
    {
        echo
        echo "Interrupted by $1: what follows counts the $programs test programs that had come to \
their end."
        closing_line
    } >&3
}
group_watch interrupted

echo "Building and running the tests takes about 9 minutes on two cores (tests/README.md)."
need_packages $BUILD_PACKAGES $GRAPH_PACKAGES libcmocka-dev liblua5.4-dev

# With the same compiler on the other Lua, where there are two: both must write the same bytes.
build_all() {
    other_lua=
    group_run cmake -S . -B "$build" -G Ninja -DCAEC_TESTS=ON --log-level=WARNING || return 1
    grep -q '^LUAJIT_FOUND:INTERNAL=1' "$build/CMakeCache.txt" && other_lua=caec_lua5.4
    group_run cmake --build "$build" --target all $other_lua
}
mkdir -p "$build"
build_all >"$build/build.log" 2>&1 || {
    cat "$build/build.log"
    echo "The build failed: no test has run."
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}
if [ -x "$build/lua5.4/bin/caec" ]; then
    CAEC_OTHER=$(cd "$build" && pwd)/lua5.4/bin/caec
    export CAEC_OTHER
fi
if [ -z "${CAEC_SHARED:-}" ] && [ -d ../shared/dogs_raw ]; then
    CAEC_SHARED=$(cd ../shared && pwd)
    export CAEC_SHARED
fi

# Left to others, see tests/README.md; ctest's line at each program's start is left out.
others="bench|coverage|long|step"
status=0
CMOCKA_MESSAGE_OUTPUT=STDOUT
CTEST_STATUS=$build/ctest.status
: >"$CTEST_STATUS"
export CMOCKA_MESSAGE_OUTPUT CTEST_STATUS
if [ "$verbose" ]; then
    group_run ctest --test-dir "$build" -LE "$others" --verbose -j "$(nproc)" "$@" || status=$?
else
    group_run sh -c '{ "$@" || echo failed >"$CTEST_STATUS"; } 2>&1 \
        | grep --line-buffered -Ev "^ +Start +[0-9]+: |^Internal ctest"' sh \
        ctest --test-dir "$build" -LE "$others" --output-on-failure -j "$(nproc)" "$@" \
            || status=$?
    [ ! -s "$CTEST_STATUS" ] || status=1
fi
rm -f "$CTEST_STATUS"

count
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
fi
closing_line
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
