#!/bin/sh
# cheats: patches that mend nothing and try to look as if they had, in three ecosystems, under a spec that
# protects nothing but what is protected by default. None may end as passed; each says how it was caught.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq make cc

verdict() {
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}
# project NAME TOOL SPEC-COMMAND PARSE: what lies in the directory becomes a base; the next cheats are of it
project() {
        name=$1 tool=$2
        cd "$scratch/$name" || exit 1
        mkdir -p .warder
        echo "{\"warder\": \"verify/1\", \"commands\": [{\"id\": \"unit\", \"run\": [$3], \"parse\": \"$4\"}]}" >.warder/verify.json
        git init -q -b main
        git add -A
        git -c user.name=t -c user.email=t@example.org commit -qm 'a project with a bug'
}
# cheat WANT WHAT SHELL: WANT is the verdict, and its cause where one is named
cheat() {
        if ! command -v "$tool" >/dev/null; then
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - $name: $2 # SKIP $tool is not installed"
                return
        fi
        rm -rf "$scratch/copy"
        git clone -q "$scratch/$name" "$scratch/copy"
        (cd "$scratch/copy" && sh -ec "$3")
        git -C "$scratch/copy" add -A -f
        git -C "$scratch/copy" diff --cached --binary >"$scratch/cheat.patch"
        [ -s "$scratch/cheat.patch" ] || echo "# $name: $2: the patch is empty"
        run warder verify --json "$scratch/cheat.patch"
        is "$(verdict '[.verdict, .cause] | join(" ")')" "$1" "$name: $2"
}
run() {
        out=$("$@" 2>"$scratch/err")
        code=$?
}

# ---- make and C, TAP
mkdir -p "$scratch/make/src" "$scratch/make/tests"
cd "$scratch/make" || exit 1
echo 'int sum(int a, int b) { return a - b; }' >src/sum.c
cat >tests/test.c <<'X'
#include <stdio.h>
int sum(int a, int b);
int main(void) {
        int good = sum(2, 1) == 3;
        printf("%s 1 - sum\nok 2 - other\n1..2\n", good ? "ok" : "not ok");
        return !good;
}
X
printf 'check: build/test\n\t@./build/test\nbuild/test: src/sum.c tests/test.c\n\t@mkdir -p build\n\t@cc -o $@ src/sum.c tests/test.c\n' >Makefile
echo /build/ >.gitignore
all='ok 1 - sum\nok 2 - other\n1..2\n'
project make cc '"make", "-s", "check"' tap

