#!/bin/sh
# guess: a verify spec for projects of several ecosystems, tried on the base; and what is no project
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq
export PATH="$PATH:/usr/lib/go/bin"

begin() { # begin NAME: an empty repository
        mkdir "$scratch/$1" && cd "$scratch/$1" && git init -q -b main && mkdir tests
}
keep() {
        git add -A && git -c user.name=t -c user.email=t@example.org commit -qm base
}
# guesses TOOL KIND TESTS FAILED: of the repository that we are in
guesses() {
        if ! command -v "$1" >/dev/null; then
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - $2 # SKIP $1 is not installed"
                return
        fi
        expect 0 "$2 is found" warder verify --guess --json
        is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.guess") | [.kind, .verdict.tests.run, .verdict.tests.failed] | join(" ")')" \
                "$2 $3 $4" "its tests ran on the base"
        expect 0 "$2: the spec stands on stdout" warder verify --guess
        printf '%s\n' "$out" >"$scratch/spec.json"
        is "$(jq -r .warder "$scratch/spec.json")" verify/1 "and is one"
        : >"$scratch/empty.patch"
        expect "$([ "$4" = 0 ] && echo 0 || echo 1)" "$2: a verify takes it" warder verify --spec "$scratch/spec.json" "$scratch/empty.patch"
}

begin make
printf 'check:\n\t@sh tests/run\n' >Makefile
printf 'echo ok 1 - one\necho not ok 2 - two\necho 1..2\nexit 1\n' >tests/run
keep
guesses make "make check" 2 1
expect 0 "with words" warder verify --guess
has "$err" "name those that a change must mend" "failing tests of the base are pointed at"

printf 'check:\n\t@echo ok 1 - one; echo ok 2 - two; echo 1..2\n' >Makefile
sh tests/run | grep -q 'not ok' && make -s check | grep -q '^ok 2'
ok $? "a change of the recipe alone makes the test look mended"
printf '%s\n' "$out" >spec.json
expect 5 "under the guess it is" warder verify --spec spec.json
has "$err" "restored  Makefile" "tampered with"

git checkout -q Makefile
rm spec.json
expect 0 "--write" warder verify --guess --write
has "$err" "Written to .warder/verify.json" "says where"
is "$out" "" "and prints nothing else"
is "$(jq -r '.commands[0].parse' .warder/verify.json)" tap "it is the spec"
expect 6 "a second one" warder verify --guess --write
has "$err" ".warder/verify.json" "is not written over it"
keep
: >"$scratch/empty.patch"
expect 1 "once it is committed a verify needs no spec" warder verify "$scratch/empty.patch"
has "$err" "1 of 2 tests fail" "the failing one of the base is told"
expect 2 "--write without --guess" warder verify --write "$scratch/empty.patch"

begin after
printf 'check:\n\t@echo ok 1 - one; echo 1..1; exit 3\n' >Makefile
keep
expect 1 "tests that pass, and a command that fails all the same" warder verify --guess
is "$out" "" "are no spec"
has "$err" "no change could ever pass" "the reason is told"
has "$err" "though none of its tests failed" "with the verdict's own"

begin long
printf 'check:\n\t@echo not ok 1 - boom; for i in $$(seq 2 60); do echo ok $$i - t$$i; done; echo 1..60; exit 1\n' >Makefile
keep
expect 1 "a failure far above the end of the output" warder verify --run 'make check' --parse tap "$scratch/empty.patch"
has "$err" "  | not ok 1 - boom" "is shown"

begin quiet
printf 'test:\n\t@true\n' >Makefile
keep
expect 0 "tests that say nothing: the exit code" warder verify --guess
is "$(printf '%s\n' "$out" | jq -r '.commands[0].parse')" exit "it is said in the spec"
has "$err" "Only its exit code counts" "and in words"

begin cmake
printf 'cmake_minimum_required(VERSION 3.13)\nproject(x NONE)\nenable_testing()\nadd_test(NAME one COMMAND true)\nadd_test(NAME two COMMAND sh -c "exit 0")\n' >CMakeLists.txt
keep
guesses cmake ctest 2 0

begin go
printf 'module example.org/app\n\ngo 1.18\n' >go.mod
printf 'package app\n\nimport "testing"\n\nfunc TestOne(t *testing.T) {}\nfunc TestTwo(t *testing.T) {}\n' >app_test.go
keep
guesses go "go test" 2 0

begin python
printf '[project]\nname = "x"\n' >pyproject.toml
printf 'import unittest\nclass A(unittest.TestCase):\n    def test_one(self): pass\n    def test_two(self): self.fail()\n' >test_a.py
keep
guesses /usr/bin/python3 unittest 2 1

begin package
printf 'import unittest\nclass A(unittest.TestCase):\n    def test_one(self): pass\n' >tests/test_a.py
: >tests/__init__.py
keep
guesses /usr/bin/python3 unittest 1 0

begin node
printf '{"name": "x", "scripts": {"test": "node --test"}}\n' >package.json
printf "const test = require('node:test');\ntest('one', () => {}); test('two', () => {});\n" >a.test.js
keep
guesses npm "npm test" 2 0

begin tape
printf '{"name": "x", "scripts": {"test": "node a.js"}}\n' >package.json
printf "console.log('TAP version 13\\\\n# one\\\\nok 1 is equal\\\\nok 2 is true\\\\n1..2')\n" >a.js
keep
guesses npm "npm test" 2 0

begin modules
mkdir -p node_modules/near
echo 'module.exports = 2' >node_modules/near/index.js
printf '{"name": "x", "scripts": {"test": "node a.js"}}\n' >package.json
printf "const n = require('near');\nconsole.log('ok 1 - one\\\\nok ' + n + ' - two\\\\n1..2')\n" >a.js
echo node_modules/ >.gitignore
keep
is "$(git ls-files | tr '\n' ' ')" ".gitignore a.js package.json " "what is installed is ignored"
guesses npm "npm test" 2 0
if command -v npm >/dev/null; then
        is "$(jq -c .include "$scratch/spec.json")" '["node_modules/**"]' "and comes along all the same"
fi

# files of a builder that this machine lacks, beside a Makefile whose runner always ends well
begin two
printf 'project(x)\n' >meson.build
printf 'test:\n\t@echo Tests failed: 1; echo Tests passed: 3\n' >Makefile
keep
if ! command -v meson >/dev/null; then
        guesses make "make test" 4 1
        expect 0 "with words" warder verify --guess
        has "$err" "meson test: no:" "what is passed over is told"
fi

begin lame
printf 'check:\n\t@echo not ok 1 - one; echo not ok 2 - two; echo 1..2; echo no module; exit 1\n' >Makefile
keep
expect 1 "tests of which none passes are no guess" warder verify --guess
has "$err" "none of its tests passes here" "it is said"
has "$err" "no module" "with what they printed"

begin nothing
echo text >readme
keep
expect 6 "a repository without tests" warder verify --guess
has "$err" "warder-verify(5)" "and what to do"
begin broken
printf 'check:\n\t@no-such-program\n' >Makefile
keep
expect 1 "tests that cannot run are no guess" warder verify --guess
has "$err" "do not run" "it is said"
expect 2 "a guess is made without a patch" warder verify --guess x.patch
nothing_left "after the guesses"
done_testing
