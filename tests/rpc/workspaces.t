#!/usr/bin/env -S python3 -B
"""workspaces: persistent jails on disks of their own: made, stopped, started, removed, by one user and two, through
the end of everything, on full disks and damaged ones; and no loop device left behind."""
import glob
import io
import json
import os
import signal
import sqlite3
import subprocess
import tarfile
import time

os.environ.setdefault("WARDER_TEST_PATIENCE", "90")  # a disk that another has is waited for
from front_lib import PATIENCE, Tap
from supervisor_lib import Supervisor, eventually, need_disks, need_jails

need_jails()
need_disks()
tap = Tap()
MB = 1 << 20
supervisor = Supervisor("workspaces", mode=())
client = supervisor.client()


def devices(of=None):
    """Loop devices whose image is one of a supervisor's."""
    found = []
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        try:
            with open(path) as file:
                name = file.read().strip()
        except OSError:  # it went meanwhile
            continue
        if (of or supervisor).state in name:
            found.append(name)
    return found


def images():
    return sorted(glob.glob(supervisor.state + "/workspaces/*"))


def persistent(name, **more):
    return {"persistent": {"name": name, "disk": 64 * MB, **more}}


def run(name, text, who=None, **params):
    params = {**{"persistent": {"name": name}}, **params}
    return (who or client).call("jail.create", {"exec": {"argv": ["/bin/sh", "-c", text]}, **params})


def record(answer):
    return answer.get("result", {}).get("command", {"cause": answer.get("error")})


def out(answer):
    return record(answer).get("output", {}).get("stdout", {}).get("text", answer.get("error"))


def refused(answer):
    error = answer.get("error", {})
    return error.get("data", {}).get("code"), error.get("message", str(answer))


def listed(who=None, **params):
    return {j["workspace"]["name"]: j for j in (who or client).call("jail.list", params)["result"]["jails"] if "workspace" in j}


def state(name, who=None):
    return listed(who, all=True).get(name, {}).get("state")


def stopped(name, who=None):
    return eventually(lambda: state(name, who) == "stopped", PATIENCE)


# ---- one is made, stopped, started, removed
answer = client.call("jail.create", persistent("dev"))
if answer.get("error", {}).get("data", {}).get("code") == "unsupported":
    print(f"1..0 # SKIP {answer['error']['message']}")
    raise SystemExit(0)
tap.ok("result" in answer, "a workspace is made", answer)
jail = answer.get("result", {}).get("jail")
tap.same(answer["result"].get("workspace"), "dev", "its name is in the answer")
tap.same((state("dev"), len(devices()), len(images())), ("ready", 1, 1), "it runs, on one disk")
info = os.stat(images()[0])
tap.same((info.st_uid, info.st_mode & 0o7777, info.st_size, info.st_nlink), (0, 0o600, 64 * MB, 1), "which is root's alone")
tap.ok(info.st_blocks * 512 < 8 * MB, "and takes little", info.st_blocks * 512)
tap.same(os.stat(supervisor.state + "/workspaces").st_mode & 0o7777, 0o700, "in a directory of root's")
text = "echo kept > /home/user/f && mkdir /home/user/d && ln -s f /home/user/l && chmod 750 /home/user/d && echo gone > /tmp/g && rm -f /etc/x"
answer = client.call("jail.exec", {"jail": "dev", "argv": ["/bin/sh", "-c", text]})
tap.same((answer.get("result", answer).get("cause"), answer["result"].get("code")), ("exited", 0), "its name does for its id")
fs = client.call("jail.exec", {"jail": jail, "argv": ["df", "--output=size", "/"]})["result"]["output"]["stdout"]["text"]
tap.ok(40000 < int(fs.split()[1]) < 65536, "its root has the size of the disk", fs)
text = client.call("jail.exec", {"jail": jail, "argv": ["cat", "/proc/self/mountinfo"]})["result"]["output"]["stdout"]["text"]
rows = [line for line in text.splitlines() if " - ext4 " in line and "/usr" not in line.split()[4] and "/etc" not in line.split()[4]]
tap.ok(all("nosuid" in r and "nodev" in r for r in rows), "its disk is mounted nosuid and nodev", *rows)
tap.ok("result" in client.call("jail.stop", {"jail": "dev"}), "it is stopped")
tap.ok(state("dev") == "stopped" and eventually(lambda: not devices(), PATIENCE), "then its disk is free", devices())
tap.ok("dev" not in listed(), "a list of those alive does not have it")
answer = client.call("jail.exec", {"jail": "dev", "argv": ["true"]})
tap.same(refused(answer), ("not_found", "workspace dev does not run"), "nothing runs in it")
tap.same(answer["error"]["data"]["hint"], "start it: `warder start dev`", "and how to start it is said")
tap.ok("result" in client.call("jail.stop", {"jail": "dev"}), "to stop it again is nothing")
answer = client.call("jail.start", {"jail": "dev"})
tap.same(answer.get("result", {}).get("jail"), jail, "it is started, as the jail that it was")
tap.ok("result" in client.call("jail.start", {"jail": jail}), "to start it again is nothing")
tap.same(client.call("jail.exec", {"jail": "dev", "argv": ["/bin/sh", "-c", "cat /home/user/l; stat -c %a%U /home/user/d; ls /tmp"]})
         ["result"]["output"]["stdout"]["text"], "kept\n750user\n", "with the files that it had, /tmp empty")
