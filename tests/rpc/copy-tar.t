#!/usr/bin/env -S python3 -B
"""copy-tar: warder cp with -: a tree of a jail as a tar archive on stdout, an archive on stdin into a directory of a jail; what
hostile archives do, and what stays when it fails."""
import fcntl
import io
import os
import shutil
import signal
import struct
import subprocess
import tarfile
import tempfile
import termios

from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("copytar")
environment = supervisor.environment
here = tempfile.mkdtemp(prefix="warder-copy-")
os.umask(0o022)


def warder(*words, data=b"", more=None):
    return supervisor.warder(*words, env=more, text=False, input=data, cwd=here)


def shell(text, where=None):
    done = warder("exec", where or jail, "--", "sh", "-ec", text)
    return done.stdout.decode(errors="surrogateescape")


def at(*names):
    return os.path.join(here, *names)


def entries(data):
    """All that an archive keeps of each name."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        for info in archive:
            content = archive.extractfile(info).read() if info.isfile() else info.linkname
            found[info.name] = (info.type, 0 if info.issym() else info.mode, info.mtime, content)
    return found


def has_end(data):
    try:
        with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
            return len(data) >= max(info.offset_data + (info.size + 511) // 512 * 512 for info in archive) + 1024
    except tarfile.ReadError:
        return False


def archive(*members, **more):
    """An archive of (name, type, content or target, mode)."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape", **more) as made:
        for name, kind, content, *mode in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = kind, mode[0] if mode else 0o644, 1000000000
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content
            made.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return data.getvalue()


FILE, DIR, LINK, SAME, PIPE = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE
jail = warder("create", "--no-work").stdout.decode().strip()


def leftovers():
    return shell("find /tmp -name '.warder-cp-*'")


# --- there, as tar makes it
os.makedirs(at("tree/sub/deep"))
for name, content, mode in (("plain", b"hello\n", 0o644), ("empty", b"", 0o644), ("run", b"#!/bin/sh\n", 0o755), ("sub/secret", b"mine", 0o600),
                            ("sub/new\nline \x1b[31m", b"odd", 0o644), ("sub/grün", b"green", 0o644), ("large", os.urandom(3 << 20), 0o644)):
    with open(at("tree", name), "wb") as file:
        file.write(content)
    os.chmod(at("tree", name), mode)
with open(os.path.join(os.fsencode(at("tree")), b"not-utf8-\xff"), "wb") as file:
    file.write(b"bytes")
os.symlink("/etc/passwd", at("tree/absolute"))
os.symlink("nowhere", at("tree/dangling"))
os.link(at("tree/plain"), at("tree/sub/other"))
with open(at("tree/sparse"), "wb") as file:
    file.seek(5 << 20)
    file.write(b"end")
for where, dirs, names in os.walk(at("tree"), topdown=False):
    for name in [*names, *dirs]:
        os.utime(os.path.join(where, name), (1e9, 1e9 + 7), follow_symlinks=False)
packed = subprocess.run(["tar", "-C", at("tree"), "-cS", "."], capture_output=True, check=True).stdout
shell("mkdir /tmp/in")
done = warder("cp", "-", f"{jail}:/tmp/in", data=packed)
tap.ok(done.returncode == 0 and not done.stderr, "what tar writes goes into a directory", done)
tap.same(shell("stat -c %h /tmp/in/plain; cd /tmp/in; [ plain -ef sub/other ] && echo same"), "2\nsame\n", "two names are one file")
tap.same(shell("[ $(stat -c %b /tmp/in/sparse) -lt 100 ] && echo holes"), "holes\n", "holes stay holes")

# --- and back
out = warder("cp", f"{jail}:/tmp/in/.", "-")
tap.ok(out.returncode == 0 and not out.stderr, "a directory comes out as an archive", out.returncode, out.stderr)
got, want = entries(out.stdout), entries(packed)
want["./sub/other"] = (FILE, *want["./sub/other"][1:3], b"hello\n") if want["./sub/other"][0] == SAME else want["./sub/other"]
want["./plain"] = (FILE, *want["./plain"][1:3], b"hello\n")
for each in (got, want):
    each.pop(".")
    each["./sparse"] = (FILE, *each["./sparse"][1:])
