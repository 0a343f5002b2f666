#!/usr/bin/env -S python3 -B
"""parked: a jail that ends with its command has no child waiting for another one; where one comes all the same, it runs."""
import os

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

SLEEP = {"argv": ["sleep", "600"], "stdio": ["null"] * 3}


def children(parent, name):
    """{pid} of those processes of this name"""
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                comm, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if comm == name and int(rest.split()[1]) == parent:
            found.add(int(entry))
    return found


def start(client, **more):
    """(the jail, its init) once its command runs"""
    before = children(supervisor.process.pid, "warder-init")
    client.send("jail.create", {"exec": SLEEP, **more})
    jail = client.line()["params"]["jail"]
    fresh = children(supervisor.process.pid, "warder-init") - before
    return jail, fresh.pop()


def parked(init):
    return len(children(init, "warder-parked"))


need_jails()
tap = Tap()
supervisor = Supervisor("parked", mode=("--private", "--shells", "0"))
client, first, second = (supervisor.client() for _ in range(3))
once, once_init = start(first)
kept, kept_init = start(second, keep=True)
tap.ok(eventually(lambda: parked(kept_init) > 0), "a jail that stays parks a child for the next command")
tap.same(parked(once_init), 0, "an older one that ends with its command has none")
answer = client.call("jail.exec", {"jail": once, "argv": ["true"]})
tap.same(answer.get("result", {}).get("cause"), "exited", "it takes another command all the same")
tap.ok(eventually(lambda: parked(once_init) > 0), "and is ready for a third then")
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
