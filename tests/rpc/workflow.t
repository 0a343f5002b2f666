#!/bin/sh
# workflow: every kind of step with a recorded model in real jails, the shipped workflows, and what checks them
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq
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
calls() { # calls ROLE TURN EXPECT TOOL ARGUMENTS
        reply "$1" "$2" "$3" "{\"content\":\"\",\"tool_calls\":[{\"name\":\"$4\",\"arguments\":$5}]}"
}
edit() { # edit TURN EXPECT OLD NEW FILE
        calls developer "$1" "$2" edit "{\"path\":\"$5\",\"old_string\":\"$3\",\"new_string\":\"$4\"}"
}
transcript() { # transcript NAME: entries on stdin
        jq -s . >"$scratch/$1.json"
}
state() {
        printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | "\(.state) \(.cause)"'
}
ends() { # ends PATH: how often that instance was done
        printf '%s\n' "$out" | jq -r --arg path "$1" \
                'select(.event == "step.end" and .data.path == $path and .data.state == "done") | .data.path' | wc -l
}
old='        int total = 0;\n\n        for (int i = 1;'
new='        int total = 0;\n\n        for (int i = 0;'

# ---- every kind, in jails

cat >kinds.json <<'END'
{"warder": "workflow/1", "name": "kinds", "state": {"type": "object", "properties": {"n": {"type": "integer", "default": 0}}},
 "steps": [
  {"id": "both", "parallel": [
    {"id": "a", "exec": "touch a.o; i=0; while [ ! -e b.o ] && [ $i -lt 3000 ]; do sleep 0.02; i=$((i+1)); done; test -e b.o",
     "require": ".steps.a.ok"},
    [{"id": "b", "exec": "touch b.o; i=0; while [ ! -e a.o ] && [ $i -lt 3000 ]; do sleep 0.02; i=$((i+1)); done; test -e a.o",
      "require": ".steps.b.ok"}, {"id": "after", "map": "\"both met\""}]]},
  {"id": "each", "foreach": "[\"x\", \"y\", \"z\"]", "concurrency": 3, "steps": [
    {"id": "say", "exec": ["echo", "item {{ .item }}"], "require": ".steps.say.ok"},
    {"id": "said", "map": ".steps.say.output | rtrimstr(\"\\n\")"}]},
  {"id": "again", "exec": "echo x >>tries.o; test $(wc -l <tries.o) -ge 2", "require": ".steps.again.ok",
   "retry": {"max": 2, "wait": "10ms"}},
  {"id": "count", "dowhile": ".state.n < 3", "max_iterations": 5, "steps": [{"id": "one", "map": ".state.n + 1", "set": {"n": ".steps.one"}}]},
  {"id": "way", "branch": [{"when": ".state.n == 3", "steps": [{"id": "three", "map": "\"three\""}]},
                           {"steps": [{"id": "other", "map": "error(\"the wrong arm\")"}]}]},
  {"id": "nap", "sleep": "10ms"},
  {"id": "look", "workflow": "steps/checkout"},
  {"id": "beside", "workflow": "own", "with": {"names": ".steps.each"}},
  {"id": "work", "agent": "developer", "prompt": "{{ .steps.after }}, {{ .steps.each }}, {{ .steps.way }}, {{ .steps.beside }}, {{ .steps.look.files > 3 }}"},
  {"id": "tests", "workflow": "steps/test", "with": {"command": "[\"make\", \"-s\", \"check\"]"}},
  {"id": "check", "verify": {}}],
 "finally": [{"id": "bye", "exec": "rm -f *.o"}]}
END
echo '{"warder": "workflow/1", "name": "own", "steps": [{"id": "n", "map": ".input.names | length"}]}' >own.json
git add -A && git commit -qm workflows
{
        edit 1 'both met, [\"item x\",\"item y\",\"item z\"], three, 3, true' "$old" "$new" src/sum.c
        says developer 2 'replaced' 'It begins at 0 now.'
} | transcript kinds
expect 0 "a workflow with every kind of step ends verified" \
        warder task run --json --workflow ./kinds.json --replay "$scratch/kinds.json" -m 'mend it'
is "$(state)" "verified null" "verified"
is "$(ends both/b) $(ends 'each[2]/say') $(ends 'count[3]/one') $(ends look/files) $(ends beside/n) $(ends finally/bye)" \
        "1 1 1 1 1 1" "each instance was done once"
has "$(printf '%s\n' "$out" | jq -r 'select(.event == "notice") | .data.text')" "try 2 of 3" "a further try is told"

