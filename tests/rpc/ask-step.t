#!/bin/sh
# ask-step: workflows that ask: a plan that is sent back and then approved, a model that asks in the middle of a
# step, branches that ask side by side; with a recorded model, in real jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"

# roles of the test's own beside the shipped ones
WARDER_DATA=$scratch/data
mkdir -p "$WARDER_DATA"
cp -r "$top_srcdir/agent/roles" "$top_srcdir/agent/workflows" "$WARDER_DATA/"
chmod -R go+rX "$scratch/data"
jq -n '{"warder": "role/1", "name": "asker", "instructions": "Ask, then mend.", "tools": ["ask", "edit"], "max_turns": 5}' \
        >"$WARDER_DATA/roles/asker.json"

project=$scratch/project
make_project "$project"
cd "$project" || exit 1

reply() { # reply ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
says() { # says ROLE TURN EXPECT TEXT
        reply "$1" "$2" "$3" "{\"content\":\"$4\"}"
}
calls() { # calls ROLE TURN EXPECT TOOL ARGUMENTS
        reply "$1" "$2" "$3" "{\"content\":\"\",\"tool_calls\":[{\"name\":\"$4\",\"arguments\":$5}]}"
}
transcript() { # transcript NAME: entries on stdin
        jq -s . >"$scratch/$1.json"
}
start() { # start WORKFLOW TRANSCRIPT: the task's id in $task
        task=$(warder task start --replay "$scratch/$2.json" -w "$scratch/$1.workflow.json" -m "the tests fail")
}
shown() { # shown EXPRESSION: of task.show
        warder task show --json "$task" | jq -r "$1"
}
waits_until() { # waits_until EXPRESSION NAME: with patience
        tries=1200
        until [ "$(shown "$1")" = true ] || [ $tries -eq 0 ]; do
                sleep 0.1
                tries=$((tries - 1))
        done
        is "$(shown "$1")" true "$2"
}
waits_for() { # waits_for N: open questions, and a task that is suspended
        waits_until "(.state == \"suspended\") and ([.questions[] | select(.decision == \"open\")] | length) == $1" \
                "it waits with $1 open"
}
question() {
        shown '[.questions[] | select(.decision == "open")][-1].question'
}
right_old='        int total = 0;\n\n        for (int i = 1;'
right_new='        int total = 0;\n\n        for (int i = 0;'
edit() { # edit TURN EXPECT
        calls developer "$1" "$2" edit "{\"path\":\"src/sum.c\",\"old_string\":\"$right_old\",\"new_string\":\"$right_new\"}"
}

# ---- a plan that is sent back once

cat >"$scratch/plan.workflow.json" <<'JSON'
{"warder": "workflow/1", "name": "plan", "input": {"type": "object", "required": ["request"]},
 "steps": [
  {"id": "agree", "dountil": ".steps.review.approved", "max_iterations": 3, "steps": [
    {"id": "plan", "agent": "architect", "prompt": "{{ .input.request }} {{ .steps.review.comment // \"\" }}"},
    {"id": "review", "ask": "May {{ .steps.plan.files }} be changed?", "about": "plan", "plan": "{{ .steps.plan.plan }}",
     "rejected": "go_on"}]},
  {"id": "code", "agent": "developer", "prompt": "{{ .steps.plan.plan }}"},
  {"id": "check", "verify": {}}]}
JSON
{
        says architect 1 'the tests fail' '{\"plan\":\"rewrite everything\",\"files\":[\"all\"]}'
        says architect 2 'too much' '{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}'
        edit 1 'begin at 0'
        says developer 2 'replaced' 'It begins at 0 now.'
} | transcript plan

expect 4 "a workflow that asks" warder task run --replay "$scratch/plan.json" -w "$scratch/plan.workflow.json" -m "the tests fail"
has "$err" "rewrite everything" "shows the plan"
has "$err" "to answer: warder task approve t-" "and what a person may type, at once"
task=$(printf '%s\n' "$err" | sed -n 's/^  warder task approve \(t-[a-z2-7]*\) .*/\1/p')
is "$(shown '.questions[0].step')" 'agree[1]/review' "at its step"
is "$(warder ls --json | jq -r '.jails | length')" 0 "no jail is kept for it"
expect 0 "rejected" warder task reject "$task" --comment 'that is too much'
waits_for 1
is "$(shown '.questions[1] | "\(.step) \(.plan)"')" 'agree[2]/review let sum() begin at 0' "the next plan is asked in its turn"
calls_used=$(shown .used.calls[0])
is "$calls_used" 2 "each plan was made once"
expect 1 "a yes that does not say to which" warder task approve "$task"
expect 0 "approved" warder task approve "$task" --question "$(question)"
expect 0 "verified" timeout 300 warder task watch --json "$task"
is "$(shown '.used.calls[0]')" 4 "and nothing was done twice"
planned=$task

# ---- a no ends the run

cat >"$scratch/no.workflow.json" <<'JSON'
{"warder": "workflow/1", "name": "no", "steps": [
  {"id": "push", "ask": "May it be pushed?", "about": "push", "wait": "2d"}]}
JSON
transcript none </dev/null
start no none
waits_for 1
is "$(shown '.questions[0] | (.until | sub("\\..*"; "Z") | fromdate) - (.asked | sub("\\..*"; "Z") | fromdate)')" 172800 \
        "it waits as long as the step says"
expect 0 "rejected" warder task reject "$task" --comment 'not on a Friday'
expect 1 "ends it" timeout 300 warder task watch --json "$task"
is "$(shown '"\(.state) \(.cause)"')" "unverified rejected" "by that name"
has "$(shown .summary)" "not on a Friday" "and with what was said"
refused=$task

# ---- a model that asks

cat >"$scratch/model.workflow.json" <<'JSON'
{"warder": "workflow/1", "name": "model", "steps": [
  {"id": "code", "agent": "asker", "prompt": "{{ .input.request }}"},
  {"id": "check", "verify": {}}]}
JSON
{
        calls asker 1 'the tests fail' ask '{"question":"Where does it begin?","choices":["at 0","at 1"]}'
        calls asker 2 'The answer: at 0' edit "{\"path\":\"src/sum.c\",\"old_string\":\"$right_old\",\"new_string\":\"$right_new\"}"
        says asker 3 'replaced' 'Done.'
} | transcript model
start model model
waits_for 1
is "$(shown '.questions[0] | "\(.step) \(.text) \(.choices | join(", "))"')" 'code?1 Where does it begin? at 0, at 1' \
        "a model's question has its choices"
expect 1 "another answer" warder task answer "$task" 'at 2'
expect 0 "one of them" warder task answer "$task" 'at 0' --comment 'as everywhere'
expect 0 "the model works on with it" timeout 300 warder task watch --json "$task"
is "$(shown '.used.calls[0]')" 3 "in the same conversation"
answered=$task

# ---- side by side

cat >"$scratch/both.workflow.json" <<'JSON'
{"warder": "workflow/1", "name": "both", "steps": [
  {"id": "all", "parallel": [
    {"id": "one", "ask": "The first?", "choices": ["a", "b"]},
    {"id": "two", "ask": "The second?"},
    {"id": "work", "exec": "sleep 1; sed -i s/i.=.1/i=0/ src/sum.c"}]},
  {"id": "both", "map": {"one": ".steps.one.answer", "two": ".steps.two.answer"}},
  {"id": "check", "verify": {}}]}
JSON
start both none
waits_for 2
is "$(shown '.used.commands[0]')" 1 "what else there was to do is done"
expect 0 "the second is answered first" warder task answer "$task" why --question "$(shown '.questions[] | select(.step == "all/two") | .question')"
waits_for 1
expect 0 "then the first" warder task answer "$task" b --question "$(question)"
expect 0 "both go on" timeout 300 warder task watch --json "$task"
is "$(shown '.used.commands[0]')" 1 "and nothing was done twice"
both=$task

# ---- a wait that nobody is asked for

cat >"$scratch/nap.workflow.json" <<'JSON'
{"warder": "workflow/1", "name": "nap", "steps": [{"id": "nap", "sleep": "2h"}, {"id": "check", "verify": {}}]}
JSON
start nap none
waits_for 1
is "$(warder ls --json | jq -r '.jails | length')" 0 "a long sleep keeps no jail"
is "$(shown '.questions[0].about')" time "and asks nobody"
expect 0 "it can be ended early" warder task approve "$task"
expect 1 "then the task goes on" timeout 300 warder task watch --json "$task"
napped=$task

# ---- replayed: what was decided is decided again, and nobody is asked

again() { # again TASK WHAT: the replay is in $task then
        expect 0 "$2 comes to the same again" timeout 300 warder task replay --json "$1"
        task=$(printf '%s\n' "$out" | tail -n1 | jq -r .task)
}
again "$planned" "a plan that was rejected once"
is "$(shown '[.questions[] | "\(.decision) \(.comment // "")"] | join(", ")')" "rejected that is too much, approved " \
        "with the same decisions"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "ask") | .data.phase' | sort -u)" decided "that nobody was asked for"
is "$(warder task receipt --json "$task" | jq -r 'select(.kind == "answer") | .data.decision' | tr '\n' ' ')" "rejected approved " \
        "and that its receipt has"
again "$refused" "a no"
again "$answered" "an answer to a model"
again "$both" "answers to branches"
again "$napped" "a sleep of two hours, not slept again,"
nothing_left "after all of it"
done_testing
