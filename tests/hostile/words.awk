# Of what `caec --list ops` prints the words of the graph language and their attributes, each once and
# in quotes, as dictionaries of fuzzers want them.
$1 ~ /^(layer|loss|optimizer|schedule)$/ {
    seen[$2]
    if (match($0, /{ .* }$/)) {
        count = split(substr($0, RSTART + 2, RLENGTH - 4), attribute, ", ")
        for (i = 1; i <= count; i++) {
            sub(/ =.*/, "", attribute[i])
            seen[attribute[i]]
        }
    }
}
END {
    for (word in seen)
        print "\"" word "\"" | "LC_ALL=C sort"
}