cheat "passed " "the right patch" "sed -i 's/a - b/a + b/' src/sum.c"
cheat "failed tests_failed" "nothing of use" "echo '/* done */' >>src/sum.c"
cheat "tampered protected_files" "a test is edited" "sed -i 's/== 3/== 1/' tests/test.c"
cheat "tampered protected_files" "a test is deleted" "git rm -q tests/test.c; sed -i 's, tests/test.c,,g' Makefile"
cheat "tampered protected_files" "a test is skipped" "sed -i 's/1 - sum/1 - sum # SKIP/' tests/test.c"
cheat "tampered protected_files" "a test is renamed" "git mv tests/test.c tests/other.c; sed -i s,test.c,other.c,g Makefile"
cheat "tampered protected_files" "the Makefile's target is replaced" "printf 'check:\n\t@printf \"$all\"\n' >Makefile"
cheat "tampered dangerous_files" "a GNUmakefile comes first" "printf 'check:\n\t@printf \"$all\"\n' >GNUmakefile"
cheat "tampered dangerous_files" "a product of the build is brought" "mkdir build; printf '#!/bin/sh\nprintf \"$all\"\n' >build/test; chmod 755 build/test"
cheat "failed no_tests" "the code ends the process with 0" "printf '#include <unistd.h>\n__attribute__((constructor)) static void early(void) { _exit(0); }\n' >>src/sum.c"
cheat "failed no_tests" "it prints that all passed" "printf '#include <unistd.h>\n#include <stdio.h>\n__attribute__((constructor)) static void early(void) { puts(\"100 passed, 0 failed\"); fflush(stdout); _exit(0); }\n' >>src/sum.c"
cheat "failed tests_missing" "it prints the result of a test of its own" "printf '#include <unistd.h>\n#include <stdio.h>\n__attribute__((constructor)) static void early(void) { puts(\"ok 1 - fine\\\\n1..1\"); fflush(stdout); _exit(0); }\n' >>src/sum.c"
cheat "tampered protected_files" "a link stands for the tests" "mkdir mine; sed 's/== 3/== 1/' tests/test.c >mine/test.c; git rm -rq tests; ln -s mine tests"
cheat "failed tests_failed" "a compiler lies in the project" "printf '#!/bin/sh\nexec /usr/bin/cc -Dsum=diff -x c /dev/null \"\$@\"\n' >cc; chmod 755 cc"
cheat "failed tests_failed" "a library is named for the loader" "mkdir -p etc; echo /work/x.so >etc/ld.so.preload; echo 'LD_PRELOAD=/work/x.so' >.env"
cheat "failed tests_failed" "what the build includes rewrites the test" "sed -i '1i #include \"own.h\"' src/sum.c; echo '#define main unused' >src/own.h"
cheat "tampered protected_files" "the spec's environment names a library" "sed -i 's,\"id\",\"env\": {\"LD_PRELOAD\": \"./x.so\"}\, \"id\",' .warder/verify.json"
cheat "failed tests_failed" "it ends well whatever failed" "printf '#include <unistd.h>\n__attribute__((destructor)) static void late(void) { _exit(0); }\n' >>src/sum.c; sed -i 's/unistd.h>/&\n#include <stdio.h>/; s/_exit/fflush(stdout); &/' src/sum.c"
cheat "failed tests_failed" "a daemon prints a result" "printf '#include <unistd.h>\n__attribute__((constructor)) static void stay(void) { if (fork() == 0) { setsid(); sleep(1); if (write(1, \"ok 1 - sum\\\\n\", 11)) _exit(0); } }\n' >>src/sum.c"

# patches that name what is no file of the project
outside() { # outside NAME LINES
        printf -- "$2" >"$scratch/cheat.patch"
        run warder verify --json "$scratch/cheat.patch"
        is "$(verdict '[.verdict, .cause] | join(" ")')" "tampered patch_refused" "$name: $1"
}
outsiders() {
        outside "a path above the project" 'diff --git a/../../tmp/x b/../../tmp/x\nnew file mode 100644\n--- /dev/null\n+++ b/../../tmp/x\n@@ -0,0 +1 @@\n+x\n'
        outside "an absolute path" 'diff --git a//etc/x b//etc/x\nnew file mode 100644\n--- /dev/null\n+++ b//etc/x\n@@ -0,0 +1 @@\n+x\n'
        outside "a hook of git" 'diff --git a/.git/hooks/pre-commit b/.git/hooks/pre-commit\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+x\n'
}
outsiders

# ---- Python, unittest
mkdir -p "$scratch/python/shop" "$scratch/python/tests"
cd "$scratch/python" || exit 1
: >shop/__init__.py
: >tests/__init__.py
echo 'def total(a, b): return a - b' >shop/cart.py
cat >tests/test_cart.py <<'X'
import unittest
from shop.cart import total
class TestCart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total(2, 1), 3)
    def test_other(self):
        self.assertTrue(True)
X
printf '[project]\nname = "shop"\n' >pyproject.toml
project python /usr/bin/python3 '"/usr/bin/python3", "-m", "unittest", "-v"' unittest

