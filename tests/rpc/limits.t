#!/usr/bin/env -S python3 -B
"""limits: of the jail and, below it, of one command; read back from the kernel's own files; and floods that must
not reach the supervisor. On cgroup v1 and v2 alike: the jail's own words say which it is."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading

from front_lib import SOURCE, Tap
from supervisor_lib import CGROUPS, Supervisor, eventually, need_jails

need_jails()
tap = Tap()
MB = 1 << 20

# one command of each: below, by policy alone, in "narrow"
policies = tempfile.mkdtemp(prefix="warder-test-policies-")
shutil.copytree(os.path.join(SOURCE, "policies"), policies, dirs_exist_ok=True)
with open(os.path.join(policies, "narrow.json"), "w") as file:
    json.dump({"warder": "policy/1", "extends": "default", "command": {"memory": "48M", "pids": 6}}, file)
os.chmod(policies, 0o755)
supervisor = Supervisor("limits", policies)
client, second = supervisor.client(), supervisor.client()
for peer in client, second:  # an emulated machine takes its time
    peer.sock.settimeout(120)


def new_jail(**params):
    answer = client.call("jail.create", {"keep": True, **params})
    return answer.get("result", answer)


def run(jail, script, peer=None, **limits):
    answer = (peer or client).call("jail.exec", {"jail": jail, "argv": ["sh", "-c", script], "limits": limits})
    return answer.get("result") or {"cause": "refused", **answer["error"]}


def out(record):
    return (record.get("output") or {}).get("stdout", {}).get("text", "")


def group_of(text, controller):
    """The host's directory of the slot that a command saw itself in, by the end of its path."""
    rows = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    if v2:  # "/cmd/S/M" below the jail's group, which is the root of its namespace
        tail = [path for _, names, path in rows if not names][0].rsplit("/", 1)[0]
    else:
        tail = [path for _, names, path in rows if controller in names.split(",")][0]
    found = [where for where, _, _ in os.walk(os.path.join(CGROUPS, "" if v2 else controller))
             if supervisor.instance in where and where.endswith(tail)]
    return found[0] if len(found) == 1 else None


def value(group, *names):
    for name in names if group else ():
        try:
            with open(os.path.join(group, name)) as file:
                return file.read().strip()
        except OSError:
            pass
    return None


jail = new_jail(limits={"memory": 128 * MB, "pids": 40, "disk": 32 * MB})
v2 = jail["controls"]["cgroup"] == "v2"
jail = jail["jail"]
print(f"# cgroup {'v2' if v2 else 'v1'}")

HOG = "python3 -c 'b = bytearray({} << 20)'"
done = subprocess.run(["sh", "-c", HOG.format(100)])
tap.same(done.returncode, 0, "outside, 100 MB are no trouble")

# ---- one command below its jail
tap.same(run(jail, HOG.format(64))["cause"], "exited", "in the jail 64 MB are none either")
record = run(jail, "exec " + HOG.format(64), memory=32 * MB)
tap.ok(record["cause"] == "oom" and record["memory_peak_of"] == "command" and record["memory_peak"] <= 32 * MB,
       "with 32 MB of its own they are", record)
tap.same(run(jail, HOG.format(64))["cause"], "exited", "and the jail goes on")


def sleepers():
    return out(run(jail, "pgrep -c sleep"))


# whoever in it takes too much: half a command is no use, and a parent that lives on would tell of another end
record = run(jail, f"setsid sleep 300 >&- 2>&- <&- & {HOG.format(64)}; sleep 300; echo lives on", memory=32 * MB, wall=60000000)
tap.ok((record["cause"], record["signal"], record["hits"], out(record)) == ("oom", 9, ["memory"], "") and
       record["evidence"]["oom_kills"] >= 1, "a child that takes too much is the end of all of its command", record)