# ---- those that are shipped

{
        calls tester 1 'sums that begin' write '{"path":"tests/more.sh","content":"exit 1"}'
        says tester 2 'more.sh' '{\"command\":[\"make\",\"-s\",\"check\"],\"tests\":[\"sum_of_three\"],\"files\":[\"tests/more.sh\"]}'
        edit 1 'sum_of_three' "$old" "$new" src/sum.c
        says developer 2 'replaced' 'It begins at 0.'
} | transcript tdd
expect 0 "tdd: tests that fail come first" \
        warder task run --json --workflow tdd --replay "$scratch/tdd.json" -m 'sums that begin at 0'
is "$(ends red) $(ends 'loop[1]/check')" "1 1" "red is looked at, then it is done"

# ---- how they fail

echo '{"warder": "workflow/1", "name": "late", "steps": [{"id": "s", "parallel": [{"id": "a", "exec": "sleep 600"}, {"id": "b", "sleep": "10m"}], "timeout": "300ms"}]}' >late.json
expect 6 "a step's time limit ends the task" warder task run --json --workflow ./late.json --replay "$scratch/tdd.json" -m 'x'
is "$(state)" "error step_timeout" "by its name"
echo '{"warder": "workflow/1", "name": "lost", "steps": [{"id": "s", "workflow": "steps/nowhere"}]}' >lost.json
expect 6 "a workflow that is nowhere" warder task run --json --workflow ./lost.json --replay "$scratch/tdd.json" -m 'x'
is "$(state)" "error workflow_invalid" "is no valid one"
printf '{"warder": "workflow/1",\n "name": "x"\n "steps": []}\n' >wrong.json
expect 2 "a workflow that is no JSON is usage" warder task run --workflow ./wrong.json --replay "$scratch/tdd.json" -m 'x'
has "$err" "wrong.json: line 3, column 2" "file, line and column are named"
expect 2 "one that is not there is usage" warder task run --workflow ./nothing.json --replay "$scratch/tdd.json" -m 'x'

# an expression that never ends, and one that takes all memory: outside they do
timeout 2 jq -n 'last(range(0; 1000000000000))' >/dev/null
is $? 124 "an expression that never ends, in jq itself"
for expression in 'last(range(0; 1000000000000))' '\"xxxxxxxxxxxxxxxx\" | until(false; . + .)'; do
        echo '{"warder": "workflow/1", "name": "greedy", "steps": [{"id": "few", "map": "[range(0; 3)] | length"},
         {"id": "all", "map": "'"$expression"'"}], "finally": [{"id": "bye", "exec": "true"}]}' >greedy.json
        expect 6 "an expression that wants all there is" warder task run --json --workflow ./greedy.json --replay "$scratch/tdd.json" -m 'x'
        is "$(state) $(ends few) $(ends finally/bye)" "error expression_failed 1 1" "fails by itself, and the task goes on to its end"
done

# who evaluates is killed: the agent ends with it, and another one goes on from the last commit
below() { # below PID NAME: processes of that name
        for child in $(pgrep -P "$1"); do
                [ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2" ] || echo "$child"
                below "$child" "$2"
        done
}
echo '{"warder": "workflow/1", "name": "evaluator", "steps": [{"id": "few", "map": "[range(0; 3)] | length"}, {"id": "nap", "exec": "sleep 20"},
 {"id": "more", "map": "([range(0; 4)] | length) + .steps.few"}]}' >evaluator.json
task=$(warder task start --workflow ./evaluator.json --replay "$scratch/tdd.json" -m 'x')
tries=600
until warder task log --json "$task" 2>/dev/null | jq -es 'any(.event == "step.start" and .step == "nap")' >/dev/null || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
done
killed=$(for pid in $(supervisor_pids); do below "$pid" warder-jq; done)
kill -KILL $killed
ok $? "the process that evaluates is killed: $killed"
timeout 240 warder task watch --json "$task" >"$scratch/out" 2>/dev/null
is "$(warder task log --json "$task" | jq -rs '[.[] | select(.event == "notice" and .data.phase == "resume") | .data.cause] | join(" ")')" agent_lost "the agent is started again"
is "$(warder task log --json "$task" | jq -rs '[.[] | select(.event == "step.end" and .data.state == "done") | .step] | unique | join(" ")')" "few more nap" "and every step comes to its end"
nothing_left "after all ends"

# ---- check, show, graph: without a supervisor

