#!/usr/bin/env -S python3 -B
"""shells: how many jails found a shell made ahead is counted, and told to administrators alone."""
import os

from front_lib import Client, Front, Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
GROUP, ADMIN = 60101, 60102


def seen_by(front, uid, group):
    """What warder.info says of shells to a process of these ids."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([group])
            os.setresgid(60001, 60001, 60001)
            os.setresuid(uid, uid, uid)
            os.write(writer, str(Client(front.path).call("warder.info")["result"].get("shells")).encode())
        finally:
            os._exit(0)
    os.close(writer)
    said = os.read(reader, 200).decode()
    os.close(reader)
    os.waitpid(pid, 0)
    return said


front = Front(warder_gid=GROUP, admin_gid=ADMIN)
client = front.client()
jails = []
for handle, waited in ((7, 1), (8, 0), (9, 0)):
    client.send("jail.create", {"keep": True})
    jails.append(front.jail(handle, waited=waited))
    client.answer()
client.send("jail.create", {"keep": True})
_, cookie, _, _ = front.request()
front.reply(cookie, code=-28, text="no room")
client.answer()
tap.same(seen_by(front, 60001, ADMIN), "{'asked': 3, 'ready': 2}", "an administrator is told; a jail that was not made counts for nothing")
tap.same(seen_by(front, 60001, GROUP), "None", "another user is not")
front.stop()


def shells_of(supervisor_client):
    return supervisor_client.call("warder.info")["result"]["shells"]


def create(supervisor_client):
    return supervisor_client.call("jail.create", {"exec": {"argv": ["true"]}})["result"]["command"]["cause"]


without = Supervisor("none", mode=("--private", "--shells", "0"))
client = without.client()
tap.same(shells_of(client), {"asked": 0, "ready": 0}, "at first there is nothing to count")
tap.same([create(client) for _ in range(2)], ["exited"] * 2, "jails are made without a shell")
tap.same(shells_of(client), {"asked": 2, "ready": 0}, "both had to wait for one")
client.close()
without.stop()

some = Supervisor("some", mode=("--private", "--shells", "2"))
client = some.client()
tap.ok(eventually(lambda: create(client) == "exited" and shells_of(client)["ready"] > 0), "where some are kept, a jail finds one", shells_of(client))
counted = shells_of(client)
tap.ok(counted["ready"] <= counted["asked"], "no more than were made", counted)
client.close()
some.stop()
tap.end()
