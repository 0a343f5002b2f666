#!/usr/bin/env -S python3 -B
"""import-once: several imports of one file at once are unpacked once, where it is the same user's, the same limits and
still the same file; else each for itself, and each gets what is right for it."""
import errno
import io
import os
import select
import signal
import subprocess
import tarfile
import tempfile
import time

from front_lib import LAYER_NEW, PATIENCE, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails
from users_lib import ANN, BOB, Service

need_jails()
tap = Tap()
CARL = 60010
BIG = 96 << 20


def settle(file):
    """Until the clock of inodes (CLOCK_REALTIME_COARSE) has gone on: what changes the file from here on shows."""
    file.flush()
    while time.clock_gettime(5) <= os.fstat(file.fileno()).st_ctime + 0.001:
        time.sleep(0.002)
    return file


def again(file):
    """The same file with an offset of its own."""
    return os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)


def offset(fd):
    return os.lseek(fd, 0, os.SEEK_CUR)


# ---- who follows whom: a monitor of the test's own counts the layers that are begun

LIMITS = {"bytes": 8192, "entries": 8}
front = Service({"default": {"quotas": {"snapshot_disk": "10M", "creates_per_minute": 100}}})
file = tempfile.TemporaryFile()
file.write(bytes(10240))
settle(file)


def ask(client, name, fd, **params):
    """Send an import and wait until the front has seen it: it answers in order of what it can answer."""
    client.send("snapshot.import", {"name": name, "limits": LIMITS, **params}, fds=[fd])
    listed = client.call("snapshot.list")
    tap.ok("snapshots" in listed.get("result", {}), f"{name}: not answered at once", listed)


def begun():
    """Layers that the front has asked for since: their cookies."""
    found = []
    while select.select([front.monitor], [], [], 0)[0]:
        kind, cookie, _, _ = front.request()
        found += [cookie] if kind == LAYER_NEW else []
    return found


ann, bob = front.user(ANN), front.user(BOB)
fd = again(file)
ask(ann, "first", fd)
leader = begun()
tap.same(len(leader), 1, "an import begins a layer")
ask(ann, "second", again(file))
ask(front.user(ANN), "third", again(file))
tap.same(begun(), [], "two more of the same file, from another connection too, begin none")
ask(bob, "first", again(file))
tap.same(len(begun()), 1, "another user's does")
for what, params in (("fewer bytes", {"limits": {**LIMITS, "bytes": 4096}}), ("fewer entries", {"limits": {**LIMITS, "entries": 7}}),
                     ("a named image", {"image": "latest"})):
    ask(ann, "other-" + what.split()[-1], again(file), **params)
    tap.same(len(begun()), 1, f"one with {what} does")
later = again(file)
os.lseek(later, 512, os.SEEK_SET)
ask(ann, "later", later)
tap.same(len(begun()), 1, "one that begins elsewhere in the file does")
other = settle(tempfile.TemporaryFile())
ask(ann, "empty", again(other))
tap.same(len(begun()), 1, "one of another file does")
reader, writer = os.pipe()
ask(ann, "pipe", reader)
ask(ann, "pipe-2", reader)
tap.same(len(begun()), 2, "two of a pipe do: nobody knows what will come")
answer = front.user(ANN).call("snapshot.import", {"name": "UP"}, fds=[again(file)])
tap.same(answer["error"]["data"]["code"], "invalid", "a name that is none is refused at once, also where it could follow")

front.reply(leader[0], code=-errno.ENOSPC, text="there is no room")
answer = ann.answer()
tap.ok("no room" in str(answer), "where the first fails it says so", answer)
tap.same(answer["error"]["data"]["code"], "limit", "as a lack of room, and no fault of ours")
tap.same(len(begun()), 1, "and one of the two that followed begins, the other follows that one")
file.write(b"x")
file.flush()
ask(ann, "changed", again(file))
tap.same(len(begun()), 1, "the file changes: who comes now begins by itself")
# all that is left of a quota is reserved for the first: who follows needs none of it
carl = front.user(CARL)
settle(file)
ask(carl, "all", again(file), limits={})
ask(carl, "same", again(file), limits={})
tap.same(len(begun()), 1, "who follows takes nothing of its user's disk quota")
front.stop()

# ---- what comes of it: real imports

supervisor = Supervisor("once", mode=())
STORE = os.path.join(supervisor.state, "store")


def archive(word, size=BIG):
    """etc/word comes first, then much, then nothing."""
    made = tempfile.NamedTemporaryFile(prefix="once-")
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in (("etc", None), ("etc/word", word), ("much", os.urandom(1 << 20) * (size >> 20))):
            info = tarfile.TarInfo(name)
            info.type, info.mode = (tarfile.REGTYPE, 0o644) if data is not None else (tarfile.DIRTYPE, 0o755)
            info.size = len(data or b"")
            tar.addfile(info, io.BytesIO(data or b""))
    return settle(made)


class Import:
    def __init__(self, name, file, **params):
        self.fd, self.client = again(file), supervisor.client()
        self.client.sock.settimeout(60)
        self.client.send("snapshot.import", {"name": name, **params}, fds=[self.fd])
        self.client.send("warder.info")
        while True:
            message = self.client.line()
            if message.get("id") == 2:
                break

    def end(self):
        """(result or error, did it read the file)"""
        while True:
            message = self.client.line()
            if message.get("id") == 1:
                return message.get("result") or message, offset(self.fd) > 0


