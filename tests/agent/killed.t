#!/bin/sh
# kill -9 of the agent and of egress while the model thinks: the task goes on, five times; then it ends as an error
# with its cause, the next task runs, and nothing is left behind.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need python3 git pgrep
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

mkdir "$scratch/repo"
cd "$scratch/repo" || exit 1
git init -q .
echo 'echo "ok 1 - it runs"; echo 1..1' >test.sh
git add -A
git -c user.name=t -c user.email=t@example.invalid commit -q -m base

# The first request of each task waits for longer than the test lasts
printf '[{"slow": 120, "content": "late"}]' >"$scratch/script.json"
: >"$scratch/url"
python3 -B "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" \
        >"$scratch/url" &
server=$!
tries=0
while ! grep -q http "$scratch/url"; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || { diag "the model server does not start"; exit 1; }
        sleep 0.05
done
printf '{"warder": "models/1", "models": {"m": {"provider": "openai", "base_url": "%s", "model": "mm"}}}\n' \
        "$(cat "$scratch/url")" >"$scratch/models.json"

below() { # below PID: the ids of all its descendants
        for child in $(pgrep -P "$1"); do
                echo "$child"
                below "$child"
        done
}

find_program() { # find_program NAME: the id of this instance's process whose first argument ends so
        for pid in $(for top in $(supervisor_pids); do below "$top"; done); do
                first=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | head -n 1)
                case $first in
                "$1" | */"$1") echo "$pid"; return ;;
                esac
        done
}

kill_while_thinking() { # kill_while_thinking PROGRAM CAUSE
        : >"$scratch/journal"
        warder task run --models "$scratch/models.json" --model m --request "do it" --run "sh test.sh" \
                --parse tap >"$scratch/out" 2>"$scratch/err" &
        client=$!
        tries=0
        while [ ! -s "$scratch/journal" ] && [ "$tries" -lt 1200 ]; do
                tries=$((tries + 1))
                sleep 0.1
        done
        [ -s "$scratch/journal" ]
        ok $? "$1: the model was asked"
        kills=0
        tries=0
        while kill -0 "$client" 2>/dev/null && [ "$tries" -lt 1200 ]; do
                asked=$(wc -l <"$scratch/journal")
                victim=$(find_program "$1")
                [ -z "$victim" ] || { kill -KILL "$victim" && kills=$((kills + 1)); }
                # the next one is killed when it has asked the model, too
                while kill -0 "$client" 2>/dev/null && [ "$(wc -l <"$scratch/journal")" = "$asked" ] &&
                        [ "$tries" -lt 1200 ]; do
                        tries=$((tries + 1))
                        sleep 0.1
                done
        done
        is "$kills" 6 "$1: killed, and killed again when another had asked the model"
        code=0
        wait "$client" || code=$?
        is "$code" 6 "$1 killed: exit code 6"
        has "$(cat "$scratch/err")" "$2" "$1 killed: the cause is $2"
        nothing_left "after $1 was killed"
}

kill_while_thinking warder-agent agent_lost
kill_while_thinking warder-egress egress_lost

expect 0 "the next call is served" warder run -- true
kill "$server"
nothing_left "at the end"
done_testing
