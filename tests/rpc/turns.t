#!/usr/bin/env -S python3 -B
"""turns: a host that is full: who waits, in which order, how one stops waiting, and why it was full."""
import os
import select
import shutil
import tempfile

from front_lib import JAIL_CREATE, LAYER_NEW, PATIENCE, Tap
from users_lib import ADM, ANN, BOB, Service, eventually, fields, need_users

need_users()
tap = Tap()
GIB = 1 << 30
CEL = 60004


def note(client):
    """What one who waits is told."""
    while not client.notes:
        message = client.line()
        assert "id" not in message, message
        client.notes.append(message)
    message = client.notes.pop(0)
    return message["method"], message["params"]["which"], message["params"]["position"]


def waits(client, what, which, position, **params):
    client.send("jail.create", {"keep": True, **params})
    tap.same(note(client), ("jail.waiting", which, position), what)


def waiting(front):
    return front.clients[0].call("warder.info")["result"]["waiting"]


def served(front, client, handle, what):
    jail = front.made(handle)
    answer = client.answer()
    tap.ok("jail" in answer.get("result", {}), what, answer)
    return answer.get("result", {}).get("jail"), jail


# one after the other, user by user
front = Service({"host": {"jails": 1, "queue": {"wait": "1h", "length": 5, "per_user": 3}}})
root = front.client()
ann, bob, cel = front.user(ANN), front.user(BOB), front.user(CEL)
ann2, ann3, bob2 = front.user(ANN), front.user(ANN), front.user(BOB)
name, jail = front.create(cel, 1)
waits(ann, "the host is full: one waits", "jails", 1)
waits(ann2, "a second one of the same user", "jails", 2)
waits(ann3, "and a third", "jails", 3)
waits(bob, "another's first comes before it", "jails", 2)
tap.same(waiting(front), 4, "four wait")
tap.same(fields(front.user(ANN).call("jail.create"))[1].get("which"), "jails", "one user's waiting is bounded")
waits(bob2, "the last place", "jails", 4)
refused = front.user(60005).call("jail.create")
tap.same((fields(refused)[0], fields(refused)[1]["which"]), ("limit", "jails"), "and all of it")
for handle, client, what in ((2, ann, "Ann's first"), (3, bob, "Bob's first"), (4, ann2, "Ann's second"), (5, bob2, "Bob's second"),
                             (6, ann3, "Ann's third")):
    front.end(cel if handle == 2 else root, name, jail)
    name, jail = served(front, client, handle, what)
tap.same(root.call("jail.show", {"jail": name})["result"]["policy"], "default", "one that waited has its policy's name")
tap.same(waiting(front), 0, "nobody waits")

# who goes does not wait; nobody passes
waits(ann, "Ann waits", "jails", 1)
waits(bob, "Bob behind her", "jails", 2)
ann.close()
tap.ok(eventually(lambda: waiting(front) == 1), "her place goes with her connection, kept jail or not")
front.end(root, name, jail)
name, jail = served(front, bob, 7, "Bob is next")
gone = front.user(ANN)
waits(gone, "one that is alone", "jails", 1)
gone.close()
tap.ok(eventually(lambda: waiting(front) == 0), "goes")
front.end(root, name, jail)
name, jail = front.create(root, 8)
tap.ok(name, "and the host is free: nothing of those that went was made")


# a place is not kept by coming again: whoever gives up goes behind the others, with all that one has waiting
waits(ann2, "Ann waits", "jails", 1)
waits(ann3, "twice", "jails", 2)
waits(bob, "Bob behind her", "jails", 2)
ann2.close()
tap.ok(eventually(lambda: waiting(front) == 2), "her first one goes")
front.end(root, name, jail)
name, jail = served(front, bob, 9, "Bob is next, not her second")
front.end(root, name, jail)
name, jail = served(front, ann3, 10, "then she is")

