#!/bin/sh
# policy list, show, check, and --policy with a file of one's own
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
cd "$scratch" || exit 1
mkdir -m 755 admin admin/policies
WARDER_CONFIG=$scratch/admin
export WARDER_CONFIG

expect 0 "policy list" warder policy list
for name in agent ci debug default files strict; do
        has "$out" "$name " "it has $name"
done
has "$out" "compiler and a test suite" "what one is for"
has "$out" "policies/default.json" "and where it is"
expect 0 "policy show" warder policy show strict
is "$(echo "$out" | grep -c 'limits.memory  *1 GiB  *.*/strict.json:[0-9]')" 1 "a value with file and line"
is "$(echo "$out" | grep -c 'limits.output_max  *64 MiB  *.*/default.json:[0-9]')" 1 "and what it inherits from where"
expect 0 "policy show --json" warder policy show strict --json
is "$(echo "$out" | python3 -c 'import json,sys; print(json.load(sys.stdin)["limits"]["pids"])')" 256 "is JSON"
expect 1 "a policy that is not there" warder policy show nosuch
has "$err" "there is no policy nosuch" "is named"
expect 2 "no name" warder policy show
expect 2 "no file" warder policy check

cat >good.json <<'P'
{"warder": "policy/1", "extends": "default",
 "limits": {"memory": "300M", "pids": 40}} // tight
P
cat >bad.json <<'P'
{"warder": "policy/1", "extends": "default",
 // more than the parent
 "limits": {"memory": "300M",
            "pids": 40000}}
P
expect 0 "policy check of a good file" warder policy check good.json
is "$out" "good.json: good" "says so"
expect 1 "of a wrong one" warder policy check bad.json good.json
has "$out" "bad.json:4: /limits/pids: 40000 is more than 1024, which " "file, line, field, reason"
has "$out" "good.json: good" "and the others too"
expect 1 "as JSON" warder policy check --json bad.json
is "$(echo "$out" | python3 -c 'import json,sys; f = json.load(sys.stdin)["fault"]; print(f["line"], f["field"])')" \
        "4 /limits/pids" "line and field apart"
cat >worse.json <<'P'
{"warder": "policy/1", "extends": "default", "wall": "1h",
 "limits": {"memory": "lots",
            "cpu": "1600%"},
 "binds": "some",
 "command": {"nofile": 9}}
P
expect 1 "of unreadable, wrong, worse and good ones" warder policy check missing.json bad.json worse.json . good.json
has "$err" "missing.json: No such file" "the one is named"
has "$err" "read .: Is a directory" "and the other"
has "$out" "bad.json:4: /limits/pids" "and what is wrong with the next"
for fault in "1: .*wall" "2: /limits/memory" "3: /limits/cpu: 1600% is more than" "4: /binds" "5: /command/nofile: "; do
        is "$(echo "$out" | grep -c "^worse.json:$fault")" 1 "worse.json: $fault"
done
is "$(echo "$out" | grep -c worse.json)" 5 "each once"
has "$out" "good.json: good" "and what is not"
expect 1 "as JSON" warder policy check --json missing.json worse.json
is "$(echo "$out" | python3 -c 'import json,sys; print([len(json.loads(l)["faults"]) for l in sys.stdin])')" "[1, 5]" "one object a file"
cat >note.json <<'P'
{"warder": "policy/1", "extends": "default", "require": ["landlock", "psi"]}
P
lacks=$(warder policy show strict --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["missing"]))')
expect 0 "what this host lacks is no fault of a file" warder policy check note.json
if [ "$lacks" -gt 0 ] || [ ! -e /proc/pressure ]; then
        has "$out" "note.json: note: cannot be used here: this host lacks " "but a note"
fi

expect 0 "policy show of a file" warder policy show ./good.json
is "$(echo "$out" | grep -c 'limits.memory  *300 MiB  *\./good.json:2')" 1 "has its own values from its lines"
is "$(echo "$out" | grep -c 'limits.disk  *150 MiB  *half of limits.memory')" 1 "what follows from them"
is "$(echo "$out" | grep -c 'limits.inodes .*/default.json:[0-9]')" 1 "and its parent's from there"
expect 1 "of a wrong one" warder policy show ./bad.json
has "$err" "bad.json:4: /limits/pids: 40000 is more than 1024" "says what is wrong"

expect 0 "sixty processes" warder run --no-work -- sh -c 'for i in $(seq 60); do sleep 9 & done'
expect 2 "under one's own file" warder run --no-work --policy ./good.json -- sh -c 'for i in $(seq 60); do sleep 9 & done'
has "$err" "ork" "are more than the forty that it says"
jail=$(warder create --no-work --policy ./good.json)
expect 0 "ls" warder ls --json
is "$(echo "$out" | python3 -c 'import json,sys; print([j["policy"] for j in json.load(sys.stdin)["jails"] if j["jail"] == sys.argv[1]])' "$jail")" "['./good.json']" \
        "names the file, not its parent"
warder rm "$jail"
echo '{"warder": "policy/1", "extends": "default", "seccomp": "strict"}' >filter.json
is "$(warder policy show ./filter.json --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["filter"])')" \
        "$(warder policy show strict --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["filter"])')" \
        "a file with a tighter seccomp profile has that one's filter"
queue='import ctypes; raise SystemExit(ctypes.CDLL(None).msgget(0, 0o1600) < 0)'
expect 0 "a message queue under default" warder run --no-work -- python3 -c "$queue"
expect 1 "is refused under that file" warder run --no-work --policy ./filter.json -- python3 -c "$queue"
expect 125 "a file that loosens" warder run --no-work --policy ./bad.json -- true
has "$err" "bad.json:4: /limits/pids" "makes no jail"
expect 125 "a file that is not there" warder run --no-work --policy ./missing.json -- true
expect 125 "a name of nobody" warder run --no-work --policy nosuch -- true
has "$err" "there is no policy nosuch" "is refused"
cat >own.sh <<'P'
home=$(getent passwd "$(id -u)" | cut -d: -f6)
mount -t tmpfs none "$home" && mkdir -p "$home/.config/warder/policies" || exit 9
echo '{"warder": "policy/1", "extends": "default", "host_root": false}' >"$home/.config/warder/policies/default.json"
warder policy list >&2
exec warder run --no-work --policy default -- true
P
expect 125 "a policy below ~/.config/warder" unshare -m sh own.sh
has "$err" "/policies/default.json does not allow the host's own root" "comes before the administrator's, and tightens it"
has "$err" ".config/warder/policies/default.json" "and is listed"
cp good.json admin/policies/team.json
expect 0 "an administrator's policy" warder run --no-work --policy team -- true
WARDER_POLICY=./bad.json expect 125 "\$WARDER_POLICY counts" warder run --no-work -- true
cp good.json admin/policies/open.json
chmod o+w admin/policies/open.json
expect 125 "what everybody may write" warder run --no-work --policy open -- true
has "$err" "chmod o-w" "is no policy"
chmod g+w admin
WARDER_INSTANCE=$WARDER_INSTANCE-w expect 125 "nor is a directory that others may write" warder run --no-work -- true
has "$(cat "$WARDER_LOG")" "must belong to root" "with the reason in its log"
done_testing
