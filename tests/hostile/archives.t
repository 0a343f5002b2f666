#!/usr/bin/env -S python3 -B
"""archives: a table of hostile archives against snapshot.import of a real supervisor, and jails on odd roots.

First a handful of classics is unpacked outside by programs that trust what they read, to show that they work.
Then each row of hostile_archives.py: what is refused names entry and rule and leaves no layer and no name; what is
cleaned is listed; in every case the surroundings (a directory that the archives aim at, /etc, other layers) are the
same to the last mode and time.
"""
import atexit
import bz2
import hashlib
import io
import os
import re
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../rpc"), HERE]
import hostile_archives as hostile  # noqa: E402
from front_lib import Tap  # noqa: E402
from supervisor_lib import Supervisor, eventually, need_jails  # noqa: E402

need_jails()
tap = Tap()
scratch = tempfile.mkdtemp(prefix="warder-archives-")
atexit.register(lambda: subprocess.run(["rm", "-rf", scratch], check=False))
outside = os.path.join(scratch, "outside")


def set_up():
    os.mkdir(outside)
    os.mkdir(os.path.join(outside, "dir"))
    for name, mode in (("secret", 0o600), ("dir/file", 0o644), ("program", 0o755)):
        with open(os.path.join(outside, name), "w") as f:
            f.write("GOT")
        os.chmod(os.path.join(outside, name), mode)
    os.symlink("secret", os.path.join(outside, "link"))


def fingerprint(*tops, times_of_tops=True):
    """Everything that can change: names, types, modes, owners, links, sizes, times, attributes, contents."""
    rows = []
    for top in tops:
        for at, dirs, files in os.walk(top):
            dirs.sort()
            for name in [""] * (at == top) + sorted(dirs + files):
                path = os.path.join(at, name) if name else top
                st = os.lstat(path)
                data = b""
                if stat.S_ISREG(st.st_mode) and st.st_size < 10 << 20:
                    with open(path, "rb") as f:
                        data = f.read()
                elif stat.S_ISLNK(st.st_mode):
                    data = os.fsencode(os.readlink(path))
                when = st.st_mtime_ns if times_of_tops or path != top else 0
                xattrs = [] if stat.S_ISLNK(st.st_mode) else sorted(os.listxattr(path))
                rows.append((path, st.st_mode, st.st_uid, st.st_gid, st.st_nlink if not stat.S_ISDIR(st.st_mode) else 0,
                             st.st_size if not stat.S_ISDIR(st.st_mode) else 0, when, xattrs,
                             hashlib.sha256(data).digest()))
    return rows


# ---- outside: the classics work
def shell(script, data):
    """Run @script in a directory of its own with the archive as $A. Returns: what it printed."""
    with tempfile.TemporaryDirectory(dir=scratch) as where, tempfile.NamedTemporaryFile(dir=scratch) as f:
        f.write(data)
        f.flush()
        done = subprocess.run(["sh", "-c", script], cwd=where, capture_output=True, text=True,
                              env=dict(os.environ, A=f.name, OUTSIDE=outside))
        return done.stdout


