#!/usr/bin/env -S python3 -B
"""paging: whatever is listed comes in pages, however much of it an agent or a user has made, and what cannot is bounded. A line of the
protocol holds 1 MiB: a front that makes a longer one closes its client, who then can look at nothing any more."""
import json
import os
import shutil
import tempfile

from front_lib import DISK_SHOW, Tap
from users_lib import ADM, ANN, BOB, Service, event_text, fields, need_users, state_with, verdict_text

need_users()
tap = Tap()
LINE = 1 << 20
PAGE = 256 << 10
TASK = "t-aaaaaaaaaa"
DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


def task_id(n):
    return "t-" + "".join(DIGITS[n >> 5 * i & 31] for i in range(10))


def task_row(name, owner, created, request):
    return ("INSERT INTO tasks (id, owner, state, request, workflow, used, created, ended) "
            "VALUES (?, ?, 'verified', ?, 'fix', '{}', ?, ?)", (name, owner, request, created, created))


def question_row(n, what, answer):
    return ("INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, '{\"answer\":[\"group:7\"]}', NULL, 5, 6, 'answered', ?, ?, 7, ?)",
            ("q" + task_id(n)[1:], TASK, ANN, n, f"step[{n}]", n.to_bytes(32, "big"), json.dumps(what), json.dumps(answer), "c" * 4000, ANN))


