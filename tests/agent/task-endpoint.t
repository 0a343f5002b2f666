#!/bin/sh
# A whole task against an endpoint that does wrong, through agent, egress and supervisor: each fault has
# its named end, an exit code, a sentence, and leaves nothing behind.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need python3 git
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

git=$(command -v git)
MODEL_KEY=sk-only-egress-may-see-this
export MODEL_KEY

mkdir "$scratch/repo"
cd "$scratch/repo" || exit 1
$git init -q .
printf 'add() {\n\techo $(($1 - $2))\n}\n' >add.sh
printf '. ./add.sh\ntest "$(add 2 2)" = 4 && echo "ok 1 - sum" || echo "not ok 1 - sum"\necho 1..1\n' >test.sh
$git add -A
$git -c user.name=t -c user.email=t@example.invalid commit -q -m base

server=
serve() { # serve SCRIPT: a model server with this script; sets $url
        printf '%s' "$1" >"$scratch/script.json"
        : >"$scratch/url"
        rm -f "$scratch/journal"
        python3 -B "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" \
                --journal "$scratch/journal" >"$scratch/url" &
        server=$!
        tries=0
        while ! grep -q http "$scratch/url"; do
                tries=$((tries + 1))
                [ "$tries" -lt 1200 ] || { diag "the model server does not start"; exit 1; }
                sleep 0.05
        done
        url=$(cat "$scratch/url")
}

route() { # route URL: models.json with one model there
        printf '{"warder": "models/1", "models": {"m": {"provider": "openai", "base_url": "%s", "model": "mm", "key_env": "MODEL_KEY"}}}\n' \
                "$1" >"$scratch/models.json"
}

run_task() { # run_task CODE NAME [OPTION…]: against the server that runs
        want=$1 name=$2
        shift 2
        expect "$want" "$name: exit code $want" \
                warder task run --models "$scratch/models.json" --model m \
                --request "the sum is wrong" --run "sh test.sh" --parse tap --protect test.sh \
                --out "$scratch/result" "$@"
}

fault() { # fault NAME SCRIPT CODE CAUSE WORDS [OPTION…]
        what=$1 status=$3 cause=$4 words=$5
        serve "$2"
        route "$url"
        shift 5
        run_task "$status" "$what" "$@"
        has "$err" "$cause" "$what: named $cause"
        has "$err" "$words" "$what: with a sentence"
        kill "$server"
        wait "$server" 2>/dev/null
}

zero='"headers": {"Retry-After": "0"}'
plan='{"content": "{\"plan\": \"make it add\", \"files\": [\"add.sh\"]}"}'
edit='{"tool_calls": [{"name": "edit", "arguments": {"path": "add.sh", "old_string": "$1 - $2", "new_string": "$1 + $2"}}]}'

fault "always 429" "[{\"status\": 429, $zero, \"body\": {\"error\": {\"message\": \"slow down\"}}}]" \
        6 model_rate_limit "slow down"
fault "always 500" "[{\"status\": 500, $zero}]" 6 model_status "HTTP 500"
fault "invalid JSON" '[{"status": 200, "body": "{\"choices\": ["}]' 6 model_reply "no valid JSON"
fault "an unknown tool" '[{"tool_calls": [{"name": "fly", "arguments": {}}]}]' 6 bad_tool_calls \
        "There is no tool"
fault "wrong arguments" '[{"tool_calls": [{"name": "read", "arguments": {"file": 7}}]}]' 6 bad_tool_calls \
        "do not fit"
fault "done without doing anything" "[$plan, {\"content\": \"All done.\"}]" 3 limit "verdict 2: failed" \
        --limit verifies=2
fault "an answer that never ends a connection" '[{"raw": "nonsense\r\n\r\n"}]' 6 model_unreachable "no answer of the provider"
fault "all calls used" '[{"tool_calls": [{"name": "glob", "arguments": {"pattern": "*"}}]}]' 3 calls "calls" \
        --limit calls=3
nothing_left "after the faults"

route "http://127.0.0.1:9/v1"
run_task 6 "an endpoint that is down"
has "$err" "model_unreachable" "an endpoint that is down: named"
has "$err" "no answer of the provider" "an endpoint that is down: with a sentence"

route "http://192.0.2.1/v1"
run_task 6 "a key over plain HTTP to another host"
has "$err" "unencrypted" "a key over plain HTTP to another host: said"

serve "[$plan, {\"status\": 429, \"headers\": {\"Retry-After\": \"1\"}}, $edit, {\"status\": 500}, {\"content\": \"It adds now.\"}]"
route "$url"
run_task 0 "429 and 500 on the way"
has "$(cat "$scratch/result/patch.diff")" '+	echo $(($1 + $2))' "and the patch is right"
is "$(grep -c "$MODEL_KEY" "$scratch/journal")" 5 "every request had the key"
# its exit code tells of files that went meanwhile, too
leaked=$(grep -rlF "$MODEL_KEY" "$scratch/result" "$WARDER_LOG" "$scratch/out" "$scratch/err" "$WARDER_STATE" 2>/dev/null)
is "$leaked" "" "and nothing else of ours has it"
kill "$server"
nothing_left "after a task that was verified"
done_testing