code, words = refused(client.call("jail.destroy", {"jail": "dev"}))
tap.same(code, "denied", "it is not removed by mistake")
entry = listed(all=True)["dev"]
tap.same((entry["workspace"]["disk"], entry["state"]), (64 * MB, "ready"), "the list says what it is")

# ---- run: as it was found
tap.ok("result" in client.call("jail.stop", {"jail": "dev"}), "stopped again")
tap.same(out(run("dev", "cat /home/user/f")), "kept\n", "run starts it")
tap.ok(stopped("dev"), "and stops it")
tap.same(out(run("dev", "echo more >> /home/user/f; cat /home/user/f", keep=True)), "kept\nmore\n", "with keep")
tap.same(state("dev"), "ready", "it goes on")
tap.same(out(run("dev", "cat /home/user/f")), "kept\nmore\n", "run in one that runs")
tap.same(state("dev"), "ready", "leaves it running")
client.call("jail.stop", {"jail": "dev"})
two = [supervisor.client() for _ in range(2)]
for n, other in enumerate(two):
    other.send("jail.create", {**{"persistent": {"name": "dev"}}, "exec": {"argv": ["/bin/sh", "-c", f"echo {n} > /home/user/{n}"]}})
tap.same([record(other.answer())["cause"] for other in two], ["exited"] * 2, "two that start it at the same time have one")
tap.ok(stopped("dev"), "which stops when both have ended")
tap.same(out(run("dev", "cat /home/user/0 /home/user/1")), "0\n1\n", "and has what both wrote")
tap.ok(stopped("dev"), "and stops again")
gone = supervisor.client()
gone.send("jail.create", {**{"persistent": {"name": "dev"}}, "exec": {"argv": ["sleep", "1000"]}})
tap.ok(eventually(lambda: listed().get("dev", {}).get("commands") == 1, PATIENCE), "a command runs")
gone.close()
tap.ok(stopped("dev"), "whose caller goes: it stops")

# ---- what others make of its files: the jail that reads them has its ids
client.call("jail.start", {"jail": "dev"})
reader, writer = os.pipe()
client.send("jail.diff", {"jail": "dev"}, fds=[writer])
os.close(writer)
with os.fdopen(reader) as pipe:
    paths = [json.loads(line)["path"] for line in pipe]
tap.ok("result" in client.answer() and any("home/user/f" in path for path in paths), "its changes are told", *paths[:9])
answer = client.call("jail.fork", {"jail": "dev"})
fork = answer.get("result", {}).get("jails", [None])[0]
text = client.call("jail.exec", {"jail": fork, "argv": ["cat", "/home/user/l"]})
tap.same((out({"result": {"command": text.get("result", {})}}), len(devices()), len(images())), ("kept\nmore\n", 1, 1),
         "a fork has its files, and no disk")
