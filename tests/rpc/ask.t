#!/bin/sh
# ask: a task asks people, waits, and goes on; with an agent that says what it was answered, in real jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3
. "$top_srcdir/tests/rpc/other-agent.sh"

other_project
socket=/run/warder/$WARDER_INSTANCE/warder.sock

is_in() { # is_in STATE
        [ "$(warder task show --json "$task" | jq -r .state)" = "$1" ]
}
waits_for() { # waits_for STATE: with patience
        tries=1200
        until is_in "$1" || [ $tries -eq 0 ]; do
                sleep 0.1
                tries=$((tries - 1))
        done
        is_in "$1"
        ok $? "the task is $1"
}
end() { # end CODE NAME: how it ends; what the agent was told in $told
        expect "$1" "$2" timeout 120 warder task watch --json "$task"
        told=$(warder task watch --json "$task" | jq -r 'select(.event == "notice") | .data.text // empty')
}
question() { # the id of its newest question
        warder task show --json "$task" | jq -r '.questions[-1].question'
}

# ---- a plan, from the first question to the end

expect 4 "a task that asks" warder task run --replay "$scratch/transcript.json" -m "mend ask-plan done"
has "$err" "Is the plan good?" "tells what it asks"
has "$err" "let sum() begin at 0" "and its plan"
has "$err" '\x1b[31mthen rest' "harmless to a terminal"
task=$(printf '%s\n' "$err" | sed -n 's/^  warder task approve \(t-[a-z2-7]*\) .*/\1/p')
id=$(question)
has "$err" "warder task approve $task --question $id" "what to type to say yes"
has "$err" "warder task reject $task --comment 'WHY' --question $id" "and no"
is_in suspended
ok $? "it is suspended, though who started it is gone"
shown=$(warder task show --json "$task")
is "$(printf '%s\n' "$shown" | jq -r '.questions[0] | "\(.about) \(.step) \(.decision) \(.who | join(" "))"')" \
        "plan review open owner" "it is kept what is asked, where, and who may answer"
is "$(printf '%s\n' "$shown" | jq -r '.questions[0] | (.until | sub("\\..*"; "Z") | fromdate) - (.asked | sub("\\..*"; "Z") | fromdate)')" \
        604800 "it waits for seven days"
used() {
        warder task show --json "$task" | jq -r '.used.wall_usec[0]'
}
before=$(used)
sleep 1
is "$(used)" "$before" "its clock stands still"
expect 0 "show, for people" warder task show "$task"
has "$out" "+        for (int i=0; i < n; i++)" "has what it changed so far"
has "$out" "warder task approve $task --question $id" "and what to type"
is "$(printf '%s\n' "$shown" | jq -r '.questions[0].patch')" \
        "sha256:$(warder task diff "$task" | sha256sum | cut -d' ' -f1)" "which is what the question is about"
expect 0 "the list" warder task list
has "$out" "FOR YOU TO ANSWER" "says who waits"
has "$(warder task waiting)" "$id" "and so does the list of questions"
expect 0 "who is to be told is" timeout 60 warder task waiting --exec "cat >$scratch/told; kill \$PPID"
is "$(jq -r '"\(.task) \(.question) \(.yours)"' "$scratch/told")" "$task $id true" "by a command of the user's, as JSON"
expect 1 "an answer is no yes" warder task answer "$task" yes
has "$err" "warder task approve" "and it says what is"
expect 0 "approved" warder task approve "$task" --comment 'go on'
has "$out" "approved by user id 0 at " "it says by whom"
expect 1 "a second answer" warder task reject "$task"
has "$err" "was approved by user id 0 at 20" "is an error that says who answered, and when"
end 0 "it goes on from there"
has "$told" "ask-plan: approved null go on" "with what was said"
is "$(warder task show --json "$task" | jq -r '.questions[0] | "\(.decision) \(.by_uid) \(.comment)"')" \
        "approved 0 go on" "which is kept"
