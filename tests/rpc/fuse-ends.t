#!/usr/bin/env -S python3 -B
"""fuse-ends: the end of a supervisor is no matter of who serves a file: its front has a thread that waits in the
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


def front_of(supervisor):
    with open(f"/proc/{supervisor.process.pid}/task/{supervisor.process.pid}/children") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm") as name:
                if name.read().startswith("warder-front"):
                    return int(pid)
    return None


def begin(name, mode=("--private",)):
    """A supervisor with a client that has a jail, and a front that a file's server keeps."""
    supervisor = Supervisor(name, mode=mode)
    client = supervisor.client()
    tap.ok("result" in client.call("jail.create", {}), f"{name}: a jail is made")
    front = front_of(supervisor)
    attacker = Attacker(supervisor.path, client)
    tap.ok(attacker.works, f"{name}: a thread of the front waits for the server of a file")
    return supervisor, client, front, attacker


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


def finish(name, supervisor, front, attacker):
    attacker.stop()
    tap.ok(eventually(lambda: not os.path.exists(f"/proc/{front}")), f"{name}: with the server gone the front is gone")
    supervisor.stop()


# the outside: neither SIGTERM nor SIGKILL ends what waits so
supervisor, client, front, attacker = begin("signals", mode=())
os.kill(front, signal.SIGKILL)
tap.ok(not eventually(lambda: not os.path.exists(f"/proc/{front}"), 1), "outside: SIGKILL does not end such a process")
supervisor.process.send_signal(signal.SIGTERM)
tap.ok(supervisor.wait(30) is not None, "the front killed, then the service stopped: the monitor ends")
tap.same(leftovers(supervisor), [], "the front killed: no group, no mount is left")
finish("the front killed", supervisor, front, attacker)

# SIGTERM
for name, mode in (("private", ("--private",)), ("service", ())):
    supervisor, client, front, attacker = begin(name, mode)
    supervisor.process.send_signal(signal.SIGTERM)
    tap.same(supervisor.wait(30), 0, f"{name}, SIGTERM: the monitor ends well")
    tap.ok(client.is_closed(), f"{name}, SIGTERM: clients are closed, though the front is still there")
    tap.same(leftovers(supervisor), [], f"{name}, SIGTERM: no group, no mount is left")
    old = front
    supervisor.start()
    tap.ok(serves(supervisor), f"{name}, SIGTERM: the next one serves, and does not wait for it")
    finish(f"{name}, SIGTERM", supervisor, old, attacker)

# the end of a private one whose last client has gone
supervisor, client, front, attacker = begin("idle")
client.close()
tap.ok(supervisor.wait(30) is not None, "idle: a private supervisor that nobody needs ends")
tap.same(leftovers(supervisor), [], "idle: nothing is left")
finish("idle", supervisor, front, attacker)

# a front that dies of something else: its ledger is locked as long as the kernel keeps it, no longer
supervisor, client, front, attacker = begin("crash", mode=())
os.kill(front, signal.SIGKILL)
attacker.stop()
tap.ok(eventually(lambda: serves(supervisor), 30), "crash: the service serves again once the file's server is gone")
tap.ok(not os.path.exists(f"/proc/{front}"), "crash: and the old front was reaped")
supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(30), 0, "crash: and ends well")
supervisor.stop()
tap.end()
