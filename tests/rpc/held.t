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
mkdir tests/held
echo x >tests/held/x
expect 2 "a directory of the repository" warder verify --held tests/held "$scratch/good.patch"
has "$err" "lies in the repository" "is refused"
jq '. + {"held": "../held"}' .warder/verify.json >"$scratch/spec.json"
cp "$scratch/spec.json" .warder/verify.json
git -c user.name=t -c user.email=t@example.org commit -qam held
expect 6 "a repository's own spec" warder verify "$scratch/good.patch"
has "$err" "cannot stand in the repository" "may not name any"
nothing_left "after held-back tests"
done_testing