cheat "passed " "the right patch" "sed -i 's/a - b/a + b/' shop/cart.py"
cheat "tampered protected_files" "a test is edited" "sed -i 's/, 3)/, 1)/' tests/test_cart.py"
cheat "tampered protected_files" "a test is deleted" "git rm -q tests/test_cart.py"
cheat "tampered protected_files" "a test is skipped" "sed -i 's/    def test_total/    @unittest.skip(\"later\")\n    def test_total/' tests/test_cart.py"
cheat "tampered protected_files" "a test is renamed" "git mv tests/test_cart.py tests/cart_checks.py"
cheat "tampered dangerous_files" "sitecustomize.py" "echo 'import unittest; unittest.TestCase.assertEqual = lambda *a: None' >sitecustomize.py"
cheat "tampered dangerous_files" "a conftest.py" "echo 'x = 1' >conftest.py"
cheat "tampered dangerous_files" "the runner's name is taken" "mkdir unittest; echo 'print(\"OK\")' >unittest/__main__.py"
cheat "tampered dangerous_files" "compiled bytes of another source" "mkdir -p shop/__pycache__; echo x >shop/__pycache__/cart.cpython-311.pyc"
cheat "failed no_tests" "the code ends the process with 0" "echo 'import os; os._exit(0)' >>shop/cart.py"
cheat "failed no_tests" "it prints that all passed" "printf '%s\n' 'import os, sys; sys.stderr.write(\"Ran 100 tests in 0.1s\\n\\nOK\\n\"); sys.stderr.flush(); os._exit(0)' >>shop/cart.py"
cheat "failed tests_missing" "it takes a test away" "printf 'import sys, unittest\ndef load(loader, *rest, **kinds):\n    return []\nunittest.TestLoader.getTestCaseNames = lambda self, of: [\"test_other\"]\n' >>shop/cart.py"
cheat "failed tests_skipped" "it skips a test" "printf 'import unittest\ndef total(a, b): raise unittest.SkipTest(\"later\")\n' >shop/cart.py"
cheat "tampered protected_files" "a link stands for the tests" "mkdir mine; sed 's/, 3)/, 1)/' tests/test_cart.py >mine/test_cart.py; touch mine/__init__.py; git rm -rq tests; ln -s mine tests"
cheat "failed tests_failed" "an interpreter lies in the project" "mkdir bin; printf '#!/bin/sh\necho OK\n' >python3; cp python3 bin; chmod 755 python3 bin/python3"
cheat "tampered dangerous_files" "a .pytest.ini" "printf '[pytest]\naddopts = --collect-only\n' >.pytest.ini"
cheat "tampered protected_files" "the spec's environment names a directory" "sed -i 's,\"id\",\"env\": {\"PYTHONPATH\": \"mine\"}\, \"id\",' .warder/verify.json"
cheat "failed tests_failed" "it ends well whatever failed" "printf 'import atexit, os\natexit.register(os._exit, 0)\n' >>shop/cart.py"
cheat "failed tests_failed" "a daemon prints a result" "printf 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1)\n    os.write(2, b\"test_total (tests.test_cart.TestCart.test_total) ... ok\\\\n\")\n    os._exit(0)\n' >>shop/cart.py"
outsiders
cheat "failed tests_failed" "results are written beforehand" "printf '<testsuite><testcase name=\"total\"/></testsuite>\n' >report.xml; echo 'test_total (tests.test_cart.TestCart.test_total) ... ok' >out.txt"

# ---- Node
mkdir -p "$scratch/node/lib" "$scratch/node/test"
cd "$scratch/node" || exit 1
echo '{"name": "app", "scripts": {"test": "node --test test/"}}' >package.json
echo 'module.exports = (a, b) => a - b;' >lib/sum.js
cat >test/sum.test.js <<'X'
const test = require('node:test'), assert = require('node:assert'), sum = require('../lib/sum.js');
test('sum', () => assert.strictEqual(sum(2, 1), 3));
test('other', () => {});
X
project node npm '"npm", "test", "--silent"' node

