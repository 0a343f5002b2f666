#!/usr/bin/env python3
"""Every construct of a workflow by the real agent: what it runs, what it commits, how it ends, how it goes on."""
import json, os, sys

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes"))
import harness

tap = harness.Tap()


def flow(steps, **more):
    return {"warder": "workflow/1", "name": "w", "steps": steps, **more}


def run(steps, files=None, scenario=None, **more):
    return harness.run({"workflow": flow(steps, **more), "transcript": [], **(scenario or {})}, files)


def output(s, path):
    found = [c for c in s.checkpoints if c["path"] == path and "output" in c]
    return found[-1]["output"] if found else None


def paths(s):
    return [c["path"] for c in s.checkpoints if "/=" not in c["path"]]


def ended(s, state, cause, what):
    tap.is_((s.state(), s.cause()), (state, cause), what, s.summary(), s.stderr)


# ---- map, state, requirements

def maps():
    s = run([{"id": "a", "map": ".input.request"},
             {"id": "b", "map": {"x": ".steps.a | length", "y": "[.steps.a, .state.n]"}, "set": {"n": ".state.n + .steps.b.x"}},
             {"id": "c", "map": ".state"}],
            state={"type": "object", "properties": {"n": {"type": "integer", "default": 7}}}, scenario={"request": "four"})
    ended(s, "done", None, "map")
    tap.is_(output(s, "b"), {"x": 4, "y": ["four", 7]}, "expressions see input, steps and the state's default")
    tap.is_(output(s, "c"), {"n": 11}, "a step sets the state when it is done")
    tap.is_(s.journal.state, {"": {"n": 11}}, "the state goes with the commit that changed it")
    s = run([{"id": "a", "map": "1", "set": {"n": "\"text\""}}], state={"properties": {"n": {"type": "integer", "default": 1}}})
    ended(s, "failed", "output_invalid", "a state that does not fit its schema")
    tap.has(s.summary(), "/n", "names the member")
    s = run([{"id": "a", "map": "1"}], state={"type": "object", "required": ["n"]})
    ended(s, "failed", "workflow_invalid", "a first state that does not fit")
    s = run([{"id": "a", "map": "{v: 3}", "output": {"properties": {"v": {"type": "string"}}}}])
    ended(s, "failed", "output_invalid", "an output is checked where it is made")
    tap.has(s.summary(), "step a", "by the step that makes it")
    for depth, end in ((50, ("done", None)), (60, ("failed", "output_invalid"))):
        s = run([{"id": "a", "map": f"reduce range({depth}) as $i (1; [.])"}])
        ended(s, *end, f"an output that is nested {depth} deep: what no supervisor can read is not sent to it")
    s = run([{"id": "a", "exec": "exit 3", "require": ".steps.a.code == 0"}])
    ended(s, "failed", "requirement_failed", "a requirement that does not hold")
    tap.has(s.summary(), "`.steps.a.code == 0`", "is named")
    s = run([{"id": "a", "map": ".input.request | error"}])
    ended(s, "failed", "expression_failed", "an expression that fails ends the run")
    tap.has(s.summary(), "/steps/0/map", "and is named by its path")


def too_long():
    s = run([{"id": "a", "map": "\"x\" * 400000"},
             {"id": "b", "exec": ["true"] + ["{{ .steps.a }}"] * 3}])
    ended(s, "failed", "refused", "a request that is longer than a line: the run ends, and says so")
    tap.has(s.summary(), "at most 1048576 bytes", "and why")


# ---- branch

ARMS = [{"when": ".input.request == \"one\"", "steps": [{"id": "one", "map": "1"}]},
        {"when": ".input.request != \"none\"", "steps": [{"id": "two", "map": "2"}, {"id": "last", "map": "3"}]},
        {"steps": [{"id": "other", "map": "4"}]}]


def branches():
    for request, want in (("one", 1), ("two", 3), ("none", 4)):
        s = run([{"id": "b", "branch": ARMS}], scenario={"request": request})
        tap.is_(output(s, "b")["output"], want, f"branch: the first arm that holds ({request})")
    tap.is_(paths(s), ["b/other", "b"], "no other arm ran")
    s = run([{"id": "b", "branch": ARMS[:2]}], scenario={"request": "none"})
    tap.is_(output(s, "b")["output"], None, "no arm: null, and the run goes on")
    s = run([{"id": "b", "branch": ARMS, "mode": "all"}], scenario={"request": "one"})
    tap.is_(output(s, "b")["output"], [1, 3], "mode all: every arm that holds, in order")
    s = run([{"id": "b", "branch": [{"when": ".input.request.x", "steps": [{"id": "c", "map": "1"}]}]}])
    ended(s, "failed", "expression_failed", "a condition that fails is not false")
    tap.has(s.summary(), "/steps/0/branch/0/when", "and is named")


