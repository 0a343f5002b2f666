#!/bin/sh
# forks: sub-tasks in forks of the workspace that are merged, conflicts that go back to a worker, and races
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"

project=$scratch/project
mkdir -p "$project/.warder"
cd "$project" || exit 1
git init -q -b main
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "line $i"; done >list
echo bad >one
echo bad >two
echo '*.log' >.gitignore
cat >check.sh <<'SH'
echo 1..3
grep -qx good one && echo ok 1 - one || echo not ok 1 - one
grep -qx good two && echo ok 2 - two || echo not ok 2 - two
grep -q '^<<<<<<<' list && echo not ok 3 - list || echo ok 3 - list
SH
printf '{"warder": "verify/1", "commands": [{"id": "unit", "run": ["sh", "check.sh"], "parse": "tap"}]}\n' >.warder/verify.json
git add -A
git -c user.name=t -c user.email=t@example.org commit -qm base

reply() { # reply ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
says() { # says ROLE TURN EXPECT TEXT
        reply "$1" "$2" "$3" "{\"content\":\"$4\"}"
}
calls() { # calls ROLE TURN EXPECT TOOL ARGUMENTS
        reply "$1" "$2" "$3" "{\"content\":\"\",\"tool_calls\":[{\"name\":\"$4\",\"arguments\":$5}]}"
}
runs() { # runs TURN EXPECT COMMAND
        calls developer "$1" "$2" bash "{\"command\":\"$3\"}"
}
transcript() { # transcript NAME: entries on stdin
        jq -s . >"$scratch/$1.json"
}
state() {
        printf '%s\n' "$out" | jq -r 'select(.event == "task.end") | "\(.state) \(.cause)"'
}
events() { # events FILTER: of each event
        printf '%s\n' "$out" | jq -r "$1"
}
run() { # run CODE WHAT NAME OPTION…
        code=$1 what=$2 name=$3
        shift 3
        expect "$code" "$what" warder task run --json --replay "$scratch/$name.json" -m "mend them" \
                --out "$scratch/result-$name" "$@"
}
result() { # result NAME: the project as the patch of that result makes it, in $scratch/applied
        rm -rf "$scratch/applied"
        git clone -q "$project" "$scratch/applied"
        git -C "$scratch/applied" apply "$scratch/result-$1/patch.diff"
}

workflow() { # workflow SPLIT-OR-RACE-STEP: with a verify behind it
        printf '{"warder": "workflow/1", "name": "forks", "steps": [%s, {"id": "check", "verify": {}}]}\n' "$1" \
                >"$scratch/workflow.json"
}
# Workers take turns as they come: each reply is there for any turn. They work on files of their own, on
# different lines of one, take a file away, and make one that is ignored.
workflow '{"id": "parts", "split": "[\"one\", \"two\"]",
  "steps": [{"id": "work", "agent": "developer", "prompt": "Do {{ .item }} now"}]}'
for turn in 1 2 3 4; do
        runs $turn 'Do one' "echo good >one; sed -i 's/line 2$/second/' list; echo x >a.log; cat two; echo end of one"
        runs $turn 'Do two' "echo good >two; sed -i 's/line 11/eleventh/' list; chmod +x two; ln -s two link; mkdir -p d/e; echo n >d/e/new; echo end of two"
        says developer $turn 'bad\nend of one' 'One is done, and two is as it was.'
        says developer $turn 'end of two' 'Two is done.'
done | transcript clean
run 0 "two workers, each in a fork" clean --workflow "$scratch/workflow.json"
is "$(state)" "verified null" "the merged whole is verified"
result clean
is "$(cat "$scratch/applied/one" "$scratch/applied/two" "$scratch/applied/d/e/new")" "good
good
n" "both did their part, and neither saw the other's"
is "$(sed -n '2p;11p' "$scratch/applied/list" | tr '\n' ' ')" "second eleventh " "one file of both is merged by lines"
is "$(stat -c %a "$scratch/applied/two") $(readlink "$scratch/applied/link")" "755 two" "modes and links come along"
is "$(events 'select(.event == "verify.end") | .data.verdict' | sort | uniq -c | tr -s ' ')" " 1 passed" \
        "one verify did, for the end too"

# ---- conflicts

workflow '{"id": "parts", "split": "[\"one\", \"two\"]", "max_conflicts": 1,
  "steps": [{"id": "work", "agent": "developer", "prompt": "Do {{ .item }} now"}],
  "resolve": [{"id": "mend", "agent": "developer", "prompt": "Mend {{ .item.conflicts }} of {{ .item.task }}"}]}'
both() { # both MENDING-COMMAND
        for turn in 1 2 3 4 5 6; do
                runs $turn 'Do one' "echo good >one; sed -i 's/line 5/ONE/' list; echo end of one"
                runs $turn 'Do two' "echo good >two; sed -i 's/line 5/TWO/' list; echo end of two"
                runs $turn 'Mend' "$1; echo end of mending"
                says developer $turn 'end of one' 'One is done.'
                says developer $turn 'end of two' 'Two is done.'
                says developer $turn 'end of mending' 'It is mended.'
        done
}
both "cat list; sed -i '/^[<=>]\\\\{7\\\\}/d' list" | transcript conflict
run 0 "two workers change one line" conflict --workflow "$scratch/workflow.json"
is "$(state)" "verified null" "a worker mends it"
result conflict
is "$(sed -n '5,6p' "$scratch/applied/list" | sort | tr '\n' ' ')" "ONE TWO " "with both sides"
is "$(events 'select(.event == "notice" and .data.conflicts) | .data.conflicts[] | "\(.path) \(.kind)"')" "list content" \
        "the conflict is told"

