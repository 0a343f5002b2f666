#!/usr/bin/env -S python3 -B
"""copy: files and trees into a jail and out of it: what arrives, what is left out, and what a hostile jail can do to it."""
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile

from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("copy")
environment = supervisor.environment
here = tempfile.mkdtemp(prefix="warder-copy-")
os.umask(0o022)


def warder(*words, more=None):
    return supervisor.warder(*words, env=more, errors="surrogateescape", cwd=here)


def inside(*words):
    return warder("exec", jail, "--", *words)


def shell(text):
    return inside("sh", "-ec", text)


def at(*names):
    return os.path.join(here, *names)


def put(path, data=b"", mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def look(path):
    """All that a copy keeps, by path."""
    found = {}
    for where, dirs, names in os.walk(path):
        for name in [".", *dirs, *names]:
            full = os.path.normpath(os.path.join(where, name))
            st = os.lstat(full)
            content = None
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(st.st_mode) and st.st_size < 1 << 30:
                with open(full, "rb") as file:
                    content = file.read()
            mode = 0 if stat.S_ISLNK(st.st_mode) else st.st_mode & 0o7777
            found[os.path.relpath(full, path)] = (stat.S_IFMT(st.st_mode), mode, st.st_mtime_ns, content)
    return found


def leftovers(path):
    return [name for where, dirs, names in os.walk(path) for name in dirs + names if name.startswith(".warder-cp-")]


jail = warder("create", "--no-work").stdout.strip()
tap.ok(jail.startswith("j-"), "a jail", jail)

# --- a tree there and back
os.makedirs(at("tree/sub/deep"))
put(at("tree/plain"), b"hello\n")
put(at("tree/empty"))
put(at("tree/run"), b"#!/bin/sh\n", 0o755)
put(at("tree/sub/secret"), b"mine", 0o600)
put(at("tree/sub/new\nline \x1b[31m"), b"odd")
put(os.path.join(os.fsencode(at("tree")), b"not-utf8-\xff"), b"bytes")
put(at("tree/large"), os.urandom(9 << 20))
os.symlink("/etc/passwd", at("tree/absolute"))
os.symlink("nowhere", at("tree/sub/dangling"))
os.symlink("sub", at("tree/directory"))
with open(at("tree/sparse"), "wb") as sparse:
    for place in (0, 2 << 30, (3 << 30) - 10):
        sparse.seek(place)
        sparse.write(b"not a hole")
put(at("tree/setid"), b"x")
os.chmod(at("tree/setid"), 0o6755)
os.chmod(at("tree/sub"), 0o750)
for name in ("tree/plain", "tree/sub/deep", "tree/sub", "tree"):
    os.utime(at(name), ns=(1, 1234567890123456789))
os.utime(at("tree/absolute"), ns=(1, 987654321000000000), follow_symlinks=False)

came = warder("cp", "tree", f"{jail}:/tmp")
tap.ok(came.returncode == 0 and not came.stderr, "a tree goes in", came)
tap.same(inside("cat", "/tmp/tree/plain").stdout, "hello\n", "into the directory that was named")
tap.same(inside("stat", "-c", "%a %u %Y", "/tmp/tree/sub").stdout, "750 1000 1234567890\n", "mode, time, and the jail's user as its owner")
tap.same(inside("stat", "-c", "%a", "/tmp/tree/setid").stdout, "755\n", "no set-id bit goes in")
blocks = inside("stat", "-c", "%s %b", "/tmp/tree/sparse").stdout.split()
tap.ok(len(blocks) == 2 and int(blocks[0]) == 3 << 30 and int(blocks[1]) < 4096, "a file of 3 GiB with holes keeps them", blocks)
back = warder("cp", f"{jail}:/tmp/tree", "back")
tap.ok(back.returncode == 0 and not back.stderr, "and comes out", back)
want = look(at("tree"))
want["setid"] = (want["setid"][0], 0o755, *want["setid"][2:])
got = look(at("back"))
tap.same({name for name in set(want) | set(got) if want.get(name) != got.get(name)}, set(), "the same: contents, modes, times, links")
tap.ok(os.stat(at("back/sparse")).st_blocks < 4096, "with its holes", os.stat(at("back/sparse")))
with open(at("back/sparse"), "rb") as sparse:
    sparse.seek(2 << 30)
    tap.same(sparse.read(10), b"not a hole", "and what is between them")

# --- a directory that cannot be read to its end
os.mkdir(at("listed"))
put(at("listed/first"))
TORN = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=getdents64", "-e", "inject=getdents64:error=EIO:when=2+")
for what, words in (("copied", ("cp", "listed", f"{jail}:/tmp/torn")), ("imported", ("snapshot", "import", "torn", "listed"))):
    if not shutil.which("strace"):
        tap.ok(True, f"half a directory is not {what} # SKIP strace")
        continue
    torn = subprocess.run([*TORN, COMMAND, *words], env=environment, cwd=here, capture_output=True, text=True, timeout=MOST, stdin=subprocess.DEVNULL)
    tap.ok(torn.returncode not in (0, 2) and "list " in torn.stderr and "Input/output error" in torn.stderr, f"half a directory is not {what}", torn)
tap.ok(inside("ls", "/tmp/torn").returncode != 0 and "torn" not in warder("snapshot", "list").stdout, "nothing is there of it")

# --- where it goes
tap.same(warder("cp", "tree/plain", f"{jail}:/tmp/renamed").returncode, 0, "a file, by another name")
tap.same(inside("cat", "/tmp/renamed").stdout, "hello\n", "is there")
put(at("new"), b"new\n")
tap.same(warder("cp", "new", f"{jail}:/tmp/renamed").returncode, 0, "a file that is there is replaced")
tap.same(inside("cat", "/tmp/renamed").stdout, "new\n", "by the new one")
again = warder("cp", "tree", f"{jail}:/tmp")
tap.ok(again.returncode == 1 and "in the jail" in again.stderr and "not replaced" in again.stderr, "a directory is not", again)
put(at("back/mark"))
again = warder("cp", f"{jail}:/tmp/tree", "back/..")
tap.ok(again.returncode == 1 and "not replaced" in again.stderr, "nor on this side", again)
tap.ok(os.path.exists(at("back/mark")) and not leftovers(here), "nothing was touched, nothing is left", leftovers(here))
missing = warder("cp", f"{jail}:/tmp/none", ".")
tap.ok(missing.returncode == 1 and "No such file" in missing.stderr and not os.path.exists(at("none")), "what is not there", missing)
missing = warder("cp", f"{jail}:/tmp/plain", "no/where")
tap.ok(missing.returncode == 1 and "No such file" in missing.stderr, "where there is no directory", missing)
denied = warder("cp", "new", f"{jail}:/usr/bin")
tap.ok(denied.returncode == 1 and "in the jail" in denied.stderr, "where the jail's user may not write", denied)
tap.same(warder("cp", "new", f"{jail}:/tmp/").returncode, 0, "a directory with a slash")
for words, code in ((("a", "b"), 2), ((f"{jail}:/a", f"{jail}:/b"), 2), (("a",), 2), (("new", "j-aaaaaaaaaa:/tmp"), 1)):
    tap.same(warder("cp", *words).returncode, code, f"cp {' '.join(words)!r}")
tap.same(warder("cp", f"{jail}:/tmp/renamed", "./with:colon").returncode, 0, "a name of this side with a colon")

with open(at("huge"), "wb") as huge:
    huge.truncate(5 << 30)
huge = warder("cp", "huge", f"{jail}:/tmp")
tap.ok(huge.returncode == 1 and "File too large" in huge.stderr and ".warder-cp" not in inside("ls", "-A", "/tmp").stdout,
       "a file larger than a command may make is refused, and leaves nothing", huge)

# --- links at the destination
put(at("victim"), b"precious")
os.mkdir(at("out"))
os.symlink(at("victim"), at("out/renamed"))
os.symlink(at("victim"), at("link"))
named = warder("cp", f"{jail}:/tmp/renamed", "link")
tap.ok(named.returncode == 1 and "is a link" in named.stderr, "a link as the destination is refused", named)
tap.same(warder("cp", f"{jail}:/tmp/renamed", "out").returncode, 0, "a link in the directory")
tap.ok(not os.path.islink(at("out/renamed")), "is replaced itself")
with open(at("victim"), "rb") as file:
    tap.same(file.read(), b"precious", "and nothing was written through it")
shell("ln -s /tmp/away /tmp/jump; mkdir /tmp/away; mkdir -p /tmp/up/x; ln -s ../../../../../../tmp/away /tmp/up/x/esc")
named = warder("cp", "new", f"{jail}:/tmp/jump")
tap.ok(named.returncode == 1 and "is a link" in named.stderr, "in the jail too", named)
tap.same(warder("cp", f"{jail}:/tmp/up", "up").returncode, 0, "a link that leads up")
tap.same(os.readlink(at("up/x/esc")), "../../../../../../tmp/away", "comes out as a link")
top = warder("cp", f"{jail}:/tmp/jump", "jump")
tap.ok(top.returncode == 0 and os.path.islink(at("jump")), "so does one that is named itself", top)

# --- what is no file
shell("mkdir /tmp/mix; mkfifo /tmp/mix/fifo; echo fine >/tmp/mix/file; python3 -c \"import socket;socket.socket(socket.AF_UNIX).bind('/tmp/mix/sock')\"")
mixed = warder("cp", f"{jail}:/tmp/mix", "mix")
tap.ok(mixed.returncode == 1 and "fifo is left out" in mixed.stderr and "sock is left out" in mixed.stderr, "pipes and sockets are left out, said so", mixed)
tap.same(os.listdir(at("mix")), ["file"], "the rest is there")
for special in ("/dev/zero", "/tmp/mix/fifo", "/proc/self/environ", "/proc"):
    refused = warder("cp", f"{jail}:{special}", "special")
    tap.ok(refused.returncode == 1 and not os.path.lexists(at("special")), f"{special} is refused", refused)
devices = warder("cp", f"{jail}:/dev", "devices")
tap.ok(devices.returncode == 1 and not [n for w, d, names in os.walk(at("devices")) for n in names if not os.path.islink(os.path.join(w, n))],
       "of /dev come links alone", devices.stderr[:300])
tap.same(os.readlink(at("devices/fd")), "/proc/self/fd", "and these do come")

# --- a jail that means harm
shell("d=/tmp/pit; mkdir $d; cd $d; i=0; while [ $i -lt 600 ]; do mkdir d && cd d; i=$((i+1)); done")
pit = warder("cp", f"{jail}:/tmp/pit", "pit")
tap.ok(pit.returncode == 1 and "too deep" in pit.stderr, "directories without an end", pit)
depth = sum(1 for _ in os.walk(at("pit")))
tap.ok(100 < depth <= 201, "come as far as they may", depth)
shell("mkdir -p /tmp/race/d /tmp/secret; echo mine >/tmp/race/d/f; echo secret >/tmp/secret/f; ln -s /tmp/secret /tmp/race/link")
swapper = subprocess.Popen([COMMAND, "exec", jail, "--", "python3", "-c", "import os\nos.chdir('/tmp/race')\nwhile True:\n os.rename('d','x');os.rename('link','d');os.rename('d','link');os.rename('x','d')"],
                           env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
naive = """import os, stat
os.chdir('/tmp/race')
while True:
    try:
        if stat.S_ISDIR(os.lstat('d').st_mode) and open('d/f').read() == 'secret\\n':
            break
    except OSError:
        pass
print('followed')"""
tap.same(inside("python3", "-c", naive).stdout, "followed\n", "who looks at a name and then opens it is led astray by this jail")
bad, seen = [], 0
for n in range(60):
    warder("cp", f"{jail}:/tmp/race", f"race{n}")
    for where, dirs, names in os.walk(at(f"race{n}")):
        for name in names:
            if not os.path.islink(os.path.join(where, name)):
                seen += 1
                with open(os.path.join(where, name)) as file:
                    if file.read() != "mine\n":
                        bad.append(where)
    shutil.rmtree(at(f"race{n}"), ignore_errors=True)
swapper.terminate()
swapper.wait()
tap.ok(seen > 0, "a directory comes out while others rename it")
tap.same(bad, [], "a directory exchanged for a link while it is read is never followed")
grow = subprocess.Popen([COMMAND, "exec", jail, "--", "sh", "-c", "while :; do echo more >>/tmp/grow; done"], env=environment, stdin=subprocess.DEVNULL)
tap.ok(eventually(lambda: inside("test", "-s", "/tmp/grow").returncode == 0, MOST), "a file that grows for ever")
tap.same(warder("cp", f"{jail}:/tmp/grow", "grow").returncode, 0, "is copied with the size that it had")
grow.terminate()
grow.wait()
much = warder("cp", "--max", "1M", f"{jail}:/tmp/tree", "much")
tap.ok(much.returncode == 1 and "more than 1048576 bytes" in much.stderr and not os.path.exists(at("much")) and not leftovers(here),
       "more than --max is refused, and nothing of it is left", much)

# --- behind sudo: with the rights of the person, not of root
person = {"SUDO_UID": "12345", "SUDO_GID": "23456"}
os.chmod(here, 0o755)
os.mkdir(at("theirs"))
os.chown(at("theirs"), 12345, 23456)
os.mkdir(at("roots"))
put(at("roots/secret"), b"root's own", 0o600)
put(at("theirs/readable"), b"theirs", 0o600)
os.chown(at("theirs/readable"), 12345, 23456)
tap.same(warder("cp", f"{jail}:/tmp/tree", "theirs/tree", more=person).returncode, 0, "a tree goes to where the person may write")
owners = {(st.st_uid, st.st_gid) for st in (os.lstat(os.path.join(where, name)) for where, dirs, names in os.walk(at("theirs/tree")) for name in [".", *dirs, *names])}
tap.same(owners, {(12345, 23456)}, "and is theirs")
os.symlink(at("roots"), at("theirs/pointed"))
for place in ("roots", "roots/secret", "theirs/pointed/"):
    denied = warder("cp", f"{jail}:/tmp/tree/plain", place, more=person)
    tap.ok(denied.returncode == 1 and "Permission denied" in denied.stderr, f"not to {place}, where they may not", denied)
with open(at("roots/secret"), "rb") as file:
    tap.ok(file.read() == b"root's own" and os.listdir(at("roots")) == ["secret"], "nothing was written there")
secret = warder("cp", "roots/secret", f"{jail}:/tmp/never", more=person)
tap.ok(secret.returncode == 1 and "Permission denied" in secret.stderr and inside("test", "-e", "/tmp/never").returncode == 1,
       "what they may not read is not copied in", secret)
tap.same(warder("cp", "theirs/readable", f"{jail}:/tmp/readable", more=person).returncode, 0, "what they may read is")

# --- the child that copies, and its neighbours
client = supervisor.client()
reader, writer = os.pipe()
client.send("jail.copy", {"jail": jail, "direction": "out", "path": "/tmp/tree/large"}, [writer])
os.close(writer)
command = client.line()["params"]["command"]
find = "for p in /proc/[0-9]*; do read -r name <$p/comm && [ \"$name\" = warder-copy ] && echo $p; done; true"
tap.ok(eventually(lambda: shell(find).stdout.strip(), MOST), "a copy that nobody reads waits")
place = shell(find).stdout.strip()
outcome = shell(f"sleep 5 & cat /proc/$!/environ >/dev/null && echo own; kill $!; cat {place}/environ >/dev/null || echo no; : <{place}/fd/1 || echo neither")
tap.ok("own" in outcome.stdout and "no" in outcome.stdout.split(), "a command of the same user reads its own kind's memory, not that of the copy", outcome)
supervisor.client().call("jail.signal", {"jail": jail, "command": command, "signal": 9})
tap.same(client.answer()["result"]["cause"], "killed_by_client", "a copy is ended as any command")
os.close(reader)
reader, writer = os.pipe()
own = supervisor.client()
for params in ({"jail": jail, "direction": "up", "path": "/tmp"}, {"jail": jail, "direction": "in"}, {"jail": jail, "direction": "in", "path": "/", "name": "a" * 300}):
    tap.same(own.call("jail.copy", params, [writer])["error"]["code"], -32602, f"wrong: {sorted(params.items())!r:.60}")
tap.same(own.call("jail.copy", {"jail": jail, "direction": "in", "path": "/tmp", "name": "../up"}, [reader])["result"]["code"], 1, "a name that leads up")
half = own.call("jail.copy", {"jail": jail, "direction": "in", "path": "/tmp", "name": "half"}, [os.open(at("victim"), os.O_RDONLY)])["result"]
tap.ok(half["code"] == 1 and "half" not in inside("ls", "-A", "/tmp").stdout and ".warder-cp" not in inside("ls", "-A", "/tmp").stdout,
       "what is no such stream leaves nothing behind", half)

# --- an image without any program
with tarfile.open(at("bare.tar"), "w") as bare:
    info = tarfile.TarInfo("./data")
    info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, 0o777, 0, 0
    bare.addfile(info)
tap.same(warder("snapshot", "import", "bare", "bare.tar").returncode, 0, "an image with nothing in it")
empty = warder("create", "--snapshot", "bare", "--no-work").stdout.strip()
tap.same(warder("cp", "tree", f"{empty}:/data/").returncode, 0, "takes a tree")
tap.same(warder("cp", f"{empty}:/data/tree", "bareback").returncode, 0, "and gives it back")
strict = warder("create", "--snapshot", "bare", "--no-work", "--policy", "strict", "--disk", "32M").stdout.strip()
os.remove(at("tree/sparse"))
tap.same(warder("cp", "tree", f"{strict}:/data").returncode, 0, "so does one of the strictest policy")
put(at("heavy"), os.urandom(48 << 20))
full = warder("cp", "heavy", f"{strict}:/data")
tap.ok(full.returncode == 1 and "No space left" in full.stderr, "a full disk is named", full)
tap.same(warder("cp", f"{strict}:/data", "room").returncode, 0, "what is there")
tap.same(os.listdir(at("room")), ["tree"], "is what was there before")
for name in ("sparse", "."):
    want.pop(name)
for where in ("bareback", "room/tree"):
    got = {name: entry for name, entry in look(at(where)).items() if name not in (".", "sparse")}
    tap.same({name for name in set(want) | set(got) if want.get(name) != got.get(name)}, set(), f"the same: {where}")

warder("rm", jail, empty, strict)
supervisor.stop()
shutil.rmtree(here)
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
