#!/bin/sh
# agent-socket: an agent that lies, breaks the protocol or dies, in warder-agent's place
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3
[ -x "$top_builddir/tests/rpc/fake-agent" ] || skip_all "tests/rpc/fake-agent is not built"

# a build tree of its own, in which the agent is another one
libexec=$scratch/libexec
mkdir -p "$libexec/agent" "$libexec/supervisor" "$libexec/sandbox"
for dir in supervisor/monitor supervisor/front supervisor/egress sandbox/init sandbox/files cli; do
        mkdir -p "$libexec/$dir"
        for program in "$top_builddir/$dir"/warder*; do
                [ ! -x "$program" ] || [ -d "$program" ] || cp "$program" "$libexec/$dir/"
        done
done
cp "$top_builddir/tests/rpc/fake-agent" "$libexec/agent/warder-agent"
chmod -R go+rX "$libexec"
WARDER_LIBEXEC=$libexec

project=$scratch/project
make_project "$project"
cd "$project" || exit 1
echo '[]' >"$scratch/transcript.json"

task() { # task CODE NAME WORDS OPTION…
        code=$1 name=$2 words=$3
        shift 3
        expect "$code" "$name" timeout 60 warder task run --json --replay "$scratch/transcript.json" -m "$words" "$@"
}
state() {
        printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | "\(.state) \(.cause)"'
}
told() { # what the agent was answered
        printf '%s\n' "$out" | jq -r 'select(.event == "notice") | .data.text // empty'
}

task 6 "bad lines are answered, the agent goes on" lines
is "$(state)" "error agent_lost" "and its silent end is an error"
is "$(told)" "garbage: -32700 
array: -32600 
no method: -32600 
unknown: -32601 
type: -32602 invalid
both: -32602 invalid
field: -32602 invalid
outside: -32000 denied
missing: -32000 not_found
ask: -32000 unsupported
regex: -32000 invalid
dotdot: -32000 invalid
event: -32602 invalid" "each by its code"

task 6 "a line without end" long
is "$(state)" "error agent_protocol" "ends the task by its name"
task 6 "a descriptor" fd
is "$(state)" "error agent_protocol" "ends the task by its name"
task 6 "descriptors of kinds that a front must not hold" kinds
is "$(state)" "error agent_protocol" "end the task by its name"
task 6 "more descriptors than may wait for their line" ahead
is "$(state)" "error agent_protocol" "end the task by its name"
task 6 "more descriptors than a message may have" crowd
is "$(state)" "error agent_protocol" "end the task by its name"
task 6 "an agent that does not read" deaf
is "$(state)" "error agent_protocol" "ends the task by its name"
task 6 "an agent that crashes" crash
is "$(state)" "error agent_lost" "ends the task by its name"

task 1 "done, says an agent that did nothing" done
is "$(state)" "unverified tests_failed" "the supervisor looks for itself"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict')" failed "by a verdict of its own"

task 0 "mended without a verify" "mend done"
is "$(state)" "verified null" "is verified at the end"
task 0 "mended and verified" "mend verify done"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.n')" 1 "is not verified again"
task 0 "mended, and gone before the answer" "mend leave"
is "$(state)" "verified null" "is verified all the same"
task 1 "spoilt after the verdict" "mend verify spoil done"
is "$(state)" "unverified command_failed" "is verified again, and is not"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict' | tr '\n' ' ')" "passed failed " \
        "by a second verdict"
task 3 "spoilt with no verify left" "mend verify spoil done" --limit verifies=1
is "$(state)" "limit verifies" "meets the limit"

task 0 "two verifies at once" "mend twice done"
has "$(told)" "second: -32000 busy" "the second is refused"
has "$(told)" "first: 0 result" "the first goes on"

task 3 "commands used up" "exec exec exec exec" --limit commands=3
is "$(state)" "limit commands" "limit, by its name"
task 0 "commands without an id" "murmur mend done" --limit commands=20
is "$(state)" "verified null" "are no more than may wait at once"
expect 0 "a task whose agent floods" warder task start --json --replay "$scratch/transcript.json" -m flood
task=$(printf '%s\n' "$out" | jq -r 'select(.task) | .task' | head -n1)
expect 0 "a watcher that does not read for a while" \
        python3 -B "$top_srcdir/tests/rpc/slow-watcher" "/run/warder/$WARDER_INSTANCE/warder.sock" "$task" 4
has "$out" "lagged" "is told that it lags"
has "$(printf '%s\n' "$out" | tail -n1)" '"agent_lost"' "and gets the last event all the same"
nothing_left "after all of it"
done_testing