tap.same({name for name in set(want) | set(got) if want.get(name) != got.get(name)}, set(), "which holds what went in")
listed = subprocess.run(["tar", "t"], input=out.stdout, capture_output=True)
tap.ok(listed.returncode == 0 and b"./sub/deep/\n" in listed.stdout and has_end(out.stdout), "tar reads it", listed)
plainly = subprocess.run(["tar", "t"], input=warder("cp", f"{jail}:/tmp/in/sub", "-").stdout, capture_output=True, env={**os.environ, "LC_ALL": "C"})
tap.ok(plainly.returncode == 0 and b"gr\\303\\274n" in plainly.stdout and not plainly.stderr, "names of other languages are nothing odd for it", plainly)
named = entries(warder("cp", f"{jail}:/tmp/in/sub", "-").stdout)
tap.ok(set(named) >= {"sub", "sub/secret", "sub/deep"}, "what has a name begins with it", sorted(named))
tap.same(list(entries(warder("cp", f"{jail}:/tmp/in/run", "-").stdout).values()), [(FILE, 0o755, 1000000007, b"#!/bin/sh\n")], "a file alone")
shell("mkfifo /tmp/in/pipe; truncate -s 60M /tmp/in/huge /tmp/in/other")
much = warder("cp", "--max", "100M", f"{jail}:/tmp/in", "-")
tap.ok(much.returncode == 1 and b"more than 104857600 bytes" in much.stderr and not has_end(much.stdout), "more than --max has no end, holes count", much.stderr)
shell("rm /tmp/in/huge /tmp/in/other")
odd = warder("cp", f"{jail}:/tmp/in", "-")
tap.ok(odd.returncode == 1 and b"pipe is left out" in odd.stderr and "in/plain" in entries(odd.stdout), "what is left out is named", odd.stderr)
none = warder("cp", f"{jail}:/tmp/none", "-")
tap.ok(none.returncode == 1 and b"No such file" in none.stderr and none.stdout == b"", "nothing where there is nothing", none)
tap.same(warder("cp", "--json", f"{jail}:/tmp/in", "-").returncode, 2, "--json has no room beside an archive")
early = subprocess.run(f"{COMMAND} cp {jail}:/tmp/in/large - | head -c 1000 >/dev/null; echo ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash", env=environment,
                       capture_output=True, text=True, timeout=MOST)
tap.ok(early.stdout == "1\n", "who reads on no more ends it", early)
large = subprocess.run(f"{COMMAND} exec {jail} -- sh -c 'rm /tmp/in/pipe'; {COMMAND} cp {jail}:/tmp/in - | tar t | wc -l", shell=True, env=environment,
                       capture_output=True, text=True, timeout=MOST)
tap.same(int(large.stdout), len(want) + 1, "through a pipe")

# --- merged into what is there
shell("mkdir -p /tmp/there/dir; chmod 750 /tmp/there/dir; echo old >/tmp/there/file; echo stays >/tmp/there/dir/stays; ln -s /etc /tmp/there/link")
mixed = archive(("/file", FILE, b"new"), ("./dir", DIR, "", 0o700), ("dir/more", FILE, b"more"), ("link", FILE, b"own"), ("fresh/a/b", FILE, b"deep"), ("fresh", DIR, "", 0o711))
for name, data in (("plain", mixed), ("gzip", subprocess.run(["gzip"], input=mixed, capture_output=True).stdout),
                   ("xz", subprocess.run(["xz"], input=mixed, capture_output=True).stdout)):
    tap.same(warder("cp", "-", f"{jail}:/tmp/there", data=data).returncode, 0, f"an archive into what is there: {name}")
tap.same(shell("cd /tmp/there; cat file dir/stays dir/more link fresh/a/b; stat -c %a dir; readlink link || echo file"), "newstays\nmoreowndeep750\nfile\n",
         "files are replaced, directories gone into, with their modes; a link is never followed")
