#!/usr/bin/env -S python3 -B
"""users: what is one user's does not exist for another. Every method of the table is tried: what it says about a
thing of somebody else's is what it says about one that nobody has, and nothing happens to it."""
import json
import os
import shutil

from front_lib import DISK_SHOW, JAIL_DESTROY, LAYER_REMOVE, INIT_EXEC, INIT_SIGNAL, INIT_STARTED, INIT_DONE, Tap
from users_lib import ADM, ANN, BOB, Service, event_text, fields, need_users, snapshot_row, state_with, verdict_text

need_users()
tap = Tap()
TASK, NO_TASK, NO_JAIL = "t-aaaaaaaaaa", "t-bbbbbbbbbb", "j-bbbbbbbbbb"
QUESTION = "q-aaaaaaaaaa"
WORKSPACE = "j-aaaaaaaaaa"
SPEC = {"warder": "verify/1", "commands": [{"run": ["true"]}]}

state = state_with([
    snapshot_row("mine", ANN, 1), snapshot_row("both", ANN, 2), snapshot_row("both", BOB, 3),
    snapshot_row("shared", 0, 4),
    ("UPDATE snapshots SET config = ? WHERE name = 'mine'", ('{"env": {"TOKEN": "secret"}}',)),
    ("INSERT INTO tasks (id, owner, state, request, workflow, used, created, ended) "
     "VALUES (?, ?, 'verified', 'a secret wish', 'fix', '{}', 5, 6)", (TASK, ANN)),
    ("INSERT INTO questions VALUES (?, ?, ?, 1, 'review', ?, '{\"about\":\"plan\",\"text\":\"a secret plan\"}', "
     "'{\"answer\":[\"owner\"]}', NULL, 5, 6, 'approved', NULL, NULL, 6, ?)", (QUESTION, TASK, ANN, b"\6" * 32, ANN)),
    ("INSERT INTO workspaces VALUES (?, ?, 'dev', 1, 7, 33554432, 0, 'host', x'', 5, 6, 0, 0, '{}', 0)", (WORKSPACE, ANN)),
    ("INSERT INTO task_events VALUES (?, 1, ?)", (TASK, event_text(TASK))),
    ("INSERT INTO verdicts VALUES (?, 1, ?)", (TASK, verdict_text())),
    ("INSERT INTO patches VALUES (?, ?, ?)", (TASK, b"\5" * 32, b"--- a secret\n")),
])
front = Service(state=state, agent="/bin/true")
shutil.rmtree(os.path.dirname(state))
ann, bob, adm, root = front.user(ANN), front.user(BOB), front.user(ADM), front.client()


def files(n):
    fds = []
    for _ in range(n):
        fds.append(os.memfd_create("input"))
        os.write(fds[-1], b"\n")
        os.lseek(fds[-1], 0, os.SEEK_SET)
    return fds


tap.same(front.request()[0], DISK_SHOW, "the front asks what Ann's workspace takes of the disk")
# Ann has a jail with a command in it, a snapshot, a task that has ended and one that lives
JAIL, jail = front.create(ann, 7)
ann.send("jail.exec", {"jail": JAIL, "argv": ["sleep"]})
_, number, _, _ = jail.request()
jail.event(INIT_STARTED, number)
fds = files(2)
live = ann.call("task.start", {"request": "r", "spec": SPEC, "model": {"provider": "replay"}, "keep": True}, fds)
tap.ok("result" in live, "Ann's task is taken", live)
LIVE = live["result"]["task"]
front.request()  # its base wants a layer, which never comes