has "$(warder task show "$task" 2>&1)" "approved by user id 0" "and shown"
expect 0 "its receipt" warder task receipt "$task" --out "$scratch/receipt"
lines=$(jq -r 'select(.kind == "question" or .kind == "answer") |
        "\(.kind) \(.data.question) \(.data.about) \(.data.patch != null) \(.data.decision) \(.data.by_uid) \(.data.comment)"' "$scratch/receipt")
is "$lines" "question $id plan true null null null
answer $id null false approved 0 go on" "has both, and who said it"
expect 0 "and it holds" warder task receipt --check "$scratch/receipt"
nothing_left "after it"

# ---- a question that shows people less than it asks

start "mend ask-hide done"
waits_for suspended
expect 0 "what hides its end is shown" warder task show "$task"
has "$out" "the tail of the text" "behind lines of nothing"
has "$out" "and then drop the tests" "at the end of a long line"
has "$out" 'all is \xf3\xa0\x85\x81' "and what no eye sees"
quoted=$(printf '%s\n' "$out" | sed -n '/asks whether its plan/,/^  asked /p' | grep -cv '^  | ')
is "$quoted" 3 "no line of it looks like one of ours: head, \"the plan\", and when it was asked"
is "$(printf '%s\n' "$out" | grep -c '^  who may answer: owner$')" 1 "who may answer is said once"
is "$(printf '%s\n' "$out" | sed -n '/asks whether its plan/,/^  asked /p' | awk 'length > 74 && /^  \|/' | wc -l)" 0 \
        "and none is so long that a terminal breaks it"
expect 0 "rejected" warder task reject "$task"
end 0 "and it goes on"

# ---- other answers

start "mend ask-plan ask-again done"
waits_for suspended
first=$(question)
expect 0 "rejected, and why" warder task reject "$task" --comment 'leave i alone'
tries=1200
until [ "$(question)" != "$first" ] || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
done
waits_for suspended
expect 1 "the next question without its id" warder task approve "$task"
has "$err" "more than one thing" "is not answered by one who may have read the first"
expect 1 "the first one's id" warder task approve "$task" --question "$first"
has "$err" "question $first was rejected by user id 0" "is no answer to the second"
expect 1 "an id of nobody's" warder task approve "$task" --question q-aaaaaaaaaa
expect 0 "its own" warder task approve "$task" --question "$(question)"
end 0 "is"
has "$told" "ask-plan: rejected null leave i alone" "the agent was told why"
has "$told" "ask-again: approved null " "and of the second"

start "mend ask-choice ask-form done"
waits_for suspended
expect 1 "what is no choice" warder task answer "$task" green
has "$err" "none of the choices" "is refused"
expect 1 "a yes to a choice" warder task approve "$task"
expect 0 "a choice" warder task answer "$task" blue
tries=1200
until [ "$(warder task show --json "$task" | jq -r '.questions[1].decision')" = open ] || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
done
id=$(question)
expect 1 "what does not fit the schema" warder task answer "$task" 0 --question "$id"
expect 2 "what is no JSON" warder task answer "$task" 'many' --question "$id"
expect 0 "what fits" warder task answer "$task" 3 --question "$id"
end 0 "both are taken"
has "$told" 'ask-choice: answered "blue" ' "the choice"
has "$told" 'ask-form: answered 3 ' "and the number"

# ---- an agent that has committed what it knows is not kept

start "mend ask-park done"
waits_for suspended
is "$(warder ls --json | jq -r '.jails | length')" 0 "no jail is left"
none() {
        [ -z "$(agents)" ]
}
eventually none
ok $? "and no agent"
expect 0 "approved" warder task approve "$task"
end 0 "it goes on with another agent"
has "$told" "ask-park: approved null " "which finds what was said"
is "$(warder task show --json "$task" | jq -r '.questions | length')" 1 "and did not ask anew"

# ---- nobody answers

start "mend ask-short ask-otherwise ask-regex ask-nested ask-both ask-yes ask-time done"
end 0 "times that are over"
has "$told" "ask-short: expired null " "are a no"
has "$told" 'ask-otherwise: expired "blue" ' "or what the question says"
has "$told" "ask-regex: invalid" "a pattern that would keep the supervisor busy is refused"
has "$told" "ask-nested: invalid" "and a schema without an end"
has "$told" "ask-both: invalid" "and a question of two kinds"
has "$told" "ask-yes: invalid" "and a yes that comes by itself"
has "$told" "ask-time: invalid" "and a time that is none"
is "$(warder task show --json "$task" | jq -r '.questions[0] | "\(.decision) \(.by_uid)"')" "expired null" "by nobody"
expect 1 "then it is late" warder task approve "$task" --question "$(warder task show --json "$task" | jq -r '.questions[0].question')"
has "$err" "was expired by its time limit at 20" "and it says so"

start "ask-plan done"
waits_for suspended
expect 0 "cancelled meanwhile" warder task cancel "$task"
expect 1 "an answer then" warder task approve "$task"
has "$err" "is not asked any more" "is late"

# ---- who wants to answer itself

cat >reach.sh <<'SH'
python3 -c '
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
    print("reached")
except OSError as error:
    print("refused", error.errno)
' SOCKET >reached
SH
sed -i "s,SOCKET,$socket," reach.sh
start "ask-plan done"
waits_for suspended
sh ./reach.sh
is "$(cat reached)" reached "outside a jail the supervisor's socket is to be had"
rm reached
expect 0 "cancelled" warder task cancel "$task"
git add reach.sh
start "mend reach ask-plan done"
waits_for suspended
has "$(warder task diff "$task")" "+refused " "inside none is there"
expect 0 "a person can" warder task approve "$task"
end 0 "and the task goes on"

start "impatient" --limit wall=5s
expect 3 "an agent that asks and works on" timeout 120 warder task watch --json "$task"
has "$out" '"limit":"wall"' "has no time of its own for that"
is "$(warder task show --json "$task" | jq -r '.questions[0].decision')" withdrawn "and its question is not asked any more"
nothing_left "after all of it"
done_testing
