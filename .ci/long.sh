#!/bin/sh
# The long checks: compiler, runtime and emitted C under sanitizers and valgrind, random graphs, hostile files, what clang-tidy and cppcheck say, other
# processors, the specimen alone, the install tree.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. cmake/packages.sh

begin=$(date +%s)
step() { printf '\n== %s (%d s from the start)\n' "$*" $(($(date +%s) - begin)); }

step "compiler, runtime and tests under AddressSanitizer and UndefinedBehaviorSanitizer"
BUILD=build-sanitize
cmake -S . -B "$BUILD" -G Ninja -DCAEC_SANITIZE=address,undefined --log-level=WARNING
cmake --build "$BUILD"
ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 ctest --test-dir "$BUILD" -LE "bench|coverage" --output-on-failure -j "$(nproc)"

step "training and inference of the emitted C under the same sanitizers"
run="$work/run"
UBSAN_OPTIONS=halt_on_error=1 "$BUILD/bin/cae-train" --out "$run" --batch 4 --steps 2 --epochs 1 --threads 2
UBSAN_OPTIONS=halt_on_error=1 "$BUILD/bin/cae-infer" --weights "$run/last.safetensors" bench --json >/dev/null

step "the same tests, compiler and runtime under ThreadSanitizer"
BUILD=build-thread
cmake -S . -B "$BUILD" -G Ninja -DCAEC_SANITIZE=thread --log-level=WARNING
cmake --build "$BUILD"
sh tests/threads/missing.sh "$BUILD/libcaec_threads.so" "$BUILD"/bin/*-* "$BUILD"/tests/runtime_* "$BUILD"/tests/whole/bin/*
TSAN_OPTIONS=halt_on_error=1 OMP_WAIT_POLICY=passive ctest --test-dir "$BUILD" -LE "bench|coverage" --output-on-failure -j "$(nproc)"

step "training and inference of the emitted C under the same sanitizer"
TSAN_OPTIONS=halt_on_error=1 "$BUILD/tests/whole/bin/small-train" --out "$work/threads" --batch 4 --steps 8 --epochs 1 --threads 3
TSAN_OPTIONS=halt_on_error=1 "$BUILD/tests/whole/bin/small-infer" --weights "$work/threads/last.safetensors" bench --threads 3 --json >/dev/null

step "a trainer killed 200 times goes on each time, to the bits of one that was left alone"
CMOCKA_MESSAGE_OUTPUT=STDOUT FORCE_KILLS=200 OMP_WAIT_POLICY=passive build-test/tests/force/force_kill

step "a trainer disturbed at every place where it touches a file or asks for memory"
CMOCKA_MESSAGE_OUTPUT=STDOUT FORCE_ALL=1 OMP_WAIT_POLICY=passive build-test/tests/force/force_places

step "the same bits by gcc and clang, for AVX2 and AVX-512"
need_packages clang libomp-dev
CMOCKA_MESSAGE_OUTPUT=STDOUT FORCE_ALL=1 OMP_WAIT_POLICY=passive build-test/tests/force/force_bits

step "random graphs: legal ones compiled and differentiated, illegal ones refused"
CAEC_OTHER=$root/build-test/lua5.4/bin/caec
export CAEC_OTHER
sh tests/fuzz/run.sh --legal --build build-test --count 200
CAEC_OPTIMIZE=-O3 sh tests/fuzz/run.sh --legal --build build-test --count 40
sh tests/fuzz/run.sh --illegal --build build-test --count 300

step "hostile files: twenty seconds of libFuzzer for each reader"
# A seed of its own and a fixed number of runs would not end in a fixed time: the seed is fixed, the number is not.
sh tests/hostile/run.sh all 20

step "caec on every graph under valgrind"
need_packages valgrind
for graph in graphs/*.lua; do
    valgrind -q --error-exitcode=99 build-test/lua5.4/bin/caec "$graph" --summary --memory >/dev/null
done
valgrind -q --error-exitcode=99 build-test/lua5.4/bin/caec graphs/cae.lua -o "$work/valgrind"

step "clang-tidy and cppcheck"
need_packages clang clang-tidy cppcheck
cmake -S . -B build-test -DCMAKE_EXPORT_COMPILE_COMMANDS=ON --log-level=WARNING >/dev/null
ls compiler/*.c compiler/*/*.c runtime/*.c runtime/*/*.c | xargs -P "$(nproc)" -n 8 clang-tidy -p build-test --quiet >"$work/tidy" 2>/dev/null ||
    { cat "$work/tidy"; exit 1; }
cppcheck --error-exitcode=1 --enable=warning,performance,portability --std=c11 --quiet -j "$(nproc)" --template='{file}:{line}: {id}: {message}' \
    --library=tests/tools/cppcheck.cfg --suppressions-list=tests/tools/cppcheck.txt -Icompiler -Iruntime -DCAEC_REAL=float compiler runtime

step "a program for more than its processor says so and stops"
if [ "$(uname -m)" = x86_64 ]; then
    need_packages qemu-user
    build-test/bin/caec graphs/cae.lua --target x86-64-v4 -o "$work/v4"
    cmake -S "$work/v4/cae" -B "$work/v4/build" -G Ninja --log-level=WARNING
    cmake --build "$work/v4/build"
    for program in cae-train cae-infer; do
        status=0
        qemu-x86_64 -cpu Haswell "$work/v4/build/$program" summary >"$work/said" 2>&1 || status=$?
        [ "$status" = 1 ] && grep -q "x86-64-v4" "$work/said"
    done
    grep -h "x86-64-v4" "$work/said"
fi

step "libraries for other processors, under emulators"
sh .ci/targets.sh build-test

step "the committed specimen builds alone, without Lua"
cmake -S generated/x86-64-v3/cae -B "$work/specimen" -G Ninja --log-level=WARNING
cmake --build "$work/specimen"
"$work/specimen/cae-train" summary | tail -n 1

step "an installed caec builds a project of its own"
cmake --install build-test --prefix "$work/prefix" >/dev/null
mkdir "$work/project"
cp graphs/cae.lua "$work/project/"
cat >"$work/project/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(caec REQUIRED)
caec_add_model(cae ${CMAKE_CURRENT_SOURCE_DIR}/cae.lua ALL OPTIONS --target x86-64-v2)
EOF
cmake -S "$work/project" -B "$work/project/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" --log-level=WARNING
cmake --build "$work/project/build"
"$work/project/build/bin/cae-infer" summary | tail -n 1
cd "$root"
echo "long checks passed"