tap.ok(eventually(lambda: sleepers() == "0\n"), "its daemon too")
later = HOG.format(64).replace("'", '"')
record = run(jail, f"setsid sleep 300 >&- 2>&- <&- & setsid sh -c 'sleep 1; {later}' >&- 2>&- <&- & exit 0", memory=32 * MB)
tap.same(record["cause"], "exited", "a command that leaves such a one")
tap.ok(eventually(lambda: sleepers() == "0\n"), "has exited, and what it left ends whole")
record = run(jail, "sh -c 'kill -9 $$'; echo lives on; exit 3", memory=32 * MB)
tap.same((record["cause"], record["code"], record["hits"], out(record)), ("exited", 3, [], "lives on\n"), "a child that is killed otherwise is not")
record = run(jail, f"{HOG.format(64)} & wait; kill -9 $$", memory=128 * MB)
tap.same((record["cause"], record["signal"], record["hits"]), ("signaled", 9, []), "nor is a SIGKILL where there was room")
second.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1; done; echo lives on"], "limits": {"memory": 32 * MB}})
for _ in range(3):
    tap.same(run(jail, "exec " + HOG.format(200))["cause"], "oom", "beside it, a command that takes all of the jail's memory is ended")
record = second.answer()["result"]
tap.same((record["cause"], out(record)), ("exited", "lives on\n"), "and not the one with a limit of its own")
record = run(jail, "cat /proc/self/cgroup", memory=32 * MB, pids=7)
memory, pids = group_of(out(record), "memory"), group_of(out(record), "pids")
tap.same(value(memory, "memory.limit_in_bytes", "memory.max"), str(32 * MB), "the kernel has the memory limit")
tap.ok(value(memory, "memory.memsw.limit_in_bytes") == str(32 * MB) or value(memory, "memory.swap.max") == "0", "and no swap")
tap.same(value(pids, "pids.max"), "7", "and the processes")
tap.ok(not v2 or value(memory, "memory.oom.group") == "1", "on v2 the whole command goes at once")
record = run(jail, "sleep 5 & sleep 5 & sleep 5 & exit 0", pids=4)
tap.same(record["cause"], "exited", "four processes are four")
record = run(jail, "sleep 5 & sleep 5 & sleep 5 & sleep 5 & exit 0", pids=4)
tap.ok(record["cause"] == "pids_limit" and record["evidence"]["counted_for"] == "command", "and not five", record)
for name, most, word in ("memory", 128 * MB, "128 MiB"), ("pids", 40, "40"):
    record = run(jail, "exit 0", **{name: 2 * most})
    tap.ok(record["cause"] == "refused" and record["data"]["code"] == "denied" and record["data"]["path"] == f"/limits/{name}"
           and f"more than {word}" in record["message"], f"{name} above the jail's is refused", record)
record = run(jail, "exec " + HOG.format(200), memory=128 * MB, pids=40)
tap.ok(record["cause"] == "oom" and record["memory_peak_of"] == "jail" and record["memory_peak"] <= 128 * MB,
       "as much as the jail's is the jail's", record)
tap.same(run(jail, "true", memory=MB)["cause"], "refused", "less than 4 MB is refused")
seen = {out(run(jail, "cat /proc/self/cgroup", memory=(16 + n) * MB)).split("/cmd/")[-1].split("/")[0] for n in range(6)}
tap.ok(len(seen) <= 2, "narrow slots are used again", seen)
tap.same(run(jail, "head -c 20M /dev/zero > /home/user/big", memory=32 * MB)["cause"], "exited", "files of a command count for it")
records = [run(jail, "exec " + HOG.format(16), memory=32 * MB) for _ in range(4)]
tap.same([r["cause"] for r in records], ["exited"] * 4, "and not for the one that gets its slot")
tap.same(run(jail, "rm /home/user/big")["code"], 0, "they are the jail's")
record = run(jail, "setsid sleep 300 > /dev/null 2>&1 < /dev/null & sleep 300", memory=32 * MB, wall=200000)
tap.same(record["cause"], "wall_timeout", "a time limit ends all of a narrow command")
tap.ok(eventually(lambda: out(run(jail, "pgrep -c sleep")) == "0\n"), "its daemon too")
run(jail, "setsid sleep 300 > /dev/null 2>&1 < /dev/null & exit 0", memory=32 * MB)
tap.same(run(jail, "exec " + HOG.format(8), memory=32 * MB)["cause"], "exited", "a slot with leftovers is not taken")
tap.same(run(jail, "pkill sleep; echo x")["cause"], "exited", "leftovers can be ended")
crowd = [supervisor.client() for _ in range(6)]
for n, peer in enumerate(crowd):
    peer.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "exec " + HOG.format(14)], "limits": {"memory": (8 if n % 2 else 32) * MB}})