both "true" | transcript stubborn
run 6 "a worker who leaves the marks" stubborn --workflow "$scratch/workflow.json"
is "$(state)" "error conflict" "gets so many tries, then the run ends by that name"
has "$(events 'select(.event == "task.state") | .data.summary // empty')" 'does not go together with what others did; conflicts: 1, the first in list' \
        "and says what conflicts, and what may mend it"

# ---- a merge that cannot be laid

workflow '{"id": "lock", "exec": "mkdir locked && chmod 555 locked"}, {"id": "parts", "split": "[\"one\"]", "steps": [
  {"id": "work", "exec": "chmod 755 locked; echo n >locked/new; echo good >one; rm two; ln -s one link"}]}'
jq '.finally = [{"id": "look", "exec": "ls -A . locked; cat one two; [ $(cat one two | grep -cx bad) = 2 ] && [ ! -L link ] && [ ! -e .warder-merging ]"}]' \
        "$scratch/workflow.json" >"$scratch/locked-flow.json"
transcript locked </dev/null
run 6 "work for a directory in which nobody may write" locked --workflow "$scratch/locked-flow.json"
is "$(state)" "error merge_failed" "ends the run by that name"
is "$(events 'select(.event == "command.end" and .data.path == "finally/look") | .data.code')" 0 "and nothing of it lies in the workspace"

# ---- a race

workflow '{"id": "tries", "race": 3, "wins": ".steps.proof.verdict == \"passed\"", "steps": [
  {"id": "code", "agent": "developer", "prompt": "Try {{ .item }} now"}, {"id": "proof", "verify": {}}]}'
for turn in 1 2 3 4 5 6; do
        runs $turn 'Try 0' "echo good >one; echo end of 0"
        runs $turn 'Try 1' "echo good >one; echo good >two; echo end of 1"
        runs $turn 'Try 2' "sleep 3600; echo end of 2"
        says developer $turn 'end of 0' 'It may do.'
        says developer $turn 'end of 1' 'It does.'
done | transcript race
run 0 "three forks: one is wrong, one right, one never ends" race --workflow "$scratch/workflow.json"
is "$(state)" "verified null" "the right one wins"
result race
is "$(cat "$scratch/applied/one" "$scratch/applied/two" | tr '\n' ' ')" "good good " "its work is the task's"

sed -i 's/"race": 3/"race": 2/' "$scratch/workflow.json"
for turn in 1 2 3 4; do
        for i in 0 1; do
                runs $turn "Try $i" "echo good >one; echo end of $i"
                says developer $turn "end of $i" 'It may do.'
        done
done | transcript lost
run 6 "two forks, both wrong" lost --workflow "$scratch/workflow.json"
is "$(state)" "error no_winner" "nobody wins"
is "$(events 'select(.event == "task.end") | "\(.unjudged) \(.verdicts | length)"')" "true 2" \
        "the verdicts are about the forks, not about the work that was left"
is "$(ls "$scratch/result-lost" | grep -c 'patch\.diff')$(jq -r .verdict "$scratch/result-lost/verdict.json")" "0failed" \
        "so no patch lies beside the last verdict"
# ---- the workflows that come along

plan='{\"plan\":\"mend one and two\",\"files\":[\"one\",\"two\"]'
{
        says architect 1 'mend them' "$plan,\\\"tasks\\\":[{\\\"title\\\":\\\"first\\\",\\\"what\\\":\\\"mend one\\\"},{\\\"title\\\":\\\"second\\\",\\\"what\\\":\\\"spoil two\\\"}]}"
        for turn in 1 2 3 4; do
                runs $turn 'nothing else: first' "echo good >one; echo end of one"
                runs $turn 'nothing else: second' "echo worse >two; echo end of two"
                says developer $turn 'end of one' 'One is done.'
                says developer $turn 'end of two' 'Two is done.'
        done
        runs 5 'not ok 2' "echo good >two; echo setcap x y >three.sh; echo end of fix"
        says developer 6 'end of fix' 'Both are good.'
        runs 7 'set-id' "rm three.sh; echo good >>two; echo end of rest"
        says developer 8 'end of rest' 'The script is gone.'
        says reviewer 1 'Files: ' '{\"veto\":true,\"findings\":[{\"file\":\"two\",\"what\":\"it says good twice\"}]}'
        runs 9 'it says good twice' "echo good >two; echo end of amending"
        says developer 10 'end of amending' 'Once is enough.'
        says reviewer 2 'Files: ' '{\"veto\":false,\"findings\":[]}'
} | transcript shipped-split
run 0 "the workflow split" shipped-split --workflow split
is "$(state)" "verified null" "parts, a repair, a veto of the checks, one of the reviewer, and then verified"
is "$(events 'select(.event == "verify.end") | "\(.data.verdict) \(.data.cause)"' | tr '\n' ' ')" \
        "failed tests_failed failed vetoed passed null passed null " "each verdict for its reason"
result shipped-split
is "$(cat "$scratch/applied/one" "$scratch/applied/two" | tr '\n' ' ')$(ls "$scratch/applied" | grep -c three)" "good good 0" \
        "the whole is what was asked for"

{
        says architect 1 'mend them' "$plan}"
        for turn in 1 2 3 4 5 6; do
                runs $turn 'engineer number 0' "sleep 3600"
                runs $turn 'engineer number 1' "echo good >one; echo good >two; echo end of 1"
                runs $turn 'engineer number 2' "sleep 3600"
                says developer $turn 'end of 1' 'Both are good.'
        done
} | transcript shipped-race
run 0 "the workflow race" shipped-race --workflow race
is "$(state)" "verified null" "one of three is right"
nothing_left "after all of it"
done_testing
