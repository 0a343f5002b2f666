#!/usr/bin/env python3
"""The fix workflow with a recorded model: plan, a claim without work, a wrong edit, a right one."""
import os, sys

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes"))
import harness

tap = harness.Tap()
PLAN = '{"plan": "add() subtracts; make it add", "files": ["add.sh"]}'


def edit(old, new):
    return {"content": "", "tool_calls": [{"name": "edit", "arguments": {"path": "add.sh", "old_string": old, "new_string": new}}]}


def entry(role, turn, expect, reply):
    return {"role": role, "turn": turn, "expect": expect, "reply": reply}


def text(content):
    return {"content": content}


FILES = {"add.sh": "add() {\n\techo $(($1 - $2))\n}\n", "test.sh": ". ./add.sh\ntest $(add 2 2) = 4 || { echo '2 + 2 is not 4'; exit 1; }\n"}
CHECK = {"check": "sh test.sh"}
GOOD = [
    entry("architect", 1, "the sum is wrong", {"tool_calls": [{"name": "grep", "arguments": {"pattern": "echo", "glob": "add*"}}]}),
    entry("architect", 2, "/work/add.sh:2:", text("```json\n" + PLAN + "\n```")),
    entry("developer", 1, "make it add", text("Done, all tests pass.")),
    entry("developer", 2, "2 + 2 is not 4", edit("$1 - $2", "$1 * $2 + 1")),
    entry("developer", 3, "replaced 1 occurrence in add.sh, at line 2", text("Now it works.")),
    entry("developer", 4, "2 + 2 is not 4", edit("$1 * $2 + 1", "$1 + $2")),
    entry("developer", 5, "replaced 1", {"tool_calls": [{"name": "bash", "arguments": {"command": "sh test.sh"}}]}),
    entry("developer", 6, "exit code 0", text("The sum is a sum now.")),
]


def scenario(transcript, **more):
    return {"request": "the sum is wrong", "transcript": transcript, "verdicts": [CHECK] * 5, **more}


def whole_run():
    s = harness.run(scenario(GOOD), FILES)
    tap.is_((s.state(), s.cause(), s.exit), ("done", None, 0), "fix: done", s.summary(), s.stderr)
    tap.has(s.files["add.sh"], "$1 + $2", "the right edit is there")
    tap.is_(s.n_verify, 3, "three verdicts")
    ends = [e for e in s.of("step.end") if e["step"] == "loop/check"]
    tap.is_([e["iteration"] for e in ends], [1, 2, 3], "events name step and iteration")
    tap.is_(len(s.of("model.call")), 8, "every model call is an event")
    tap.is_(len(s.of("tool.call")), len(s.of("tool.result")), "every tool call has its result")
    tap.is_([c["path"] for c in s.checkpoints],
            ["plan"] + [f"loop[{n}]{step}" for n in (1, 2, 3) for step in ("/code", "/check", "")] + ["loop"],
            "each step instance commits once")
    tap.is_(s.checkpoints[-1]["output"]["output"], {"iterations": 3}, "the loop's output")
    tap.is_(s.checkpoints[-1]["output"]["steps"]["check"]["verdict"], "passed", "and what is still seen of its steps")
    tap.is_(s.stderr, "", "nothing on stderr")


def mismatch():
    bad = [dict(GOOD[0], expect="something else")] + GOOD[1:]
    s = harness.run(scenario(bad), FILES)
    tap.is_((s.state(), s.cause()), ("failed", "replay_mismatch"), "another request than recorded: replay_mismatch")
    tap.has(s.summary(), "something else", "it shows what was expected")
    tap.has(s.summary(), "the sum is wrong", "and what came")
    s = harness.run(scenario(GOOD[:3]), FILES)
    tap.is_(s.cause(), "replay_mismatch", "a transcript that ends early: replay_mismatch, no default reply")
    tap.has(s.summary(), "no entry for turn 2 of developer", "it says which entry is missing")
    s = harness.run(scenario([dict(GOOD[0], turn="one")]), FILES)
    tap.is_(s.cause(), "workflow_invalid", "a transcript of the wrong form")
    tap.has(s.summary(), "/0/turn", "names the place")
    s = harness.run(scenario(GOOD + [entry("developer", 99, "x", text("y"))]), FILES)
    tap.is_(s.state(), "done", "an entry too many does not fail a run")
    tap.has(str(s.of("notice")), "1 entries of the transcript were not used", "but is said")


def limits():
    claims = [GOOD[0], GOOD[1]] + [entry("developer", n, "make it add", text("Done.")) for n in range(1, 9)]
    s = harness.run(scenario(claims), FILES)
    tap.is_((s.state(), s.cause()), ("failed", "max_iterations"), "a loop that never passes: max_iterations")
    s = harness.run(scenario(claims, verdicts=[CHECK] * 2), FILES)
    tap.is_((s.state(), s.cause()), ("failed", "limit"), "the supervisor's budget ends the run: limit")
    s = harness.run(scenario(GOOD, hang_up={"verify": 1}), FILES)
    tap.is_((s.finish, s.exit), (None, 1), "a supervisor that goes away ends the agent")


whole_run()
mismatch()
limits()
tap.end()
