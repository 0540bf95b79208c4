# steps.sh - sourced by .ci/long.sh: the long checks, each a function step_<name> that needs nothing
# of another. What each would catch stands in tests/README.md. Given: $work, a folder of the step's
# own; build-test, built by test.sh.

# Those that take longest come first, so that the cores end at about the same time.
STEPS="sanitize thread targets bits hostile places tidy_runtime tidy_compiler fuzz valgrind kills \
specimen cppcheck v4 install format"

export CMOCKA_MESSAGE_OUTPUT=STDOUT

# Configures and builds: built SOURCE BUILD [OPTION...]. Says nothing where it goes well.
built() {
    source=$1 build=$2
    shift 2
    {
        cmake -S "$source" -B "$build" -G Ninja --log-level=WARNING "$@" &&
            cmake --build "$build"
    } >"$work/build.log" 2>&1 || {
        cat "$work/build.log"
        return 1
    }
}

sanitized_tests() {
    built . "$1" -DCAEC_SANITIZE="$2"
    ctest --test-dir "$1" --no-tests=error -LE "bench|coverage|long" --output-on-failure
}

# Trains and infers: trained FOLDER THREADS.
trained() {
    "$1/tests/whole/bin/small-train" --out "$work/run" --batch 4 --steps 8 --epochs 1 --threads "$2"
    "$1/tests/whole/bin/small-infer" --weights "$work/run/last.safetensors" bench --threads "$2" \
        --json >/dev/null
}

# caec keeps what it has until it ends; in its programs leaks are looked for.
step_sanitize() {
    export UBSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_leaks=0 FORCE_KILLS=5
    sanitized_tests build-sanitize address,undefined
    unset ASAN_OPTIONS
    trained build-sanitize 2
}

step_thread() {
    export TSAN_OPTIONS=halt_on_error=1 FORCE_KILLS=3
    sanitized_tests build-thread thread
    trained build-thread 3
    sh tests/threads/missing.sh build-thread/libcaec_threads.so build-thread/tests/runtime_* \
        build-thread/tests/whole/bin/*
}

step_places() {
    FORCE_ALL=1 OMP_WAIT_POLICY=passive build-test/tests/force/force_places
    FORCE_ALL=1 build-test/tests/force/force_folder
}

step_bits() { FORCE_ALL=1 OMP_WAIT_POLICY=passive build-test/tests/force/force_bits; }

step_kills() {
    FORCE_SEED=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
    export FORCE_SEED
    FORCE_KILLS=200 OMP_WAIT_POLICY=passive build-test/tests/force/force_kill
}

step_fuzz() {
    CAEC_OTHER=$PWD/build-test/lua5.4/bin/caec
    [ -x "$CAEC_OTHER" ] && export CAEC_OTHER
    sh tests/fuzz/run.sh --legal --build build-test --jobs 1 --count 40
    CAEC_OPTIMIZE=-O3 sh tests/fuzz/run.sh --legal --build build-test --jobs 1 --count 15
    sh tests/fuzz/run.sh --illegal --build build-test --jobs 1 --count 100
}

# A fixed number of runs would not end in a fixed time: the seed is fixed, the number is not.
step_hostile() { sh tests/hostile/run.sh all 15; }

# valgrind does not know what LuaJIT writes for itself.
step_valgrind() {
    caec=build-test/lua5.4/bin/caec
    [ -x "$caec" ] || caec=build-test/bin/caec
    for graph in graphs/*.lua; do
        valgrind -q --error-exitcode=99 "$caec" "$graph" --summary --memory >/dev/null
    done
    valgrind -q --error-exitcode=99 "$caec" graphs/cae.lua -o "$work/valgrind"
}

# Looked at by clang-tidy: tidied FILES. The analyzer leaves a function after as many states as it
# looks at in its own shallow mode, a third of the default: beyond them are orders of the branches
# that it has followed before, and they take most of the time.
tidied() {
    cmake -S . -B "$work/tidy" -G Ninja -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCAEC_TESTS=OFF \
        --log-level=WARNING >/dev/null
    cmake --build "$work/tidy" --target compiler/embedded_files.c >/dev/null
    clang-tidy -p "$work/tidy" --quiet --extra-arg=-Xclang --extra-arg=-analyzer-config \
        --extra-arg=-Xclang --extra-arg=max-nodes=75000 "$@"
}

step_tidy_compiler() { tidied compiler/*.c $(find compiler -mindepth 2 -name '*.c'); }

step_tidy_runtime() { tidied runtime/*.c runtime/*/*.c; }

step_format() { sh .ci/format.sh; }

# By -j 2 it looks at each file by itself; across files it takes what an error message prints for
# unset.
step_cppcheck() {
    cppcheck -j 2 --error-exitcode=1 --enable=warning,performance,portability --std=c11 --quiet \
        --template='{file}:{line}: {id}: {message}' --library=tests/tools/cppcheck.cfg \
        --suppressions-list=tests/tools/cppcheck.txt -Icompiler -Iruntime -DCAEC_REAL=float \
            compiler runtime
}

# A program for more than its processor says so and stops.
step_v4() {
    if [ "$(uname -m)" != x86_64 ]; then
        echo "not on this machine: $(uname -m)"
        return 0
    fi
    build-test/bin/caec tests/whole/other.lua --no-runtime --target x86-64-v4 -o "$work"
    built "$work/other" "$work/build" -DCAEC_RUNTIME="$PWD/runtime" \
        -DCAEC_RUNTIME_LIBRARY="$PWD/build-test/lib/libcaec_runtime_float.a"
    for program in other-train other-infer; do
        status=0
        qemu-x86_64 -cpu Haswell "$work/build/$program" summary >"$work/said" 2>&1 || status=$?
        cat "$work/said"
        [ "$status" = 1 ]
        grep -q "x86-64-v4" "$work/said"
    done
}

step_targets() { sh .ci/targets.sh build-test; }

# The committed specimen, alone and without Lua.
step_specimen() {
    if [ "$(uname -m)" != x86_64 ]; then
        echo "not on this machine: $(uname -m)"
        return 0
    fi
    built generated/x86-64-v3/cae "$work/build"
    "$work/build/cae-train" summary >"$work/said"
    tail -n 1 "$work/said"
}

# An installed caec builds a project of its own.
step_install() {
    cmake --install build-test --prefix "$work/prefix" >/dev/null
    mkdir "$work/project"
    cp tests/whole/other.lua "$work/project/"
    cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(caec REQUIRED)
caec_add_model(other ${CMAKE_CURRENT_SOURCE_DIR}/other.lua ALL OPTIONS --target x86-64-v2)
END
    built "$work/project" "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix"
    "$work/build/bin/other-infer" summary >"$work/said"
    tail -n 1 "$work/said"
}
