#!/usr/bin/env -S python3 -B
"""store-limits: a store on a file system that is full, out of inodes, or read-only stays as it was, says what to do, and goes on when
that is over; the same content twice at once lands once."""
import io
import os
import subprocess
import sys
import tarfile

from front_lib import Tap, sealed
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
if "WARDER_TEST_ALONE" not in os.environ:  # what is mounted here nobody else sees
    os.environ["WARDER_TEST_ALONE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])
tap = Tap()
MIB = 1 << 20


def archive(files):
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return text.getvalue()


class Small(Supervisor):
    """Its state directory, or the store in it, is a tmpfs of so many bytes and inodes."""

    def __init__(self, name, size, inodes, below=""):
        self.limits, self.below = f"size={size},nr_inodes={inodes},mode={'700' if below else '755'}", below
        super().__init__(name)

    def start(self):
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state, 0o755)
        self.place = os.path.join(self.state, self.below)
        os.makedirs(self.place, 0o700, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.limits, "none", self.place], check=True)
        self.mode += ["--state-dir", self.state]
        super().start()

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.place], check=True)

    def store(self):
        """What is there: layers, unfinished ones, what waits for its removal."""
        return {kind: sorted(os.listdir(os.path.join(self.state, "store", kind))) for kind in ("layers", "new", "gone")}

    def bring(self, client, name, data):
        fd = sealed(data)
        answer = client.call("snapshot.import", {"name": name}, fds=[fd])
        os.close(fd)
        return answer

    def stop(self):
        super().stop()
        subprocess.run(["umount", "-l", self.place], check=False, stderr=subprocess.DEVNULL)


def said(answer):
    return str(answer.get("error", answer))


def is_as(supervisor, before):
    """Removals take a moment."""
    return eventually(lambda: supervisor.store() == before)


LITTLE = archive({"etc/mark": b"little\n"})
LARGE = archive({f"file{i}": os.urandom(MIB) for i in range(40)})
MANY = archive({f"d{i // 100}/f{i}": b"" for i in range(3000)})

# ---- full
full = Small("full", 24 * MIB, 100000)
client = full.client()
tap.ok("result" in full.bring(client, "little", LITTLE), "a snapshot is there")
before = full.store()
answer = full.bring(client, "large", LARGE)
tap.ok("error" in answer and "room" in said(answer), "an import for which there is no room is refused, and says so", said(answer))
tap.ok(is_as(full, before), "the store is as it was", full.store())
tap.ok("error" in client.call("snapshot.show", {"name": "large"}), "there is no such snapshot")
tap.same(client.call("snapshot.fsck")["result"]["damaged_total"], 0, "what was there is whole")
with open(os.path.join(full.state, "filler"), "wb") as filler:  # to the last block, so that not even the ledger can be written
    try:
        while True:
            filler.write(b"x" * 65536)
            filler.flush()
    except OSError:
        pass
tap.ok("error" in full.bring(client, "none", archive({"etc/mark": b"other\n" * 10000})), "nothing at all fits now")
tap.ok("result" in client.call("snapshot.show", {"name": "little"}), "what is there can be seen")
tap.ok(is_as(full, before), "and is all there is", full.store())
os.unlink(os.path.join(full.state, "filler"))
tap.ok("result" in full.bring(client, "other", archive({"etc/mark": b"other\n"})), "when there is room again, an import is good")
tap.ok("result" in client.call("snapshot.remove", {"name": "other"}), "and a removal")
tap.ok(is_as(full, before), "which leaves nothing", full.store())
client.close()
full.stop()

# ---- no inodes
few = Small("few", 64 * MIB, 1000)
client = few.client()
tap.ok("result" in few.bring(client, "little", LITTLE), "a snapshot is there")
before = few.store()
answer = few.bring(client, "many", MANY)
tap.ok("error" in answer and "room" in said(answer), "an import of more files than the file system takes is refused", said(answer))
tap.ok(is_as(few, before), "the store is as it was", few.store())
client.close()
few.stop()

# ---- read-only
still = Small("still", 64 * MIB, 100000, "store")
client = still.client()
tap.ok("result" in still.bring(client, "little", LITTLE), "a snapshot is there")
before = still.store()
still.remount("ro")
answer = still.bring(client, "more", archive({"etc/mark": b"more\n"}))
tap.ok("error" in answer and "ead-only" in said(answer), "an import into a store that is read-only is refused, and says why", said(answer))
tap.ok("error" in client.call("snapshot.show", {"name": "more"}), "there is no such snapshot")
tap.same(client.call("snapshot.fsck")["result"]["damaged_total"], 0, "what was there is whole")
tap.ok("result" in client.call("snapshot.remove", {"name": "little"}), "a name can be removed")
tap.same(still.store(), before, "but the layer stays")
still.remount("rw")
tap.ok(eventually(lambda: "result" in client.call("snapshot.gc") and still.store() == {"layers": [], "new": [], "gone": []}),
       "until it can be removed", still.store())
tap.ok(eventually(lambda: "result" in still.bring(client, "more", archive({"etc/mark": b"more\n"}))), "it goes on when it can be written")
client.close()
still.stop()

# ---- the same content at once
twice = Small("twice", 64 * MIB, 100000)
clients = [twice.client() for _ in range(4)]
content = archive({f"f{i}": os.urandom(65536) for i in range(64)})
fds = [sealed(content) for _ in clients]
for n, (one, fd) in enumerate(zip(clients, fds)):
    one.send("snapshot.import", {"name": f"name{n}"}, fds=[fd])
answers = [one.line() for one in clients]
while any("id" not in answer for answer in answers):  # progress comes before
    answers = [answer if "id" in answer else one.line() for one, answer in zip(clients, answers)]
tap.ok(all("result" in answer for answer in answers), "four imports of the same content at once are good", [said(a) for a in answers])
tap.same(len({layer for answer in answers for layer in answer["result"]["layers"]}), 1, "all have the same layer")
tap.ok(eventually(lambda: [len(names) for names in twice.store().values()] == [1, 0, 0]), "which is there once", twice.store())
size = clients[0].call("snapshot.show", {"name": "name0"})["result"]["parts"][0]
tap.same((size["snapshots"], size["bytes"]), (4, 64 * 65536), "of four snapshots")
for n in range(3):
    tap.same(clients[0].call("snapshot.remove", {"name": f"name{n}"})["result"]["layers"], 0, "three names go")
tap.same(clients[0].call("snapshot.remove", {"name": "name3"})["result"]["layers"], 1, "and with the last the layer")
tap.ok(eventually(lambda: [len(names) for names in twice.store().values()] == [0, 0, 0]), "nothing is left", twice.store())
for one, fd in zip(clients, fds):
    one.close()
    os.close(fd)
twice.stop()
tap.end()
