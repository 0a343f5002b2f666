#!/usr/bin/env -S python3 -B
"""jail-events: what happens to jails is told to whom it concerns, in order, once; who does not read is told so; nobody learns
of others' jails. Monitor and inits are played."""
import os

from front_lib import INIT_ENDED, INIT_EXEC, INIT_STARTED, JAIL_DESTROY, Closed, Jail, Tap
from users_lib import ADM, ANN, BOB, Service, eventually, fields, need_users

need_users()
tap = Tap()
front = Service()
ann, bob, admin, root = front.user(ANN), front.user(BOB), front.user(ADM), front.client()
FREEZE, EVENTS = 3, "cgroup.events"  # of enum JailFd; in the group of its commands


def kept(client, **params):
    """All that is kept, page by page."""
    events, at = [], 1
    while at:
        result = client.call("jail.events", {"watch": False, "from": at, **params})["result"]
        events += result["events"]
        at = result.get("next")
    return events


def words(events):
    return [event["event"] for event in events]


def heard(client, n):
    """The next events that come by themselves."""
    while len(client.notes) < n:
        client.notes.append(client.line())
    events, client.notes = [note["params"] for note in client.notes[:n]], client.notes[n:]
    return events


# ---- one jail's life
answer = ann.call("jail.events")["result"]
tap.ok(answer["seq"] > 1 << 50 and not answer["missed"] and "alive" not in answer, "numbers begin with the time", answer)
name, jail = front.create(ann, 7)
tap.same(words(heard(ann, 2)), ["jail.created", "jail.ready"], "who watches hears of a jail")
jail.set(EVENTS, "populated 1\nfrozen 1\n")
ann.send("jail.exec", {"jail": name, "argv": ["x"]})
kind, number, _, _ = jail.request()
jail.event(INIT_STARTED, number)
jail.event(INIT_ENDED, number, code=3, wall=4200)
record = ann.answer()["result"]
ann.notes = [note for note in ann.notes if note["method"] == "jail.event"]
start, end = heard(ann, 2)
tap.ok(kind == INIT_EXEC and start["event"] == "command.start" and start["data"] == {"command": record["command"]} and
       start["jail"] == name and start["owner_uid"] == ANN, "of a command", start)
tap.same((end["event"], end["data"]), ("command.end", {"command": record["command"], "cause": "exited", "code": 3,
                                                       "signal": None, "wall_usec": 4200}), "and how it ended")
ann.call("jail.freeze", {"jail": name})
ann.call("jail.freeze", {"jail": name})
ann.call("jail.thaw", {"jail": name})
tap.same(words(heard(ann, 2)), ["jail.frozen", "jail.thawed"], "that it is frozen, once, and thawed")
tap.same(jail.text(FREEZE), "10", "so the kernel is told once, too")
front.end(ann, name, jail)
last = heard(ann, 1)[0]
tap.same((last["event"], last["data"]), ("jail.ended", {"cause": "destroyed"}), "and why it ended")
events = kept(ann)
tap.same([e["seq"] for e in events], list(range(events[0]["seq"], events[0]["seq"] + len(events))), "numbers have no gaps")
tap.same(kept(ann, jail=name), events, "an ended jail's events are kept")
tap.same(ann.call("jail.events", {"jail": name})["result"]["alive"], False, "and known to be of one that has ended")
tap.same(kept(ann, limit=1), events, "page by page")
tap.same(words(kept(ann) [-1:]), ["jail.ended"], "in their order")

# ---- who may hear of it
tap.same(kept(bob), [], "another user hears of nothing")
tap.same(fields(bob.call("jail.events", {"jail": name}))[0], "not_found", "nor may it ask for that jail")
tap.same(fields(bob.call("jail.events", {"jail": "j-aaaaaaaaaa"}))[0], "not_found", "as for one that never was")
before = bob.call("jail.events", {"watch": False})["result"]["seq"]
second, jail = front.create(ann, 8)
tap.same(bob.call("jail.events", {"watch": False})["result"]["seq"], before, "nor can it count what others do")
tap.same(words(kept(admin, jail=second)), ["jail.created", "jail.ready"], "an administrator hears of all")
tap.same([e["owner_uid"] for e in kept(root)], [ANN] * len(kept(root)), "so does root")

