#!/bin/sh
# remarks: what a verdict says about a patch without running it, and the veto that a spec gives it
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq

project=$scratch/project
mkdir -p "$project/src" "$project/doc"
cd "$project" || exit 1
git init -q -b main
echo one >src/a.py
echo one >doc/b
echo '{}' >package-lock.json
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm base

# a token of nobody's, and a network
key=ghp_$(echo Q7wE9rT2yU4iO6pA8sD1fG3hJ5kL0zX9cV7b)
printf 'one\nkey = "%s"\nimport requests\n' "$key" >src/a.py
echo two >doc/b
echo '{"a": 1}' >package-lock.json
git diff >"$scratch/change.patch"
git checkout -q .

spec() { # spec CHECKS
        printf '{"warder": "verify/1", "commands": [{"id": "it", "run": ["true"]}]%s}\n' "$1" >"$scratch/spec.json"
}
verify() { # verify CODE WHAT [OPTION…]
        code=$1 what=$2
        shift 2
        expect "$code" "$what" warder verify "$@" --spec "$scratch/spec.json" "$scratch/change.patch"
}
verdict() {
        printf '%s\n' "$out" | jq -cr "select(.event == \"verify.end\") | $1"
}

spec ''
verify 0 "remarks are advice" --json
is "$(verdict '[.remarks[] | "\(.check) \(.file) \(.line)"] | sort | join(", ")')" \
        "lock-file package-lock.json null, network src/a.py 3, secret src/a.py 2" "each with its place"
is "$(printf '%s' "$out" | grep -c "$key")" 0 "the secret is not repeated"
verify 0 "… for people"
has "$err" "remark    secret, src/a.py:2: it looks like a token" "they see a line of it"

spec ', "checks": {"scope": ["src/**"]}'
verify 0 "a scope" --json
is "$(verdict '[.remarks[] | select(.check == "scope") | .file] | sort | join(" ")')" "doc/b package-lock.json" \
        "what lies outside is named"

spec ', "checks": {"veto": ["secret"]}'
verify 1 "a veto" --json
is "$(verdict '"\(.verdict) \(.cause)"')" "failed vetoed" "the tests pass, the verdict does not"
has "$(verdict .reason)" 'the check "secret" vetoes the patch: src/a.py, line 2' "and says why"

spec ', "checks": {"veto": ["set-id"]}'
verify 0 "a veto of what is not there"

spec ', "checks": {"veto": ["rhymes"]}'
verify 2 "a check that there is not"
has "$err" "/checks/veto/0" "is named by its place"
nothing_left "after all of it"
done_testing
