#!/bin/sh
# money: what a model's calls cost by the price of models.json; a limit that holds, also beyond an interruption and over
# forks and other agents; where there is no price there is no money
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

project=$scratch/project
make_project "$project"
cp "$top_srcdir/tests/fakes/script-agent" "$project/agent.py"
cd "$project" || exit 1
git add agent.py
git -c user.name=t -c user.email=t@example.org commit -qm agent
TEST_KEY=sk-secret-0815
export TEST_KEY
server=

stop_serving() {
        [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
        server=
}
# serve ENTRIES: a scripted endpoint, for a model with a price and one without
serve() {
        stop_serving
        printf '[%s]' "$1" >"$scratch/script.json"
        : >"$scratch/journal"
        rm -f "$scratch/url"
        mkfifo "$scratch/url"
        "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" >"$scratch/url" &
        server=$!
        read -r url <"$scratch/url"
        jq -n --arg url "$url" '{provider: "openai", base_url: $url, model: "scripted", key_env: "TEST_KEY"} as $m |
                {warder: "models/1", models: {free: $m, dear: ($m + {price: {input: 3.0, output: 15, cached_input: 0.3, currency: "USD"}})}}' \
                >"$scratch/models.json"
}
task() { # task CODE NAME MODEL OPTION…
        code=$1 name=$2 model=$3
        shift 3
        rm -rf "$scratch/result"
        expect "$code" "$name" warder task run --json --model "$model" --models "$scratch/models.json" -m 'sum() is wrong' \
                --out "$scratch/result" "$@"
}
ends() { # ends EXPRESSION: of how it ended
        printf '%s\n' "$out" | jq -r "select(.event == \"task.end\") | $1"
}
asked() {
        wc -l <"$scratch/journal" | tr -d ' '
}
# 2000 tokens at 3, 1000 of the cache at 0.3, 400 at 15 a million: 12,300 millionths
usage='"usage":{"prompt_tokens":3000,"completion_tokens":400,"prompt_tokens_details":{"cached_tokens":1000}}'
cost=12300
says() { # says TEXT
        printf '{"content":"%s",%s}' "$1" "$usage"
}
call() { # call TOOL ARGUMENTS
        printf '{"tool_calls":[{"name":"%s","arguments":%s}],%s}' "$1" "$2" "$usage"
}
plan=$(says '{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}')
wrong=$(call edit '{"path":"src/sum.c","old_string":"int total = 0","new_string":"int total = 4"}')
right=$(call bash '{"command":"sed -i \"s/int total = 4/int total = 0/; 0,/int i = 1/s//int i = 0/\" src/sum.c"}')
done_=$(says 'It is done.')
busy=$plan
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do busy="$busy,$(call write "{\"path\":\"file$i\",\"content\":\"$i\"}")"; done

# ---- counted and shown

serve "$plan,$wrong,$done_,$right,$done_"
task 0 "a task with a price" dear
is "$(ends .state)" verified "is carried out"
is "$(ends '.used.money | tostring')" "[$((5 * cost)),30000000,\"USD\"]" \
        "each call is counted; the limit is what all of its tokens cost at the dearest"
is "$(printf '%s\n' "$out" | jq -c 'select(.event == "model.call" and .data.call) | .data | [.money, .tokens_in, .tokens_cached]' | sort -u)" \
        "[$cost,3000,1000]" "each is told, with what was cached"
is "$(jq -s 'map(select(.kind == "model") | .data.money) | add' "$scratch/result/receipt.jsonl")" "$((5 * cost))" "and in the receipt"
is "$(jq -c 'select(.kind == "begin") | .data | [.model.price.input, .model.price.cached_input, .model.price.cache_write, .budgets.money]' \
        "$scratch/result/receipt.jsonl")" "[3000000,300000,3000000,30000000]" "which begins with the price"
has "$(cat "$scratch/result/summary.md")" "The model cost 0.0615 of 30.00 USD." "the summary says it"
has "$(cat "$scratch/result/report.html")" '<td class="n">0.0615 USD</td><td class="n">30.00 USD</td>' "and so does the report"
id=$(ends .task)
expect 0 "task show" warder task show "$id"
has "$out" "money [..........] 0.0615/30.00 USD" "shows it as a bar"
expect 0 "task log" warder task log "$id"
has "$out" ", cost 0.0123" "has what each call cost"
expect 0 "models list" warder models list --models "$scratch/models.json"
is "$(printf '%s\n' "$out" | sed 's/  */ /g')" "NAME MODEL A MILLION TOKENS COST ADDRESS
free scripted - $url 
dear scripted 3.00 in, 15.00 out, 0.30 from the cache USD $url " "shows the prices"
is "$(warder models list --json --models "$scratch/models.json" | jq -c '.models | map([.name, .price.output])')" '[["free",null],["dear",15]]' \
        "for programs too"
hasnt "$out" TEST_KEY "and no word of the key"

# ---- the limit

serve "$busy"
task 3 "a limit of money" dear --limit money=0.10
is "$(ends '"\(.state) \(.cause)"')" "limit money" "ends the task by its name"
used=$(ends '.used.money[0]')
is "$used" "$(($(asked) * cost))" "what was asked is what was counted"
ok "$([ "$used" -gt 0 ] && [ "$used" -le 100000 ]; echo $?)" "and no more than there was: $used"
has "$(printf '%s\n' "$out" | jq -r 'select(.event == "limit") | .data.text')" "of 0.10 USD are used, and what is left does not pay" \
        "the limit says what is used, of what"
is "$(jq -r 'select(.kind == "limit") | .data | "\(.limit) \(.used.money[1])"' "$scratch/result/receipt.jsonl")" "money 100000" \
        "and stands in the receipt"
serve "$plan"
task 3 "less than one call may cost" dear --limit money=0.01
is "$(ends '"\(.cause) \(.used.money[0])"') $(asked)" "money 0 0" "is not spent at all"
serve '{"content":"{}","usage":{"prompt_tokens":3000,"completion_tokens":100000}}'
task 3 "an answer that costs more than anybody could know" dear --limit money=0.10
is "$(ends '"\(.cause) \(.used.money[0]) \(.used.calls[0])"')" "money 1509000 1" "is the last one"
has "$(printf '%s\n' "$out" | jq -r 'select(.event == "limit") | .data.text')" "used up: 1.51 USD of 0.10 USD" "and is told as it is"

# ---- all that a task consists of

serve '{"content":"true",'"$usage"'}'
echo '{"warder": "workflow/1", "name": "other", "steps": [{"id": "work", "command-agent": ["python3", "agent.py", "plain"]}]}' >"$scratch/other.json"
task 3 "another vendor's agent" dear --workflow "$scratch/other.json" --limit money=0.10
is "$(ends .cause) $(printf '%s\n' "$out" | jq -s 'map(select(.event == "model.call" and .data.by == "command") | .data.money) | add')" \
        "money $(ends '.used.money[0]')" "spends the same money"
ok "$([ "$(ends '.used.money[0]')" -le 100000 ]; echo $?)" "and no more of it"

serve '{"slow":0.2,"content":"Try it.",'"$usage"'}'
echo '{"warder": "workflow/1", "name": "many", "steps": [{"id": "tries", "race": 4, "wins": "false", "steps": [
        {"id": "all", "foreach": "[range(9)]", "steps": [{"id": "think", "agent": "architect", "prompt": "Think", "output": {"type": "string"}}]}]}]}' \
        >"$scratch/many.json"
