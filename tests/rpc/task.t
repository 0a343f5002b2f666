#!/bin/sh
# task: every end of a task, with a recorded model, in real jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"

project=$scratch/project
make_project "$project"
cd "$project" || exit 1

# ---- transcripts: a list of entries, one a line

reply() { # reply ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
says() { # says ROLE TURN EXPECT TEXT
        reply "$1" "$2" "$3" "{\"content\":\"$4\"}"
}
calls() { # calls ROLE TURN EXPECT TOOL ARGUMENTS
        reply "$1" "$2" "$3" "{\"content\":\"\",\"tool_calls\":[{\"name\":\"$4\",\"arguments\":$5}]}"
}
plan_it() {
        calls architect 1 'tests fail' grep '{"pattern":"int sum"}'
        says architect 2 'src/sum.c' '{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}'
}
edit() { # edit TURN EXPECT OLD NEW [FILE]
        calls developer "$1" "$2" edit "{\"path\":\"${5:-src/sum.c}\",\"old_string\":\"$3\",\"new_string\":\"$4\"}"
}
transcript() { # transcript NAME: entries on stdin
        jq -s . >"$scratch/$1.json"
}

right_old='        int total = 0;\n\n        for (int i = 1;'
right_new='        int total = 0;\n\n        for (int i = 0;'

{
        plan_it
        says developer 1 'begin at 0' 'Done, all tests pass.'
        edit 2 'sum_of_three' ', 15);' ', 11);' tests/test.c
        says developer 3 'replaced' 'The test was wrong.'
        edit 4 'protected' ', 11);' ', 15);' tests/test.c
        edit 5 'replaced' 'int total = 0' 'int total = 4'
        says developer 6 'replaced' 'Now it works.'
        edit 7 'got ' 'int total = 4' 'int total = 0'
        edit 8 'replaced' "$right_old" "$right_new"
        calls developer 9 'replaced' bash '{"command":"make -s check"}'
        says developer 10 'ok 5' 'It begins at 0 now.'
} | transcript caught

{
        plan_it
        edit 1 'begin at 0' ', 15);' ', 11);' tests/test.c
        says developer 2 'replaced' 'The test was wrong.'
        says developer 3 'protected' 'I insist.'
} | transcript cheat

{
        plan_it
        for turn in 1 2 3 4 5 6; do says developer $turn 'begin at 0' 'Done.'; done
} | transcript idle

{
        plan_it
        for turn in 1 2 3 4 5 6; do calls developer $turn 'begin at 0' bash '{"command":"sleep 100"}'; done
} | transcript slow

{
        plan_it
        says developer 1 'something else' 'Done.'
} | transcript other

ask='the tests fail'
state() {
        printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | "\(.state) \(.cause)"'
}

# ---- ends

expect 0 "a model that is caught three times, then right" \
        warder task run --json --replay "$scratch/caught.json" -m "$ask" --out "$scratch/result"
is "$(state)" "verified null" "verified"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict' | tr '\n' ' ')" \
        "failed tampered failed passed " "each verdict is told"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .used.verifies | join("/")' | tail -n1)" "4/5" \
        "and counted"
is "$(jq -r .patch "$scratch/result/verdict.json")" \
        "sha256:$(sha256sum <"$scratch/result/patch.diff" | cut -d' ' -f1)" "the verdict is about this patch"
git clone -q "$project" "$scratch/applied"
expect 0 "git applies it" git -C "$scratch/applied" apply "$scratch/result/patch.diff"
expect 0 "and the project's tests pass with it" make -s -C "$scratch/applied" check
is "$(git -C "$scratch/applied" status --porcelain | tr '\n' ' ')" " M src/sum.c " "products of the build are not in it"

# is the tree still the one that the task began with
solved=$(jq -r .task "$scratch/result/verdict.json")
applies() { # applies WORDS-IN-THE-REMARK WHAT; "" for none
        for from in "$scratch/result" "$solved"; do
                expect 0 "$2: warder apply --check" warder apply --check "$from"
                if [ -n "$1" ]; then has "$err" "$1" "$2: it is said"; else hasnt "$err" "tests have not run" "$2: nothing is said"; fi
        done
}
applies "" "the tree as it was"
touch -d '-1 hour' src/*.c && chmod o-r src/sum.c
applies "" "files that were only touched"
chmod o+r src/sum.c
echo more >notes
applies "not as it was when the task began" "a new file"
rm notes
echo '/* more */' >>src/sum.h
applies "not as it was when the task began" "a changed file"
git -c user.name=t -c user.email=t@example.org commit -qam later
applies "The verdict is about commit" "another commit"
git reset -q --hard HEAD~1

expect 5 "a test that is changed twice ends the task" \
        warder task run --json --replay "$scratch/cheat.json" -m "$ask"
is "$(state)" "tampered protected_files" "tampered"

expect 3 "verifies used up" \
        warder task run --json --replay "$scratch/idle.json" -m "$ask" --limit verifies=2
is "$(state)" "limit verifies" "limit, by its name"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict' | wc -l)" 2 "after two verdicts"

expect 3 "time used up" warder task run --json --replay "$scratch/slow.json" -m "$ask" --limit wall=2s
is "$(state)" "limit wall" "limit, by its name"

