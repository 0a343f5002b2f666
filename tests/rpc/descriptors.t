#!/usr/bin/env -S python3 -B
"""descriptors: wrong numbers of them, and kinds that must not reach a jail."""
import ctypes
import os
import pty
import resource
import select
import socket
import struct
import sys
import tempfile

from front_lib import PATIENCE, Closed, Front, Tap, sealed

tap = Tap()
front = Front()
good = front.client()
pipe = os.pipe()
INFO = b'{"jsonrpc":"2.0","id":1,"method":"warder.info"%s}\n'


def closed_after(what, data, fds=(), more=b""):
    client = front.client()
    client.raw(data, fds)
    if more:
        client.raw(more)
    tap.ok(client.is_closed(5), f"{what} closes the connection")
    client.close()
    tap.ok("result" in good.call("jail.list"), f"{what}: the others are served")


closed_after("a line that promises a descriptor that did not come", INFO % b',"fds":1')
closed_after("two promised, one came", INFO % b',"fds":2', [pipe[0]])
closed_after("a descriptor that nobody announced", INFO % b"", [pipe[0]], INFO % b"")
closed_after("more than a message may have", INFO % b',"fds":9', [pipe[0]] * 9)
closed_after("more than can queue", b'{"jsonrpc"', [pipe[0]] * 40)

for fds in ("-1", '"1"', "1.5", "[]", "null"):
    client = front.client()
    client.raw(INFO % (b',"fds":' + fds.encode()))
    try:
        good_answer = "error" in client.answer()
    except Closed:
        good_answer = True
    tap.ok(good_answer, f'"fds": {fds} is refused')
    client.close()

answer = good.call("warder.info", fds=[pipe[0]])
tap.same(answer["error"]["code"], -32602, "a method that takes no descriptor refuses one")
answer = good.call("jail.create", {"exec": {"argv": ["true"]}}, fds=[pipe[0]])
tap.same(answer["error"]["data"]["code"], "invalid", "a descriptor that stdio does not name is refused")

EXEC = {"exec": {"argv": ["true"], "stdio": ["fd", "null", "null"]}}
master, slave = pty.openpty()
left, right = socket.socketpair()
directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
fifo = os.path.join(front.dir, "fifo")
os.mkfifo(fifo)
BAD = {
    "a socket": left.fileno(),
    "a directory": directory,
    "/dev/null": os.open("/dev/null", os.O_RDWR),
    "/dev/zero": os.open("/dev/zero", os.O_RDONLY),
    "a pty master": master,
    "a file of /proc": os.open("/proc/self/maps", os.O_RDONLY),
    "a namespace": os.open("/proc/self/ns/pid", os.O_RDONLY),
    "an O_PATH descriptor": os.open("/etc/passwd", os.O_PATH),
    "a fifo on disk": os.open(fifo, os.O_RDWR),
    "an eventfd": os.eventfd(0) if hasattr(os, "eventfd") else left.fileno(),
}
if os.path.exists("/sys/fs/cgroup"):
    for where, _, names in os.walk("/sys/fs/cgroup"):
        if "cgroup.procs" in names:
            BAD["a cgroup file"] = os.open(os.path.join(where, "cgroup.procs"), os.O_RDONLY)
            break


def try_open(what, make):
    """Where this host has such a thing."""
    try:
        fd = make()
    except OSError:
        return
    if fd >= 0:
        BAD[what] = fd


libc = ctypes.CDLL(None, use_errno=True)
epoll = select.epoll()
mask = (ctypes.c_byte * 128)()
attr = (ctypes.c_byte * 128)()  # of BPF_MAP_CREATE: a hash of 4 bytes
struct.pack_into("IIII", attr, 0, 1, 4, 4, 1)
try_open("an epoll descriptor", lambda: os.dup(epoll.fileno()))
try_open("a signalfd", lambda: libc.signalfd(-1, mask, 0))
try_open("a timerfd", lambda: libc.timerfd_create(1, 0))
try_open("an inotify descriptor", lambda: libc.inotify_init1(0))
try_open("a fanotify descriptor", lambda: libc.fanotify_init(0, 0))
try_open("a pidfd", lambda: os.pidfd_open(os.getpid()))
if os.uname().machine == "x86_64":
    try_open("a userfaultfd", lambda: libc.syscall(323, 0))
    try_open("a BPF map", lambda: libc.syscall(321, 0, attr, 72))
    try_open("an io_uring", lambda: libc.syscall(425, 4, (ctypes.c_byte * 120)()))
    try_open("a perf event", lambda: libc.syscall(298, (ctypes.c_byte * 128)(1, 0, 0, 0, 120), 0, -1, -1, 0))
    try_open("a message queue", lambda: libc.syscall(240, b"warder-test-%d" % os.getpid(), 0o102, 0o600, None))
    libc.syscall(241, b"warder-test-%d" % os.getpid())
    try_open("a detached mount", lambda: libc.syscall(428, -100, b"/tmp", 1))
    try_open("a file system in the making", lambda: libc.syscall(430, b"tmpfs", 0))
    try_open("a Landlock ruleset", lambda: libc.syscall(444, (ctypes.c_uint64 * 1)(1), 8, 0))
