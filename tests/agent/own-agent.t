#!/bin/sh
# examples/own-agent in warder-agent's place: by the shipped policy it cannot even start; by the administrator's one beside it, it
# mends, is judged, goes on after kill -9 from what it committed, and reaches nothing but its model.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need python3 git cc pgrep
[ -x /usr/bin/python3 ] || skip_all "/usr/bin/python3 is not installed"
[ -x "$top_builddir/supervisor/egress/warder-egress" ] || skip_all "supervisor/egress/warder-egress is not built"
. "$top_srcdir/tests/rpc/other-agent.sh"

MODEL_KEY=sk-only-egress-may-see-this
export MODEL_KEY
git=$(command -v git)
mkdir "$scratch/repo"
cd "$scratch/repo" || exit 1
$git init -q .
# shellcheck disable=SC2016
printf 'add() {\n\techo $(($1 - $2))\n}\n' >add.sh
printf '. ./add.sh\ntest "$(add 2 3)" = 5 && echo "ok 1 - sum" || echo "not ok 1 - sum"\necho 1..1\n' >test.sh
$git add -A
$git -c user.name=t -c user.email=t@example.invalid commit -q -m base

install_agent() { # install_agent SCRIPT: a program of it in the agent's place
        rm -rf "$scratch/wrap"
        mkdir "$scratch/wrap"
        cp "$1" "$scratch/wrap/agent.py"
        (cd "$scratch/wrap" && cc -o "$libexec/agent/warder-agent" "$top_srcdir/examples/own-agent/wrap.c") || exit 1
}

server=
serve() { # serve SCRIPT: a model server with this script; sets models.json
        [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
        printf '%s' "$1" >"$scratch/script.json"
        : >"$scratch/url"
        rm -f "$scratch/journal"
        /usr/bin/python3 -B "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" >"$scratch/url" &
        server=$!
        tries=0
        while ! grep -q http "$scratch/url"; do
                tries=$((tries + 1))
                [ "$tries" -lt 1200 ] || { diag "the model server does not start"; exit 1; }
                sleep 0.05
        done
        printf '{"warder": "models/1", "models": {"m": {"provider": "openai", "base_url": "%s", "model": "mm", "key_env": "MODEL_KEY"}}}\n' \
                "$(cat "$scratch/url")" >"$scratch/models.json"
}

run_task() { # run_task CODE NAME [OPTION…]
        want=$1 what=$2
        shift 2
        rm -rf "$scratch/result"
        expect "$want" "$what" warder task run --models "$scratch/models.json" --model m --request "the sum is wrong" \
                --run "sh test.sh" --parse tap --protect test.sh --out "$scratch/result" "$@"
}

install_agent "$top_srcdir/examples/own-agent/agent.py"
wrong='{"content": "sed -i s/-/*/ add.sh; echo tried"}' right='{"content": "sed -i s/[*]/+/ add.sh"}' done='{"content": "DONE"}'
serve "[$wrong, $done, $right, $done]"

# ---- the wall of the shipped policy
run_task 6 "by the shipped policy an agent that starts an interpreter"
has "$err" "exited with 127" "cannot: that is refused"
[ ! -s "$scratch/journal" ]
ok $? "and nothing asked the model"
nothing_left "after the first" # the next supervisor reads its policies anew

# ---- the administrator's
mkdir -p "$WARDER_CONFIG/policies"
cp "$top_srcdir/examples/own-agent/agent.json" "$WARDER_CONFIG/policies/"
chmod -R u=rwX,go=rX "$WARDER_CONFIG"
run_task 0 "by the administrator's policy it works"
# shellcheck disable=SC2016
has "$(cat "$scratch/result/patch.diff")" '+	echo $(($1 + $2))' "its change is the patch"
is "$(grep -c '"event": *"verify.end"' "$scratch/result/events.jsonl")" 2 "its first try was judged and told"
has "$(sed -n 3p "$scratch/journal")" "1 of 1 tests fail" "to its model"
has "$(sed -n 2p "$scratch/journal")" "tried" "as was what its command printed"
is "$(grep -c "$MODEL_KEY" "$scratch/journal")" 4 "each request has egress's key"

# ---- killed while its model thinks, it goes on with what it had been told
below() { # below PID: the ids of all its descendants
        for child in $(pgrep -P "$1"); do
                echo "$child"
                below "$child"
        done
}
find_agent() { # the id of this instance's process that is python with the agent's text
        for pid in $(for top in $(supervisor_pids); do below "$top"; done); do
                tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "stands in warder-agent's place" && echo "$pid"
        done
}
serve "[$wrong, {\"slow\": 3600, \"content\": \"late\"}, $right, $done]"
warder task run --models "$scratch/models.json" --model m --request "the sum is wrong" --run "sh test.sh" --parse tap \
        --protect test.sh --out "$scratch/result" >"$scratch/out" 2>"$scratch/err" &
client=$!
tries=0
while [ "$(grep -c . "$scratch/journal" 2>/dev/null)" != 2 ] && [ "$tries" -lt 1200 ]; do
        tries=$((tries + 1))
        sleep 0.1
done
agent=$(find_agent)
is "$(echo "$agent" | wc -w)" 1 "the agent waits for its model"
# shellcheck disable=SC2086
[ -z "$agent" ] || kill -9 $agent
code=0
wait "$client" || code=$?
is "$code" 0 "killed, it is started again, and the task ends verified"
has "$(sed -n 3p "$scratch/journal")" "tried" "the new one knows what the old one had committed"
is "$(grep -c . "$scratch/journal")" 4 "and asks only for what is still to be done"

# ---- a hostile one, under the same policy
cat >"$scratch/hostile.py" <<'END'
import glob, json, os, socket
link = socket.socket(fileno=3)
def send(method, number=None, **params):
    link.sendall(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **({"id": number} if number else {})}).encode() + b"\n")
def lines():
    with link.makefile() as file:
        yield from map(json.loads, file)
answers = lines()
send("task.info", 1)
info = next(answers)["result"]
found = []
port = int(info["request"])
for family, where in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("192.0.2.1", 443))):
    try:
        socket.create_connection(where, 5)
        found.append("network")
    except OSError:
        pass
for path in glob.glob("/run/warder/*/*") + glob.glob("/run/warder/*") + glob.glob("/var/lib/warder/*") + ["/etc/shadow", "/work/add.sh"]:
    if os.access(path, os.R_OK):
        found.append(path)
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        found += ["key"] if b"sk-only" in open(path, "rb").read() else []
    except OSError:
        pass
send("event", event="notice", data={"text": f"found: {found}"})
send("finish", 2, state="failed", cause="looked")
next(answers)
END
install_agent "$scratch/hostile.py"
nothing_left "before the hostile one"
port=$(sed 's,.*:\([0-9]*\)/.*,\1,' "$scratch/url")
/usr/bin/python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)' "$port"
ok $? "outside, the model's server can be reached"
expect 6 "a hostile agent" warder task run --models "$scratch/models.json" --model m --request "$port" --run "sh test.sh" --parse tap
has "$err" "found: []" "finds no way to it, no other network, no socket of warder's, no file of the project, no key"

kill "$server"
wait "$server" 2>/dev/null
nothing_left "after all"
done_testing