tap.same([peer.answer()["result"]["cause"] for peer in crowd], ["exited", "oom"] * 3, "six at a time, each with its own")
for peer in crowd:
    peer.close()
record = run(jail, "cat /proc/self/cgroup; for f in /sys/fs/cgroup /proc/self/cgroup; do echo max > $f/pids.max || echo 9 > $f; done 2>&-; mount -t cgroup -o pids x /mnt 2>&- "
             "|| mount -t cgroup2 x /mnt 2>&- || echo none", pids=9)
tap.ok(out(record).endswith("none\n") and value(group_of(out(record), "pids"), "pids.max") == "9", "a command cannot reach its own limits", record)
client.call("jail.destroy", {"jail": jail})

# ---- how many there were
jail = new_jail(limits={"memory": 128 * MB, "pids": 40})["jail"]
SLEEPERS = "i=1; while [ $i -lt {} ]; do sleep 2 & i=$((i+1)); done; wait"
peak = run(jail, SLEEPERS.format(9))["pids_peak"]
tap.ok(peak is None or 9 <= peak <= 10, "the most processes of a jail: nine, and perhaps one that waits", peak)
peak = run(jail, SLEEPERS.format(6), pids=12)["pids_peak"]
tap.ok(peak in (None, 6), "of a command with counters of its own: six", peak)
peak = run(jail, SLEEPERS.format(7), pids=12)["pids_peak"]
tap.ok(peak in (None, 7), "of the next one, which had more: seven", peak)
peak = run(jail, SLEEPERS.format(3), pids=12)["pids_peak"]
tap.same(peak, None, "of one that had less the kernel does not tell")
peak = run(jail, SLEEPERS.format(60))["pids_peak"]
tap.ok(peak is None or 20 <= peak <= 40, "never more than the limit", peak)
client.call("jail.destroy", {"jail": jail})

# ---- huge pages: one limit for all jails, where the controller is in the v2 tree
tree = CGROUPS if v2 else os.path.join(CGROUPS, "unified")
base = [where for where, _, _ in os.walk(tree) if os.path.basename(where) == f"warder-{supervisor.instance}"]
files = [name for name in os.listdir(base[0]) if name.startswith("hugetlb.") and name.endswith(".max")]
if files:
    tap.same({value(base[0], name) for name in files}, {"0"}, "no jail gets huge pages, nor reserves them")
else:
    tap.run += 1
    print(f"ok {tap.run} - huge pages # SKIP the controller hugetlb is not in the v2 tree")

# ---- by policy
narrow = new_jail(policy="narrow")
jail = narrow["jail"]
tap.same(run(jail, "exec " + HOG.format(64))["cause"], "oom", "command.memory of a policy holds for each command")
tap.same(run(jail, "for i in 1 2 3 4 5 6 7; do sleep 5 & done")["cause"], "pids_limit", "command.pids too")
tap.same(run(jail, "exec " + HOG.format(30), memory=16 * MB)["cause"], "oom", "a request may narrow it further")
record = run(jail, "true", memory=64 * MB)
tap.ok(record["cause"] == "refused" and record["data"]["code"] == "denied" and record["data"]["path"] == "/limits/memory",
       "and not widen it", record)
client.call("jail.destroy", {"jail": jail})

# ---- of the jail: processors, devices, memory.high
record = client.call("jail.create", {"exec": {"argv": ["sh", "-c", "nproc; cat /proc/self/cgroup; exec grep Cpus_allowed_list /proc/self/status"]},
                                     "limits": {"cpuset": "0"}})
if "error" in record and record["error"]["data"]["code"] == "unsupported":
    tap.ok("cpuset" in record["error"]["message"], "no cpuset here: the controller is named")
