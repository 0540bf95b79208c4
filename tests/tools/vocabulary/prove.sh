#!/bin/sh
# prove.sh OLD_CAEC NEW_CAEC FOLDER [GRAPH...]: the C that both compilers emit differs in names and comments alone. Compiles all sources of the
# model to objects (runtime apart) by -O1 -g0, and compares code and data; symbols and names of files apart.
set -eu
old=$1; new=$2; work=$3; shift 3
root_old=$(dirname "$(dirname "$(dirname "$old")")"); root_new=$(dirname "$(dirname "$(dirname "$new")")")
export PYTHONDONTWRITEBYTECODE=1
for graph in ${@:-$(cd "$root_old/graphs" && ls *.lua)}; do
    name=$(basename "$graph" .lua)
    for target in native x86-64-v3 c; do
        for kind in program library stream; do
            rm -rf "$work"; mkdir -p "$work/old" "$work/new"
            case $kind in program) o= ;; library) o="--emit library" ;; stream) o="--emit library --stream" ;; esac
            [ $kind != program ] || o=--no-runtime
            a=0; "$old" "$root_old/graphs/$name.lua" --target $target $o -o "$work/old" >"$work/old.txt" 2>&1 || a=$?
            b=0; "$new" "$root_new/graphs/$name.lua" --target $target $o -o "$work/new" >"$work/new.txt" 2>&1 || b=$?
            if [ $a != 0 ] || [ $b != 0 ]; then
                if [ $a = $b ]; then echo "both refuse    $name $target $kind"; else echo "DIFFER         $name $target $kind: exit codes $a and $b"; fi
                continue
            fi
            python3 "$(dirname "$0")/prove.py" "$work" "$root_old" "$root_new" "$name $target $kind"
        done
    done
done
