#!/usr/bin/env -S python3 -B
"""jails: real ones over the socket: commands, causes, limits, descriptors, ends; and nothing left behind."""
import io
import os
import pty
import tarfile
import tempfile

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("jails")
client = supervisor.client()
MB = 1 << 20


def create(argv, exec_params=None, fds=(), **params):
    answer = client.call("jail.create", {"exec": {"argv": argv, **(exec_params or {})}, **params}, fds=fds)
    if "error" in answer:
        return {"cause": "refused", "error": answer["error"], "code": None, "hits": []}
    return answer["result"]["command"]


def shell(text, exec_params=None, **more):
    return create(["/bin/sh", "-c", text], exec_params, **more)


def out(record, stream="stdout"):
    return (record.get("output") or {}).get(stream, {}).get("text")


# ---- commands and their ends
record = shell("echo out; echo err >&2; exit 3")
tap.ok((record["cause"], record["code"], out(record), out(record, "stderr")) == ("exited", 3, "out\n", "err\n"),
       "output, errors and the code come back", record)
tap.same(out(shell("echo a; echo b >&2", {"stdio": ["null", "capture", "merge"]})), "a\nb\n", "errors can be merged")
record = create(["nosuch"])
tap.ok((record["cause"], record["step"], record["errno"]) == ("not_started", "exec", 2), "no such program", record)
record = create(["/etc/passwd"])
tap.ok((record["cause"], record["errno"]) == ("not_started", 13), "no program", record)
record = create(["true"], {"cwd": "/nosuch"})
tap.ok((record["cause"], record["step"]) == ("not_started", "cwd"), "no such directory", record)
record = shell("kill -TERM $$")
tap.ok((record["cause"], record["signal"]) == ("signaled", 15), "a signal", record)
record = shell("kill -KILL $$")
tap.ok((record["cause"], record["signal"], record["hits"]) == ("signaled", 9, []), "SIGKILL alone is no oom", record)
record = create(["python3", "-c", "import ctypes; ctypes.CDLL(None).syscall(165, 0, 0, 0, 0, 0); print('refused')"])
tap.same(out(record), "refused\n", "a forbidden call is refused, the program goes on")

# ---- identity and environment
tap.same(out(shell("id -u; id -g; id -G")), "1000\n1000\n1000\n", "the jail's user, no other group")
tap.same(out(create(["env"])).splitlines(), ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
         "HOME=/home/user", "USER=user", "LANG=C.UTF-8"], "a clean environment")
tap.same(sorted(out(create(["env"], {"env": {"A": "b=c", "USER": "x", "LANG": None}})).splitlines())[:1], ["A=b=c"],
         "variables can be added")
tap.ok("LANG" not in out(create(["env"], {"env": {"LANG": None}})), "and taken away")
tap.same(out(create(["id", "-u"], {"user": {"uid": 0, "gid": 0}})), "0\n", "id 0 of the jail can be asked for")
tap.same(out(create(["hostname"], hostname="box")), "box\n", "a host name")
big = ["x" * 30000] * 20
tap.same(out(create(["sh", "-c", "echo $#", "sh"] + big)), "20\n", "arguments above one message travel in a memfd")

# ---- limits
record = create(["python3", "-c", "b = bytearray(200 << 20)"], limits={"memory": 64 * MB})
tap.ok((record["cause"], record["signal"], record["hits"]) == ("oom", 9, ["memory"]), "oom", record)
record = shell("i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done", limits={"pids": 20})
tap.ok((record["cause"], "pids" in record["hits"]) == ("pids_limit", True), "pids_limit", record)
record = shell("head -c 40000000 /dev/zero > /tmp/../root.img || exit 1", {"user": {"uid": 0, "gid": 0}},
               limits={"disk": 4 * MB})
tap.ok((record["cause"], record["hits"]) == ("disk_limit", ["disk"]), "disk_limit", record)
record = shell("cd /home/user; i=0; while :; do : > f$i || exit 1; i=$((i+1)); done", limits={"inodes": 200})
tap.ok((record["cause"], record["hits"]) == ("disk_limit", ["inodes"]), "inodes too", record)
record = shell("yes", limits={"output_max": MB, "output_keep": 1000})
tap.ok((record["cause"], record["hits"]) == ("output_limit", ["output"]) and record["output"]["stdout"]["seen"] >= MB
       and record["output"]["stdout"]["kept"] <= 1000 and "left out" in out(record), "output_limit", record)
record = shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo end", limits={"output_keep": 1000})
tap.ok(record["cause"] == "exited" and out(record).endswith("x\nend\n") and out(record).startswith("xxx") and
       record["output"]["stdout"]["seen"] == 100005, "output_keep cuts and counts, head and tail stay", record)
