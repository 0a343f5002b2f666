#!/usr/bin/env python3
"""save: a raw upper becomes a layer that shows the same merged tree."""
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap, Tar  # noqa: E402
from files_trees import put  # noqa: E402

t = Tap()
if os.geteuid() != 0:
    print("1..0 # SKIP root (owners and whiteouts)")
    sys.exit(0)


def save(prepare, *words, check=None, wrap=()):
    with Places() as p:
        prepare(p.at("upper"))
        r = p.run("save", *words, wrap=wrap)
        if check:
            check(p, r)
        return r


def plain(u):
    put(u, {"a": (b"1\n", 0o640), "d/b": b"2\n", "l": ("->", "/etc"), "big": bytes(300000)})
    os.link(u + "/a", u + "/d/a2")
    os.symlink("x", u + "/l1")
    os.link(u + "/l1", u + "/l2", follow_symlinks=False)
    os.mknod(u + "/gone", stat.S_IFCHR, 0)
    os.mkdir(u + "/op", 0o700)
    os.setxattr(u + "/op", "user.overlay.opaque", b"y")
    os.setxattr(u + "/d", "user.overlay.impure", b"y")
    os.setxattr(u + "/a", "user.mine", b"v")
    with open(u + "/hole", "wb") as f:
        f.truncate(10 << 20)
        f.seek(5 << 20)
        f.write(b"middle")
    os.chown(u + "/d/b", 1000, 1000)
    for name in ("a", "d/b", "d", "l", "op", "big", "hole", "l1"):
        os.utime(os.path.join(u, name), ns=(1, 1234567890123456789), follow_symlinks=False)
    os.utime(u, ns=(1, 999))


def check_plain(p, r):
    out = p.at("out")
    t.ok(r.done, "an upper is saved", r.records)
    t.same(r.notes(), [], "without a note")
    diff = subprocess.run(["diff", "-r", "--no-dereference", p.at("upper"), out], stdout=subprocess.PIPE)
    t.ok(all(b"gone" in line for line in diff.stdout.splitlines()), "the same content", diff.stdout)
    st = os.lstat(out + "/gone")
    t.ok(stat.S_ISCHR(st.st_mode) and st.st_rdev == 0, "whiteouts stay")
    t.same(os.getxattr(out + "/op", "user.overlay.opaque"), b"y", "opaque directories stay")
    t.same((os.listxattr(out + "/d"), os.listxattr(out + "/a")), ([], ["user.mine"]), "of attributes, only those that may land")
    t.ok(os.path.samefile(out + "/a", out + "/d/a2") and os.lstat(out + "/l2").st_ino == os.lstat(out + "/l1").st_ino,
         "hard links stay")
    t.same([os.lstat(out + x).st_mtime_ns for x in ("/a", "/d", "/d/b", "/l", "/op", "")],
           [1234567890123456789] * 5 + [999], "times stay")
    t.same((os.lstat(out + "/d/b").st_uid, stat.S_IMODE(os.lstat(out + "/a").st_mode)), (1000, 0o640), "owners and modes stay")
    t.ok(os.lstat(out + "/hole").st_blocks < 2048, "holes stay", os.lstat(out + "/hole").st_blocks)
    t.same(r.one("totals").b, 12, "entries in all")


first = save(plain, check=check_plain)
t.same(save(plain).digest(), first.digest(), "the same upper has the same digest")
t.ok(save(lambda u: (plain(u), os.removexattr(u + "/op", "user.overlay.opaque"))).digest() != first.digest(), "a mark is part of it")
t.ok(save(lambda u: (plain(u), os.unlink(u + "/gone"))).digest() != first.digest(), "so is a whiteout")


def simple(u):
    put(u, {"d/x": b"1\n", "y": ("->", "z")})
    for name in ("d/x", "d", "y", "."):
        os.utime(os.path.join(u, name), (5, 5), follow_symlinks=False)


tar = Tar().dir("./", mtime=5).dir("d", mtime=5).add("d/x", b"1\n", mtime=5).link("y", "z", mtime=5)
with Places() as p:
    t.same(save(simple).digest(), p.run("unpack", stdin=tar.bytes()).digest(), "an archive of the same content has the same digest")