# method -> (parameters that name what is Ann's, the same for what nobody has, descriptors)
TRIALS = {
    "jail.copy": ({"jail": JAIL, "direction": "out", "path": "/"}, {"jail": NO_JAIL, "direction": "out", "path": "/"}, 1),
    "jail.connect": ({"jail": JAIL, "port": 80}, {"jail": NO_JAIL, "port": 80}, 3),
    "jail.exec": ({"jail": JAIL, "argv": ["id"]}, {"jail": NO_JAIL, "argv": ["id"]}, 0),
    "jail.logs": ({"jail": JAIL, "command": "c-aaaaaaaaaa"}, {"jail": NO_JAIL, "command": "c-aaaaaaaaaa"}, 0),
    "jail.attach": ({"jail": JAIL, "command": "c-aaaaaaaaaa"}, {"jail": NO_JAIL, "command": "c-aaaaaaaaaa"}, 0),
    "jail.signal": ({"jail": JAIL, "signal": 9}, {"jail": NO_JAIL, "signal": 9}, 0),
    "jail.show": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.stats": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.events": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.freeze": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.thaw": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.destroy": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.open": ({"jail": JAIL, "path": "/etc/passwd", "flags": ["read"]},
                  {"jail": NO_JAIL, "path": "/etc/passwd", "flags": ["read"]}, 0),
    "jail.diff": ({"jail": JAIL}, {"jail": NO_JAIL}, 1),
    "jail.fork": ({"jail": JAIL}, {"jail": NO_JAIL}, 0),
    "jail.save": ({"jail": JAIL, "name": "hers"}, {"jail": NO_JAIL, "name": "hers"}, 0),
    "jail.start": ({"jail": WORKSPACE}, {"jail": NO_JAIL}, 0),
    "jail.stop": ({"jail": WORKSPACE}, {"jail": NO_JAIL}, 0),
    "jail.create": ({"snapshot": "mine"}, {"snapshot": "none"}, 0),
    "snapshot.export": ({"name": "mine"}, {"name": "none"}, 1),
    "snapshot.show": ({"name": "mine"}, {"name": "none"}, 0),
    "snapshot.fsck": ({"name": "mine"}, {"name": "none"}, 0),
    "snapshot.remove": ({"name": "mine"}, {"name": "none"}, 0),
    "snapshot.tag": ({"name": "mine", "new": "his"}, {"name": "none", "new": "his"}, 0),
    "verify.run": ({"spec": SPEC, "snapshot": "mine"}, {"spec": SPEC, "snapshot": "none"}, 2),
    "task.start": ({"request": "r", "spec": SPEC, "model": {"provider": "replay"}, "snapshot": "mine"},
                   {"request": "r", "spec": SPEC, "model": {"provider": "replay"}, "snapshot": "none"}, 2),
    "task.show": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.watch": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.cancel": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.patch": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.log": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.receipt": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.approve": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.reject": ({"task": TASK, "question": QUESTION}, {"task": NO_TASK, "question": QUESTION}, 0),
    "task.answer": ({"task": TASK, "answer": "yes"}, {"task": NO_TASK, "answer": "yes"}, 0),
    "task.resume": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.steps": ({"task": TASK}, {"task": NO_TASK}, 0),
    "task.undo": ({"task": TASK, "step": "plan"}, {"task": NO_TASK, "step": "plan"}, 0),
    "task.replay": ({"task": TASK}, {"task": NO_TASK}, 0),
}
# name nothing of a user's, or make something of the caller's own
LISTS = {"jail.list": "jails", "snapshot.list": "snapshots", "task.list": "tasks", "task.waiting": "questions",
         "pool.show": "pools"}
OTHERS = {"warder.info", "rpc.discover", "policy.list", "policy.show", "policy.check", "pool.set", "snapshot.gc", "snapshot.import", "patch.read"}

table = {m["name"] for m in root.call("rpc.discover")["result"]["methods"]}
tap.same(sorted(table - set(TRIALS) - set(LISTS) - OTHERS), [], "every method of the table is tried here, or named")


def said(client, method, params, n_fds):
    fds = files(n_fds)
    answer = client.call(method, params, fds)
    for fd in fds:
        os.close(fd)
    return answer


def plain(answer, params):
    """A refusal without the names that were asked for."""
    text = json.dumps(answer.get("error"))
    for word in (TASK, NO_TASK, LIVE, JAIL, NO_JAIL, WORKSPACE, "mine", "none", "t-", "j-"):
        text = text.replace(word, "*")
    return text


for method, (theirs, nobodys, n_fds) in sorted(TRIALS.items()):
    one, other = said(bob, method, theirs, n_fds), said(bob, method, nobodys, n_fds)
    tap.same(fields(one)[0], "not_found", f"{method} of another's: not_found")
    tap.same(plain(one, theirs), plain(other, nobodys), f"{method}: as of one that nobody has")
for method in ("task.show", "task.watch", "task.cancel", "task.patch", "task.log", "task.receipt", "task.replay"):
    tap.same(plain(bob.call(method, {"task": LIVE}), {}), plain(bob.call(method, {"task": NO_TASK}), {}),
             f"{method} of another's task that lives: as of none")
for method in ("snapshot.show", "snapshot.remove", "snapshot.fsck", "snapshot.export"):
    n_fds = TRIALS[method][2]
    tap.same(plain(said(bob, method, {"name": "mine", "owner_uid": ANN}, n_fds), {}),
             plain(said(bob, method, {"name": "none", "owner_uid": ANN}, n_fds), {}), f"{method} with its owner's id: as of none")

for method, name in LISTS.items():
    own = bob.call(method)["result"][name]
    tap.ok(not any(word in json.dumps(own) for word in (JAIL, TASK, LIVE, '"mine"', str(ANN))), f"{method}: nothing of Ann's", own)
