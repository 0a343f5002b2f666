#!/usr/bin/env -S python3 -B
"""pools: jails made ahead: who gets one and who does not, what drains a pool, whose room it takes, what stays of it."""
import calendar
import json
import os
import resource
import shutil
import socket
import struct
import tempfile
import time

from front_lib import INIT_ENDED, INIT_EXEC, JAIL_CREATE, JAIL_DESTROY, PATIENCE, Front, Jail, Tap
from supervisor_lib import Supervisor, eventually, missing
from users_lib import ADM, ANN, BOB, Service, fields, need_users, snapshot_row, state_with

need_users()
tap = Tap()
LONG = 6 * PATIENCE
MINE = {"warder": "policy/1", "extends": "default", "limits": {"memory": "64M", "disk": "32M"}}
ON = {"snapshot": "host", "policy": "default"}


class Played:
    """The monitor's side of a front: makes and ends every jail that it is asked for."""

    def __init__(self, front, refuse=""):
        self.front, self.refuse = front, refuse
        self.jails, self.plans, self.made, self.ended = {}, {}, [], []

    def step(self, seconds=0.05):
        try:
            kind, cookie, data, _ = self.front.request(seconds)
        except (TimeoutError, socket.timeout):
            return
        if kind == JAIL_CREATE and self.refuse:
            self.front.reply(cookie, code=-28, text=self.refuse)
        elif kind == JAIL_CREATE:
            handle = len(self.plans) + 1
            self.plans[handle] = data
            self.made.append(handle)
            self.jails[handle] = Jail(self.front, cookie, handle)
        elif kind == JAIL_DESTROY:
            handle = struct.unpack_from("=Q", data, 8)[0]
            self.ended.append(handle)
            self.jails.pop(handle).ended()

    def until(self, what):
        deadline = time.monotonic() + LONG
        while not what() and time.monotonic() < deadline:
            self.step()
        return what()

    def answer(self, client):
        """The next answer to a client, while jails are made and ended."""
        client.sock.settimeout(0.05)
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            try:
                return client.answer()
            except (TimeoutError, socket.timeout):
                self.step()
        raise SystemExit("Bail out! no answer")

    def call(self, client, method, params=None, fds=()):
        client.send(method, params, fds)
        return self.answer(client)

    def pools(self, client):
        return self.call(client, "pool.show")["result"]["pools"]

    def full(self, client, n):
        return self.until(lambda: [pool["ready"] for pool in self.pools(client)] == [n])

    def runs_in(self, client, jail):
        """The handle of the jail whose init is asked to run a command in @jail."""
        client.send("jail.exec", {"jail": jail, "argv": ["true"]})
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            for handle, played in self.jails.items():
                played.init.settimeout(0.05)
                try:
                    kind, number, _, _ = played.request()
                except (TimeoutError, socket.timeout):
                    continue
                if kind == INIT_EXEC:
                    played.event(INIT_ENDED, number)
                    self.answer(client)
                    return handle
        return None

    def taken(self, client, stays=False, fds=(), **params):
        """The handle of the jail that a create gets; then it is ended."""
        answer = self.call(client, "jail.create", {"keep": True, **params}, fds)
        if "error" in answer:
            return answer
        handle = self.runs_in(client, answer["result"]["jail"])
        if not stays:
            self.call(client, "jail.destroy", {"jail": answer["result"]["jail"]})
        return handle


def start(*users, ceilings=None, **more):
    front = Service(ceilings, **more)
    return (front, Played(front), *[front.user(uid) for uid in users])


# the front has descriptors for so many jails: pools leave some for those that somebody asks for
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
front = Service({"default": {"quotas": {"jails": 200, "memory": "1T", "disk": "1T", "pids": 1000000, "cpu": "90000%"}}}, memory=2 << 40)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
played, ann, bob = Played(front), front.user(ANN), front.user(BOB)
played.call(ann, "pool.set", {**ON, "size": 256})
tap.ok(played.until(lambda: [("no room" in pool.get("fault", ""), pool["making"]) for pool in played.pools(ann)] == [(True, 0)]), "a pool that is larger than that is not filled", played.pools(ann))
ready = played.pools(ann)[0]["ready"]
answers = [played.call(bob, "jail.create", {"keep": True}) for _ in range(16)]
tap.same([fields(answer)[0] for answer in answers], [""] * 16, f"who asks for a jail beside its {ready} has one")
tap.same((played.pools(ann)[0]["ready"], played.ended), (ready, []), "of those that it left")
tap.same(fields(played.call(bob, "jail.create", {"keep": True}))[0], "busy", "until none is left")
tap.ok(played.until(lambda: len(played.ended) == 1), "then one of the pool goes")
codes = []  # the front may hear of that end a moment later
played.until(lambda: "" in codes or codes.append(fields(played.call(bob, "jail.create", {"keep": True}))[0]) or "" in codes)
tap.ok("" in codes, "for the next who asks", codes)
front.stop()