# ---- parallel, foreach

MEET = "touch {0}; i=0; while [ ! -e {1} ] && [ $i -lt 6000 ]; do sleep 0.01; i=$((i+1)); done; test -e {1}"


def side_by_side():
    s = run([{"id": "p", "parallel": [{"id": "a", "exec": MEET.format("a", "b")},
                                      [{"id": "b", "exec": MEET.format("b", "a")}, {"id": "c", "map": ".steps.b.code"}]]},
             {"id": "after", "map": "[.steps.a.code, .steps.b.code, .steps.c]"}])
    ended(s, "done", None, "parallel: two commands that wait for each other")
    tap.is_(output(s, "after"), [0, 0, 0], "outputs are seen afterwards")
    tap.is_(sorted(output(s, "p")["output"]), ["a", "c"], "the output has each sequence's last step")
    tap.is_({c for c in paths(s)}, {"p/a", "p/b", "p/c", "p", "after"}, "instances by their paths")
    s = run([{"id": "p", "parallel": [{"id": "a", "exec": MEET.format("a", "never"), "timeout": "300ms",
                                       "require": ".steps.a.code == 0"},
                                      {"id": "b", "sleep": "50s"}]}])
    ended(s, "failed", "requirement_failed", "the first that fails ends the others")
    tap.has(s.summary(), "p/a", "and is the cause")
    s = run([{"id": "p", "concurrency": 1, "parallel": [{"id": "a", "map": "1"}, {"id": "b", "map": "2"}, {"id": "c", "map": "3"}]}])
    tap.is_(paths(s), ["p/a", "p/b", "p/c", "p"], "concurrency 1: one after the other")
    for more in ({"concurrency": 1}, {}):
        s = run([{"id": "l", "dountil": ".iteration == 3", "max_iterations": 3, "steps": [
            {"id": "p", **more, "parallel": [{"id": "a", "map": "[\"round\", .iteration]"},
                                             [{"id": "b", "exec": "true"}, {"id": "c", "map": "[.steps.a] | [.[0]]"}]]}]}])
        tap.is_([output(s, f"l[{i}]/p/c") for i in (1, 2, 3)], [[None], [["round", 1]], [["round", 2]]],
                f"a sequence sees what another gave in the iteration before, whoever is done first {more}", s.stderr)


def each():
    s = run([{"id": "e", "foreach": "[range(20)]", "concurrency": 4,
              "steps": [{"id": "x", "map": ".item * 2"}, {"id": "y", "map": "[.item, .steps.x, .iteration]"}]},
             {"id": "after", "map": "[.steps.e[7], (.steps | .x)]"}])
    ended(s, "done", None, "foreach")
    tap.is_(output(s, "after"), [[7, 14, 8], None], "in the list's order; inner outputs are seen inside only")
    tap.ok("e[7]/y" in paths(s) and "e[7]" in paths(s), "an item is an instance", paths(s))
    tap.is_(list(s.journal.commits), ["e", "after"], "what is above a commit supersedes what is below")
    ends = [e for e in s.of("step.end") if e["data"]["path"] == "e[7]/y"]
    tap.is_([(e["step"], e["iteration"], e["data"]["of"]) for e in ends], [("e/y", 8, 20)], "events name place, item and number")
    s = run([{"id": "e", "foreach": "[\"a\",\"b\"]", "concurrency": 2,
              "steps": [{"id": "x", "exec": ["sh", "-c", MEET.format("$1", "$2"), "-", "{{ .item }}", "{{ if .item == \"a\" then \"b\" else \"a\" end }}"],
                         "require": ".steps.x.code == 0"}]}])
    ended(s, "done", None, "items really run at once")
    s = run([{"id": "e", "foreach": "[]", "steps": [{"id": "x", "map": "1"}]}])
    tap.is_(output(s, "e"), [], "no item")
    s = run([{"id": "e", "foreach": ".input", "steps": [{"id": "x", "map": "1"}]}])
    ended(s, "failed", "expression_failed", "what is no list")
    s = run([{"id": "e", "foreach": "[range(4)]", "max_items": 3, "steps": [{"id": "x", "map": "1"}]}])
    ended(s, "failed", "max_iterations", "more items than max_items")
    s = run([{"id": "e", "foreach": "[range(3)]", "steps": [{"id": "x", "map": "if .item == 1 then error(\"no\") else 1 end"}]}])
    ended(s, "failed", "expression_failed", "an item that fails")
    tap.is_(paths(s), ["e[0]/x", "e[0]"], "those behind it do not begin")


