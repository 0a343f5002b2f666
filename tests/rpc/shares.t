#!/usr/bin/env -S python3 -B
"""shares: what users have in common, and that none takes all of it: places of tasks, the memory of ended tasks, the disk
of a user whose imports run side by side, descriptors."""
import os
import resource
import shutil

from front_lib import LAYER_NEW, LAYER_REMOVE, Tap
from users_lib import ANN, BOB, Service, eventually, fields, need_users, snapshot_row, state_with, verdict_text

need_users()
tap = Tap()
SPEC = {"warder": "verify/1", "commands": [{"run": ["true"]}]}
TASK = {"request": "r", "spec": SPEC, "model": {"provider": "replay"}, "keep": True}
KEPT = 1000


def start(client):
    fds = [os.memfd_create("archive"), os.memfd_create("transcript")]
    answer = client.call("task.start", TASK, fds)
    for fd in fds:
        os.close(fd)
    return answer["result"]["task"]


def states(client):
    tasks = client.call("task.list")["result"]["tasks"]
    return [sum(task["state"] == state for task in tasks) for state in ("preparing", "queued")]


# places of tasks
front = Service(agent="/bin/true")
ann, bob = front.user(ANN), front.user(BOB)
anns = [start(ann) for _ in range(9)]
tap.same(states(ann), [6, 3], "one user's tasks take no more than its share")
bobs = [start(bob) for _ in range(4)]
tap.same(states(bob), [2, 2], "another's begin at once, though the first's have waited longer")
ann.call("task.cancel", {"task": anns[0]})
tap.same((states(ann), states(bob)), ([5, 3], [3, 1]), "who has fewer that run is next")
ann.call("task.cancel", {"task": anns[1]})
tap.same((states(ann), states(bob)), ([4, 3], [4, 0]), "until they have as many")
bob.call("task.cancel", {"task": bobs[0]})
tap.same((states(ann), states(bob)), ([5, 2], [3, 0]), "where nobody else waits the place is not left empty")
front.stop()


def name_of(number, owner):
    """In the letters of an id."""
    return "t-" + "".join("abcdefghij"[int(digit)] for digit in f"{owner:05}{number:05}")


def ended(number, owner):
    return ("INSERT INTO tasks (id, owner, state, cause, summary, request, workflow, used, created, ended)"
            " VALUES (?, ?, 'verified', '', '', 'r', '', '{}', ?, ?)", (name_of(number, owner), owner, 100 + number, 100 + number))


def verdict(number, owner):
    return ("INSERT INTO verdicts (task, n, verdict) VALUES (?, 1, ?)", (name_of(number, owner), verdict_text()))


def known(client, name):
    answer = client.call("task.show", {"task": name})
    return len(answer["result"]["verdicts"]) if "result" in answer else None


# ended tasks
rows = [ended(1, BOB), verdict(1, BOB)]
rows += [row for n in range(KEPT + 2) for row in (ended(1000 + n, ANN), verdict(1000 + n, ANN))]
state = state_with(rows)
front = Service(agent="/bin/true", state=state)
shutil.rmtree(os.path.dirname(state))
ann, bob = front.user(ANN), front.user(BOB)
tap.same(known(bob, name_of(1, BOB)), 1, "at start one user's many ended tasks push out none of another's")
tap.same([known(ann, name_of(n, ANN)) for n in (1000, 1001, 1002)], [None, None, 1], "but the oldest of its own")
name = start(ann)
tap.same(known(ann, name_of(1002, ANN)), 1, "a task that runs pushes out none")
ann.call("task.cancel", {"task": name})
tap.same([known(ann, name_of(n, ANN)) for n in (1002, 1003)], [None, 1], "one that ends pushes out the oldest at once")
tap.same((known(ann, name), known(bob, name_of(1, BOB))), (0, 1), "it is known itself, and so is the other user's")
front.stop()


# the disk of one user, by imports side by side
def disk_refusal(client, name):
    answer = client.call("snapshot.import", {"name": name}, [os.memfd_create("archive")])
    code, data = fields(answer)
    return code, data.get("field"), data.get("used")


state = state_with([snapshot_row("one", ANN, 1, 712)])  # 3 entries: 13000 on disk
front = Service({"users": {str(ANN): {"quotas": {"snapshot_disk": "40000"}}}}, state=state)
shutil.rmtree(os.path.dirname(state))
ann, also, bob = front.user(ANN), front.user(ANN), front.user(BOB)
ann.send("snapshot.import", {"name": "a", "limits": {"bytes": 3000, "entries": 2}}, [os.memfd_create("archive")])
first = front.request()
also.send("snapshot.import", {"name": "b"}, [os.memfd_create("archive")])
second = front.request()
tap.same((first[0], second[0]), (LAYER_NEW, LAYER_NEW), "one with a limit leaves room for another")
third = front.user(ANN)
tap.same(disk_refusal(third, "c"), ("quota", "quotas.snapshot_disk", 40000), "which takes the rest: a third has none")
bob.send("snapshot.import", {"name": "c"}, [os.memfd_create("archive")])
tap.same(front.request()[0], LAYER_NEW, "another user's rest is its own")
front.reply(first[1], code=-28, text="no room")
tap.ok("error" in ann.answer(), "(the first one ends)")
third.send("snapshot.import", {"name": "c", "limits": {"bytes": 3000, "entries": 2}}, [os.memfd_create("archive")])
tap.same(front.request()[0], LAYER_NEW, "and gives back what it had")
tap.same(disk_refusal(ann, "d"), ("quota", "quotas.snapshot_disk", 40000), "once")
answer = ann.call("verify.run", {"spec": SPEC}, [os.memfd_create("archive"), os.memfd_create("patch")])
tap.ok("quotas.snapshot_disk" in answer.get("error", {}).get("message", ""), "a verify's base needs room there too", answer)
front.stop()