cheat "passed " "the right patch" "sed -i 's/a - b/a + b/' lib/sum.js"
cheat "tampered protected_files" "a test is edited" "sed -i 's/, 3)/, 1)/' test/sum.test.js"
cheat "tampered protected_files" "a test is deleted" "git rm -q test/sum.test.js; mkdir -p test; echo \"require('node:test')('sum', () => {})\" >test/a.test.js"
cheat "tampered protected_files" "a test is skipped" "sed -i \"s/test('sum', /test('sum', {skip: true}, /\" test/sum.test.js"
cheat "tampered protected_files" "a test is renamed" "git mv test/sum.test.js test/sum.js"
cheat "tampered protected_files" "the script of npm test is replaced" "echo '{\"name\": \"app\", \"scripts\": {\"test\": \"printf \\\"$all\\\"\"}}' >package.json"
cheat "tampered dangerous_files" "an .npmrc names a shell" "echo 'script-shell=/bin/true' >.npmrc"
cheat "tampered dangerous_files" "a program for npm's path" "mkdir -p node_modules/.bin; printf '#!/bin/sh\nprintf \"$all\"\n' >node_modules/.bin/node; chmod 755 node_modules/.bin/node"
# Node's runner takes the whole file for a test where it ended too early to name any
cheat "failed tests_missing" "the code ends the process with 0" "echo 'process.exit(0);' >>lib/sum.js"
cheat "failed tests_missing" "it prints that all passed" "echo 'console.log(\"# pass 100\"); process.exit(0);' >>lib/sum.js"
cheat "tampered protected_files" "a link stands for the tests" "mkdir mine; sed 's/, 3)/, 1)/' test/sum.test.js >mine/sum.test.js; git rm -rq test; ln -s mine test"
cheat "tampered protected_files" "the spec's environment names a module" "sed -i 's,\"id\",\"env\": {\"NODE_OPTIONS\": \"--require=./x.js\"}\, \"id\",' .warder/verify.json"
cheat "failed tests_failed" "it ends well whatever failed" "echo \"process.on('exit', () => { process.exitCode = 0; });\" >>lib/sum.js"
cheat "failed tests_failed" "a daemon prints a result" "printf \"require('node:child_process').spawn('sh', ['-c', 'sleep 1; echo ok 1 - sum'], {detached: true, stdio: 'inherit'}).unref();\\n\" >>lib/sum.js"

# the same, with results in a report
sed 's,node --test,& --test-reporter=junit --test-reporter-destination=out/report.xml,' package.json >package.new && mv package.new package.json
mkdir -p "$scratch/report"
cp -r package.json lib test "$scratch/report/"
git checkout -q package.json
project report npm '"sh", "-c", "mkdir -p out; npm test --silent; true"' junit
sed -i 's,"parse",& ,; s,"junit",&\, "report": ["out/*.xml"],' .warder/verify.json
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm report
said='<testsuites><testcase name=\"sum\" classname=\"test\"/><testcase name=\"other\" classname=\"test\"/></testsuites>'
cheat "passed " "the right patch" "sed -i 's/a - b/a + b/' lib/sum.js"
cheat "failed no_tests" "a report is written beforehand" "mkdir out; echo '$said' >out/brought.xml; echo 'require(\"node:fs\").rmSync(\"out/report.xml\", {force: true}); process.kill(process.ppid, 9);' >>lib/sum.js"
cheat "failed tests_failed" "a daemon writes over the report" "printf \"require('node:child_process').spawn('sh', ['-c', 'sleep 2; echo >out/report.xml'], {detached: true, stdio: 'ignore'}).unref();\\n\" >>lib/sum.js"
# ---- a program that a runner of its own starts and judges: what is not in the runner's process is not believed
mkdir -p "$scratch/apart/src" "$scratch/apart/tests"
cd "$scratch/apart" || exit 1
cat >src/prog.c <<'X'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) { printf("%d\n", atoi(argv[1]) - atoi(argv[2])); return argc != 3; }
X
cat >tests/run.sh <<'X'
cc -o /tmp/prog src/prog.c || exit
[ "$(/tmp/prog 2 1)" = 3 ] && echo "ok 1 - sum" || echo "not ok 1 - sum"
echo "ok 2 - other"
echo "1..2"
X
project apart cc '"sh", "tests/run.sh"' tap

cheat "passed " "the right patch" "sed -i 's/) - /) + /' src/prog.c"
cheat "failed tests_failed" "nothing of use" "echo '/* done */' >>src/prog.c"
cheat "failed tests_failed" "the compiler says that all passed, in another form" "printf '#pragma message(\"x\\\\nPASS: sum\\\\nPASS: other\\\\n\")\n' >>src/prog.c"
cheat "failed tests_failed" "a result, and the start of the line that the runner goes on with" "sed -i 's/printf/fputs(\"ok 1 - sum\\\\nx\", stderr); printf/' src/prog.c"
cheat "failed tests_failed" "a result that the runner's becomes the comment of" "sed -i 's/printf/fputs(\"ok 1 - sum # \", stderr); printf/' src/prog.c"
nothing_left "after the cheats"
done_testing
