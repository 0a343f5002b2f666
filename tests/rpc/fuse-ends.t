#!/usr/bin/env -S python3 -B
"""fuse-ends: the end of a supervisor is no matter of who serves a file: its front has a child that waits in the
close of a FUSE file, which no signal ends, and all the same everything goes in bounded time."""
import os
import select
import signal

from front_lib import Client, Closed, Tap
from fuse_lib import FLUSH, Server, need_fuse
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
need_fuse()
tap = Tap()


class Attacker:
    """Another process (whoever has such a file waits at its own end) that makes the front close one."""

    def __init__(self, path, inherited):
        reader, ready = os.pipe()
        over, self.over = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.over)
                inherited.close()
                self.run(path, ready, over)
            finally:
                os._exit(0)
        os.close(ready)
        os.close(over)
        self.works = select.select([reader], [], [], 30)[0] and os.read(reader, 1) == b"x"
        os.close(reader)

    @staticmethod
    def run(path, ready, over):
        server = Server()
        client = Client(path)
        client.call("jail.create", {"exec": {"argv": ["true"], "stdio": ["fd", "null", "null"]}}, fds=[server.fd])
        client.close()
        if server.saw(FLUSH):
            os.write(ready, b"x")
        os.read(over, 1)
        server.kill()

    def stop(self):
        """The server goes, and with it all that waits for it."""
        os.close(self.over)
        os.waitpid(self.pid, 0)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def waits(pid):
    """In the kernel, for who serves a file."""
    try:
        with open(f"/proc/{pid}/wchan") as file:
            return file.read() == "request_wait_answer"
    except (FileNotFoundError, ProcessLookupError):
        return False


def begin(name, mode=("--private",)):
    """A supervisor with a client that has a jail, and a child of its front that a file's server keeps."""
    supervisor = Supervisor(name, mode=mode)
    client = supervisor.client()
    tap.ok("result" in client.call("jail.create", {}), f"{name}: a jail is made")
    front = supervisor.front()
    attacker = Attacker(supervisor.path, client)
    kept = []

    def is_kept():
        kept[:] = [pid for pid in children(front) if waits(pid)]
        return kept
    eventually(is_kept)
    tap.ok(attacker.works and len(kept) == 1, f"{name}: a child of the front waits for the server of a file", kept)
    return supervisor, client, front, (kept or [front])[0], attacker


def leftovers(supervisor):
    return [it for it in supervisor.leftovers() if "--private" in supervisor.mode or it != supervisor.run_dir]


def serves(supervisor):
    try:
        client = supervisor.client()
        answer = client.call("jail.create", {"exec": {"argv": ["true"]}})
        client.close()
        return answer.get("result", {}).get("command", {}).get("cause") == "exited"
    except (OSError, Closed):
        return False


def finish(name, supervisor, front, kept, attacker):
    tap.ok(eventually(lambda: not os.path.exists(f"/proc/{front}")) and waits(kept), f"{name}: the front is gone, and its child still waits")
    attacker.stop()
    tap.ok(eventually(lambda: not waits(kept)), f"{name}: until the server is gone")
    supervisor.stop()


# the outside: neither SIGTERM nor SIGKILL ends what waits so
supervisor, client, front, kept, attacker = begin("signals", mode=())
os.kill(kept, signal.SIGKILL)
tap.ok(not eventually(lambda: not os.path.exists(f"/proc/{kept}"), 1), "outside: SIGKILL does not end such a process")
os.kill(front, signal.SIGKILL)
supervisor.process.send_signal(signal.SIGTERM)
tap.ok(supervisor.wait() is not None, "the front killed, then the service stopped: the monitor ends")
tap.same(leftovers(supervisor), [], "the front killed: no group, no mount is left")
finish("the front killed", supervisor, front, kept, attacker)

# SIGTERM
for name, mode in (("private", ("--private",)), ("service", ())):
    supervisor, client, front, kept, attacker = begin(name, mode)
    supervisor.process.send_signal(signal.SIGTERM)
    tap.same(supervisor.wait(), 0, f"{name}, SIGTERM: the monitor ends well")
    tap.ok(client.is_closed(), f"{name}, SIGTERM: clients are closed, though its child has their sockets")
    tap.same(leftovers(supervisor), [], f"{name}, SIGTERM: no group, no mount is left")
    supervisor.start()
    tap.ok(serves(supervisor), f"{name}, SIGTERM: the next one serves, and does not wait for it")
    finish(f"{name}, SIGTERM", supervisor, front, kept, attacker)

# the end of a private one whose last client has gone
supervisor, client, front, kept, attacker = begin("idle")
client.close()
tap.ok(supervisor.wait() is not None, "idle: a private supervisor that nobody needs ends")
tap.same(leftovers(supervisor), [], "idle: nothing is left")
finish("idle", supervisor, front, kept, attacker)

# a front that dies of something else: its child keeps all its descriptors, the lock of the ledger too
supervisor, client, front, kept, attacker = begin("crash", mode=())
jail = client.call("jail.create", {"keep": True})["result"]["jail"]
for which in "the service serves again, though the file's server goes on", "nor does the next one heed what is kept":
    old = supervisor.front()
    os.kill(old, signal.SIGKILL)
    tap.ok(eventually(lambda: supervisor.front() not in (None, old) and serves(supervisor)), f"crash: {which}")
tap.ok("error" in supervisor.client().call("jail.stats", {"jail": jail}), "crash: the jails of the old one have ended")
tap.ok(waits(kept), "crash: the child of the first still waits")
attacker.stop()
tap.ok(eventually(lambda: not waits(kept)), "crash: until the server is gone")
supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(), 0, "crash: it ends well")
tap.same(leftovers(supervisor), [], "crash: nothing is left")
supervisor.start()
tap.ok(serves(supervisor), "crash: and the ledger is whole")
supervisor.stop()
tap.end()
