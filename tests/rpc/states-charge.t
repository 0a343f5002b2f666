#!/usr/bin/env -S python3 -B
"""states-charge: what a fork stands on and no snapshot names is charged to its user, until the last jail that stands on it is gone."""
import json
import os
import tempfile

from front_lib import Tap
from states_lib import root_tar
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("stcharge", mode=())
STORE = os.path.join(supervisor.state, "store")
MIB = 1 << 20
with open(os.path.join(supervisor.config, "ceilings.json"), "w") as file:
    json.dump({"warder": "ceilings/1", "users": {"0": {"quotas": {"snapshot_disk": "900M"}}}}, file)


def layers():
    return sorted(os.listdir(os.path.join(STORE, "layers")))


def ask(method, **params):
    return client.call(method, params).get("result", {})


def charged():
    return ask("warder.info")["quotas"]["snapshot_disk"]["used"]


def write(jail, path, mib):
    return ask("jail.exec", jail=jail, argv=["dd", "if=/dev/urandom", f"of={path}", "bs=1M", f"count={mib}"],
               user={"uid": 0, "gid": 0}).get("code")


def fork(jail):
    return ask("jail.fork", jail=jail, keep=True).get("jails", [None])[0]


def end(jail):
    return "error" not in client.call("jail.destroy", {"jail": jail})


client = supervisor.client()
client.sock.settimeout(120)
with tempfile.TemporaryFile() as file:
    file.write(root_tar())
    file.seek(0)
    tap.ok("result" in client.call("snapshot.import", {"name": "base"}, fds=[file.fileno()]), "a snapshot is there")
tap.ok(eventually(lambda: "snapshot_disk" in ask("warder.info")["quotas"], 60), "there is a quota of its disk")
before, store = charged(), layers()

jail = ask("jail.create", snapshot="base", keep=True)["jail"]
tap.same(write(jail, "/srv/first", 16), 0, "a jail writes 16 MiB")
first = fork(jail)
one = charged()
tap.ok(before + 16 * MIB <= one <= before + 17 * MIB, "they are charged for its fork", before, one)
tap.same(write(first, "/srv/second", 4), 0, "the fork writes 4 MiB")
second = fork(first)
two = charged()
tap.ok(one + 4 * MIB <= two <= one + 5 * MIB, "a fork of the fork costs what that one changed", one, two)
third = fork(second)
tap.ok(third and two <= charged() <= two + MIB, "one that changed nothing costs next to nothing", two, charged())

tap.ok(end(jail) and end(first), "the jail and its fork end")
tap.ok(two <= charged() <= two + MIB, "the fork of the fork stands on both layers, and both are charged", two, charged())
tap.ok(end(second), "that ends, too")
tap.ok(two <= charged() <= two + MIB, "and the last one still holds them", two, charged())
size = ask("jail.exec", jail=third, argv=["stat", "-c", "%s", "/srv/first", "/srv/second"])
tap.same(size.get("output", {}).get("stdout", {}).get("text"), f"{16 * MIB}\n{4 * MIB}\n", "which has the files of both")
tap.ok(end(third), "and ends")
tap.ok(eventually(lambda: charged() == before, 60), "with the last of them all is given back", before, charged())
tap.ok(eventually(lambda: layers() == store, 60), "and nothing is left in the store", store, layers())
supervisor.stop()
tap.end()
