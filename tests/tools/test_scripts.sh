#!/bin/sh
# What test.sh counts, what it leaves when it is interrupted, what figures.py counts and what
# bits.py sees. Says what came out as CMocka does.
set -u
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

want() {        # NAME WANTED GOT
    echo "[ RUN      ] $1"
    if [ "$2" = "$3" ]; then
        echo "[       OK ] $1"
    else
        echo "wanted \"$2\", got \"$3\""
        echo "[  FAILED  ] $1"
        failed=$((failed + 1))
    fi
}

# Two programs with a failing case of the same name, one that dies, one with a case skipped and
# named twice.
cat >"$work/log" <<'END'
1/4 Testing: ops_a_float
[       OK ] first
[  FAILED  ] same
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] same
Test Failed.
2/4 Testing: ops_a_double
[       OK ] first
[  FAILED  ] same
[  FAILED  ] same
Test Failed.
3/4 Testing: died
[       OK ] first
[ RUN      ] second
Test Failed.
4/4 Testing: skips
[  SKIPPED ] third
[  SKIPPED ] third
Test Passed.
END
want "cases are counted a program" "3 3 1 4" "$(awk -f cases.awk "$work/log")"
want "no results are no cases" "0 0 0 0" "$(awk -f cases.awk /dev/null)"

# A script that is interrupted ends what it runs, and what that runs, and tells.
cat >"$work/script" <<'END'
. ./group.sh
told() { echo "told $1"; }
group_watch told
group_run sh -c 'env --default-signal=INT sleep 345 & echo $! >"$0"; wait' "$1"
END
for pair in "INT 130" "TERM 143" "HUP 129"; do
    signal=${pair% *}
    rm -f "$work/child"
    env --default-signal=INT sh "$work/script" "$work/child" >"$work/said" 2>&1 &
    script=$!
    until [ -s "$work/child" ]; do sleep 0.05; done
    kill -s "$signal" "$script"
    status=0
    wait "$script" || status=$?
    gone=left
    kill -s 0 "$(cat "$work/child")" 2>/dev/null || gone=gone
    want "interrupted by SIG$signal" "${pair#* } told SIG$signal gone" \
        "$status $(cat "$work/said") $gone"
done

# Where nobody interrupts, the exit code is the command's, and it may be interrupted by SIGINT
# itself.
cat >"$work/script" <<'END'
. ./group.sh
group_run sh -c 'exit 7' || echo "$?"
group_run sh -c 'kill -s INT $$' || echo "$?"
END
want "exit codes" "7 130" "$(sh "$work/script" | tr '\n' ' ' | sed 's/ $//')"

# Files of known size: what looks like code, but is none, and functions of 0, 1, 3 and 41 lines of
# 0, 1, 2 and 9 parameters.
mkdir "$work/small"
cat >"$work/small/a.c" <<'END'
#define OPEN {      /* no code, a comment
                       of two lines */
static const char *text = "/* } { */ (";        // one
static const char bracket = '{';
static struct { int a; } list[] = { { 1 } };
static void none(void) {}

int one(int (*f)(int, int))
{
    return f(1, 2);
}

static void three(int a, const char *b)
{
    if (a) {
        /* here too */
    }
}
END
{
    echo "long nine(int a, int b, int c, int d, int e, int f, int g, int h, int i)"
    echo "{"
    for line in $(seq 40); do echo "    a += $line;"; done
    printf '    return a; %90s\n' "/* wide */"
    echo "}"
} >"$work/small/b.c"
echo "static inline int not_counted(void) { return 1; }" >"$work/small/c.h"
if command -v python3 >/dev/null; then
    want "figures of a folder" "3 / 63 | 31 / 44 | 4 | 2 / 41 / 41 | 1 | 9 / 9 | 7.9 % | 1.6 %" \
        "$(python3 figures.py "$work/small" | sed -n 's/ |$//; 3s/^| [^|]* | //p')"
    want "what is over" "b.c: 44 lines, b.c:1: nine: 41 lines, b.c:1: nine: 9 parameters" \
        "$(python3 figures.py --over "$work/small" | sed "1,4d; s|$work/small/||" | paste -sd, \
            | sed 's/,/, /g')"
else
    echo "[  SKIPPED ] figures of a folder (no python3)"
fi

# Of checkpoints, bits.py tells those whose tensors differ, the optimizer's too; what is written
# beside the tensors may.
kept() {        # FOLDER STEP MOMENT
    mkdir "$work/$1"
    python3 -B - "$work/$1" "$2" "$3" <<'END'
import json, pathlib, struct, sys
import bits
folder, step, moment = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
def tensor(begin):
    return {"dtype": "F32", "shape": [1], "data_offsets": [begin, begin + 4]}
header = json.dumps({"__metadata__": {"step": step}, "a": tensor(0), "optimizer.m/a": tensor(4)})
file = folder.parent / "checkpoint"
file.write_bytes(struct.pack("<Q", len(header)) + header.encode() + struct.pack("<ff", 1, moment))
bits.digests_write(folder / "net-c-float", bits.tensor_digests(file))
END
}
compared() {    # BEFORE AFTER: the exit code, and the first two words of each line
    status=0
    python3 -B bits.py compare "$work/$1" "$work/$2" >"$work/said" || status=$?
    echo "$status" $(cut -d ' ' -f 1,2 "$work/said")
}
if command -v python3 >/dev/null; then
    kept before 1 0.5
    kept later 2 0.5
    kept moved 1 0.50000006
    mkdir "$work/empty"
    want "bits that are equal" "0 0 of" "$(compared before later)"
    want "a bit that moved" "1 net-c-float: optimizer.m/a: 1 of" "$(compared before moved)"
    want "bits that are gone" "1 net-c-float: in 0 of" "$(compared before empty)"
else
    echo "[  SKIPPED ] bits: there is no python3"
fi
[ "$failed" = 0 ]