# filled, taken, refilled
front, played, ann, bob = start(ANN, BOB)
longest = f"4294967294:{'n' * 64}"
tap.same([fields(played.call(ann, "pool.set", {**ON, "snapshot": name, "size": 1}))[0] for name in (longest, longest + "n")], ["not_found", "invalid"],
         "a snapshot is named for it as for a jail, whoever's it is and however long its name")
tap.same(played.call(ann, "pool.set", {**ON, "size": 2}).get("result"), {}, "a pool of two")
tap.ok(played.full(ann, 2), "is filled", played.pools(ann))
tap.same(ann.call("jail.list")["result"]["jails"], [], "its jails are nobody's yet")
before = time.time()
ann.send("jail.create", {"exec": {"argv": ["true"]}})
kind, number, _, _ = played.jails[1].request()
tap.same(kind, INIT_EXEC, "a create runs its command in the one that was made first, and asks for no jail")
listed = front.user(ANN).call("jail.list")["result"]["jails"]
tap.same((len(listed), listed[0]["keep"] if listed else None), (1, False), "it is listed now, and goes with the connection")
made = calendar.timegm(time.strptime(listed[0]["created"][:19], "%Y-%m-%dT%H:%M:%S"))
tap.ok(made >= int(before), "its time begins when it was taken", listed[0]["created"], before)
played.jails[1].event(INIT_ENDED, number)
tap.same(played.answer(ann)["result"]["command"]["cause"], "exited", "the answer is a create's")
tap.ok(played.until(lambda: 1 in played.ended), "it ends with its command")
tap.ok(played.full(ann, 2), "and the pool is filled again")
tap.same(played.pools(ann)[0]["taken"], 1, "one was taken")

# who gets none
for what, params in (("another memory limit", {"limits": {"memory": 1 << 30}}), ("another host name", {"hostname": "h"}),
                     ("another user", {"user": {"uid": 5, "gid": 5}}), ("another policy", {"policy": "ci"}),
                     ("a wall limit", {"limits": {"wall": 1000000}})):
    n = len(played.made)
    handle = played.taken(ann, **params)
    tap.ok(handle == n + 1, f"{what}: a jail of its own", handle, played.made)
    tap.ok(played.full(ann, 2), "… and the pool is as it was")
own = {"file": "./own.json", "text": json.dumps({"warder": "policy/1", "extends": "default"})}
n = len(played.made)
tap.same(played.taken(ann, policy=own), n + 1, "a policy file of one's own")
directory = os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY)
n = len(played.made)
tap.same(played.taken(ann, work=True, fds=[directory]), n + 1, "a directory to be shown")
tap.ok(played.full(ann, 2), "(the pool is as it was)")
n = len(played.made)
tap.same(played.taken(bob), n + 1, "another user's pool is not one's own")
tap.same(played.pools(bob), [], "nor to be seen")
tap.same([pool["owner_uid"] for pool in played.pools(front.user(ADM))], [ANN], "but by administrators")
n = len(played.made)
handle = played.taken(ann, limits={"memory": 4 << 30})
tap.ok(handle <= n, "a limit that changes nothing does not matter", handle, n)
tap.ok(played.full(ann, 2), "(full again)")

# a client that goes takes along what it took
gone = front.user(ANN)
ends = len(played.ended)
answer = played.call(gone, "jail.create")
tap.ok("jail" in answer.get("result", {}), "a create without a command", answer)
gone.close()
tap.ok(played.until(lambda: len(played.ended) == ends + 1), "its jail ends with the connection")
tap.ok(played.full(ann, 2), "(full again)")

# one whose init dies
first = min(handle for handle in played.jails if handle > n)
played.jails[first].init.close()
tap.ok(played.until(lambda: first in played.ended), "one that dies by itself")
tap.ok(played.full(ann, 2), "is replaced")

# settings
tap.same(ann.call("pool.set", {**ON, "size": 257})["error"]["code"], -32602, "more than there may be")
tap.same(fields(ann.call("pool.set", {**ON, "snapshot": "none", "size": 1}))[0], "not_found", "an unknown snapshot")
tap.same(fields(ann.call("pool.set", {**ON, "policy": "none", "size": 1}))[0], "not_found", "an unknown policy")
tap.same(fields(ann.call("pool.set", {"snapshot": "host", "policy": "strict", "size": 1}))[0], "denied", "a policy that refuses the host's root")
tap.same(fields(bob.call("pool.set", {**ON, "size": 0}))[0], "not_found", "no pool of one's own to end")
ends = len(played.ended)
played.call(ann, "pool.set", {**ON, "size": 1})
tap.ok(played.until(lambda: len(played.ended) == ends + 1) and played.full(ann, 1), "a smaller pool: the surplus goes")
played.call(ann, "pool.set", {**ON, "size": 0})
tap.ok(played.until(lambda: len(played.ended) == ends + 2), "none: the rest, too")
tap.same(played.pools(ann), [], "and it is forgotten")
tap.same(front.stop() < 0, False, "the front is not killed by a signal")

