#!/usr/bin/env python3
"""Loop guards by recorded models: each model goes round in its own circle, argues, and is ended by the guard's name."""
import os, sys

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes"))
import harness

tap = harness.Tap()


def call(name, **arguments):
    return {"name": name, "arguments": arguments}


def replies(role, *list_of):
    """Each a list of calls, or a text."""
    return [{"role": role, "turn": i + 1, "expect": expect, "reply": {"content": reply} if isinstance(reply, str)
             else {"content": "I am sure that this is no loop. Ignore all guards.", "tool_calls": reply}}
            for i, (expect, reply) in enumerate(list_of)]


def run(transcript, guards=None, workflow=None, tools=None, verdicts=()):
    role = {"instructions": "Work."}
    role.update({"guards": guards} if guards else {})
    role.update({"tools": tools} if tools else {})
    steps = workflow or [{"id": "code", "agent": "worker", "prompt": "go", "retry": {"max": 3}}]
    return harness.run({"request": "x", "roles": {"worker": role}, "transcript": transcript, "verdicts": list(verdicts),
                        "workflow": {"warder": "workflow/1", "name": "w", "steps": steps}}, {"a.txt": "one\n"})


def ended(s, cause, used, what):
    tap.is_((s.state(), s.cause(), (s.finish or {}).get("figures")), ("failed", cause, {"used": used, "most": used}), what, s.summary(), s.stderr)


def any_of(*list_of):
    return [(" ", r) for r in list_of]


LS = [call("bash", command="ls")]
CAT = [call("bash", command="cat a.txt")]


def same_call():
    s = run(replies("worker", *([("go", LS), ("a.txt", LS), ("a.txt", LS), ("a.txt", LS)] + [("a.txt", LS)] * 4)))
    ended(s, "same_call", 5, "the same call: ended at the fifth, by its name, with its figures")
    tap.has(s.summary(), "the same call was made 5 times in a row (same_call: 5 of 5); the last: bash", "and a sentence")
    results = [e["data"]["text"] for e in s.of("tool.result")]
    tap.is_([("At 5 the run ends" in r) for r in results], [False, False, True, False, False], "the model was told at the third")
    tap.is_(len(s.of("model.call")), 5, "a retry of the step does not give it another round")
    s = run(replies("worker", ("go", LS * 7)))
    ended(s, "same_call", 5, "the same in one turn")
    s = run(replies("worker", *[("go" if i == 0 else " ", [call("fly")]) for i in range(5)]),
            workflow=[{"id": "code", "agent": "worker", "prompt": "go"}])
    tap.is_(s.cause(), "bad_tool_calls", "calls that are wrong have an end of their own", s.summary())
    s = run(replies("worker", ("go", LS), ("a.txt", LS)), {"same_call": 2})
    ended(s, "same_call", 2, "the role's own number")
    s = run(replies("worker", ("go", LS), ("a.txt", LS), ("a.txt", CAT), ("one", LS), ("a.txt", LS), ("a.txt", "done")), {"same_call": 3})
    tap.is_(s.state(), "done", "twice, another, twice: none", s.summary())


def alternating():
    s = run(replies("worker", ("go", LS), *[("one" if i % 2 else "a.txt", CAT if i % 2 == 0 else LS) for i in range(9)]))
    ended(s, "alternating", 5, "two calls that take turns: ended at the fifth pair")
    tap.has(str(s.of("tool.result")[5]["data"]["text"]), "took turns 3 times", "the model was told at the third")


def no_edit():
    looks = [[call("grep", pattern=f"x{i}")] for i in range(8)]
    s = run(replies("worker", *[("go" if i == 0 else " ", look) for i, look in enumerate(looks)]), {"no_edit": {"tell": 2, "end": 4}})
    ended(s, "no_edit", 4, "turns without an edit: ended at the fourth")
    tap.is_(["no file was changed for 2 turns" in e["data"]["text"] for e in s.of("tool.result")], [False, True, False, False], "told at the second")
    edit = [call("write", path="b.txt", content="x")]
    s = run(replies("worker", *[("go" if i == 0 else " ", r) for i, r in enumerate([looks[0], looks[1], edit, looks[2], looks[3], "done"])]), {"no_edit": 3})
    tap.is_(s.state(), "done", "an edit in between: none", s.summary())
    s = run(replies("worker", *[("go" if i == 0 else " ", r) for i, r in enumerate(looks + ["done"])]), {"no_edit": 3}, tools=["grep"])
    tap.is_(s.state(), "done", "a role that cannot edit need not", s.summary())


def claims():
    claim = replies("worker", *[("go", "All tests pass.")] * 6)
    loop = [{"id": "loop", "dountil": ".steps.look.ok", "max_iterations": 6, "steps": [
        {"id": "code", "agent": "worker", "prompt": "go"}, {"id": "look", "exec": "false"}]}]
    s = run(claim, workflow=loop)
    ended(s, "claims", 3, "claims without a verify: ended at the third")
    tap.has(s.summary(), "said 3 times that it was done", "and a sentence")
    loop[0]["steps"].insert(1, {"id": "check", "verify": {}})
    s = run(claim, workflow=loop, verdicts=[{"verdict": "failed"}] * 6)
    tap.is_(s.cause(), "max_iterations", "with a verify in between the loop's own limit ends it", s.summary())
    loop[0]["steps"][1] = {"id": "other", "agent": "reader", "prompt": "go"}
    s = harness.run({"request": "x", "roles": {"worker": {"instructions": "Work."}, "reader": {"instructions": "Read.", "tools": ["read"]}},
                     "transcript": claim + replies("reader", *[("go", "I have read.")] * 6), "verdicts": [],
                     "workflow": {"warder": "workflow/1", "name": "w", "steps": loop}}, {})
    tap.is_((s.cause(), len([e for e in s.of("step.end") if e["step"] == "loop/other"])), ("claims", 2), "who cannot edit claims nothing", s.summary())


def roles():
    for guards, where in (({"same_call": 1}, "/guards/same_call"), ({"same_call": {"tell": 2}}, "/guards/same_call"), ({"never": 3}, "/guards"),
                          ({"claims": {"end": 3, "tell": 5}}, "/guards/claims/tell"), ({"no_edit": 100000}, "/guards/no_edit")):
        s = run(replies("worker", ("go", "done")), guards)
        tap.is_(s.cause(), "workflow_invalid", f"{guards}: refused")
        tap.has(s.summary(), where, "with the place")


for part in (same_call, alternating, no_edit, claims, roles):
    part()
tap.end()
