#!/usr/bin/env -S python3 -B
"""layers-wait: a layer that cannot be removed yet is asked for again when a jail that stood on it has ended, and not at the
end of each other. The monitor is the test's."""
import errno
import os
import shutil

from front_lib import JAIL_CREATE, JAIL_DESTROY, LAYER_REMOVE, Jail, Tap
from users_lib import Service, need_users, state_with

need_users()
tap = Tap()
OURS, OTHERS = b"\1" * 32, [bytes([2 + i]) * 32 for i in range(5)]
ENDS = 12

state = state_with([("INSERT INTO loose (digest) VALUES (?)", (digest,)) for digest in OTHERS] +
                   [("INSERT INTO snapshots (name, owner, layers, bytes, entries, created, shared) VALUES ('based', 0, ?, 1, 1, 1, 1)", (OURS,)),
                    ("INSERT INTO holds (digest, holder) VALUES (?, 'snapshot:0:based')", (OURS,))])
front = Service(state=state)
shutil.rmtree(os.path.dirname(state))
client = front.client()
removed = []  # what the monitor is asked to remove


def request(busy=True):
    """The next that is no removal: a jail stands on what is to go."""
    while True:
        kind, cookie, data, _ = front.request()
        if kind != LAYER_REMOVE:
            return kind, cookie
        removed.append(data[16:48])
        front.reply(cookie, code=-errno.EBUSY if busy else 0, text="a jail stands on this layer: end it first")


def make(handle, **params):
    client.send("jail.create", {"keep": True, **params})
    kind, cookie = request()
    assert kind == JAIL_CREATE, kind
    front.kept.append(Jail(front, cookie, handle))
    return client.answer()["result"]["jail"], front.kept[-1]


def end(name, jail):
    client.send("jail.destroy", {"jail": name})
    kind, _ = request()
    assert kind == JAIL_DESTROY, kind
    jail.ended()
    client.answer()


own = make(1, snapshot="based")
tap.ok("result" in client.call("snapshot.remove", {"name": "based"}), "a snapshot is removed while a jail stands on it")
end(*make(2))
other = make(3)
tap.same(sorted(set(removed)), sorted([OURS, *OTHERS]), "all that nobody holds is asked for, and refused")
removed.clear()
for n in range(ENDS):
    end(*other)
    other = make(4 + n)
tap.ok(len(removed) < ENDS * (1 + len(OTHERS)) // 2, f"{ENDS} jails that stand on none of it end: it is not asked for at each end", len(removed))
removed.clear()
end(*own)
end(*other)
tap.ok(OURS in removed, "one that stood on a layer ends: that layer is asked for again")
removed.clear()
try:
    while len(set(removed)) < len(OTHERS):
        _, cookie, data, _ = front.request()
        removed.append(data[16:48])
        front.reply(cookie)
except TimeoutError:
    pass
tap.same(sorted(set(removed)), sorted(OTHERS), "what waits comes again though nobody ends")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")
tap.end()
