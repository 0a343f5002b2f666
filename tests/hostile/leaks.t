#!/usr/bin/env -S python3 -B
"""leaks: what a command learns of the host, and what one jail learns of another.

A probe prints GOT when it has learned what it wanted; $1 is what there is to learn. It runs outside first,
where it must work, else it is skipped. The channels of tests/hostile/channels.c run as pairs of processes,
outside and in two jails of the same root.
"""
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

from hostile_lib import Supervisor, Tap, bring, need_jails, root_of, run, show_directory, text, tool

need_jails()
tap = Tap()
libc = ctypes.CDLL(None, use_errno=True)
os.environ["WARDER_CANARY"] = canary = f"canary-{os.getpid()}"
supervisor = Supervisor("leaks")
client = supervisor.client()
AS_ROOT = {"user": {"uid": 0, "gid": 0}}


def skip(name, why):
    tap.run += 1
    print(f"ok {tap.run} - {name} # SKIP {why}", flush=True)


def words_of(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def probe(name, script, secret="", params=None, prefix=(), **popen):
    """The same words outside and inside; @prefix makes the outside a place where there is something to see."""
    argv = ["sh", "-c", script, "sh", secret]
    done = subprocess.run([*prefix, *argv], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **popen)
    if "GOT" not in done.stdout:
        skip(name, "it does not work outside either")
        return
    record = run(client, argv, params)
    tap.ok(record["cause"] == "exited" and "GOT" not in text(record), f"held: {name}", record)


# ---- /proc
STAYS = {"cpuinfo", "filesystems", "loadavg", "meminfo", "mounts", "net", "self", "stat", "sys", "sysvipc", "tty",
         "thread-self", "uptime", "version"}
for name in sorted(os.listdir("/proc")):
    path = f"/proc/{name}"
    if name.isdigit() or name in STAYS or name in ("kmsg", "kcore"):
        continue
    if os.path.isdir(path):
        probe(f"list {path}", f'[ -n "$(ls -A {path} 2>/dev/null)" ] && echo GOT')
    else:
        probe(f"read {path}", f"[ -n \"$(head -c 64 {path} 2>/dev/null | tr -d '\\0')\" ] && echo GOT", params=AS_ROOT)
for name in ("kmsg", "kcore", "sysrq-trigger"):
    probe(f"have /proc/{name}", f"[ -f /proc/{name} ] && echo GOT", params=AS_ROOT)
probe("have a setting of the kernel to write", "find /proc/sys -writable -exec test -f {} \\; -print 2>/dev/null | grep -q . && echo GOT",
      params=AS_ROOT)
probe("learn the boot id", '[ "$(cat /proc/sys/kernel/random/boot_id)" = "$1" ] && echo GOT',
      words_of("/proc/sys/kernel/random/boot_id"))
probe("learn where core dumps go", '[ "$(cat /proc/sys/kernel/core_pattern)" = "$1" ] && echo GOT',
      words_of("/proc/sys/kernel/core_pattern"))
probe("learn the host's name", '[ "$(uname -n)" = "$1" ] || [ "$(cat /proc/sys/kernel/hostname)" = "$1" ] && echo GOT',
      socket.gethostname())
probe("learn the machine id", '[ -s /etc/machine-id ] || [ -s /var/lib/dbus/machine-id ] && echo GOT')
ids = [text(run(client, ["cat", "/proc/sys/kernel/random/boot_id"])) for _ in range(2)]
tap.ok(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n", ids[0]) and ids[0] != ids[1],
       "each jail has a boot id of its own", ids)

# ---- what a process has from its parents
reader, writer = os.pipe()
probe("have a descriptor above 2", 'for f in /proc/$$/fd/*; do [ "${f##*/}" -gt 9 ] && echo GOT; done', pass_fds=[reader, os.dup2(reader, 77)])
os.close(77)
probe("have the supervisor's environment", 'env | grep -q "$1" && echo GOT', canary)
probe("see it in another's", 'cat /proc/[0-9]*/environ 2>/dev/null | grep -q "$1" && echo GOT', canary)
victim = subprocess.Popen(["sleep", f"600.{os.getpid()}"])
probe("see the words of a process of the host", 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -q "slee[p] $1" && echo GOT',
      f"600.{os.getpid()}")
for name in ("mnt", "net", "ipc", "uts", "pid", "cgroup", "user"):
    probe(f"be in the host's namespace {name}", f'[ "$(readlink /proc/self/ns/{name})" = "$1" ] && echo GOT',
          os.readlink(f"/proc/self/ns/{name}"))
probe("have the host's ids", "grep -q ' 0 *0 *4294967295' /proc/self/uid_map && echo GOT")
probe("have the host's root", '[ "$(stat -c %d:%i /)" = "$1" ] && echo GOT', "{0.st_dev}:{0.st_ino}".format(os.stat("/")))

# ---- file systems
with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
    os.chmod(work, 0o755)
    show_directory(client, work)
    fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    look = 'cat /proc/self/mountinfo /proc/self/mounts /proc/self/mountstats | grep -q "$1" && echo GOT'
    done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /mnt; ' + look, "sh", work],
                          capture_output=True, text=True, check=False)
    record = run(client, ["sh", "-c", look, "sh", work], fds=[fd], work=True)
    tap.ok("GOT" in done.stdout and record["cause"] == "exited" and "GOT" not in text(record),
           "held: learn the path of the work directory", done, record)
    os.close(fd)
