#!/bin/sh
# reports: results that stand in files rather than in the output: those of this run, and of nothing else
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq

project=$scratch/project
mkdir -p "$project/src" "$project/tests" "$project/.warder"
cd "$project" || exit 1
git init -q -b main
echo 1 >src/value
# the project's runner: one report a test; the right value is 2
cat >tests/run <<'X'
mkdir -p out/deep
good=; [ "$(cat src/value)" = 2 ] || good='<failure message="wrong"/>'
echo "<testsuite><testcase classname='sum' name='value'>$good</testcase></testsuite>" >out/deep/a.xml
echo "<testsuite><testcase classname='sum' name='other'/></testsuite>" >out/b.xml
[ -z "$good" ]
X
echo 'exec sh tests/run' >start
cat >.warder/verify.json <<'X'
{"warder": "verify/1", "protect": ["tests/**"],
 "commands": [{"id": "unit", "run": ["sh", "start"], "parse": "junit", "report": ["out/**/*.xml", "out/*.xml"]}]}
X
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm base

verdict() {
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}
counts='.tests | [.base, .run, .passed, .failed, .skipped] | join(" ")'

patch_of good 'echo 2 >src/value'
expect 0 "reports in files are read" warder verify --json "$scratch/good.patch"
is "$(verdict "$counts")" "2 2 2 0 0" "both of them"

patch_of wrong 'echo 3 >src/value'
expect 1 "a failure in a report fails" warder verify --json "$scratch/wrong.patch"
is "$(verdict '.failing | join(" ")')" sum.value "its test is named"

cat >"$scratch/report.xml" <<'X'
<testsuite><testcase classname="sum" name="value"/><testcase classname="sum" name="other"/></testsuite>
X
patch_of brought "mkdir out; cp '$scratch/report.xml' out/mine.xml; echo true >start; git add -f out"
expect 1 "a report that the patch brings is not one of this run" warder verify --json "$scratch/brought.patch"
is "$(verdict .cause)" no_tests "no test ran"

# what is left running when a command ends is gone before the next one begins
cat >"$scratch/daemon" <<'X'
(setsid sh -c "sleep 1; cp report.xml out/deep/a.xml; sleep 60" >/dev/null 2>&1 &)
sh tests/run
exit 0
X
cat >"$scratch/two.json" <<'X'
{"warder": "verify/1", "protect": ["tests/**"],
 "commands": [{"id": "run", "run": ["sh", "start"]},
              {"id": "unit", "run": ["sh", "-c", "sleep 3; cat out/deep/a.xml out/b.xml"], "parse": "junit"}]}
X
patch_of daemon "cp '$scratch/daemon' start; cp '$scratch/report.xml' ."
expect 1 "what is left running writes no results" \
        warder verify --json --spec "$scratch/two.json" "$scratch/daemon.patch"
is "$(verdict '.failing | join(" ")')" sum.value "the test's own report is read"

patch_of broken "printf '%s\n' 'sh tests/run' 'printf \"<testsuite><testcase\" >out/b.xml' >start; echo 2 >src/value"
expect 1 "a report that breaks off is no proof" warder verify --json "$scratch/broken.patch"

patch_of link "printf '%s\n' 'sh tests/run' 'cd out; mv b.xml /tmp; ln -s /tmp/b.xml .' >start; echo 2 >src/value"
expect 1 "a link is no report" warder verify --json "$scratch/link.patch"
is "$(verdict '.missing | join(" ")')" sum.other "its test is missing"

# a report that an earlier command wrote (a build, in which the change's own code runs) is none of a later one
cat >"$scratch/build.json" <<'X'
{"warder": "verify/1", "protect": ["tests/**"],
 "commands": [{"id": "build", "run": ["sh", "start"]},
              {"id": "unit", "run": ["sh", "-c", "mv out kept; mv kept out"], "parse": "junit", "report": ["out/**/*.xml"]}]}
X
patch_of early "printf '%s\\n' 'mkdir -p out/deep' 'cp report.xml out/deep/a.xml' 'touch -d +1hour out/deep/a.xml' >start; cp '$scratch/report.xml' ."
expect 1 "a report that an earlier command wrote counts for no later one" \
        warder verify --json --spec "$scratch/build.json" "$scratch/early.patch"
is "$(verdict .cause)" no_tests "no test ran"
has "$(verdict .reason)" '"unit" wrote no report; what matches "report" (out/**/*.xml) was there before' "and why is said"
sed 's,"out/[^]]*,"build/*.xml"\, "nowhere/*",' "$scratch/build.json" >"$scratch/nowhere.json"
expect 1 "globs that match nothing" warder verify --json --spec "$scratch/nowhere.json" "$scratch/good.patch"
has "$(verdict .reason)" '"unit" wrote no file that matches its "report", build/*.xml, nowhere/*' "are named"
sed 's,"sh"\, "-c"\, "[^"]*","sh"\, "-c"\, "mkdir -p out; echo >out/a.xml",' "$scratch/build.json" >"$scratch/empty.json"
expect 1 "a report that holds nothing" warder verify --json --spec "$scratch/empty.json" "$scratch/good.patch"
has "$(verdict .reason)" 'no test ran: of 1 reports of "unit"' "is told from none"
cat >"$scratch/own.json" <<'X'
{"warder": "verify/1", "protect": ["tests/**"],
 "commands": [{"id": "build", "run": ["sh", "start"]},
              {"id": "unit", "run": ["sh", "tests/run"], "parse": "junit", "report": ["out/**/*.xml"]}]}
X
patch_of over "printf '%s\\n' 'mkdir -p out/deep' 'cp report.xml out/deep/a.xml' 'cp report.xml out/c.xml' >start; cp '$scratch/report.xml' ."
expect 1 "one that the later command writes over an earlier one's does" \
        warder verify --json --spec "$scratch/own.json" "$scratch/over.patch"
is "$(verdict '(.failing | join(" ")) + " " + (.tests.run | tostring)')" "sum.value 2" "and the earlier one's other does not"

printf '{"warder": "verify/1", "commands": [{"run": ["true"], "report": ["x"]}]}\n' >"$scratch/spec.json"
expect 2 "a report needs a form" warder verify --spec "$scratch/spec.json" "$scratch/good.patch"
has "$err" "/commands/0/report" "the field is named"
nothing_left "after the verifies"
done_testing
