# warder-env.sh: for tests that are shell scripts and need a supervisor; source it first.
#
#     . "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
#     need_jails                      # skips all where the machine has none, with the missing thing
#     plan 3                          # or done_testing at the end
#     expect 0 "true runs" warder run -- true
#     has "$out" hello "it greets"
#     nothing_left "after the first run"
#
# Each test has an instance of its own, so a directory, groups and a state of its own; a trap ends what is
# left of it and removes its state. Nothing here kills by name: only this instance's warderd, by its id.

set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}

WARDER_INSTANCE=${WARDER_INSTANCE:-t$$-$(basename "$0" .t | tr -cd 'a-z0-9' | cut -c1-12)}
WARDER_LIBEXEC=$top_builddir
WARDER_DATA=$top_srcdir/agent
WARDER_POLICIES=$top_srcdir/policies
WARDER_STATE=/var/lib/warder/$WARDER_INSTANCE
export WARDER_INSTANCE WARDER_LIBEXEC WARDER_DATA WARDER_POLICIES WARDER_STATE
unset WARDER_SOCKET WARDER_POLICY WARDER_SNAPSHOT WARDER_MODELS SUDO_UID SUDO_GID
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL # of the make that runs the tests

scratch=$(mktemp -d "${TMPDIR:-/tmp}/warder-test-XXXXXX")
chmod 755 "$scratch"
WARDER_CONFIG=$scratch/etc # what would be /etc/warder: missing, unless a test makes it
WARDER_LOG=$scratch/warderd.log
export WARDER_LOG WARDER_CONFIG
PATH=$top_builddir/cli:$PATH
export PATH

patience=${WARDER_TEST_PATIENCE:-60} # seconds, as in tests/rpc/front_lib.py
tests_run=0
tests_failed=0
tests_planned=

# The ids of this instance's warderd, one a line
supervisor_pids() {
        pgrep -f -x -- ".*/warderd --private --instance $WARDER_INSTANCE .*" || :
}

# Wait until the supervisor has ended by itself: it holds a lock on its state as long as it lives
supervisor_ended() {
        [ ! -d "$WARDER_STATE" ] || flock -w "${1:-$patience}" "$WARDER_STATE" true
}

# The id of this instance's front
front_pid() {
        for pid in $(supervisor_pids); do pgrep -P "$pid" -x warder-front; done | head -n1
}

# The ids of its agents, one a line: by their groups, since they are children of their jail's init
agents() {
        for pid in $(pgrep -f -x warder-agent); do
                grep -q "warder-$WARDER_INSTANCE" "/proc/$pid/cgroup" 2>/dev/null && echo "$pid"
        done
}

# eventually COMMAND…: is it so in good time, for what takes its own
eventually() {
        tries=0
        until "$@"; do
                [ "$tries" -lt $((patience * 10)) ] || return 1
                tries=$((tries + 1))
                sleep 0.1
        done
}

# Groups, run directory and processes that bear the name of this instance, one a line
leftovers() {
        find /sys/fs/cgroup -maxdepth 3 -type d -name "warder-$WARDER_INSTANCE*" 2>/dev/null
        [ ! -e "/run/warder/$WARDER_INSTANCE" ] || echo "/run/warder/$WARDER_INSTANCE"
        supervisor_pids | sed 's/^/process /'
        grep -F -- "/$WARDER_INSTANCE" /proc/self/mountinfo || :
}

clean_up() {
        status=$?
        trap - EXIT
        for pid in $(supervisor_pids); do kill -TERM "$pid" 2>/dev/null; done
        supervisor_ended 10 || for pid in $(supervisor_pids); do kill -KILL "$pid"; done
        if [ "$tests_failed" -gt 0 ] && [ -s "$WARDER_LOG" ]; then
                sed 's/^/# /' "$WARDER_LOG" | tail -n 20
        fi
        rm -rf "$scratch" "$WARDER_STATE"
        exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

skip_all() {
        echo "1..0 # SKIP $*"
        exit 0
}

plan() {
        tests_planned=$1
        echo "1..$1"
}

done_testing() {
        [ -n "$tests_planned" ] || echo "1..$tests_run"
        [ "$tests_failed" -eq 0 ] || exit 1
}

ok() { # ok STATUS NAME
        tests_run=$((tests_run + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $tests_run - $2"
        else
                tests_failed=$((tests_failed + 1))
                echo "not ok $tests_run - $2"
        fi
}

# one line of a text, for the name of a check that failed: a summary shows no more than that
brief() {
        printf '%s' "$1" | tr '\n#' '| ' | tail -c 160
}

diag() {
        printf '%s\n' "$*" | head -n 40 | sed 's/^/# /'
}

is() { # is GOT WANTED NAME
        if [ "$1" = "$2" ]; then
                ok 0 "$3"
        else
                ok 1 "$3: $(brief "$1"), wanted $(brief "$2")"
                diag "got:    $1
wanted: $2"
        fi
}

has() { # has TEXT PART NAME
        case $1 in
        *"$2"*) ok 0 "$3" ;;
        *)
                ok 1 "$3: $(brief "$1")"
                diag "no '$2' in: $1"
                ;;
        esac
}

hasnt() { # hasnt TEXT PART NAME
        case $1 in
        *"$2"*)
                ok 1 "$3"
                diag "'$2' in: $1"
                ;;
        *) ok 0 "$3" ;;
        esac
}

# expect CODE NAME COMMAND…: run it, stdout in $out, stderr in $err, and compare its exit code
expect() {
        want=$1 name=$2
        shift 2
        code=0
        "$@" >"$scratch/out" 2>"$scratch/err" || code=$?
        out=$(cat "$scratch/out") err=$(cat "$scratch/err")
        if [ "$code" -eq "$want" ]; then
                ok 0 "$name"
        else
                ok 1 "$name: exit code $code, wanted $want: $(brief "$err")"
                diag "exit code $code, wanted $want
stdout: $out
stderr: $err"
        fi
}

# nothing_left NAME: the supervisor has ended by itself, and nothing bears its name any more
nothing_left() {
        supervisor_ended || diag "the supervisor is still alive"
        # the lock goes a moment before the process that held it
        eventually is_swept
        ok $? "nothing is left behind: $1"
        [ -z "$left" ] || diag "$left"
}

is_swept() {
        left=$(leftovers)
        [ -z "$left" ]
}

need_root() {
        [ "$(id -u)" -eq 0 ] || skip_all "not root"
}

# need PROGRAM…
need() {
        for program; do
                command -v "$program" >/dev/null || skip_all "$program is not installed"
        done
}

need_jails() {
        need_root
        sh "$top_srcdir/tests/sweep" t
        grep -q -e ' cgroup2 ' -e ' cgroup .*memory' /proc/self/mountinfo || skip_all "no cgroups"
        unshare -m true 2>/dev/null || skip_all "no mount namespaces (CAP_SYS_ADMIN)"
        for program in cli/warder supervisor/monitor/warderd supervisor/front/warder-front \
                sandbox/files/warder-files; do
                [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
        done
}