def dirty(u):
    put(u, {"su": (b"x", 0o644), "a\x01b": b"x"})
    os.chmod(u + "/su", 0o4755)
    os.mkfifo(u + "/fifo")
    os.mknod(u + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.chown(u + "/su", 65532, 70000)
    os.chmod(u + "/su", 0o4755)
    put(u, {"cap": b"x", "wo": b""})
    os.setxattr(u + "/cap", "security.capability", bytes.fromhex("0100000200000000000000000000000000000000"))
    os.setxattr(u + "/wo", "user.overlay.whiteout", b"y")


def check_dirty(p, r):
    t.ok(r.done, "what may not lie in a layer is cleaned", r.records)
    t.same(r.notes(), [("a\x01b", "name-bytes"), ("cap", "xattr"), ("fifo", "special-file"), ("null", "special-file"),
                       ("su", "id-range"), ("su", "set-id")], "with notes")
    st = os.lstat(p.at("out/su"))
    t.same((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o755, 65534, 65534), "set-id bits and owners")
    t.ok(stat.S_ISCHR(os.lstat(p.at("out/wo")).st_mode), "a whiteout by attribute becomes a device")


save(dirty, check=check_dirty)


def many(u):
    put(u, {"f": b"x"})
    for i in range(67):
        os.setxattr(u + "/f", f"user.{i:02}", b"%d" % i)


def check_many(p, r):
    t.same(r.notes(), [("f", "xattr")] * 3, "of attributes, those beyond the most are left out, with a note for each")
    t.same(sorted(os.listxattr(p.at("out/f"))), [f"user.{i:02}" for i in range(64)], "the first by name are kept")


save(many, check=check_many)


def redirect(u):
    os.mkdir(u + "/moved")
    os.setxattr(u + "/moved", "user.overlay.redirect", b"/x")


t.same(save(redirect).refused, "redirect", "a directory that is only a reference is refused")

# a mark that cannot be read is no missing one: without it the object would be kept for what it is not
DENY = [os.path.join(os.environ.get("top_builddir", "."), "tests/degrade/deny"), "fgetxattr", "EPERM"]


def marked(name, mark, make):
    def prepare(u):
        make(u + name)
        os.setxattr(u + name, "user.overlay." + mark, b"y")
    return prepare


def file(path):
    with open(path, "wb"):
        pass


for what, prepare in (("a whiteout", marked("/w", "whiteout", file)), ("an opaque directory", marked("/o", "opaque", os.mkdir))):
    t.ok(save(prepare).done, f"{what} by attribute is saved")
    r = save(prepare, wrap=DENY)
    t.ok(not r.done, f"{what} whose mark cannot be read fails the save", r.records)

t.same(save(plain, "--max-bytes", "1000").refused, "too-many-bytes", "limits hold")

# --- the merged tree of base and saved layer is that of base and upper
SCRIPT = """set -e
cd "$1"; mkdir m; mount -t tmpfs none m; cd m; mkdir lower up wk mnt mnt2 up2 wk2 saved
mkdir lower/d lower/e; echo 1 > lower/d/a; echo 2 > lower/d/b; echo 3 > lower/e/c; echo 4 > lower/f
mount -t overlay -o lowerdir=lower,upperdir=up,workdir=wk,userxattr none mnt
rm mnt/f; rm -r mnt/d; mkdir mnt/d; echo new > mnt/d/n; rm mnt/e/c; echo x > mnt/e/x
mount --bind up ../upper; mount --bind saved ../out
"$2" save --root .. 2> ../records
mount -t overlay -o lowerdir=saved:lower,upperdir=up2,workdir=wk2,userxattr none mnt2
diff -r mnt mnt2; find mnt2 | sort
"""
with Places() as p:
    binary = os.path.join(os.environ.get("top_builddir", "."), "sandbox/files/warder-files")
    done = subprocess.run(["unshare", "-m", "sh", "-c", SCRIPT, "sh", p.dir, os.path.abspath(binary)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if b"mount" in done.stderr:
        t.skip("a real overlay", done.stderr.decode()[:100].replace("\n", " "))
    else:
        t.same((done.returncode, done.stdout.decode().split()), (0, ["mnt2", "mnt2/d", "mnt2/d/n", "mnt2/e", "mnt2/e/x"]),
               "a saved layer shows what the upper showed", done.stderr)

# --- an upper over a saved layer becomes one layer: generation after generation of random changes
CHAIN = """set -e
cd "$1"; mkdir m; mount -t tmpfs none m; cd m; mkdir lower new old; mkdir lower/work; cp -a "$3"/base/. lower/work
: > none; i=0
for changes in "$3"/changes-*; do
        i=$((i+1)); mkdir up$i wk$i mnt$i saved$i; layers=lower; [ $i = 1 ] || layers=saved$((i-1)):lower
        mount -t overlay -o "lowerdir=$layers,upperdir=up$i,workdir=wk$i,userxattr" none mnt$i
        (cd mnt$i/work; sh "$changes")
        mount --bind up$i ../upper; mount --bind saved$i ../out; over=
        [ $i = 1 ] || { mkdir -p ../old ../tree; mount --bind saved$((i-1)) ../old; mount --bind lower ../tree; over=--over; }
        "$2" save $over --root .. 2> ../records
        umount ../upper ../out; [ $i = 1 ] || umount ../old ../tree
        mkdir chk$i wkc$i upc$i
        mount -t overlay -o "lowerdir=saved$i:lower,upperdir=upc$i,workdir=wkc$i,userxattr" none chk$i
        (cd mnt$i; find . -printf '%P %y %m %l %s\\n' | grep -v ' d ' | sort; find . -type d | sort) > want
        (cd chk$i; find . -printf '%P %y %m %l %s\\n' | grep -v ' d ' | sort; find . -type d | sort) > have
        diff want have; diff -r --no-dereference mnt$i chk$i
done
echo "$i generations"
"""
KINDS = ["rm -rf {a}", "rm -rf {a}; mkdir {a}", "rm -rf {a}; mkdir {a}; echo $$ >{a}/only", "rm -rf {a}; echo file >{a}",
         "mkdir -p {a} 2>/dev/null && echo {n} >{a}/f{n} || :", "rm -rf {a}; ln -s {b} {a}", "test ! -d {a} || rm -f {a}/*",
         "test -e {a} && test ! -e {b} && mv {a} {b} || :", "test ! -f {a} || echo more >>{a}", "test ! -d {a} || touch {a}/t{n}"]


def write_chain(where, rng):
    names = ["d", "e", "f", "d/x", "d/y", "e/x", "e/x/deep", "g"]
    os.makedirs(where + "/base/d/x")
    os.makedirs(where + "/base/e/x/deep")
    for name in ("d/a", "d/x/a", "e/b", "e/x/deep/c", "g"):
        put(where + "/base", {name: name.encode()})
    for i in range(5):
        with open(f"{where}/changes-{i}", "w", encoding="ascii") as script:
            for n in range(rng.randint(1, 6)):
                a, b = rng.sample(names, 2)
                inside = b.startswith(a + "/") or a.startswith(b + "/")
                line = rng.choice([k for k in KINDS if not inside or "{b}" not in k]).format(a=a, b=b, n=10 * i + n)
                script.write(f"{{ {line}; }} 2>/dev/null || :\n")


seed = random.SystemRandom().randrange(1 << 32)
rng = random.Random(seed)
for _ in range(12):
    with Places() as p, tempfile.TemporaryDirectory() as where:
        write_chain(where, rng)
        done = subprocess.run(["unshare", "-m", "sh", "-c", CHAIN, "sh", p.dir, os.path.abspath(binary), where],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if b"mount" in done.stderr:
            t.skip("real overlays one over the other", done.stderr.decode()[:100].replace("\n", " "))
            break
        if (done.returncode, done.stdout) != (0, b"5 generations\n"):
            scripts = "".join(open(f"{where}/changes-{i}", encoding="ascii").read() + "--\n" for i in range(5))
            t.ok(False, f"layer over layer shows what the overlays showed (seed {seed})", (done.stdout, done.stderr, scripts))
            break
else:
    t.ok(True, f"layer over layer shows what the overlays showed (seed {seed})")
t.end()
