#!/bin/sh
# task run and the other verbs of tasks, with a recorded model, on the project of the quickstart
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq make
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"
command -v "${CC:-cc}" >/dev/null 2>&1 || command -v cc >/dev/null || skip_all "no C compiler"
cd "$scratch" || exit 1

example=$top_srcdir/examples/quickstart
cp -R "$example/project" project
chmod -R u+w project
git -C project init -q
git -C project add .
git -C project -c user.name=a -c user.email=a@b.c commit -q -m one
cd project || exit 1

# --- the whole story: it claims, it tampers, it mends wrongly, it mends
expect 0 "task run" warder task run --replay "$example/transcript.json" --out ../results
has "$err" "recorded model" "says that the model is a recorded one"
has "$err" "the plan" "shows the plan"
has "$err" "iteration 4" "counts iterations"
is "$(echo "$err" | grep -o 'verdict [1-9]: [a-z]*' | tr '\n' ' ')" \
        "verdict 1: failed verdict 2: tampered verdict 3: failed verdict 4: passed " "shows each verdict"
has "$err" "verifies [########..] 4/5" "and budgets as bars"
hasnt "$err" "tokens 0" "but no tokens, which a recorded model does not use"
has "$err" "src/cache.c  +2 -1" "and what the patch changes"
is "$(git status --porcelain)" "" "nothing in the directory changes"
is "$out" "$(cat ../results/patch.diff)" "the patch is on stdout where that is a file"
is "$(jq -r .verdict ../results/verdict.json)" passed "verdict.json has the last verdict"
is "$(jq -r .patch ../results/verdict.json)" "sha256:$(sha256sum <../results/patch.diff | cut -d' ' -f1)" \
        "which is about that very patch"
is "$(jq -r .event ../results/events.jsonl | grep -c verify.end)" 4 "events.jsonl has all verdicts"
expect 0 "it is applied" warder apply "$(jq -r .task ../results/verdict.json)"
expect 1 "it is applied twice" warder apply "$(jq -r .task ../results/verdict.json)"
has "$err" "as where it was applied already; nothing was changed" "says what may be the matter"
git checkout -q .
expect 0 "the patch" git apply ../results/patch.diff
expect 0 "makes the tests pass" make -s test
git checkout -q .
task=$(jq -r .task ../results/verdict.json)
expect 0 "task list" warder task list
has "$out" "$task" "knows it afterwards"
expect 0 "task show" warder task show "$task" --json
is "$(printf '%s\n' "$out" | jq -r '.state + " " + (.verdicts | length | tostring)')" "verified 4" "with its verdicts"
expect 0 "task diff" warder task diff "$task"
is "$out" "$(cat ../results/patch.diff)" "is the patch"
expect 0 "task watch" warder task watch "$task"
has "$err" "is verified" "shows the end again, with its exit code"
nothing_left "after a task"

# --- a budget ends it
cat >../tight.json <<'P'
{"warder": "policy/1", "extends": "default", "seccomp": "strict"}
P
echo '{"warder": "policy/1", "extends": "default", "limits": {"pids": 99999}}' >../loose.json
expect 0 "under a policy of one's own" warder task run --policy ../tight.json --replay "$example/transcript.json"
echo '{"warder": "policy/1", "extends": "ci", "limits": {"pids": 40}}' >../few.json
echo '{"warder": "verify/1", "commands": [{"run": ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 2 & done; wait; exit 3"], "pids": 50}]}' >../fifty.json
expect 2 "a policy of the tests that is tighter than their spec" \
        warder task run --verify-policy ../few.json --spec ../fifty.json --replay "$example/transcript.json"
has "$err" "../fifty.json: /commands/0/pids: 50 is more than 40" "is found out before the task begins"
expect 2 "the task's own policy holds for its tests as well" \
        warder task run --policy ../few.json --spec ../fifty.json --replay "$example/transcript.json"
has "$err" "/commands/0/pids: 50 is more than 40" "since they run what the agent wrote"
expect 6 "a policy of the tests that does not allow the host's root" \
        warder task run --policy ci --verify-policy strict --replay "$example/transcript.json"
expect 0 "a wider one for the tests" \
        warder task run --policy ../tight.json --verify-policy ci --out policies --replay "$example/transcript.json"
is "$(jq -r .policy policies/verdict.json)" "$(jq -r .policy ../results/verdict.json)" \
        "is the verdict's, as without any"
