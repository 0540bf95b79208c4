#!/bin/sh
# The table of steps in tests/README.md with the seconds of another run: sh .ci/table.sh
# [build-test/ci-times.txt]
set -eu
cd "$(dirname "$0")/.."
awk -F ' *[|] *' '
    NR == FNR { split($0, word, " "); seconds[word[1]] = word[2]; processor[word[1]] = word[3];
    next }
    /^[|] step / { inside = 1 }
    !/^[|]/ { inside = 0 }
    inside {
        name = $2
        gsub(/`/, "", name)
        if (name in seconds) {
            printf "| `%s` | %s | %s | %s |\n", name, seconds[name], processor[name], $5
            next
        }
        print
    }' "${1:-build-test/ci-times.txt}" tests/README.md