else:
    tap.ok(out(record["result"]["command"]).startswith("1\n") and "list:\t0\n" in out(record["result"]["command"]), "a cpuset", record)
    count = os.cpu_count()
    error = client.call("jail.create", {"limits": {"cpuset": f"0,{count + 3}"}}).get("error", {})
    tap.ok("cpuset" in error.get("message", "") and f"0,{count + 3}" in error["message"], "processors that the host lacks are refused", error)
tap.same(client.call("jail.create", {"limits": {"cpuset": "0-"}})["error"]["data"]["code"], "invalid", "an odd list is refused")
answer = client.call("jail.create", {"keep": True, "limits": {"io_read": 3 * MB, "io_write": 2 * MB}})
if "error" in answer:
    tap.ok(answer["error"]["data"]["code"] == "unsupported" and "io" in answer["error"]["message"], "no io limits here: said why", answer)
else:
    jail = answer["result"]["jail"]
    place = os.path.join(CGROUPS, "" if v2 else "blkio")
    text = "".join(open(os.path.join(where, f)).read() for where, _, files in os.walk(place) if supervisor.instance in where
                   for f in files if re.fullmatch(r"io\.max|blkio\.throttle\.(read|write)_bps_device", f))
    tap.ok(str(3 * MB) in text and str(2 * MB) in text, "io limits stand in the kernel", text)
    rw = supervisor.client()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
        os.chown(work, 1000, 1000)
        place, fd = os.stat(work), os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        rw.sock.bind(b"\0warder-rw/%x:%x:%x/" % (os.major(place.st_dev), os.minor(place.st_dev), place.st_ino) + os.urandom(8).hex().encode())
        shared = {"exec": {"argv": ["true"]}, "work": True, "rw": True}
        answer = rw.call("jail.create", {**shared, "limits": {"io_read": MB}}, fds=[fd])
        tap.ok(answer.get("result", {}).get("command", {}).get("code") == 0, "a shared directory may be read at a rate", answer)
        answer = rw.call("jail.create", {**shared, "limits": {"io_write": MB}}, fds=[fd])
        tap.ok("result" in answer if v2 else "io_write" in answer["error"]["message"], "and written at one, or that is refused by name", answer)
        os.close(fd)
    rw.close()
    line = out(run(jail, "grep -E 'blkio|^0::' /proc/self/cgroup"))
    tap.ok(v2 or "blkio:/warder-" in line, "and hold for commands", line)
    client.call("jail.destroy", {"jail": jail})
answer = client.call("jail.create", {"keep": True, "limits": {"memory": 64 * MB, "memory_high": 32 * MB}})
if v2:
    client.call("jail.destroy", {"jail": answer["result"]["jail"]})
tap.ok(("result" in answer) if v2 else (answer["error"]["data"]["code"], "memory_high" in answer["error"]["message"]) == ("unsupported", True),
       "memory_high where it can be had, refused by name where not", answer)

# ---- of each process
jail = new_jail()["jail"]
tap.same(out(run(jail, "ulimit -c; ulimit -Hc; ulimit -n", nofile=99)), "0\n0\n99\n", "no core, so many files")
record = run(jail, "python3 -c 'import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (200, 200))'", nofile=99)
tap.same(record["code"], 1, "and they cannot be raised")
client.call("jail.destroy", {"jail": jail})


# ---- floods: at several commands at once, into captures and into a pipe that nobody reads
def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(rf"{key}:\s+(\d+)", file.read()).group(1)) << 10


def ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return sum(map(int, file.read().rsplit(") ", 1)[1].split()[11:13]))


front = supervisor.front()
jail = new_jail(limits={"output_max": 64 * MB, "output_keep": 65536})["jail"]
run(jail, "yes", output_max=MB)
size, spent = status(front, "VmRSS"), ticks(front)
crowd = [supervisor.client() for _ in range(4)]
for peer in crowd:
    peer.send("jail.exec", {"jail": jail, "argv": ["yes", "x" * 1000]})
