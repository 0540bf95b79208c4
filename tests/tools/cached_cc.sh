#!/bin/sh
# The C compiler by way of ccache, also where one command compiles several sources and links them,
# which ccache alone passes on: each source by itself, then the objects. Tests compile the same
# emitted text in each of their builds (plain, AddressSanitizer, ThreadSanitizer); with this as
# CAEC_CC they do so once.
set -eu
export CCACHE_NOHASHDIR=1       # folders are temporary, and nobody debugs there
sources=0 output=a.out expects=
for word in "$@"; do
    case $expects$word in
    -c | -E | -S) exec ccache cc "$@" ;;
    -o) expects=output ;;
    output*) output=$word expects= ;;
    *.c) sources=$((sources + 1)) ;;
    esac
done
[ "$sources" -gt 0 ] || exec cc "$@"

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
compile() {
    source=$1 object=$2
    shift 2
    for word in "$@"; do
        shift
        case $word in
        *.c | *.a | *.o | *.so | -l* | -Wl,* | -o | "$output") ;;
        *) set -- "$@" "$word" ;;
        esac
    done
    ccache cc "$@" -c "$source" -o "$object"
}
for word in "$@"; do
    case $word in
    *.c)
        number=$((number + 1))
        compile "$word" "$objects/$number.o" "$@"
        ;;
    esac
done
number=0
for word in "$@"; do
    shift
    case $word in
    *.c)
        number=$((number + 1))
        word=$objects/$number.o
        ;;
    esac
    set -- "$@" "$word"
done
cc "$@"
