#!/usr/bin/env -S python3 -B
"""store-unknown: layers on disk that no row of the ledger knows, and rows whose layer is not there: fsck tells of both,
gc removes the first and nothing that an import is making, only an administrator's does, and no start does."""
import glob
import io
import os
import select
import shutil
import signal
import sqlite3
import tarfile
import tempfile

from front_lib import LAYER_REMOVE, Tap
from supervisor_lib import Supervisor, eventually, need_jails
from users_lib import ANN, Service

need_jails()
tap = Tap()
supervisor = Supervisor("unknown", mode=())
LAYERS = os.path.join(supervisor.state, "store/layers")


def archive(word):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in (("etc", None), ("etc/word", word), ("etc/much", word * 10000)):
            info = tarfile.TarInfo(name)
            info.type, info.mode = (tarfile.REGTYPE, 0o644) if data is not None else (tarfile.DIRTYPE, 0o755)
            info.size = len(data or b"")
            tar.addfile(info, io.BytesIO(data or b""))
    return buffer.getvalue()


def connect():
    client = supervisor.client()
    client.sock.settimeout(60)
    return client


def bring(name, data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return connect().call("snapshot.import", {"name": name}, fds=[file.fileno()])["result"]["layers"][0]


def ask(method, **params):
    return connect().call(method, params)["result"]


def on_disk():
    return {"sha256:" + name for name in os.listdir(LAYERS) if len(name) == 64}


def ledger():
    return glob.glob(os.path.join(supervisor.state, "**/ledger.db"), recursive=True)[0]


def pause():
    supervisor.process.send_signal(signal.SIGTERM)
    supervisor.wait()


# ---- a ledger from a backup
kept = bring("kept", archive(b"kept"))
pause()
backup = supervisor.dir + "/ledger"
shutil.copy(ledger(), backup)
supervisor.start()
lost = bring("lost", archive(b"lost"))
tap.same(ask("snapshot.fsck")["unknown"], [], "fsck: a store whose ledger knows all has nothing unknown")
pause()
shutil.copy(backup, ledger())
for more in glob.glob(ledger() + "-*"):
    os.unlink(more)
supervisor.start()
tap.same(on_disk(), {kept, lost}, "a ledger from before an import: its layer is there, also after a start")
found = ask("snapshot.fsck")
tap.same([(item["layer"], item["entries"], item.get("fault")) for item in found["unknown"]], [(lost, 4, None)],
         "fsck names it, and says that it is whole")
tap.same([item["bytes"] for item in found["unknown"]], [40004], "with its size")
tap.same((found["layers"], found["damaged_total"], found["unchecked"]), (1, 0, []), "and counts it neither as known nor as damaged")
tap.same(ask("snapshot.fsck", name="kept")["unknown"], [], "fsck of one snapshot says nothing of it")
tap.same(bring("lost-again", archive(b"lost")), lost, "importing the same content")
tap.same(ask("snapshot.fsck")["unknown"], [], "takes it up again")
tap.same(ask("snapshot.gc")["layers"], 0, "gc removes it no more")
gone = ask("snapshot.remove", name="lost-again")
tap.ok(gone["layers"] + gone["waiting"] == 1, "and it goes with its name", gone)
tap.ok(eventually(lambda: lost not in on_disk()), "from the disk, too", on_disk())

# ---- planted: one of another content, a name that is none, and one that is held (as an import holds its own from before the
# moment at which it gets its name)
wrong, held = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
for planted in wrong, held:
    shutil.copytree(os.path.join(LAYERS, kept[7:]), os.path.join(LAYERS, planted[7:]), symlinks=True)
os.mkdir(os.path.join(LAYERS, "no-layer"))
pause()
with sqlite3.connect(ledger()) as rows:
    rows.execute("INSERT INTO holds (digest, holder) VALUES (?, 'snapshot:0:other')", (bytes.fromhex(held[7:]),))
rows.close()
supervisor.start()
found = ask("snapshot.fsck")
tap.same([item["layer"] for item in found["unknown"]], [wrong], "fsck: planted")
tap.ok("not the one that it is named after" in found["unknown"][0].get("fault", ""), "its content is not what its name says", found)
reader, writer = os.pipe()
importing = connect()
importing.send("snapshot.import", {"name": "under-way"}, fds=[reader])
data = archive(b"slow")
os.write(writer, data[:700])
tap.ok(eventually(lambda: os.listdir(os.path.join(supervisor.state, "store/new"))), "an import is under way")
freed = ask("snapshot.gc")
tap.ok(freed["layers"] + freed["waiting"] == 1 and eventually(lambda: on_disk() == {kept, held}),
       "gc removes it, at once or as soon as the store can, and not what is held", freed, on_disk())
tap.ok(freed["waiting"] or freed["bytes"] > 0, "and tells what that freed", freed)
tap.ok(os.path.isdir(os.path.join(LAYERS, "no-layer")), "what is no layer is left alone")
os.write(writer, data[700:])
os.close(writer)
os.close(reader)
made = importing.answer().get("result", {})
tap.ok(made.get("name") == "under-way" and made["layers"][0] in on_disk(), "the import succeeds", made)
tap.same(ask("snapshot.show", name="kept")["layers"], [kept], "the snapshot is there")

# ---- the reverse
standing = ask("jail.create", snapshot="kept", keep=True)["jail"]
shutil.rmtree(os.path.join(LAYERS, kept[7:]))
with tempfile.TemporaryFile() as sink:
    for what, method, params, fds in (
            ("a jail on it", "jail.create", {"snapshot": "kept"}, ()),
            ("a save of one that stands on it", "jail.save", {"jail": standing, "name": "more"}, ()),
            ("a fork", "jail.fork", {"jail": standing}, ()),
            ("a look at what changed", "jail.diff", {"jail": standing, "format": "patch", "dir": "/etc"}, ()),
            ("an export", "snapshot.export", {"name": "kept"}, (sink.fileno(),))):
        error = connect().call(method, params, fds=list(fds)).get("error", {})
        code, words = error.get("data", {}).get("code"), error.get("message", "")
        tap.ok(code == "jail" and f"the layer {kept} is not in the store" in words and "warder snapshot fsck" in words,
               f"a layer that is gone: {what} names it, and says what to do", error)
ask("jail.destroy", jail=standing)
found = ask("snapshot.fsck")
tap.same([(item["layer"], item["fault"], item["snapshots"]) for item in found["damaged"] if item["layer"] == kept],
         [(kept, "it is not in the store", ["kept"])], "a row whose layer is gone is told")
tap.same(bring("kept-again", archive(b"kept")), kept, "and put right by the same content")
tap.same([item["layer"] for item in ask("snapshot.fsck")["damaged"] if item["layer"] == kept], [], "as it says then")
supervisor.stop()

# ---- whose business it is: a front over a directory of the test's own
names = tempfile.mkdtemp(prefix="warder-layers-")
os.mkdir(os.path.join(names, "ef" * 32))
front = Service(layers=names)
ann = front.user(ANN)
tap.same(ann.call("snapshot.gc")["result"]["layers"], 0, "a user's gc removes nothing that is nobody's")
found = ann.call("snapshot.fsck")["result"]
tap.same((found["layers"], found["unknown"]), (0, []), "and its fsck does not tell of it")
root = front.client()
root.send("snapshot.gc")
kind, cookie, request, _ = front.request()
tap.same((kind, request[16:48]), (LAYER_REMOVE, b"\xef" * 32), "root's asks for its removal")
front.reply(cookie)
tap.same(root.answer()["result"]["layers"], 1, "and counts it")
os.rmdir(os.path.join(names, "ef" * 32))
root.send("snapshot.fsck")
tap.same(root.answer()["result"]["unknown"], [], "when it is gone nothing is unknown")

# ---- many at once: the monitor's queue has an end, and what is asked for is known
MANY, EBUSY = 700, -16
for number in range(MANY):
    os.mkdir(os.path.join(names, f"{number:064x}"))
root.send("snapshot.gc")
asked, other = [front.request() for _ in range(64)], front.client()
tap.same(other.call("snapshot.fsck")["result"]["unknown"], [], "layers that are being removed are no longer nobody's")
waiting = bool(select.select([front.monitor], [], [], 0)[0])
tap.ok(not waiting, "a sweep asks for no more before it has its answers")
for number in range(MANY):
    _, cookie, request, _ = asked.pop(0) if asked else front.request()
    if number % 7:
        os.rmdir(os.path.join(names, request[16:48].hex()))
    front.reply(cookie, 0 if number % 7 else EBUSY)
freed = root.answer()["result"]
tap.same((freed["layers"], freed["waiting"]), (MANY - MANY // 7, MANY // 7), "each is asked for once, and counted")
tap.same(other.call("snapshot.fsck")["result"]["unknown"], [], "those that wait for a jail are not nobody's")
root.send("snapshot.gc")
for number in range(MANY // 7):
    front.reply(front.request()[1])
tap.same(root.answer()["result"]["layers"], MANY // 7, "a later one asks for those that waited")
front.stop()
shutil.rmtree(names)
tap.end()
