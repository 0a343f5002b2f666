#!/bin/sh
# Tasks that outlive their processes: taken up from the last commit after kill -9 of the front, of the monitor, of the
# agent, of egress; undo and resume of one that has ended. Random workflows with random kills: tests/crash
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq sqlite3 pgrep
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

mkdir "$scratch/repo"
cd "$scratch/repo" || exit 1
git init -q .
echo base >base
echo gone >gone
git add -A
git -c user.name=t -c user.email=t@example.invalid commit -q -m base
echo '[]' >"$scratch/none.json"

wait_state() { # wait_state TASK PATTERN: until its state fits; prints "state cause"
        tries=0
        while [ "$tries" -lt 900 ]; do
                now=$(warder task show --json "$1" 2>/dev/null | jq -r '"\(.state) \(.cause // "")"')
                # shellcheck disable=SC2254
                case $now in $2) break ;; esac
                tries=$((tries + 1))
                sleep 0.2
        done
        echo "$now"
}
committed() { # committed TASK STEP: wait until it has
        tries=0
        while ! warder task undo --json "$1" 2>/dev/null | jq -e --arg s "$2" 'any(.steps[]; .step == $s)' >/dev/null; do
                tries=$((tries + 1))
                [ "$tries" -lt 900 ] || return 1
                sleep 0.2
        done
}
start() { # start WORKFLOW: a kept task; prints its id
        warder task start -w "$1" --replay "$scratch/none.json" --run true -l verifies=100 -m 'go'
}

# A step's marker file is outside of /work: it shows in no patch, and is there while the step runs
cat >"$scratch/long.json" <<'J'
{"warder": "workflow/1", "name": "long", "steps": [
  {"id": "one", "exec": "echo one >>log; mkdir d; echo x >d/x; rm gone"},
  {"id": "two", "exec": "echo two >>log; rm -r d; echo f >d; ln -s log link"},
  {"id": "wait", "exec": "echo wait >>log; sleep 8"},
  {"id": "three", "exec": "echo three >>log; rm d; mkdir d; echo y >d/y; echo base2 >base"}]}
J

# ---- without a kill: what the others must come to

task=$(start "$scratch/long.json")
state=verified
is "$(wait_state "$task" '*ed *')" "verified " "a task of four commands ends"
warder task diff "$task" >"$scratch/want.diff"
has "$(cat "$scratch/want.diff")" "+three" "its patch has what all steps did"

# ---- kill -9 of the front, then of the monitor

for victim in front monitor; do
        task=$(start "$scratch/long.json")
        committed "$task" two
        ok $? "$victim: two steps have committed"
        [ "$victim" = front ] && pid=$(front_pid) || pid=$(supervisor_pids | head -n1)
        kill -KILL "$pid"
        supervisor_ended
        is "$(wait_state "$task" '*ed *')" "$state " "$victim killed: the next supervisor takes the task up to the same end"
        warder task diff "$task" >"$scratch/got.diff"
        is "$(cat "$scratch/got.diff")" "$(cat "$scratch/want.diff")" "$victim killed: the same patch"
        is "$(warder task receipt "$task" --json 2>/dev/null | jq -r 'select(.kind == "resume") | .data.cause' 2>/dev/null)" supervisor_lost \
                "$victim killed: the receipt has a line of it"
        warder task receipt "$task" --out "$scratch/receipt.jsonl" 2>/dev/null
        expect 0 "$victim killed: the chain is whole" warder task receipt --check "$scratch/receipt.jsonl" --anchors "$WARDER_STATE/anchors"
done

# ---- undo and resume of one that has ended

expect 0 "its steps are listed" warder task undo "$task"
has "$out" three "to the last"
expect 0 "undo" warder task undo "$task" one
has "$out" suspended "takes it back to its first step"
is "$(warder task show --json "$task" | jq -r '.state + " " + .cause')" "suspended undone" "where it waits"
has "$(warder task log --times none "$task")" "undo to one" "its log says where to"
expect 0 "resume" warder task resume "$task"
expect 0 "who watches it" warder task watch "$task"
is "$(warder task show --json "$task" | jq -r .state)" verified "hears its new end, not the one before"
is "$(wait_state "$task" 'verified *')" "verified " "and it comes to its end"
warder task diff "$task" >"$scratch/got.diff"
is "$(cat "$scratch/got.diff")" "$(cat "$scratch/want.diff")" "it goes on from there to the same patch"
is "$(jq -r 'select(.event == "step.start") | .step' <<E | grep -c '^one$'
$(warder task watch --json "$task" 2>/dev/null)
E
)" 1 "the step that had committed did not run again"
warder task receipt "$task" --out "$scratch/receipt.jsonl" 2>/dev/null
expect 0 "the chain goes on behind its end" warder task receipt --check "$scratch/receipt.jsonl" --anchors "$WARDER_STATE/anchors"
is "$(jq -r 'select(.kind == "undo" or .kind == "end") | .kind + " " + (.data.step // "")' "$scratch/receipt.jsonl" | tr '\n' ',')" \
        "end ,undo one,end ," "with the undo as a line"
expect 1 "one that came to its end is not resumed" warder task resume "$task"
has "$err" "task undo" "but by an undo"
expect 1 "no such step" warder task undo "$task" four
has "$err" "no step \"four\"" "is named"
expect 0 "back to the start" warder task undo "$task" start
expect 0 "and cancelled there" warder task cancel "$task"

# ---- what has only just ended: its jails are still there, since who takes them down stands still

echo '{"warder": "workflow/1", "name": "idle", "steps": [{"id": "one", "exec": "echo one >>log"}, {"id": "two", "foreach": "[1]", "steps": [{"id": "wait", "exec": "sleep 600"}]}]}' >"$scratch/idle.json"
task=$(start "$scratch/idle.json")
committed "$task" one
ok $? "a step has committed, and the next one runs"
committed "$task" two/=items
monitor=$(supervisor_pids | head -n1)
kill -STOP "$monitor"
expect 0 "it is cancelled while its jails cannot be taken down" warder task cancel "$task"
is "$out" cancelled "which says what it is now"
warder task undo "$task" one >"$scratch/undone" 2>&1 &
undo=$!
sleep 1
kill -CONT "$monitor"
code=0
wait "$undo" || code=$?
is "$code $(head -n1 "$scratch/undone")" "0 suspended" "an undo waits until they are gone"
expect 0 "the list of its steps" warder task undo "$task"
has "$out" one "has what a person may go back to"
hasnt "$out" "=items" "and not what a run notes for itself"
expect 0 "cancelled again" warder task cancel "$task"
expect 0 "and once more" warder task cancel "$task"
has "$err" "was cancelled already" "is said"
task=$(start "$scratch/long.json")
is "$(wait_state "$task" '*ed *')" "verified " "one that is verified"
expect 1 "cannot be cancelled" warder task cancel "$task"
has "$err" "has ended already, it is verified: nothing was cancelled" "and says why"
for verb in undo resume replay log show watch diff cancel receipt approve; do
        expect 2 "task $verb nope" warder task "$verb" nope
        has "$err" "'nope' is no id of a task" "names what was given"
done

nothing_left "at the end"
done_testing