# what drains a pool: its policy
front, played, ann = start(ANN)
os.mkdir(os.path.join(front.config, "policies"))


def policy(**limits):
    with open(os.path.join(front.config, "policies", "mine.json"), "w") as file:
        json.dump({**MINE, "limits": {**MINE["limits"], **limits}}, file)


policy()
tap.same(played.call(ann, "pool.set", {"snapshot": "host", "policy": "mine", "size": 2}).get("result"), {}, "a pool of an administrator's policy")
tap.ok(played.full(ann, 2), "is filled")
policy(pids=7)
handle = played.taken(ann, policy="mine")
tap.ok(handle not in (1, 2), "a policy that has changed: no jail of before is given away", handle)
tap.ok(played.until(lambda: {1, 2} <= set(played.ended)), "all of them end")
tap.ok(played.full(ann, 2), "and others are made")
ends = len(played.ended)
os.unlink(os.path.join(front.config, "policies", "mine.json"))
tap.ok(played.until(lambda: len(played.ended) == ends + 2), "a policy that is gone")
tap.ok(played.until(lambda: "mine" in played.pools(ann)[0].get("fault", "")), "… is what is wrong", played.pools(ann))
front.stop()

# its snapshot, its owner's ceiling
state = state_with([snapshot_row("one", ANN, 1)])
front, played, ann = start(ANN, ceilings={"default": {"quotas": {"jails": 4}}}, state=state)
shutil.rmtree(os.path.dirname(state))
played.call(ann, "pool.set", {"snapshot": "one", "policy": "default", "size": 2})
tap.ok(played.full(ann, 2), "a pool of a snapshot")
front.write({"default": {"limits": {"memory": "1G"}, "quotas": {"jails": 4}}})
handle = played.taken(ann, snapshot="one")
tap.ok(handle not in (1, 2), "a ceiling that has changed: no jail of before is given away", handle)
tap.ok(played.until(lambda: {1, 2} <= set(played.ended)) and played.full(ann, 2), "and others are made")

# its owner's quota, which real jails come first of
for n in range(3):
    played.taken(ann, stays=True, snapshot="one", hostname=f"h{n}")
tap.ok(played.until(lambda: played.pools(ann)[0]["ready"] == 1), "four jails at most, three are used: the pool gave way", played.pools(ann))
tap.ok(played.until(lambda: "no room" in played.pools(ann)[0].get("fault", "")), "and says why it is not full", played.pools(ann))
jail = played.call(ann, "jail.list")["result"]["jails"][0]["jail"]
ends = len(played.ended)
answer = played.call(ann, "snapshot.remove", {"name": "one"})
tap.ok("result" in answer, "a snapshot that is in use can be removed", answer)
tap.ok(played.until(lambda: len(played.ended) == ends + 1 and played.pools(ann)[0]["ready"] == 0), "its pool's jails end", played.pools(ann))
tap.ok(played.until(lambda: "one" in played.pools(ann)[0].get("fault", "")), "… because there is none", played.pools(ann))
front.stop()

# what is refused all the same takes nothing from a pool
front, played, ann = start(ANN, ceilings={"users": {str(ANN): {"quotas": {"jails": 9, "memory": "9G", "cpu": "9000%"}}}})
answer = played.call(ann, "jail.create", {"keep": True})
tap.ok("jail" in answer.get("result", {}), "a jail of 4 GiB", answer)
played.call(ann, "pool.set", {**ON, "size": 1})
tap.ok(played.full(ann, 1), "and a pool of one more", played.pools(ann))
answer = played.call(ann, "jail.create", {"keep": True, "policy": "ci"})
tap.same(fields(answer)[0], "quota", "8 GiB would not fit without the pool either")
tap.same((played.ended, played.pools(ann)[0]["ready"]), ([], 1), "the pool is as it was")
answer = played.call(ann, "jail.create", {"keep": True, "hostname": "h"})
tap.ok("jail" in answer.get("result", {}) and played.until(lambda: len(played.ended) == 1), "what fits in its place has that", answer)
front.stop()

# nor is one of its jails counted twice that is ending by itself
front, played, ann = start(ANN, ceilings={"users": {str(ANN): {"quotas": {"jails": 9, "memory": "13G", "cpu": "9000%"}}}})
for n in range(2):
    played.call(ann, "jail.create", {"keep": True, "hostname": f"h{n}"})