blocked, unread = supervisor.client(), os.pipe()
blocked.send("jail.exec", {"jail": jail, "argv": ["yes"], "stdio": ["null", "fd", "null"], "limits": {"wall": 3000000}}, fds=[unread[1]])
served = [second.call("warder.info") for _ in range(50)]
records = [peer.answer()["result"] for peer in crowd]
tap.same([r["cause"] for r in records], ["output_limit"] * 4, "four floods are ended at their limit")
tap.ok(all(64 * MB <= r["output"]["stdout"]["seen"] <= 66 * MB and r["output"]["stdout"]["kept"] <= 65536 for r in records),
       "each byte counted, few kept", [r["output"]["stdout"]["seen"] for r in records])
tap.ok(all("result" in answer for answer in served), "others are served meanwhile")
record = blocked.answer()["result"]
tap.ok(record["cause"] == "wall_timeout" and record["output"] is None, "a pipe that nobody reads blocks its writer alone", record)
grown, used = status(front, "VmHWM") - size, ticks(front) - spent
tap.ok(grown < 4 * MB, "the front's memory did not follow the flood", grown)
work = sum(r["user_usec"] + r["sys_usec"] for r in records) * os.sysconf("SC_CLK_TCK") // 1000000
tap.ok(used <= 5 + work // 4, "nor did its processor time", used, work)
for peer in crowd + [blocked]:
    peer.close()
os.close(unread[0])
os.close(unread[1])
reader, writer = os.pipe()
total = 0


def drain():
    global total
    while data := os.read(reader, 1 << 20):
        total += len(data)


thread = threading.Thread(target=drain)
thread.start()
client.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "yes | head -c 200000000"], "stdio": ["null", "fd", "null"]}, fds=[writer])
os.close(writer)
tap.same(client.answer()["result"]["cause"], "exited", "a flood into a caller's pipe is the caller's")
thread.join()
os.close(reader)
tap.ok(total == 200000000 and status(front, "VmHWM") - size < 4 * MB, "and does not pass through the supervisor", total)
client.call("jail.destroy", {"jail": jail})

# ---- children that are parked ahead count as processes of the jail: many commands at once leave a few of them
MANY = 40
jail = new_jail(limits={"pids": 64})["jail"]
for _ in range(MANY):
    client.send("jail.exec", {"jail": jail, "argv": ["sleep", "0.5"], "stdio": ["null"] * 3})
tap.same({client.answer()["result"]["cause"] for _ in range(MANY)}, {"exited"}, "many commands at once")


def processes():
    return client.call("jail.stats", {"jail": jail})["result"]["stats"][0]["pids"]["now"]


tap.ok(eventually(lambda: processes() <= 8), "of whose groups few have a child that waits afterwards", processes())
record = run(jail, "for i in $(seq 50); do sleep 0.1 & done; wait")
tap.same((record["cause"], record["code"]), ("exited", 0), "so a command has the processes that its jail may have")
client.call("jail.destroy", {"jail": jail})

# ---- a host without the controllers, seen from a mount namespace of its own
if not v2:
    poor = Supervisor("poor", wrap=["unshare", "-m", "sh", "-c", "umount /sys/fs/cgroup/cpuset /sys/fs/cgroup/blkio && exec \"$@\"", "sh"])
    peer = poor.client()
    tap.same(peer.call("jail.create", {"exec": {"argv": ["true"]}})["result"]["command"]["code"], 0, "without cpuset and blkio a jail is made")
    for name, limit in ("cpuset", "0"), ("io", {"io_read": MB}):
        error = peer.call("jail.create", {"limits": limit if isinstance(limit, dict) else {name: limit}}).get("error", {})
        tap.ok(error.get("data", {}).get("code") == "unsupported" and f'controller "{name}"' in error["message"],
               f"one that asks for {name} is not, and the controller is named", error)
    peer.close()
    tap.same((poor.wait(), poor.leftovers()), (0, []), "and nothing is left there")
    poor.stop()

client.close()
second.close()
tap.same(supervisor.wait(), 0, "the supervisor ends")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
shutil.rmtree(policies)
tap.end()