TRUSTING = """python3 -c 'import os, sys, tarfile
t = tarfile.open(os.environ["A"])
t.extractall(**({"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}))' 2>/dev/null; """
Tar = hostile.Tar
TABLE = hostile.table(outside)
ROWS = {row[1]: row[2] for row in TABLE}
WORKS = [
    ("an absolute name", Tar().add(f"{outside}/evil", b"GOT").bytes(),
     'tar -xPf "$A"; cat "$OUTSIDE/evil"; rm -f "$OUTSIDE/evil"'),
    ("a name with ..", Tar().add("../outside/evil", b"GOT").bytes(),
     'tar -xPf "$A"; cat "$OUTSIDE/evil"; rm -f "$OUTSIDE/evil"'),
    ("a file through a link", Tar().link("d", outside).add("d/evil", b"GOT").bytes(),
     TRUSTING + 'cat "$OUTSIDE/evil"; rm -f "$OUTSIDE/evil"'),
    ("a hard link that leads out, and a file written through it",
     Tar().hard("h", f"{outside}/dir/file").add("h", b"GOT, and changed").bytes(),
     TRUSTING + 'grep -o "GOT, and changed" "$OUTSIDE/dir/file"'),
    ("a set-user-id program of root", Tar().add("su", b"x", mode=0o4755).bytes(),
     'tar -xpf "$A"; [ -u su ] && [ "$(stat -c %u su)" = 0 ] && echo GOT'),
    ("a device", Tar().add("mem", type=tarfile.CHRTYPE, devmajor=1, devminor=1, mode=0o666).bytes(),
     'tar -xf "$A"; [ -c mem ] && echo GOT'),
    ("a file capability", ROWS["a file capability"],
     'tar --xattrs --xattrs-include="*" -xf "$A"; python3 -c "import os; print(\'GOT\' if os.listxattr(\'f\') else \'\')"'),
    ("a bomb: a gigabyte from a kilobyte", bz2.compress(bytes(64 << 20)) * 16,
     '[ "$(wc -c <"$A")" -lt 2000 ] && [ "$(bzip2 -dc <"$A" | wc -c)" -eq 1073741824 ] && echo GOT'),
    ("an archive behind the end mark", Tar().add("a").bytes() + Tar().add("hidden").bytes(),
     'tar -tf "$A" | grep -q hidden || { tar -itf "$A" | grep -q hidden && echo GOT; }'),
    ("a gzip of a gzip of a gzip", ROWS["gzip of gzip of gzip of nothing bad"],
     'bsdtar -tf "$A" 2>/dev/null | grep -q . && echo GOT || { gzip -dc <"$A" | gzip -dc | gzip -dc | tar -t | grep -q f && echo GOT; }'),
]
set_up()
for what, data, script in WORKS:
    printed = shell(script, data)
    tap.ok("GOT" in printed, f"outside it works: {what}", printed)
subprocess.run(["rm", "-rf", outside], check=True)
set_up()

# ---- the table
supervisor = Supervisor("arch")
client = supervisor.client()
store = os.path.join(supervisor.state, "store")


def bring(name, data, **params):
    with tempfile.TemporaryFile() as f:
        f.write(data)
        f.seek(0)
        return client.call("snapshot.import", {"name": name, **params}, fds=[f.fileno()])


def layers():
    return sorted(os.listdir(os.path.join(store, "layers")))


def unclean(layer):
    """What must never lie in a layer."""
    bad = []
    for at, dirs, files in os.walk(os.fsencode(layer)):
        for name in [b"."] + dirs + files:
            path = os.path.join(at, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            if kind not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK) or st.st_mode & 0o6000 and kind != stat.S_IFLNK:
                bad.append((path, oct(st.st_mode)))
            if kind != stat.S_IFLNK:
                bad += [(path, x) for x in os.listxattr(path) if not x.startswith("user.") or x.startswith("user.overlay")]
    return bad


def held(name, answer, rule, before):
    """A refusal: it names the rule, and there is no layer, no half of one, and no name."""
    error = answer.get("error", {})
    shown = [answer]
    good = error.get("data", {}).get("code") == "invalid" and error.get("message", "").endswith(f"(rule {rule})")
    good &= ": " in error.get("message", "") and not any(ord(c) < 32 for c in error.get("message", ""))
    left = [] if eventually(lambda: os.listdir(os.path.join(store, "new")) == []) else os.listdir(os.path.join(store, "new"))
    if layers() != before or left or "result" in client.call("snapshot.show", {"name": "hostile"}):
        good, shown = False, shown + [layers(), left]
    return tap.ok(good, f"refused, {rule}: {name}", *shown)