expect 3 "model calls used up" warder task run --json --replay "$scratch/idle.json" -m "$ask" --limit calls=3
is "$(state)" "limit calls" "limit, by its name"

expect 6 "a transcript that does not fit" warder task run --json --replay "$scratch/other.json" -m "$ask"
is "$(state)" "error replay_mismatch" "error, and why"

echo '{"warder": "verify/1", "commands": []}' >"$scratch/wrong.json"
expect 2 "a wrong spec is usage" warder task run --replay "$scratch/idle.json" --spec "$scratch/wrong.json" -m "$ask"
has "$err" /commands "and the place is named"
nothing_left "after all ends"

# ---- tasks that stay

expect 0 "a task is started" warder task start --json --replay "$scratch/slow.json" -m "$ask"
task=$(printf '%s\n' "$out" | jq -r 'select(.task) | .task' | head -n1)
expect 0 "it is listed" warder task list --json
has "$out" "$task" "by its name"
warder task watch --json "$task" >"$scratch/watched" 2>&1 &
watcher=$!
expect 0 "and cancelled" warder task cancel "$task"
wait "$watcher"
is $? 130 "who watches is told"
has "$(cat "$scratch/watched")" cancelled "with the state"
expect 0 "it is still known" warder task show --json "$task"
has "$out" cancelled "as cancelled"
nothing_left "after a cancel"

# ---- more than can run at once

for n in 1 2 3 4 5 6 7 8 9 10; do
        warder task start --json --replay "$scratch/slow.json" -m "$ask" >/dev/null 2>&1
done
states() {
        warder task list --json | jq -r '(.tasks[]? // .) | .state' | sort | uniq -c | tr -s ' \n' ' '
}
timeout 120 sh -c "until warder task list --json | grep -c '\"running\"' >/dev/null; do sleep 0.1; done"
has "$(states)" "2 queued" "ten tasks: two wait"
for task in $(warder task list --json | jq -r '(.tasks[]? // .) | select(.state == "running" or .state == "preparing") | .task' | head -n2); do
        warder task cancel "$task" >/dev/null 2>&1
done
timeout 60 sh -c "while warder task list --json | grep -c '\"queued\"' >/dev/null; do sleep 0.1; done"
hasnt "$(states)" "queued" "and begin when others end"
for task in $(warder task list --json | jq -r '(.tasks[]? // .) | .task'); do
        warder task cancel "$task" >/dev/null 2>&1
done
nothing_left "after ten tasks"

# ---- kills

children() { # children NAME: of this instance's warderd
        for pid in $(supervisor_pids); do pgrep -P "$pid" -x "$1"; done
}

warder task run --json --replay "$scratch/slow.json" -m "$ask" >"$scratch/killed" 2>&1 &
client=$!
timeout 120 sh -c "until grep -q tool.call '$scratch/killed'; do sleep 0.1; done"
kill -INT "$client"
wait "$client"
is $? 130 "the client goes: cancelled"
nothing_left "after the client went"

warder task run --json --replay "$scratch/slow.json" -m "$ask" >"$scratch/killed" 2>&1 &
client=$!
timeout 120 sh -c "until grep -q tool.call '$scratch/killed'; do sleep 0.1; done"
kills=0
while kill -0 "$client" 2>/dev/null && [ "$kills" -lt 600 ]; do
        for pid in $(agents); do kill -KILL "$pid" && kills=$((kills + 1)); done
        sleep 0.1
done
wait "$client"
is $? 6 "the agent is killed whenever it is there: not carried out"
[ "$kills" -ge 6 ]
ok $? "but only after five in a row were killed without a step that committed"
has "$(tail -n1 "$scratch/killed")" agent_lost "by its name"
resumes=$(jq -r 'select(.data.phase? == "resume") | .data.cause' "$scratch/killed")
is "$(printf '%s\n' "$resumes" | sort -u)" agent_lost "each time is told, with its cause"
[ "$(printf '%s\n' "$resumes" | wc -l)" = "$((kills - 1))" ]
ok $? "as often as it was killed, but for the last time"
nothing_left "after the agent was killed"

warder task run --json --replay "$scratch/slow.json" -m "$ask" >"$scratch/killed" 2>&1 &
client=$!
timeout 120 sh -c "until grep -q tool.call '$scratch/killed'; do sleep 0.1; done"
task=$(jq -r 'select(.task) | .task' "$scratch/killed" | head -n1)
for pid in $(children warder-front); do kill -KILL "$pid"; done
wait "$client"
is $? 6 "the front is killed: not carried out"
nothing_left "after the front was killed"
expect 0 "the task is known to the next one" warder task show --json "$task"
has "$out" supervisor_lost "as lost"
is "$(printf '%s\n' "$out" | jq -c .used)" "$(warder task log --json "$task" | jq -c 'select(.event != "task.state") | .used' | tail -n1)" \
        "with what it had used when it was last heard of"
expect 6 "watching it comes to an end" timeout 30 warder task watch --json "$task"
has "$out" '"cause":"supervisor_lost"' "with its cause"
nothing_left "in the end"
done_testing
