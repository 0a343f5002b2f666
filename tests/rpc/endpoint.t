#!/bin/sh
# endpoint: a task whose model is an HTTP endpoint, reached through egress; the agent has no network, no key
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

project=$scratch/project
make_project "$project"
cd "$project" || exit 1
server=

# serve ENTRIES: a scripted endpoint; its address goes to models.json
serve() {
        printf '[%s]' "$1" >"$scratch/script.json"
        : >"$scratch/journal"
        rm -f "$scratch/url"
        mkfifo "$scratch/url"
        "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" >"$scratch/url" &
        server=$!
        read -r url <"$scratch/url"
        printf '{"warder": "models/1", "models": {"m": {"provider": "openai", "base_url": "%s", "model": "scripted", "key_env": "TEST_KEY"}}}' \
                "$url" >"$scratch/models.json"
}
stop_serving() {
        kill "$server"
        wait "$server" 2>/dev/null
}
task() { # task CODE NAME OPTION…
        code=$1 name=$2
        shift 2
        expect "$code" "$name" env TEST_KEY=sk-secret-0815 warder task run --json --model m \
                --models "$scratch/models.json" -m 'sum() is wrong' --out "$scratch/result" "$@"
}
state() {
        printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | "\(.state) \(.cause)"'
}
call() { # call TOOL ARGUMENTS
        printf '{"tool_calls":[{"name":"%s","arguments":%s}]}' "$1" "$2"
}

plan='{"content":"{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}"}'
wrong=$(call edit '{"path":"src/sum.c","old_string":"int total = 0","new_string":"int total = 4"}')
right=$(call bash '{"command":"sed -i \"s/int total = 4/int total = 0/; 0,/int i = 1/s//int i = 0/\" src/sum.c; env; cat /proc/net/dev"}')
done_='{"content":"It is done."}'

serve "$plan,$wrong,$done_,$right,$done_"
task 0 "a wrong edit, then a right one"
is "$(state)" "verified null" "verified"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data.verdict' | tr '\n' ' ')" \
        "failed passed " "after one verdict that failed"
is "$(jq -r '.headers.Authorization' "$scratch/journal" | sort -u)" "Bearer sk-secret-0815" "egress adds the key"
is "$(jq -r '.path' "$scratch/journal" | sort -u)" "/v1/chat/completions" "requests go below the address"
hasnt "$out" sk-secret-0815 "no event holds the key"
hasnt "$(jq -r '.body' "$scratch/journal")" sk-secret "nor does the agent's or the jail's environment"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | .used | "\(.calls[0]) \(.tokens[0])"')" "5 600" \
        "calls and tokens are counted by egress"
stop_serving

serve '{"status":429,"headers":{"Retry-After":"1"},"body":"slow down"},{"status":500,"body":"oops"},'"$plan,$wrong,$right,$done_"
task 0 "429 and 500 are tried again"
stop_serving

serve '{"status":401,"body":{"error":{"message":"no such key"}}}'
task 6 "a key that is refused"
is "$(state)" "error model_status" "error, by its name"
stop_serving

serve '{"raw":"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{\"a\":"}'
task 6 "invalid JSON"
is "$(state)" "error model_reply" "error, by its name"
stop_serving

serve "$plan,$(call nosuchtool '{}'),$(call edit '{"path":7}'),$wrong,$right,$done_"
task 0 "an unknown tool and wrong arguments are told to the model"
stop_serving

serve "$plan,$done_"
task 3 "done without doing anything" --limit verifies=2
is "$(state)" "limit verifies" "limit, by its name"
task 3 "tokens used up" --limit tokens=200
is "$(state)" "limit tokens" "limit, by its name"
stop_serving

serve '{"slow":30,"content":"late"}'",$plan,$wrong,$done_,$right,$done_"
env TEST_KEY=k warder task run --json --model m --models "$scratch/models.json" -m 'sum() is wrong' >"$scratch/killed" 2>&1 &
client=$!
timeout 120 sh -c "until [ -s '$scratch/journal' ]; do sleep 0.1; done"
for pid in $(supervisor_pids); do
        for egress in $(pgrep -P "$pid" -x warder-egress); do kill -KILL "$egress"; done
done
wait "$client"
is $? 0 "egress is killed: the task goes on with a new one"
is "$(jq -r 'select(.event == "notice" and .data.phase == "resume") | .data.cause' "$scratch/killed")" egress_lost "and says why"
nothing_left "after egress was killed"
stop_serving

task 6 "an endpoint that is down"
has "$(state)" "error model_" "error, by its name"
has "$out" "no answer of the provider" "with a sentence"
nothing_left "after all of it"
done_testing
