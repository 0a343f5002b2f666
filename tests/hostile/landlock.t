#!/usr/bin/env -S python3 -B
"""landlock: the second wall in real jails: that it stands there, and that what programs do goes on under it.

What it holds by itself, without the first wall, is tests/jail/test-landlock. Here it shows by answers that only
it gives: EACCES where no rule allows what mode bits and capabilities would have answered otherwise.
"""
import os
import stat
import subprocess
import tempfile

from hostile_lib import Supervisor, Tap, bring, need_jails, root_of, run, text, tool

need_jails()
tap = Tap()
supervisor = Supervisor("landlock")
client = supervisor.client()
ABI = client.call("warder.info")["result"]["landlock"]
if ABI == 0:
    print("1..0 # SKIP no Landlock that serves in this kernel")
    raise SystemExit
AS_ROOT = {"user": {"uid": 0, "gid": 0}}
record = run(client, ["true"])
answer = client.call("jail.create", {"keep": True})["result"]
tap.same(answer["controls"]["landlock"], ABI, "the jail says which one stands")
jail = answer["jail"]


def python(words, params=None, **more):
    return run(client, ["python3", "-c", words], params, **more)


# ---- it stands: outside these are answered by modes and capabilities
NODE = "import os, stat, errno\ntry:\n os.mknod('/tmp/node', stat.S_IF{0} | 0o600, os.makedev(7, 200)); print('made')\nexcept OSError as e: print(errno.errorcode[e.errno])"
with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
    os.mknod(os.path.join(scratch, "node"), stat.S_IFBLK | 0o600, os.makedev(7, 200))
    tap.ok(stat.S_ISBLK(os.stat(os.path.join(scratch, "node")).st_mode), "outside a block device can be made")
for who, params in (("the user", None), ("id 0", AS_ROOT)):
    tap.same(text(python(NODE.format("BLK"), params)), "EACCES\n", f"{who}: no rule lets a block device be made")
    tap.same(text(python(NODE.format("CHR"), params)), "EPERM\n", f"{who}: a character device lacks the capability alone")

with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
    file.write(b"secret\n")
    file.flush()
    os.chmod(file.name, 0o666)
    AGAIN = "import os\ntry:\n print(os.write(os.open('/proc/self/fd/0', os.O_RDWR), b'changed'))\nexcept OSError as e: print('held', e.errno)"
    with open(file.name, "rb") as given:
        done = subprocess.run(["python3", "-c", AGAIN], stdin=given, capture_output=True, text=True, check=False, user=65533)
    tap.same(done.stdout, "7\n", "outside a file that was opened for reading can be opened again for writing")
    os.pwrite(file.fileno(), b"secret\n", 0)
    fd = os.open(file.name, os.O_RDONLY)
    tap.same(text(python(AGAIN, {"stdio": ["fd", "capture", "capture"]}, fds=[fd])), "held 13\n", "not in a jail")
    tap.same(text(python("print(input())", {"stdio": ["fd", "capture", "capture"]}, fds=[fd])), "secret\n", "where it can be read")
    with open(file.name, "rb") as now:
        tap.same(now.read(), b"secret\n", "and it is as it was")
    os.close(fd)

