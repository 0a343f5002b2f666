#!/usr/bin/env python3
"""pack and changes: a tree as an archive that gives the same tree again, a layer as that of an image, an upper as paths."""
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import put, random_tree, rng  # noqa: E402

t = Tap()
if os.geteuid() != 0:
    print("1..0 # SKIP root (owners and whiteouts)")
    sys.exit(0)

LONG = "long" * 40 + "/" + "name" * 50
ODD = b"\xff\xfe" * 70


def fill(u):
    put(u, {"a": (b"1\n", 0o640), "d/b": b"2\n", "big": bytes(300000) + b"x", LONG: b"long\n", "empty": b""})
    os.link(u + "/a", u + "/d/a2")
    os.symlink("t" * 300, u + "/l1")
    os.link(u + "/l1", u + "/l2", follow_symlinks=False)
    os.symlink("x", u + "/short")
    with open(u.encode() + b"/odd" + ODD, "wb") as f:
        f.write(b"odd\n")
    os.setxattr(u + "/a", "user.mine", b"v\0\n=w")
    os.setxattr(u + "/d", "user.other", b"")
    with open(u + "/hole", "wb") as f:
        f.truncate(5 << 20)
        f.seek(1 << 20)
        f.write(b"middle")
    os.chown(u + "/d/b", 1000, 1001)
    os.chmod(u + "/d", 0o1777)
    os.mkfifo(u + "/fifo")
    for name in ("a", "d/b", "d", "big", "hole", "l1"):
        os.utime(os.path.join(u, name), ns=(1, 1234567890123456789), follow_symlinks=False)
    os.utime(u, ns=(1, 999 * 10**9))


def scan(root):
    found = {}
    for where, dirs, files in os.walk(root.encode()):
        for name in [b"", *dirs, *files]:
            path = os.path.join(where, name) if name else where
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            content = os.readlink(path) if kind == stat.S_IFLNK else hashlib.sha256(open(path, "rb").read()).digest() \
                if kind == stat.S_IFREG else None
            attributes = {} if kind == stat.S_IFLNK else {n: os.getxattr(path, n) for n in os.listxattr(path)}
            found[os.path.relpath(path, root.encode())] = (st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, content, attributes,
                                                          st.st_nlink if kind != stat.S_IFDIR else 0)
    return found


