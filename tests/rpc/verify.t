#!/bin/sh
# verify: every verdict, by the command and its exit code, on a small real project in real jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq

project=$scratch/project
make_project "$project"
cd "$project" || exit 1

verdict() { # verdict FILTER: of the last --json output
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}

patch_of good "$good_edit"
expect 0 "the right patch is verified" warder verify --json "$scratch/good.patch"
is "$(verdict .verdict)" passed "verdict passed"
is "$(verdict '.tests | [.base, .run, .passed, .failed, .skipped] | join(" ")')" "5 5 5 0 0" "all tests of the base ran"
is "$(verdict '.commands | map(.id) | join(" ")')" "build unit" "its commands are named"
is "$(verdict .patch)" "sha256:$(sha256sum <"$scratch/good.patch" | cut -d' ' -f1)" "the digest is that of the patch"
digest=$(verdict .tree)

# --- a policy of one's own
cat >"$scratch/tight.json" <<'P'
{"warder": "policy/1", "extends": "ci", "seccomp": "strict", "command": {"nofile": 77}}
P
expect 0 "under a policy of one's own" warder verify --json --policy "$scratch/tight.json" --run '[ "$(ulimit -n)" = 77 ]' "$scratch/good.patch"
own=$(verdict .policy)
expect 1 "which holds for the tests" warder verify --json --policy "$scratch/tight.json" "$scratch/good.patch" \
        --run 'python3 -c "import ctypes; raise SystemExit(ctypes.CDLL(None).msgget(0, 0o1600) < 0)"'
expect 0 "and no other does" warder verify --json --run 'python3 -c "import ctypes; raise SystemExit(ctypes.CDLL(None).msgget(0, 0o1600) < 0)"' \
        "$scratch/good.patch"
is "$([ "$own" != "$(verdict .policy)" ] && echo another)" another "the verdict names it by a digest of its own"
sed 's/77/7777777/' "$scratch/tight.json" >"$scratch/loose.json"
expect 2 "one that loosens" warder verify --policy "$scratch/loose.json" "$scratch/good.patch"
has "$err" "loose.json:1: /command/nofile" "is refused by file, line and field"

patch_of wrong "$wrong_edit"
expect 1 "a wrong patch is not" warder verify --json "$scratch/wrong.patch"
is "$(verdict .verdict)" failed "verdict failed"
is "$(verdict '.failing | join(" ")')" "sum_of_none sum_of_one" "failing tests are named"
has "$(verdict .detail)" "got 4, want 0" "the detail shows the output"

: >"$scratch/empty.patch"
expect 1 "an empty patch leaves the tests as they are: failed" warder verify --json "$scratch/empty.patch"
is "$(verdict .cause)" tests_failed "cause tests_failed"

patch_of test "$good_edit; sed -i 's/, 15)/, 11)/' tests/test.c"
expect 5 "a patch that changes a test is tampered" warder verify --json "$scratch/test.patch"
is "$(verdict '.restored | join(" ")')" tests/test.c "the test was put back"
is "$(verdict .tests.passed)" 5 "and ran as it was"

patch_of deleted "$good_edit; git rm -q tests/test.c"
expect 5 "so is one that deletes it" warder verify --json "$scratch/deleted.patch"

patch_of makefile "$wrong_edit; printf 'all check:\n\t@echo ok 1 - all; echo 1..1\n' >GNUmakefile"
expect 5 "a file that changes how tests run is tampered" warder verify --json "$scratch/makefile.patch"
is "$(verdict '.dangerous | join(" ")')" GNUmakefile "it is named"
is "$(verdict .tests.failed)" 2 "and had no effect"

patch_of newtest "$good_edit; echo 'int x;' >tests/more.c"
expect 0 "a new test is welcome" warder verify --json "$scratch/newtest.patch"
is "$(verdict '.new_tests | join(" ")')" tests/more.c "and is named"

patch_of fewer "$good_edit; sed -i 's,@./build/test,@./build/test | grep -v sum_of_none,' Makefile"
expect 1 "a test that is gone does not count as passed" warder verify --json "$scratch/fewer.patch"
is "$(verdict .cause)" tests_missing "cause tests_missing"
is "$(verdict '.missing | join(" ")')" sum_of_none "it is named"

patch_of skipped "$wrong_edit; sed -i 's,@./build/test,@./build/test | sed \"s/^not \\\\(.*\\\\)/\\\\1 # SKIP/\",' Makefile"
expect 1 "a test that is skipped now does not either" warder verify --json "$scratch/skipped.patch"
is "$(verdict .cause)" tests_skipped "cause tests_skipped"

patch_of product "$wrong_edit; mkdir build; printf '#!/bin/sh\nprintf \"ok - %%s\\\\n\" sum_of_three sum_of_one sum_of_none biggest_of_three biggest_of_one\n' >build/test; chmod 755 build/test; git add -f build/test"
expect 5 "a patch that brings what the build makes is tampered" warder verify --json "$scratch/product.patch"
is "$(verdict '.dangerous | join(" ")')" build/test "it is named"
is "$(verdict .tests.failed)" 2 "and had no effect"