# a wait has an end
front.write({"host": {"jails": 1, "queue": {"wait": "50ms"}}})
waits(bob, "for a while", "jails", 1)
answer = bob.answer()
tap.same((fields(answer)[0], fields(answer)[1].get("which")), ("limit", "jails"), "then it is refused, with the reason")
front.write({"host": {"jails": 1, "queue": {"length": 0}}})
tap.same(fields(bob.call("jail.create"))[0], "limit", "without a queue at once")
for method, fds in (("verify.run", 2), ("task.start", 2)):
    spec = {"warder": "verify/1", "commands": [{"run": ["true"]}]}
    params = {"spec": spec} if method == "verify.run" else {"spec": spec, "request": "r", "model": {"provider": "replay"}}
    opened = [os.memfd_create("input") for _ in range(fds)]
    os.write(opened[1], b"x")
    answer = bob.call(method, params, opened)
    tap.ok(fields(answer)[0] in ("limit", "unsupported"), f"{method} too", answer)
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# verify and task wait as well, and go on
front = Service({"host": {"jails": 1, "queue": {"wait": "1h"}}}, agent="/bin/true")
root, ann, bob = front.client(), front.user(ANN), front.user(BOB)
name, jail = front.create(root, 1)
opened = [os.memfd_create("input") for _ in range(2)]
os.write(opened[1], b"x")
ann.send("verify.run", {"spec": spec}, opened)
tap.same(note(ann)[0], "jail.waiting", "a verify waits")
bob.send("task.start", {"spec": spec, "request": "r", "model": {"provider": "replay"}}, opened)
tap.same(note(bob)[0], "jail.waiting", "a task waits")
front.end(root, name, jail)
tap.ok("task" in bob.answer().get("result", {}), "the task is taken when it is its turn")
ann.close()
bob.close()
tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# a fork of several waits for the room of all of them
for host, which in (({"jails": 4}, "jails"), ({"memory": "100%", "reserve": "1M"}, "memory")):
    front = Service({"host": {**host, "queue": {"wait": "1h"}}}, memory=GIB)
    root, ann = front.client(), front.user(ANN)
    name, jail = front.create(root, 1, limits={"memory": GIB // 5 + (1 << 20)})
    own, source = front.create(ann, 2, limits={"memory": GIB // 5 + (1 << 20)})
    source.set("cgroup.events", "frozen 1\n")
    answer = ann.call("jail.fork", {"jail": own, "n": 5})
    tap.same((fields(answer)[0], fields(answer)[1].get("which")), ("limit", which), f"{which}: more than the host can ever have are refused")
    ann.send("jail.fork", {"jail": own, "n": 3})
    tap.same(note(ann), ("jail.waiting", which, 1), "more than it has room for now wait")
    front.end(root, name, jail)
    tap.same(front.request()[0], LAYER_NEW, "with room for all of them it goes on")
    ann.close()
    tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# and is held against the quotas with all of them
for quota, field in (({"jails": 3}, "quotas.jails"), ({"memory": "700M"}, "quotas.memory")):
    front = Service({"users": {str(ANN): {"quotas": quota}}})
    ann = front.user(ANN)
    own, source = front.create(ann, 1, limits={"memory": 200 << 20})
    source.set("cgroup.events", "frozen 1\n")
    answer = ann.call("jail.fork", {"jail": own, "n": 3})
    tap.same((fields(answer)[0], fields(answer)[1].get("field")), ("quota", field), f"more than {field} allows are refused before anything is read")
    ann.send("jail.fork", {"jail": own, "n": 2})
    tap.same(front.request()[0], LAYER_NEW, "as many as it allows are not")
    ann.close()
    tap.ok(front.stop() >= 0, "the front is not killed by a signal")

# who asks for more than there is now, again and again, holds up others for a while only


class Again:
    """One request after the other, each as soon as the one before is refused."""

    def __init__(self, client, **params):
        self.client, self.params, self.refused = client, params, 0
        client.send("jail.create", params)

    def go_on(self):
        message = self.client.line()
        if "id" in message:
            assert fields(message)[0] == "limit", message
            self.refused += 1
            self.client.send("jail.create", self.params)


front = Service({"host": {"reserve": "1G", "memory": "100%", "queue": {"wait": "4s"}}}, memory=5 * GIB)
root, bob = front.client(), front.user(BOB)
front.create(root, 1, limits={"memory": GIB})
greedy = [Again(front.user(ANN), limits={"memory": 7 * GIB // 2}) for _ in range(1)]
for _ in range(2):
    select.select([], [], [], 1.3)
    greedy.append(Again(front.user(ANN), limits={"memory": 7 * GIB // 2}))
for handle in (2, 3, 4):
    bob.send("jail.create", {"keep": True, "limits": {"memory": 64 << 20}})
    answer = None
    while answer is None:
        ready = select.select([front.monitor, bob.sock] + [one.client.sock for one in greedy], [], [], PATIENCE)[0]
        if front.monitor in ready:
            front.made(handle)
        for one in greedy:
            if one.client.sock in ready:
                one.go_on()
        if bob.sock in ready:
            message = bob.line()
            answer = message if "id" in message else None
    tap.ok("jail" in answer.get("result", {}), f"Bob's small jail {handle - 1} is made while Ann waits for a large one", answer)
    while sum(one.refused for one in greedy) < handle - 1:
        for one in greedy:
            if select.select([one.client.sock], [], [], 0.1)[0]:
                one.go_on()
front.stop()

# nor does one that never gives up
front = Service({"host": {"reserve": "1G", "memory": "100%", "queue": {"wait": "8s"}}}, memory=5 * GIB)
root, ann, bob = front.client(), front.user(ANN), front.user(BOB)
name, jail = front.create(root, 1, limits={"memory": GIB})
waits(ann, "Ann waits for a large one", "memory", 1, limits={"memory": 7 * GIB // 2})
waits(bob, "Bob, with a small one that would fit, behind her", "queue", 2, limits={"memory": 64 << 20})
front.made(2)
tap.ok("jail" in bob.answer().get("result", {}), "Bob's is made")
tap.same(waiting(front), 1, "while Ann waits still")
front.end(root, name, jail)
served(front, ann, 3, "what becomes free is hers")
front.stop()

# memory: the sum of limits, and what the host has left
meminfo = tempfile.NamedTemporaryFile()


def available(text):
    meminfo.seek(0)
    meminfo.truncate()
    meminfo.write(text.encode())
    meminfo.flush()


available("MemTotal:  9 kB\nMemAvailable:   8388608 kB\n")
front = Service({"host": {"reserve": "1G", "memory": "100%", "queue": {"wait": "1h"}}}, memory=9 * GIB, meminfo=meminfo.name)
root, ann, bob = front.client(), front.user(ANN), front.user(BOB)
name, jail = front.create(ann, 1)
waits(bob, "memory limits in sum", "memory", 1)
waits(ann, "a small one does not pass a large one", "queue", 2, limits={"memory": 1 << 20})
front.end(root, name, jail)
served(front, bob, 2, "the large one")
served(front, ann, 3, "and the small one")
available("MemAvailable:   1048575 kB\n")
waits(ann, "too little is available", "memory", 1, limits={"memory": 1 << 20})
available("MemAvailable:   1048576 kB\n")
served(front, ann, 4, "until there is enough, and nothing has ended meanwhile")
front.write({"host": {"reserve": "8G", "memory": "100%"}})
answer = ann.call("jail.create")
tap.same((fields(answer)[0], fields(answer)[1].get("which")), ("limit", "memory"), "one that could never fit does not wait")
front.stop()

# pressure
psi = tempfile.mkdtemp(prefix="warder-psi-")


def press(**percent):
    for name in ("memory", "io", "cpu"):
        with open(os.path.join(psi, name), "r+" if os.path.exists(os.path.join(psi, name)) else "w") as file:
            file.truncate()
            file.write(f"some avg10={percent.get(name, 0):.2f} avg60=99.00 avg300=99.00 total=1\n"
                       "full avg10=99.00 avg60=99.00 avg300=99.00 total=1\n")


press()
front = Service({"host": {"pressure": {"memory": "10%", "io": "20%"}, "queue": {"wait": "1h"}}}, pressure=psi)
ann = front.user(ANN)
tap.same(ann.call("warder.info")["result"]["psi"], True, "the kernel tells of pressure")
front.create(ann, 1)
for number, (resource, percent) in enumerate((("memory", 10.0), ("io", 55.5)), 2):
    press(**{resource: percent})
    waits(ann, f"{resource} at {percent}%", "pressure", 1)
    press(**{resource: 9.99})
    served(front, ann, number, f"{resource} below")
press(cpu=100)
front.create(ann, 9)
tap.ok(True, "no bound, no look")
front.stop()
front = Service({"host": {"queue": {"length": 0}}}, pressure=psi)
bob = front.user(BOB)
press(io=100, cpu=100)
front.create(bob, 1)
tap.ok(True, "unless it is asked for, waiting for disks and processors, which one jail can cause alone, refuses nobody")
press(memory=20)
answer = bob.call("jail.create")
tap.same((fields(answer)[0], fields(answer)[1].get("which")), ("limit", "pressure"), "waiting for memory does")
front.stop()
shutil.rmtree(psi)

front = Service({"host": {"pressure": {"memory": "0%"}}})
ann = front.user(ANN)
tap.same(ann.call("warder.info")["result"]["psi"], False, "a kernel without pressure information: it is said")
front.create(ann, 1)
tap.ok(True, "and nobody waits for what is not known")
front.stop()
tap.end()