# --- a tree
with Places() as p:
    fill(p.at("tree"))
    r = p.run("pack")
    t.ok(r.done, "a tree is packed", r.records)
    t.same([note[0] for note in r.notes()], ["fifo"], "a fifo is left out, with a note")
    archive = r.out
    t.same(p.run("pack").out == archive, True, "the same tree is the same archive")
    os.unlink(p.at("tree") + "/fifo")
    os.utime(p.at("tree"), ns=(1, 999 * 10**9))
    want = scan(p.at("tree"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = [m.name for m in tar]
    t.ok(LONG in names and names[0] == ".", "another reader has long names")
    u = p.run("unpack", stdin=archive)
    t.ok(u.done and not u.notes(), "unpacked there is nothing to clean", u.records)
    t.same(scan(p.at("out")), want, "and it is the same tree: names, modes, owners, times, links, attributes")
for program in "tar", "bsdtar":
    with Places() as p:
        try:
            ran = subprocess.run([program, "--xattrs", "-C", p.at("out"), "-xpf", "-"], input=archive, stderr=subprocess.PIPE)
        except FileNotFoundError:
            t.ok(True, f"{program} unpacks it # SKIP it is not here")
            continue
        t.ok(ran.returncode == 0, f"{program} unpacks it", ran.stderr)
        got = scan(p.at("out"))
        if program == "bsdtar":  # it leaves the time of the directory that it stands in, whoever made the archive
            got[b"."] = got[b"."][:3] + want[b"."][3:]
        t.same({k: v[:5] for k, v in got.items()}, {k: v[:5] for k, v in want.items()}, "to the same tree")

# --- attributes
def attributes(path):
    return {name: os.getxattr(path, name) for name in os.listxattr(path)} if os.path.exists(path) else None


def large(u, values):
    """A file with these attributes, on a file system that takes that many. Returns: does it?"""
    put(u, {"f": b"1\n"})
    try:
        for name, value in values:
            os.setxattr(u + "/f", name, value)
    except OSError:
        return False
    return True


MOST = 65536
tempfile.tempdir = "/dev/shm"  # ext4 takes less
for what, values, over in (
        ("exactly as much as there is room for", [(f"user.{i:02}", bytes([i + 1]) * MOST) for i in range(8)], 0),
        ("more than there is room for", [(f"user.{i:02}", bytes([i + 1]) * MOST) for i in range(10)], 2),
        ("a little more", [("user.00", b"a")] + [(f"user.{i:02}", bytes([i + 1]) * MOST) for i in range(1, 9)], 1),
        ("as many as may land", [(f"user.{i:02}", b"%d" % i) for i in range(64)], 0),
        ("more than may land", [(f"user.{i:02}", b"%d" % i) for i in range(67)], 3)):
    with Places() as p:
        if not large(p.at("tree"), values):
            t.ok(True, f"{what} # SKIP no file system with large attributes")
            continue
        r = p.run("pack")
        t.ok(r.done and r.notes() == [("f", "xattr")] * over, f"attributes, {what}: {over} are left out, with notes", r.code, r.notes())
        p.run("unpack", stdin=r.out)
        t.ok(attributes(p.at("out", "f")) == dict(sorted(values)[:len(values) - over]), "the first of them are as they were")
tempfile.tempdir = None
with Places() as p:
    odd = {"user.a=b": b"v=1\0\xff", "user.\u00e4=": b"1", "user.%=": b"", "user.%3D": b"x", "user.=": b"long" * 200}
    put(p.at("tree"), {"f": b"1\n"})
    for name, value in odd.items():
        os.setxattr(p.at("tree", "f"), name, value)
    r = p.run("pack")
    u = p.run("unpack", stdin=r.out)
    t.ok(r.done and u.done and not u.notes(), "attributes with = in their names are packed", u.records)
    t.same(attributes(p.at("out", "f")), odd, "and are the same again")

# --- as deep as a tree may be
def dig(where, depth, file):
    """So many directories within each other, and perhaps a file in the last."""
    at = os.open(where, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    if file:
        os.close(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=at))
    os.close(at)


for depth, file, good in (256, False, True), (257, False, False), (255, True, True), (256, True, False):
    with Places() as p:
        dig(p.at("tree"), depth, file)
        r = p.run("pack")
        t.ok(r.done if good else r.refused == "name-depth", f"{depth} directories within each other{' and a file' * file}", r.records)
        t.ok(not good or p.run("unpack", stdin=r.out).done, "and what is packed can be unpacked")

# --- many trees
for seed in range(12):
    with Places() as p:
        put(p.at("tree"), random_tree(rng(seed)))
        r = p.run("pack")
        u = p.run("unpack", stdin=r.out)
        if not (r.done and u.done and scan(p.at("out")) == scan(p.at("tree"))):
            t.ok(False, f"random tree {seed}")
            break
else:
    t.ok(True, "a dozen random trees come back as they were")


# --- a layer
def layer(u):
    put(u, {"keep/new": b"1\n", "op/x": b"2\n", ".wh.bad": b"3\n"})
    os.mknod(u + "/keep/gone", stat.S_IFCHR, 0)
    os.setxattr(u + "/op", "user.overlay.opaque", b"y")


with Places() as p:
    layer(p.at("tree"))
    put(p.at("old"), {"keep/gone": b"", "op/y": b""})
    r = p.run("pack", "--layer")
    t.ok(r.done, "a layer is packed", r.records)
    with tarfile.open(fileobj=io.BytesIO(r.out)) as tar:
        names = sorted(m.name for m in tar)
    t.same(names, [".", "keep", "keep/.wh.gone", "keep/new", "op", "op/.wh..wh..opq", "op/x"],
           "marks are those of images, and what only looks like one is left out")
    m = p.run("pack", "--measure")
    size, digest = len(r.out), "sha256:" + hashlib.sha256(r.out).hexdigest()
    t.ok(m.done and not m.out, "measured it writes nothing", m.records)
    t.same((m.one("totals").a, "sha256:" + m.digest()), (size, digest), "and says size and digest")
    b = p.run("pack", "--blob", "blobs/x", "--size", str(size), "--digest", digest)
    t.ok(b.done and b.out[512:] == r.out and b.out[:7] == b"blobs/x", "as a file of an archive it is the same")
    t.ok(not p.run("pack", "--blob", "x", "--size", str(size + 512), "--digest", digest).done, "of another size it is an error")
    t.ok(not p.run("pack", "--blob", "x", "--size", str(size), "--digest", "sha256:" + "0" * 64).done, "of another digest too")
    tail = p.run("pack", "--tail", stdin=b"index.json 3\nabcoci-layout 2\n{}")
    with tarfile.open(fileobj=io.BytesIO(b.out + tail.out)) as tar:
        t.same({m.name: m.size for m in tar}, {"blobs/x": size, "index.json": 3, "oci-layout": 2}, "texts end the image")
    for bad in b"index.json", b"x 5\nabc", b"x -1\n", b"x y\n", b"\n":
        t.ok(not p.run("pack", "--tail", stdin=bad).done, f"texts that are none are refused: {bad!r}")
with Places() as p:
    put(p.at("tree"), {"f": b"x" * 4000000})
    reader, writer = os.pipe()
    os.close(reader)
    r = p.run("pack", stdout=writer)
    os.close(writer)
    t.ok(not r.done and any("write the archive" in str(record) for record in r.records), "a reader that is gone is an error")


# --- changes
def lines(p, *words):
    r = p.run("changes", *words)
    return r, [json.loads(line) for line in r.out.splitlines()]


with Places() as p:
    put(p.at("old"), {"f": b"1", "g": b"2", "d/x": b"3", "d/y": b"4", "op/a": b"5", "op/b": b"6", "op/in/c": b"7", "dev/n": b"8"})
    put(p.at("upper"), {"f": b"1", "d/new": b"9", "op/a": b"10", "op/in/e": b"11", "dev/m": b"12", 'q"\\\t': b"13"})
    os.mknod(p.at("upper") + "/g", stat.S_IFCHR, 0)
    os.mknod(p.at("upper") + "/nothing", stat.S_IFCHR, 0)
    os.setxattr(p.at("upper") + "/op", "user.overlay.opaque", b"y")
    put(p.at("upper"), {"w": b""})
    os.setxattr(p.at("upper") + "/w", "user.overlay.whiteout", b"")
    r, got = lines(p, "--prefix", "/at", "--covered", "dev")
    t.ok(r.done, "changes are told", r.records)
    t.same(sorted((line["change"], line["path"]) for line in got), sorted([
        ("M", "/at/f"), ("D", "/at/g"), ("A", "/at/d/new"), ("M", "/at/op/a"), ("D", "/at/op/b"), ("A", "/at/op/in/e"),
        ("D", "/at/op/in/c"), ("A", '/at/q"\\\t')]), "each path once, below its prefix, without what is covered")
    os.mkdir(p.at("upper") + "/deep")
    where = os.open(p.at("upper") + "/deep", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=where)
        below = os.open("d", os.O_RDONLY, dir_fd=where)
        os.close(where)
        where = below
    os.close(where)
    r, got = lines(p)
    t.ok(not r.done and r.refused == "name-depth", "a tree that is too deep is refused by its rule", r.records)
with Places() as p:
    put(p.at("old"), {"d/x": b"1", "e": b""})
    put(p.at("upper"), {"d/x": b"1", "e": b"", "n/y": b"2"})
    places = 2  # /upper and /old are opened first

    def fails(call, error, when=1):
        return p.run("changes", wrap=("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}+"))

    if not shutil.which("strace"):
        t.ok(True, "what vanishes # SKIP strace")
    else:
        for call, error, shown in (("getdents64", "ENOENT", set()), *(("openat2", e, {"/d", "/e", "/n"}) for e in ("ENOENT", "ENOTDIR", "ELOOP", "ENXIO"))):
            r = fails(call, error, places + 1 if call == "openat2" else 1)
            paths = {json.loads(line)["path"] for line in r.out.splitlines()}
            t.ok(r.done and paths <= shown, f"what vanishes or becomes something else under our eyes is passed over: {call}, {error}", r.records, paths)
        t.ok(not fails("openat2", "ENOENT").done, "but not the places themselves")
        for call, when in ("getdents64", 1), ("openat2", places + 1), ("fgetxattr", 1):
            t.ok(not fails(call, "EIO", when).done, f"what cannot be read is an error: {call}")
t.end()
