#!/bin/sh
# Names what programs ask of libgomp and tests/threads/gomp.c does not give:
# tests/threads/missing.sh LIBRARY PROGRAM... Without it ThreadSanitizer would see races that are
# none, or miss real ones. Ends with 1 if there is any.
set -eu
library=$1
shift
given=$(nm -D --defined-only "$library" | awk '{ print $3 }')
status=0
for program in "$@"; do
    for name in $(nm -D --undefined-only "$program" | awk '{ sub(/@.*/, "", $2); print $2 }' \
        | grep -E '^(GOMP|omp)_' || true); do
        echo "$given" | grep -qx "$name" && continue
        echo "$program: $name is libgomp's own: write it in tests/threads/gomp.c" >&2
        status=1
    done
done
exit $status
