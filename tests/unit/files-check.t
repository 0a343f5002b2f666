#!/usr/bin/env python3
"""check: a layer that is read again is what it was, and anything that was changed in it shows.

Each layer that any test of warder-files makes is read again, by files_lib.py.
"""
import os
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap, Tar  # noqa: E402

t = Tap()
if os.geteuid() != 0:
    print("1..0 # SKIP root (owners)")
    sys.exit(0)

HOLE = b"begin" + bytes(3 << 20) + b"end" + bytes(100000)


def layer():
    tar = Tar().dir(".", mode=0o750, mtime=900000000).dir("etc", uid=7, gid=8).add("etc/mark", b"as it was\n", uid=9)
    tar.add("etc/large", b"0123456789abcdef" * 20000).add("etc/hole", HOLE).add("etc/empty")
    tar.link("etc/link", "mark", mode=0o644).hard("etc/other", "etc/mark").add("implied/by/name", b"x", mode=0o000)
    tar.add("etc/attr", b"y", pax_headers={"SCHILY.xattr.user.mine": "value", "SCHILY.xattr.user.also": "other"})
    tar.dir("sticky", mode=0o1777).add("old", b"z", mtime=0).add("nobody", b"n", uid=70000)
    return tar.bytes()


ARCHIVE = layer()


def damage(change):
    """Returns: the digest at first, what check said before and after the change, and when that was."""
    with Places() as p:
        made = p.run("unpack", stdin=ARCHIVE)
        before = p.check()
        time.sleep(0.01)  # times of change are those of the kernel's last tick
        since = time.time_ns()
        time.sleep(0.02)
        change(p.at("out"))
        return made, before, p.check("--since", str(since))


def quietly(path, change):
    """Content or names change, and the times that anybody can set are as they were."""
    at = os.lstat(path)
    change()
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns), follow_symlinks=False)


def rewrite(path, data, at=0):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


made, before, after = damage(lambda out: None)
t.ok(made.done and before.done, "a layer that is read again", before.records)
t.same(before.digest(), made.digest(), "is the layer that it was")
t.same((before.one("totals").b, before.all("path")), (made.one("totals").b, []), "with as many entries, none of which was changed")
t.same((after.digest(), after.all("path")), (made.digest(), []), "still, later on")

CHANGES = {
    "a byte": (lambda o: rewrite(o + "/etc/mark", b"A"), "etc/mark"),
    "a byte, and the time put back": (lambda o: quietly(o + "/etc/mark", lambda: rewrite(o + "/etc/mark", b"A")), "etc/mark"),
    "a byte deep in a large file": (lambda o: quietly(o + "/etc/large", lambda: rewrite(o + "/etc/large", b"!", 200001)), "etc/large"),
    "a byte in a hole": (lambda o: quietly(o + "/etc/hole", lambda: rewrite(o + "/etc/hole", b"!", 1 << 20)), "etc/hole"),
    "a size": (lambda o: quietly(o + "/etc/empty", lambda: os.truncate(o + "/etc/empty", 1)), "etc/empty"),
    "a mode": (lambda o: os.chmod(o + "/etc/mark", 0o600), "etc/mark"),
    "a set-id bit": (lambda o: os.chmod(o + "/etc/large", 0o4644), "etc/large"),
    "an owner": (lambda o: os.chown(o + "/etc/large", 1, 1), "etc/large"),
    "a time": (lambda o: os.utime(o + "/etc/large", (1, 1)), "etc/large"),
    "an attribute": (lambda o: os.setxattr(o + "/etc/attr", "user.mine", b"else"), "etc/attr"),
    "an attribute less": (lambda o: os.removexattr(o + "/etc/attr", "user.also"), "etc/attr"),
    "a capability": (lambda o: os.setxattr(o + "/etc/large", "security.capability",
                                           bytes.fromhex("0100000200040000000000000000000000000000")), "etc/large"),
    "a directory's mode": (lambda o: os.chmod(o + "/sticky", 0o777), "sticky"),
    "an opaque mark": (lambda o: os.setxattr(o + "/etc", "user.overlay.opaque", b"y"), "etc"),
    "a file more": (lambda o: quietly(o + "/etc", lambda: open(o + "/etc/new", "w").close()), "etc/new"),
    "a file less": (lambda o: quietly(o + "/etc", lambda: os.unlink(o + "/etc/empty")), "etc"),
    "a link elsewhere": (lambda o: quietly(o + "/etc", lambda: (os.unlink(o + "/etc/link"), os.symlink("/etc/shadow", o + "/etc/link"))),
                         "etc/link"),
    "a whiteout": (lambda o: quietly(o + "/etc", lambda: os.mknod(o + "/etc/none", stat.S_IFCHR, 0)), "etc"),
}
for what, (change, path) in CHANGES.items():
    made, _, after = damage(change)
    t.ok(after.done and after.digest() != made.digest(), f"{what}: another digest", after.records)
    t.ok(path.encode() in [r.path for r in after.all("path")], f"{what}: {path} is named", after.all("path"))

# --- what no layer holds
for what, change, rule in (
        ("a fifo", lambda o: os.mkfifo(o + "/fifo"), "special-file"),
        ("a device", lambda o: os.mknod(o + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3)), "special-file"),
        ("a redirection", lambda o: os.setxattr(o + "/etc", "user.overlay.redirect", b"/sticky"), "redirect")):
    made, _, after = damage(change)
    t.same(after.refused, rule, f"{what}: refused")


def deep(out):
    fd = os.open(out, os.O_PATH)
    for _ in range(200):
        os.mkdir("d" * 100, dir_fd=fd)
        fd, old = os.open("d" * 100, os.O_PATH, dir_fd=fd), fd
        os.close(old)
    os.close(fd)


made, _, after = damage(deep)
t.ok(after.refused in ("name-long", "name-depth"), "paths that are too long: refused", after.records)
many = damage(lambda o: [open(f"{o}/f{i}", "w").close() for i in range(50)])[2]
t.same(len(many.all("path")), 20, "of many changes twenty are named")
t.end()