tap.same(shell("stat -c %Y /tmp/there/file"), "1000000000\n", "times are kept")
for name, data, word in (("a file over a directory", archive(("dir", FILE, b"x")), b"a directory dir is there"),
                         ("a directory over a file", archive(("file", DIR, "")), b"make file: Not a directory")):
    done = warder("cp", "-", f"{jail}:/tmp/there", data=data)
    tap.ok(done.returncode == 1 and word in done.stderr, f"not {name}", done)
for place in ("/tmp/there/file", "/tmp/absent", "/tmp/there/gone/"):
    tap.same(warder("cp", "-", f"{jail}:{place}", data=mixed).returncode, 1, f"not into {place}, which is no directory")

# --- archives that mean harm
shell("mkdir /tmp/victim /tmp/bad; echo mine >/tmp/victim/own; chmod 600 /tmp/victim/own; ln -s /tmp/victim /tmp/bad/old")
for name, members in (("a name that leads up", [("../victim/x", FILE, b"x")]), ("one in the middle", [("a/../../victim/x", FILE, b"x")]),
                      ("a link of its own", [("l", LINK, "/tmp/victim"), ("l/x", FILE, b"x")]), ("a link that was there", [("old/x", FILE, b"x")]),
                      ("another name behind a link", [("y", SAME, "old/own")]), ("another name that leads up", [("y", SAME, "../victim/own")]),
                      ("another name of nothing", [("y", SAME, "absent")])):
    done = warder("cp", "-", f"{jail}:/tmp/bad", data=archive(*members))
    tap.ok(done.returncode == 1 and done.stderr, f"refused: {name}", done)
tap.same(shell("cat /tmp/victim/*; ls -A /tmp/victim; [ -e /tmp/bad/y ] || echo none"), "mine\nown\nnone\n", "nothing came of any")
first = warder("cp", "-", f"{jail}:/tmp/bad", data=archive(("good", FILE, b"good"), ("queue", PIPE, ""), ("set", FILE, b"s", 0o6755), ("old", LINK, "/nowhere")))
tap.ok(first.returncode == 1 and b"queue is left out" in first.stderr, "a pipe is left out", first)
tap.same(shell("cd /tmp/bad; cat good; stat -c %a set; readlink old"), "good755\n/nowhere\n", "the rest is there, without set-id bits; a link is replaced, not followed")
whole = archive(("one", FILE, b"1" * 100000), ("below/two", FILE, os.urandom(300000)))
for name, data in (("half of one", whole[:250000]), ("no archive", os.urandom(5000)), ("nothing", b"")):
    done = warder("cp", "-", f"{jail}:/tmp/bad", data=data)
    tap.ok(done.returncode == 1 and b"read the archive" in done.stderr, f"refused: {name}", done)
cut = whole[:512 + 100352]  # behind its first file
for name, data in (("plain", cut), ("gzip", subprocess.run(["gzip"], input=cut, capture_output=True).stdout),
                   ("zstd", subprocess.run(["zstd", "-q"], input=cut, capture_output=True).stdout)):
    done = warder("cp", "-", f"{jail}:/tmp/bad", data=data)
    tap.ok(done.returncode == 1 and b"without its end mark" in done.stderr, f"refused: one that stops between two files: {name}", done)
tap.ok(shell("[ -s /tmp/bad/one ] && ! [ -e /tmp/bad/below/two ] && echo ok") == "ok\n" and not leftovers(), "what was whole stays, what was not is not there", leftovers())
deep = "/".join(["d"] * 199)
tap.same(warder("cp", "-", f"{jail}:/tmp/bad", data=archive((deep + "/f", FILE, b"x"))).returncode, 0, "as deep as can be")
tap.same(warder("cp", "-", f"{jail}:/tmp/bad", data=archive((deep + "/d/d/f", FILE, b"x"))).returncode, 1, "no deeper")
many = archive(*[(f"n/{n % 7}/{n}", FILE, b"%d" % n) for n in range(2000)])
tap.same(warder("cp", "-", f"{jail}:/tmp/bad", data=many).returncode, 0, "in an order that goes to and fro")
tap.same(shell("find /tmp/bad/n -type f | wc -l; cat /tmp/bad/n/3/1123"), "2000\n1123", "all are there")