# the build of the patch tries to rewrite the protected test before it is compiled, each time another way
rewrites() { # rewrites NAME SHELL
        patch_of "$1" "$wrong_edit; sed -i 's,^build/test:,rewrite:\n\t-$2\n\nbuild/test: rewrite,' Makefile"
        expect 1 "held: $1" warder verify --json "$scratch/$1.patch"
        is "$(verdict .tests.failed)" 2 "the test ran as it was: $1"
}
rewrites write-into "echo \"int main(void) { return 0; }\" >tests/test.c"
rewrites replace "sed -i s/got.==.want/1/ tests/test.c"
rewrites rename-over "sed s/got.==.want/1/ tests/test.c >t.c \&\& mv -f t.c tests/test.c"
rewrites other-directory "cp -r tests other \&\& sed -i s/got.==.want/1/ other/test.c \&\& mv tests away \&\& mv other tests"
rewrites remove "rm -f tests/test.c \&\& echo \"int main(void) { return 0; }\" >tests/test.c"
rewrites change-mode "chmod 666 tests/test.c \&\& sed -i s/got.==.want/1/ tests/test.c"

patch_of silent "printf 'all check:\n\t@true\n' >Makefile"
expect 1 "no test ran" warder verify --json "$scratch/silent.patch"
is "$(verdict .cause)" no_tests "cause no_tests"

patch_of broken "echo 'int' >>src/sum.c"
expect 1 "what does not compile fails" warder verify --json "$scratch/broken.patch"
is "$(verdict .cause)" command_failed "cause command_failed"
is "$(verdict '.commands | map(.id) | join(" ")')" build "the tests are not tried"

sed 's/int total = 0/int total = 9/' "$scratch/wrong.patch" | sed 's/^ .*numbers.*/ nothing like it/' >"$scratch/unfit.patch"
expect 2 "a patch that does not apply is wrong usage" warder verify --json "$scratch/unfit.patch"
is "$(verdict '[.verdict, .cause] | join(" ")')" "error patch_refused" "cause patch_refused"

printf -- 'diff --git a/../../etc/x b/../../etc/x\nnew file mode 100644\n--- /dev/null\n+++ b/../../etc/x\n@@ -0,0 +1 @@\n+x\n' >"$scratch/outside.patch"
expect 5 "one that leaves the tree is tampered" warder verify --json "$scratch/outside.patch"
is "$(verdict '[.verdict, .cause] | join(" ")')" "tampered patch_refused" "cause patch_refused"

expect 3 "a command that hangs is a timeout" warder verify --json --run 'sleep 1000' --time 1s "$scratch/good.patch"
is "$(verdict .verdict)" timeout "verdict timeout"
expect 3 "one that prints without end meets a limit" warder verify --json --run yes "$scratch/good.patch"
is "$(verdict .cause)" output_limit "cause output_limit"
echo '{"warder": "verify/1", "commands": [{"run": ["no-such-program"]}]}' >"$scratch/missing.json"
expect 6 "one that is not there is an error" warder verify --json --spec "$scratch/missing.json" "$scratch/good.patch"
is "$(verdict .cause)" not_started "cause not_started"
echo '{"warder": "verify/1", "commands": [{"run": "make"}]}' >"$scratch/wrong.json"
expect 2 "a spec of a wrong form is usage" warder verify --spec "$scratch/wrong.json" "$scratch/good.patch"
has "$err" /commands/0/run "and the place is named"
printf '{"warder": "verify/1",\n "commands": [}\n' >"$scratch/wrong.json"
expect 2 "a spec that is no JSON is usage" warder verify --spec "$scratch/wrong.json" "$scratch/good.patch"
has "$err" "wrong.json: line 2, column 15" "file, line and column are named"
expect 2 "a spec that is not there is usage" warder verify --spec "$scratch/none.json" "$scratch/good.patch"
has "$err" none.json "and is named"
expect 2 "a revision that is none is usage" warder verify --base nope "$scratch/good.patch"
has "$err" "'nope' names no commit" "and is named"
expect 2 "one for a guess too" warder verify --guess --base nope
expect 0 "only the exit code" warder verify --json --run 'make -s check' "$scratch/good.patch"

sed -i 's/"commands"/"setup": [{"run": ["sh", "-c", "mkdir made \&\& date +%s%N >made\/when"]}],\n "commands"/; s/"make", "-s"\]}/"cat", "made\/when"]}/' .warder/verify.json
git -c user.name=t -c user.email=t@example.org commit -qam setup
expect 0 "setup's files are there" warder verify --json --base HEAD "$scratch/good.patch"
expect 0 "and are made once" warder verify --json --base HEAD "$scratch/good.patch"

