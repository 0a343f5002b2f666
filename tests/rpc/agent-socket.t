#!/bin/sh
# agent-socket: an agent that lies, breaks the protocol or dies, in warder-agent's place
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3
. "$top_srcdir/tests/rpc/other-agent.sh"

project=$scratch/project
make_project "$project"
cd "$project" || exit 1
echo '[]' >"$scratch/transcript.json"

task() { # task CODE NAME WORDS OPTION…
        code=$1 name=$2 words=$3
        shift 3
        expect "$code" "$name" timeout 240 warder task run --json --replay "$scratch/transcript.json" -m "$words" "$@"
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
ask: -32602 invalid
own: -32601 
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
figures() { # of the event that told the limit
        printf '%s\n' "$out" | jq -r 'select(.event == "limit") | .data | "\(.limit) \(.used)/\(.most)"'
}
verdicts() {
        printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict' | wc -l
}
task 3 "the same patch again and again" "verify verify verify verify verify" --limit verifies=9
is "$(state)" "limit no_progress" "no progress, by its name"
is "$(figures), $(verdicts)" "no_progress 3/3, 3" "with the figures, at the third verdict"
task=$(printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | .task')
is "$(warder task show --json "$task" | jq -c '.used.no_progress')" "[3,3]" "and they are kept"
task 3 "the same failure under another patch each time" "pad verify pad verify pad verify pad verify" \
        --limit verifies=9
is "$(state), $(verdicts)" "limit no_progress, 3" "is no progress"
task 3 "two failures that take turns" "one verify two verify one verify two verify one verify" --limit verifies=9
is "$(state), $(verdicts)" "limit no_progress, 4" "are no progress"
task 0 "another failure, and none" "one verify two verify mend verify done" --limit no_progress=2
is "$(state)" "verified null" "are progress"
task 3 "the agent is told" "budget digest verify" --limit verifies=9
has "$(told)" "Left: verifies 8 of 9, commands 200 of 200, " "what is left"
has "$(told)" "2 verdicts running brought nothing new" "and that it gets nowhere"
has "$(told)" "3 end the task" "before it ends"
task 3 "a process that a command leaves behind" "burn sleep" --limit cpu=2s
is "$(state)" "limit cpu" "uses the task's processor time"
task 3 "tests use it as well" "verify pad verify pad verify pad verify pad verify pad verify pad verify pad verify" \
        --limit cpu=400ms --limit verifies=99 --limit no_progress=99
is "$(state)" "limit cpu" "in jails of their own"
task 3 "much output" "shout shout shout" --limit output=2M
is "$(state)" "limit output" "is bounded for all commands together"
task 3 "one command's output" "endless" --limit output=100K
is "$(figures)" "output 102401/102400" "is cut at what is left"
task 0 "commands without an id" "murmur mend done" --limit commands=40
is "$(state)" "verified null" "are no more than may wait at once"
task 6 "merges that it keeps" merges
is "$(told)" "fork: 0 result
big: 0 result
merge: 0 result
merge: -32000 busy
merge: -32000 busy
merge: -32000 busy
kept 0 MB: 0 
read 40 MB: 0 
merge: 0 result" "are one at a time: what is handed out is a pipe, and the next comes when it is read"
task 6 "more conflicts than an answer has room for" clashes
is "$(told)" "fork: 0 result
theirs: 0 result
ours: 0 result
merge: 0 result
conflicting 220: 0 " "are counted, and named as far as there is room"
warder run --no-work -- sleep 600 >/dev/null 2>&1 & # the supervisor stays when the task has ended
holder=$!
expect 0 "a task whose agent floods" warder task start --json --replay "$scratch/transcript.json" -m flood
task=$(printf '%s\n' "$out" | jq -r 'select(.task) | .task' | head -n1)
expect 0 "a watcher that does not read for a while" \
        python3 -B "$top_srcdir/tests/rpc/slow-watcher" "/run/warder/$WARDER_INSTANCE/warder.sock" "$task"
has "$out" "lagged" "is told that it lags"
has "$(printf '%s\n' "$out" | tail -n1)" '"agent_lost"' "and gets the last event all the same"
expect 0 "one that comes when the task has ended, and does not read either" \
        python3 -B "$top_srcdir/tests/rpc/slow-watcher" "/run/warder/$WARDER_INSTANCE/warder.sock" "$task"
has "$out" "lagged" "is told so, too"
has "$(printf '%s\n' "$out" | tail -n1)" '"agent_lost"' "and gets it as well"
kill "$holder" 2>/dev/null
wait "$holder" 2>/dev/null
nothing_left "after all of it"
done_testing