record = shell("setsid sh -c 'trap \"\" TERM; sleep 300' & sleep 300", {"limits": {"wall": 300000}})
tap.same((record["cause"], record["hits"]), ("wall_timeout", ["wall"]), "wall_timeout ends daemons in sessions of their own")
record = shell("while :; do :; done", {"limits": {"cpu_time": 300000}})
tap.ok((record["cause"], record["hits"]) == ("cpu_timeout", ["cpu"]) and
       250000 < record["user_usec"] + record["sys_usec"] < 2000000, "cpu_timeout", record)
record = shell("sleep 300", limits={"wall": 300000})
tap.same(record["cause"], "wall_timeout", "the jail's own wall time is its command's cause")
tap.same(shell("ulimit -n", {"limits": {"nofile": 77}})["output"]["stdout"]["text"], "77\n", "open files")
record = shell("head -c 3000000 /dev/zero > /home/user/f", {"limits": {"fsize": MB}})
tap.ok(record["cause"] in ("exited", "signaled") and (record["code"] or record["signal"]), "file size", record)

# ---- descriptors
reader, writer = os.pipe()
record = shell("cat", {"stdio": ["fd", "capture", "null"]}, fds=[os.open(os.path.join(supervisor.dir, "log"), os.O_RDONLY)])
tap.ok("front is serving" in out(record), "a file as input", record)
record = shell("echo to the pipe", {"stdio": ["null", "fd", "null"]}, fds=[writer])
os.close(writer)
tap.ok(os.read(reader, 100) == b"to the pipe\n" and record["output"] is None, "a pipe as output is not counted", record)
tap.same(os.read(reader, 100), b"", "and nobody keeps its end")
master, slave = pty.openpty()
record = shell("test -t 0 && test -t 1 && echo to the terminal > /dev/tty && stty size < /dev/tty",
               {"stdio": ["fd", "fd", "fd"], "tty": True, "env": {"TERM": "vt100"}}, fds=[slave, slave, slave])
said = os.read(master, 1000)
tap.ok(record["code"] == 0 and b"to the terminal" in said, "a pty slave becomes the controlling terminal", record, said)
record = create(["python3", "-c", "import fcntl; fcntl.ioctl(0, 0x5412, b'x')"], {"stdio": ["fd", "null", "capture"], "tty": True},
                fds=[slave])
tap.ok(record["code"] == 1 and "Error" in out(record, "stderr"), "TIOCSTI is refused", record)

# ---- the work directory
with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
    os.chmod(work, 0o755)
    with open(os.path.join(work, "a"), "w") as file:
        file.write("was\n")
    fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    tap.same(shell("true", work=True, fds=[fd])["error"]["data"]["code"], "denied", "a directory that the connection does not name")
    place = os.fstat(fd)
    client.sock.bind(b"\0warder-dir/%x:%x:%x/" % (os.major(place.st_dev), os.minor(place.st_dev), place.st_ino) + os.urandom(8).hex().encode())
    record = shell("pwd; cat a; echo is > a; cat a; touch b", work=True, fds=[fd])
    if record["cause"] == "refused" and record["error"]["data"]["code"] == "unsupported":
        print(f"ok {tap.run + 1} - a work directory # SKIP {record['error']['message']}")
        tap.run += 1
    else:
        tap.same(out(record), "/work\nwas\nis\n", "the caller's directory is at /work, writable")
    tap.same((os.listdir(work), open(os.path.join(work, "a")).read()), (["a"], "was\n"), "and is not changed")
    os.close(fd)

with tempfile.TemporaryFile() as packed:
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo("sub/a")
        info.size, info.uid, info.gid, info.mode = 4, 1000, 1000, 0o644
        tar.addfile(info, io.BytesIO(b"was\n"))
    packed.seek(0)
    record = shell("pwd; cat sub/a && echo is > sub/a && cat sub/a", work=True, fds=[packed.fileno()])
    tap.same(out(record), "/work\nwas\nis\n", "a work directory that comes as an archive")
layers = os.path.join(supervisor.state, "store/layers")
tap.ok(eventually(lambda: os.listdir(layers) == []), "its layer goes with the jail", os.listdir(layers))

# ---- a jail that stays
answer = client.call("jail.create", {"keep": True})["result"]
jail = answer["jail"]
tap.same((answer["snapshot"], answer["policy"]), ("host", "default"), "a kept jail")
tap.ok(answer["controls"] == client.call("jail.show", {"jail": jail})["result"]["controls"] and
       answer["controls"]["seccomp"] == ["floor", "default"] and
       answer["controls"]["landlock"] == client.call("warder.info")["result"]["landlock"], "its walls are told", answer)
other = supervisor.client()


def exec_in(argv, peer=None, **more):
    answer = (peer or client).call("jail.exec", {"jail": jail, "argv": argv, **more})
    return answer.get("result", answer)


