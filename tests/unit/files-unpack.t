#!/usr/bin/env python3
"""unpack: what lands from an archive, what is cleaned, what is refused; honest archives against GNU tar."""
import bz2
import gzip
import hashlib
import lzma
import os
import stat
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap, Tar  # noqa: E402

t = Tap()
ROOT = os.geteuid() == 0


def unpack(archive, *words, check=None):
    with Places() as p:
        r = p.run("unpack", *words, stdin=archive)
        if check:
            check(p.at("out"), r)
        return r


def refused(archive, rule, what, *words):
    with Places() as p:
        canary = p.at("canary")
        open(canary, "w").write("safe")
        r = p.run("unpack", *words, stdin=archive)
        t.same((r.code, r.refused), (1, rule), f"refused: {what}", r.records)
        t.ok(r.all("done") == [] and open(canary).read() == "safe", f"and nothing else happened: {what}")


def noted(archive, notes, what, check=None):
    def both(out, r):
        t.ok(r.done, f"lands: {what}", r.records)
        t.same(r.notes(), notes, f"with these notes: {what}")
        if check:
            check(out)
    return unpack(archive, check=both)


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


# --- what honest archives hold
def honest():
    tar = Tar()
    tar.dir("./", mode=0o750, mtime=900000000)
    tar.dir("bin").add("bin/tool", b"#!/bin/sh\n", mode=0o755).link("bin/alias", "tool")
    tar.link("etc", "/usr/etc").hard("bin/other", "bin/tool")
    tar.add("deep/er/file", b"x" * 700000).add("empty").add("tab\tname", b"t").add("näme", b"n")
    tar.add("n" * 200 + "/" + "m" * 200, b"long").dir("shut", mode=0o500).add("shut/in", b"in")
    tar.dir("sticky", mode=0o1777)
    return tar.bytes()


def check_honest(out, r):
    t.ok(r.done, "an honest archive lands", r.records)
    t.same(r.notes(), [], "without a note")
    t.same(open(out + "/bin/tool").read(), "#!/bin/sh\n", "content")
    t.same((mode(out + "/bin/tool"), mode(out + "/shut"), mode(out + "/sticky"), mode(out + "/deep"), mode(out)),
           (0o755, 0o500, 0o1777, 0o755, 0o750), "modes; an implied directory has 0755")
    t.same((os.readlink(out + "/etc"), os.readlink(out + "/bin/alias")), ("/usr/etc", "tool"), "links as they are")
    t.ok(os.path.samefile(out + "/bin/tool", out + "/bin/other"), "a hard link is one file")
    t.same([os.lstat(out + x).st_mtime for x in ("/bin/tool", "/bin", "/bin/alias", "/deep", "/shut", "")],
           [1e9, 1e9, 1e9, 0, 1e9, 9e8], "times, directories' too")
    t.same(sorted(os.listdir(out)), sorted(["bin", "deep", "empty", "etc", "n" * 200, "näme", "shut", "sticky",
                                            "tab\tname"]), "names")
    t.same(r.one("totals").a, 10 + 10 * 0 + 700000 + 1 + 1 + 4 + 2, "bytes in all")