def forks():
    s = run([{"id": "s", "split": "[range(8)]", "steps": [{"id": "x", "map": "[.item]"}]}], scenario={"forks": 3})
    ended(s, "done", None, "split: more workers than there may be forks")
    tap.is_([part["result"] for part in output(s, "s")], [[i] for i in range(8)], "all have done their part")
    tap.ok(s.n_forks == 8 and s.busy > 0 and not s.forks, "who found no room waited for it", s.n_forks, s.busy, s.forks)
    s = run([{"id": "r", "race": 2, "wins": ".item == 1", "steps": [{"id": "x", "map": "[.item]"}]}])
    tap.is_(output(s, "r"), {"winner": 1, "result": [1]}, "race: the one for which the condition holds")


# So many commands wait for each other: all of them must be under way at once.
CROWD = "mkdir -p c; : >c/$1; i=0; while [ $(ls c | wc -l) -lt {0} ] && [ $i -lt 6000 ]; do sleep 0.02; i=$((i+1)); done; [ $i -lt 6000 ]"


def nested():
    crowd = {"id": "x", "exec": ["sh", "-c", CROWD.format(18), "-", "{{ .steps.outer }}-{{ .item }}"], "require": ".steps.x.ok"}
    s = run([{"id": "e", "foreach": "[range(12)]", "concurrency": 12, "steps": [
        {"id": "outer", "map": ".item"},
        {"id": "f", "foreach": "[range(12)]", "concurrency": 12, "steps": [crowd, {"id": "y", "map": "[.steps.outer, .item]"}]}]}])
    ended(s, "done", None, "144 commands of a foreach in a foreach")
    tap.is_(output(s, "e"), [[[i, j] for j in range(12)] for i in range(12)], "each has done its part")
    tap.ok(18 <= s.most_at_once <= 20, "more at once than one foreach has, no more than the supervisor takes", s.most_at_once)
    s = run([{"id": "e", "foreach": "[range(6)]", "concurrency": 6, "steps": [
        {"id": "r", "race": 4, "wins": ".item == 1", "steps": [{"id": "x", "exec": "true"}]}]}])
    ended(s, "done", None, "six races of four at once")
    tap.ok(not s.forks and s.n_forks >= 12, "no fork is left", s.forks, s.n_forks)
    asks = [{"id": f"q{i}", "ask": f"question {i}?"} for i in range(12)]
    s = run([{"id": "p", "parallel": asks}], scenario={"answers_at_idle": True})
    ended(s, "done", None, "twelve questions at once")
    tap.is_(s.most_asked, 8, "are asked as many at a time as may be open")


def outlived():
    s = run([{"id": "r", "race": 3, "concurrency": 1, "wins": ".item == 2", "steps": [{"id": "x", "map": "if .item == 0 then error(\"no\") else 1 end"}]}])
    tap.is_((output(s, "r") or {}).get("winner"), 2, "a race, one fork after the other", s.summary(), s.stderr)
    tap.is_(s.order, [(what, n) for n in (1, 2, 3) for what in ("begin", "end")], "who is out keeps no fork")
    mine = "[ -e tried ] && exit 0; touch tried; i=0; while [ ! -s pid ] && [ $i -lt 6000 ]; do sleep 0.01; i=$((i+1)); done; exit 1"
    other = "if [ -e pid ]; then kill -0 $(cat pid) && touch alive; exit 0; fi; echo $$ >pid.new; mv pid.new pid; exec sleep 3600"
    s = run([{"id": "p", "retry": {"max": 1}, "parallel": [{"id": "a", "exec": mine, "require": ".steps.a.ok"},
                                                          {"id": "b", "exec": other}]}])
    ended(s, "done", None, "a command beside one that fails")
    tap.is_((len(s.cancelled), "alive" in s.files, "pid" in s.files), (1, False, True), "has ended before the next try begins")
    s = run([{"id": "p", "timeout": "3s", "parallel": [{"id": "a", "exec": "sleep 3600"}, {"id": "b", "agent": "developer", "prompt": "x"}]}],
            scenario={"transcript": [{"role": "developer", "turn": 1, "expect": "x", "reply": {
                "content": "", "tool_calls": [{"name": "bash", "arguments": {"command": "sleep 3600"}}]}}]})
    ended(s, "failed", "step_timeout", "commands of a step whose time limit passes")
    tap.is_((len(s.cancelled), s.running), (s.most_at_once, {}), "are ended too, a model's as well")