own = bob.call("jail.list", {"all": True})["result"]["jails"]
tap.same((own, [j["jail"] for j in ann.call("jail.list", {"all": True})["result"]["jails"]]), ([], [JAIL, WORKSPACE]),
         "jail.list of all: each sees their own workspaces")
tap.same(plain(bob.call("jail.stop", {"jail": "dev"}), {}).replace("dev", "*"),
         plain(bob.call("jail.stop", {"jail": NO_JAIL}), {}), "the name of another's is nobody's")
tap.same(plain(bob.call("jail.destroy", {"jail": WORKSPACE, "disk": True}), {}),
         plain(bob.call("jail.destroy", {"jail": NO_JAIL, "disk": True}), {}), "and its disk is not removed by its id")
info = bob.call("warder.info")["result"]
tap.same((info["jails"], info["tasks"], "waiting" in info), (0, 0, False), "warder.info counts the caller's own only")
info = ann.call("warder.info")["result"]
tap.same((info["jails"] > 0, info["tasks"]), (True, 1), "… and Ann's for Ann")
tap.same(bob.notes, [], "Bob was told of nothing")

# nothing has happened to what is Ann's
tap.same(ann.call("jail.show", {"jail": JAIL})["result"]["state"], "ready", "Ann's jail is as it was")
tap.same(ann.call("task.show", {"task": LIVE})["result"]["state"], "preparing", "Ann's task too")
tap.same(ann.call("snapshot.show", {"name": "mine"})["result"]["owner_uid"], ANN, "and her snapshot")
tap.same(ann.call("task.patch", {"task": TASK})["result"]["bytes"], 13, "her patch is hers")

# names do not clash
layer = lambda client: client.call("snapshot.show", {"name": "both"})["result"]["layers"][0][7:9]
tap.same((layer(ann), layer(bob)), ("02", "03"), "the same name is another snapshot for each")
tap.same(bob.call("snapshot.show", {"name": "shared"})["result"]["owner_uid"], 0, "root's are everybody's")
tap.same(fields(bob.call("snapshot.remove", {"name": "shared"}))[0], "denied", "but not to remove")
tap.same(bob.call("snapshot.remove", {"name": "both"})["result"]["layers"], 1, "Bob removes his own")
tap.same(layer(ann), "02", "Ann's of that name is still there")

# what one has published, others may use, and no more
REF = f"{ANN}:mine"
names = lambda client: {s["ref"] for s in client.call("snapshot.list")["result"]["snapshots"] if "ref" in s}
tap.same(plain(bob.call("snapshot.show", {"name": REF}), {}), plain(bob.call("snapshot.show", {"name": f"{ANN}:none"}), {}),
         "what Ann keeps for herself is as what she does not have")
tap.same(fields(bob.call("snapshot.tag", {"name": REF, "public": True}))[0], "not_found", "Bob cannot publish it")
tap.same(ann.call("snapshot.tag", {"name": "mine", "public": True})["result"]["public"], True, "Ann publishes it")
tap.same(bob.call("snapshot.show", {"name": REF})["result"]["owner_uid"], ANN, "now Bob sees it")
tap.same(names(bob), {"shared", REF}, "in his list, by the name that he may use")
tap.same(fields(bob.call("snapshot.show", {"name": "mine"}))[0], "not_found", "its bare name is not his: he would stand on a stranger's")
for method, params in ("snapshot.remove", {}), ("snapshot.tag", {"public": False}):
    tap.same(fields(bob.call(method, {"name": REF, **params}))[0], "denied", f"{method} of it: denied")
    tap.same(fields(bob.call(method, {"name": "mine", "owner_uid": ANN, **params}))[0], "denied", "… with her id, too")
tap.same(bob.call("snapshot.tag", {"name": REF, "new": "mine"})["result"]["owner_uid"], BOB, "he gives it a name of his own")
tap.same(bob.call("snapshot.show", {"name": "mine"})["result"]["public"], False, "which nobody else sees")
tap.same(fields(bob.call("snapshot.tag", {"name": REF, "new": "mine"}))[0], "exists", "once")
tap.same(fields(bob.call("snapshot.tag", {"name": "host", "new": "mine2"}))[0], "denied", "of the host's root there is no other name")
for bad in "a/b", "..", "a b", "a\x1b[31m", "\u202e", "A", "1:b":
    tap.same(fields(bob.call("snapshot.tag", {"name": REF, "new": bad}))[0], "invalid", f"{bad!r} is no name")
tap.same(ann.call("snapshot.tag", {"name": "mine", "public": False})["result"]["public"], False, "Ann takes it back")
tap.same(fields(bob.call("snapshot.show", {"name": REF}))[0], "not_found", "then it is gone for Bob")
tap.same(bob.call("snapshot.show", {"name": "mine"})["result"]["layers"], ann.call("snapshot.show", {"name": "mine"})["result"]["layers"],
         "but for what he gave a name")