archive = honest()
first = unpack(archive, check=check_honest)
for name, pack in (("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress),
                   ("zstd", lambda b: subprocess.run(["zstd", "-qc"], input=b, stdout=subprocess.PIPE).stdout)):
    try:
        r = unpack(pack(archive))
    except FileNotFoundError:
        t.skip(f"{name} is read", f"{name} is not installed")
        continue
    t.same((r.done, r.digest()), (True, first.digest()), f"{name} is read, and gives the same digest", r.records)

# --- the digest is that of the content, whatever the archive's order and form
a = Tar().dir("d", mtime=5).add("d/x", b"1").add("y", b"2").bytes()
b = Tar(fmt=tarfile.GNU_FORMAT).add("y", b"2").add("d/x", b"1").dir("d", mtime=5).bytes()
c = Tar().dir("d", mtime=5).add("d/x", b"0").add("y", b"2").add("./d/x", b"1").bytes()
t.same(unpack(a).digest(), unpack(b).digest(), "the order of entries does not matter")
t.same(unpack(a).digest(), unpack(c).digest(), "the last of two files of one name counts")
for what, other in (("content", Tar().dir("d", mtime=5).add("d/x", b"9").add("y", b"2")),
                    ("time", Tar().dir("d", mtime=6).add("d/x", b"1").add("y", b"2")),
                    ("mode", Tar().dir("d", mtime=5).add("d/x", b"1", mode=0o600).add("y", b"2")),
                    ("name", Tar().dir("d", mtime=5).add("d/z", b"1").add("y", b"2"))):
    t.ok(unpack(other.bytes()).digest() != unpack(a).digest(), f"another {what} is another digest")


def content_digest(data):
    pieces = [hashlib.sha256(data[i:i + 65536]).digest() for i in range(0, len(data) or 1, 65536)]
    return pieces[0] if len(pieces) == 1 else hashlib.sha256(b"".join(pieces)).digest()


def manifest(out):
    """The manifest of base comments in entry.h, made from the tree alone."""
    lines = []
    for at, dirs, files in os.walk(out):
        for name in [""] * (at == out) + dirs + files:
            path = os.path.join(at, name) if name else out
            st, rel = os.lstat(path), os.path.relpath(path, out)
            rel = "" if rel == "." else rel
            kind = "d" if stat.S_ISDIR(st.st_mode) else "l" if stat.S_ISLNK(st.st_mode) else "f"
            data = b"" if kind == "d" else os.readlink(path).encode() if kind == "l" else open(path, "rb").read()
            value = bytes(32) if kind == "d" else content_digest(data)
            name = (rel + ("/" if kind == "d" else "")).encode()
            perm = 0o777 if kind == "l" else stat.S_IMODE(st.st_mode)
            sec, nsec = divmod(st.st_mtime_ns, 10 ** 9)
            size = len(data) if kind == "f" else 0
            lines.append((name, b"%s %o %d %d %d.%09d %d %s\0" % (kind.encode(), perm, st.st_uid, st.st_gid, sec,
                                                                  nsec, size, name) + value))
    return hashlib.sha256(b"".join(line for _, line in sorted(lines))).hexdigest()


def check_manifest(out, r):
    t.same(r.digest(), manifest(out), "the digest can be made again from the tree", r.records)


if ROOT:
    unpack(archive, check=check_manifest)
    unpack(Tar().add("a-b").add("a/b").add("a.b").add("a0").dir("a", mtime=7).bytes(), check=check_manifest)
else:
    t.skip("the digest from the tree", "root")

# --- prefix
with Places() as p:
    r = p.run("unpack", "--prefix", "work/space", stdin=Tar().dir("./", mode=0o700).add("f", b"1").bytes())
    t.ok(r.done and open(p.at("out/work/space/f")).read() == "1", "a prefix takes the place of the root", r.records)
    t.same(mode(p.at("out/work/space")), 0o700, "and takes the root's mode")
for bad in ("../x", "/x", "a/../../x"):
    with Places() as p:
        r = p.run("unpack", "--prefix", bad, stdin=archive)
        t.same((r.code, r.records[-1].kind), (1, "failed"), f"a prefix {bad} is not taken")

# --- names
for name, rule in (("/etc/passwd", "name-absolute"), ("../x", "name-dotdot"), ("a/../../x", "name-dotdot"),
                   ("a/..", "name-dotdot"), ("esc\x1b[31m", "name-bytes"), ("new\nline", "name-bytes"),
                   ("a/" * 300 + "f", "name-depth"), ("n" * 256, "name-long"), (("d" * 250 + "/") * 17, "name-long")):
    refused(Tar().add(name, b"x").bytes(), rule, f"a name like {name[:20]!r}")
refused(Tar().add("//etc/passwd").bytes(), "name-absolute", "two slashes")
refused(Tar(fmt=tarfile.GNU_FORMAT).add("../" + "x" * 150).bytes(), "name-dotdot", "a long name of GNU's form")

# --- links
refused(Tar().link("d", "/tmp").add("d/x", b"x").bytes(), "through-link", "a file through a link")
refused(Tar().link("d", "..").dir("d/sub").bytes(), "through-link", "a directory through a link")
refused(Tar().link("d", ".").hard("d/h", "f").bytes(), "link-missing", "a hard link through a link")
refused(Tar().add("f", b"1").add("f/x", b"2").bytes(), "through-link", "a file beneath a file")
refused(Tar().hard("h", "../canary").bytes(), "link-out", "a hard link out of the tree")
refused(Tar().hard("h", "/etc/passwd").bytes(), "link-out", "a hard link to an absolute name")
refused(Tar().hard("h", "nothing").bytes(), "link-missing", "a hard link to nothing")
refused(Tar().dir("d").hard("h", "d").bytes(), "link-missing", "a hard link to a directory")
refused(Tar().link("l", "/etc").hard("h", "l/passwd").bytes(), "link-missing", "a hard link's target through a link")
noted(Tar().add("a", b"keep").hard("b", "a").add("b", b"new").bytes(), [], "a later file replaces a hard link",
      lambda out: t.same((open(out + "/a").read(), open(out + "/b").read()), ("keep", "new"),
                         "and never writes through it"))
noted(Tar().link("l", "/etc/passwd").link("l", "x").bytes(), [], "a link twice",
      lambda out: t.same(os.readlink(out + "/l"), "x", "the last one counts"))

# --- names that are no UTF-8, and a machine without the locale that libarchive converts with
odd = b"b\xff\xfen".decode(errors="surrogateescape")
for fmt in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
    for env in (None, dict(os.environ, LOCPATH="/nonexistent")):
        with Places() as p:
            tar = Tar(fmt=fmt).add(odd, b"1").link("l", odd).hard("h", odd).add("gr\u00f6" * 60)
            r = p.run("unpack", stdin=tar.bytes(), env=env)
            t.same((r.done, sorted(os.listdir(os.fsencode(p.at("out"))))),
                   (True, sorted([b"b\xff\xfen", b"l", b"h", ("gr\u00f6" * 60).encode()])), "bytes of names stay", r.records)

# --- type changes
refused(Tar().link("a", "/etc").dir("a").add("a/x").bytes(), "type-change", "a link, then a directory")
refused(Tar().link("a", "/tmp/x").add("a", b"x").bytes(), "type-change", "a link, then a file")
refused(Tar().add("a").link("a", "/etc").bytes(), "type-change", "a file, then a link")
refused(Tar().dir("a").link("a", "/etc").bytes(), "type-change", "a directory, then a link")
refused(Tar().add("a").dir("a").bytes(), "type-change", "a file, then a directory")
refused(Tar().add("a/b").add("a").bytes(), "type-change", "an implied directory, then a file")
refused(Tar().add("./", b"x").bytes() if False else Tar().link(".", "/etc").bytes(), "name-empty", "a link in the root's place")

# --- what is cleaned
noted(Tar().add("su", mode=0o4755).add("sg", mode=0o2755).dir("sd", mode=0o2775).bytes(),
      [("sd", "set-id"), ("sg", "set-id"), ("su", "set-id")], "set-id bits are taken off",
      lambda out: t.same([mode(f"{out}/{x}") for x in ("su", "sg", "sd")], [0o755, 0o755, 0o775], "modes without them"))
noted(Tar().add("c", type=tarfile.CHRTYPE, devmajor=1, devminor=3).add("b", type=tarfile.BLKTYPE, devmajor=8)
      .add("w", type=tarfile.CHRTYPE).add("p", type=tarfile.FIFOTYPE).add("f").bytes(),
      [(x, "special-file") for x in "bcpw"], "devices, fifos and raw whiteouts are left out",
      lambda out: t.same(os.listdir(out), ["f"], "and only they"))
noted(Tar().add(".wh.x").add("d/.wh..wh..opq").add("f").bytes(),
      [(".wh.x", "whiteout-name"), ("d/.wh..wh..opq", "whiteout-name")], "names of whiteouts are left out")
xattrs = {"SCHILY.xattr." + k: "y" for k in ("trusted.overlay.opaque", "user.overlay.whiteout", "security.capability",
                                             "user.fine", "system.posix_acl_access")}


def check_xattrs(out):
    t.same(os.listxattr(out + "/f"), ["user.fine"], "only user.* lands, and not user.overlay.*")


noted(Tar().add("f", b"1", pax_headers=xattrs).bytes(), [("f", "xattr")] * 4, "attributes", check_xattrs)
plain = unpack(Tar().add("f", b"1").bytes())
one = unpack(Tar().add("f", b"1", pax_headers={"SCHILY.xattr.user.a": "1", "SCHILY.xattr.user.b": "2"}).bytes())
two = unpack(Tar().add("f", b"1", pax_headers={"SCHILY.xattr.user.b": "2", "SCHILY.xattr.user.a": "1"}).bytes())
t.ok(plain.digest() != one.digest() == two.digest(), "attributes are part of the digest, their order is not")
if ROOT:
    noted(Tar().add("a", uid=1000, gid=100).add("b", uid=65532, gid=5).add("c", uid=4000000000, gid=0).bytes(),
          [("b", "id-range"), ("c", "id-range")], "owners",
          lambda out: t.same([(os.lstat(f"{out}/{x}").st_uid, os.lstat(f"{out}/{x}").st_gid) for x in "abc"],
                             [(1000, 100), (65534, 5), (65534, 0)], "those without a place belong to nobody"))
else:
    t.skip("owners", "root")
noted(Tar().add("old", mtime=-5).add("far", mtime=1e15).bytes(), [], "odd times",
      lambda out: t.same([os.lstat(out + x).st_mtime for x in ("/old", "/far")], [0, 4294967295], "are brought into range"))
many = Tar()
for i in range(1500):
    many.add(f"p{i}", type=tarfile.FIFOTYPE)
r = unpack(many.bytes())
t.same((len(r.all("note")), r.all("note")[-1].a), (1001, 1500), "notes are bounded, and counted in full")

# --- limits
refused(Tar().add("a", b"x" * 600).add("b", b"y" * 600).bytes(), "too-many-bytes", "more bytes than allowed",
        "--max-bytes", "1000")
refused(archive, "too-many-entries", "more entries than allowed", "--max-entries", "5")
refused(Tar().add("a/b/c/d/e/f").bytes(), "too-many-entries", "implied directories count", "--max-entries", "5")
bomb = Tar()
bomb.add("zero", bytes(400 << 20))
refused(lzma.compress(bomb.bytes(), preset=0), "expansion", "a small archive that grows without end")


def sparse(size, pieces=b""):
    """A GNU sparse file of pax form 1.0: a map of no piece and a size from thin air."""
    body = (b"1\n%d\n1\n" % (size - 1)).ljust(512, b"\0") + b"x"
    head = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "hole",
            "GNU.sparse.realsize": str(size)}
    return Tar().add("GNUSparseFile.0/hole", body, pax_headers=head).bytes()


