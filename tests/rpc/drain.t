#!/usr/bin/env -S python3 -B
"""drain: files that wait to be taken apart keep no supervisor from ending, which the next call waits for; the next start
goes on with them. Whoever takes them apart is stopped here, as if they were without end, and looked at: it has nothing of
the monitor's open that would outlast a jail."""
import os
import signal
import time

from front_lib import Tap
from supervisor_lib import PATIENCE, Supervisor, eventually, need_jails

FILES = 20000

need_jails()
tap = Tap()


def fill(supervisor):
    where = os.path.join(supervisor.state, "store", "gone", "many")
    os.makedirs(where)
    for i in range(FILES):
        os.close(os.open(f"{where}/{i}", os.O_WRONLY | os.O_CREAT))


def taker(pid):
    """The child of the monitor that takes apart, the least important of all; it is stopped."""
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        try:
            fields = open(f"/proc/{child}/stat").read().rpartition(")")[2].split()
            if fields[16] == "19":
                os.kill(int(child), signal.SIGSTOP)
                return int(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return 0


def stop_taker(supervisor):
    """Its id; 0 where it was done before we looked."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and os.listdir(store + "/gone"):
        found = taker(supervisor.process.pid)
        if found:
            return found
    return 0


def opened(pid):
    """Of its descriptors those that are neither the store's nor its inputs and outputs."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names += [os.readlink(f"/proc/{pid}/fd/{fd}")] if int(fd) > 2 else []
        except FileNotFoundError:  # closed before it stood still
            pass
    return [name for name in names if not name.startswith((supervisor.state, "pipe:"))]


supervisor = Supervisor("drain")
store = os.path.join(supervisor.state, "store")
child = 0
for _ in range(10):  # a machine that does much else may look too late
    supervisor.process.send_signal(signal.SIGTERM)
    supervisor.process.wait()
    fill(supervisor)
    supervisor.start()
    child = stop_taker(supervisor)
    if child:
        break
tap.ok(child and os.listdir(os.path.join(store, "gone")), "who takes them apart stands still, with much to do")
tap.same(opened(child) if child else None, [], "and has nothing else of the monitor's open")
supervisor.process.send_signal(signal.SIGTERM)
tap.same(supervisor.wait(PATIENCE), 0, "the supervisor ends well")
tap.ok("did not end in time" not in supervisor.words(), "and does not say that jails kept it")
tap.ok(not os.path.exists(f"/proc/{child}"), "nor is there who was stopped")
tap.ok(os.listdir(os.path.join(store, "gone")), "what it left is there")
supervisor.start()
tap.ok(eventually(lambda: not os.listdir(os.path.join(store, "gone"))), "the next start takes it apart")
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left")
tap.end()
