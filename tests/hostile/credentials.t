#!/usr/bin/env -S python3 -B
"""credentials: a command has no right and gains none; init and the spawner are out of its reach.

tests/hostile/attempts makes each attack outside first, against a process that lets it happen; what does not
work there proves nothing and is skipped. Then in jails: as the jail's user, as its id 0, and under the
policy that allows ptrace.
"""
import os
import shutil
import subprocess
import tempfile

import hostile_lib
from hostile_lib import Supervisor, Tap, eventually, need_jails, show_directory, text, tool

need_jails()
PROGRAM = tool("attempts")
INIT_ID = "65532"
AS_ROOT = {"user": {"uid": 0, "gid": 0}}
tap = Tap()


def words(output):
    """Which attacks got through, which were held, in lines of the program."""
    return [(line.startswith("GOT "), line.split(" ", 1)[1].split(":")[0]) for line in output.splitlines()
            if line.startswith(("GOT ", "held "))]


def outside(*args):
    """As process 1 of a pid namespace: some attacks kill all that they may."""
    done = subprocess.run(["unshare", "-p", "-f", "--mount-proc", PROGRAM, *args],
                          capture_output=True, text=True, check=False)
    return {name for got, name in words(done.stdout) if got}


supervisor = Supervisor("cred")
client = supervisor.client()
work = tempfile.TemporaryDirectory(dir="/var/tmp")
os.chmod(work.name, 0o755)
show_directory(client, work.name)
shutil.copy(PROGRAM, os.path.join(work.name, "attempts"))
capable = os.path.join(work.name, "capable")
shutil.copy(PROGRAM, capable)
# version 2, effective, CAP_CHOWN permitted
os.setxattr(capable, "security.capability", bytes.fromhex("0100000201000000" + "00000000" * 3))


def run(argv, policy="default", exec_params=None):
    fd = os.open(work.name, os.O_RDONLY | os.O_DIRECTORY)
    record = hostile_lib.run(client, argv, exec_params, fds=[fd], policy=policy, work=True)
    os.close(fd)
    return record


def hold(what, works, record, wanted):
    """Each of @wanted was tried in the jail and held."""
    tried = words(text(record))
    tap.ok(record["cause"] == "exited" and {name for _, name in tried} >= wanted, f"{what}: each was tried", record)
    for got, name in tried:
        if name not in works:
            tap.run += 1
            print(f"ok {tap.run} - {what}: {name} # SKIP it does not work outside either", flush=True)
        else:
            tap.ok(not got, f"{what}: {name}")


# ---- one's own rights
works = outside("rights")
JAILS = [("the user", "default", {}), ("id 0", "default", AS_ROOT), ("the user, ptrace allowed", "debug", {})]
for who, policy, params in JAILS:
    hold(who, works, run(["./attempts", "rights"], policy, params), works)

done = subprocess.run([capable, "permitted"], capture_output=True, text=True, check=False, user=65534, group=65534,
                      extra_groups=[])
for who, policy, params in JAILS:
    record = run(["./capable", "permitted"], policy, params)
    if done.stdout.startswith("GOT"):
        hold(who, {"gain a capability by a file"}, record, {"gain a capability by a file"})

# ---- init and the spawner
works = outside("weak")
for who, policy, params in JAILS:
    record = run(["./attempts", INIT_ID], policy, params)
    tap.ok(text(record).count("victim ") >= 2, f"{who}: init and the spawner are there to be attacked", record)
    hold(f"{who} on init and the spawner", works, record, works)
record = run(["./attempts", INIT_ID], exec_params={"user": {"uid": int(INIT_ID), "gid": 0}})
tap.ok(record["cause"] in ("refused", "not_started"), "init's own id is not to be had", record)

# ---- what they keep, read from outside: the host sees all processes
jail = client.call("jail.create", {"keep": True})["result"]["jail"]


def status_of(name):
    """What the host sees of each, and its user namespace."""
    for pid in supervisor.inside(name):
        try:
            with open(f"/proc/{pid}/status") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            space = os.readlink(f"/proc/{pid}/ns/user")
        except OSError:
            continue
        if status["Name"] == name:
            yield space, status


KEPT = f"{1 << 5 | 1 << 6 | 1 << 7:016x}"  # KILL, SETGID, SETUID
for name in ("warder-init", "warder-spawner"):
    found = list(status_of(name))
    # shells wait for their plan with the three of files jobs; the kept jail has given them up
    ended = [status for _, status in found if status["CapPrm"] == KEPT]
    tap.ok(ended and all(status["CapEff"] == KEPT and int(status["CapBnd"], 16) == 0 and status["Groups"].strip() == ""
                         and status["NoNewPrivs"] == "1" for status in ended),
           f"{name} keeps KILL, SETGID, SETUID in the jail's user namespace, and nothing to gain", found)
    tap.ok(found and all(space != os.readlink("/proc/self/ns/user") for space, _ in found),
           f"{name} is in a user namespace of its own")

# ---- starving init: the jail goes on after a command that takes all it can
ATTACKS = [
    ("a fork bomb", ["sh", "-c", "f() { f | f & }; f; sleep 1"], {"pids": 64}),
    ("processes that take all memory",
     ["python3", "-c", "import os\nfor _ in range(4): os.fork()\nx = []\nwhile True: x.append(bytearray(1 << 20))"], {"memory": 256 << 20}),
    ("busy loops at the highest priority that it may have",
     ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; sleep 1; exit 3"], {}),
    ("all descriptors", ["python3", "-c", "import os\ntry:\n while True: os.open('/dev/null', 0)\nexcept OSError: pass"], {}),
]
for name, argv, limits in ATTACKS:
    answer = client.call("jail.create", {"keep": True, "limits": limits})["result"]
    record = client.call("jail.exec", {"jail": answer["jail"], "argv": argv, "limits": {"wall": 3000000}})
    tap.ok("result" in record, f"{name} ends", record)
    records = []

    def goes_on():  # a bomb may be faster than the child that is parked for the next command: then there is room when it is ended
        records.append(client.call("jail.exec", {"jail": answer["jail"], "argv": ["echo", "on"]}).get("result", {}))
        return records[-1].get("cause") == "exited" and text(records[-1]) == "on\n"
    tap.ok(eventually(goes_on), f"{name}: init still starts commands", records[-1])
    client.call("jail.destroy", {"jail": answer["jail"]})

client.call("jail.destroy", {"jail": jail})
client.close()
work.cleanup()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
