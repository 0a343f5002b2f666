#!/usr/bin/env -S python3 -B
"""causes: each end provoked, and each forged by a command that wants to be taken for another."""
import json

from front_lib import Tap
from supervisor_lib import Supervisor, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("causes")
client, second = supervisor.client(), supervisor.client()
for peer in client, second:  # an emulated machine takes its time
    peer.sock.settimeout(120)
MB = 1 << 20
HOG = "b = bytearray({} << 20)"
LIMITS = {"memory": 96 * MB, "pids": 24, "disk": 8 * MB, "inodes": 400}


def new_jail():
    return client.call("jail.create", {"keep": True, "limits": LIMITS})["result"]["jail"]


def end_jail(jail):
    client.call("jail.destroy", {"jail": jail})


def begin(jail, script, peer=client, **limits):
    """Start a script; it stands once "started" came."""
    peer.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", script], **({"limits": limits} if limits else {})})


def finish(peer=client):
    answer = peer.answer()
    return answer.get("result") or {"cause": "refused", "answer": answer}


def run(jail, script, **limits):
    begin(jail, script, **limits)
    return finish()


def short(record):
    return record["cause"], record["code"], record["signal"], record["hits"]


def alone(script, want, what, **limits):
    """One script in a jail of its own."""
    jail = new_jail()
    record = run(jail, script, **limits)
    end_jail(jail)
    tap.ok(short(record) == want, what, short(record), want, record.get("evidence"))
    return record


PYTHON_HOG = "python3 -c '{}'".format(HOG.format(200))
PIDS = "i=0; while [ $i -lt 40 ]; do sleep 9 & i=$((i+1)); done; "
FILL = "head -c 30M /dev/zero > /home/user/fill; "
WAIT = "while [ ! -e /home/user/{0} ]; do sleep 0.02; done; "

# ---- provoked
record = alone("exec " + PYTHON_HOG, ("oom", 0, 9, ["memory"]), "out of memory")
tap.ok(record["evidence"] == {"counted_for": "jail", "others": False, "oom_kills": 1, "forks_refused": 0,
                              "disk_full_before": False}, "with the kernel's count", record)
tap.ok(90 * MB <= record["memory_peak"] <= 96 * MB and record["memory_peak_of"] == "jail", "and the peak", record)
alone("exec " + PYTHON_HOG, ("oom", 0, 9, ["memory"]), "out of its own memory", memory=32 * MB)
alone(PYTHON_HOG + "; exit 3", ("oom", 3, None, ["memory"]), "a child out of memory, and the command failed")
alone(PIDS + "exit 1", ("pids_limit", 2, None, ["pids"]), "no more processes")
alone(PIDS + "exit 1", ("pids_limit", 2, None, ["pids"]), "no more processes of its own", pids=5)
alone(FILL + "exit 1", ("disk_limit", 1, None, ["disk"]), "disk full")
alone("cd /home/user; i=0; while : > f$i; do i=$((i+1)); done 2>&-; exit 1", ("disk_limit", 2, None, ["inodes"]), "no inode left")
alone("sleep 60", ("wall_timeout", 0, 9, ["wall"]), "wall time", wall=200000)
alone("while :; do :; done", ("cpu_timeout", 0, 9, ["cpu"]), "processor time", cpu_time=200000)
alone("yes", ("output_limit", 0, 9, ["output"]), "output", output_max=MB)
alone("kill -KILL $$", ("signaled", 0, 9, []), "a bare SIGKILL")
alone("kill -SYS $$", ("signaled", 0, 31, []), "SIGSYS by itself: the kernel does not tell it from the filter's")
alone("exec head -c 2M /dev/zero > /home/user/f", ("signaled", 0, 25, []), "a file beyond fsize", fsize=MB)

# ---- forged
alone("echo 'Out of memory: Killed process 1 (sh)' >&2; kill -9 $$", ("signaled", 0, 9, []), "SIGKILL with the words of an oom")
for code in (137, 124, 143, 125):
    alone(f"exit {code}", ("exited", code, None, []), f"the exit code {code} alone says nothing")
alone("sh -c 'kill -9 $$'; exit 137", ("exited", 137, None, []), "a child that kills itself is no oom")
alone("echo 'time limit exceeded'; kill -TERM $$", ("signaled", 0, 15, []), "SIGTERM is no timeout")
alone("echo 'fork: Resource temporarily unavailable'; exit 254", ("exited", 254, None, []), "the words of a full process table")
alone("echo 'No space left on device'; exit 1", ("exited", 1, None, []), "the words of a full disk")
alone(PYTHON_HOG + "; exit 0", ("exited", 0, None, ["memory"]), "a child out of memory, and the command ends well")
alone("python3 -c 'import os, signal, sys\ntry:\n  while True:\n    if not os.fork(): signal.pause()\n"
      "except BlockingIOError: sys.exit(0)'", ("exited", 0, None, ["pids"]), "refused once, ends well: a hit and no cause")