tap.same(bob.call("snapshot.remove", {"name": "mine"})["result"]["layers"], 0, "his name goes, her layer stays")
tap.same(root.call("snapshot.tag", {"name": "shared", "public": False})["result"]["public"], False, "root may keep one for itself")
tap.same(fields(bob.call("snapshot.show", {"name": "shared"}))[0], "not_found", "then nobody sees it")
tap.ok("result" in root.call("snapshot.tag", {"name": "shared", "public": True}), "and publish it")

# an administrator sees all and may end all, and looks into nothing
tap.same([j["jail"] for j in adm.call("jail.list")["result"]["jails"]], [JAIL], "an administrator lists all jails")
tap.same({t["task"]: t["owner_uid"] for t in adm.call("task.list")["result"]["tasks"]}, {TASK: ANN, LIVE: ANN},
         "all tasks, with their owners")
tap.ok("mine" in [s["name"] for s in adm.call("snapshot.list")["result"]["snapshots"]], "all snapshots")
tap.ok("background" not in adm.call("jail.show", {"jail": JAIL})["result"], "sees a jail, not what runs in it")
tap.ok("background" in ann.call("jail.show", {"jail": JAIL})["result"], "which its owner does")
tap.ok("result" in adm.call("task.show", {"task": TASK}), "sees a task")
for method in ("jail.attach", "jail.connect", "jail.copy", "jail.exec", "jail.logs", "jail.open", "jail.diff", "jail.fork", "jail.save", "task.watch", "task.patch", "task.log"):
    tap.same(fields(adm.call(method, TRIALS[method][0]))[0], "denied", f"{method} is for the owner and root")
tap.same(fields(adm.call("jail.create", {"snapshot": "mine"}))[0], "not_found", "another's snapshot is not taken for one's own")
tap.same(fields(adm.call("snapshot.remove", {"name": "mine"}))[0], "not_found", "nor removed by a name alone")
tap.same(adm.call("snapshot.show", {"name": "mine", "owner_uid": ANN})["result"]["owner_uid"], ANN, "with its owner it is seen")
hers = {"name": "mine", "owner_uid": ANN}
tap.same([("image" in who.call("snapshot.show", hers)["result"]) for who in (adm, ann, root)], [False, True, True], "but not how its programs are run")
tap.same(fields(adm.call("snapshot.tag", {**hers, "new": "taken"}))[0], "denied", "what she keeps for herself gets no name of an administrator's")
tap.same(fields(adm.call("snapshot.tag", {**hers, "public": True}))[0], "denied", "nor is it published by one")
tap.same(fields(said(adm, "snapshot.export", hers, 1))[0], "denied", "nor exported to one")
tap.same([s["name"] for s in adm.call("snapshot.list")["result"]["snapshots"] if s.get("owner_uid") == ADM or s.get("public")], ["shared"],
         "nothing of both was done")
tap.same(root.call("snapshot.tag", {**hers, "public": True})["result"]["public"], True, "root may publish it")
tap.same(adm.call("snapshot.tag", {**hers, "new": "taken"})["result"]["owner_uid"], ADM, "then an administrator names it, as all may")
tap.same(adm.call("snapshot.tag", {**hers, "public": False})["result"]["public"], False, "and takes it from the public, which ends something")
tap.ok("result" in adm.call("snapshot.remove", {"name": "taken"}), "and removes a name of its own")
tap.same(fields(adm.call("snapshot.remove", {"name": "shared"}))[0], "denied", "root's is not removed by its name alone")
tap.ok("result" in adm.call("snapshot.remove", {"name": "mine", "owner_uid": ANN}), "with its owner a snapshot is removed")
tap.same([front.request()[0] for _ in range(2)], [LAYER_REMOVE] * 2, "and so are the layers of both that went, while a base is unpacked")
tap.same(adm.call("task.cancel", {"task": LIVE}).get("result", {}).get("state"), "cancelled", "a task is ended")

# root may look into all
root.send("jail.exec", {"jail": JAIL, "argv": ["id"]})
tap.same(jail.request()[0], INIT_EXEC, "root runs a command in another's jail")
tap.same(fields(root.call("jail.create", {"snapshot": "mine"}))[0], "not_found", "root names its own snapshots only")
tap.same(root.call("task.log", {"task": TASK})["result"]["events"][0]["seq"], 1, "root reads a task's log")
adm.send("jail.destroy", {"jail": JAIL})
tap.same(front.request()[0], JAIL_DESTROY, "an administrator ends another's jail")
jail.ended()
tap.ok("result" in adm.answer(), "and is told when it is gone")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")
tap.end()