# ---- what programs do goes on
WORKS = [
    ("files move, are linked and renamed between directories",
     "mkdir -p /tmp/a /home/user/b && echo x >/tmp/a/f && ln /tmp/a/f /tmp/g && mv /tmp/a/f /tmp/h && mv /tmp/a /tmp/c &&"
     " cp /tmp/h /home/user/b/f && mv /home/user/b/f /home/user/f && mkfifo /tmp/q && truncate -s 0 /tmp/h && rm -r /tmp/c"),
    ("signals", "sleep 100 & kill -0 $! && kill -TERM $!; wait $!; [ $? -eq 143 ]"),
    ("a process group", "setsid sh -c 'sleep 100 & kill -TERM -$$' ; [ $? -eq 143 ]"),
    ("pipes by name", "echo x | cat /dev/stdin && [ \"$(cat /dev/fd/3 3<<E\nx\nE\n)\" = x ]"),
    ("a terminal of its own", "python3 -c \"import pty, os; exit(os.waitstatus_to_exitcode(pty.spawn(['sh', '-c', 'test -t 0 && stty -a'])))\""),
    ("abstract and named sockets",
     "python3 -c \"\nimport socket\nfor name in ('\\\\0own', '/tmp/own'):\n s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen()\n"
     " c = socket.socket(socket.AF_UNIX); c.connect(name)\""),
    ("shared memory, semaphores and pools",
     "python3 -c \"\nimport multiprocessing as m\nif __name__ == '__main__':\n"
     " with m.Pool(2) as p: assert p.map(abs, [-1, 2]) == [1, 2]\""),
    ("a program that it builds", "cd /tmp && echo 'int main(void){return 7;}' >a.c && { command -v cc >/dev/null || exit 0; } && cc -o a a.c; ./a; [ $? -eq 7 ]"),
    ("a library that it loads", "cp /lib/x86_64-linux-gnu/libm.so.6 /tmp/ 2>/dev/null || exit 0; LD_PRELOAD=/tmp/libm.so.6 true"),
    ("a script that it writes", "printf '#!/bin/sh\\nexit 3\\n' >/tmp/s && chmod +x /tmp/s && /tmp/s; [ $? -eq 3 ]"),
    ("memory files", "python3 -c \"import os; fd = os.memfd_create('x'); open(f'/proc/self/fd/{fd}', 'wb').write(b'x')\""),
    ("locks", "flock /tmp/lock true"),
]
for name, words in WORKS:
    record = run(client, ["sh", "-c", words])
    tap.ok(record["cause"] == "exited" and record["code"] == 0, f"works: {name}", record)


def exec_in(where, argv, **more):
    answer = client.call("jail.exec", {"jail": where, "argv": argv, **more})
    return answer.get("result", answer)


# ---- two commands of one jail are in one domain
other = supervisor.client()
reader, writer = os.pipe()
SERVE = "import os, signal, socket\ns = socket.socket(socket.AF_UNIX); s.bind('\\0between'); s.listen(); print(os.getpid(), flush=True)\nsignal.pause()"
debug = client.call("jail.create", {"keep": True, "policy": "debug"})["result"]["jail"]
other.send("jail.exec", {"jail": debug, "argv": ["python3", "-c", SERVE], "stdio": ["null", "fd", "null"]}, fds=[writer])
pid = os.read(reader, 100).decode().strip()
record = exec_in(debug, ["python3", "-c", "import socket; socket.socket(socket.AF_UNIX).connect('\\0between'); print('in')"])
tap.same(text(record), "in\n", "a command reaches an abstract socket of another one")
TRACE = "import ctypes, sys\nl = ctypes.CDLL(None, use_errno=True); print(l.ptrace(0x4206, int(sys.argv[1]), 0, 0), ctypes.get_errno())"
record = exec_in(debug, ["python3", "-c", TRACE, pid])
tap.same(text(record), "0 0\n", "a command traces another one, where the policy allows that")
record = exec_in(debug, ["sh", "-c", f"cat /proc/{pid}/environ >/dev/null && ls /proc/{pid}/fd >/dev/null && kill -TERM {pid} && echo sent"])
tap.same(text(record), "sent\n", "and signals it")
tap.same(other.answer()["result"]["signal"], 15, "which it gets")
record = exec_in(jail, ["sh", "-c", "sleep 300 & echo $!"])
pid = text(record).strip()
tap.same(text(exec_in(jail, ["sh", "-c", f"kill -KILL {pid} && echo sent"])), "sent\n", "what an earlier command left can be signalled")

# ---- a root that has only what it needs
tap.ok("result" in bring(client, "bare", root_of([tool("look")])), "a root of one program")
record = run(client, ["/bin/look", "list", "/"], snapshot="bare", policy="strict")
tap.ok(record["cause"] == "exited" and "bin" in text(record).split(), "strict, which requires Landlock, runs it", record)

for client_ in (client, other):
    client_.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
