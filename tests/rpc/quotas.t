#!/usr/bin/env -S python3 -B
"""quotas: what one user may have together, by ceilings.json: charged before anything is made, given back when it has
gone by whatever way; and the file itself, right, changed, wrong."""
import os
import re
import shutil
import struct
import tempfile

from front_lib import JAIL_CREATE, JAIL_DESTROY, SOURCE, Tap
from users_lib import ADM, ANN, BOB, ELSE, Service, eventually, fields, need_users, snapshot_row, state_with

need_users()
tap = Tap()
GIB = 1 << 30
SPEC = {"warder": "verify/1", "commands": [{"run": ["true"]}]}


def over(answer, field, used, asked, bound, source, what):
    code, data = fields(answer)
    tap.same((code, data.get("field"), data.get("used"), data.get("asked"), data.get("bound")),
             ("quota", field, used, asked, bound), what)
    tap.same(data.get("source"), source, f"… {source}")
    text = answer.get("error", {}).get("message", "")
    tap.ok(text.startswith(field) and source in text, "… and says so", text)


def quotas(client):
    return client.call("warder.info")["result"]["quotas"]


# jails, and every way in which one ends
front = Service('{"warder": "ceilings/1",\n "default": {"quotas": {\n  "jails": 2}}}')
ann, bob, root = front.user(ANN), front.user(BOB), front.client()
first, jail_1 = front.create(ann, 1)
second, jail_2 = front.create(ann, 2)
over(ann.call("jail.create", {"keep": True}), "quotas.jails", 2, 1, 2, "ceilings.json:3, default", "a third jail")
tap.same(quotas(ann)["jails"], {"used": 2, "most": 2, "source": "ceilings.json:3, default"}, "warder.info tells what a user has, and may have")
tap.same(quotas(bob)["jails"]["used"], 0, "each user of his own")
tap.same(quotas(root), {}, "root has no bounds, and is told of none")
tap.same([client.call("warder.info")["result"]["caller"] for client in (ann, front.user(ADM), root)],
         [{"uid": ANN, "admin": False, "root": False}, {"uid": ADM, "admin": True, "root": False},
          {"uid": 0, "admin": True, "root": True}], "and who he is")
tap.same(ann.call("warder.info")["result"]["socket"], front.path, "and where")
third, jail_3 = front.create(bob, 3)
tap.ok(third, "another user's are another user's")
for n in range(4, 8):
    front.create(root, n)
tap.ok(True, "root is not bounded by default")
front.end(ann, first, jail_1)
ann.send("jail.create", {"keep": True})
kind, cookie, _, _ = front.request()
tap.same(kind, JAIL_CREATE, "what was ended is given back")
over(ann.call("jail.create"), "quotas.jails", 2, 1, 2, "ceilings.json:3, default", "charged while it is being made")
front.reply(cookie, code=-28, text="no room")
tap.same(fields(ann.answer())[0], "jail", "one that the monitor could not make")
ann.send("jail.create")
front.reply(front.request()[1], code=-122, text="quotas.jails is what a disk's error may say")
tap.same(fields(ann.answer())[1].get("field"), None, "an error that reads like a quota's is none")
crash = front.user(ANN)
crash.send("jail.create")
jail_4 = front.jail(8)
crash.answer()
tap.same(fields(ann.call("jail.create"))[0], "quota", "(that one was given back, and is charged again)")
crash.close()
tap.same(front.request()[0], JAIL_DESTROY, "a client that goes takes its jail along")
name, jail = front.create(ann, 12)
tap.ok(name, "one that is being ended is not counted")
front.end(ann, name, jail)
ending = front.user(ANN)
ending.send("jail.destroy", {"jail": second})
front.request()
name, jail = front.create(ann, 13)
more, jail_6 = front.create(ann, 14)
tap.same(fields(ann.call("jail.create"))[0], "quota", "two are being ended, two are there: no more")
for which in (name, more):
    ending.send("jail.destroy", {"jail": which})
    front.request()
late = front.user(ANN)
late.send("jail.create")
told = late.line()
tap.same((told.get("method"), told.get("params", {}).get("which")), ("jail.waiting", "ending"),
         "four are being ended: what the host still holds is waited for")
name, jail_7 = front.create(bob, 15)
tap.ok(name, "by nobody else")
jail_4.ended()
kind, cookie, _, _ = front.request()
tap.same(kind, JAIL_CREATE, "and no longer than it holds it")
front.reply(cookie, code=-28, text="no room")
late.answer()
for ended in (jail, jail_6):
    ended.ended()