for name in fix feature race split tdd steps/checkout steps/deploy steps/lint steps/package steps/test; do
        expect 0 "check: $name" warder workflow check "$name"
done
expect 0 "check: a file that calls one beside it and shipped ones" warder workflow check ./kinds.json
expect 1 "check: one that calls what is nowhere" warder workflow check ./lost.json
has "$err" '/steps/0/workflow: there is no workflow "steps/nowhere"' "names the place"
sed 's/"max_iterations": 5, //' kinds.json >wrong.json
expect 1 "check: a loop without a limit" warder workflow check --json ./wrong.json
is "$(printf '%s\n' "$out" | jq -r '.good, .fault' | tr '\n' ' ')" \
        "false workflow kinds: /steps/3/max_iterations: every loop needs a limit, such as 5 " "names the place, as JSON too"
sed 's/\.steps\.again\.ok/.steps.again.ok |/' kinds.json >wrong.json
expect 1 "check: what is no jq" warder workflow check ./wrong.json
has "$err" "/steps/2/require" "names the place"
cat >wrong.json <<'END'
{"warder": "workflow/1", "name": "wrong", "steps": [
  {"id": "a", "map": ".input | foo("}, {"id": "b", "map": "1"}, {"id": "c", "map": ".input | )"}]}
END
expect 1 "check: two that are no jq" warder workflow check ./wrong.json
is "$(printf '%s\n' "$err" | grep -c '^warder: ./wrong.json: /steps/[02]/map: ')" 2 "are both named, with the file"
has "$err" '/steps/0/map: `.input | foo(`: syntax error' "and what libjq says of them"
hasnt "$err" "shell quoting" "without what is about command lines"
cat >wrong.json <<'END'
{"warder": "workflow/1", "name": "wrong", "steps": [
  {"id": "a", "agent": "nobody", "prompt": "x"}, {"id": "b", "exec": "true", "promt": 1},
  {"id": "c", "workflow": "steps/test", "with": {"commnd": "1"}}]}
END
expect 1 "check: several faults" warder workflow check --json ./wrong.json
is "$(printf '%s\n' "$out" | jq -r '.faults | map(split(":")[1]) | join(" ")')" " /steps/0/agent  /steps/1/promt" "are all told"
sed -i 's/nobody/developer/; s/, "promt": 1//' wrong.json
expect 1 "check: what a called workflow gets" warder workflow check ./wrong.json
has "$err" '/steps/2/with: the called workflow'"'"'s input needs "command"' "is looked at"
expect 2 "check: which?" warder workflow check
expect 6 "check: a file that is not there" warder workflow check ./nothing.json
expect 0 "show" warder workflow show ./kinds.json
has "$out" "steps/checkout" "says what it calls"
is "$(warder workflow show --json ./kinds.json | jq -r '.workflows | keys | join(" ")')" "own steps/checkout steps/test" \
        "and has it, as JSON"
expect 0 "graph" warder workflow graph ./kinds.json
has "$out" '└─ finally' "as lines"
is "$(printf '%s\n' "$out" | grep -c -e ' ,' -e ' $')" 0 "without stray commas or spaces"
expect 0 "graph: a split" warder workflow graph split
has "$out" "each item, in a fork" "says what its lists are for"
expect 0 "graph: a split as a picture" warder workflow graph --svg split
has "$out" "where it conflicts" "as well"
has "$out" '<title>.steps.check.verdict == &#34;passed&#34; and (.steps.review.veto | not)</title>' "what is cut has all of it to point at"
expect 0 "help for all of them" warder workflow --help
has "$out" "workflow graph" "lists them"
expect 0 "the data of the source tree is found from a build" \
        env -u WARDER_DATA -u WARDER_POLICIES -u WARDER_LIBEXEC warder workflow check fix
expect 0 "graph as a picture" warder workflow graph --svg ./kinds.json
printf '%s\n' "$out" >"$scratch/graph.svg"
expect 0 "is well-formed" python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$scratch/graph.svg"
printf '{"warder": "workflow/1", "name": "<script>", "steps": [{"id": "a", "map": "\\"</text>\\\\u001b[2J&\\""}]}' >bad.json
expect 0 "a name that is a tag" warder workflow graph --svg ./bad.json
hasnt "$out" "<script" "stays text"
expect 0 "and on a terminal" warder workflow graph ./bad.json
[ "$(printf '%s' "$out" | tr -d '\033')" = "$out" ]
ok $? "no escape sequence passes"
done_testing
