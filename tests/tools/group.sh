# group.sh - sourced by test.sh, .ci/run and .ci/long.sh: what takes long runs in a process group of
# its own, so that whoever interrupts the script ends all of it.
#
#   group_run COMMAND...      runs it; its exit code
#   group_watch FUNCTION      from then on SIGHUP, SIGINT and SIGTERM end what group_run runs, call
#                             FUNCTION with the signal's name, and exit 129, 130 or 143

#   processor_seconds FILE    whole seconds of processor that all it has waited for took, to FILE

group=

# A background command of a shell ignores SIGINT; tests send it to programs of their own, so that is
# put right.
group_run() {
    group=new
    setsid env --default-signal=INT,QUIT "$@" </dev/null 3>&- &
    group=$!
    group_code=0
    wait "$group" || group_code=$?
    group=
    return "$group_code"
}

# Whoever has not gone after ten seconds is killed.
group_end() {
    [ "$group" = new ] && group=${!:-}
    [ -n "$group" ] || return 0
    kill -s "$1" -- "-$group" 2>/dev/null || true
    tenths=0
    while [ "$tenths" -lt 100 ] && kill -s 0 -- "-$group" 2>/dev/null; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -s KILL -- "-$group" 2>/dev/null || true
}

group_stop() {
    trap '' HUP INT TERM
    group_end "$1"
    "$group_told" "SIG$1" || true
    exit "$2"
}

group_watch() {
    group_told=$1
    trap 'group_stop HUP 129' HUP
    trap 'group_stop INT 130' INT
    trap 'group_stop TERM 143' TERM
}

# The shell's own `times`, whose second line is about its children; a pipe would ask a shell that
# has none.
processor_seconds() {
    times >"$1.times"
    awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, part, /[ms]/);
    sum += part[1] * 60 + part[2] } }
         END { printf "%.0f\n", sum }' "$1.times" >"$1"
    rm -f "$1.times"
}