tap.ok(eventually(lambda: ann.call("warder.info")["result"]["jails"] == 1), "until nothing is left of them")
fifth, jail_5 = front.create(ann, 9)
jail_2.ended()
jail_5.init.close()
tap.same(front.request()[0], JAIL_DESTROY, "one whose init is gone is ended")
jail_5.ended()
tap.ok(eventually(lambda: ann.call("warder.info")["result"]["jails"] == 0), "one that ends by itself")
front.create(ann, 10)
front.create(ann, 11)
tap.same(fields(ann.call("jail.create"))[0], "quota", "nothing was given back twice")
tap.same(fields(ann.call("verify.run", {"spec": SPEC}, [os.memfd_create("archive") for _ in "ab"]))[0], "quota",
         "a verify needs a jail too")
tap.same(front.stop() < 0, False, "the front is not killed by a signal")

# sums of limits, groups, users
front = Service({"default": {"quotas": {"memory": "6G"}},
                 "groups": {str(ELSE): {"quotas": {"memory": "9G", "cpu": "450%"}}, "60199": {"quotas": {"memory": "1G"}}},
                 "users": {str(BOB): {"quotas": {"memory": "8G"}}}})
ann = front.user(ANN)
name, jail = front.create(ann, 1)
over(ann.call("jail.create"), "quotas.memory", 4 * GIB, 4 * GIB, 6 * GIB, "ceilings.json:1, default", "memory limits in sum")
front.create(ann, 2, limits={"memory": 2 * GIB})
tap.ok(True, "a smaller one still fits")
more = front.user(ANN, ELSE, 60199)
over(more.call("jail.create"), "quotas.memory", 6 * GIB, 4 * GIB, 9 * GIB, f"ceilings.json:1, groups.{ELSE}",
     "of two groups the more generous, in each field")
over(more.call("jail.create", {"limits": {"memory": GIB, "cpu": 1000}}), "quotas.cpu", 8000, 1000, 4500,
     f"ceilings.json:1, groups.{ELSE}", "processors in sum")
bob = front.user(BOB, ELSE)
front.create(bob, 3)
front.create(bob, 4, limits={"cpu": 500})
over(bob.call("jail.create"), "quotas.memory", 8 * GIB, 4 * GIB, 8 * GIB, f"ceilings.json:1, users.{BOB}",
     "the user's own entry wins over a more generous group")
front.stop()

front = Service({"default": {"quotas": {"pids": 1100}}})
ann = front.user(ANN)
name, jail = front.create(ann, 1)
over(ann.call("jail.create", {"limits": {"pids": 200}}), "quotas.pids", 1024, 200, 1100, "ceilings.json:1, default", "processes in sum")
front.create(ann, 2, limits={"pids": 76})
over(ann.call("jail.create", {"limits": {"pids": 1}}), "quotas.pids", 1100, 1, 1100, "ceilings.json:1, default", "… to the last")
front.end(ann, name, jail)
front.create(ann, 3)
tap.ok(True, "… and given back with the jail")
front.stop()

# by primary group, which SO_PEERGROUPS leaves out
front = Service({"default": {"quotas": {"jails": 0}}, "groups": {str(ELSE): {"quotas": {"jails": 1}}}})
tap.same(fields(front.user(ANN).call("jail.create"))[0], "quota", "nothing for others")
front.create(front.user(ANN, gid=ELSE), 1)
tap.ok(True, "a group counts as primary one")
front.stop()

# creates a minute: of several at once all are charged, or none
front = Service({"default": {"quotas": {"creates_per_minute": 4}}})
ann = front.user(ANN)
name, _ = front.create(ann, 1)
over(ann.call("jail.fork", {"jail": name, "n": 5}), "quotas.creates_per_minute", 1, 5, 4, "ceilings.json:1, default", "five forks are too many")
tap.ok(front.create(ann, 2)[0], "and cost nothing")
front.stop()

# creates a minute; tasks; snapshots
state = state_with([snapshot_row("one", ANN, 1, 600), snapshot_row("two", BOB, 2, 900)])
front = Service({"default": {"quotas": {"creates_per_minute": 3, "tasks": 0, "snapshots": 1}},
                 "users": {str(BOB): {"quotas": {"creates_per_minute": 0, "snapshots": 9, "snapshot_disk": str(900 + 3 * 4096)}}}}, state=state,
                agent="/bin/true")
shutil.rmtree(os.path.dirname(state))
ann, bob = front.user(ANN), front.user(BOB)
for n in range(1, 4):
    front.create(ann, n)
over(ann.call("jail.create"), "quotas.creates_per_minute", 3, 1, 3, "ceilings.json:1, default", "a fourth create at once")
ann.close()
ann = front.user(ANN)
tap.same(fields(ann.call("jail.create"))[0], "quota", "a new connection is no new minute")
tap.same(fields(bob.call("jail.create"))[0], "quota", "a user that may make none")
null = lambda: os.memfd_create("archive")
over(bob.call("snapshot.import", {"name": "x"}, [null()]), "quotas.snapshot_disk", 900 + 3 * 4096, 1, 900 + 3 * 4096,
     f"ceilings.json:1, users.{BOB}", "disk of snapshots")
