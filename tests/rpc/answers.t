#!/usr/bin/env -S python3 -B
"""answers: who may answer what tasks ask. A question that is decided says who did it to whoever may answer, and
nothing to anybody else; so what each of several users hears of four tasks shows whose word would count."""
import json
import shutil
import os

from front_lib import Tap
from users_lib import ADM, ANN, BOB, Service, fields, need_users, state_with

need_users()
tap = Tap()
REVIEWERS, CAROL, DAN = 60104, 60004, 60005
WHO = {"t-aaaaaaaaaa": ["owner"], "t-cccccccccc": ["admin"], "t-dddddddddd": ["owner", f"group:{REVIEWERS}"],
       "t-eeeeeeeeee": [f"group:{REVIEWERS}"]}
NONE = "t-bbbbbbbbbb"

rows = []
for task, who in WHO.items():
    rows += [
        ("INSERT INTO tasks (id, owner, state, request, workflow, used, created, ended) "
         "VALUES (?, ?, 'verified', 'a wish', 'fix', '{}', 5, 6)", (task, ANN)),
        ("INSERT INTO patches VALUES (?, ?, ?)", (task, b"\5" * 32, b"--- a secret\n")),
        ("INSERT INTO questions VALUES (?, ?, ?, 1, 'review', ?, ?, ?, NULL, 5, 6, 'approved', NULL, NULL, 7000000, ?)",
         ("q" + task[1:], task, ANN, b"\6" * 32, json.dumps({"about": "plan", "text": "a secret plan", "path": "review"}),
          json.dumps({"answer": who}), ANN)),
    ]
state = state_with(rows)
front = Service(state=state, agent="/bin/true")
shutil.rmtree(os.path.dirname(state))
users = {"ann": front.user(ANN), "bob": front.user(BOB), "carol": front.user(CAROL, REVIEWERS),
         "dan": front.user(DAN, gid=REVIEWERS), "adm": front.user(ADM), "root": front.client()}

# who hears that it was answered already may answer
MAY = {"t-aaaaaaaaaa": {"ann", "root"}, "t-cccccccccc": {"adm", "root"}, "t-dddddddddd": {"ann", "carol", "dan", "root"},
       "t-eeeeeeeeee": {"carol", "dan", "root"}}
for task, may in MAY.items():
    for name, client in users.items():
        for method, more in (("task.approve", {}), ("task.reject", {"question": "q" + task[1:]}),
                             ("task.answer", {"answer": "yes"})):
            code = fields(client.call(method, {"task": task, **more}))[0]
            wanted = "exists" if name in may else "denied" if name in ("ann", "adm") else "not_found"
            tap.same(code, wanted, f"{method}, answered by {', '.join(WHO[task])}: {name} hears {wanted}")

code, data = fields(users["carol"].call("task.approve", {"task": "t-eeeeeeeeee"}))
tap.same((data["decision"], data["by_uid"], data["decided"]), ("approved", ANN, "1970-01-01T00:00:07.000Z"),
         "a second answer is told who gave the first, and when")
answer = users["ann"].call("task.approve", {"task": "t-eeeeeeeeee"})
tap.ok(f"group:{REVIEWERS}" in answer["error"]["message"], "an owner who may not is told who may", answer)

# to answer is to look, and no more
for method in ("task.show", "task.patch"):
    tap.ok("result" in users["carol"].call(method, {"task": "t-eeeeeeeeee"}), f"{method}: who may answer may read")
    tap.same(fields(users["carol"].call(method, {"task": "t-aaaaaaaaaa"}))[0], "not_found", f"{method}: not of another task")
    tap.same(fields(users["bob"].call(method, {"task": "t-eeeeeeeeee"}))[0], "not_found", f"{method}: nor anybody else")
for method in ("task.log", "task.watch", "task.cancel", "task.receipt", "task.replay"):
    tap.same(fields(users["carol"].call(method, {"task": "t-eeeeeeeeee"}))[0], "not_found", f"{method} stays the owner's")
tap.same(fields(users["adm"].call("task.patch", {"task": "t-aaaaaaaaaa"}))[0], "denied", "an administrator is not asked by all")
tap.ok("result" in users["adm"].call("task.patch", {"task": "t-cccccccccc"}), "but where the policy says so")

# what belongs together
tap.same(fields(users["ann"].call("task.approve", {"task": "t-aaaaaaaaaa", "question": "q-dddddddddd"}))[0], "not_found",
         "a question of another task is none of this one")
for name in ("ann", "bob"):
    tap.same(fields(users[name].call("task.approve", {"task": NONE}))[0], "not_found", f"a task that is not, for {name}")
tap.same(users["ann"].call("task.waiting")["result"]["questions"], [], "what is decided waits for nobody")
for params in ({"task": "t-aaaaaaaaaa", "comment": "x" * 4097}, {"task": "t-aaaaaaaaaa", "question": "q-1"}, {"task": 7}, {},
               {"task": "t-aaaaaaaaaa", "by_uid": 0}):
    tap.same(users["ann"].call("task.approve", params)["error"]["code"], -32602, f"{str(params)[:40]} is no request")
front.stop()

# a policy may be tightened by who extends it, not loosened
def policy(name, people, extends="default"):
    with open(os.path.join(config, "policies", name + ".json"), "w") as file:
        json.dump({"warder": "policy/1", "extends": extends, "people": people}, file)


front = Service()
config = front.config
os.makedirs(os.path.join(config, "policies"), exist_ok=True)
policy("eyes", {"answer": ["admin", "group:7"], "wait": "2d"})
for name, people, fault in (("fewer", {"answer": ["admin"]}, None), ("sooner", {"wait": "1d"}, None),
                            ("self", {"answer": ["owner"]}, "/people/answer"), ("other", {"answer": ["group:8"]}, "/people/answer"),
                            ("later", {"wait": "3d"}, "/people/wait"), ("ever", {"wait": "31d"}, "/people/wait"),
                            ("nobody", {"answer": []}, "/people/answer"), ("word", {"answer": ["anyone"]}, "/people/answer")):
    text = json.dumps({"warder": "policy/1", "extends": "eyes", "people": people})
    checked = front.client().call("policy.check", {"file": "x.json", "text": text})["result"]
    faults = [f["field"] for f in checked.get("faults", [])]
    tap.ok((not faults) if fault is None else any(path.startswith(fault) for path in faults),
           f"a child that says {people} is {'taken' if fault is None else 'refused at ' + fault}", checked)
shown = front.client().call("policy.show", {"name": "eyes"})["result"]
tap.same(shown["people"], {"answer": ["admin", "group:7"], "wait": 2 * 86400 * 1000000}, "and it is shown")
front.stop()
tap.end()
