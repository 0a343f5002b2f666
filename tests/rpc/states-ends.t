#!/usr/bin/env -S python3 -B
"""states-ends: a save or a fork that does not come to its end, whoever ends it: nothing half there, nothing left, no jail still."""
import json
import os
import select
import signal
import tempfile

from front_lib import Closed, Tap
from states_lib import root_tar
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("stends", mode=())
STORE = os.path.join(supervisor.state, "store")


def layers(kind="layers"):
    return sorted(os.listdir(os.path.join(STORE, kind)))


def connect():
    client = supervisor.client()
    client.sock.settimeout(120)
    return client


def serves():
    try:
        client = connect()
        good = "result" in client.call("snapshot.list")
        client.close()
        return good
    except (OSError, Closed):
        return False


def names(client):
    return sorted(it["name"] for it in client.call("snapshot.list")["result"]["snapshots"])


def full_jail(client):
    """A jail with so much in it that a save of it takes a while."""
    jail = client.call("jail.create", {"snapshot": "base", "keep": True})["result"]["jail"]
    record = client.call("jail.exec", {"jail": jail, "argv": ["dd", "if=/dev/urandom", "of=/srv/big", "bs=1M", "count=96"],
                                       "user": {"uid": 0, "gid": 0}})["result"]
    return jail if record.get("code") == 0 else None


def runs(client, jail):
    record = client.call("jail.exec", {"jail": jail, "argv": ["id"]}).get("result", {})
    return record.get("code") == 0


client = connect()
with tempfile.TemporaryFile() as file:
    file.write(root_tar())
    file.seek(0)
    tap.ok("result" in client.call("snapshot.import", {"name": "base"}, fds=[file.fileno()]), "a snapshot is there")
before = layers()

# --- a quota that has no room
jail = full_jail(client)
tap.ok(jail, "a jail with much in it is there")
path = os.path.join(supervisor.config, "ceilings.json")
with open(path + ".new", "w") as file:
    json.dump({"warder": "ceilings/1", "users": {"0": {"quotas": {"snapshot_disk": "32M"}}}}, file)
os.rename(path + ".new", path)


def refused():
    answer = client.call("jail.save", {"jail": jail, "name": "much"})
    return answer.get("error") or (client.call("snapshot.remove", {"name": "much"}) and None)


tap.ok(eventually(refused, 60), "a save that no quota has room for is refused")
tap.ok("MiB on disk" in (refused() or {}).get("message", ""), "with the bound", refused())
answer = client.call("jail.fork", {"jail": jail, "n": 2})
tap.ok("MiB on disk" in answer.get("error", {}).get("message", ""), "so is a fork", answer)
tap.ok(eventually(lambda: layers() == before and not layers("new"), 60), "nothing of them is left", layers(), layers("new"))
tap.ok(runs(client, jail), "and the jail runs")
tap.same(len(client.call("jail.list")["result"]["jails"]), 1, "alone")
os.unlink(path)
tap.ok(eventually(lambda: not refused(), 60), "without that ceiling it is saved")
client.call("snapshot.remove", {"name": "much"})
tap.ok(eventually(lambda: layers() == before, 60), "and removed again")


# --- the front, and then the whole supervisor, is killed in the middle of one
def caught(method, params, kill):
    """Call it until it is seen under way, and @kill then. Returns: was it"""
    for number in range(100):
        other = connect()
        other.send(method, {**params, **({"name": f"half{number}"} if method == "jail.save" else {})})
        while not select.select([other.sock], [], [], 0)[0]:
            if layers("new"):
                kill()
                return True
        done = other.answer().get("result", {})  # too quick for us
        if "name" in done:
            other.call("snapshot.remove", {"name": done["name"]})
        for made in done.get("jails", ()):
            other.call("jail.destroy", {"jail": made})
        other.close()
    return False


def kill_front():
    os.kill(supervisor.front(), signal.SIGKILL)


def kill_all():
    supervisor.process.kill()
    supervisor.process.wait()


for method, params in ("jail.save", {}), ("jail.fork", {"n": 3, "keep": True}):
    for what, kill in ("front", kill_front), ("supervisor", kill_all):
        old = supervisor.front()
        tap.ok(jail and caught(method, {"jail": jail, **params}, kill), f"{method}: the {what} is killed in the middle")
        if what == "supervisor":
            supervisor.start()
        tap.ok(eventually(lambda: supervisor.front() not in (None, old) and serves(), 60), f"{method}: another one serves")
        client = connect()
        tap.ok(eventually(lambda: not layers("new") and not layers("gone"), 60), f"{method}: nothing unfinished is left")
        tap.ok(eventually(lambda: layers() == before, 60), f"{method}: the store is as it was", layers(), before)
        tap.same(names(client), ["base", "host"], f"{method}: there is no such snapshot")
        jail = full_jail(client)
        tap.ok(jail, f"{method}: jails are made as before")

supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(60), 0, "it ends well")
supervisor.stop()
tap.end()