task 3 "forks that spend it at the same time" dear --workflow "$scratch/many.json" --limit money=0.10
is "$(ends '"\(.cause) \(.used.money[0])"')" "money $(($(asked) * cost))" "end by it, together"
ok "$([ "$(asked)" -le 8 ]; echo $?)" "after no more calls than it pays for: $(asked)"

serve "{\"slow\":30,$usage,\"content\":\"late\"},$plan,$wrong,$done_,$right,$done_"
warder task run --json --model dear --models "$scratch/models.json" -m 'sum() is wrong' >"$scratch/killed" 2>&1 &
client=$!
timeout 120 sh -c "until [ -s '$scratch/journal' ]; do sleep 0.1; done"
for pid in $(supervisor_pids); do
        for egress in $(pgrep -P "$pid" -x warder-egress); do kill -KILL "$egress"; done
done
wait "$client"
is $? 0 "egress is killed: the task goes on"
is "$(jq -r 'select(.event == "task.end") | .used.money[0]' "$scratch/killed")" "$((5 * cost))" "and its sum with it"

serve "$plan,$plan"
echo '{"warder": "workflow/1", "name": "asks", "steps": [{"id": "plan", "agent": "architect", "prompt": "Plan"},
        {"id": "wait", "ask": "Go on?"}, {"id": "again", "agent": "architect", "prompt": "Plan"}]}' >"$scratch/asks.json"
