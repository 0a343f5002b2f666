#!/usr/bin/env -S python3 -B
"""descriptors: wrong numbers of them, and kinds that must not reach a jail."""
import os
import pty
import socket
import sys
import tempfile

from front_lib import Closed, Front, Tap, sealed

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
for what, fd in BAD.items():
    error = good.call("jail.create", EXEC, fds=[fd]).get("error", {})
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