client.call("jail.exec", {"jail": fork, "argv": ["rm", "/home/user/f"]})
client.call("jail.destroy", {"jail": fork})
tap.same(out({"result": {"command": client.call("jail.exec", {"jail": "dev", "argv": ["cat", "/home/user/f"]})["result"]}}), "kept\nmore\n",
         "what a fork changes is its own")
client.call("jail.stop", {"jail": "dev"})

# ---- names, and what is asked of one that is there
for name in ("", "../x", "a/b", "Dev", "j-abcdefghij", "j-x", ".", "..", "a..b", "x" * 33, "a b", "ä", "-a"):
    answer = client.call("jail.create", persistent(name))
    tap.ok("error" in answer, f"no name: {name!r}", answer)
for size in (1, 4096, 31 * MB, 1 << 43, 1 << 60):
    answer = client.call("jail.create", {"persistent": {"name": "size", "disk": size}})
    tap.same(answer.get("error", {}).get("code"), -32602, f"no size: {size}")
for more in ({"snapshot": "other"}, {"policy": "strict"}, {"limits": {"pids": 7}}, {"hostname": "h"}, {"user": {"uid": 5, "gid": 5}},
             {"persistent": {"name": "dev", "disk": 128 * MB}}, {"persistent": {"name": "dev", "ttl": 9000000}},
             {"persistent": {"name": "dev", "idle_stop": 9000000}}):
    tap.same(refused(client.call("jail.create", {**{"persistent": {"name": "dev"}}, **more}))[0], "exists",
             f"one that is there does not become another: {more}")
tap.ok("result" in client.call("jail.create", persistent("dev")), "what it was made with may be said")
client.call("jail.stop", {"jail": "dev"})
fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
tap.same(refused(client.call("jail.create", {"persistent": {"name": "dev"}, "work": True}, fds=[fd]))[0], "invalid", "no directory of the caller's")
os.close(fd)
tap.same(len(images()), 1, "no image of all that was refused")

# ---- it stands on its snapshot, whatever becomes of the name
def hello(name):
    answer = client.call("jail.open", {"jail": name, "path": "/hello", "flags": ["read"]})
    if not client.fds:
        return answer.get("error")
    with os.fdopen(client.fds.pop(), "rb") as file:
        return file.read()


archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w") as tar:
    entry = tarfile.TarInfo("hello")
    entry.size, entry.mode = 3, 0o644
    tar.addfile(entry, io.BytesIO(b"hi\n"))
fd = os.memfd_create("tar")
os.write(fd, archive.getvalue())
os.lseek(fd, 0, os.SEEK_SET)
tap.ok("result" in client.call("snapshot.import", {"name": "base"}, fds=[fd]), "a snapshot is imported")
os.close(fd)
answer = client.call("jail.create", {**persistent("based"), "snapshot": "0:base"})
tap.ok("result" in answer, "a workspace stands on it", answer)
tap.same(hello("based"), b"hi\n", "with its files")
tap.ok("result" in client.call("jail.create", {**persistent("based"), "snapshot": "0:base"}), "what was said when it was made may be said again")
tap.same(refused(client.call("jail.create", {**persistent("based"), "snapshot": "0:other"}))[0], "exists", "with another snapshot it is refused")
tap.ok("result" in client.call("jail.stop", {"jail": "based"}) and "result" in client.call("snapshot.remove", {"name": "base"}),
       "the snapshot goes while it is stopped")
tap.ok("result" in client.call("jail.start", {"jail": "based"}), "it is started all the same")
tap.same(hello("based"), b"hi\n", "with the files that it stands on")
tap.ok("result" in client.call("jail.destroy", {"jail": "based", "disk": True}), "when it is removed")
tap.ok(eventually(lambda: os.listdir(supervisor.state + "/store/layers") == [], PATIENCE), "so is what nobody needs any more")