def once():
    work = "echo x >>n$1; [ $1 != 1 ] || [ $(wc -l <n1) -ge 2 ]"
    s = run([{"id": "s", "split": "[range(3)]", "concurrency": 1, "retry": {"max": 1},
              "steps": [{"id": "x", "exec": ["sh", "-c", work, "-", "{{ .item }}"], "require": ".steps.x.ok"}]}])
    ended(s, "done", None, "a further try of a split")
    tap.is_([s.files.get(f"n{i}", "").count("x") for i in range(3)], [1, 2, 1], "does only what is not in the workspace yet")
    tap.is_(len(output(s, "s") or []), 3, "and gives all of it")
    late = "[ $1 = 1 ] || while [ ! -e merging ]; do sleep 0.01; done"
    s = run([{"id": "r", "race": 3, "wins": ".item == 1", "steps": [{"id": "x", "exec": ["sh", "-c", late, "-", "{{ .item }}"]}]}],
            scenario={"merge_after": 0})
    ended(s, "done", None, "a race whose losers come to their ends while the winner is merged")
    commits = [what for kind, what in s.told[[kind for kind, _ in s.told].index("merge"):] if kind == "commit"]
    tap.is_(commits[0], "r/=won", "its work and that it has won are kept together: nobody commits between them")
    tap.is_(commits[-1], "r", "and then the race")
    mark = {"path": "/work/list", "line": 1, "text": "<<<<<<< ours"}
    others = [{"path": f"/work/doc{i}", "line": 1, "text": "<<<<<<< ours"} for i in range(5)]
    s = run([{"id": "s", "split": "[1]", "max_conflicts": 1, "steps": [{"id": "x", "map": "1"}], "resolve": [{"id": "y", "map": "2"}]}],
            scenario={"conflicts": [[{"path": "list", "kind": "content"}]],
                      "searches": [{"matches": others, "cut": True}, {"matches": [mark], "cut": False}]})
    ended(s, "failed", "conflict", "a mark behind more matches than a search gives counts")


def busy():
    s = run([{"id": "v", "verify": {}}], scenario={"verdicts": [{"verdict": "passed"}], "busy": {"verify": 2, "finish": 2}})
    ended(s, "done", None, "a verify that nobody waits for any more is waited for, by the next and by the end")
    tap.is_([[m for m, _ in s.calls].count(method) for method in ("verify", "finish")], [3, 3], "each is asked for again")


# ---- retry, time limits, finally, called workflows

def tries():
    count = {"id": "c", "exec": "echo x >>n; test $(wc -l <n) -ge 3", "require": ".steps.c.code == 0"}
    s = run([{**count, "retry": {"max": 3, "wait": "10ms"}}])
    ended(s, "done", None, "retry: the third try is good")
    tap.is_(s.files["n"], "x\n" * 3, "it ran three times")
    tap.is_(len([n for n in s.of("notice") if "requires" in str(n)]), 2, "each failure is told")
    s = run([{**count, "retry": {"max": 1}}])
    ended(s, "failed", "requirement_failed", "no more tries than allowed")
    s = run([{"id": "w", "workflow": "inner", "retry": {"max": 3}}], workflows={"inner": flow([{"id": "a", "map": "1"}, count])})
    ended(s, "done", None, "retry of a called workflow")
    tap.is_([p for p in paths(s) if p.endswith("/a")], ["w/a", "w/~1/a", "w/~2/a"], "each try has paths of its own")
    journal = harness.Journal()
    journal.commit({"path": "first", "output": 1})
    journal.answers["l[1]/q"] = {"decision": "rejected", "approved": False, "answer": None, "comment": "not so"}
    s = run([{"id": "first", "map": "1"},
             {"id": "l", "dountil": "true", "max_iterations": 1, "retry": {"max": 2},
              "steps": [{"id": "q", "ask": "may I?", "about": "push"}]}], scenario={"journal": journal})
    ended(s, "failed", "rejected", "a no is not asked about again by a further try")
    s = run([{"id": "s", "sleep": "50s", "timeout": "100ms"}])
    ended(s, "failed", "step_timeout", "a time limit ends what a step waits for")
    tap.has(s.summary(), "step s: its time limit of 100.0 ms", "and is named")
    s = run([{"id": "p", "timeout": "200ms", "parallel": [{"id": "a", "sleep": "50s"}, {"id": "b", "exec": "sleep 60"}]}])
    ended(s, "failed", "step_timeout", "also what runs side by side")
    s = run([{"id": "l", "dountil": "false", "max_iterations": 1000, "timeout": "1500ms", "retry": {"max": 1},
              "steps": [{"id": "s", "sleep": "50ms"}]}])
    ended(s, "failed", "step_timeout", "each try has its time")
    tap.ok("l/~1[1]/s" in paths(s) or any(p.startswith("l/~1[1]") for p in paths(s)), "a further try has paths of its own", paths(s))


