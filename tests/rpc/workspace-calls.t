#!/usr/bin/env -S python3 -B
"""workspace-calls: who waits for a workspace, and what becomes of it where one goes, another stops it, or it is refused;
and whether there is room for its disk. The monitor is the test's."""
import os
import shutil
import tempfile

from front_lib import DISK_MAKE, DISK_REMOVE, DISK_SHOW, INIT_ENDED, INIT_EXEC, INIT_STARTED, JAIL_CREATE, JAIL_DESTROY, Jail, Tap
from users_lib import ANN, Service, eventually, fields, need_users, state_with

need_users()
tap = Tap()
MB = 1 << 20
DEV, TWO = "j-aaaaaaaaaa", "j-bbbbbbbbbb"


def row(name, jail, disk, size=64 * MB, taken=0):
    return ("INSERT INTO workspaces VALUES (?, ?, ?, 1, ?, ?, ?, 'host', x'', 5, 6, 0, 0, '{}', 0)", (jail, ANN, name, disk, size, taken))


def service(ceilings, *rows):
    """A front that has Ann's workspaces; what it asks of their disks at its start is answered."""
    state = state_with(rows)
    front = Service(ceilings, state=state)
    shutil.rmtree(os.path.dirname(state))
    for _ in rows:
        show(front)
    return front


def show(front, taken=0):
    kind, cookie, _, _ = front.request()
    assert kind == DISK_SHOW, kind
    front.reply(cookie, handle=taken)


def shows(front, taken, what):
    """The next requests are looks at disks: @taken has an answer for each number of a disk."""
    seen = []
    for _ in taken:
        kind, cookie, data, _ = front.request()
        disk = int.from_bytes(data[8:16], "little")
        seen.append((kind, disk))
        front.reply(cookie, handle=taken.get(disk, 0))
    tap.same(sorted(seen), sorted((DISK_SHOW, disk) for disk in taken), what)


def waits(client, what, method="jail.start", **params):
    client.send(method, params or {"jail": "dev"})
    while not client.notes:
        client.notes.append(client.line())
    note = client.notes.pop()
    tap.same(note.get("method"), "jail.waiting", what)


def runs(client):
    return [j["jail"] for j in client.call("jail.list")["result"]["jails"]]


def listed(client):
    return {j["workspace"]["name"]: j["state"] for j in client.call("jail.list", {"all": True})["result"]["jails"] if "workspace" in j}


def destroyed(front, jail, what):
    kind, _, _, _ = front.request()
    tap.same(kind, JAIL_DESTROY, what)
    jail.ended()
    show(front)


def is_next(front, client, handle, what):
    """Nothing else was asked of the monitor before this: a jail that is ours is the next."""
    name, jail = front.create(client, handle)
    tap.ok(name, what)
    front.end(client, name, jail)


# ---- several wait; one goes
front = service({"host": {"jails": 1, "queue": {"wait": "1h"}}}, row("dev", DEV, 7))
root = front.client()
name, full = front.create(root, 1)
one, two, three, four = (front.user(ANN) for _ in range(4))
waits(one, "the host is full: a start waits")
two.send("jail.start", {"jail": "dev"})
two.call("warder.info")  # read by now
one.close()
tap.ok(eventually(lambda: root.call("warder.info")["result"]["waiting"] == 1), "its client goes, and the next one waits for itself")
front.end(root, name, full)
jail = front.made(2)
tap.same(two.answer().get("result", {}).get("jail"), DEV, "the other's start is not refused for it")
two.send("jail.stop", {"jail": "dev"})
destroyed(front, jail, "it is stopped")
tap.ok("result" in two.answer(), "and that is answered")

