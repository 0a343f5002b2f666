#!/bin/sh
# held: tests that are held back run at the end alone; a change that fits only the tests that it knew is overfitted
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq /usr/bin/python3
verdict() { printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"; }
project=$scratch/python
mkdir -p "$project/shop" "$project/tests" "$project/.warder"
cd "$project" || exit 1
: >shop/__init__.py; : >tests/__init__.py
printf 'def total(a, b):\n    return a - b\n' >shop/cart.py
printf 'import unittest\n\n\nclass TestOld(unittest.TestCase):\n    def test_old(self):\n        self.assertTrue(True)\n' >tests/test_old.py
printf '{"warder": "verify/1", "commands": [{"id": "unit", "run": ["/usr/bin/python3", "-m", "unittest", "-v"], "parse": "unittest"}]}\n' >.warder/verify.json
git init -q -b main; git add -A; git -c user.name=t -c user.email=t@example.org commit -qm base
new="printf 'import unittest\nfrom shop.cart import total\n\n\nclass TestNew(unittest.TestCase):\n    def test_new(self):\n        self.assertEqual(total(2, 1), 3)\n' >tests/test_new.py"
mkdir -p "$scratch/held/tests"
printf 'import unittest\nfrom shop.cart import total\n\n\nclass TestSecret(unittest.TestCase):\n    def test_secret_seven(self):\n        self.assertEqual(total(3, 4), 7)\n' >"$scratch/held/tests/test_secret.py"
patch_of good "sed -i 's/a - b/a + b/' shop/cart.py; $new"
patch_of fit "sed -i 's/a - b/3/' shop/cart.py; $new"
expect 0 "test first and" warder verify --json --tdd "$scratch/good.patch"
is "$(verdict '[.verdict, .tdd.proved] | join(" ")')" "passed true" "all is proved"
expect 0 "held-back tests pass" warder verify --json --held "$scratch/held" "$scratch/good.patch"
is "$(verdict '[.verdict, .held.more, .held.failed] | join(" ")')" "passed 1 0" "how many is told"
expect 1 "overfitted" warder verify --json --held "$scratch/held" "$scratch/fit.patch"
is "$(verdict '[.verdict, .cause, .held.failed] | join(" ")')" "failed overfitted 1" "how many is told"
hasnt "$(verdict '.detail + .reason + (.failing | join(" "))')" secret "no name for an agent"
has "$(verdict '.held.failing | join(" ")')" test_secret_seven "a person is told its name"
warder run --no-work -- sh -c 'echo stays; sleep 600' >"$scratch/holder" 2>&1 & # one supervisor for what follows, which remembers bases
holder=$!
tries=0
until [ -s "$scratch/holder" ] || [ $((tries += 1)) -gt 600 ]; do sleep 0.1; done
expect 1 "with it" warder verify --json --held "$scratch/held" "$scratch/fit.patch"
expect 1 "the same again" warder verify --json --held "$scratch/held" "$scratch/fit.patch"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.event") | .phase' | grep -cx unpack)" 0 \
        "its base was there already"
is "$(verdict '[.verdict, .cause, .held.failed] | join(" ")')" "failed overfitted 1" "overfitted all the same"
expect 0 "without held-back tests" warder verify --json "$scratch/fit.patch"
is "$(verdict '[.verdict, .held] | @json')" '["passed",null]' "nothing of them stays in a base that is kept"

# ---- a directory of them that cannot be read to its end: half of them is not all of them
if command -v strace >/dev/null; then
        expect 6 "half of them" strace -f -qq -o /dev/null -P "$scratch/held/tests" -e trace=getdents64 -e inject=getdents64:error=EIO:when=2+ \
                "$(command -v warder)" verify --json --held "$scratch/held" "$scratch/fit.patch"
        has "$err" "list tests: Input/output error" "is said"
else
        ok 0 "half of them # SKIP strace"
fi

# ---- an agent looks for them: before the first verdict, and after the one that tells it of them
search='for f in $(find / \( -path /proc -o -path /sys \) -prune -o \( -name test_secret.py -o -name test_old.py \) -print 2>/dev/null) $(grep -rl secret_seven /work /tmp /run /var /home 2>/dev/null); do echo "found $f"; done; echo searched'
calls() { # calls TURN EXPECT TOOL ARGUMENTS
        jq -nc --argjson turn "$1" --arg expect "$2" --arg tool "$3" --argjson arguments "$4" \
                '{role: "developer", turn: $turn, expect: $expect,
                  reply: {content: "", tool_calls: [{name: $tool, arguments: $arguments}]}}'
}
says() { # says ROLE TURN EXPECT TEXT
        jq -nc --arg role "$1" --argjson turn "$2" --arg expect "$3" --arg text "$4" \
                '{role: $role, turn: $turn, expect: $expect, reply: {content: $text}}'
}
look=$(jq -nc --arg command "$search" '{command: $command}')
only='found /work/tests/test_old.py
searched'
{
        says architect 1 'total is wrong' '{"plan": "let total() add", "files": ["shop/cart.py"]}'
        calls 1 'let total() add' bash "$look"
        calls 2 "$only" edit '{"path": "shop/cart.py", "old_string": "a - b", "new_string": "3"}'
        says developer 3 replaced 'Done.'
        calls 4 '1 of 2 fail when tests that were held back' bash "$look"
        calls 5 "$only" edit '{"path": "shop/cart.py", "old_string": "return 3", "new_string": "return a + b"}'
        says developer 6 replaced 'It adds now.'
} | jq -s . >"$scratch/look.json"
if [ -x "$top_builddir/agent/warder-agent" ]; then
        has "$(cd "$scratch/held" && grep -rl secret_seven .)" test_secret.py "what the agent looks for can be found where it is"
        expect 0 "a task with held-back tests" warder task run --json --held "$scratch/held" \
                --replay "$scratch/look.json" -m 'total is wrong' --out "$scratch/result"
        is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .data | "\(.verdict) \(.cause)"' | tr '\n' ' ')" \
                "failed overfitted passed null " "its agent learns that it overfitted, and mends it"
        hasnt "$(printf '%s\n' "$out" | jq -c 'select(.event | IN("verify.end", "task.end", "tool.call", "command.end") | not)' | grep secret)" \
                secret "no event but a verdict's tells more"
        hasnt "$(cat "$scratch/result/patch.diff")" secret "nor does the patch"
        {
                says architect 1 'total is wrong' '{"plan": "let total() add", "files": ["shop/cart.py"]}'
                calls 1 'let total() add' edit '{"path": "shop/cart.py", "old_string": "a - b", "new_string": "a + b"}'
                calls 2 replaced bash "$(jq -nc --arg command "$new" '{command: $command}')"
                says developer 3 'exit code 0' 'It adds now, and a test says so.'
        } | jq -s . >"$scratch/first.json"
        expect 0 "a task, test first" warder task run --json --tdd --replay "$scratch/first.json" -m 'total is wrong'
        is "$(printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | .verdicts[-1] | "\(.verdict) \(.tdd.proved)"')" \
                "passed true" "its test fails without the change, and passes with it"
else
        echo "# warder-agent is not built: no task was tried"
fi
kill "$holder"
wait "$holder" 2>/dev/null
supervisor_ended
nothing_left "after a task with held-back tests"

mkdir tests/held
echo x >tests/held/x
expect 2 "a directory of the repository" warder verify --held tests/held "$scratch/good.patch"
has "$err" "lies in the repository" "is refused"
jq '. + {"held": "../held"}' .warder/verify.json >"$scratch/spec.json"
cp "$scratch/spec.json" .warder/verify.json
git -c user.name=t -c user.email=t@example.org commit -qam held
expect 2 "a repository's own spec" warder verify "$scratch/good.patch"
has "$err" "cannot stand in the repository" "may not name any"
nothing_left "after held-back tests"
done_testing
