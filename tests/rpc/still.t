#!/usr/bin/env -S python3 -B
"""still: who waits for a jail that does not stand still yet, and what may happen to it, and to them, meanwhile. What
does not stand still is a process of ours in the jail's group, in a call that a FUSE server of ours does not answer."""
import atexit
import os
import select
import signal
import tempfile

from front_lib import Tap
from fuse_lib import Server, libc, need_fuse
from states_lib import root_tar
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
need_fuse()
tap = Tap()
MB = 1 << 20
CLONE_NEWPID = 0x20000000
supervisor = Supervisor("still", mode=())
client = supervisor.client()
FROZEN, RUNS = {"frozen": True, "still": True}, {"frozen": False, "still": False}


def word(pid, name):
    try:
        with open(f"/proc/{pid}/{name}") as file:
            return file.read()
    except OSError:
        return ""


def call_of(pid):
    """Number of the call that it is blocked in; None: it runs."""
    first = (word(pid, "syscall").split() or [""])[0]
    return int(first) if first.isdigit() else None


def process_of(argument):
    """The only process with that argument."""
    return next((int(pid) for pid in filter(str.isdigit, os.listdir("/proc")) if argument in word(pid, "cmdline").split("\0")), None)


def group_of(pid):
    """Its directory in the v2 tree."""
    with open("/proc/self/mountinfo") as file:
        root = next(line.split()[4] for line in file if " - cgroup2 " in line)
    return root + next(line[3:] for line in word(pid, "cgroup").splitlines() if line.startswith("0::"))


class Stuck:
    """A process beside that of a command, in its group and its namespace of processes, that no freezer stops until
    let_go(); it can be killed, and is with its jail."""

    def __init__(self, beside):
        group, space = group_of(beside), os.open(f"/proc/{beside}/ns/pid", os.O_RDONLY)
        reader, self.writer = os.pipe()
        told, tell = os.pipe()
        self.parent = os.fork()
        if self.parent == 0:  # before there is a server: it has no descriptor that waits for its flush
            os.close(self.writer)
            self.be(reader, tell, space)
        for fd in reader, tell, space:
            os.close(fd)
        self.pid = int(os.read(told, 32))
        os.close(told)
        if not eventually(lambda: call_of(self.pid) is not None):
            raise SystemExit("Bail out! a child does not wait for its word")
        waits_in = call_of(self.pid)
        self.server = Server()
        atexit.register(self.server.stop)
        os.kill(self.server.pid, signal.SIGSTOP)
        if not eventually(lambda: ") T " in word(self.server.pid, "stat")):
            raise SystemExit("Bail out! a FUSE server does not stop")  # it would read a request, which nothing ends then
        os.write(self.writer, f"/proc/{self.server.pid}/root{self.server.dir}/file".encode())
        if not eventually(lambda: call_of(self.pid) not in (None, waits_in)):
            raise SystemExit("Bail out! a FUSE server that is stopped answers")
        with open(group + "/cgroup.procs", "w") as file:
            file.write(str(self.pid))

    def be(self, reader, tell, space):
        try:
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if libc.setns(space, CLONE_NEWPID):
                raise OSError("enter a namespace of processes")
            child = os.fork()
            if child == 0:
                libc.prctl(1, signal.SIGKILL)
                os.stat(os.read(reader, 4096))
                os.read(reader, 1)
            else:
                os.write(tell, str(child).encode())
                os.waitpid(child, 0)
        finally:
            os._exit(0)

    def resists(self):
        """A freezer has come by, and it waits on, where only a kill reaches it."""
        return eventually(lambda: ") D " in word(self.pid, "stat"))

    def let_go(self):
        os.kill(self.server.pid, signal.SIGCONT)

    def end(self):
        self.let_go()
        os.close(self.writer)
        atexit.unregister(self.server.stop)
        self.server.kill()
        os.waitpid(self.parent, 0)


begun = []


def begin(jail):
    """A command that runs in it, and beside it what does not stand still."""
    begun.append(f"3600.{os.getpid()}{len(begun):02d}")  # nobody else's, though the suite may run twice at once
    peer = supervisor.client()
    peer.send("jail.exec", {"jail": jail, "argv": ["sleep", begun[-1]]})
    if not eventually(lambda: process_of(begun[-1])):
        raise SystemExit("Bail out! a command does not start")
    return peer, Stuck(process_of(begun[-1]))


def save(jail, name):
    peer = supervisor.client()
    peer.send("jail.save", {"jail": jail, "name": name})
    return peer


def freeze(jail):
    return client.call("jail.freeze", {"jail": jail}).get("result")


def waits(peer):
    return not select.select([peer.sock], [], [], 0)[0]


def moves(jail):
    """Does a command come to its end in it?"""
    return client.call("jail.exec", {"jail": jail, "argv": ["id"]}).get("result", {}).get("code") == 0