def last_words():
    s = run([{"id": "a", "map": "1"}], **{"finally": [{"id": "f", "map": "[.steps.a, .error]"}]})
    tap.is_(output(s, "finally/f"), [1, None], "finally runs after a good end")
    s = run([{"id": "a", "map": "error(\"no\")"}], **{"finally": [{"id": "f", "exec": "touch ran", "require": "true"}]})
    ended(s, "failed", "expression_failed", "finally does not make a failed run good")
    tap.ok("ran" in s.files, "but runs")
    s = run([{"id": "a", "map": "error(\"no\")"}], **{"finally": [{"id": "f", "map": ".error.cause"}]})
    tap.is_(output(s, "finally/f"), "expression_failed", "and sees why")
    s = run([{"id": "a", "map": "1"}], **{"finally": [{"id": "f", "map": "error(\"late\")"}]})
    ended(s, "failed", "expression_failed", "a finally that fails fails the run")


def last_words_of_the_ended():
    inner = {"inner": flow([{"id": "i", "exec": "touch begun; sleep 3600"}], **{"finally": [{"id": "f", "exec": "touch ran"}]})}
    wait = "i=0; while [ ! -e begun ] && [ $i -lt 6000 ]; do sleep 0.01; i=$((i+1)); done; exit 1"
    s = run([{"id": "p", "parallel": [{"id": "a", "exec": wait, "require": ".steps.a.ok"}, {"id": "w", "workflow": "inner"}]}], workflows=inner)
    ended(s, "failed", "requirement_failed", "a called workflow beside a step that fails")
    tap.ok("ran" in s.files, "has its finally all the same", s.files)
    s = run([{"id": "w", "workflow": "inner", "timeout": "2s"}], workflows=inner)
    ended(s, "failed", "step_timeout", "and one whose caller's time is over")
    tap.ok("ran" in s.files, "has it too", s.files)


def states():
    big = {"steps": [{"id": "big", "map": "\"x\" * 900000", "set": {"n": "1"}}], "when": ".state.n == 0"}
    s = run([{"id": "l", "foreach": "[1]", "retry": {"max": 1}, "steps": [
        {"id": "b", "branch": [big, {"steps": [{"id": "small", "map": "2"}]}]}]}],
        state={"type": "object", "properties": {"n": {"type": "integer", "default": 0}}})
    ended(s, "done", None, "an output that is too long for a commit, and a further try")
    tap.is_(s.journal.state, {"": {"n": 1}}, "the state that went with the first goes with the next")
    called = flow([{"id": "a", "map": "1", "set": {"n": "7"}}, {"id": "b", "map": ".state.n"}])
    s = run([{"id": "w", "workflow": "inner"}, {"id": "v", "map": "1"}], workflows={"inner": called})
    had = {c["path"]: c.get("state") for c in s.checkpoints}
    tap.is_((had["w/a"].get("w"), had["w/b"], "w" in had["w"]), ({"n": 7}, None, False), "the state of a called workflow goes with the commit of its step")


def refused_early():
    for kind in ({"foreach": "[1]", "steps": [{"id": "x", "map": "1"}]}, {"workflow": "inner"},
                 {"race": 2, "wins": "true", "steps": [{"id": "x", "map": "1"}]}):
        s = run([{"id": "c", "effects": "outside", **kind}], workflows={"inner": flow([{"id": "i", "map": "1"}])})
        ended(s, "failed", "workflow_invalid", f"effects of a step that holds others: {sorted(kind)[0]}")
        tap.has(s.summary(), "/steps/0/effects: it belongs to the inner step", "belong to those")
    ids = ["a" * 64, "b" * 64, "c" * 64]
    for last, state in ((51, "done"), (52, "failed")):  # 8 and three times 65 bytes lead to it
        steps = [{"id": "d" * last, "map": "1"}]
        for i in reversed(ids):
            steps = [{"id": i, "branch": [{"steps": steps}]}]
        s = run([{"id": "x", "map": "1"}], **{"finally": steps})
        tap.is_(s.state(), state, f"finally counts among the ids that lead to a step ({last})", s.summary())


def deep():
    nest = "reduce range(10000) as $i (1; [.])"
    for what, expression in (("makes", nest), ("reads", "(\"[\" * 10000 + \"]\" * 10000) | fromjson"),
                             ("hides", "[" + nest + "] | length")):
        s = run([{"id": "p", "parallel": [{"id": "a", "map": expression}, {"id": "b", "exec": "true"}]}])
        tap.is_((s.exit, s.state()), (0, "done" if what == "hides" else "failed"), f"a branch's expression that {what} what is nested 10,000 deep",
                s.summary(), s.stderr)


