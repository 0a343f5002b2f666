#!/usr/bin/env -S python3 -B
"""jail-stats: what jails use, from counters and inits that the test plays: each figure at its place, missing ones as null, an init
that does not answer, whose jails are seen, and watchers that are bounded."""
import select
import time

from front_lib import PATIENCE, INIT_ENDED, INIT_MEASURE, INIT_MEASURED, INIT_STARTED, Tap
from users_lib import ADM, ANN, BOB, Service, eventually, fields, need_users

need_users()
tap = Tap()
front = Service()
ann, bob, admin = front.user(ANN), front.user(BOB), front.user(ADM)
CPU, PRESSURE_CPU = "cpu.stat", "cpu.pressure"
PIDS_EVENTS, PIDS, THROTTLED = 9, 10, 11  # as enum JailFd


def measure(jail, used=1 << 20, inodes=7, running=0, code=0):
    kind, number, _, _ = jail.request()
    assert kind == INIT_MEASURE, kind
    jail.event(INIT_MEASURED, number, code=code, value=running, seen=(used, 1 << 30), kept=(inodes, 1000))


def ask(client, *jails, params=None, say=measure, **values):
    """One look: what it tells, and how many of the inits of @jails were asked meanwhile, and said it."""
    client.send("jail.stats", params)
    asked = 0
    while True:
        ready = select.select([client.sock, *(jail.init for jail in jails)], [], [], PATIENCE)[0]
        if not ready:
            raise SystemExit("Bail out! no answer")
        for jail in jails:
            if jail.init in ready:
                say(jail, **values)
                asked += 1
        if client.sock in ready:
            return client.answer()["result"], asked


def look(client, *jails, **values):
    """What is told when the inits of @jails have said it. An init that is slow is not waited for, and while its answer is on its way
    it is not asked again: who is asked twice was heard the first time."""
    asked = 0
    while True:
        told, more = ask(client, *jails, **values)
        asked += more
        if asked >= 2 * len(jails):
            return told["stats"]


