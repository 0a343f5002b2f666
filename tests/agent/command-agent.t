#!/bin/sh
# A step that runs another vendor's agent in the task's jail: its endpoint is egress's, its changes are the work, its
# word is worth nothing, its key is none, its model is the task's, its tokens are counted.
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
cp "$top_srcdir/tests/fakes/script-agent" agent.py
printf 'add() {\n\techo $(($1 - $2))\n}\n' >add.sh
printf '. ./add.sh\ntest "$(add 2 2)" = 4 && echo "ok 1 - sum" || echo "not ok 1 - sum"\necho 1..1\n' >test.sh
$git add -A
$git -c user.name=t -c user.email=t@example.invalid commit -q -m base

server=
serve() { # serve SCRIPT: a model server with this script; sets models.json
        [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
        printf '%s' "$1" >"$scratch/script.json"
        : >"$scratch/url"
        rm -f "$scratch/journal"
        python3 -B "$top_srcdir/tests/fakes/model-server" "$scratch/script.json" --journal "$scratch/journal" >"$scratch/url" &
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

chat() { # chat TEXT: as a stream of Chat Completions that says its cost in the end
        python3 -c '
import json, sys
parts = [{"choices": [{"index": 0, "delta": {"content": c}}]} for c in sys.argv[1].split("|")]
parts += [{"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}, "[DONE]"]
print(json.dumps({"stream": parts}))' "$1"
}

messages() { # messages TEXT: as a stream of Messages
        python3 -c '
import json, sys
parts = [{"type": "message_start", "message": {"usage": {"input_tokens": 100, "output_tokens": 1}}}]
parts += [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": c}} for c in sys.argv[1].split("|")]
parts += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}}, {"type": "message_stop"}]
print(json.dumps({"stream": parts}))' "$1"
}

port_of() { # port_of PATH: where a step of this path first looks for a free port
        python3 -c '
import sys
sum = 0
for c in sys.argv[1].encode():
    sum = (31 * sum + c) % (1 << 32)
print(20000 + sum % 10000)' "$1"
}

workflow() { # workflow STEPS: JSON of the steps
        printf '{"warder": "workflow/1", "name": "other", "steps": [%s]}\n' "$1" >"$scratch/workflow.json"
}

run_task() { # run_task CODE NAME [OPTION…]
        want=$1 name=$2
        shift 2
        rm -rf "$scratch/result"
        expect "$want" "$name: exit code $want" warder task run --models "$scratch/models.json" --model m \
                --workflow "$scratch/workflow.json" --request "the sum is wrong" --run "sh test.sh" --parse tap \
                --protect test.sh --out "$scratch/result" "$@"
}

events() { # events EXPRESSION: of each event e, what python makes of it where it is something
        python3 -c '
import json, sys
for line in open(sys.argv[1]):
    e = json.loads(line)
    d = e.get("data", {})
    value = eval(sys.argv[2])
    if value not in (None, False):
        print(value)' "$scratch/result/events.jsonl" "$1"
}

fix='sed -i |s/-/+/ add.sh'

# A stream of Chat Completions
serve "[$(chat "$fix"), $(chat done)]"
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "chat"]}, {"id": "check", "verify": {}}'
run_task 0 "an agent that speaks Chat Completions"
has "$(cat "$scratch/result/patch.diff")" '+	echo $(($1 + $2))' "what it changed is the patch"
is "$(grep -c "Bearer $MODEL_KEY" "$scratch/journal")" 2 "each of its requests has egress's key"
is "$(grep -c '\\"model\\": *\\"mm\\"' "$scratch/journal")" 2 "and is about the task's model"
hasnt "$(cat "$scratch/journal")" dearest "whichever it named"
is "$(grep -c include_usage "$scratch/journal")" 2 "its streams have to say what they cost"
is "$(events 'e["event"] == "model.call" and (d.get("by"), d["tokens_in"], d["tokens_out"])' | sort | uniq -c | tr -s ' ')" \
        " 2 ('command', 100, 20)" "each call is an event with its tokens"
is "$(events 'e["event"] == "task.state" and e["used"]["tokens"][0]' | tail -n 1)" 240 "and counts against the task's"

# A stream of Messages
serve "[$(messages "$fix"), $(messages done)]"
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "messages"]}'
run_task 0 "an agent that speaks Messages"
is "$(grep -c "x-api-key\": \"$MODEL_KEY" "$scratch/journal")" 2 "its requests have egress's key, in Anthropic's header"
is "$(events 'e["event"] == "task.state" and e["used"]["tokens"][0]' | tail -n 1)" 240 "its tokens are counted"