for path, flags in (("/proc/self/mem", os.O_RDWR), ("/proc/self/ns/user", os.O_RDONLY), ("/proc/self/ns/net", os.O_RDONLY),
                    ("/proc/sys/kernel/hostname", os.O_RDWR), ("/dev/kmsg", os.O_RDONLY), ("/dev/ptmx", os.O_RDWR),
                    ("/dev/fuse", os.O_RDWR), ("/dev/tty", os.O_RDWR), ("/dev/random", os.O_RDONLY), ("/dev/mem", os.O_RDONLY),
                    ("/dev/loop-control", os.O_RDWR), ("/dev/vda", os.O_RDONLY), ("/sys/kernel/mm/transparent_hugepage/enabled",
                                                                              os.O_RDWR)):
    try_open(path, lambda: os.open(path, flags))
try_open("a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).detach())
try_open("a netlink socket", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).detach())
try_open("a packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).detach())
try_open("a TCP socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach())
try_open("a secret memory file", lambda: libc.syscall(447, 0))
tap.ok(len(BAD) >= 25, "most kinds of descriptors there are", sorted(BAD))
for what, fd in BAD.items():
    try:
        error = good.call("jail.create", EXEC, fds=[fd]).get("error", {})
    except OSError as refusal:  # Linux >= 6.7 passes no io_uring
        tap.ok(what == "an io_uring", f"{what} cannot even be sent", refusal)
        continue
    tap.ok(error.get("data", {}).get("code") == "invalid" and "pipe" in error.get("message", ""),
           f"{what} as input: refused with what to do", error)

error = good.call("jail.create", {"exec": {"argv": ["true"], "stdio": ["fd", "null", "null"], "tty": True}},
                  fds=[pipe[0]])["error"]
tap.ok("terminal" in error["message"], "a pipe is no terminal", error)
error = good.call("snapshot.import", {"name": "x"}, fds=[left.fileno()])["error"]
tap.same(error["data"]["code"], "invalid", "an archive is no socket")

# what may come goes on to the monitor
with tempfile.TemporaryFile() as file:
    for what, fd in {"a pipe": pipe[0], "a file on disk": file.fileno(), "a sealed memfd": sealed(b"x"),
                     "a pty slave": slave}.items():
        client = front.client()
        client.send("jail.create", EXEC, fds=[fd])
        kind, cookie, _, fds = front.request()
        tap.ok(kind == 1 and len(fds) == 1, f"{what} is taken, the monitor gets the filter only")
        front.reply(cookie, code=-22, text="no")
        tap.ok("error" in client.answer(), f"{what}: the monitor's refusal comes through")
        client.close()

# a pipe is known for one where there is no descriptor left to compare it with
client = front.client()
tap.ok("result" in client.call("jail.list"), "a client is there")
used = {int(name) for name in os.listdir(f"/proc/{front.pid}/fd")}
resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (1 + next(n for n in range(4096) if n not in used), 4096))
client.send("jail.create", EXEC, fds=[pipe[0]])
readable = select.select([front.monitor], [], [], PATIENCE)[0]
resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (4096, 4096))
if tap.ok(readable, "a pipe is taken as the front's last descriptor", readable or client.answer()):
    front.reply(front.request()[1], code=-22, text="no")
    client.answer()
client.close()

# the work directory travels with the connection
client = front.client()
client.send("jail.create", {"work": True}, fds=[directory])
kind, cookie, _, fds = front.request()
names = [os.readlink(f"/proc/self/fd/{fd}") for fd in fds]
tap.ok(len(fds) == 3 and names[1] == "/" and names[2].startswith("socket:"), "filter, directory, connection", names)
front.reply(cookie, code=-95, text="this file system cannot be shown")
tap.same(client.answer()["error"]["data"]["code"], "unsupported", "a file system that cannot be mapped: unsupported")
tap.ok(front.alive(), "the front is alive")
front.stop()
tap.end()
