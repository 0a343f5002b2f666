#!/usr/bin/env -S python3 -B
"""many: one jail costs the supervisor the same however many there are. What is counted is the work, by ptrace(2):
system calls of monitor and front for one create, command and destroy, and the descriptors that they keep for each."""
import ctypes
import os
import signal
import struct
import sys

from front_lib import JAIL_FD_MAX, PATIENCE, Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
FEW, MANY, ROUNDS = 3, 63, 5
LIMITS = {"memory": 32 << 20, "disk": 8 << 20, "pids": 16}
LONG = 12 * PATIENCE
SEIZE, INTERRUPT, SYSCALL, DETACH, OPTIONS = 0x4206, 0x4207, 24, 17, 0x4200
SYSGOOD = 1
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, pid, data=0):
    return libc.ptrace(request, pid, None, data)


def count(pid, started, wanted):
    """In a process of its own: the system calls of @pid from a byte on @started until one comes on @wanted."""
    calls = 0
    if ptrace(SEIZE, pid, SYSGOOD) < 0 or ptrace(INTERRUPT, pid) < 0:
        os._exit(1)
    os.set_blocking(wanted, False)
    told = False
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done and os.WIFSTOPPED(status):
            stop = os.WSTOPSIG(status)
            calls += stop == signal.SIGTRAP | 0x80
            event = status >> 16
            ptrace(SYSCALL, pid, 0 if stop & 0x80 or event or stop == signal.SIGTRAP else stop)
            if not told:
                os.write(started, b"x")
                told = True
        try:
            if os.read(wanted, 1):
                break
        except BlockingIOError:
            pass
    ptrace(INTERRUPT, pid)
    os.waitpid(pid, 0)
    ptrace(DETACH, pid)
    os.write(started, struct.pack("=Q", calls // 2))
    os._exit(0)


def calls_of(pid, work):
    """How many system calls @pid makes while @work is done."""
    told, started = os.pipe()
    wanted, tell = os.pipe()
    child = os.fork()
    if child == 0:
        count(pid, started, wanted)
    os.close(started)
    if not os.read(told, 1):
        raise SystemExit("Bail out! the supervisor cannot be traced")
    work()
    os.write(tell, b"x")
    n = struct.unpack("=Q", os.read(told, 8))[0]
    os.waitpid(child, 0)
    for fd in (told, wanted, tell):
        os.close(fd)
    return n


supervisor = Supervisor("many", mode=("--private", "--shells", "0"))
client = supervisor.client()
client.sock.settimeout(LONG)
jails = []


def make():
    answer = client.call("jail.create", {"keep": True, "limits": LIMITS})
    if "error" in answer:
        raise SystemExit(f"Bail out! {answer['error']['message']}")
    jails.append(answer["result"]["jail"])


def once():
    make()
    if client.call("jail.exec", {"jail": jails[-1], "argv": ["true"]})["result"]["cause"] != "exited":
        raise SystemExit("Bail out! true does not end")
    client.call("jail.destroy", {"jail": jails.pop()})


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


monitor = supervisor.process.pid
once()  # so that it is all there
front = supervisor.front() or sys.exit("Bail out! there is no front")
for _ in range(FEW):
    make()
work = {name: min(calls_of(pid, once) for _ in range(ROUNDS)) for name, pid in (("monitor", monitor), ("front", front))}
held = {"monitor": fds(monitor), "front": fds(front)}
for _ in range(MANY - FEW):
    make()
more = {name: min(calls_of(pid, once) for _ in range(ROUNDS)) for name, pid in (("monitor", monitor), ("front", front))}
for name in work:
    print(f"# {name}: {work[name]} system calls beside {FEW} jails, {more[name]} beside {MANY}")
    tap.ok(0 < more[name] < work[name] + (MANY - FEW) // 3, f"the {name}'s work for one jail does not grow with the others",
           work[name], more[name])
# a pidfd, init's socket, upper, namespace, a group, its range's lock and map; the front: what enum JailFd has
for name, pid, most in (("monitor", monitor, 8), ("front", front, JAIL_FD_MAX)):
    each = (fds(pid) - held[name]) / (MANY - FEW)
    print(f"# {name}: {each:.1f} descriptors a jail")
    tap.ok(each <= most, f"the {name} keeps no more than {most} descriptors for one", each)
tap.same(sorted(jail["jail"] for jail in client.every("jail.list", "jails")), sorted(jails), "all are listed")
tap.same({client.call("jail.show", {"jail": jail})["result"]["state"] for jail in jails}, {"ready"}, "each is found by its id")
tap.ok("error" in client.call("jail.show", {"jail": "j-aaaaaaaaaa"}) and "error" in client.call("jail.show", {"jail": "x"}),
       "and no other")
for jail in jails:
    client.send("jail.destroy", {"jail": jail})
tap.same({"result" in client.answer() for _ in jails}, {True}, "all end")
tap.ok(eventually(lambda: fds(monitor) <= held["monitor"] + 2 * MANY, LONG), "and their descriptors are closed", fds(monitor))
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