# --- an archive that comes back to a directory that it has left, as bsdtar's
again = [("r", DIR, "", 0o755), ("r/a", DIR, "", 0o555), ("r/b", DIR, "", 0o500), ("r/a/in", DIR, "", 0o555), ("r/b/y", FILE, b"y"), ("r/a/in/z", FILE, b"z"),
         ("r/a/x", FILE, b"x")]
wants = "555 1000000000\n500 1000000000\n555 1000000000\n"
user = "1000:1000"
shell("mkdir -m 777 /tmp/plain; mkdir -m 777 /tmp/half")
done = warder("cp", "--user", user, "-", f"{jail}:/tmp/plain", data=archive(*again))
tap.ok(done.returncode == 0, "directories that are left and gone into again", done)
tap.same(shell("cd /tmp/plain/r; stat -c '%a %Y' a b a/in; cat b/y a/in/z a/x"), wants + "yzx", "have their modes and times at the end")
done = warder("cp", "--user", user, "-", f"{jail}:/tmp/half", data=archive(*again, ("last", FILE, b""), ("../up", FILE, b"")))
tap.same(done.returncode, 1, "one that fails at its end")
tap.same(shell("cd /tmp/half/r; stat -c '%a %Y' a b a/in"), wants, "has them, too")
late = [("d/in/f", FILE, b"f", 0o600), ("x", FILE, b"x"), ("d", DIR, "", 0o700), ("d/in", DIR, "", 0o711), ("d/g", FILE, b"g"), ("x", FILE, b"x"),
        ("d", DIR, "", 0o750), ("e/f", FILE, b"f"), ("x", FILE, b"x"), ("e/g", FILE, b"g"), ("old", DIR, "", 0o700), ("x", FILE, b"x"), ("old", DIR, "", 0o711)]
shell("mkdir -m 777 /tmp/late; mkdir -m 755 /tmp/late/old")
done = warder("cp", "-", f"{jail}:/tmp/late", data=archive(*late))
tap.ok(done.returncode == 0 and shell("cd /tmp/late; stat -c '%a %Y' d d/in; stat -c %a e old") == "750 1000000000\n711 1000000000\n755\n755\n",
       "what an archive says of a directory counts when it comes behind what is in it, too, and the last word", done, shell("ls -lR /tmp/late"))
if shutil.which("bsdtar"):
    os.makedirs(at("bsd/one/in"))
    os.makedirs(at("bsd/two"))
    for name in "one/x", "one/in/y", "two/z":
        open(at("bsd", name), "w").close()
    for name in "one/in", "one", "two":
        os.utime(at("bsd", name), (1e9, 1e9))
        os.chmod(at("bsd", name), 0o555)
    shell("mkdir -m 777 /tmp/bsd")
    done = warder("cp", "--user", user, "-", f"{jail}:/tmp/bsd", data=subprocess.run(["bsdtar", "-C", at("bsd"), "-cf", "-", "."], capture_output=True).stdout)
    tap.ok(done.returncode == 0 and shell("cd /tmp/bsd; stat -c '%a %Y' one two one/in; ls one/x one/in/y two/z | wc -l") == "555 1000000000\n" * 3 + "3\n", "bsdtar's own", done)
else:
    tap.ok(True, "bsdtar's own # SKIP bsdtar")

# --- who writes the archive, or reads it, stands still


def ends(process):
    """Its exit code; None where it stays."""
    try:
        return process.wait(MOST)
    except subprocess.TimeoutExpired:
        subprocess.run(["pkill", "-KILL", "-P", str(process.pid)])
        process.kill()
        process.wait()
        return None


