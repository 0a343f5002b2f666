#!/usr/bin/env -S python3 -B
"""cli-events: why a jail has ended, as `warder events` tells it, for each way that a jail can end."""
import json
import os
import signal
import subprocess

from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails, no_disks
from terminal_lib import running

need_jails()
tap = Tap()
supervisor = Supervisor("cli-events")
client = supervisor.client()
client.sock.settimeout(MOST)
environment, warder = supervisor.environment, supervisor.warder


def told(*words):
    return [json.loads(line) for line in warder("events", "--once", "--json", *words).stdout.splitlines()]


def newest():
    return [event["jail"] for event in told() if event["event"] == "jail.created"][-1]


def ends(jail, cause, what):
    """It is over, and its last line says why; so do the events of that jail alone, as JSON."""
    eventually(lambda: told(jail)[-1:] and told(jail)[-1]["event"] == "jail.ended", MOST)
    line = warder("events", "--once", jail).stdout.splitlines()[-1:]
    tap.ok(line and line[0].endswith(f"{jail}  ended: {cause}"), f"{what}: {cause}", line)
    tap.same(told(jail)[-1]["data"].get("cause"), cause, "as JSON")


def create(*words):
    return warder("create", "--no-work", *words).stdout.strip()


def init_of(mark):
    """Process 1 of the jail in which a command has @mark in its words, as the host numbers it."""
    space = os.readlink(f"/proc/{running(mark)[0]}/ns/pid")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status") as file:
                numbers = next(line for line in file if line.startswith("NSpid:")).split()
            if numbers[-1] == "1" and os.readlink(f"/proc/{pid}/ns/pid") == space:
                return int(pid)
        except (OSError, StopIteration):
            continue
    return None


# --- each end
jail = create()
watcher = subprocess.Popen([COMMAND, "events", jail], env=environment, stdout=subprocess.PIPE, text=True)
watcher.stdout.readline()
warder("rm", jail)
ends(jail, "destroyed", "one that was removed")
rest = watcher.communicate(timeout=MOST)[0].splitlines()
tap.ok(rest and rest[-1].endswith("ended: destroyed") and watcher.returncode == 0, "who follows it hears so, and is done", rest)

warder("run", "--no-work", "--", "true")
ends(newest(), "command_done", "one whose command has ended")

lone = subprocess.Popen([COMMAND, "run", "--no-work", "--", "sleep", "64.125"], env=environment, stdin=subprocess.DEVNULL)
tap.ok(eventually(lambda: running("sleep\00064.125"), MOST), "one of a client")
lone.kill()
lone.wait()
ends(newest(), "client_gone", "which is killed")

short = client.call("jail.create", {"keep": True, "limits": {"wall": 200000}})["result"]["jail"]
ends(short, "wall_timeout", "one whose time is over")

jail = create()
warder("exec", "-d", jail, "--", "sleep", "65.25")
tap.ok(eventually(lambda: running("sleep\00065.25"), MOST), "one that is to lose its init")
os.kill(init_of("sleep\00065.25"), signal.SIGKILL)
ends(jail, "by_itself", "which is killed")

lacks = no_disks()
if not lacks:
    made = warder("create", "--persistent", "kept", "--disk", "64M")
    tap.ok(made.returncode == 0, "a workspace", made)
    kept = newest()
    warder("stop", "kept")
    ends(kept, "stopped", "a workspace that was stopped")
    warder("rm", "--force", "kept")
else:
    tap.ok(True, f"a workspace that was stopped # SKIP {lacks}")

supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
