#!/usr/bin/env -S python3 -B
"""audit: which of the kernel's records makes an end a filter's. The kernel is played here, record by record, so
that order, loss and forgery are what the test says they are; causes.t has the real one."""
import os
import socket
import struct
import time

from front_lib import INIT_ENDED, INIT_PARKED, INIT_STARTED, Front, Tap
from supervisor_lib import eventually

tap = Tap()
kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
front = Front(memory=1 << 44, audit=theirs)
theirs.close()
BASE, SECCOMP, KILL, LOG = 1_000_000, 1326, 0x80000000, 0x7ffc0000
MARK = {"x86_64": 121, "aarch64": 155}[os.uname().machine]
ARCH = {"x86_64": 0xc000003e, "aarch64": 0xc00000b7}[os.uname().machine]
GETPID = {"x86_64": 39, "aarch64": 172}[os.uname().machine]
handle = 100


def record(uid=BASE + 1000, pid=None, sig=31, call=GETPID, code=KILL, ago=0.0, kind=SECCOMP, arch=ARCH, tail=""):
    """One of the kernel's: by default of the jail's command, which is this process."""
    now = time.time() - ago
    text = (f"audit({int(now)}.{int(now * 1000) % 1000:03}:7): auid=4294967295 uid={uid} gid={uid} ses=1 "
            f"pid={os.getpid() if pid is None else pid} comm=\"a\" exe=\"/a\" sig={sig} arch={arch:x} syscall={call} "
            f"compat=0 ip=0x7f code=0x{code:x}{tail}").encode()
    kernel.send(struct.pack("=IHHII", 16 + len(text), kind, 0, 0, 0) + text)


def mark(**more):
    record(**{"uid": os.getuid(), "sig": 0, "call": MARK, "code": LOG, "pid": front.pid, **more})


def state(client):
    return client.call("warder.info")["result"]["audit"]


def begin():
    global handle
    handle += 1
    client = front.client()
    client.send("jail.create", {"exec": {"argv": ["prog"]}})
    jail = front.jail(handle, BASE)
    jail.event(INIT_PARKED, 0, pid=5)
    _, number, _, _ = jail.request()
    jail.event(INIT_STARTED, number)
    time.sleep(0.01)  # the kernel's coarse clock goes on
    return client, jail, number


def wait_marked(client):
    """The front has taken the end and asks for a mark: each further one is for nobody."""
    mark()
    return client.answer()["result"]["command"]


def end(client, jail):
    front.request()
    jail.ended()
    client.close()


def case(what, want, before=(), after=(), late=(), pid=5):
    """@before, @after, @late: records before init's word of the end, after it, and after the mark."""
    client, jail, number = begin()
    for more in before:
        record(**more)
    jail.event(INIT_ENDED, number, signal=31, pid=pid)
    other = front.client()
    other.call("warder.info")  # the end has been taken
    other.close()
    for more in after:
        record(**more)
    got = wait_marked(client)
    for more in late:
        record(**more)
    tap.ok(got["cause"] == want and got["signal"] == 31 and ("seccomp" in got) == (want == "seccomp"), what, got)
    end(client, jail)
    return got


watcher = front.client()
tap.same(state(watcher), "unknown", "at first nobody knows whether records come")
mark()
tap.ok(eventually(lambda: state(watcher) == "works"), "they do where the front's own has come")

got = case("the record is there before the end", "seccomp", before=[{}])
tap.same(got["seccomp"], {"call": "getpid", "number": GETPID, "arch": os.uname().machine, "filter": "policy"}, "its words")
case("it comes after the end, before the mark", "seccomp", after=[{}])
case("it comes after the mark: nothing was queued before it", "signaled", late=[{}])
case("no record", "signaled")
got = case("a call of another architecture", "seccomp", before=[{"arch": 0x40000003, "call": 20}])
tap.ok(got["seccomp"]["filter"] == "floor" and got["seccomp"]["arch"] in ("i386", "0x40000003"), "is the floor's", got)
for what, more in (("another process of the jail", {"pid": os.getpid() + 1}), ("another jail", {"uid": BASE + 65536 + 1000}),
                   ("below the jail's ids", {"uid": BASE - 1}), ("an earlier process with this number", {"ago": 5.0}),
                   ("a call that was only logged", {"code": LOG, "sig": 0}), ("a refusal", {"code": 0x50000, "sig": 0}),
                   ("a trap", {"code": 0x30000}), ("a signal that is not the filter's", {"sig": 9}),
                   ("a record of another type", {"kind": 1300}), ("a field twice", {"tail": " pid=1"}),
                   ("no number", {"tail": " sig=x"})):
    case(f"{what}: signaled", "signaled", before=[more])
case("init does not know the process", "signaled", before=[{}], pid=6)
case("init says no process", "signaled", before=[{}], pid=0)

# what is no mark of ours does not end the wait: a record that comes after it still counts
client, jail, number = begin()
jail.event(INIT_ENDED, number, signal=31, pid=5)
state(watcher)
for more in ({"uid": BASE + 1000}, {"call": MARK + 1}, {"code": KILL}, {"ago": 5.0}):
    mark(**more)
record()
tap.same(wait_marked(client)["cause"], "seccomp", "marks of others, other calls and earlier times are none")
end(client, jail)

# many of one jail push the oldest out; a child's come before
client, jail, number = begin()
for i in range(40):
    record(pid=10 + i)
record()
jail.event(INIT_ENDED, number, signal=31, pid=5)
state(watcher)
tap.same(wait_marked(client)["cause"], "seccomp", "after many of its children's")
end(client, jail)

# an end of another kind does not wait
client, jail, number = begin()
record()
jail.event(INIT_ENDED, number, code=3, pid=5)
got = client.answer()["result"]["command"]
tap.ok((got["cause"], got["code"]) == ("exited", 3), "an exit is an exit, whatever was recorded", got)
end(client, jail)

# the jail ends while its command's end waits
client, jail, number = begin()
jail.event(INIT_ENDED, number, signal=31, pid=5)
state(watcher)
jail.init.close()
front.request()
jail.ended()
tap.same(client.answer()["result"]["command"]["cause"], "signaled", "the jail is gone meanwhile: no waiting any more")
client.close()
mark()

# no marks: a bounded wait, and none after it until one comes
client, jail, number = begin()
record(tail=" pid=1")
jail.event(INIT_ENDED, number, signal=31, pid=5)
tap.same(client.answer()["result"]["command"]["cause"], "signaled", "no mark comes: signaled")
tap.same(state(watcher), "silent", "and it is said that no records come")
end(client, jail)
client, jail, number = begin()
record()
jail.event(INIT_ENDED, number, signal=31, pid=5)
tap.same(client.answer()["result"]["command"]["cause"], "seccomp", "a record that came all the same counts")
end(client, jail)
mark()
tap.ok(eventually(lambda: state(watcher) == "works"), "and when they come again, that is said")

# what is no message of the kernel's
for bytes_ in (b"", b"x", b"\0" * 16, os.urandom(9000), struct.pack("=IHHII", 99, SECCOMP, 0, 0, 0) + b"audit("):
    kernel.send(bytes_)
case("noise before it changes nothing", "seccomp", before=[{}])

# an init that parks without end
client, jail, number = begin()
try:
    for _ in range(400):
        jail.event(INIT_PARKED, 0, pid=5)
except OSError:
    pass
front.request()
jail.ended()
tap.same(client.answer()["result"]["command"]["cause"], "jail_ended", "an init that parks without end loses its jail")
client.close()
watcher.close()
tap.ok(front.alive(), "the front has lived through all of it")
front.stop()
tap.end()
