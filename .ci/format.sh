#!/bin/sh
# One hand: says file:line where clang-format would change C, or where a line of ours has more than
# 100 columns.
#   sh .ci/format.sh        clang-format 14 (Debian 12); CLANG_FORMAT names another
set -eu
cd "$(dirname "$0")/.."
clang_format=${CLANG_FORMAT:-clang-format}
files=$(mktemp)
trap 'rm -f "$files" "$files.said"' EXIT
if ! git rev-parse >/dev/null 2>&1; then
    if [ -e .git ]; then
        echo "format: git does not read this checkout:"
        git rev-parse
    fi
    echo "format: no git checkout here, so nothing tells which files are ours"
    exit 0
fi
git ls-files -- ':!generated' ':!tests/hostile/corpus' ':!tests/reference/nets' >"$files"
status=0

grep '\.[ch]$' "$files" | xargs "$clang_format" --dry-run -Werror --style=file \
    >"$files.said" 2>&1 || {
    status=1
    grep ': error:' "$files.said" || cat "$files.said"
}

# Tables, pictures and code in Markdown may be wider; texts that tests compare with are what caec
# prints.
grep -E '\.(c|h|def|in|lua|sh|py|cmake|md)$|CMakeLists\.txt$|^\.ci/' "$files" | xargs awk '
    FNR == 1 { fence = 0 }
    FILENAME ~ /\.md$/ && /^ *```/ { fence = !fence }
    FILENAME ~ /\.md$/ && (fence || /^ *(\||!?\[|<)/ || /^    /) { next }
    length($0) > 100 { printf "%s:%d: %d columns\n", FILENAME, FNR, length($0); found = 1 }
    END { exit found }' || status=1
exit $status
