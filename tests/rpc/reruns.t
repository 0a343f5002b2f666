#!/bin/sh
# reruns: tests that pass only sometimes, and tests that failed before the change
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq

project=$scratch/project
mkdir -p "$project/src" "$project/tests" "$project/.warder"
cd "$project" || exit 1
git init -q -b main
echo 1 >src/value
# "luck" passes by chance; "old" fails on the base and goes on doing so
cat >tests/run <<'X'
[ "$(cat src/value)" = 2 ] && echo ok - value || echo not ok - value
case $(cat src/luck 2>/dev/null) in
none) echo not ok - luck ;;
some) [ $(($(date +%N | cut -c4-6 | sed 's/^0*//;s/^$/0/') % 2)) = 1 ] && echo ok - luck || echo not ok - luck ;;
*) echo ok - luck ;;
esac
[ ! -e src/old ] || echo not ok - old
[ "$(cat src/value)" = 2 ] && [ ! -e src/old ]
X
write_spec() {
        echo "{\"warder\": \"verify/1\", \"protect\": [\"tests/**\"], \"commands\": [{\"id\": \"unit\", \"run\": [\"sh\", \"tests/run\"], \"parse\": \"tap\"}]$1}" >"$scratch/spec.json"
}
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm base
verdict() {
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}

patch_of good 'echo 2 >src/value'
patch_of unlucky 'echo 2 >src/value; echo none >src/luck'
patch_of lucky 'echo 2 >src/value; echo some >src/luck'
write_spec ', "reruns": {"need": 2, "of": 3}'
expect 0 "two runs of three pass" warder verify --json --spec "$scratch/spec.json" "$scratch/good.patch"
is "$(verdict '[.runs, .runs_passed] | join(" ")')" "2 2" "no third one is needed"
expect 1 "none does" warder verify --json --spec "$scratch/spec.json" "$scratch/unlucky.patch"
is "$(verdict '[.verdict, .runs, .runs_passed, (.flaky | join(" "))] | join(" ")')" "failed 2 0 " "that is failed, and not flaky"
write_spec ', "reruns": {"need": 20, "of": 20}'
expect 1 "what passes sometimes does not pass" warder verify --json --spec "$scratch/spec.json" "$scratch/lucky.patch"
is "$(verdict 'if .verdict == "flaky" then .flaky[0] else .failing[0] end')" luck "its test is named"
write_spec ', "reruns": {"need": 3, "of": 2}'
expect 2 "three of two can never pass" warder verify --spec "$scratch/spec.json" "$scratch/good.patch"

# a base with a test that fails and that nobody asks to be mended
touch src/old
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm 'an old failure'
write_spec ''
expect 1 "without expect every test must pass" warder verify --json --spec "$scratch/spec.json" "$scratch/good.patch"
is "$(verdict '.known | join(" ")')" old "the verdict tells which failed before"
expect 0 "what is expected passes: the old failure may stay" \
        warder verify --json --spec "$scratch/spec.json" --expect value "$scratch/good.patch"
is "$(verdict '[.tests.failed, .tests.known] | join(" ")')" "1 1" "and is counted"
expect 1 "what passed on the base must pass still" \
        warder verify --json --spec "$scratch/spec.json" --expect value "$scratch/unlucky.patch"
is "$(verdict '.failing | join(" ")')" "luck old" "it is named"
: >"$scratch/empty.patch"
expect 1 "no change: what is expected fails" \
        warder verify --json --spec "$scratch/spec.json" --expect value "$scratch/empty.patch"
is "$(verdict .cause)" expected_fails "cause expected_fails"
expect 1 "a name that no test has" warder verify --json --spec "$scratch/spec.json" --expect other "$scratch/good.patch"
has "$(verdict .reason)" "not among the tests that ran" "it is said"
expect 2 "expect needs names" warder verify --run 'sh tests/run' --expect value "$scratch/good.patch"
nothing_left "after the runs"
done_testing
