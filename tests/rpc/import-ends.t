#!/usr/bin/env -S python3 -B
"""import-ends: a front that dies in the middle of an import leaves the store as it was: no unfinished layer, no jail."""
import os
import signal
import tarfile
import tempfile

from front_lib import Closed, Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("import", mode=())
STORE = os.path.join(supervisor.state, "store")


def layers(kind):
    return sorted(os.listdir(os.path.join(STORE, kind)))


def jails():
    """Processes in jails of ours that unpack."""
    return list(supervisor.inside("warder-files"))


def serves():
    try:
        client = supervisor.client()
        good = "result" in client.call("snapshot.list")
        client.close()
        return good
    except (OSError, Closed):
        return False


with tempfile.TemporaryFile() as archive:
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add("/etc/hostname", "etc/hostname")
    whole = archive.seek(0, 2)
    archive.seek(0)
    client = supervisor.client()
    tap.ok("result" in client.call("snapshot.import", {"name": "before"}, fds=[archive.fileno()]), "a snapshot is there")
    archive.seek(0)
    half = archive.read(700)
before = layers("layers")
tap.ok(len(before) == 1 and not layers("new"), "with its layer")

for when in "while the archive comes", "a second time":
    reader, writer = os.pipe()
    client = supervisor.client()
    client.send("snapshot.import", {"name": "half"}, fds=[reader])
    os.close(reader)
    os.write(writer, half)
    tap.ok(eventually(lambda: jails() and layers("new")), f"{when}: a jail unpacks into a new layer")
    old = supervisor.front()
    os.kill(old, signal.SIGKILL)
    tap.ok(client.is_closed(), f"{when}: the front is killed, and its client hears of it")
    tap.ok(eventually(lambda: supervisor.front() not in (None, old) and serves()), f"{when}: another one serves")
    tap.ok(eventually(lambda: not layers("new") and not layers("gone")), f"{when}: no unfinished layer is left", layers("new"))
    tap.same(layers("layers"), before, f"{when}: the store is as it was")
    tap.ok(eventually(lambda: not jails()), f"{when}: no jail is left")
    names = [it["name"] for it in supervisor.client().call("snapshot.list")["result"]["snapshots"]]
    tap.same(names, ["host", "before"], f"{when}: nor a snapshot")
    os.close(writer)

reader, writer = os.pipe()
client = supervisor.client()
client.send("snapshot.import", {"name": "half"}, fds=[reader])
os.close(reader)
os.write(writer, half)
tap.ok(eventually(lambda: jails() and layers("new")), "once more an archive comes")
client.close()
tap.ok(eventually(lambda: not layers("new") and not layers("gone") and not jails()), "its client goes: nothing waits for the rest", layers("new"))
try:
    os.write(writer, half)
    read = True
except BrokenPipeError:
    read = False
tap.ok(not read, "and who sends it hears of that")
os.close(writer)
tap.same(layers("layers"), before, "the store is as it was")

answer = supervisor.client().call("jail.create", {"exec": {"argv": ["true"]}})
tap.same(answer.get("result", {}).get("command", {}).get("cause"), "exited", "jails are made as before")
supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(), 0, "it ends well")
supervisor.stop()
tap.end()