def calls():
    called = flow([{"id": "a", "map": ".input.x + 1", "set": {"n": ".input.x"}}, {"id": "b", "map": "[.steps.a, .state.n]"}],
                  input={"type": "object", "required": ["x"]}, state={"type": "object"})
    s = run([{"id": "a", "map": "5"}, {"id": "w", "workflow": "inner", "with": {"x": ".steps.a"}},
             {"id": "v", "map": "[.steps.w, .steps.a, .state]"}], workflows={"inner": called})
    ended(s, "done", None, "a called workflow")
    tap.is_(output(s, "v"), [[6, 5], 5, {}], "has steps, input and state of its own")
    tap.is_(paths(s), ["a", "w/a", "w/b", "w", "v"], "and paths below its step")
    s = run([{"id": "w", "workflow": "inner"}], workflows={"inner": called})
    ended(s, "failed", "workflow_invalid", "its input is checked")
    s = run([{"id": "w", "workflow": "other"}], workflows={"inner": called})
    tap.has(s.summary(), "/steps/0/workflow: there is no workflow \"other\"", "a workflow that is not there")
    loop = flow([{"id": "w", "workflow": "self"}])
    s = run([{"id": "w", "workflow": "self"}], workflows={"self": loop})
    tap.has(s.summary(), "deeper than", "one that calls itself")
    many = {f"w{i}": flow([{"id": f"s{j}", "workflow": f"w{i + 1}"} for j in range(12)]) for i in (1, 2)}
    s = run([{"id": f"s{j}", "workflow": "w1"} for j in range(12)], workflows={**many, "w3": flow([{"id": "v", "verify": {}}])})
    ended(s, "failed", "workflow_invalid", "a few workflows that call each other often are many steps")
    tap.has(s.summary(), "more than 1024 steps", "and are refused before the run")


# ---- going on

EVERYTHING = [
    {"id": "first", "map": "{n: 3}", "set": {"sum": "0"}},
    {"id": "loop", "dountil": ".state.sum >= 6", "max_iterations": 9, "steps": [
        {"id": "b", "branch": [{"when": ".state.sum < 4", "steps": [{"id": "low", "map": "[.iteration, .state.sum]", "set": {"sum": ".state.sum + 4"}},
                                                                   {"id": "low2", "map": ".state.sum"}]},
                               {"steps": [{"id": "high", "map": ".state.sum", "set": {"sum": ".state.sum + 1"}}]}]},
        {"id": "p", "parallel": [{"id": "pa", "map": ".steps.b"}, [{"id": "pb", "exec": "echo hello"}, {"id": "pc", "map": ".steps.pb.code"}]]}]},
    {"id": "each", "foreach": "[range(.steps.first.n)]", "concurrency": 2, "steps": [{"id": "x", "map": ".item"}, {"id": "y", "workflow": "inner", "with": ".steps.x"}]},
    {"id": "nap", "sleep": "20ms"},
    {"id": "end", "map": "[.steps.loop, .steps.low, .steps.high, .steps.pa, .steps.pc, .steps.each, .state]"}]
INNER = flow([{"id": "i", "map": ".input * 10"}, {"id": "j", "map": ".steps.i + 1"}])
MORE = {"workflows": {"inner": INNER}, "finally": [{"id": "bye", "map": ".steps.end"}],
        "state": {"type": "object", "properties": {"sum": {"type": "integer"}}}}


def going_on():
    whole = run(EVERYTHING, **MORE)
    ended(whole, "done", None, "a workflow with everything")
    want, n, bad = output(whole, "finally/bye"), len(whole.checkpoints), []
    tap.is_(want[-1], {"sum": 6}, "its state")
    for at in range(1, n + 1):
        journal, lives = harness.Journal(), 0
        s = run(EVERYTHING, scenario={"journal": journal, "hang_up": {"checkpoint": at}}, **MORE)
        while s.finish is None and lives < 3:  # ended amid a commit: the same journal, another life
            s, lives = run(EVERYTHING, scenario={"journal": journal}, **MORE), lives + 1
        if s.state() != "done" or journal.commits["finally/bye"]["output"] != want:
            bad.append((at, s.state(), s.cause(), s.summary(), journal.commits.get("finally/bye")))
    tap.is_(bad, [], f"killed at each of its {n} commits and taken up again: the same end")
    journal = harness.Journal()
    for at in range(1, 4 * n):  # killed at every second commit of each life
        s = run(EVERYTHING, scenario={"journal": journal, "hang_up": {"checkpoint": 2}}, **MORE)
        if s.finish:
            break
    tap.is_((s.state(), journal.commits["finally/bye"]["output"]), ("done", want), "killed at every second commit, again and again")