# ---- a full disk inside
answer = run("dev", "dd if=/dev/zero of=/home/user/big bs=1M")
got = record(answer)
tap.same((got.get("cause"), got.get("hits"), got.get("code")), ("disk_limit", ["disk"], 1), "a full disk is the cause of an end")
tap.ok("No space left" in got.get("output", {}).get("stderr", {}).get("text", ""), "ENOSPC", got)
tap.ok(stopped("dev") and eventually(lambda: listed(all=True)["dev"]["workspace"]["taken"] > 50 * MB, PATIENCE), "it takes room on the host",
       listed(all=True)["dev"]["workspace"])
got = record(run("dev", "exit 1"))
tap.same((got.get("cause"), got.get("hits"), got.get("evidence", {}).get("disk_full_before")), ("exited", ["disk"], True),
         "one that is full when it starts is no cause")
answer = run("dev", "rm /home/user/big; i=0; while :> /home/user/d/$i; do i=$((i+1)); done")
tap.ok("inodes" in record(answer)["hits"] and stopped("dev"), "inodes run out", record(answer)["hits"])
tap.same(out(run("dev", "rm -r /home/user/d && sync; cat /home/user/f")), "kept\nmore\n", "what was there is there")
tap.ok(stopped("dev") and eventually(lambda: listed(all=True)["dev"]["workspace"]["taken"] < 12 * MB, PATIENCE), "what was deleted went back to the host",
       listed(all=True)["dev"]["workspace"])

# ---- exclusive: as long as anything has the disk, nobody else gets it
client.call("jail.start", {"jail": "dev"})
with open(images()[0], "rb") as image:
    taken = subprocess.run(["flock", "-n", "-x", images()[0], "true"]).returncode
tap.same(taken, 1, "its disk is locked while it runs")
client.call("jail.stop", {"jail": "dev"})
holder = subprocess.Popen(["flock", "-x", images()[0], "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
holder.stdout.readline()
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "busy" and "still in use" in words, "a disk that another has is not used", code, words)
children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(holder.pid)], capture_output=True, text=True).stdout.split()
for pid in [*children, holder.pid]:
    os.kill(int(pid), signal.SIGKILL)
holder.wait()
tap.ok(eventually(lambda: "result" in client.call("jail.start", {"jail": "dev"}), PATIENCE), "when it is free it is started")

# ---- who keeps a file of it open keeps its room: it is not removed meanwhile
keeper = supervisor.client()
client.call("jail.create", persistent("kept"))
client.call("jail.exec", {"jail": "kept", "argv": ["/bin/sh", "-c", "echo x > /home/user/x"]})
answer = keeper.call("jail.open", {"jail": "kept", "path": "/home/user/x", "flags": ["read"]})
held = keeper.fds.pop() if keeper.fds else None
tap.ok("result" in answer and held is not None, "a file is open outside", answer)
code, words = refused(client.call("jail.destroy", {"jail": "kept", "disk": True}))
tap.ok(code == "busy" and "file of it open" in words and len(images()) == 2, "then it is not removed", code, words)
tap.same((state("kept"), refused(client.call("jail.start", {"jail": "kept"}))[0]), ("removing", "busy"), "nor started: it is to go")
if held is not None:
    os.close(held)
tap.ok(eventually(lambda: "result" in client.call("jail.destroy", {"jail": "kept", "disk": True}) and len(images()) == 1, PATIENCE),
       "when that is closed it is", images())

# ---- the end of everything, at any time
def survive(how):
    global client
    how()
    supervisor.process.wait()
    tap.ok(eventually(lambda: not devices(), PATIENCE), "its device went with it", devices())
    supervisor.start()
    client = supervisor.client()