# 300 tasks, two of each moment; of one 30 verdicts of 40 KB, 80 questions with answers of 16 KB, 500 steps with long names
rows = [task_row(task_id(n + 1), BOB, 1000 + n // 2, "w" * (60000 if n % 10 == 0 else 100)) for n in range(300)]
rows += [task_row(TASK, ANN, 5000, "\1" * 65536)]
rows += [("INSERT INTO verdicts VALUES (?, ?, ?)", (TASK, n, verdict_text(n=n, verdict="failed", failing=["f" * 400] * 100)))
         for n in range(1, 31)]
rows += [question_row(n, {"about": "question", "text": "t" * 16000, "plan": "p" * 60000, "path": f"step[{n}]"}, "a" * 16000)
         for n in range(1, 81)]
rows += [("INSERT INTO task_saves (task, owner, kept, form, given, spec, workflow, roles, transcript) VALUES (?, ?, 0, 0, x'', '', '', '', x'')", (TASK, ANN))]
rows += [("INSERT INTO task_steps VALUES (?, ?, ?, '{}', 0, 1, NULL, 0, 0, 0, 0)", (TASK, n, f"{n:04d}" + "\2" * 1000)) for n in range(1, 501)]
rows += [("INSERT INTO task_events VALUES (?, ?, ?)", (TASK, n, event_text(TASK, n, data={"text": "e" * 16000})))
         for n in range(1, 201)]
WORKSPACES = ["j-" + task_id(n + 1)[2:] for n in range(7)]
rows += [("INSERT INTO workspaces VALUES (?, ?, ?, 1, ?, 33554432, 0, 'host', x'', 5, 6, 0, 0, '{}', 0)",
          (name, BOB if n < 5 else ANN, f"w{9 - n}", n + 1)) for n, name in enumerate(WORKSPACES)]
state = state_with(rows)
front = Service(state=state, agent="/bin/true")
shutil.rmtree(os.path.dirname(state))
ann, bob, adm = front.user(ANN), front.user(BOB), front.user(ADM)


def pages(client, method, **params):
    """All results, and the length of the longest line."""
    results, longest = [], 0
    while True:
        result = client.call(method, params)["result"]
        results.append(result)
        longest = max(longest, len(json.dumps(result)))
        if "next" not in result or len(results) > 2000:
            return results, longest
        params["cursor"] = result["next"]


def every(results, name):
    return [item for result in results for item in result[name]]


# jails, and workspaces that do not run
tap.same([front.request()[0] for _ in WORKSPACES], [DISK_SHOW] * 7, "the front looks at the disks of workspaces")
JAILS = [front.create(bob, n + 1)[0] for n in range(5)][::-1]
results, _ = pages(bob, "jail.list", limit=2)
tap.same([[j["jail"] for j in r["jails"]] for r in results], [JAILS[:2], JAILS[2:4], JAILS[4:]], "jails come in pages, the newest first")
results, _ = pages(bob, "jail.list", limit=4, all=True)
tap.same([[j["jail"] for j in r["jails"]] for r in results], [JAILS[:4], JAILS[4:] + WORKSPACES[:3], WORKSPACES[3:5]],
         "then workspaces, on the page where there is room")
results, _ = pages(adm, "jail.list", limit=5, all=True)
tap.same([[j["jail"] for j in r["jails"]] for r in results], [JAILS, WORKSPACES[:5], WORKSPACES[5:]], "an administrator's, too")
first = bob.call("jail.list", {"limit": 2})["result"]
newer, _ = front.create(bob, 9)
rest = bob.every("jail.list", "jails", {"cursor": first["next"]})
tap.same([j["jail"] for j in rest], JAILS[2:], "one that is made meanwhile moves nothing")
for cursor, code in ("x", "invalid"), ("t", "invalid"), ("r0", ""), ("s9", ""):
    answer = bob.call("jail.list", {"cursor": cursor, "all": True})
    tap.same(fields(answer)[0] if "error" in answer else "", code, f"jail.list: the cursor {cursor}")

results, longest = pages(bob, "task.list")
names = [t["task"] for t in every(results, "tasks")]
tap.ok(longest < PAGE + 1000, "no page of a list is longer than 256 KiB", longest)
tap.ok(len(results) > 5, "there are several", len(results))
tap.same(sorted(names), sorted(task_id(n + 1) for n in range(300)), "together they have every task, once")
times = [t["created"] for t in every(results, "tasks")]
tap.same(times, sorted(times, reverse=True), "newest first")
results, _ = pages(bob, "task.list", limit=7)
tap.same([len(r["tasks"]) for r in results], [7] * 42 + [6], "a page has as many as are asked for")
tap.same([t["task"] for t in every(results, "tasks")], names, "which changes nothing about what is listed")
results, longest = pages(adm, "task.list")
tap.same(len(every(results, "tasks")), 301, "an administrator pages through all")
tap.ok(longest < LINE, "in lines of the protocol", longest)

results, longest = pages(ann, "task.show", task=TASK)
tap.ok(longest < LINE // 2, "a task's pages are lines of the protocol", longest)
tap.same([v["n"] for v in every(results, "verdicts")], list(range(1, 31)), "with all verdicts in their order")
tap.same([q["n"] for q in every(results, "questions")], list(range(1, 81)), "and all questions")
tap.same({len(q["answer"]) for q in every(results, "questions")}, {16000}, "and what was answered")
tap.same({(r["task"], r["state"]) for r in results}, {(TASK, "verified")}, "each page says of what it is")
tap.same(["request" in r for r in results], [True] + [False] * (len(results) - 1), "the first one alone has the task itself")

results, longest = pages(ann, "task.steps", task=TASK)
tap.same([s["n"] for s in every(results, "steps")], list(range(1, 501)), "steps come in pages, too")
tap.ok(longest < LINE, "each a line of the protocol", longest)
events, seq = [], 1
while True:
    page = ann.call("task.log", {"task": TASK, "from": seq})["result"]["events"]
    if not page:
        break
    events += [e["seq"] for e in page]
    seq = page[-1]["seq"] + 1
tap.same(events, list(range(1, 201)), "and events")

# cursors
for cursor in ("x", "q1", "w9999999999999999999", "t9999999999999999999.t-zzzzzzzzzz", "t", "w"):
    answer = bob.call("task.list", {"cursor": cursor})
    tap.same(fields(answer)[0] if "error" in answer else "", "invalid" if cursor in ("x", "q1") else "", f"the cursor {cursor}")
for cursor in ("", "t-1", "T1", "t1.", "t1.x y", "t1.\"", "t" + "1" * 20, 7):
    tap.same(bob.call("task.list", {"cursor": cursor}).get("error", {}).get("code"), -32602, f"{cursor!r} is no cursor")
for limit in (0, 201, -1, "9"):
    tap.same(bob.call("task.show", {"task": TASK, "limit": limit}).get("error", {}).get("code"), -32602, f"{limit!r} is no limit")

# what an administrator who is not asked hears of questions
results, _ = pages(adm, "task.show", task=TASK)
asked = every(results, "questions")
tap.same({tuple(sorted(q)) for q in asked}, {("about", "asked", "decision", "owner_uid", "question", "task", "until")},
         "an administrator hears that a task asked, not what, nor the answer")
tap.same(len(asked), 80, "of all of them")
root, _ = pages(front.client(), "task.show", task=TASK)
tap.same({len(q["answer"]) for q in every(root, "questions")}, {16000}, "root reads all")
tap.ok("result" in bob.call("task.list"), "and the others are served")
front.stop()

# a check of so many layers that nothing can be read of, or that are gone, that one line does not hold it: the rest is counted
GONE, HELD = 1500, 4600
state = state_with([("INSERT INTO holds (digest, holder) VALUES (?, ?)", (n.to_bytes(32, "big"), "snapshot:0:" + f"{n:04d}" * 16))
                    for n in range(HELD)])
names = tempfile.mkdtemp(prefix="warder-layers-")
front = Service(state=state, layers=names)
shutil.rmtree(os.path.dirname(state))
root = front.client()
root.send("snapshot.fsck")
for n in range(HELD):
    kind, cookie, _, _ = front.request()
    front.reply(cookie, **(dict(code=-2, text="it is gone") if n < GONE else dict(code=-28, text="no room " * 25)))
answer = root.answer()["result"]
tap.ok(LINE // 4 < len(json.dumps(answer)) < LINE * 3 // 4, "what a check found is told in a line of the protocol", len(json.dumps(answer)))
tap.same([answer[f"{kind}_total"] for kind in ("damaged", "unchecked", "unknown")], [GONE, HELD - GONE, 0], "and all of it is counted")
tap.ok(0 < len(answer["damaged"]) <= GONE and len(answer["unchecked"]) < HELD - GONE, "what has room is described",
       len(answer["damaged"]), len(answer["unchecked"]))
tap.ok("result" in root.call("warder.info"), "who asked is served on")
front.stop()
os.rmdir(names)
tap.end()