# ---- one is stopped while starts of it wait
name, full = front.create(root, 3)
waits(two, "a start waits")
three.send("jail.start", {"jail": "dev"})
three.call("warder.info")
tap.ok("result" in four.call("jail.stop", {"jail": "dev"}), "it is stopped: answered at once")
answers = [two.answer(), three.answer()]
tap.same([fields(answer)[0] for answer in answers], ["jail", "jail"], "who waited for it to run is refused")
tap.ok("was stopped before it ran" in answers[0].get("error", {}).get("message", ""), "and told why", answers[0])
tap.same(root.call("warder.info")["result"]["waiting"], 0, "nobody waits")
front.end(root, name, full)
is_next(front, root, 4, "it does not start again when there is room")
two.send("jail.start", {"jail": "dev"})
kind, cookie, _, _ = front.request()
tap.same(kind, JAIL_CREATE, "a start is on its way")
four.send("jail.stop", {"jail": "dev"})
tap.same(fields(two.answer())[0], "jail", "a stop refuses it there, too")
jail = Jail(front, cookie, 5)
destroyed(front, jail, "its jail ends when it comes")
tap.ok("result" in four.answer(), "then the stop is answered")
is_next(front, root, 6, "and nothing starts after it")
name, full = front.create(root, 7)
waits(two, "a start waits")
four.send("jail.destroy", {"jail": "dev", "disk": True})
kind, cookie, _, _ = front.request()
tap.same(kind, DISK_REMOVE, "a removal does not wait for it")
front.reply(cookie)
tap.same((fields(two.answer())[0], "result" in four.answer()), ("not_found", True), "both are answered")
tap.same(listed(two), {}, "it is gone")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# ---- a client goes while its command starts a workspace: nobody else's command ends for it
front = service(None, row("dev", DEV, 7))
root, one, two = front.client(), front.user(ANN), front.user(ANN)
RUN = {"persistent": {"name": "dev"}, "exec": {"argv": ["sleep"]}}
for first, what in ((True, "before the other's"), (False, "after the other's")):
    gone = front.user(ANN)
    for client in (gone, one) if first else (one, gone):
        client.send("jail.create", RUN)
        client.call("warder.info") if client is gone else two.call("warder.info")
    kind, cookie, _, _ = front.request()
    assert kind == JAIL_CREATE, kind
    gone.close()
    two.call("warder.info"), root.call("jail.list")  # heard by now: it has gone while a workspace starts for its command
    jail = Jail(front, cookie, 11)
    kind, number, _, _ = jail.request()
    tap.same(kind, INIT_EXEC, f"whose turn was {what}: that one runs")
    jail.event(INIT_STARTED, number)
    tap.same((runs(two), listed(two)), ([DEV], {"dev": "ready"}), "and the workspace with it")
    jail.event(INIT_ENDED, number)
    answer = one.answer()
    tap.same(answer.get("result", {}).get("command", {}).get("cause"), "exited", "until it ends by itself")
    destroyed(front, jail, "then it stops")
    tap.ok(eventually(lambda: listed(two) == {"dev": "stopped"}), "with nobody left in it")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# ---- what could not start is not made
new = lambda **more: {"persistent": {"name": "new", "disk": 64 * MB}, **more}
front = service({"users": {str(ANN): {"quotas": {"memory": "100M"}}}})
root, ann = front.client(), front.user(ANN)
tap.same(fields(ann.call("jail.create", new(policy="strict")))[0], "denied", "a policy that lets no jail have this root refuses")
tap.same(fields(ann.call("jail.create", new(policy="none")))[0], "not_found", "one that is not there, too")
tap.same(fields(ann.call("jail.create", new(limits={"memory": 200 * MB})))[0], "quota", "so does a quota")
tap.same(listed(ann), {}, "nothing of it is there")
is_next(front, root, 1, "no disk was made for any of them")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

front = service({"users": {str(ANN): {"quotas": {"creates_per_minute": 2}}}, "host": {"jails": 1, "queue": {"length": 0}}})
root, ann, other = front.client(), front.user(ANN), front.user(ANN)
name, full = front.create(root, 1)
for n in range(2):
    ann.send("jail.create", new())
    kind, cookie, _, _ = front.request()
    tap.same(kind, DISK_MAKE, "what may be made is")
    other.send("jail.start", {"jail": "new"})
    other.call("warder.info")  # read by now
    front.reply(cookie)
    show(front)
    code, data = fields(ann.answer())
    tap.same((code, data.get("which")), ("limit", "jails"), "where its first start is refused for the host")
    tap.same(fields(other.answer()), (code, data), "who waited for it with that one is told the same")
    kind, cookie, _, _ = front.request()
    tap.same(kind, DISK_REMOVE, "its disk goes again")
    front.reply(cookie)
    tap.ok(eventually(lambda: listed(ann) == {}), "with all of it")