def refused(answer):
    error = answer.get("error", {})
    return error.get("data", {}).get("code"), error.get("message", str(answer))


with tempfile.TemporaryFile() as archive:
    archive.write(root_tar())
    archive.seek(0)
    tap.ok("result" in client.call("snapshot.import", {"name": "base"}, fds=[archive.fileno()]), "a snapshot is there")

# ---- it stands still in the end; meanwhile its user wants it still too, and then no more
jail = client.call("jail.create", {"snapshot": "base", "keep": True})["result"]["jail"]
sleeper, stuck = begin(jail)
saver = save(jail, "late")
tap.ok(stuck.resists() and waits(saver), "a save waits for a process that does not stand still")
other = supervisor.client()
other.send("jail.freeze", {"jail": jail})
tap.ok(eventually(lambda: client.call("jail.show", {"jail": jail})["result"]["frozen"]), "its user freezes it meanwhile")
tap.same(client.call("jail.thaw", {"jail": jail}).get("result"), {"frozen": False, "still": True}, "and thaws it, to no effect yet")
tap.same(other.answer().get("result"), RUNS, "of which who froze it is told")
tap.ok(waits(saver), "the save waits on")
stuck.let_go()
tap.same(saver.answer().get("result", {}).get("name"), "late", "until all stands still")
stuck.end()
tap.ok(moves(jail), "and the jail runs again")
sleeper.close()

# ---- frozen by its user before and after
tap.same(freeze(jail), FROZEN, "a jail that is frozen")
tap.same(save(jail, "cold").answer().get("result", {}).get("name"), "cold", "is saved")
tap.same(freeze(jail), FROZEN, "and stays frozen")
answer = client.call("jail.fork", {"jail": jail, "n": 1, "keep": True})
tap.ok(len(answer.get("result", {}).get("jails", ())) == 1 and freeze(jail) == FROZEN, "likewise one that is forked", answer)
answer = client.call("jail.diff", {"jail": jail, "format": "patch", "dir": "/srv"})
tap.ok("bytes" in answer.get("result", {}) and freeze(jail) == FROZEN, "and one of which a patch is made", answer)
tap.same(client.call("jail.thaw", {"jail": jail}).get("result"), RUNS, "until its user thaws it")

# ---- who asked goes
sleeper, stuck = begin(jail)
saver = save(jail, "nobody")
tap.ok(stuck.resists(), "a save waits")
saver.close()
stuck.let_go()
tap.ok(eventually(lambda: moves(jail)), "its client goes, and the jail runs again")
stuck.end()
sleeper.close()

# ---- the jail ends
for method, params in ("jail.save", {"name": "ended"}), ("jail.fork", {"n": 2}), ("jail.diff", {"format": "patch", "dir": "/srv"}):
    jail = client.call("jail.create", {"snapshot": "base", "keep": True})["result"]["jail"]
    sleeper, stuck = begin(jail)
    saver = supervisor.client()
    saver.send(method, {"jail": jail, **params})
    tap.ok(stuck.resists(), f"{method} waits")
    tap.same(client.call("jail.destroy", {"jail": jail}).get("result"), {}, "the jail is destroyed")
    code, words = refused(saver.answer())
    tap.ok(code == "not_found" and "ended" in words, f"{method} says so", code, words)
    stuck.end()
    saver.close()
    sleeper.close()

# ---- a workspace ends and is started again: the same name, and another jail
answer = client.call("jail.create", {"snapshot": "base", "persistent": {"name": "dev", "disk": 64 * MB}})
if refused(answer)[0] == "unsupported":
    tap.ok(True, f"workspaces # SKIP {refused(answer)[1]}")
else:
    for method, params in ("jail.save", {"name": "first"}), ("jail.fork", {"n": 2}), ("jail.diff", {"format": "patch", "dir": "/srv"}):
        sleeper, stuck = begin("dev")
        saver = supervisor.client()
        saver.send(method, {"jail": "dev", **params})
        tap.ok(stuck.resists(), f"{method} waits for a workspace")
        tap.ok("result" in client.call("jail.stop", {"jail": "dev"}), "which is stopped")
        tap.ok("result" in client.call("jail.start", {"jail": "dev"}), "and started again")
        tap.same(freeze("dev"), FROZEN, "and frozen by its user")
        code, words = refused(saver.answer())
        tap.ok(code == "not_found" and "ended" in words, f"{method} was of the jail that has ended", code, words)
        tap.same(freeze("dev"), FROZEN, "the jail of now stays frozen")
        tap.same(client.call("jail.thaw", {"jail": "dev"}).get("result"), RUNS, "until its user thaws it")
        tap.ok(moves("dev"), "and then it runs")
        stuck.end()
        saver.close()
        sleeper.close()
    names = [it["name"] for it in client.call("snapshot.list")["result"]["snapshots"]]
    tap.ok("first" not in names, "nothing was saved of it", names)

supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(60), 0, "it ends well")
supervisor.stop()
tap.end()