tap.same(exec_in(["sh", "-c", "echo kept > /home/user/f"])["code"], 0, "a command in it")
tap.same(out(exec_in(["cat", "/home/user/f"], other)), "kept\n", "another, by another connection")
record = exec_in(["sh", "-c", "setsid sleep 300 > /dev/null 2>&1 < /dev/null & echo $!"])
tap.ok(record["cause"] == "exited", "a command that leaves a daemon ends", record)
tap.same([exec_in(["true"])["code"] for _ in range(5)], [0] * 5, "others run beside it")
record = exec_in(["sleep", "300"], limits={"wall": 200000})
tap.same(record["cause"], "wall_timeout", "a time limit leaves the jail usable")
tap.same(exec_in(["true"])["code"], 0, "it is")
record = exec_in(["python3", "-c", "import os\nfor i in range(3):\n os.fork()\n"])
tap.same(record["cause"], "exited", "forks")
crowd = [supervisor.client() for _ in range(12)]
for peer in crowd:
    peer.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "sleep 0.2; echo done"]})
tap.same([out(peer.answer().get("result", {})) for peer in crowd], ["done\n"] * 12, "twelve commands at a time")
for peer in crowd:
    peer.close()
other.notes.clear()
other.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "trap 'echo got; exit 9' USR1; echo up; touch /tmp/up; while :; do sleep 0.05; done"]})
while not other.notes:
    message = other.line()
    other.notes.append(message)
command = other.notes[-1]["params"]["command"]
while exec_in(["test", "-e", "/tmp/up"])["code"] != 0:
    pass
tap.ok("result" in client.call("jail.signal", {"jail": jail, "command": command, "signal": 10}), "a signal is sent")
record = other.answer()["result"]
tap.ok((out(record), record["code"]) == ("up\ngot\n", 9), "and handled", record)
other.notes.clear()
other.send("jail.exec", {"jail": jail, "argv": ["sleep", "300"]})
other.notes.append(other.line())
client.call("jail.signal", {"jail": jail, "command": other.notes[-1]["params"]["command"], "signal": 9})
tap.same(other.answer()["result"]["cause"], "killed_by_client", "SIGKILL by a client is named")
answer = client.call("jail.open", {"jail": jail, "path": "/home/user/f", "flags": ["read"]})
tap.ok(answer.get("result", {}).get("size") == 5 and os.read(client.fds.pop(), 10) == b"kept\n", "a file is opened from inside", answer)
tap.same(client.call("jail.open", {"jail": jail, "path": "/etc/shadow", "flags": ["read"]}).get("error", {}).get("code"), -32000,
         "what the jail's user may not read is not")
tap.ok("error" in client.call("jail.open", {"jail": jail, "path": "/proc/self/mem", "flags": ["read", "write"]}), "nor /proc")
show = client.call("jail.show", {"jail": jail})["result"]
tap.ok(show["state"] == "ready" and show["keep"] and show["memory"] > 0 and show["pids"] >= 1, "jail.show", show)
tap.same(client.call("jail.destroy", {"jail": jail}).get("result"), {}, "jail.destroy answers when it is gone")
tap.same(client.call("jail.list")["result"]["jails"], [], "nothing is listed")

# ---- ends
lonely = supervisor.client()
lonely.send("jail.create", {"exec": {"argv": ["sleep", "300"]}})
lonely.line()
lonely.close()
tap.ok(eventually(lambda: client.call("jail.list")["result"]["jails"] == []), "an ephemeral jail ends with its client")
quick = supervisor.client()
quick.send("jail.create", {"exec": {"argv": ["sleep", "300"]}})
quick.close()
tap.ok(eventually(lambda: client.call("jail.list")["result"]["jails"] == []), "also with one that goes before the jail stands")
# ---- a directory of the kernel's own, by a client that does not refuse it itself
for place in ("/proc/self", "/proc", "/sys/kernel"):
    peer = supervisor.client()
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    what = os.fstat(directory)
    peer.sock.bind(f"\0warder-rw/{os.major(what.st_dev):x}:{os.minor(what.st_dev):x}:{what.st_ino:x}/{os.urandom(8).hex()}")
    error = peer.call("jail.create", {"work": True, "rw": True, "exec": {"argv": ["true"]}}, fds=[directory]).get("error", {})
    tap.ok(error.get("data", {}).get("code") in ("unsupported", "denied"), f"{place} is no directory for a jail to change", error)
    os.close(directory)
    peer.close()

many = [supervisor.client() for _ in range(8)]
for n, peer in enumerate(many):
    peer.send("jail.create", {"exec": {"argv": ["sh", "-c", f"echo {n}"]}})
tap.same([out(peer.answer().get("result", {}).get("command", {})) for peer in many], [f"{n}\n" for n in range(8)], "eight at a time")
for peer in many:
    peer.close()
client.close()
other.close()
tap.same(supervisor.wait(), 0, "when nobody needs it any more it ends")
tap.same(supervisor.leftovers(), [], "and leaves no group, mount or directory")
supervisor.stop()
tap.end()
