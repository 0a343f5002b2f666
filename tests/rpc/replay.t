#!/bin/sh
# replay: a task once more with the replies that its model gave, from a transcript and from a real endpoint; and
# receipts of tasks whose front is killed
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3 sqlite3
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

project=$scratch/project
make_project "$project"
cd "$project" || exit 1

says() { # says ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
{
        says architect 1 'tests fail' '{"content":"{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}"}'
        says developer 1 'begin at 0' '{"content":"Done."}'
        says developer 2 'sum_of_three' '{"content":"","tool_calls":[{"name":"edit","arguments":{"path":"src/sum.c","old_string":"        int total = 0;\n\n        for (int i = 1;","new_string":"        int total = 0;\n\n        for (int i = 0;"}}]}'
        says developer 3 'replaced' '{"content":"Done."}'
} | jq -s . >"$scratch/mend.json"
id_of() { jq -r .task "$1/verdict.json"; }

# ---- of a recorded model

expect 0 "a task" warder task run --replay "$scratch/mend.json" -m 'the tests fail' --out "$scratch/first"
first=$(id_of "$scratch/first")
sed -i 's/int i = 1; i < n; i++)$/int i = 0; i < n; i++)/' src/sum.c # what is here now is no matter
expect 0 "replayed it comes to the same" warder task replay "$first"
has "$err" "came to the same as $first: verified" "says so"
expect 0 "with --json" warder task replay "$first" --json
is "$(printf '%s\n' "$out" | tail -n1 | jq -r '[.event, .of, .state, .same, (.differ | length)] | map(tostring) | join(" ")')" \
        "replay.end $first verified true 0" "an object tells it"
again=$(printf '%s\n' "$out" | tail -n1 | jq -r .task)
expect 6 "a replay is not kept to be replayed" warder task replay "$again"
has "$err" "is not kept any more" "says so"
expect 6 "a task that is not there" warder task replay t-aaaaaaaaaa
expect 2 "no task" warder task replay
git checkout -q .

# what differs is an error that shows both: another reply, another request, another workflow in the ledger
ledger() {
        supervisor_ended
        sqlite3 "$WARDER_STATE/front/ledger.db" "$1"
}
ledger "UPDATE task_inputs SET transcript = CAST(replace(CAST(transcript AS TEXT), 'int i = 0;', 'int i = 0; /* from 0 */') AS BLOB) WHERE task = '$first'"
expect 1 "another edit" warder task replay "$first"
has "$err" "did not come to the same as $first" "is said"
has "$err" "patch  was: $(jq -r .patch "$scratch/first/verdict.json")  is now: sha256:" "both patches are shown"
hasnt "$err" "verdict  was" "what is the same is not"
ledger "UPDATE task_inputs SET transcript = CAST(replace(CAST(transcript AS TEXT), 'sum_of_three', 'sum_of_four') AS BLOB) WHERE task = '$first'"
expect 1 "a reply to another message" warder task replay "$first"
has "$err" "verdict  was: passed  is now: failed" "both verdicts are shown"
has "$err" "cause  was: (nothing)  is now: replay_mismatch" "and why it ended"
ledger "UPDATE task_inputs SET params = replace(params, 'the tests fail', 'the tests fail now') WHERE task = '$first'"
expect 1 "another request" warder task replay "$first"
has "$err" "request  was: sha256:" "is shown"

# ---- of a real endpoint: what it said is recorded by the agent

printf '[%s]' '{"content":"{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}"},{"tool_calls":[{"name":"bash","arguments":{"command":"make -s check; true"}}]},{"tool_calls":[{"name":"edit","arguments":{"path":"src/sum.c","old_string":"int total = 0","new_string":"int total = 4"}}]},{"content":"It is done."},{"tool_calls":[{"name":"bash","arguments":{"command":"sed -i \"s/int total = 4/int total = 0/; 0,/int i = 1/s//int i = 0/\" src/sum.c"}}]},{"content":"It is done."}' >"$scratch/script.json"
: >"$scratch/journal"
mkfifo "$scratch/url"
"$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" >"$scratch/url" &
server=$!
read -r url <"$scratch/url"
printf '{"warder": "models/1", "models": {"m": {"provider": "openai", "base_url": "%s", "model": "scripted", "key_env": "TEST_KEY"}}}' \
        "$url" >"$scratch/models.json"
expect 0 "a task with an endpoint" env TEST_KEY=sk-secret warder task run --model m --models "$scratch/models.json" \
        -m 'sum() is wrong' --out "$scratch/real"
kill "$server"
wait "$server" 2>/dev/null
real=$(id_of "$scratch/real")
asked=$(wc -l <"$scratch/journal")
is "$(jq -r 'select(.kind == "model") | .data.status' "$scratch/real/receipt.jsonl" | tr '\n' ' ')" \
        "200 200 200 200 200 200 " "its receipt has the model's calls"
expect 0 "without the endpoint it comes to the same" warder task replay "$real"
has "$err" "came to the same as $real: verified" "says so"
is "$(wc -l <"$scratch/journal")" "$asked" "nobody was asked"

# ---- at most eight are kept

for n in 1 2 3 4 5 6 7 8; do
        warder task run --replay "$scratch/mend.json" -m "the tests fail $n" >/dev/null 2>&1 || echo "# task $n failed"
done
expect 6 "the oldest of nine cannot be replayed" warder task replay "$real"
is "$(ledger 'SELECT count(*) FROM task_inputs')" 8 "eight are kept"

# ---- a front that is killed between two lines leaves a chain that goes on

cat >"$scratch/slow.json" <<'J'
{"warder": "verify/1", "commands": [{"id": "slow", "run": ["sleep", "60"]}]}
J
{
        says architect 1 'tests fail' '{"content":"{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}"}'
        for n in 1 2 3 4 5 6 7 8 9; do
                says developer $n "$([ $n = 1 ] && echo 'begin at 0' || echo 'exit code 0')" '{"content":"","tool_calls":[{"name":"bash","arguments":{"command":"sleep 0.1 # '$n'"}},{"name":"bash","arguments":{"command":"sleep 0.05 # '$n'"}}]}'
        done
        says developer 10 'exit code 0' '{"content":"Done."}'
} | jq -s . >"$scratch/busy.json"
task=$(warder task start --spec "$scratch/slow.json" --replay "$scratch/busy.json" -m 'the tests fail')
expect 0 "a task is cancelled" warder task cancel "$task"
warder task watch "$task" >/dev/null 2>&1
expect 6 "it cannot be replayed" warder task replay "$task"
has "$err" "task $task was cancelled" "says so"
is "$(warder task list --json | jq -r '[.. | .state? // empty] | map(select(. == "running" or . == "queued" or . == "preparing")) | length')" 0 \
        "and nothing was started"
broken=0 ended=0 tried=0
for wait in 0.05 0.3 0.8 1.2 1.7 2.5; do
        task=$(warder task start --spec "$scratch/slow.json" --replay "$scratch/busy.json" -m 'the tests fail') || continue
        sleep "$wait"
        pid=$(front_pid)
        [ -n "$pid" ] || continue
        tried=$((tried + 1))
        kill -KILL "$pid"
        supervisor_ended
        warder task cancel "$task" >/dev/null # where the next front took it up
        warder task receipt "$task" --out "$scratch/killed.jsonl" 2>/dev/null
        warder task receipt --check "$scratch/killed.jsonl" --anchors "$WARDER_STATE/anchors" >"$scratch/checked" 2>&1 ||
                { broken=$((broken + 1)); diag "$(cat "$scratch/checked" "$scratch/killed.jsonl" | cut -c1-300)"; }
        case $(jq -r 'select(.kind == "end" or .kind == "resume") | .data.cause' "$scratch/killed.jsonl" | tr '\n' ' ') in
        "supervisor_lost " | "supervisor_lost cancelled ") ended=$((ended + 1)) ;;
        *) diag "$(cut -c1-300 "$scratch/killed.jsonl")" ;;
        esac
done
is "$tried" 6 "six fronts were killed with SIGKILL while a task ran"
expect 6 "what did not end by itself cannot be replayed" warder task replay "$task"
has "$err" "no end of its own" "says so"
is "$broken" 0 "every chain is whole, ended and signed"
is "$ended" 6 "each says supervisor_lost, where it ended or went on"
done_testing