# ---- the figures
name, jail = front.create(ann, 7)
jail.set(CPU, "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
jail.set(THROTTLED, "nr_periods 20\nnr_throttled 3\nthrottled_time 7000\n")
jail.set(5, "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
jail.set(PIDS_EVENTS, "max 5\n")
jail.set(PRESSURE_CPU, "some avg10=12.75 avg60=0.00 avg300=0.00 total=900\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=80\n")
shown = look(ann, jail)[0]
tap.same(shown["memory"], {"now": 4096, "peak": 8192, "files": 1024, "limit": 4 << 30, "oom_kills": 2}, "memory")
tap.same(shown["pids"], {"now": 3, "peak": 4, "limit": 1024, "refused": 5}, "processes")
tap.same(shown["cpu"], {"usage_usec": 1500, "user_usec": 1000, "sys_usec": 500, "limit": 4000, "periods": 20, "throttled": 3,
                        "throttled_usec": 7}, "processors, and how it is held back")
tap.same(shown["pressure"], {"cpu": {"some": {"percent": 12, "usec": 900}, "full": {"percent": 1, "usec": 80}}, "memory": None,
                             "io": None}, "what it waits for; null where the kernel does not tell")
disk = shown["disk"]
tap.ok(disk.pop("age_usec") < 60000000 and disk == {"used": 1 << 20, "limit": 1 << 30, "inodes": 7, "inodes_limit": 1000}, "disk", shown)
tap.ok((shown["jail"], shown["state"], shown["frozen"], shown["owner_uid"]) == (name, "ready", False, ANN) and shown["age_usec"] > 0 and
       shown["wall_left_usec"] > 0 and shown["frozen_usec"] == 0, "which jail, and its times", shown)
ann.send("jail.exec", {"jail": name, "argv": ["x"]})
_, number, _, _ = jail.request()
jail.event(INIT_STARTED, number)
jail.set(PIDS_EVENTS, "max 9\n")
ann.notes.append(ann.line())
peer = front.user(ANN)
shown = look(peer, jail, params={"jail": name}, running=33)[0]
tap.ok(shown["commands"] == {"running": 1, "started": 1, "ended": 0} and shown["output"]["seen"] == 33, "a command that runs", shown)
jail.event(INIT_ENDED, number, code=1, seen=(100, 20), kept=(90, 20), cut=(90, 20), io=(4096, 512))
ann.answer()
shown = look(ann, jail)[0]
tap.ok(shown["commands"] == {"running": 0, "started": 1, "ended": 1} and shown["output"] == {"seen": 120, "kept": 110} and
       shown["io"] == {"read": 4096, "written": 512}, "one that ended", shown)
tap.same({word: n for word, n in shown["hits"].items() if n}, {"pids": 1}, "and which limits were hit")

# ---- an init that does not say it
questions = []
while not questions:
    told, _ = ask(ann, jail, say=lambda jail: questions.append(jail.request()))
shown = told["stats"][0]
tap.ok(shown["disk"]["age_usec"] > 0 and shown["pids"]["now"] == 3, "an init that does not answer is not waited for", shown)
tap.ok(look(ann)[0]["pids"]["now"] == 3 and not select.select([jail.init], [], [], 0)[0], "nor is it asked again before it has")
jail.event(INIT_MEASURED, questions[0][1], code=-5)
tap.same(look(ann, jail, used=0, code=-5)[0]["disk"]["used"], 1 << 20, "one that cannot say it leaves what was known")
jail.set(CPU, "")
jail.set(PIDS, "")
shown = look(ann, jail)[0]
tap.ok(shown["cpu"]["usage_usec"] is None and shown["pids"]["now"] is None, "what cannot be read is null", shown)
jail.set(CPU, "usage_usec 9\nuser_usec 4\nsystem_usec 5\n")

# ---- whose
tap.same(look(bob), [], "another user sees nothing")
tap.same(fields(bob.call("jail.stats", {"jail": name}))[0], "not_found", "nor may it ask")
tap.same([row["jail"] for row in look(admin, jail)], [name], "an administrator sees all")

# ---- pages
more = [front.create(ann, 20 + i) for i in range(3)]


def page(**params):
    return ask(ann, jail, *(one[1] for one in more), params={"limit": 2, **params})[0]


first = page()
second = page(cursor=first["next"])
tap.same([row["jail"] for row in first["stats"] + second["stats"]], [more[2][0], more[1][0], more[0][0], name],
         "page by page, the newest first")
tap.ok("next" not in second, "and the last page says that it is")
tap.same(fields(ann.call("jail.stats", {"cursor": "t1"}))[0], "invalid", "a cursor of something else")

# ---- again and again
tap.same(fields(ann.call("jail.stats", {"interval_usec": 99999})), ("invalid", {"code": "invalid", "path": "/interval_usec"}),
         "too often")
watcher = front.user(ANN)
tap.same(watcher.call("jail.stats", {"interval_usec": 100000}).get("result"), {"interval_usec": 100000}, "a watch")
samples = [watcher.line()["params"] for _ in range(3)]
tap.ok(all(len(s["stats"]) == 4 and not s["more"] and s["lagged"] == 0 for s in samples), "tells of all jails again and again", samples[0])
tap.ok(samples[0]["time"] < samples[1]["time"] < samples[2]["time"], "each time a later one")
tap.same([s["stats"][0]["jail"] for s in samples], [more[2][0]] * 3, "in one order")
front.end(ann, *more[2])
while len(watcher.line()["params"]["stats"]) == 4:
    pass
tap.same(len(watcher.line()["params"]["stats"]), 3, "a jail that ended is told of no more")
watcher.call("jail.stats", {"interval_usec": 0})
watcher.notes.clear()
watcher.call("warder.info")
time.sleep(0.3)
watcher.call("warder.info")
tap.same(watcher.notes, [], "0 ends it")
watcher.call("jail.stats", {"jail": more[1][0], "interval_usec": 100000})
tap.same([row["jail"] for row in watcher.line()["params"]["stats"]], [more[1][0]], "one jail's watch")
front.end(ann, *more[1])
while not (last := watcher.line()["params"]).get("ended"):
    pass
tap.same(last["stats"], [], "says when the jail has ended, and ends")

# ---- bounds
crowd = [front.user(BOB) for _ in range(9)]
tap.same([fields(peer.call("jail.stats", {"interval_usec": 60000000}))[0] for peer in crowd], [""] * 8 + ["busy"],
         "so many connections of one user may watch")
tap.same(fields(crowd[0].call("jail.stats", {"interval_usec": 50000000}))[0], "", "one that asks again takes its own place")
crowd[0].close()
tap.ok(eventually(lambda: fields(crowd[-1].call("jail.stats", {"interval_usec": 60000000}))[0] == ""), "one that goes leaves it")

# ---- who does not read: its queue and the kernel's hold some ten looks at so many jails, for which root has no quota
slow, maker = front.client(), front.client()
many = [front.create(maker, 100 + i, limits={"memory": 64 << 20, "cpu": 100}) for i in range(100)]
slow.call("jail.stats", {"interval_usec": 100000})
slow.sock.settimeout(60)
lagged, seconds = 0, 8
while not lagged and seconds <= 64:
    time.sleep(seconds)
    seconds *= 2
    while not lagged and (b"\n" in slow.buf or select.select([slow.sock], [], [], 0)[0]):  # what waited for it
        lagged = slow.line()["params"]["lagged"]
tap.ok(lagged > 0, "who does not read misses looks, and is told how many", lagged)
tap.ok(len(slow.line()["params"]["stats"]) > 0, "and goes on")
tap.same(front.stop(), 1, "when its monitor goes, the front goes")
tap.end()
