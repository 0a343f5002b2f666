#!/usr/bin/env -S python3 -B
"""fuse: descriptors whose close(2) or fstat(2) waits for a server of the caller's own hold nobody else up."""
import os
import select
import signal
import socket
import struct
import time

from front_lib import INIT_OPENED, JAIL_DESTROY, PATIENCE, Closed, Front, Tap, client_as, send_with_fds
from fuse_lib import FLUSH, OPEN, Server, need_fuse

need_fuse()
tap = Tap()


def lingering():
    """A TCP socket with more unsent than its peer ever takes: its last close waits for a minute."""
    listener = socket.create_server(("127.0.0.1", 0))
    sock = socket.create_connection(listener.getsockname())
    peer, _ = listener.accept()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    sock.setblocking(False)
    try:
        while True:
            sock.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    listener.close()
    return sock, peer


def waits(call):
    """Does @call, made by another process, wait? It is ended by what ends the server."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            call()
            os.write(writer, b"x")
        finally:
            os._exit(0)
    os.close(writer)
    ready = select.select([reader], [], [], 1)[0]
    os.close(reader)
    return None if ready else pid


def served(client):
    """Is somebody else answered? In a word, so that a front that hangs fails the test and not this process."""
    client.sock.settimeout(PATIENCE)
    try:
        return "result" in client.call("jail.list")
    except (Closed, TimeoutError, socket.timeout):
        return False


def refusal(client, method, params, fds):
    client.sock.settimeout(PATIENCE)
    try:
        return client.call(method, params, fds=fds).get("error", {})
    except (Closed, TimeoutError, socket.timeout) as fault:
        return {"message": repr(fault)}


def closing(front):
    """How many of its children wait in a close for it."""
    found = 0
    with open(f"/proc/{front.pid}/task/{front.pid}/children") as file:
        pids = file.read().split()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/comm") as name:
                found += name.read() == "warder-front\n"
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has done its work
    return found


EXEC = {"exec": {"argv": ["true"], "stdio": ["fd", "null", "null"]}}

# A process that is made after the servers has their files too and waits at its end: all others come before.
front = Front(warder_gid=60101)
good = front.client()
other = client_as(front.path, 60001, 60101)
third = client_as(front.path, 60002, 60101)
# the attack works on who does not look: a close and an fstat wait
server = Server()
stuck = [waits(lambda: os.close(server.fd))]
tap.ok(stuck[0] and server.saw(FLUSH), "outside: close(2) of such a file waits for its server")
mute = Server(mute_after=OPEN)
stuck.append(waits(lambda: os.fstat(mute.fd)))
tap.ok(stuck[1], "outside: fstat(2) of such a file waits for its server")
tap.ok(served(good), "the front serves")
for what, it in (("whose server answers no flush", server), ("whose server answers nothing", mute)):
    client = front.client()
    error = refusal(client, "jail.create", EXEC, [it.fd])
    tap.ok(error.get("data", {}).get("code") == "invalid" and "pipe" in error.get("message", ""),
           f"a file {what} as input: refused with what to do", error)
    tap.ok(served(good), f"a file {what}: others are served")
    for method, params, n in (("snapshot.import", {"name": "x"}, 1), ("jail.create", {"work": True}, 1)):
        error = refusal(client, method, params, [it.fd] * n)
        tap.ok("code" in error.get("data", {}), f"a file {what}, {method}: refused", error)
        tap.ok(served(good), f"a file {what}, {method}: others are served")
    client.close()
tap.ok(server.saw(FLUSH), "the front did close it")
tap.same(closing(front), 2, "one user's closes have two children and no more")

# a jail's init that passes such a file: it opened one of a directory that its owner serves, or it has fallen
def jail_of(client, handle):
    client.send("jail.create", {})
    jail = front.jail(handle)
    return client.answer()["result"]["jail"], jail


client = third
name, jail = jail_of(client, 41)
client.send("jail.open", {"jail": name, "path": "/work/file", "flags": ["read"]})
_, number, _, _ = jail.request()
jail.event(INIT_OPENED, number, value=5, fds=[server.fd])
error = client.answer().get("error", {})
tap.ok(error.get("data", {}).get("code") == "unsupported" and "command" in error["message"],
       "a file that init opened: not handed over, with what to do", error)
tap.ok(served(good), "a file that init opened: others are served")
jail.init.send(b"no event", 0)
tap.same(front.request()[0], JAIL_DESTROY, "an init that lies is ended")
jail.ended()
name, jail = jail_of(client, 42)
send_with_fds(jail.init, b"no event", [server.fd] * 3)
tap.same(front.request()[0], JAIL_DESTROY, "an init that lies and passes such files is ended")
jail.ended()
tap.ok(served(good), "and others are served")
name, jail = jail_of(client, 43)
send_with_fds(jail.init, b"no event", [server.fd] * 40)
tap.same(front.request()[0], JAIL_DESTROY, "as is one that passes more than a message may have")
jail.ended()
tap.ok(served(good), "and others are served")
tap.ok(served(client), "and so is the jails' owner: what its jails pass does not shut its door")
client.close()

# a client that goes on
def told(clients, seconds):
    """The refusal that the first of them is told that is told anything within so many seconds; None where none is."""
    ready = select.select([client.sock for client in clients], [], [], seconds)[0]
    for client in [client for client in clients if client.sock in ready]:
        try:
            return client.line().get("error")
        except (Closed, TimeoutError, socket.timeout):
            clients.remove(client)
    return None


refused, waiting = None, []
for n in range(12):
    waiting.append(front.client())
    waiting[-1].raw(b'{"jsonrpc"', [server.fd] * 8)
    waiting[-1].raw(b" ")
    refused = told(waiting, 0.2 if n < 11 else PATIENCE)
    if refused:
        break
tap.ok(refused and refused["data"]["code"] == "quota" and "does not answer" in refused["message"],
       "who has too many that cannot be closed is refused by name", refused)
tap.ok(closing(front) <= 4, "still two children for each user", closing(front))
tap.ok(served(other), "another user is served")
error = refusal(other, "jail.create", EXEC, [mute.fd])
tap.ok(error.get("data", {}).get("code") == "invalid", "another user's such file is refused as before", error)
tap.ok(closing(front) <= 6, "two children for each of three users", closing(front))
other.close()

for it in (server, mute):
    it.kill()
for pid in filter(None, stuck):
    os.waitpid(pid, 0)
tap.ok(front.alive(), "the front is alive")


def held():
    """What the front has open, by name."""
    left = []
    for fd in os.listdir(f"/proc/{front.pid}/fd"):
        try:
            left.append(os.readlink(f"/proc/{front.pid}/fd/{fd}"))
        except (FileNotFoundError, ProcessLookupError):  # closed meanwhile
            pass
    return left


def holds(inode):
    return f"socket:[{inode}]" in held()


def all_closed():
    return closing(front) == 0 and not [name for name in held() if name.endswith("/file")]


deadline = time.monotonic() + PATIENCE
while not all_closed() and time.monotonic() < deadline:
    time.sleep(0.02)
tap.ok(all_closed(), "with the servers gone nothing is left: no child, no descriptor", closing(front))
tap.ok(served(front.client()), "and that user is served again")

# a socket that lingers, alone and in the queue of a connection that is closed unread
linger = lingering()
closed, close = os.pipe()
first = os.fork()
if first == 0:
    os.close(close)
    linger[1].close()
    os.read(closed, 1)  # the parent has closed its own by then, or this one is not the last
    linger[0].close()
    os._exit(0)
linger[0].close()
os.close(close)
tap.ok(not select.select([os.pidfd_open(first)], [], [], 1)[0], "outside: the last close of a lingering socket waits")
linger[1].close()
os.waitpid(first, 0)
good = front.client()
for what in ("passed", "left in the queue of a closed connection"):
    sock, peer = lingering()
    client = front.client()
    client.sock.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
    os.kill(front.pid, signal.SIGSTOP)  # so that ours is not the last descriptor
    if what == "passed":
        client.send("jail.create", EXEC, fds=[sock.fileno()])
    else:
        client.raw(b'{"jsonrpc":"2.0","id":1,"method":"warder.info","fds":99}\n' + b" " * 70000)
        client.raw(b" ", [sock.fileno()])
    sock.close()
    os.kill(front.pid, signal.SIGCONT)
    if what == "passed":
        tap.ok("error" in client.answer(), f"a lingering socket, {what}: refused")
    tap.ok(served(good), f"a lingering socket, {what}: others are served")
    peer.close()
# no child can be made for a while: what waits for one is closed all the same, later
def pids_group():
    for place in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        group = os.path.join(place, f"warder-t{os.getpid()}-fuse")
        try:
            os.mkdir(group)
        except OSError:
            continue
        if os.path.exists(os.path.join(group, "pids.max")):
            return group
        os.rmdir(group)
    return None


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def refused_as(uid):
    client = client_as(front.path, uid, 60101)
    client.sock.settimeout(PATIENCE)
    try:
        return client.call("jail.list").get("error", {}).get("data", {}).get("code")
    except (Closed, TimeoutError, socket.timeout, BrokenPipeError):
        return "closed"
    finally:
        client.close()


group = pids_group()
if group:
    def n_held():
        return len(os.listdir(f"/proc/{front.pid}/fd"))

    before = n_held()
    write(f"{group}/cgroup.procs", str(front.pid))
    write(f"{group}/pids.max", "1")
    null = os.open("/dev/null", os.O_RDONLY)
    for _ in range(3):
        client = client_as(front.path, 60003, 60101)
        client.raw(b'{"jsonrpc"', [null] * 16)
        client.close()
    tap.ok(served(good), "no child can be made: others are served")
    tap.same(refused_as(60003), "quota", "and who has too much that is not closed is refused")
    write(f"{group}/pids.max", "max")
    deadline = time.monotonic() + PATIENCE
    while n_held() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    tap.ok(n_held() <= before, "once children can be made it is closed, though nobody calls meanwhile")
    tap.same(refused_as(60003), None, "and that user is served again")
else:
    print("# SKIP a limit of threads: no pids controller here")

# the monitor has a caller's connection for a moment: it must not be the last to close it, with what is queued there
client = front.client()
client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
client.send("jail.create", {"work": True}, fds=[directory])
_, cookie, _, fds = front.request()
conn = os.fstat(fds[2]).st_ino
tap.ok(holds(conn), "the front has that connection")
client.raw(b'{"jsonrpc":"2.0","id":1,"method":"warder.info","fds":99}\n')
tap.ok(client.is_closed(), "which it closes")
tap.ok(served(good) and holds(conn), "but does not let go while the monitor has it")
front.reply(cookie, code=-22, text="no")
for fd in fds:
    os.close(fd)
deadline = time.monotonic() + PATIENCE
while holds(conn) and time.monotonic() < deadline:
    time.sleep(0.02)
tap.ok(not holds(conn), "with the answer it does")
tap.ok(front.stop() >= 0, "the front ends by itself when its monitor goes")
if group:
    os.rmdir(group)
tap.end()