def landed(name, answer, rules):
    """What is let in: cleaned of what is listed, and nothing in it that may not be."""
    result = answer.get("result")
    if not result:
        return tap.ok(False, f"{'cleaned' if rules else 'harmless'}: {name}", answer)
    layer = os.path.join(store, "layers", result["layers"][0][7:])
    got = sorted(c["rule"] for c in result["cleaned"])
    good = got == sorted(rules) and result["cleaned_total"] == len(rules) and all(c["text"] for c in result["cleaned"])
    bad = unclean(layer)
    tap.ok(good and not bad, f"{'cleaned' if rules else 'harmless'}: {name}", result, bad)
    return client.call("snapshot.remove", {"name": "hostile"})


class Watch(threading.Thread):
    """The most bytes that unfinished layers took on the disk while it ran."""

    def __init__(self):
        super().__init__()
        self.most, self.ends = 0, threading.Event()

    def run(self):
        while not self.ends.wait(0.02):
            total = 0
            for at, _, files in os.walk(os.path.join(store, "new")):
                for name in files:
                    try:
                        total += os.lstat(os.path.join(at, name)).st_blocks * 512
                    except OSError:
                        pass
            self.most = max(self.most, total)


bring("other", Tar().add("mine", b"mine", mtime=5).bytes())
base = layers()
surroundings = fingerprint(outside, "/etc") + fingerprint(os.path.join(store, "layers"), times_of_tops=False)
counts = {}
watch = Watch()
watch.start()
for group, name, data, verdict, rule in TABLE:
    answer = bring("hostile", data, **({"limits": {"entries": 2000}} if name == "more entries than are allowed" else {}))
    counts[verdict] = counts.get(verdict, 0) + 1
    if verdict == "refused":
        held(f"{group}: {name}", answer, rule, base)
    else:
        landed(f"{group}: {name}", answer, rule or [])
        eventually(lambda: layers() == base)
watch.ends.set()
watch.join()
tap.ok(watch.most < 1 << 30, "no bomb took a gigabyte of the disk", watch.most)
after = fingerprint(outside, "/etc") + fingerprint(os.path.join(store, "layers"), times_of_tops=False)
tap.ok(after == surroundings, "after all of them the surroundings are the same",
       [row[0] for row in set(map(str, after)) ^ set(map(str, surroundings))][:5])
print(f"# {counts}")
many = Tar()
for i in range(1500):
    many.add(f"p{i}", type=tarfile.FIFOTYPE)
result = bring("many", many.bytes()).get("result", {})
tap.same((len(result.get("cleaned", [])), result.get("cleaned_total")), (100, 1500), "the list is bounded, the count is not")
client.call("snapshot.remove", {"name": "many"})
answer = bring("hostile", Tar().add("d/\x1b[31mred", b"x").bytes())
tap.ok("red" in answer["error"]["message"] and "\x1b" not in answer["error"]["message"], "a refused name is shown safely", answer)


# ---- what is no archive's descriptor at all, and an archive without an end
left, right = socket.socketpair()
for what, fd in (("a directory", os.open("/", os.O_RDONLY | os.O_DIRECTORY)), ("a socket", left.fileno()),
                 ("an event counter", os.eventfd(1)), ("a file that can only be written", os.open(
                     os.path.join(scratch, "write-only"), os.O_WRONLY | os.O_CREAT)),
                 ("an endless run of zeroes", os.open("/dev/zero", os.O_RDONLY))):
    answer = client.call("snapshot.import", {"name": "hostile"}, fds=[fd])
    tap.ok(answer.get("error", {}).get("data", {}).get("code") == "invalid" and eventually(lambda: layers() == base) and eventually(lambda: os.listdir(os.path.join(store, "new")) == []),
           f"refused as an archive: {what}", answer)
    if what != "a socket":
        os.close(fd)
right.close()
left.close()
reader, writer = os.pipe()
feeder = subprocess.Popen(["sh", "-c", "cat /dev/zero"], stdout=writer, stderr=subprocess.DEVNULL)
os.close(writer)
answer = client.call("snapshot.import", {"name": "hostile"}, fds=[reader])
os.close(reader)
feeder.wait()
tap.ok(answer.get("error", {}).get("message", "").endswith("(rule behind-end)"), "refused: zeroes from a pipe without end", answer)