refused(sparse(1 << 50), "too-many-bytes", "a sparse file of a petabyte")


def check_sparse(out, r):
    st = os.lstat(out + "/hole")
    t.ok(r.done and st.st_size == 8 << 20, "an honest sparse file lands", r.records)
    t.ok(st.st_blocks < 2048, "with its hole", st.st_blocks)
    t.same(open(out + "/hole", "rb").read().count(b"\0"), (8 << 20) - 1, "and its content")


s = unpack(sparse(8 << 20), check=check_sparse)
t.same(s.digest(), unpack(Tar().add("hole", bytes((8 << 20) - 1) + b"x").bytes()).digest(),
       "and has the digest of the same file without holes")

# --- broken input
refused(b"", "format", "nothing at all")
refused(b"not an archive, but long enough to be looked at " * 100, "format", "text")
refused(b"PK\3\4" + bytes(2000), "format", "a zip file")
refused(archive[:len(archive) // 2], "truncated", "a plain archive cut in the middle")
whole = Tar().add("a", b"x" * 512).bytes()
refused(whole[:1024], "truncated", "a plain archive cut between entries")
refused(gzip.compress(archive)[:-900], "truncated", "a gzip stream cut short")
refused(lzma.compress(archive)[:-400], "truncated", "an xz stream cut short")
broken = bytearray(gzip.compress(archive))
broken[len(broken) // 2] ^= 0x55
r = unpack(bytes(broken))
t.ok(r.code == 1 and r.refused in ("damaged", "truncated"), "a damaged gzip stream is refused", r.records)
bad_sum = bytearray(whole)
bad_sum[0] ^= 1
refused(bytes(bad_sum), "format", "a wrong checksum in the first header")
bad_sum = bytearray(Tar().add("a", b"x" * 512).add("b").bytes())
bad_sum[1024] ^= 1
refused(bytes(bad_sum), "damaged", "a wrong checksum in a later header")
t.ok(unpack(bytes(10240)).done, "an archive of nothing is an archive")
t.ok(unpack(whole + b"\0" * 100000).done, "padding behind the end mark is read and forgotten")

# --- arguments
with Places() as p:
    for words in (["nosuch"], ["unpack", "word"], ["unpack", "--max-bytes", "many"], ["unpack", "--nosuch"], ["results"]):
        r = p.run(words[0], *words[1:])
        t.same((r.code, r.records[-1].kind), (2, "failed"), f"wrong arguments: {' '.join(words)}", r.rest)

# --- the same tree as GNU tar, and a real pipe
with Places() as p:
    source = p.at("source")
    subprocess.run(["cp", "-a", "/usr/include/linux", source], check=True)
    packed = subprocess.run(["tar", "-C", source, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
    tar = subprocess.Popen(["tar", "-C", source, "-c", "."], stdout=subprocess.PIPE)
    r = p.run("unpack", stdin=tar.stdout)
    tar.stdout.close()
    t.same(tar.wait(), 0, "the writer of a pipe ends well")
    t.ok(r.done, "a real tree lands through a pipe", r.records[-3:])
    diff = subprocess.run(["diff", "-r", "--no-dereference", source, p.at("out")], stdout=subprocess.PIPE)
    t.same((diff.returncode, diff.stdout[:500]), (0, b""), "and is the same tree")
    if ROOT:
        t.same(r.digest(), manifest(p.at("out")), "with the digest of its manifest")
# --- what lands is charged to the byte: content, attributes, and 4096 an entry, the root's included
small = Tar().add("f", b"x" * 1000, pax_headers={"SCHILY.xattr.user.big": "y" * 3000}).link("l", "f").bytes()
charge = 1000 + len("user.big") + 3000 + 3 * 4096


def charged(out, r):
    t.ok(r.done, "what fits to the byte lands", r.records)
    t.same((r.one("totals").a, r.one("totals").b), (charge - 3 * 4096, 3), "and says what it takes")


unpack(small, "--max-disk", str(charge), check=charged)
refused(small, "too-many-bytes", "a byte less than it takes on disk", "--max-disk", str(charge - 1))
refused(small, "too-many-bytes", "attributes count as content", "--max-bytes", "3999")
refused(Tar().dir("a").dir("b").bytes(), "too-many-bytes", "empty directories are not free", "--max-disk", str(3 * 4096 - 1))

t.end()