client.call("jail.exec", {"jail": "dev", "argv": ["/bin/sh", "-c", "echo flushed > /home/user/g; sync /home/user/g; echo x > /home/user/h"]})
survive(lambda: supervisor.process.kill())
tap.same(state("dev"), "stopped", "after kill -9 of the monitor it is stopped")
tap.same(out(run("dev", "cat /home/user/f /home/user/g")), "kept\nmore\nflushed\n", "and sound")
tap.ok(stopped("dev"), "and stopped")
client.call("jail.start", {"jail": "dev"})
os.kill(supervisor.front(), signal.SIGKILL)
tap.ok(eventually(lambda: not devices(), PATIENCE), "with its front its jail goes")


def again():
    global client
    try:
        client = supervisor.client()
        return state("dev") == "stopped"
    except (OSError, Exception):  # the next front comes in a second
        return False


tap.ok(eventually(again, PATIENCE), "the next front has it stopped")
tap.same(out(run("dev", "cat /home/user/g")), "flushed\n", "with its files")
tap.ok(stopped("dev"), "and it stops")
survive(lambda: supervisor.process.terminate())
tap.same(state("dev"), "stopped", "after an orderly end too")

# half made, half removed: the row is written before the disk is there, and after it is gone
answer = client.call("jail.create", persistent("half"))
client.call("jail.stop", {"jail": "half"})
before = images()


def unfinished():
    supervisor.process.kill()
    supervisor.process.wait()
    with sqlite3.connect(supervisor.state + "/front/ledger.db") as ledger:
        ledger.execute("UPDATE workspaces SET state = 2 WHERE name = 'half'")
        ledger.execute("INSERT INTO workspaces VALUES ('j-halfhalfaa', 0, 'never', 0, 99, 67108864, 0, 'host', x'', 5, 6, 0, 0, '{}', 1)")
    ledger.close()


survive(unfinished)
tap.ok(eventually(lambda: set(listed(all=True)) == {"dev"}, PATIENCE), "what was not finished is gone at the next start", listed(all=True))
tap.same((len(before), len(images())), (2, 1), "with its disk")
for moment in (0, 0.01, 0.02, 0.04, 0.08):  # wherever that hits: the disk is there, or it is not
    client.send("jail.create", persistent("killed"))
    time.sleep(moment)
    survive(lambda: supervisor.process.kill())
    tap.ok(eventually(lambda: state("killed") in (None, "stopped"), PATIENCE), "killed while it was made", state("killed"))
    tap.same(len(images()), 1 + (state("killed") is not None), "no disk without a workspace")
    if state("killed"):
        client.send("jail.destroy", {"jail": "killed", "disk": True})
        time.sleep(moment)
        survive(lambda: supervisor.process.kill())
        tap.ok(eventually(lambda: state("killed") in (None, "stopped"), PATIENCE), "killed while it was removed")
        client.call("jail.destroy", {"jail": "killed", "disk": True})
        tap.ok(eventually(lambda: len(images()) == 1, PATIENCE), "and removed")

# ---- a disk that somebody touched
image = images()[0]
client.call("jail.stop", {"jail": "dev"})
aside = supervisor.dir + "/aside"
subprocess.run(["cp", "--sparse=always", image, aside], check=True)
os.truncate(image, 33 * MB)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "jail" and "disk" in words, "a disk that was cut is refused", code, words)
subprocess.run(["cp", "--sparse=always", aside, image], check=True)
with open(image, "r+b") as file:
    file.seek(1024)
    file.write(os.urandom(1024))
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "jail" and "disk" in words and "damaged" in words, "one whose superblock is none is damaged", code, words)
subprocess.run(["cp", "--sparse=always", aside, image], check=True)
with open(image, "rb") as file:
    features = int.from_bytes(file.read(1024 + 100)[-4:], "little")
subprocess.run(["debugfs", "-w", "-R", f"set_super_value feature_incompat {features | 1 << 30}", image], check=True,
               stderr=subprocess.DEVNULL)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "unsupported" and "kernel does not take" in words, "one with a feature that no kernel knows is not called damaged",
       code, words)