def still(*words):
    return subprocess.Popen([COMMAND, "cp", *words], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


silent = still("-", f"{jail}:/no/such")
tap.same(ends(silent), 1, "an archive that does not come holds nothing where there is no place for it")
tap.ok(b"No such file" in silent.stderr.read(), "and that is said")
talker = still("-", f"{jail}:/tmp/bad")
talker.stdin.write(archive(("talk", FILE, b"all of it")))
talker.stdin.flush()
tap.ok(eventually(lambda: shell("cat /tmp/bad/talk 2>/dev/null || true") == "all of it", MOST), "an archive is there, its writer goes on")
talker.send_signal(signal.SIGINT)
tap.same(ends(talker), 128 + 2, "a signal ends the wait for it")
shell("head -c 3000000 /dev/urandom >/tmp/big")
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    unread = still(f"{jail}:/tmp/big", "-")
    tap.ok(eventually(lambda: struct.unpack("i", fcntl.ioctl(unread.stdout, termios.FIONREAD, bytes(4)))[0] >= 60000, MOST), "an archive that nobody reads on")
    unread.send_signal(number)
    tap.same(ends(unread), 128 + number, f"{number.name} ends it")
shell("rm /tmp/big")

for words in (("-", f"{jail}:/tmp/bad"), (f"{jail}:/tmp/bad", "-")):
    orphan = still(*words)
    with open(f"/proc/{orphan.pid}/task/{orphan.pid}/children") as file:
        eventually(lambda: file.seek(0) or file.read(), MOST)
        file.seek(0)
        child, = file.read().split()
    orphan.kill()
    orphan.wait()
    tap.ok(eventually(lambda: not os.path.exists(f"/proc/{child}/exe"), MOST), "who is killed leaves no child that waits for others")
    orphan.stdin.close()
    orphan.stdout.close()
    orphan.stderr.close()
shell("head -c 3000000 /dev/urandom >/tmp/less")
slow = still(f"{jail}:/tmp/less", "-")
tap.ok(eventually(lambda: struct.unpack("i", fcntl.ioctl(slow.stdout, termios.FIONREAD, bytes(4)))[0] >= 60000, MOST), "a file that is read slowly")
shell("truncate -s 1000 /tmp/less; rm /tmp/less")
text, words = slow.communicate(timeout=MOST)
content, = [info[3] for info in entries(text).values()]
tap.ok(slow.returncode == 1 and b"less became shorter while it was read" in words and b"left out" not in words, "becomes shorter: that is said, by the exit code, too",
       slow.returncode, words)
tap.ok(has_end(text) and len(content) == 3000000 and content.endswith(bytes(100000)), "its archive is whole, with zeros", len(content))

# --- killed, and a full disk
writer = subprocess.Popen([COMMAND, "cp", "-", f"{jail}:/tmp/bad"], env=environment, stdin=subprocess.PIPE)
writer.stdin.write(archive(("below/begun", FILE, bytes(1 << 20)))[:600000])
writer.stdin.flush()
tap.ok(eventually(leftovers, MOST), "one is half there")
writer.terminate()
tap.same(writer.wait(MOST), 128 + 15, "who copies is told to end")
writer.stdin.close()
tap.same(leftovers(), "", "and leaves nothing of it")
small = warder("create", "--no-work", "--disk", "32M").stdout.decode().strip()
shell("mkdir /tmp/d", small)
full = warder("cp", "-", f"{small}:/tmp/d", data=archive(("first", FILE, b"1"), ("heavy", FILE, os.urandom(48 << 20))))
tap.ok(full.returncode == 1 and b"No space left" in full.stderr, "a full disk is named", full)
tap.same(shell("ls -A /tmp/d", small), "first\n", "and holds what was whole")

# --- behind sudo no more is read than the person may
os.chmod(here, 0o755)
person = {"SUDO_UID": "12345", "SUDO_GID": "23456"}
theirs = warder("cp", f"{jail}:/tmp/there/file", "-", more=person)
with tarfile.open(fileobj=io.BytesIO(theirs.stdout)) as made:
    tap.same([(info.uid, info.gid) for info in made], [(12345, 23456)], "an archive's files are the person's")
tap.same(warder("cp", "-", f"{jail}:/tmp/there", data=mixed, more=person).returncode, 0, "and one goes in")

warder("rm", jail, small)
supervisor.stop()
shutil.rmtree(here)
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