FAILING = [
    {"id": "one", "map": "[1]"},
    {"id": "loop", "dountil": ".iteration == 2", "max_iterations": 3, "steps": [
        {"id": "in", "map": "[.iteration]"}, {"id": "bad", "map": ".iteration", "require": ".iteration < 2"}]}]


def going_on_after_failure():
    more = {"finally": [{"id": "z", "map": "[.steps.one, .steps.in, .steps.bad, .error.cause]"}, {"id": "y", "map": ".steps.z"}]}
    whole = run(FAILING, **more)
    want = [[1], [2], 2, "requirement_failed"]
    tap.is_(output(whole, "finally/y"), want, "finally sees what the steps gave until one failed")
    bad = []
    for at in range(1, len(whole.checkpoints) + 1):
        journal, lives = harness.Journal(), 0
        s = run(FAILING, scenario={"journal": journal, "hang_up": {"checkpoint": at}}, **more)
        while s.finish is None and lives < 3:
            s, lives = run(FAILING, scenario={"journal": journal}, **more), lives + 1
        if (s.state(), s.cause(), journal.commits["finally/y"]["output"]) != ("failed", "requirement_failed", want):
            bad.append((at, s.state(), s.cause(), s.summary(), journal.commits.get("finally/y")))
    tap.is_(bad, [], "killed at each commit and taken up again: it sees the same")
    s = run([{"id": "a", "map": "\"x\" * 300000"}, {"id": "b", "map": "[.steps.a, .steps.a]"}, {"id": "c", "map": "1", "require": "false"}],
            **{"finally": [{"id": "z", "map": ".error.cause"}]})
    tap.is_(output(s, "finally/z"), "requirement_failed", "outputs that are too large for the note do not stop finally")


def commands():
    s = run([{"id": "say", "exec": "printf 'one\\ntwo\\n'; echo three >&2; exit 3"},
             {"id": "told", "exec": ["printf", "%s", "<{{ .steps.say.output }}>"]},
             {"id": "none", "exec": "true"},
             {"id": "seen", "branch": [{"when": ".steps.say.output == \"one\\ntwo\\nthree\\n\" and .steps.say.code == 3",
                                        "steps": [{"id": "yes", "map": "\"seen\""}]}]}])
    said = output(s, "say") or {}
    tap.is_(said.get("output"), "one\ntwo\nthree\n", "output is what the command wrote, and nothing else", s.summary())
    tap.is_([said.get(k) for k in ("cause", "code", "signal", "ok", "cut")], ["exited", 3, None, False, False],
            "how it ended has members of its own")
    tap.ok(isinstance(said.get("wall_usec"), int), "so has how long it took", said)
    tap.ok(said.get("digest", "").startswith("exit code 3 after ") and said["digest"].endswith("one\ntwo\nthree\n"),
           "the digest, for a model, begins with them", said)
    tap.is_((output(s, "told") or {}).get("output"), "<one\ntwo\nthree\n>", "a template sees it so")
    tap.is_((output(s, "seen") or {}).get("output"), "seen", "and so does a condition")
    tap.is_((output(s, "none") or {}).get("output"), "", "no output is none")
    s = run([{"id": "many", "exec": "seq 1000"}, {"id": "last", "map": ".steps.many.output | rtrimstr(\"\\n\") | split(\"\\n\") | [length, last]"}])
    tap.is_(output(s, "last"), [1000, "1000"], "no line of it is left out")
    tap.has((output(s, "many") or {}).get("digest"), "lines left out", "only the digest is cut")


def ends_are_committed():
    s = run([{"id": "l", "dountil": "true", "max_iterations": 2, "steps": [{"id": "a", "map": "1"}]}, {"id": "b", "map": "2"}])
    tap.is_([(path, ("commit", path) in s.told[:i]) for i, (kind, path) in enumerate(s.told) if kind == "step.end"],
            [("l[1]/a", True), ("l", True), ("b", True)], "nobody is told that a step is done before it has committed", s.told)
    s = run([{"id": "a", "map": "1"}], scenario={"refuse": {"checkpoint": {"code": "internal", "message": "the disk is full"}}})
    told = [e["data"] for e in s.of("step.end")]
    tap.is_([(d["state"], "disk is full" in d.get("error", "")) for d in told], [("failed", True)], "one that could not commit is told as failed", told)