alone(FILL + "rm /home/user/fill; exit 1", ("exited", 1, None, []), "filled and freed again: no trace, so no cause")
record = alone("yes | head -c 3000000; kill -9 $$", ("signaled", 0, 9, []), "much output, then a SIGKILL", output_keep=1000)
tap.ok(record["output"]["stdout"]["seen"] == 3000000 and record["output"]["stdout"]["kept"] == 1000, "all of it counted",
       record["output"]["stdout"]["seen"])

# ---- the disk was full before
jail = new_jail()
record = run(jail, FILL + "exit 0")
tap.same(short(record), ("exited", 0, None, ["disk"]), "a command that fills the disk and ends well")
record = run(jail, "exit 1")
tap.ok(short(record) == ("exited", 1, None, ["disk"]) and record["evidence"]["disk_full_before"],
       "the next one fails for a reason of its own: listed, no cause", record)
tap.same(short(run(jail, "rm /home/user/fill; exit 1")), ("exited", 1, None, []), "one that frees it has no hit")
tap.same(short(run(jail, FILL + "exit 1")), ("disk_limit", 1, None, ["disk"]), "and one that fills it again is at fault")
end_jail(jail)

# ---- whose was it: two in one jail
jail = new_jail()
begin(jail, WAIT.format("go") + "exit 1")
begin(jail, "exec " + PYTHON_HOG, second)
victim = finish(second)
tap.ok(victim["cause"] == "oom" and victim["evidence"]["others"], "out of memory beside another: its own process was killed", victim)
pair = [run(jail, "touch /home/user/go"), finish()]  # which of the two ends first is the machine's affair
record = next((one for one in pair if one["code"] == 1), pair[1])
tap.ok(short(record)[:3] == ("exited", 1, None), "the other one failed for a reason of its own", record)
tap.ok(record["hits"] == ["memory"] and record["evidence"]["others"], "it says that the limit was hit, and that others ran", record)
end_jail(jail)

jail = new_jail()
begin(jail, WAIT.format("go") + "exit 1")
narrow = run(jail, "exec " + PYTHON_HOG, memory=32 * MB)
tap.ok(narrow["cause"] == "oom" and narrow["evidence"]["counted_for"] == "command", "a narrow one beside another", narrow)
second.call("jail.exec", {"jail": jail, "argv": ["touch", "/home/user/go"]})
record = finish()
tap.ok(short(record)[:3] == ("exited", 1, None), "the other one has nothing of it", record)
end_jail(jail)

jail = new_jail()
begin(jail, WAIT.format("go") + "exit 1", pids=8)
record = run(jail, PYTHON_HOG + "; exit 1", memory=32 * MB)
tap.ok(record["cause"] == "oom", "a child's memory, in a narrow slot beside another: proved by its own counter", record)
second.call("jail.exec", {"jail": jail, "argv": ["touch", "/home/user/go"]})
record = finish()
tap.same(short(record), ("exited", 1, None, []), "another narrow one beside it has no hit at all")
end_jail(jail)

jail = new_jail()
begin(jail, WAIT.format("go") + "exit 1")
record = run(jail, PIDS + "exit 1")
tap.ok(record["cause"] == "exited" and record["hits"] == ["pids"] and record["evidence"]["others"],
       "refused forks with company: listed, and nobody's cause", record)
second.call("jail.exec", {"jail": jail, "argv": ["touch", "/home/user/go"], "limits": {"pids": 2}})
tap.ok(finish()["cause"] == "exited", "nor the other's")
end_jail(jail)

# ---- after the command's end
jail = new_jail()
record = run(jail, "(setsid sh -c '" + WAIT.format("go") + "python3 -c \"" + HOG.format(200) + "\"; touch /home/user/done' "
             "> /dev/null 2>&1 < /dev/null &) ; exit 0")
tap.same(short(record), ("exited", 0, None, []), "a command that leaves a daemon ends well")
record = run(jail, "touch /home/user/go; " + WAIT.format("done") + "exit 1")
tap.ok(short(record) == ("exited", 1, None, ["memory"]) and record["evidence"]["others"],
       "the daemon runs out of memory: not the next command's cause", record)
tap.same(short(run(jail, "exit 1")), ("exited", 1, None, []), "and nothing of it is left for the one after")
end_jail(jail)

# ---- by others
jail = new_jail()
second.notes.clear()
begin(jail, "sleep 60", second)
second.notes.append(second.line())
client.call("jail.signal", {"jail": jail, "command": second.notes[-1]["params"]["command"], "signal": 9})
tap.same(finish(second)["cause"], "killed_by_client", "killed by a client")
begin(jail, "sleep 60", second)
second.notes.append(second.line())
end_jail(jail)
tap.same(finish(second)["cause"], "jail_ended", "the jail was ended")
answer = client.call("jail.create", {"exec": {"argv": ["/nosuch"]}})
record = answer["result"]["command"]
tap.ok((record["cause"], record["step"], record["errno"]) == ("not_started", "exec", 2), "not started: step and errno", record)

client.close()
second.close()
tap.same(supervisor.wait(), 0, "the supervisor ends")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
tap.end()
