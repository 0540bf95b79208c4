#!/bin/sh
# The long checks: sh .ci/long.sh [STEP...], all of .ci/steps.sh where none is named. One more at
# once than there are cores, as threads of tests wait for each other; what a step says is printed
# whole at its end. Seconds go to $TIMES
# (build-test/ci-times.txt), a line a step: its name, seconds, seconds of processor.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh
. .ci/steps.sh
. tests/tools/group.sh

# One step, and nothing else: sh .ci/long.sh --step NAME
if [ "${1:-}" = --step ]; then
    name=$2 work=$(mktemp -d) begin=$(date +%s)
    trap 'rm -rf "$work"' EXIT
    export CMAKE_BUILD_PARALLEL_LEVEL=1
    set +e
    (
        set -e
        "step_$name"
    ) >"$LOGS/$name" 2>&1
    status=$?
    set -e
    seconds=$(($(date +%s) - begin))
    processor_seconds "$work/seconds"
    processor=$(cat "$work/seconds")
    exec 9>"$LOGS/lock"
    flock 9
    echo "$name $seconds $processor" >>"$TIMES"
    [ "$status" = 0 ] && verdict=passed || verdict="FAILED ($status)"
    printf '\n== %s: %s after %d s (%d s of processor)\n' "$name" "$verdict" "$seconds" "$processor"
    cat "$LOGS/$name"
    [ "$status" = 0 ] || exit 1 # 255 would end xargs
    exit 0
fi

need_packages $BUILD_PACKAGES $GRAPH_PACKAGES $CHECK_PACKAGES libcmocka-dev liblua5.4-dev
LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
trap 'exit 130' INT
trap 'echo "Stopped; what the steps had said:"; tail -n 3 "$LOGS"/* 2>/dev/null; exit 143' TERM
: "${TIMES:=build-test/ci-times.txt}"
export LOGS TIMES
printf '%s\n' ${*:-$STEPS} | xargs -P "$(($(nproc) + 1))" -n 1 sh .ci/long.sh --step || {
    echo "A long check failed: see above."
    exit 1
}
echo "long checks passed"