# It lies: it says that it is done
serve '[{"content": "done"}]'
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "plain"]}'
run_task 1 "an agent that is done without having done anything"

# Variables by the step's file, expressions, and what the step gives
serve '[{"content": "true"}, {"content": "done"}]'
workflow '{"id": "work", "command-agent": ["sh", "-c", "echo $OPENAI_API_KEY,$MINE,${USER-no user},$1; exec python3 agent.py plain", "-", "{{ .model.name }}"],
           "env": {"OPENAI_API_KEY": "mine", "MINE": "{{ .input.request }} at {{ .model.url }}", "USER": null}, "timeout": "5m"},
          {"id": "said", "exec": ["sh", "-c", "printf \"%s\" \"$1\" >said; test \"$2\" = \"2 0\" || touch wrong", "-", "{{ .steps.work.output }}",
                                  "{{ .steps.work.model.calls }} {{ .steps.work.code }}"]}'
run_task 1 "variables of its own"
patch=$(cat "$scratch/result/patch.diff")
has "$patch" "+mine,the sum is wrong at http://127.0.0.1:2" "are set, with the address and the task's text in them"
has "$patch" ",no user,mm" "or taken away; arguments know the model's name"
hasnt "$patch" "wrong b" "its output says how many calls it made and how it ended"

# What a hostile one finds: no key, no way on when it is over, no other network
serve '[{"content": "cat /proc/self/environ /proc/[0-9]*/environ 2>/dev/null | tr \"\\\\0\" \"\\\\n\" >found; env >>found; mount >>found; echo over"}, {"content": "done"}]'
workflow '{"id": "before", "exec": ["sh", "-c", "echo $OPENAI_BASE_URL >before"]},
          {"id": "work", "command-agent": ["sh", "-c", "echo $OPENAI_BASE_URL >url; setsid sleep 1000 >/dev/null 2>&1 & echo $! >pid; python3 agent.py plain; test -d /proc/$(cat pid) && echo yes >lived; python3 -c \"$1\" >during", "-",
            "import os, urllib.request as u; print(u.urlopen(os.environ[\"OPENAI_BASE_URL\"] + \"/models\").status)"]},
          {"id": "after", "exec": ["sh", "-c", "python3 -c \"$1\" >after 2>&1; test -d /proc/$(cat pid) && echo yes >lives; true", "-",
            "import urllib.request as u; print(u.urlopen(open(\"url\").read().strip() + \"/models\").status)"]}'
run_task 1 "a hostile one"
patch=$(cat "$scratch/result/patch.diff")
has "$patch" "+OPENAI_API_KEY=no-key-here" "it looks at every environment it can see"
hasnt "$patch" "$MODEL_KEY" "and finds no key"
is "$(python3 -c '
import re, sys
parts = re.split(r"^diff --git a/(\S+) .*$", sys.stdin.read(), flags=re.M)
found = {parts[i]: [l[1:] for l in parts[i + 1].split("\n") if l.startswith("+") and not l.startswith("+++")] for i in range(1, len(parts), 2)}
print(found["before"] == [""], found["during"] == ["200"], "Connection refused" in "".join(found["after"]), "lived" in found, "lives" in found)' <"$scratch/result/patch.diff")" \
        "True True True True False" "the way to the model is there while it runs, and closed with it; what it left behind is gone"

# Ways out: another model's server, the provider's own tools; each is refused and named
serve '[{"content": "python3 refused.py >refused 2>&1"}, {"content": "done"}]'
cat >refused.py <<'END'
import json, os, urllib.error, urllib.request
for path, body in (("/chat/completions", {"models": ["a"]}), ("/responses", {"tools": [{"type": "web_search"}]}),
                   ("/chat/completions", {"messages": [{"content": [{"image_url": {"url": "https://evil/?s"}}]}]}),
                   ("/files", {})):
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}))
        print("passed")
    except urllib.error.HTTPError as e:
        print(e.code, json.load(e)["error"]["code"])
END
$git add -A
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "plain"]}'
run_task 1 "requests that lead out"
is "$(sed -n '/^diff.* a\/refused /,$ s/^+\([0-9p].*\)/\1/p' "$scratch/result/patch.diff" | tr '\n' ';')" \
        "403 member;403 server_tool;403 address;404 not_found;" "are refused by egress"