id=$(warder task start --model dear --models "$scratch/models.json" --workflow "$scratch/asks.json" -m 'sum() is wrong')
shown() { # shown EXPRESSION: of task.show
        warder task show --json "$id" | jq -r "$1"
}
waits_until() { # waits_until EXPRESSION NAME: with patience
        tries=1200
        until [ "$(shown "$1")" = true ] || [ $tries -eq 0 ]; do
                sleep 0.1
                tries=$((tries - 1))
        done
        is "$(shown "$1")" true "$2"
}
waits_until '.state == "suspended"' "a task that waits for a person"
is "$(shown '.used.money | tostring')" "[$cost,30000000,\"USD\"]" "has spent what it has spent"
supervisor_ended 120 || diag "the supervisor is still alive"
expect 0 "its supervisor has ended when it gets its answer" warder task answer "$id" yes
waits_until '.cause == "model_key"' "the key was lost with that"
printf %s "$TEST_KEY" >"$scratch/key"
expect 0 "somebody brings it again" warder task resume --key "$scratch/key" "$id"
waits_until '.ended != null' "and it comes to its end"
is "$(shown '.used.money | tostring')" "[$((2 * cost)),30000000,\"USD\"]" "with the sum of both, by the price of the first"

# ---- without a price

serve "$plan,$wrong,$done_,$right,$done_"
task 0 "a model without a price" free
is "$(ends '.used | has("money")') $(grep -c '"money"' "$scratch/result/receipt.jsonl")" "false 0" "has no money"
hasnt "$(warder task show "$(ends .task)")" money "and shows none"
before=$(asked)
task 2 "a limit on it" free --limit money=2.50
has "$out$err" "this model has no price, so its money cannot be limited" "is refused"
has "$out$err" "models.json" "with what to do"
is "$(asked)" "$before" "before anything is asked"
echo '[]' >"$scratch/transcript.json"
expect 2 "a limit on a recorded model" warder task run --replay "$scratch/transcript.json" -m x --limit money=2.50
has "$err" "a recorded model costs nothing" "likewise"
for amount in lots -1 0 1e3 0.0000001 2,50; do
        expect 2 "a limit of $amount" warder task run --model dear --models "$scratch/models.json" -m x --limit money="$amount"
        has "$err" "an amount such as 2.50" "says what one looks like"
done

# ---- what is no price

while IFS='|' read -r price words; do
        jq --argjson price "$price" '.models.dear.price = $price' "$scratch/models.json" >"$scratch/wrong.json"
        expect 1 "$price" warder models list --models "$scratch/wrong.json"
        has "$err" "$words" "is refused: $words"
done <<'END'
{"input": 3}|it lacks "output"
{"input": 3, "output": -1}|output is no price
{"input": 3, "output": "15"}|output is no price
{"input": 0.0000001, "output": 15}|input is no price
{"input": 1000001, "output": 15}|input is no price
{"input": 3, "output": 15, "cached-input": 1}|'cached-input' is unknown
{"input": 3, "output": 15, "cached_input": 4}|cached_input costs more than input
{"input": 3, "output": 15, "cache_write": 1}|cache_write costs less than input
{"input": 3, "output": 15, "currency": "US Dollars"}|currency is a word
{"input": 3, "output": 15, "currency": "DOUBLOONS"}|currency is a word
[3, 15]|it is an object
END
expect 6 "a task with such a price" warder task run --model dear --models "$scratch/wrong.json" -m x
has "$err" 'The "price" of model '"'dear'" "is refused as well"
stop_serving
nothing_left "after all of it"
done_testing
