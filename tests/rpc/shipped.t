#!/bin/sh
# shipped: the workflow feature, which asks a person and a reviewer, and the steps lint, package and deploy, with a
# recorded model in real jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq tar
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"

project=$scratch/project
make_project "$project"
cd "$project" || exit 1

reply() { # reply ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
says() { # says ROLE TURN EXPECT TEXT
        reply "$1" "$2" "$3" "{\"content\":\"$4\"}"
}
old='        int total = 0;\n\n        for (int i = 1;'
new='        int total = 0;\n\n        for (int i = 0;'
edit() { # edit TURN EXPECT
        reply developer "$1" "$2" "{\"content\":\"\",\"tool_calls\":[{\"name\":\"edit\",\"arguments\":
                {\"path\":\"src/sum.c\",\"old_string\":\"$old\",\"new_string\":\"$new\"}}]}"
}
transcript() { # transcript NAME: entries on stdin
        jq -s . >"$scratch/$1.json"
}
asks() { # asks NAME OPTION…: a task that waits for a person; its id in $task
        name=$1
        shift
        expect 4 "$name" warder task run "$@" -m 'let sums begin at nothing'
        task=$(printf '%s\n' "$err" | sed -n 's/^  warder task approve \(t-[a-z2-7]*\) .*/\1/p')
}
shown() { # shown EXPRESSION: of task.show
        warder task show --json "$task" | jq -r "$1"
}
ends() { # ends PATH: how often that instance was done
        warder task log --json "$task" | jq -r --arg path "$1" \
                'select(.event == "step.end" and .data.path == $path and .data.state == "done") | .data.path' | wc -l
}

# ---- feature

plan='{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}'
none='{\"findings\":[]}'
{
        says architect 1 'begin at nothing' "$plan"
        says developer 1 'mind the empty list' 'Done.'
        says linter 1 'Done.' "$none"
        edit 2 'sum_of_three'
        says developer 3 'replaced' 'It begins at 0.'
        says linter 2 'It begins at 0.' '{\"findings\":[{\"file\":\"src/sum.c\",\"problem\":\"say why\"}]}'
        says developer 4 'src/sum.c: say why' 'The name says it.'
        says linter 3 'The name says it.' "$none"
        says reviewer 1 'Remarks of the checks: ' '{\"veto\":true,\"findings\":[{\"file\":\"src/sum.c\",\"what\":\"n is not checked\"}]}'
        says developer 5 'src/sum.c: n is not checked' 'Its callers check it.'
        says linter 4 'Its callers check it.' "$none"
        says reviewer 2 'Files: ' '{\"veto\":false,\"findings\":[]}'
} | transcript feature
asks "feature: the plan is asked about" --workflow feature --replay "$scratch/feature.json"
is "$(shown '.questions[0] | "\(.step) \(.about) \(.plan)"' | head -n 1)" "agree plan let sum() begin at 0" "with what it is"
expect 0 "approved" warder task approve "$task" --comment 'mind the empty list'
expect 0 "feature: verified when tests, reader and reviewer agree" timeout 300 warder task watch --json "$task"
is "$(ends 'loop[3]/next/review') $(ends 'loop[4]/next/review') $(ends 'loop[2]/next/review')" "1 1 0" \
        "the reviewer is asked when the others agree, and a veto goes back"

expect 0 "the log of a step" warder task log "$task" --step loop/code
expect 2 "of one that there is not" warder task log "$task" --step nope
has "$err" "no step 'nope'" "is an error"
has "$err" "loop/next/review" "that names those that there are"

# ---- lint, package, deploy

cat >ship.json <<'END'
{"warder": "workflow/1", "name": "ship", "steps": [
  {"id": "code", "agent": "developer", "prompt": "go"},
  {"id": "lint", "workflow": "steps/lint", "with": {"command": "[\"sh\", \"-c\", \"echo untidy; exit 3\"]"}},
  {"id": "pack", "workflow": "steps/package", "with": {
    "command": "[\"sh\", \"-c\", \"mkdir -p build && tar cf build/src.tar src\"]", "path": "\"build/src.tar\""}},
  {"id": "out", "workflow": "steps/deploy", "with": {
    "command": "[\"sh\", \"-c\", \"echo deployed >>build/done\"]",
    "what": "\"\\(.steps.pack.path), \\(.steps.pack.sha256 | length) digits, tidy: \\(.steps.lint.clean)\""}},
  {"id": "once", "exec": "test \"$(cat build/done)\" = deployed", "require": ".steps.once.ok"},
  {"id": "check", "verify": {}}]}
END
git add -A && git commit -qm workflows
{
        edit 1 'go'
        says developer 2 'replaced' 'It begins at 0.'
} | transcript ship
asks "deploy: a person is asked" --workflow ./ship.json --replay "$scratch/ship.json"
has "$(shown '.questions[0].text')" "build/src.tar, 64 digits, tidy: false" "about what was packed"
has "$(shown '.questions[0].plan')" "echo deployed" "and which command it is"
expect 0 "approved" warder task approve "$task"
expect 0 "deployed once, and verified" timeout 300 warder task watch --json "$task"

asks "asked again" --workflow ./ship.json --replay "$scratch/ship.json"
expect 0 "rejected" warder task reject "$task" --comment 'not on a Friday'
expect 1 "a no ends it" timeout 300 warder task watch --json "$task"
is "$(shown '"\(.state) \(.cause)"') $(warder task log --json "$task" | grep -c 'out/run')" "unverified rejected 0" \
        "by that name, and nothing was deployed"
nothing_left "after all ends"
done_testing