is "$(wc -l <"$scratch/journal")" 2 "and not sent"
is "$(events 'd.get("phase") == "refused" and d["text"].split("): ")[0]' | sort | tr '\n' ';')" \
        "egress refused a request (403;egress refused a request (403;egress refused a request (403;egress refused a request (404;" \
        "the task's log says of each why"
has "$err" "egress refused a request (404): only POST" "and so do the lines of the command"
$git rm -qf refused.py

# What an administrator's policy lets out goes out, and nothing beside it: policy, front, egress, a command's own way
mkdir -p "$WARDER_CONFIG/policies"
sed 's/^{$/{"egress": {"allow": ["service_tier", "tools:web_search"]},/' "$top_srcdir/policies/default.json" >"$WARDER_CONFIG/policies/reaching.json"
cat >reach.py <<'END'
import json, os, urllib.error, urllib.request
for body in ({"service_tier": "flex", "user": "u", "tools": [{"type": "web_search"}], "input": "first"},
             {"tools": [{"type": "code_interpreter"}], "input": "second"}):
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/responses", json.dumps(body).encode(), {"Content-Type": "application/json"}))
        print("passed")
    except urllib.error.HTTPError as e:
        print(e.code, json.load(e)["error"]["code"])
END
$git add -A
workflow '{"id": "work", "command-agent": ["sh", "-c", "python3 reach.py >reached 2>&1"]}'
for policy in default reaching; do
        serve '[{"content": "done"}]' # the server answers on any path
        run_task 1 "a way out with the policy $policy" --policy $policy
        sed -n '/^diff.* a\/reached /,$ s/^+\([0-9p].*\)/\1/p' "$scratch/result/patch.diff" >"$scratch/reached.$policy"
        cp "$scratch/journal" "$scratch/journal.$policy" 2>/dev/null || : >"$scratch/journal.$policy"
done
is "$(tr '\n' ';' <"$scratch/reached.default")" "403 server_tool;403 server_tool;" "by the default one it is refused by its name"
is "$(wc -l <"$scratch/journal.default")" 0 "and nobody is asked"
is "$(tr '\n' ';' <"$scratch/reached.reaching")" "passed;403 server_tool;" "by one that allows it the first goes out, and no other"
is "$(python3 -c '
import json, sys
body = json.loads(json.loads(open(sys.argv[1]).readline())["body"])
print(body.get("service_tier"), body.get("user"), [t["type"] for t in body["tools"]], body["model"], body["store"])' "$scratch/journal.reaching")" \
        "flex None ['web_search'] mm False" "with what the policy names, the task's model, and nothing else"
$git rm -qf reach.py

# It fails: its step goes on, and its last words are told
serve '[{"content": "done"}]'
workflow '{"id": "work", "command-agent": ["sh", "-c", "python3 agent.py plain; seq 10000; echo I gave up; exit 3"]},
          {"id": "then", "exec": ["sh", "-c", "echo $1 >code", "-", "{{ .steps.work.code }}"]}'
run_task 1 "an agent that fails"
has "$(cat "$scratch/result/patch.diff")" "+3" "its code is there for the steps behind it"
is "$(events 'e["event"] == "command.end" and "text" in d and (d["code"], len(d["text"]), d["text"].split()[-4:])')" \
        "(3, 2048, ['10000', 'I', 'gave', 'up'])" "the end of what it said is in the log"
has "$err" "the command ended: exited 3; the last that it said:" "and is shown"

# Two tasks at once: neither sees the other's way to the model, nor what leads past it
serve '[{"slow": 3600, "content": "late"}, {"content": "python3 probe.py >found"}, {"content": "done"}]'
cat >probe.py <<'END'
import os, socket
own = int(os.environ["OPENAI_BASE_URL"].split(":")[2].split("/")[0])
listening = {int(line.split()[1].split(":")[1], 16) for line in list(open("/proc/net/tcp"))[1:] if line.split()[3] == "0A"}
print("listening", "own" if own in listening else sorted(listening), sorted(listening & {int(os.environ["NEIGHBOUR"]), int(os.environ["SERVER"])}))
for name, port in (("neighbour", int(os.environ["NEIGHBOUR"])), ("server", int(os.environ["SERVER"])), ("own", own)):
    with socket.socket() as s:
        s.settimeout(60)
        print(name, "connects" if s.connect_ex(("127.0.0.1", port)) == 0 else "refused")
END
$git add -A
workflow '{"id": "neighbour", "command-agent": ["python3", "agent.py", "plain"]}'
expect 0 "a task that goes on" warder task start --models "$scratch/models.json" --model m --workflow "$scratch/workflow.json" \
        --request "wait" --run "sh test.sh" --parse tap