probe("find the store in the mounts", 'cat /proc/self/mountinfo | grep -q "$1" && echo GOT', "/var/lib/warder",
      prefix=["unshare", "-m", "sh", "-c", f'mkdir -p {supervisor.state}/m; mount -t tmpfs none {supervisor.state}/m; exec "$@"', "sh"])

mounts = [line.split() for line in text(run(client, ["cat", "/proc/self/mountinfo"])).splitlines()]
places = {m[4]: set(m[5].split(",")) for m in mounts}
kinds = {m[4]: m[m.index("-") + 1] for m in mounts}
tap.ok({"/", "/dev", "/dev/pts", "/dev/shm", "/proc", "/proc/sys", "/tmp", "/run", "/usr"} <= set(places), "the mounts are there", places)
with open("/proc/self/mountinfo") as file:
    tap.ok(any("nosuid" not in line.split()[5].split(",") for line in file), "outside some mount is without nosuid")
for place, flags in sorted(places.items()):
    device = place.startswith("/dev") and place != "/dev/shm" or place.startswith("/proc/") and "nodev" not in flags
    tap.ok("nosuid" in flags, f"{place} is nosuid", flags)
    tap.ok("nodev" in flags or device and ("ro" in flags or kinds[place] == "devpts"), f"{place} is nodev, or a read-only place of devices", flags)
    if place.startswith(("/usr", "/etc/", "/proc/")) or place == "/dev":
        tap.ok("ro" in flags, f"{place} is read-only", flags)
    if kinds[place] in ("proc", "devpts"):
        tap.ok("noexec" in flags, f"{place} is noexec", flags)

mode = os.stat("/dev/null").st_mode
for name, change in [("mode", "chmod 600 /dev/null"), ("owner", "chown 1000 /dev/null")]:
    run(client, ["sh", "-c", change], AS_ROOT)
    tap.ok(os.stat("/dev/null").st_mode == mode and os.stat("/dev/null").st_uid == 0, f"held: change the {name} of the host's /dev/null")
master, slave = os.openpty()
probe("see the host's terminals", "ls /dev/pts | grep -q '^[0-9]' && echo GOT")
os.close(master)
os.close(slave)

# ---- networks
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
abstract = socket.socket(socket.AF_UNIX)
abstract.bind(f"\0{canary}")
probe("see the host's connections", 'grep -q ":$1 " /proc/net/tcp && echo GOT', f"{listener.getsockname()[1]:04X}")
probe("see the host's sockets", 'grep -q "@$1" /proc/net/unix && echo GOT', canary)
probe("see the host's interfaces", "grep -v 'lo:\\||' /proc/net/dev | grep -q . && echo GOT")
probe("see the host's routes", '[ "$(wc -l </proc/net/route)" -gt 1 ] && echo GOT')

# ---- cgroups: the host sees the name of the group, the jail does not
jail = client.call("jail.create", {"keep": True})["result"]["jail"]
seen = text(client.call("jail.exec", {"jail": jail, "argv": ["cat", "/proc/self/cgroup"]})["result"])
unified = [line for line in seen.splitlines() if line.startswith("0::")]
host_groups = "".join(words_of(f"/proc/{pid}/cgroup") for pid in os.listdir("/proc") if pid.isdigit())
tap.ok(f"warder-{supervisor.instance}" in host_groups and unified and supervisor.instance not in unified[0],
       "held: learn where the jail is in the host's groups", unified)
client.call("jail.destroy", {"jail": jail})

# ---- /proc of processes alone
tap.ok("result" in bring(client, "bare", root_of([tool("look"), tool("channels")], [("bin/shared", b"0", b"data", 0o666)])),
       "a root of two programs")
record = run(client, ["/bin/look", "list", "/proc"], snapshot="bare", policy="strict")
if record["cause"] == "refused" and record["error"].get("data", {}).get("code") == "unsupported":
    skip("strict shows processes alone", record["error"]["message"])