# a base that hangs: its tests are those that it named, and its time is spent once
sed -i 's/i < n; i++)$/i != n; i += 0)/' src/sum.c
git -c user.name=t -c user.email=t@example.org commit -qam 'a bug that hangs'
sed -i 's/i != n; i += 0)$/i < n; i++)/; s/int i = 1; i < n; i++)$/int i = 0; i < n; i++)/' src/sum.c
git diff >"$scratch/unhang.patch"
git checkout -q src/sum.c
expect 0 "a patch that mends a base that hangs" warder verify --json --time 2s --parse tap \
        --run 'mkdir -p build && cc -o build/t src/sum.c tests/test.c && build/t' "$scratch/unhang.patch"
is "$(verdict .tests.passed)" 5 "its tests pass"
: >"$scratch/nothing.patch"
expect 3 "no patch: it still hangs" warder verify --json --time 2s --parse tap \
        --run 'mkdir -p build && cc -o build/t src/sum.c tests/test.c && build/t' "$scratch/nothing.patch"
is "$(verdict .verdict)" timeout "verdict timeout"
git reset -q --hard HEAD~1

# what the base's tests did under tight limits is no measure for a run under others
cat >src/two.sh <<'X'
echo "ok 1 - first"
[ -e skip ] && exit 0
for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>/dev/null
wait
echo "ok 2 - second"
X
git add src/two.sh
git -c user.name=t -c user.email=t@example.org commit -qm 'many processes'
patch_of dropped 'echo yes >skip'
expect 3 "few processes: a limit" warder verify --json --pids 4 --parse tap --run 'sh src/two.sh' "$scratch/nothing.patch"
expect 1 "a patch that drops a test fails all the same" warder verify --json --parse tap --run 'sh src/two.sh' "$scratch/dropped.patch"
is "$(verdict '.missing | join(" ")')" second "the test that is gone is named"
git reset -q --hard HEAD~1

# a root of its own instead of the host's
root=$scratch/root
mkdir -p "$root/bin" "$root/tmp"
for program in sh grep; do
        path=$(readlink -f "$(command -v "$program")")
        cp "$path" "$root/bin/$program"
        ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
                mkdir -p "$root$(dirname "$library")"
                cp -L "$library" "$root$library"
        done
done
tar -C "$root" -cf "$scratch/root.tar" .
expect 0 "a snapshot is imported" warder snapshot import small "$scratch/root.tar"
expect 0 "a verify stands on it" warder verify --json --snapshot small --base HEAD~1 \
        --run 'test ! -e /usr/bin/cc && grep -q "int i = 0" src/sum.c' "$scratch/good.patch"
is "$(verdict .verdict)" passed "verdict passed"
expect 6 "what is not in it is not there" warder verify --json --snapshot small --base HEAD~1 \
        --spec "$scratch/missing.json" "$scratch/good.patch"
expect 0 "the snapshot goes" warder snapshot rm small

patch_of above "$good_edit; mkdir made; echo mine >made/when"
expect 5 "a patch that puts its own file over one of setup's is tampered" warder verify --json --base HEAD "$scratch/above.patch"
is "$(verdict '.dangerous | join(" ")')" made/when "it is named"

expect 0 "the tree digest does not depend on the tests" warder verify --json --base HEAD~1 --run true "$scratch/good.patch"
is "$(verdict .tree)" "$digest" "same patch, same tree"
# --- a base that was unpacked for a verify serves the next one of the same user
warder run -- sh -c 'echo there; sleep 300' >"$scratch/held" 2>/dev/null &
holder=$!
timeout 120 sh -c "until grep -q there '$scratch/held'; do sleep 0.1; done"
unpacks() {
        printf '%s\n' "$out" | jq -r 'select(.event == "verify.event" and .phase == "unpack") | .phase' | wc -l
}
trees() {
        printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .tree + .verdict'
}
printf 'diff --git a/kept b/kept\nnew file mode 100644\n--- /dev/null\n+++ b/kept\n@@ -0,0 +1 @@\n+x\n' >"$scratch/kept.patch"
expect 0 "a verify" warder verify --json --run 'echo spoilt >src/sum.c || :; echo >more' "$scratch/kept.patch"
is "$(unpacks)" 1 "unpacks its base"
tree=$(trees)
expect 0 "the next one" warder verify --json --run '[ ! -e more ] && ! grep spoilt src/sum.c && [ -e kept ]' "$scratch/kept.patch"
is "$(unpacks) $(trees)" "0 $tree" "does not, and finds it as it was"
echo another >>README.more
git add README.more
git -c user.name=t -c user.email=t@example.org commit -qm more
expect 0 "another base" warder verify --json --run '[ -e README.more ]' "$scratch/kept.patch"
is "$(unpacks)" 1 "is unpacked"
for n in 1 2 3 4; do
        expect 0 "base $n of many" warder verify --json --base HEAD --run "echo $n" "$scratch/kept.patch"
        echo "$n" >>README.more
        git -c user.name=t -c user.email=t@example.org commit -qam "$n"
done
expect 0 "the first one again" warder verify --json --base HEAD~5 --run true "$scratch/kept.patch"
is "$(unpacks)" 1 "was let go for later ones"
kill "$holder"
wait "$holder"
nothing_left "after all verdicts"
done_testing
