# group.sh - sourced by test.sh and .ci/run: what takes long runs in a process group of its own, so that whoever interrupts the script ends all of it.
#
#   group_run COMMAND...      runs it; its exit code
#   group_watch FUNCTION      from then on SIGHUP, SIGINT and SIGTERM end what group_run runs, call FUNCTION with the signal's name, and exit 129, 130 or 143

group=

# A background command of a shell ignores SIGINT; tests send it to programs of their own, so that is put right.
group_run() {
    group=new
    setsid env --default-signal=INT,QUIT "$@" </dev/null &
    group=$!
    group_code=0
    wait "$group" || group_code=$?
    group=
    return "$group_code"
}

# Whoever does not go within ten seconds is killed.
group_end() {
    [ "$group" = new ] && group=${!:-}
    [ -n "$group" ] || return 0
    kill -s "$1" -- "-$group" 2>/dev/null || true
    (sleep 10 && kill -s KILL -- "-$group") >/dev/null 2>&1 &
    group_watchdog=$!
    wait "$group" 2>/dev/null || true
    kill "$group_watchdog" 2>/dev/null || true
    if kill -s 0 -- "-$group" 2>/dev/null; then
        sleep 1
        kill -s KILL -- "-$group" 2>/dev/null || true
    fi
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