else:
    names = set(text(record).split())
    tap.ok(names and all(name.isdigit() or name in ("self", "thread-self") for name in names), "strict shows processes alone", record)
    tap.ok("1" not in names, "and not init, which is not the command's", names)
    listed = set(text(run(client, ["/bin/look", "list", "/proc"], snapshot="bare")).split())
    tap.ok("1" in listed and "cpuinfo" in listed, "where default shows more", listed)
    devices = text(run(client, ["/bin/look", "read", "/proc/self/mountinfo"], snapshot="bare", policy="strict"))
    tap.ok(" / / " in devices and "/dev/" not in devices.replace(" /dev/", " "), "and no device of the host among the mounts", devices)

# ---- two jails
CHANNELS = ["flock", "lock", "lease", "opens", "writes", "bytes", "shm-file", "tmp-file", "sysv-shm", "sysv-sem",
            "sysv-msg", "mq", "abstract", "port", "watches"]
# a host root shares inodes with the host, and SECURITY.md says what that shows: flock(2), and opens by inotify(7)
HOST_ROOT_SHARES = {"flock", "opens"}


def ipc_remove():
    for word, get in (("m", "shmget"), ("s", "semget"), ("q", "msgget")):
        args = {"shmget": (0x77617264, 0, 0), "semget": (0x77617264, 0, 0), "msgget": (0x77617264, 0)}[get]
        found = getattr(libc, get)(*args)
        if found >= 0:
            subprocess.run(["ipcrm", f"-{word}", str(found)], check=False)


def outside_pair(kind, path):
    """Does it work between two processes of the host, both of one plain user."""
    who = dict(user=65533, group=65533, extra_groups=[])
    with subprocess.Popen([tool("channels"), "hold", kind, path], stdout=subprocess.PIPE, text=True, **who) as holder:
        started = holder.stdout.readline()
        done = subprocess.run([tool("channels"), "see", kind, path], capture_output=True, text=True, check=False, **who)
        holder.kill()
    for name in ("/dev/shm/warder-channel", "/tmp/warder-channel"):
        if os.path.exists(name):
            os.unlink(name)
    subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL('librt.so.1').mq_unlink(b'/warder-channel')"], check=False)
    ipc_remove()
    return started == "holding\n" and "GOT" in done.stdout


def jail_pair(kind, path, snapshot):
    """Two jails of one root: the record of the one that looks while the other holds."""
    other, jails = supervisor.client(), []
    show_directory(other, os.path.dirname(tool("channels")))
    program = "/work/channels" if snapshot == "host" else "/bin/channels"
    reader, writer = os.pipe()
    for _ in range(2):
        fds, more = [], {}
        if snapshot == "host":
            fds, more = [os.open(os.path.dirname(tool("channels")), os.O_RDONLY | os.O_DIRECTORY)], {"work": True}
        jails.append(other.call("jail.create", {"snapshot": snapshot, **more}, fds=fds)["result"]["jail"])
    other.send("jail.exec", {"jail": jails[0], "argv": [program, "hold", kind, path], "stdio": ["null", "fd", "null"]}, fds=[writer])
    os.close(writer)
    held = os.read(reader, 100)
    os.close(reader)
    record = client.call("jail.exec", {"jail": jails[1], "argv": [program, "see", kind, path]})
    other.close()
    return held, record.get("result", record)


shared, path = tempfile.mkstemp(dir="/var/tmp")  # closed below: who has it open for writing is in the way of a lease
os.write(shared, b"data")
os.fchown(shared, 65533, 65533)
os.close(shared)
CANNOT_HOLD = {"lock", "writes", "bytes", "lease"}  # a command of its own user cannot write, or lease, a file of /usr
for kind in CHANNELS:
    if not outside_pair(kind, path):
        skip(f"two jails: {kind}", "it does not work outside either")
        continue
    held, record = jail_pair(kind, "/bin/shared", "bare")
    able = held.startswith(b"holding") or kind == "lease" and held == b""
    tap.ok(able and record["cause"] == "exited" and text(record) == "held\n", f"two jails of one snapshot: {kind}", held, record)
    if kind in HOST_ROOT_SHARES:
        continue
    held, record = jail_pair(kind, "/usr/bin/env", "host")
    able = held.startswith(b"holding") or kind in CANNOT_HOLD
    tap.ok(able and record["cause"] == "exited" and text(record) == "held\n", f"two jails of the host root: {kind}", held, record)

os.unlink(path)
victim.send_signal(signal.SIGKILL)
victim.wait()
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