subprocess.run(["cp", "--sparse=always", aside, image], check=True)
with open(image, "r+b") as file:
    file.seek(1024 + 120)
    file.write(b"another name")  # and the checksum of the superblock does not fit
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "jail" and "damaged" in words, "one whose checksum does not fit is", code, words)
os.truncate(image, MB)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "jail" and "not as it was made" in words, "and one that is too small", code, words)
os.unlink(image)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "jail" and "is gone: workspaces/" in words, "one that is gone is named, and is no fault of who asks", code, words)
os.symlink("/etc/passwd", image)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok("error" in client.call("jail.start", {"jail": "dev"}), "a link is not followed", code, words)
os.unlink(image)
subprocess.run(["cp", "--sparse=always", aside, image], check=True)
os.chmod(image, 0o666)
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok("not as it was made" in words, "one that others may write is refused", code, words)
os.chmod(image, 0o600)
tap.same(out(run("dev", "cat /home/user/g")), "flushed\n", "put back, it is what it was")
tap.ok(stopped("dev"), "and stops")
tap.ok(eventually(lambda: not devices(), PATIENCE), "no device was left by all that", devices())

# ---- time
client.call("jail.create", persistent("idle", idle_stop=1500000))
tap.ok(stopped("idle"), "what nothing runs in is stopped")
client.call("jail.destroy", {"jail": "idle", "disk": True})
busy = supervisor.client()
busy.send("jail.create", {**persistent("busy", idle_stop=1000000), "keep": True, "exec": {"argv": ["sleep", "4"]}})
tap.same((record(busy.answer())["cause"]), "exited", "a command that takes longer than that ends by itself")
tap.ok(stopped("busy"), "then it is idle")
client.call("jail.destroy", {"jail": "busy", "disk": True})
client.call("jail.create", persistent("brief", ttl=1000000))
client.call("jail.stop", {"jail": "brief"})
tap.ok(eventually(lambda: state("brief") is None and len(images()) == 1, PATIENCE), "one that was not used for its time to live is removed")
tap.ok(eventually(lambda: "workspace is removed: it was not used for its time to live" in supervisor.words()), "and the log says so")
client.call("jail.create", persistent("later", ttl=86400 * 1000000))
tap.ok("expires" not in listed(all=True)["later"]["workspace"], "one that runs does not expire")
client.call("jail.stop", {"jail": "later"})
tap.ok("expires" in listed(all=True)["later"]["workspace"], "a stopped one says when")

# ---- what tightened meanwhile holds
with open(supervisor.config + "/ceilings.json", "w") as file:
    json.dump({"warder": "ceilings/1", "users": {"0": {"quotas": {"workspace_disk": "100M"}, "limits": {"memory": "300M"}}}}, file)
tap.ok(eventually(lambda: refused(client.call("jail.start", {"jail": "later"}))[0] == "quota", PATIENCE), "a ceiling is looked at at each start")
tap.same(refused(client.call("jail.create", persistent("third")))[0], "quota", "and when one is made")
tap.ok("result" in client.call("jail.destroy", {"jail": "later", "disk": True}), "one is removed")
answer = client.call("jail.start", {"jail": "dev"})
tap.ok("result" in answer, "then there is room for the other", answer)
tap.same(client.call("jail.show", {"jail": "dev"})["result"]["limits"]["memory"], 300 * MB, "with what a ceiling leaves of its limits")
client.call("jail.stop", {"jail": "dev"})
os.unlink(supervisor.config + "/ceilings.json")

# ---- and at the end nothing
tap.ok(eventually(lambda: "result" in client.call("jail.destroy", {"jail": "dev", "disk": True}), PATIENCE), "it is removed")
tap.ok(eventually(lambda: not images() and listed(all=True) == {}, PATIENCE), "with its disk", images())
client.call("jail.create", persistent("last"))
supervisor.process.terminate()
supervisor.process.wait()
tap.ok(eventually(lambda: not devices(), PATIENCE), "no device outlives its supervisor", devices())
tap.same([left for left in supervisor.leftovers() if left != supervisor.run_dir], [], "nor a group or mount")
tap.end()
