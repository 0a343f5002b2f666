#!/usr/bin/env -S python3 -B
"""ends: kill -9 of the front, an init, a client, the monitor, while commands run: each with the end that its
peers were promised, and nothing left behind; of the monitor, nothing after the next start."""
import os
import signal
import time

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()


def children(pid):
    """All processes below @pid: {pid: name}."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                text = file.read()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        found[int(entry)] = (int(rest[1]), name)
    below, grown = {pid}, True
    while grown:
        grown = {p for p, (parent, _) in found.items() if parent in below} - below
        below |= grown
    return {p: found[p][1] for p in below if p in found and p != pid}


def is_asleep(pid, seconds):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read() == f"sleep\0{seconds}\0"
    except OSError:  # it has ended
        return False


def sleeper(supervisor, seconds):
    """The process of the supervisor that sleeps so long, None where there is none."""
    return next((pid for pid in children(supervisor.process.pid) if is_asleep(pid, seconds)), None)


def begin(name, **create):
    """A supervisor in which a command sleeps, with a daemon beside it."""
    supervisor = Supervisor(name)
    client = supervisor.client()
    client.send("jail.create", {"exec": {"argv": ["sh", "-c", "setsid sleep 4242 & sleep 4243"]}, **create})
    client.notes.append(client.line())
    tap.ok(eventually(lambda: sleeper(supervisor, 4242) and sleeper(supervisor, 4243)), f"{name}: a command sleeps, and a daemon beside it")
    return supervisor, client


def is_alive(pid):
    """A dead one that its new parent, process 1 of this host, has not reaped yet is none of ours."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pids):
    return eventually(lambda: not [p for p in pids if is_alive(p)])


# the client
supervisor, client = begin("client")
pids = list(children(supervisor.process.pid)) + [supervisor.process.pid]
client.close()
tap.same(supervisor.wait(), 0, "client gone: the private supervisor ends well")
tap.ok(gone(pids), "client gone: no process is left")
tap.same(supervisor.leftovers(), [], "client gone: nothing is left")
supervisor.stop()

# the front
supervisor, client = begin("front")
below = children(supervisor.process.pid)
os.kill(next(p for p, name in below.items() if name == "warder-front"), signal.SIGKILL)
tap.ok(client.is_closed(), "front killed: its clients are closed")
tap.same(supervisor.wait(), 1, "front killed: a private supervisor ends, with an error")
tap.ok(gone(below), "front killed: no process is left")
tap.same(supervisor.leftovers(), [], "front killed: nothing is left")
supervisor.start()
other = supervisor.client()
tap.ok("result" in other.call("jail.create", {"exec": {"argv": ["true"]}}), "front killed: the next one serves")
other.close()
supervisor.wait()
supervisor.stop()

# an init: the only process of its jail's namespace that others wait for
supervisor, client = begin("init")
other = supervisor.client()
other.send("jail.create", {"exec": {"argv": ["sh", "-c", "sleep 1; echo on"]}})
other.line()
below = children(supervisor.process.pid)


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


asleep = sleeper(supervisor, 4243)
init = parent_of(asleep)
while "init" not in below.get(init, "init"):
    init = parent_of(init)
os.kill(init, signal.SIGKILL)
record = client.answer()["result"]["command"]
tap.same(record["cause"], "jail_ended", "init killed: its command ends as jail_ended")
tap.ok(gone([asleep]), "init killed: its commands are gone")
tap.same(other.answer()["result"]["command"]["output"]["stdout"]["text"], "on\n", "init killed: another jail goes on")
tap.ok("result" in client.call("jail.create", {"exec": {"argv": ["true"]}}), "init killed: the next jail is made")
client.close()
other.close()
tap.same(supervisor.wait(), 0, "init killed: the supervisor ends well")
tap.same(supervisor.leftovers(), [], "init killed: nothing is left")
supervisor.stop()

# the monitor
supervisor, client = begin("monitor")
below = children(supervisor.process.pid)
supervisor.process.kill()
supervisor.process.wait()
tap.ok(client.is_closed(), "monitor killed: its clients are closed")
tap.ok(gone(below), "monitor killed: no process is left", {p: n for p, n in below.items() if os.path.exists(f"/proc/{p}")})
supervisor.start()
other = supervisor.client()
tap.ok("result" in other.call("jail.create", {"exec": {"argv": ["true"]}}), "monitor killed: the next one serves")
other.close()
tap.same(supervisor.wait(), 0, "monitor killed: and ends well")
tap.same(supervisor.leftovers(), [], "monitor killed: nothing is left after the next start")
supervisor.stop()

# a kept jail keeps its supervisor, and an idle start ends
supervisor = Supervisor("keep")
client = supervisor.client()
jail = client.call("jail.create", {"keep": True})["result"]["jail"]
client.close()
time.sleep(0.5)
client = supervisor.client()
tap.same([j["jail"] for j in client.call("jail.list")["result"]["jails"]], [jail], "a kept jail outlives its client")
client.send("jail.destroy", {"jail": jail})
client.answer()
client.close()
tap.same(supervisor.wait(), 0, "with the last jail the supervisor goes")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
tap.end()