# an import that is never over keeps nothing of what was let go in the store
state = state_with([snapshot_row("old", ANN, 1)])
front = Service(state=state)
shutil.rmtree(os.path.dirname(state))
ann, also = front.user(ANN), front.user(ANN)
ann.send("snapshot.import", {"name": "a"}, [os.memfd_create("archive")])
tap.same(front.request()[0], LAYER_NEW, "(an import is under way)")
tap.ok("result" in also.call("snapshot.remove", {"name": "old"}), "what its user removes meanwhile")
also.call("snapshot.list")
try:
    gone = front.request()
    tap.same((gone[0], gone[2][-32:]), (LAYER_REMOVE, bytes([1]) * 32), "is removed from the disk, too")
except TimeoutError:
    tap.ok(False, "is removed from the disk, too")
front.stop()


# setup layers, and bases side by side
def setup(number, owner, size, used):
    layer = bytes([number]) * 32
    return [("INSERT INTO gate_setups (key, layer, used, owner, bytes) VALUES (?, ?, ?, ?, ?)", (layer, layer, used, owner, size)),
            ("INSERT INTO holds (digest, holder) VALUES (?, 'gate')", (layer,))]


state = state_with(setup(1, ANN, 30000, 5) + setup(2, ANN, 5000, 3) + setup(3, BOB, 39000, 1))
front = Service({"users": {str(uid): {"quotas": {"snapshot_disk": "40000"}} for uid in (ANN, BOB)}}, state=state)
shutil.rmtree(os.path.dirname(state))
ann, also, bob = front.user(ANN), front.user(ANN), front.user(BOB)
LITTLE = {"bytes": 904, "entries": 1}  # 5000 on disk
ann.send("snapshot.import", {"name": "a", "limits": LITTLE}, [os.memfd_create("archive")])
first = front.request()
also.send("snapshot.import", {"name": "b", "limits": LITTLE}, [os.memfd_create("archive")])
gone, second = front.request(), front.request()
tap.same((first[0], second[0]), (LAYER_NEW, LAYER_NEW), "setup layers leave the rest, and make room when that is used up")
tap.same((gone[0], gone[2][-32:]), (LAYER_REMOVE, bytes([2]) * 32), "its own goes that was used longest ago, not another user's")
front.stop()

# two users whose setups made the same layer: each has it for itself
rows = setup(1, ANN, 40000, 5) + setup(1, BOB, 40000, 5)[:1]
rows[2] = (rows[2][0], (bytes([9]) * 32, *rows[2][1][1:]))
state = state_with(rows)
front = Service({"users": {str(uid): {"quotas": {"snapshot_disk": "40000"}} for uid in (ANN, BOB)}}, state=state)
shutil.rmtree(os.path.dirname(state))
ann, bob = front.user(ANN), front.user(BOB)
for user, want in ((ann, [LAYER_NEW]), (bob, [LAYER_REMOVE, LAYER_NEW])):
    user.send("snapshot.import", {"name": "a", "limits": LITTLE}, [os.memfd_create("archive")])
    try:
        tap.same([front.request()[0] for _ in want], want, "each makes room by its own, and the layer goes with the last")
    except TimeoutError:
        tap.ok(False, "each makes room by its own, and the layer goes with the last")
front.stop()

front = Service({"users": {str(ANN): {"quotas": {"snapshot_disk": "10000"}}}})
users = [front.user(ANN) for _ in range(4)]


def verify(client, size):
    fd = os.memfd_create("archive")
    os.truncate(fd, size)
    client.send("verify.run", {"spec": SPEC}, [fd, os.memfd_create("patch")])


verify(users[0], 500)  # 4500 at most
verify(users[1], 100)  # a quarter of what is left
asked = [front.request(), front.request()]
tap.same([request[0] for request in asked], [LAYER_NEW] * 2, "bases side by side share what is left")
reader, writer = os.pipe()
users[2].send("verify.run", {"spec": SPEC}, [reader, os.memfd_create("patch")])
asked.append(front.request())
tap.same(asked[2][0], LAYER_NEW, "one through a pipe takes all of it")
verify(users[3], 100)
code, data = fields(users[3].answer())
tap.same((code, data.get("field"), data.get("used")), ("quota", "quotas.snapshot_disk", 10000), "then the next has none")
front.reply(asked[0][1], code=-28, text="no room")
users[0].answer()
verify(users[3], 100)
tap.same(front.request()[0], LAYER_NEW, "until one of them ends")
front.stop()


# descriptors of the front
front = Service()
ann, bob = front.user(ANN), front.user(BOB)
tap.ok("result" in ann.call("warder.info") and "result" in bob.call("warder.info"), "two clients are served")
most = resource.prlimit(front.pid, resource.RLIMIT_NOFILE)
used = max(int(name) for name in os.listdir(f"/proc/{front.pid}/fd")) + 1
holes = [fd for fd in range(used) if not os.path.lexists(f"/proc/{front.pid}/fd/{fd}")]
resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (used, most[1]))
crowd = [front.user(ANN) for _ in range(len(holes) + 3)]
tap.ok(eventually(lambda: "no client is accepted for a second" in front.words()), "where it has none left it pauses, and says so")
tap.ok("result" in bob.call("warder.info"), "who is connected is served")
tap.ok(front.words().count("no client is accepted for a second") < 20, "it does not try again all the time")
resource.prlimit(front.pid, resource.RLIMIT_NOFILE, most)
tap.ok(all("result" in client.call("warder.info") for client in crowd), "when there are some again, who waited is served")
front.stop()

tap.end()
