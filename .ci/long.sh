#!/bin/sh
# The long checks: compiler, runtime and emitted C under sanitizers, random graphs, other processors, the specimen alone, the install tree.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s\n' "$*"; }

step "compiler, runtime and tests under AddressSanitizer and UndefinedBehaviorSanitizer"
BUILD=build-sanitize
cmake -S . -B "$BUILD" -G Ninja -DCAEC_SANITIZE=address,undefined --log-level=WARNING
cmake --build "$BUILD"
ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 ctest --test-dir "$BUILD" -LE 'bench|slow' --output-on-failure -j "$(nproc)"

step "training and inference of the emitted C under the same sanitizers"
run="$work/run"
UBSAN_OPTIONS=halt_on_error=1 "$BUILD/bin/cae-train" --out "$run" --batch 4 --steps 2 --epochs 1 --threads 2
UBSAN_OPTIONS=halt_on_error=1 "$BUILD/bin/cae-infer" --weights "$run/last.safetensors" bench --json >/dev/null

step "a trainer killed 200 times goes on each time, to the bits of one that was left alone"
CMOCKA_MESSAGE_OUTPUT=STDOUT FORCE_KILLS=200 OMP_WAIT_POLICY=passive build-test/tests/force/force_kill

step "the same bits by gcc and clang, for AVX2 and AVX-512"
CMOCKA_MESSAGE_OUTPUT=STDOUT FORCE_ALL=1 OMP_WAIT_POLICY=passive build-test/tests/force/force_bits

step "random graphs: legal ones compiled and differentiated, illegal ones refused"
CAEC_OTHER=$root/build-test/lua5.4/bin/caec
export CAEC_OTHER
sh tests/fuzz/run.sh --legal --build build-test --count 200
sh tests/fuzz/run.sh --illegal --build build-test --count 300

step "a program for more than its processor says so and stops"
. cmake/packages.sh
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