tap.same(fields(ann.call("jail.create", new()))[1].get("field"), "quotas.creates_per_minute", "how often is bounded")
front.end(root, name, full)
is_next(front, root, 2, "before a disk is made")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

front = service(None)
root, ann, other = front.client(), front.user(ANN), front.user(ANN)
ann.send("jail.create", new())
kind, cookie, _, _ = front.request()
tap.same(kind, DISK_MAKE, "one is being made")
stopper = other.send("jail.stop", {"jail": "new"})
tap.same(fields(ann.answer())[0], "jail", "and stopped meanwhile: its create is refused")
front.reply(cookie)
show(front)
tap.ok("result" in other.answer(), "that is answered")
kind, cookie, _, _ = front.request()
tap.same(kind, DISK_REMOVE, "what was refused is not kept")
front.reply(cookie)
tap.ok(eventually(lambda: listed(ann) == {}), "nothing of it")
ann.send("jail.create", new())
kind, cookie, _, _ = front.request()
front.reply(cookie)
show(front)
jail = front.made(3)
tap.ok("result" in ann.answer(), "one that has run")
ann.send("jail.stop", {"jail": "new"})
destroyed(front, jail, "is stopped")
tap.ok("result" in ann.answer() and listed(ann) == {"new": "stopped"}, "and stays")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# ---- room for what disks may still take
host = os.statvfs(tempfile.gettempdir())
FREE = host.f_bavail * host.f_frsize // MB * MB
LARGE = FREE // 10 * 7 // 4096 * 4096
front = service({"default": {"quotas": {"workspace_disk": str(4 * FREE)}}}, row("dev", DEV, 7, LARGE), row("two", TWO, 8, LARGE))
root, ann, other = front.client(), front.user(ANN), front.user(ANN)
ann.send("jail.start", {"jail": "dev"})
jail = front.made(1)
tap.ok("result" in ann.answer(), "where all fit whole nobody is asked what they take")
ann.send("jail.start", {"jail": "two"})
shows(front, {7: LARGE, 8: 0}, "where they do not, all are")
second = front.made(2)
answer = ann.answer()
tap.ok("result" in answer, "what one has taken it does not take again", answer)
for handle, which in ((second, "two"), (jail, "dev")):
    ann.send("jail.stop", {"jail": which})
    kind, _, _, _ = front.request()
    handle.ended()
    show(front, LARGE)  # that is what the ledger has of both now
    ann.answer()
ann.send("jail.start", {"jail": "dev"})
jail = front.made(3)
ann.answer()
ann.send("jail.start", {"jail": "two"})
shows(front, {7: 0, 8: 0}, "they are looked at again")
answer = ann.answer()
tap.ok(fields(answer)[0] == "limit" and "running workspaces may still take" in answer["error"]["message"],
       "what was given back since is not promised twice", answer)
ann.send("jail.start", {"jail": "two"})
asked = [front.request() for _ in range(2)]
tap.ok("result" in other.call("jail.list", {"all": True}), "while they are looked at all goes on")
other.send("jail.stop", {"jail": "two"})
tap.same(fields(ann.answer())[0], "jail", "a stop then refuses the start")
for _, cookie, data, _ in asked:
    front.reply(cookie, handle=LARGE)
tap.ok("result" in other.answer(), "and is answered")
is_next(front, root, 4, "nothing starts after it")
ann.send("jail.create", {"persistent": {"name": "third", "disk": LARGE}})
shows(front, {7: 0}, "what is to be made is looked for room for, too")
tap.same((fields(ann.answer())[0], sorted(listed(ann))), ("limit", ["dev", "two"]), "and not made where there is none")
is_next(front, root, 5, "nor its disk")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")
tap.end()