# ---- one jail's watch
ann.notes.clear()
watcher = front.user(ANN)
answer = watcher.call("jail.events", {"jail": second, "from": 1})["result"]
tap.ok(answer["alive"] and words(heard(watcher, 2)) == ["jail.created", "jail.ready"], "what is kept comes first")
third, other = front.create(ann, 9)
front.end(ann, second, jail)
tap.same([(e["event"], e["jail"]) for e in heard(watcher, 1)], [("jail.ended", second)], "then that jail's alone, to its end")
watcher.call("jail.events", {"watch": False})
tap.same(watcher.notes, [], "and no other's")

# ---- a jail that could not be made
ann.notes.clear()
ann.send("jail.create", {"keep": True})
_, cookie, _, _ = front.request()
front.reply(cookie, code=-28, text="no room is left")
ann.answer()
made = kept(ann)[-2:]
tap.same((words(made), made[-1]["data"]), (["jail.created", "jail.ended"], {"cause": "not_made", "text": "no room is left"}),
         "why one could not be made")

# ---- a client that goes
lonely = front.user(ANN)
lonely.send("jail.create", {})
lonely_jail = front.made(10)
lonely.answer()
lonely.close()
front.request()
lonely_jail.ended()
tap.ok(eventually(lambda: kept(ann)[-1]["data"] == {"cause": "client_gone"}), "one ends with its client, and says so", kept(ann)[-1])
untold = front.user(ANN)
untold.send("jail.create", {"keep": True})
_, cookie, _, _ = front.request()
untold.close()
for _ in range(3):  # then the front has seen it go
    ann.call("warder.info")
untold_jail = Jail(front, cookie, 12)
tap.same(front.request()[0], JAIL_DESTROY, "one that stays ends, too, where its client goes before it is told which one it is")
untold_jail.ended()
tap.ok(eventually(lambda: kept(ann)[-1]["data"] == {"cause": "client_gone"}), "and says so", kept(ann)[-1])
other.init.close()
front.request()
other.ended()
tap.ok(eventually(lambda: kept(ann)[-1]["data"] == {"cause": "by_itself"}), "one whose init is gone, too", kept(ann)[-1])

# ---- who does not read
fourth, jail = front.create(ann, 11)
jail.set(EVENTS, "populated 1\nfrozen 1\n")
slow = front.user(ANN)
slow.call("jail.events", {"jail": fourth})
first = ann.call("jail.events", {"watch": False})["result"]["seq"] + 1
ann.notes.clear()
ann.call("jail.events", {"jail": fourth, "from": 0})
ROUNDS = 4000
for _ in range(ROUNDS):
    ann.call("jail.freeze", {"jail": fourth})
    ann.call("jail.thaw", {"jail": fourth})
tap.same(len(ann.notes), 2 * ROUNDS, "who reads hears of everything")
tap.same([note["params"]["seq"] for note in ann.notes], list(range(first, first + 2 * ROUNDS)), "in order and once")
got, cursor = [], None
while cursor is None:
    params = slow.line()["params"]
    if params["event"] == "lagged":
        cursor = params["cursor"]
    else:
        got.append(params["seq"])
tap.ok(got == list(range(first, cursor)) and cursor < first + 2 * ROUNDS, "who does not hears of the first ones, then where it lags",
       got[:2], cursor)
answer = slow.call("jail.events", {"jail": fourth, "from": cursor})["result"]
tap.ok(answer["missed"] and answer["first"] > cursor, "what is not kept any more is missed, and that is said", answer)
rest = heard(slow, answer["seq"] - answer["first"] + 1)
tap.same([e["seq"] for e in rest], list(range(answer["first"], answer["seq"] + 1)), "the rest comes")
tap.same(len(kept(ann)), 1024, "so many events are kept of one user")
front.end(ann, fourth, jail)
tap.same(words(heard(slow, 1)), ["jail.ended"], "and it hears what comes again")

# ---- bounds
crowd = [front.user(BOB) for _ in range(33)]
answers = [fields(peer.call("jail.events"))[0] for peer in crowd]
tap.same(answers, [""] * 32 + ["busy"], "so many connections may watch")
tap.same(fields(crowd[0].call("jail.events"))[0], "", "one that asks again takes its own place")
crowd[0].close()
tap.ok(eventually(lambda: fields(crowd[-1].call("jail.events"))[0] == ""), "one that goes leaves it")
tap.same(fields(ann.call("jail.events", {"from": -1}))[0], "invalid", "a number that is none")
nobody = front.user(60009)
tap.same([nobody.call("jail.events", {"watch": False, **more})["result"]["missed"] for more in ({}, {"from": 1}, {"from": 1 << 51})],
         [False, False, True], "of whom nothing is kept any more, what came after a number is missed, too")
tap.same(front.stop(), 1, "when its monitor goes, the front goes")
tap.end()