rm -r policies
expect 2 "one that loosens" warder task run --policy ../loose.json --replay "$example/transcript.json"
has "$err" "loose.json:1: /limits/pids" "is refused by file, line and field"
expect 3 "--limit verifies=1" warder task run --replay "$example/transcript.json" --limit verifies=1
has "$err" "limit" "is named"
expect 2 "--limit verifies=0" warder task run --replay "$example/transcript.json" --limit verifies=0
has "$err" "--limit verifies=0: verifies is a number, above 0" "is refused with the reason"
expect 2 "--limit wall=5" warder task run --replay "$example/transcript.json" --limit wall=soon
has "$err" "wall is a time such as 30m" "and with the form of what is no number"
expect 2 "--limit of what there is not" warder task run --replay "$example/transcript.json" --limit turns=5
has "$err" "give verifies=N, commands=N" "names those that there are"

# --- without a model
cat >../plain.json <<'P'
{"warder": "workflow/1", "name": "plain", "steps": [
  {"id": "look", "exec": "ls src"},
  {"id": "each", "foreach": ".steps.look.output | rtrimstr(\"\\n\") | split(\"\\n\")", "steps": [
    {"id": "count", "exec": ["wc", "-l", "src/{{ .item }}"], "require": ".steps.count.ok"}]},
  {"id": "tree", "workflow": "steps/checkout"},
  {"id": "check", "verify": {}}]}
P
expect 1 "a workflow that asks no model needs none" warder task run --plain --workflow ../plain.json
has "$err" "model: none, no step of the workflow asks one" "which is said"
has "$err" "step each[1]/count" "each item has a line that names it"
hasnt "$err" "iteration 2" "and no iteration, which is a loop's"
jq '.steps[2] = {"id": "tree", "workflow": "fix"}' ../plain.json >../calls.json
expect 2 "one that calls a workflow which asks one" warder task run --workflow ../calls.json
has "$err" 'Step "plan" of the workflow asks one' "says which step it is"
expect 2 "a workflow that there is not, and no model" warder task run --workflow nowhere
has "$err" 'There is no workflow "nowhere"' "names the workflow"

# --- ends that are no verdicts
printf '[{"role": "architect", "turn": 1, "expect": "something else", "reply": {"content": "x"}}]' >../bad.json
expect 6 "a transcript of another task" warder task run --replay ../bad.json
has "$err" "replay_mismatch" "is named"
mkdir old && echo of another call >old/verdict.json
expect 6 "the same into a directory with results" \
        warder task run --out old --replay ../bad.json
ok "$([ -f old/events.jsonl ] && [ ! -e old/verdict.json ]; echo $?)" "leaves there what is of this call only"
has "$(cat old/summary.md)" "replay_mismatch" "the summary of a task without a verdict has its cause"
has "$(cat old/summary.md)" "but the last message is" "and what it says of its end"
has "$(cat old/junit.xml)" 'type="replay_mismatch" message="' "and so has junit.xml"
rm -r old
expect 2 "a transcript that is none" sh -c 'warder task run --replay Makefile'
expect 6 "a snapshot that is not there" \
        warder task run --snapshot nope --replay "$example/transcript.json"
has "$err" "no snapshot nope" "is named"
echo '[{"role": "architect", "turn": 0, "expect": "x", "reply": {}}]' >../bad.json
expect 2 "a transcript that is wrong" warder task run --replay ../bad.json
has "$err" "/0/turn" "is found before anything is packed"
expect 2 "a task that is none" warder task show nonsense
has "$err" "'nonsense' is no id of a task" "says why"
expect 6 "results that cannot be written" \
        warder task run --out Makefile --replay "$example/transcript.json"
hasnt "$err" "is queued" "are found out before the task begins"
expect 1 "a task that is not there" warder task show t-aaaaaaaaaa

# --- in the background, and cancelled: the tests of this spec do not end by themselves
cat >../slow.json <<'END'
{"warder": "verify/1", "commands": [{"id": "slow", "run": ["sleep", "60"]}]}
END
expect 0 "task start" warder task start --spec ../slow.json --replay "$example/transcript.json"
task=$out
has "$task" t- "prints an id"
expect 0 "task list" warder task list
has "$out" "$task" "lists it"
expect 0 "task cancel" warder task cancel "$task"
expect 130 "task watch of a task that was cancelled" warder task watch "$task"

warder task run --spec ../slow.json --replay "$example/transcript.json" >/dev/null 2>../progress &
pid=$!
n=0
while ! grep -q 'verify:' ../progress && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -INT "$pid"
code=0
wait "$pid" || code=$?
is "$code" 130 "SIGINT cancels a task in the foreground"
has "$(cat ../progress)" "cancelled" "and says so"

# --- the client is killed: the task in the foreground ends with it
warder task run --spec ../slow.json --replay "$example/transcript.json" >/dev/null 2>../progress &
pid=$!
n=0
while ! grep -q 'verify:' ../progress && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -KILL "$pid"
wait "$pid" 2>/dev/null
nothing_left "after kill -9 of the client"
done_testing