played.call(ann, "pool.set", {**ON, "size": 1})
tap.ok(played.full(ann, 1), "two jails of 4 GiB, and a pool of one more", played.pools(ann))
played.jails.pop(3).init.close()
tap.same(front.request()[0], JAIL_DESTROY, "that one ends by itself, which takes long")
before = played.pools(ann)[0]["ready"]
answer = ann.call("jail.create", {"keep": True, "policy": "ci"})
tap.same(fields(answer)[0], "quota", "8 GiB would not fit without it either")
tap.same(ann.call("pool.show")["result"]["pools"][0]["ready"], before, "and nothing leaves the pool for that")
front.stop()

# a host that is full
front, played, ann, bob = start(ANN, BOB, ceilings={"host": {"jails": 2}})
played.call(ann, "pool.set", {**ON, "size": 2})
tap.ok(played.full(ann, 2), "all room of the host is in a pool")
answer = played.call(bob, "jail.create", {"keep": True})
tap.ok("jail" in answer.get("result", {}), "who asks for a jail gets that room", answer)
tap.same([note["method"] for note in bob.notes], ["jail.waiting"], "after a moment")
tap.ok(played.until(lambda: played.pools(ann)[0]["ready"] == 1), "the rest of the pool stays", played.pools(ann))
front.stop()

# a monitor that makes none
front = Service()
played, ann = Played(front, refuse="no room for groups"), front.user(ANN)
played.call(ann, "pool.set", {**ON, "size": 1})
tap.ok(played.until(lambda: "no room for groups" in played.pools(ann)[0].get("fault", "")), "why a pool is not full", played.pools(ann))
played.refuse = ""
tap.ok(played.full(ann, 1), "it is tried again")
tap.same("fault" in played.pools(ann)[0], False, "and nothing is wrong then")

# a restart
keep = tempfile.mkdtemp(prefix="warder-state-")
front.monitor.close()
os.waitpid(front.pid, 0)
shutil.copytree(os.path.join(front.dir, "state"), os.path.join(keep, "state"))
shutil.rmtree(front.dir, ignore_errors=True)
shutil.rmtree(front.config, ignore_errors=True)
front, played, bob = start(BOB, state=os.path.join(keep, "state"))
shutil.rmtree(keep)
tap.same([(pool["size"], pool["ready"], pool["making"]) for pool in played.pools(front.client())], [(1, 0, 0)],
         "the setting outlives the front; nothing is made before its owner comes")
ann = front.user(ANN)
tap.ok(played.full(ann, 1), "and then it is filled")
tap.same(front.stop() < 0, False, "the front is not killed by a signal")

# a private front is nobody's server
front = Front(private=True)
played, root = Played(front), front.client()
played.call(root, "pool.set", {**ON, "size": 1})
tap.ok(played.full(root, 1), "a pool in a private supervisor")
root.close()
tap.ok(eventually(lambda: os.waitpid(front.pid, os.WNOHANG)[0], LONG), "does not keep it when the last client has gone")
front.monitor.close()
shutil.rmtree(front.dir, ignore_errors=True)

# real jails
if missing():
    print(f"# without real jails: {missing()}")
    tap.end()
supervisor = Supervisor("pools")
client = supervisor.client()
client.sock.settimeout(LONG)
client.call("pool.set", {**ON, "size": 3})


def ready():
    return client.call("pool.show")["result"]["pools"][0]["ready"]


def run(script, **params):
    params["exec"] = {"argv": ["sh", "-c", script], "stdio": ["null", "capture", "null"]}
    record = client.call("jail.create", params)["result"]
    return record["jail"], record["command"]["cause"], record["command"]["output"]["stdout"]["text"].strip()


tap.ok(eventually(lambda: ready() == 3, LONG), "three real jails are ready")
runs = [run("test ! -e /tmp/mark && echo > /tmp/mark && echo > $HOME/mark && ls -A $HOME && id -u") for _ in range(3)]
tap.same({(cause, text) for _, cause, text in runs}, {("exited", "mark\n1000")}, "each command finds a jail that nobody used")
tap.same(len({jail for jail, _, _ in runs}), 3, "and has one of its own")
tap.ok(client.call("pool.show")["result"]["pools"][0]["taken"] >= 1, "of the pool", client.call("pool.show"))
tap.ok(eventually(lambda: ready() == 3, LONG), "which is full again")
client.call("pool.set", {**ON, "size": 0})
tap.ok(eventually(lambda: client.call("warder.info")["result"]["jails"] == 0, LONG), "and then empty")
client.close()
tap.same(supervisor.wait(LONG), 0, "the supervisor goes with its caller")
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
