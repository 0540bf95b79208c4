#!/bin/sh
# Runs a fuzzer over one reader: tests/hostile/run.sh NAME|all SECONDS [afl] [options of the fuzzer]
#   NAME      graph, safetensors, npy, image, checkpoint
#   afl       AFL++ instead of libFuzzer
# A find is kept in $BUILD/finds/NAME and ends the run; mend it, then add it to corpus/NAME, where
# ctest replays it for ever. BUILD names the build folder (default build-fuzz, with afl build-afl).
# SEED (default 1) makes a run of libFuzzer with the same number of -runs= the same again.
set -eu
cd "$(dirname "$0")/../.."
names=$1
seconds=$2
shift 2
engine=libfuzzer
if [ "${1:-}" = afl ]; then
    engine=afl
    shift
fi
[ "$names" = all ] && names="graph safetensors npy image checkpoint"
. cmake/packages.sh
need_packages $BUILD_PACKAGES libcmocka-dev clang libclang-rt-dev

# Both engines, both sanitizers: what is read wrongly ends the program at once.
if [ "$engine" = afl ]; then
    need_packages afl++
    BUILD=${BUILD:-build-afl}
    export AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1
    compiler=afl-clang-fast sanitize=
else
    BUILD=${BUILD:-build-fuzz}
    compiler=clang sanitize=fuzzer-no-link,address,undefined
fi
cmake -S . -B "$BUILD" -G Ninja -DCMAKE_C_COMPILER=$compiler -DCAEC_SANITIZE=$sanitize \
    -DCAEC_FUZZER=-fsanitize=fuzzer -DCAEC_STATIC=OFF \
    -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON --log-level=WARNING
for name in $names; do
    cmake --build "$BUILD" --target "fuzz_$name" >"$BUILD/fuzz_$name.log" 2>&1 \
        || { cat "$BUILD/fuzz_$name.log"; exit 1; }
done

# Memory is bounded as by a small machine, a single file to some seconds; leaks end a run of
# libFuzzer.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for name in $names; do
    finds=$BUILD/finds/$name
    mkdir -p "$finds"
    dictionary=tests/hostile/$name.dict
    [ -e "$dictionary" ] || dictionary=
    if [ "$name" = graph ]; then # and the words of the language, as caec lists them
        cmake --build "$BUILD" --target caec >"$BUILD/caec.log" 2>&1 \
            || { cat "$BUILD/caec.log"; exit 1; }
        { cat "$dictionary"; "$BUILD/bin/caec" --list ops | awk -f tests/hostile/words.awk; } \
            >"$BUILD/graph.dict"
        dictionary=$BUILD/graph.dict
    fi
    echo "$name: $engine, $seconds s"
    if [ "$engine" = afl ]; then
        AFL_BENCH_UNTIL_CRASH=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 \
            AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1 \
            ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 \
                UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:symbolize=0 \
            afl-fuzz -m none -t 20000 -V "$seconds" ${dictionary:+-x "$dictionary"} \
                -i "tests/hostile/corpus/$name" -o "$finds" "$@" \
            -- "$BUILD/tests/hostile/fuzz_$name" >"$finds/log" 2>&1 || { tail -n 20 "$finds/log";
            exit 1; }
        grep -E "^(execs_done|saved_crashes|saved_hangs|edges_found)" "$finds/default/fuzzer_stats"
        [ -z "$(ls "$finds/default/crashes" "$finds/default/hangs" 2>/dev/null | grep '^id')" ] \
            || { echo "found: $finds/default/crashes, hangs"; exit 1; }
    else
        mkdir -p "$BUILD/corpus/$name"
        "$BUILD/tests/hostile/fuzz_$name" -max_total_time="$seconds" -seed="${SEED:-1}" \
            -max_len=8192 -timeout=20 -rss_limit_mb=2048 \
            -malloc_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$finds/" \
                ${dictionary:+-dict="$dictionary"} "$@" \
            "$BUILD/corpus/$name" "tests/hostile/corpus/$name" >"$finds/log" 2>&1 \
                || { tail -n 60 "$finds/log"; exit 1; }
        grep -E "number_of_executed_units|peak_rss|DONE" "$finds/log"
    fi
done