# ---- jails on odd roots: what was accepted does no harm when it is mounted
def small_root(**odd):
    """A root with a shell; @odd: name -> ("link", target) or ("file",) or None for nothing there."""
    programs = ["/bin/sh", "/bin/cat", "/bin/ls"]
    needed = set()
    for name in programs:
        text = subprocess.run(["ldd", os.path.realpath(name)], capture_output=True, text=True).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", text))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "lib", "lib64", "etc", "tmp", "dev", "proc", "run", "work", "home", "sys"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            how = odd.get(folder, ("dir",))
            if how is None:
                continue
            if how[0] == "link":
                info.type, info.linkname = tarfile.SYMTYPE, how[1]
            elif how[0] == "file":
                info.type = tarfile.REGTYPE
            tar.addfile(info)
        for name in programs:
            tar.add(os.path.realpath(name), "bin/" + os.path.basename(name))
        for name in sorted(needed):
            tar.add(os.path.realpath(name), ("lib64/" if "ld-linux" in name else "lib/") + os.path.basename(name))
        for name, how in odd.items():
            if "/" in name:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, how[1]
                tar.addfile(info)
    return buffer.getvalue()


ROOTS = [("plain", {})]
for place in ("dev", "proc", "etc", "tmp", "run", "work", "home", "sys"):
    ROOTS += [(f"/{place} is a link out", {place: ("link", outside)}),
              (f"/{place} is a link by ..", {place: ("link", "../" * 20 + outside[1:])}),
              (f"/{place} is a file", {place: ("file",)}),
              (f"/{place} is not there", {place: None})]
ROOTS += [("/dev is a link to /proc", {"dev": ("link", "/proc")}),
          ("/proc is a link to /dev", {"proc": ("link", "dev")}),
          ("/etc/passwd is a link out", {"etc/passwd": ("link", f"{outside}/secret")}),
          ("/etc/group, hosts and resolv.conf are links out", {
              "etc/group": ("link", f"{outside}/secret"), "etc/hosts": ("link", f"{outside}/dir/file"),
              "etc/resolv.conf": ("link", f"{outside}/secret")}),
          ("/dev/shm and /dev/null are links out", {
              "dev/shm": ("link", outside), "dev/null": ("link", f"{outside}/secret")}),
          ("/work is a loop", {"work": ("link", "work")})]
PROBE = """cat "$0/secret" "$0/dir/file" 2>/dev/null; echo x >"$0/evil" 2>/dev/null; echo x >/tmp/t; echo x >/dev/null
for d in /dev /etc /tmp /run /work; do ls "$d" 2>/dev/null | cat | while read -r n; do [ "$n" = secret ] && echo GOT; done; done
echo alive"""
for what, odd in ROOTS:
    answer = bring("odd", small_root(**odd))
    if "result" not in answer:
        tap.ok(answer["error"]["data"]["code"] == "invalid" and "(rule " in answer["error"]["message"],
               f"not taken, with its rule: {what}", answer)
        continue
    answer = client.call("jail.create", {"snapshot": "odd", "exec": {"argv": ["/bin/sh", "-c", PROBE, outside]}})
    record = answer.get("result", {}).get("command")
    if record:
        text = ((record.get("output") or {}).get("stdout") or {}).get("text", "")
        tap.ok("GOT" not in text and ("alive" in text or record["cause"] == "not_started"),
               f"a jail on it is a jail ({record['cause']}): {what}", record)
    else:
        tap.ok(answer["error"]["message"] and what != "plain",
               f"no jail, with a reason: {what}", answer)
        print("#", answer["error"]["message"][:200])
    client.call("snapshot.remove", {"name": "odd"})
after = fingerprint(outside, "/etc")
tap.ok(after == surroundings[:len(after)],
       "after all of the jails the surroundings are the same")
client.close()
tap.same(supervisor.wait(), 0, "the supervisor ends when nobody needs it")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
tap.end()