waiting=$out
tries=0
while [ ! -s "$scratch/journal" ] && [ "$tries" -lt 1200 ]; do
        tries=$((tries + 1))
        sleep 0.1
done
theirs=$(port_of neighbour) past=$(sed 's,.*:\([0-9]*\)/.*,\1,' "$scratch/url")
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "plain"], "env": {"NEIGHBOUR": "'"$theirs"'", "SERVER": "'"$past"'"}}'
run_task 1 "a second one beside it"
is "$(sed -n '/^diff.* a\/found /,$ s/^+\([a-z].*\)/\1/p' "$scratch/result/patch.diff" | tr '\n' ';')" \
        "listening own [];neighbour refused;server refused;own connects;" "has its own listener in its jail and no other's; the server is out of reach"
is "$(warder task show --json "$waiting" | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])')" running "the first was there all the while"
expect 0 "and ends when it is cancelled" warder task cancel "$waiting"
$git rm -qf probe.py

# It does not wait for the answer: the call counts all the same, whether egress or the front hears of its end first
serve '[{"stream": [{"choices": [{"index": 0, "delta": {"content": "x"}}]}, "[DONE]"], "gap": 5}]'
cat >hasty.py <<'END'
import json, os, urllib.request
body = {"stream": True, "messages": [{"role": "user", "content": "x" * 4000}]}
answer = urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}))
answer.readline()
os._exit(0)
END
$git add -A
workflow '{"id": "work", "command-agent": ["python3", "hasty.py"]}, {"id": "check", "verify": {}}'
run_task 1 "an agent that leaves before its answer is whole"
is "$(events 'e["event"] == "model.call" and (d.get("by"), d["tokens_in"] >= 1000)')" "('command', True)" "has its call counted, and the tokens guessed"
$git rm -qf hasty.py

# Budgets
serve '[{"content": "true"}]'
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "plain"]}'
run_task 3 "one that goes round and round" --limit calls=5
has "$err" "calls" "is ended by the task's model calls"
is "$(wc -l <"$scratch/journal")" 5 "and made no more"
run_task 3 "one that uses too many tokens" --limit tokens=300
has "$err" "tokens" "is ended by the task's tokens"
workflow '{"id": "work", "command-agent": ["sleep", "1000"], "timeout": "1s"}, {"id": "then", "exec": ["sh", "-c", "echo $1 >cause", "-", "{{ .steps.work.cause }}"]}'
run_task 1 "one that does not end"
has "$(cat "$scratch/result/patch.diff")" "+wall_timeout" "is ended by its step's time"

# A port that somebody has already: the next one
port=$(port_of work)
serve "[$(chat "$fix"), $(chat done)]"
workflow '{"id": "squat", "exec": ["python3", "-c", "import os, socket, sys; s = socket.socket(); s.bind((\"127.0.0.1\", '"$port"')); s.listen(); os.fork() and os._exit(0); os.setsid(); [os.close(i) for i in (0, 1, 2)]; s.accept()"]},
          {"id": "work", "command-agent": ["sh", "-c", "python3 agent.py chat; echo $OPENAI_BASE_URL >url"]}'
run_task 0 "a port that is taken"
has "$(cat "$scratch/result/patch.diff")" "+http://127.0.0.1:$((port + 1))/v1" "the next one is used"
has "$(cat "$scratch/result/patch.diff")" '+	echo $(($1 + $2))' "and leads to the model"

# A recorded model answers warder-agent and nobody else
echo '[]' >"$scratch/transcript.json"
workflow '{"id": "work", "command-agent": ["python3", "agent.py", "plain"]}'
expect 6 "with a recorded model" warder task run --replay "$scratch/transcript.json" --workflow "$scratch/workflow.json" \
        --request "the sum is wrong" --run "sh test.sh" --parse tap
has "$err" "recorded model" "the step says why it cannot run"

workflow '{"id": "work", "command-agent": "agent --go"}'
expect 6 "a shell line" warder task run --replay "$scratch/transcript.json" --workflow "$scratch/workflow.json" \
        --request "the sum is wrong" --run "sh test.sh" --parse tap
has "$err" "/steps/0/command-agent: a list is needed" "is refused with its place"

kill "$server"
grep -rqF "$MODEL_KEY" "$scratch/result" "$WARDER_LOG" "$scratch/out" "$scratch/err" "$WARDER_STATE" 2>/dev/null
is $? 1 "nothing of ours has the key in the end"
nothing_left "after all"
done_testing