def first_states():
    def state(properties, **more):
        s = run([{"id": "a", "exec": "touch ran"}], state={"type": "object", "properties": properties, **more})
        return s.cause(), "ran" in s.files, s.summary()
    cause, ran, why = state({"n": {"type": "integer", "default": 1}, "m": {"type": "integer", "default": "x"}})
    tap.is_((cause, ran), ("workflow_invalid", False), "a default that does not fit its own schema", why)
    tap.has(why, "/state/properties/m/default: ", "is named by its path, at load")
    cause, ran, why = state({"o": {"type": "object", "properties": {"p": {"type": "integer"}}, "default": {"p": "x"}}})
    tap.has(why, "/state/properties/o/default/p: ", "however deep it lies")
    cause, ran, why = state({"n": {"type": "integer"}}, required=["n"])
    tap.is_((cause, ran), ("workflow_invalid", False), "what the schema requires and nothing sets", why)
    tap.has(why, "/state: ", "is named too")
    tap.has(why, "default", "with what to do")


def failed_tries():
    steps = [{"id": "l", "dountil": "true", "max_iterations": 1, "retry": {"max": 2},
              "steps": [{"id": "a", "map": "[.steps.b.ok, 1]"},
                        {"id": "b", "exec": "echo x >>n; test $(wc -l <n) -ge 2", "require": ".steps.b.ok"}]}]
    s = run(steps)
    tap.is_((s.state(), output(s, "l/~1[1]/a")), ("done", [None, 1]), "a further try sees nothing of what the failed one gave", s.stderr)


def failed_sets():
    count = {"id": "a", "exec": "echo x >>n; wc -l <n", "set": {"n": ".state.n + 1", "m": "if .state.m == 3 then \"no\" else 4 end"},
             "retry": {"max": 1}}
    s = run([count], state={"properties": {"n": {"type": "integer", "default": 0}, "m": {"type": "integer", "default": 3}}})
    tap.is_((s.cause(), s.files["n"]), ("output_invalid", "x\nx\n"), "a state that does not fit is tried again")
    s = run([{**count, "retry": {"max": 2}, "set": {"n": ".state.n + 1", "m": "if (.steps.a.output | test(\"3\")) then 1 else \"no\" end"}}],
            state={"properties": {"n": {"type": "integer", "default": 0}, "m": {"type": "integer", "default": 3}}})
    tap.is_((s.state(), s.journal.state), ("done", {"": {"n": 1, "m": 1}}), "what a failed try set is not there in the next", s.summary())


def outside():
    step = {"id": "d", "effects": "outside", "exec": "echo x >>sent"}
    s = run([step])
    tap.is_([c.get("begun", False) for c in s.checkpoints], [True, False], "effects outside: said before, committed after")
    for choice, cause, n in (("repeat", None, 1), ("skip", None, 0), ("give up", "given_up", 0)):
        journal = harness.Journal()
        journal.commit({"path": "d", "begun": True})
        journal.answers["d"] = {"answer": choice}
        s = run([step], scenario={"journal": journal})
        tap.is_((s.cause(), s.files.get("sent", "").count("x")), (cause, n), f"interrupted, and a person says: {choice}", s.summary())
    journal = harness.Journal()
    journal.commit({"path": "d", "begun": True})
    s = run([step], scenario={"journal": journal, "refuse": {"ask": {"code": "unsupported", "message": "nobody is there"}}})
    tap.is_((s.cause(), s.files.get("sent")), ("refused", None), "nobody to ask: it is not repeated")
    asked = []
    for place, steps in (("d", [step]), ("l[1]/d", [{"id": "l", "dountil": "true", "max_iterations": 1, "steps": [step]}])):
        journal = harness.Journal()
        journal.commit({"path": place, "begun": True})
        for answer in ({}, {place: {"answer": "repeat"}}, {}, {place: {"answer": "repeat"}}, {}):
            journal.answers = answer
            s = run(steps, scenario={"journal": journal, "hang_up": {"exec": 1},
                                     "refuse": {"ask": {"code": "unsupported", "message": "nobody is there"}}})
            asked += [p["text"] for m, p in s.calls if m == "ask"]
    tap.is_((len(asked), len(set(asked[:3])), asked[:3]), (6, 3, asked[3:]),
            "interrupted once more: it is asked in other words, which no earlier answer is for", asked)


maps()
too_long()
branches()
side_by_side()
each()
forks()
nested()
outlived()
once()
busy()
tries()
last_words()
last_words_of_the_ended()
states()
refused_early()
deep()
calls()
going_on()
going_on_after_failure()
failed_sets()
failed_tries()
commands()
ends_are_committed()
first_states()
outside()
tap.end()
