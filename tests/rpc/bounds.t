#!/bin/sh
# bounds: what tasks ask, use and commit is told whole, counted whole and refused by name, whatever their agents do
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3 pgrep
. "$top_srcdir/tests/rpc/other-agent.sh"
other_project

ended() { # with patience: its state and cause
        timeout 240 warder task watch --json "$task" >"$scratch/events" 2>/dev/null
        warder task show --json "$task" | jq -r '"\(.state) \(.cause)"'
}
notices() { # notices FILTER: of what its notices say
        jq -r "select(.event == \"notice\") | .data | $1 // empty" "$scratch/events"
}
holds() { # holds FILTER: with patience, of task.show
        tries=1200
        until warder task show --json "$task" | jq -e "$1" >/dev/null || [ $tries -eq 0 ]; do
                sleep 0.1
                tries=$((tries - 1))
        done
        [ $tries -gt 0 ]
}
used() {
        warder task show --json "$task" | jq -r '.used.cpu_usec[0]'
}

# ---- questions: eight of 64 KiB, each byte of which is six in JSON

start questions
holds '.state == "suspended" and ([.questions[] | select(.decision == "open")] | length) == 8'
ok $? "a task that asks as much as a task may is shown"
is "$(warder task show --json "$task" | jq -r '[.questions[].plan | length] | unique | tostring')" "[65536]" "each question whole"
is "$(warder task list --json | jq -r '"\(.tasks | length) \(.waiting | length)"')" "1 8" "it is listed, with what waits"
is "$(warder task waiting --json | jq -r '.questions | length')" 8 "and so are its questions"
is "$(warder task show --json "$task" | jq -r 'has("next")')" false "all of it, in one"
id=$(warder task show --json "$task" | jq -r '.questions[0].question')

# ---- undo: what is not done any more is not asked any more

expect 0 "back to the start" warder task undo "$task" start
is "$(warder task waiting --json | jq -r '.questions | length')" 0 "what it asked is not asked any more"
expect 1 "an answer" warder task approve "$task" --question "$id"
has "$err" "is not asked any more" "is refused by that name"
is "$(warder task show --json "$task" | jq -r '"\(.state) \(.cause)"')" "suspended undone" "and does not let it go on"
expect 0 "cancelled" warder task cancel "$task"

# ---- another question at the same place

start replace
is "$(ended)" "error agent_lost" "an agent that asks two things at one place"
is "$(notices .text)" "replace: -32000 not_found" "hears which one nobody can answer any more"

# ---- commits that are refused are no progress

start "overfull crash" -l wall=4m
is "$(ended)" "error agent_lost" "an agent that dies again and again, and commits what is refused"
is "$(notices 'select(.phase == "resume") | .cause' | sort | uniq -c | tr -s ' ')" " 5 agent_lost" "is started five times"
has "$(notices .text)" "refused: -32000 invalid" "its commits were refused"

# ---- processor time of a fork, when the front is lost

start elsewhere -l cpu=10m
holds '.used.cpu_usec[0] > 1500000'
ok $? "a fork uses processor time"
before=$(used)
kill -KILL "$(front_pid)"
supervisor_ended
holds '.state == "running"'
ok $? "its front is killed, and the task goes on"
sleep 3 # it is looked at every second
now=$(used)
[ "$now" -ge "$before" ]
ok $? "what the fork used before is counted: $now after $before"
is "$(warder task show --json "$task" | jq -r .state)" running "while it runs"
expect 0 "cancelled" warder task cancel "$task"

# ---- a place: one that stood still needs one to go on, as those in the queue do

running() {
        warder task list --json | jq -r '[.tasks[] | select(.state == "running")] | length'
}
frozen() { # groups of this supervisor that are
        find /sys/fs/cgroup -path "*warder-$WARDER_INSTANCE*" -name cgroup.freeze -exec cat {} + 2>/dev/null | grep -c 1
}
start "burn ask-plan exec rest"
held=$task
holds '.state == "suspended"'
ok $? "a task that asks in the middle of a step waits"
is "$(frozen)" 1 "and what it left running does not run"
for i in 1 2 3 4 5 6 7 8; do
        start rest
        [ "$i" -gt 1 ] || first=$task
done
tries=1200
until [ "$(running)" = 8 ] || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
done
is "$(running)" 8 "eight others run"
task=$held
expect 0 "it is answered" warder task approve "$task"
is "$(warder task show --json "$task" | jq -r .state) $(running) $(frozen)" "suspended 8 1" "and stands still: there is no place for it"
expect 0 "one of the others ends" warder task cancel "$first"
holds '.state == "running"'
ok $? "then it goes on"
is "$(running) $(frozen)" "8 0" "in the place of that one"
holds '.used.commands[0] == 2'
ok $? "and does what it does after the answer"
warder task list --json | jq -r '.tasks[] | select(.state == "running") | .task' | while read -r each; do
        warder task cancel "$each"
done >"$scratch/cancelled"
is "$(tr -s ' \n' '\n\n' <"$scratch/cancelled" | sort -u | tr '\n' ' ')" "cancelled " "all are cancelled"
nothing_left "at the end"
done_testing