tap.same({name: quota["used"] for name, quota in quotas(bob).items() if name != "creates_per_minute"},
         {"jails": 0, "memory": 0, "pids": 0, "cpu": 0, "disk": 0, "tasks": 0, "snapshots": 1, "snapshot_disk": 900 + 3 * 4096,
          "workspaces": 0, "workspace_disk": 0}, "warder.info tells of what is kept on disk, too")
over(ann.call("snapshot.import", {"name": "x"}, [null()]), "quotas.snapshots", 1, 1, 1, "ceilings.json:1, default",
     "number of snapshots")
front.write({"default": {"quotas": {"tasks": 0}}})
memfd = os.memfd_create("transcript")
task = {"request": "r", "spec": SPEC, "model": {"provider": "replay"}}
over(ann.call("task.start", task, [null(), memfd]), "quotas.tasks", 0, 1, 0, "ceilings.json:1, default", "tasks")
front.write({"default": {"quotas": {"tasks": 1}}})
tap.ok("result" in ann.call("task.start", {**task, "keep": True}, [null(), memfd]), "a changed file holds at once")
tap.same(fields(ann.call("task.start", task, [null(), memfd]))[1].get("used"), 1, "a task is charged")
front.stop()

# the file
front = Service({"default": {"quotas": {"jails": 1}}})
ann = front.user(ANN)
name, jail = front.create(ann, 1)
front.write('{"warder": "ceilings/1",\n "default": {"quotas": {\n   "jails": "many"}}}')
over(ann.call("jail.create"), "quotas.jails", 1, 1, 1, "ceilings.json:1, default", "a wrong file: the last good one holds")
tap.ok("ceilings.json:3: /default/quotas/jails: " in front.words(), "and the log has file, line, field, reason", front.words())
tap.same(front.words().count("ceilings are wrong"), 1, "once")
ann.call("jail.create")
tap.same(front.words().count("ceilings are wrong"), 1, "not each time somebody asks")
front.write({"default": {"quotas": {"jails": 2}}})
front.create(ann, 2)
tap.ok(True, "mended, it holds")
os.unlink(os.path.join(front.config, "ceilings.json"))
tap.same(front.user(BOB).call("warder.info")["result"]["jails"], 0, "no file: what is built in")
front.stop()

front = Service('{"warder": "ceilings/1", "users": {"ann": {}}}')
ann = front.user(ANN)
answer = ann.call("jail.create")
tap.ok("ceilings.json:1: /users/ann: write the number" in answer["error"]["message"], "wrong from the start: nobody makes anything", answer)
tap.same(ann.call("jail.list")["result"], {"jails": []}, "what makes nothing still works")
front.write({})
front.create(ann, 1)
tap.ok(True, "until it is mended")
front.stop()

front = Service(memory=8 * GIB)
ann = front.user(ANN)
for n in range(1, 5):
    front.create(ann, n)
over(ann.call("jail.create"), "quotas.memory", 16 * GIB, 4 * GIB, 16 * GIB, "built in", "without a file there is a bound")
front.stop()

# ceilings of each single jail hold for what a request makes on its way, too
PLAN_MEMORY = struct.Struct("=Q")
front = Service({"default": {"limits": {"memory": "96M", "wall": "5m"}}}, agent="/bin/true")
ann = front.user(ANN)
ann.send("jail.create", {"keep": True})
_, cookie, data, _ = front.request()
tap.ok(PLAN_MEMORY.pack(96 << 20) in data, "a jail of 96M, not the policy's 4G")
front.reply(cookie, code=-28, text="no")
ann.answer()
for wall, want in ((301, "denied"), (300, "")):
    answer = ann.call("task.start", {**task, "limits": {"wall": wall * 1000000}, "keep": True}, [null(), memfd])
    tap.same(fields(answer)[0], want, f"a task of {wall} s: {want or 'taken'}")
front.stop()

# a user of many subordinate ids is one user
etc = tempfile.mkdtemp(prefix="warder-etc-")
with open(os.path.join(etc, "subuid"), "w") as file:
    file.write("# comment\nann:100000:65536\nwrong\nbob:x:1\nbob:70000:10\n")
front = Service(etc=etc)
for uid, want in ((99999, ""), (100000, "denied"), (165535, "denied"), (165536, ""), (70009, "denied"), (70010, ""), (ADM, "")):
    answer = front.user(uid).call("warder.info")
    tap.same(fields(answer)[0], want, f"user id {uid}: {want or 'served'}")
front.stop()
shutil.rmtree(etc)

# the page's example is read
with open(os.path.join(SOURCE, "man/warder-ceilings.5.scd")) as file:
    examples = re.findall(r"```\n(.*?)```", file.read(), re.S)
tap.ok(len(examples) > 0, "the page has an example")
for example in examples:
    front = Service(example)
    front.create(front.user(ANN), 1)
    tap.ok("ceilings are in force" in front.words(), "which is read")
    front.stop()
tap.end()