def monitor(what):
    """SIGSTOP: imports that are asked for now have not begun to read when the others come."""
    os.kill(supervisor.process.pid, what)


def held(file):
    """Descriptors of @file that the front has; it may close any while they are looked at."""
    place, found = f"/proc/{supervisor.front()}/fd", 0
    for fd in os.listdir(place):
        try:
            found += os.readlink(f"{place}/{fd}") == file.name
        except OSError:
            pass
    return found


def word(result):
    """etc/word as it lies in the store."""
    try:
        with open(os.path.join(STORE, "layers", result["layers"][0].split(":")[1], "etc/word"), "rb") as found:
            return found.read()
    except (KeyError, OSError):
        return result


file = archive(b"AAAA")
monitor(signal.SIGSTOP)
everyone = [Import(f"n{i}", file, public=i != 1) for i in range(5)]
monitor(signal.SIGCONT)
ends = [one.end() for one in everyone]
tap.same([end[0].get("name") for end in ends], ["n0", "n1", "n2", "n3", "n4"], "five imports of one file succeed, each by its name")
tap.same([end[1] for end in ends], [True, False, False, False, False], "one of the five descriptors was read")
tap.same([end[0].get("joined") for end in ends], [False, True, True, True, True], "and the others say so")
tap.same(len({end[0]["layers"][0] for end in ends}), 1, "they have the same layer")
client = supervisor.client()
tap.same([client.call("snapshot.show", {"name": f"n{i}"})["result"]["layers"] for i in range(5)], [ends[0][0]["layers"]] * 5,
         "which all the snapshots have")
tap.same([client.call("snapshot.show", {"name": f"n{i}"})["result"]["public"] for i in (1, 2)], [False, True], "public as each asked")
tap.same(client.call("snapshot.remove", {"name": "n0"})["result"]["layers"], 0, "removing the first's takes no layer from the others")
tap.same(word(ends[0][0]), b"AAAA", "it is there, and what the file says")

file = archive(b"BBBB", 4 * BIG)
for attempt in range(20):  # on a busy machine it may have ended before it is found
    everyone = [Import(f"b{i}-{attempt}", file) for i in range(4)]
    deadline = time.monotonic() + PATIENCE
    while not (found := list(supervisor.inside("warder-files"))) and time.monotonic() < deadline:
        pass
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    ends = [one.end() for one in everyone]
    if "error" in ends[0][0]:
        break
tap.ok("error" in ends[0][0], "the first is killed in the middle: it fails", ends[0])
tap.same([(end[0].get("name"), word(end[0])) for end in ends[1:]], [(f"b{i}-{attempt}", b"BBBB") for i in range(1, 4)],
         "the others succeed")
tap.same(sum(end[1] for end in ends[1:]), 1, "by one more reading of the file")

file = settle(tempfile.NamedTemporaryFile(prefix="once-"))
file.write(os.urandom(BIG))
settle(file)
monitor(signal.SIGSTOP)
everyone = [Import(f"x{i}", file) for i in range(3)]
monitor(signal.SIGCONT)
ends = [one.end() for one in everyone]
tap.same([end[0].get("error", {}).get("data", {}).get("code") for end in ends], ["invalid"] * 3, "three of what is no archive are refused")
tap.same([end[1] for end in ends], [True, False, False], "by one reading of the file")
tap.same(len({end[0]["error"]["message"] for end in ends}), 1, "in the same words")

file = archive(b"CCCC")
monitor(signal.SIGSTOP)
first, second = Import("c0", file), Import("c1", file)
first.client.close()
monitor(signal.SIGCONT)
end = second.end()
tap.same((end[0].get("name"), word(end[0])), ("c1", b"CCCC"), "who asked first goes away: the second succeeds")

file = archive(b"DDDD")
monitor(signal.SIGSTOP)
first, second = Import("d0", file), Import("d1", file)
with open(file.name, "r+b") as change:
    data = change.read(4096)
    change.seek(data.index(b"DDDD"))
    change.write(b"EEEE")
monitor(signal.SIGCONT)
ends = [one.end() for one in (first, second)]
tap.same([(end[1], end[0].get("joined"), word(end[0])) for end in ends], [(True, False, b"EEEE")] * 2,
         "the file changes before the first has ended: the second reads it again")
tap.ok(eventually(lambda: not os.listdir(os.path.join(STORE, "new"))), "nothing unfinished is left")

# ---- the command tells
file = archive(b"FFFF")
monitor(signal.SIGSTOP)
first = Import("f0", file)
held_before = held(file)
command = subprocess.Popen([COMMAND, "snapshot", "import", "f1", file.name], env=supervisor.environment,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
tap.ok(eventually(lambda: held(file) > held_before), "the command asks for the same file")
monitor(signal.SIGCONT)
first.end()
text = command.communicate()[0]
tap.ok(command.returncode == 0 and "f1" in text and "unpacked once" in text, "and says that it was unpacked once", text)
supervisor.stop()
tap.end()
