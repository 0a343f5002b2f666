#!/bin/sh
# spec: what a verify spec says of its commands: limits, environment, directory; and where it is wrong
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq python3

project=$scratch/project
mkdir -p "$project/sub/deep"
cd "$project" || exit 1
git init -q -b main
echo one >sub/deep/file
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm base
echo 'diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+x' >"$scratch/change.patch"

true='["true"]'
spec() { # spec FIELDS [RUN]: of one command
        printf '{"warder": "verify/1", "commands": [{"id": "it", "run": %s, %s}]}\n' \
                "${2:-$true}" "$1" >"$scratch/spec.json"
}
verify() { # verify CODE WHAT
        expect "$1" "$2" warder verify --json --spec "$scratch/spec.json" "$scratch/change.patch"
}
verdict() {
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}

# ---- limits of one command

spec '"wall": "1s"' '["sleep", "60"]'
verify 3 "wall: its time"
is "$(verdict .cause)" wall_timeout "by its name"
spec '"cpu_time": "200ms"' '["sh", "-c", "while :; do :; done"]'
verify 3 "cpu_time: its processor time"
is "$(verdict .cause)" cpu_timeout "by its name"
spec '"memory": "64M"' '["python3", "-c", "x = bytearray(300 << 20)"]'
verify 3 "memory: its memory"
is "$(verdict .cause)" oom "by its name"
spec '"pids": 4' '["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; wait"]'
verify 3 "pids: its processes"
is "$(verdict .cause)" pids_limit "by its name"
spec '"output_max": "10K"' '["sh", "-c", "yes"]'
verify 3 "output_max: its output"
is "$(verdict .cause)" output_limit "by its name"
cat >"$scratch/spec.json" <<'X'
{"warder": "verify/1",
 "commands": [{"id": "narrow", "run": ["true"], "memory": "64M", "pids": 4},
              {"id": "wide", "run": ["python3", "-c", "x = bytearray(300 << 20)"]}]}
X
verify 0 "another command of the same spec has none of it"

cat >"$scratch/tight.json" <<'X'
{"warder": "policy/1", "extends": "ci", "limits": {"memory": "256M", "pids": 32}, "command": {"wall": "1m"}}
X
for limit in '"wall": "2m"' '"memory": "512M"' '"pids": 33'; do
        spec "$limit"
        field=$(echo "$limit" | cut -d'"' -f2)
        expect 2 "$field above the policy's" \
                warder verify --policy "$scratch/tight.json" --spec "$scratch/spec.json" "$scratch/change.patch"
        has "$err" "$scratch/spec.json: /commands/0/$field: " "is refused, by file and field"
done

# ---- environment and directory

spec '"env": {"GREETING": "hello world", "HOME": null, "LANG": "C"}, "cwd": "sub/deep"' \
        '["sh", "-ec", "[ \"$GREETING\" = \"hello world\" ]; [ -z \"${HOME+x}\" ]; [ \"$LANG\" = C ]; [ \"$PWD\" = /work/sub/deep ]; cat file; [ -n \"$PATH\" ]"]'
verify 0 "variables are set and taken away, the directory is entered"
spec '"cwd": "missing"'
verify 6 "a directory that is not there"
has "$(verdict .reason)" missing "is named"

refused() { # refused FIELD FIELDS: the field is named with the file
        spec "$2"
        verify 2 "refused: $2"
        has "$err" "$scratch/spec.json: /commands/0/$1: " "at $1"
}
refused env/LD_PRELOAD '"env": {"LD_PRELOAD": "/work/x.so"}'
refused env/LD_AUDIT '"env": {"LD_AUDIT": "/usr/lib/x.so"}'
refused env/BASH_ENV '"env": {"BASH_ENV": "/work/rc"}'
refused env/NODE_OPTIONS '"env": {"NODE_OPTIONS": "--require ./x.js"}'
refused env/npm_config_script_shell '"env": {"npm_config_script_shell": "/work/sh"}'
refused env/PYTHONPATH '"env": {"PYTHONPATH": "src"}'
refused env/PYTHONPATH '"env": {"PYTHONPATH": "/usr/lib/x:/work"}'
refused env/PYTHONPATH '"env": {"PYTHONPATH": "/usr/../work"}'
refused env/PATH '"env": {"PATH": "/usr/bin:"}'
refused env/LD_LIBRARY_PATH '"env": {"LD_LIBRARY_PATH": "/tmp"}'
refused env/HOME '"env": {"HOME": "/work"}'
refused env/HOME '"env": {"HOME": "/proc/self/cwd"}'
refused 'env/A=B' '"env": {"A=B": "x"}'
refused env/X '"env": {"X": 1}'
refused cwd '"cwd": "../etc"'
refused cwd '"cwd": "/etc"'
refused cwd '"cwd": "sub/../../etc"'
refused wall '"wall": "0s"'
refused memory '"memory": "lots"'
refused pids '"pids": 0'
refused wal '"wal": "1m"'

# ---- the detail: the same run reads the same

cat >"$scratch/spec.json" <<'X'
{"warder": "verify/1", "commands": [{"id": "it", "parse": "tap", "run": ["python3", "-c",
 "import os, random, tempfile, time\nprint('1..3')\nfor n in (2, 3): print(f'not ok {n} - test_{n}')\nprint('# got', object(), 'want 7')\nprint('#', time.strftime('%H:%M:%S'), tempfile.mkdtemp())\nprint('# /work/sub/file:3: wrong')\nprint(f'# 3 tests in {random.random()}s')\nfor n in range(50): print('# more')\nprint('ok 1 - fine')"]}]}
X
verify 1 "a run that tells something else each time"
first=$(verdict .detail)
verify 1 "and once more"
is "$(verdict .detail)" "$first" "reads the same"
has "$first" "sub/file:3: wrong" "with paths as the patch has them"
has "$first" "The first failure in the output" "with the first failure"
has "$first" "not ok" "by its line"

# ---- where it is wrong

mkdir .warder
echo '{"warder": "verify/1", "commands": [{"run": ["true"], "parse": "guess"}]}' >.warder/verify.json
git add .warder
git -c user.name=t -c user.email=t@example.org commit -qm spec
expect 2 "a wrong spec of the repository" warder verify "$scratch/change.patch"
has "$err" ".warder/verify.json: /commands/0/parse: " "is named, with its field"
expect 2 "an unknown form on the command line" warder verify --run true --parse guess "$scratch/change.patch"
has "$err" "--parse: " "is said of the option"
has "$err" '"tap"' "with what there is"
expect 2 "no time on the command line" warder verify --run true --time 0s "$scratch/change.patch"
has "$err" "--time: " "is said of the option"
echo '[{"role": "architect", "turn": 1, "expect": "x", "reply": {"content": "x"}}]' >"$scratch/said.json"
expect 2 "a task with that spec" warder task run --replay "$scratch/said.json" "$scratch/project"
has "$err" ".warder/verify.json: /commands/0/parse: " "says the same"
nothing_left "after all of it"
done_testing
