#!/bin/sh
# The workflows of examples/agents, and the way to a snapshot that their page tells: pack-root makes a root of this host's
# programs, in which stand-ins have the names of the agents. Each looks whether it was started as the real one wants it, then
# works as tests/fakes/script-agent does. The real ones: tests/agent/peers (make check-peers).
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git ldd realpath
[ -x /usr/bin/python3 ] || skip_all "/usr/bin/python3 is not installed"
[ -x "$top_builddir/supervisor/egress/warder-egress" ] || skip_all "supervisor/egress/warder-egress is not built"

examples=$top_srcdir/examples/agents
MODEL_KEY=sk-only-egress-may-see-this
export MODEL_KEY
git=$(command -v git)

# ---- the root
root=$scratch/root
mkdir -p "$root/usr/local/bin"
cp "$top_srcdir/tests/fakes/script-agent" "$root/usr/local/bin/script-agent"
stand_in() { # stand_in NAME DIALECT WORDS: a program that wants these words, a pattern, among its arguments
        cat >"$root/usr/local/bin/$1" <<END
#!/bin/sh
case "|\$*" in
$3) exec python3 /usr/local/bin/script-agent $2 ;;
*) echo "wrong words: \$*"; exit 9 ;;
esac
END
        chmod 755 "$root/usr/local/bin/$1"
}
# shellcheck disable=SC2016
stand_in codex chat '*exec*base_url=\"$OPENAI_BASE_URL\"*web_search=\"disabled\"*-m\ mm\ --\ the\ sum*'
stand_in claude messages '*-p\ *--model\ mm\ --\ the\ sum*'
stand_in qwen chat '*--prompt=the\ sum*'
stand_in opencode chat '*run\ -m\ warder/model\ --\ the\ sum*'
library=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
expect 0 "pack-root copies programs" sh "$examples/pack-root" "$root" sh env sed tr cat touch python3 "$library"
expect 0 "they run there" chroot "$root" /bin/sh -c 'echo ok | sed s/k/K/ && python3 -c "import json, urllib.request"'
is "$out" oK "with their libraries"
expect 1 "a program that is missing" sh "$examples/pack-root" "$scratch/none" no-such-program
has "$err" "there is no no-such-program" "is named"
chmod -R go+rX "$root"
tar -C "$root" -cf "$scratch/root.tar" .
expect 0 "a tar of it is a snapshot" warder snapshot import agents "$scratch/root.tar"

# ---- the project and the model
mkdir "$scratch/repo"
cd "$scratch/repo" || exit 1
$git init -q .
# shellcheck disable=SC2016
printf 'add() {\n\techo $(($1 - $2))\n}\n' >add.sh
printf '. ./add.sh\ntest "$(add 2 3)" = 5 && echo "ok 1 - sum" || echo "not ok 1 - sum"\necho 1..1\n' >test.sh
$git add -A
$git -c user.name=t -c user.email=t@example.invalid commit -q -m base

# The first try is wrong, the second right: what tells them apart lies in the jail, outside of the work
try='if test -e /tmp/tried; then sed -i s/[*]/+/ add.sh; else touch /tmp/tried; sed -i s/-/*/ add.sh; fi'
python3 - "$try" "$scratch" <<'END'
import json, sys
def chat(text):
    return {"stream": [{"choices": [{"index": 0, "delta": {"content": text}}]},
                       {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}, "[DONE]"]}
def messages(text):
    return {"stream": [{"type": "message_start", "message": {"usage": {"input_tokens": 100, "output_tokens": 1}}},
                       {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
                       {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
                       {"type": "message_stop"}]}
for say in chat, messages:
    with open(f"{sys.argv[2]}/{say.__name__}.json", "w") as file:
        json.dump([say(text) for text in (sys.argv[1], "done", sys.argv[1], "done")], file)
END

serve() { # serve SCRIPT: a model server with this script; sets $server, writes models.json
        : >"$scratch/url"
        rm -f "$scratch/journal"
        python3 -B "$top_srcdir/tests/fakes/model-server" "$1" --journal "$scratch/journal" >"$scratch/url" &
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

for agent in codex claude qwen opencode; do
        expect 0 "$agent.json is a good workflow" warder workflow check "$examples/$agent.json"
        script=$scratch/chat.json
        [ "$agent" != claude ] || script=$scratch/messages.json
        serve "$script"
        expect 0 "$agent: verified" warder task run --models "$scratch/models.json" --model m --snapshot agents --policy strict \
                --workflow "$examples/$agent.json" --request "the sum is wrong" --run "sh test.sh" --parse tap --protect test.sh \
                --out "$scratch/result"
        is "$(grep -c '"event": *"verify.end"' "$scratch/result/events.jsonl")" 2 "$agent: at the second try"
        # shellcheck disable=SC2016
        has "$(cat "$scratch/result/patch.diff")" '+	echo $(($1 + $2))' "$agent: its change is the patch"
        is "$(grep -c "$MODEL_KEY" "$scratch/journal")" 4 "$agent: each request has egress's key"
        kill "$server"
        wait "$server" 2>/dev/null
done

nothing_left "after all"
done_testing
