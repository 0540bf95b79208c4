#!/bin/sh
# Random graphs, many at once: each number of a seed is a graph of its own.
#
#   tests/fuzz/run.sh --count 2000 --seed 7              legal ones: compiled, run, differentiated
#   tests/fuzz/run.sh --illegal --count 300              illegal ones: refused
#   tests/fuzz/run.sh --legal --seed 7 --first 31 --count 1      one of them again
#
# --jobs N at once (default: one a core); --build DIR holds the tests' programs (default:
# build-test, or build); without --seed, one is drawn and printed. Every failure is shown with its
# graph and what to type to see it again; the exit code is 1 where there was one.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
what=legal count=200 first=0 jobs=$(nproc) build='' seed=''
while [ $# -gt 0 ]; do
    case $1 in
    --legal | --illegal) what=${1#--}; shift ;;
    --count | --seed | --first | --jobs | --build)
        [ $# -ge 2 ] || { echo "run.sh: $1 wants a value" >&2; exit 2; }
        case $1 in
        --count) count=$2 ;; --seed) seed=$2 ;; --first) first=$2 ;; --jobs) jobs=$2 ;; --build) \
            build=$2 ;;
        esac
        shift 2 ;;
    *) sed -n 's/^# \{0,1\}//; 2,10p' "$0" >&2; exit 2 ;;
    esac
done
if [ -z "$build" ]; then
    build=$root/build-test
    [ -d "$build" ] || build=$root/build
fi
program=$build/tests/fuzz_$what
[ -x "$program" ] || { echo \
    "run.sh: there is no $program; build the tests first, or name their folder with --build" >&2;
exit 2; }
[ -n "$seed" ] || seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
[ "$jobs" -le "$count" ] || jobs=$count

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
echo "$count $what graphs of seed $seed, from number $first, $jobs at once"
job=0
while [ "$job" -lt "$jobs" ]; do
    from=$((count * job / jobs)) to=$((count * (job + 1) / jobs))
    FUZZ_SEED=$seed FUZZ_FIRST=$((first + from)) FUZZ_COUNT=$((to - from)) "$program" \
        >"$logs/$job" 2>&1 || echo "$job" >>"$logs/failed" &
    job=$((job + 1))
done
wait

# All but the lines of what passed.
cat "$logs"/[0-9]* | grep -av -e '^\[ RUN' -e '^\[       OK' -e '^\[==' -e '^\[  PASSED' || true
passed=$(cat "$logs"/[0-9]* | grep -ac "^\[       OK \] $what" || true)
echo "$passed of $count $what graphs of seed $seed passed"
[ ! -e "$logs/failed" ] && [ "$passed" = "$count" ]
