#!/usr/bin/env -S python3 -B
"""locks: locks of files, which the kernel charges to no group. The attack first holds more outside than a jail may have;
in a jail all that runs there is ended for it. And what would hide whose they are: locks without a process (of an open
file), and processes that end while another keeps their descriptors. tests/rpc/uncounted.t has whom the front ends."""
import os
import subprocess
import time

from hostile_lib import BUILD, Supervisor, Tap, bring, eventually, need_jails, root_of, run, tool

need_jails()
tap = Tap()
MB, MINUTES = 1 << 20, 600
LOCK = 192  # bytes
SMALL = 64 * MB  # limit of these jails


def meminfo(key):
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key + ":")) << 10


# locks are counted where the kernel's memory has risen by a sixty-fourth, or is a sixteenth: while it clears away what was
# before, the first may not be seen. An attack that nobody ends stops here
MOST = meminfo("MemTotal") // 12
ATTACK = ["/bin/hold-locks", str(MOST // LOCK)]
WAYS = """
import ctypes, errno, fcntl, os, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
CLONE_VM, CLONE_FS, CLONE_FILES = 0x100, 0x200, 0x400
def said(call):
    try:
        call()
        return "done"
    except OSError as wrong:
        return errno.errorcode[wrong.errno]
def cloned(flags):
    pid = libc.syscall(ctypes.c_long(CLONE), ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(pid, 0)
fd = os.memfd_create("x")
for place, (name, command) in enumerate(( ("own", fcntl.F_SETLK), ("file", fcntl.F_OFD_SETLK), ("file, waiting", fcntl.F_OFD_SETLKW), ("file, asked", fcntl.F_OFD_GETLK))):
    print(name, said(lambda: fcntl.fcntl(fd, command, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, place, 1, 0))))
for name, flags in ("plain", 0), ("shared", CLONE_FILES), ("shared, as a directory too", CLONE_FILES | CLONE_FS), ("high bits", CLONE_FILES | 7 << 32):
    print(name, said(lambda: cloned(flags)))
CLOSE_RANGE, UNSHARE = 436, {"x86_64": 272, "aarch64": 97}[os.uname().machine]
def ask(*words):
    if libc.syscall(*map(ctypes.c_ulong, words)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
for name, words in ("close", (CLOSE_RANGE, 1000, 1001, 0)), ("close, own", (CLOSE_RANGE, 1000, 1001, 2)), ("close, high bits", (CLOSE_RANGE, 1000, 1001, 2 | 1 << 32)), ("own", (UNSHARE, CLONE_FILES)), ("own, high bits", (UNSHARE, CLONE_FILES | 1 << 9)):
    print("descriptors:", name, said(lambda: ask(*words)))
"""
FILE, PROCESS = ("file", "file, waiting", "file, asked"), ("shared", "shared, as a directory too", "high bits")
OWN = tuple(f"descriptors: {way}" for way in ("close, own", "close, high bits", "own", "own, high bits"))


def python(text):
    return ["python3", "-c", text]


def said(text):
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


def outside(most):
    """How much more the kernel has for itself while processes hold so many."""
    before = meminfo("SUnreclaim")
    with subprocess.Popen([tool("hold-locks"), str(most)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        reached = holder.stdout.readline().strip() == "reached"
        more = meminfo("SUnreclaim") - before
        holder.stdin.close()
    return more if reached else 0


ENOUGH = 2 * SMALL // LOCK
tap.ok(eventually(lambda: outside(ENOUGH) > SMALL, 120), "outside, locks of one process take more than the limit of a jail")
done = said(subprocess.run(python(WAYS), capture_output=True, text=True, check=True).stdout)
tap.same([way for way in done if done[way] != "done"], [], "and there are ways to hide them")

supervisor = Supervisor("locks")
client = supervisor.client()
client.sock.settimeout(MINUTES)
record = run(client, python(WAYS))
done = said(record["output"]["stdout"]["text"])
tap.same((done["own"], done["plain"]), ("done", "done"), "in a jail a process locks, and makes others")
tap.same([done[way] for way in FILE], ["EINVAL"] * 3, "locks of an open file are what the kernel does not know")
tap.same([done[way] for way in PROCESS], ["EINVAL"] * 3, "and so is a process that shares descriptors")
tap.same([done[way] for way in OWN], ["EINVAL"] * 4, "or a thread that does not")
tap.same(done["descriptors: close"], "done", "who only closes them may")

bring(client, "locks", root_of([tool("hold-locks")]))
jail, quiet = (client.call("jail.create", {"snapshot": "locks", "keep": True, "limits": {"memory": SMALL}})["result"]["jail"] for _ in range(2))
forever, into = os.pipe()
beside = supervisor.client()
beside.sock.settimeout(MINUTES)
beside.send("jail.exec", {"jail": quiet, "argv": ["/bin/hold-locks", "2000"], "stdio": ["fd", "capture", "capture"]}, fds=[forever])
before, began = meminfo("SUnreclaim"), time.monotonic()
record = client.call("jail.exec", {"jail": jail, "argv": ATTACK, "stdio": ["fd", "capture", "capture"]}, fds=[forever])["result"]
evidence = record.get("evidence", {})
tap.same((record["cause"], record["hits"], evidence.get("oom_kills")), ("oom", ["locks"], 0), "in a jail, too many are the end for want of memory")
tap.same(evidence.get("uncounted"), 8192 * LOCK, "the record says how many were counted")
tap.ok(record["memory_peak"] is None or record["memory_peak"] <= SMALL, "which no limit of memory saw", record["memory_peak"])
print(f"# {time.monotonic() - began:.0f} s; an attack that nobody ends stops at {MOST >> 20} MiB")
tap.ok(eventually(lambda: meminfo("SUnreclaim") < before + meminfo("MemTotal") // 64, 60), "and the host has it back", (before, meminfo("SUnreclaim")))
after = client.call("jail.exec", {"jail": jail, "argv": ["/bin/hold-locks", "1"]})
tap.same([after.get("result", after).get(key) for key in ("cause", "code", "hits")], ["exited", 0, []], "the jail stays")
said_so = subprocess.run([os.path.join(BUILD, "cli/warder"), "exec", jail, "--", *ATTACK], stdin=forever,
                         env={**os.environ, "WARDER_SOCKET": supervisor.path}, capture_output=True, text=True, check=False)
tap.ok(said_so.returncode == 137 and "thousands of locks of files" in said_so.stderr, "a person is told so", said_so.stderr)
os.close(into)
os.close(forever)
record = beside.answer()["result"]
tap.same((record["cause"], record["code"], record["hits"]), ("exited", 0, []), "who had some thousands in another jail all the time is left alone")
for name in quiet, jail:
    client.call("jail.destroy", {"jail": name})
beside.close()
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
