#!/usr/bin/env python3
"""apply: gives the tree that git apply gives, or refuses; and the protection layer."""
import hashlib
import os
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import GIT, change_tree, edit, git_apply, put, random_tree, rng, scan  # noqa: E402

t = Tap()
CHANGE = {1: "added", 2: "modified", 3: "deleted", 4: "mode"}


def prepare(p, base):
    os.mkdir(p.at("old/work"))
    put(p.at("old/work"), base)
    shutil.copytree(p.at("old/work"), p.at("tree/work"), symlinks=True)


def apply(base, patch, *words, check=None):
    with Places() as p:
        prepare(p, base)
        r = p.run("apply", *words, "work", stdin=patch)
        if check:
            check(p, r)
        return r


def fingerprint(found):
    lines = [b"%06o %s\0%s\n" % (mode, path, hashlib.sha256(data).hexdigest().encode())
             for path, (mode, data) in sorted(found.items())]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def git_diff(base, new, *words):
    """The patch that git itself makes of two trees."""
    with Places() as p:
        put(p.at("tree"), base)
        run = lambda *w: subprocess.run(["git", *w], cwd=p.at("tree"), env=GIT, check=True, stdout=subprocess.PIPE).stdout
        run("init", "-q")
        run("add", "-A", "-f")
        run("commit", "-q", "--allow-empty", "-m", "x")
        for name in os.listdir(p.at("tree")):
            if name != ".git":
                path = p.at("tree", name)
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        put(p.at("tree"), new)
        run("add", "-A", "-f")
        return run("diff", "--cached", *words)


def as_git(base, patch, what, refused=None, paths=None):
    """git's tree and ours are one, or both refuse; where only we refuse, the rule is given."""
    def check(p, r):
        want, words = git_apply(p.at("old/work"), patch)
        before = scan(p.at("old/work"))
        if refused:
            t.same((r.code, r.refused), (1, refused), f"refused: {what}", r.records)
            t.same(scan(p.at("tree/work")), before, f"nothing written: {what}")
            return
        if want is None:
            t.ok(r.code == 1 and r.refused, f"git refuses, so do we: {what}", words, r.records)
            t.same(scan(p.at("tree/work")), before, f"nothing written: {what}")
            return
        if not t.ok(r.done, f"applies: {what}", r.records, patch.decode(errors="replace")):
            return
        t.same(scan(p.at("tree/work")), want, f"the same tree: {what}", patch.decode(errors="replace"))
        t.same((r.digest(2), r.digest(3)), (hashlib.sha256(patch).hexdigest(), fingerprint(want)), f"digests: {what}")
        if paths is not None:
            t.same([(CHANGE[x.flags], os.fsdecode(x.path)) for x in r.all("path")], paths, f"paths: {what}")
        with Places() as q:
            prepare(q, base)
            c = q.run("apply", "--check-only", "work", stdin=patch)
            t.ok(c.done and c.digest(3) is None and scan(q.at("tree/work")) == before, f"check-only writes nothing: {what}")
    return apply(base, patch, check=check)


TEXT = b"".join(b"line %d\n" % i for i in range(60))
BINARY = bytes(range(256)) * 20


def changed(base, new, what, *words, **kw):
    return as_git(base, git_diff(base, new, "--binary", "--full-index", *words), what, **kw)


# --- what git makes
changed({"a": TEXT}, {"a": TEXT.replace(b"line 3\n", b"").replace(b"line 40\n", b"x\ny\n")}, "two hunks", paths=[("modified", "a")])
changed({"a": TEXT, "d/e/f": b"1\n"}, {"a": TEXT, "g/h": b"2\n"}, "a file comes, a directory goes", "--no-renames",
        paths=[("deleted", "d/e/f"), ("added", "g/h")])
changed({"a": b"1\n"}, {"a": (b"1\n", 0o755)}, "a mode", paths=[("mode", "a")])
changed({"a": b"1"}, {"a": b"1\n"}, "a newline at the end")
changed({"a": b"1\n2"}, {"a": b"2"}, "no newline at the end")
changed({"a": b"1\r\n2\r\n"}, {"a": b"1\r\n3\r\n"}, "CR LF")
changed({"e": b""}, {"f": b""}, "empty files", "--no-renames", paths=[("deleted", "e"), ("added", "f")])
changed({"a": BINARY, "b": BINARY[::-1]}, {"a": BINARY + b"x", "n": BINARY[5:]}, "binary files", "--no-renames")
changed({"l": ("->", "a"), "f": b"1\n"}, {"l": b"1\n", "f": ("->", "b")}, "link and file change places",
        paths=[("modified", "f"), ("modified", "l")])
changed({"d/x": b"1\n", "d/y": b"1\n"}, {"d": b"2\n"}, "a directory becomes a file", "--no-renames")
changed({"d": ("->", "/etc")}, {"d/x": b"2\n"}, "a link becomes a directory")
changed({"a": TEXT, "b": TEXT[9:]}, {"c d": TEXT[:-9] + b"x\n", "b": TEXT[9:]}, "a renaming with a change", "-M",
        paths=[("deleted", "a"), ("added", "c d")])
changed({"a": TEXT, "b": BINARY}, {"b": TEXT, "a": BINARY}, "two files change names", "-M", "-B")
changed({"a": TEXT}, {"a": TEXT, "b": TEXT[:-8]}, "a copy", "-C", "--find-copies-harder", paths=[("added", "b")])
changed({"a": TEXT}, {"a": TEXT[:50] + b"new\n" + TEXT[50:]}, "no context", "-U0")
changed({"a": TEXT}, {"a": TEXT.replace(b"line 0\n", b"").replace(b"line 59\n", b"")}, "both ends")
changed({"größe": b"1\n", 'q"\t\\': b"1\n", " x ": b"1\n"}, {"größe": b"2\n", 'q"\t\\': b"2\n", " x ": b"2\n"}, "odd names")
for seed in range(60):
    source = rng(1000 + seed)
    base = random_tree(source)
    changed(base, change_tree(base, source), f"random trees {seed}", *source.choice([["--no-renames"], ["-M"], ["-C", "-M"]]))

# --- the base is not quite the one the patch was made for: fits elsewhere, or not at all, as git decides
for seed in range(80):
    source = rng(5000 + seed)
    text = b"".join(b"%s %d\n" % (source.choice([b"a", b"b"]), i // source.choice([1, 2, 5])) for i in range(source.randrange(3, 50)))
    new = edit(text, source)
    patch = git_diff({"f": text}, {"f": new}, "-U%d" % source.randrange(4))
    as_git({"f": edit(text, source)}, patch, f"a base that moved on {seed}")
    source.shuffle(lines := text.splitlines(True))
    as_git({"f": b"".join(lines)}, patch, f"a base out of order {seed}")

# --- a patch with a bit of damage: never another tree than git's
for seed in range(120):
    source = rng(9000 + seed)
    base = {"f": (TEXT[:200], 0o644), "g x": (b"1\n2\n3\n", 0o755), "l": ("->", "f"), "b": (BINARY[:300], 0o644)}
    patch = bytearray(git_diff(base, change_tree(base, source), "--binary", "--full-index"))
    for _ in range(source.randrange(1, 3)):
        if not patch:
            break
        at = source.randrange(len(patch))
        what = source.randrange(3)
        if what == 0:
            patch[at] = source.choice(b"+- \\@ab/\n019")
        elif what == 1:
            del patch[at:at + source.randrange(1, 30)]
        else:
            patch[at:at] = source.choice([b"\n", b"+x\n", b"-1\n", b" ", b"\\ No newline at end of file\n", b"new file mode 100644\n"])
    with Places() as p:
        prepare(p, base)
        r = p.run("apply", "work", stdin=bytes(patch))
        want, words = git_apply(p.at("old/work"), bytes(patch))
        if r.done:
            t.same(scan(p.at("tree/work")), want, f"damaged {seed}", words, r.records, bytes(patch).decode(errors="replace"))
        else:
            t.ok(r.refused is not None, f"damaged {seed} is refused", r.records, r.code)

# --- mail around it
mail = b"From 1234 Mon Sep 17 00:00:00 2001\nSubject: x\n\nA word.\n---\n a | 2 +-\n\n" \
    + git_diff({"a": b"1\n"}, {"a": b"2\n"}) + b"-- \n2.39.5\n\n"
as_git({"a": b"1\n"}, mail, "a patch from a mail")
as_git({"a": b"1\n"}, b"", "an empty patch", paths=[])
apply({"a": b"1\n"}, b"\n\n", check=lambda p, r: t.ok(r.done, "blank lines", r.records))


# --- hostile patches
def new_file(name, mode=b"100644", body=b"evil\n", quote=False):
    name = name if isinstance(name, bytes) else name.encode()
    a, b = (b'"a/%s"' % name, b'"b/%s"' % name) if quote else (b"a/" + name, b"b/" + name)
    return b"diff --git %s %s\nnew file mode %s\n--- /dev/null\n+++ %s\n@@ -0,0 +1 @@\n+%s" % (a, b, mode, b, body)


for name, rule in (("../x", "name-dotdot"), ("a/../../x", "name-dotdot"), ("/etc/passwd", "name-absolute"),
                   (".git/hooks/pre-commit", "name-git"), ("sub/.git/config", "name-git"), ("sub/.GIT/config", "name-git"),
                   (".git", "name-git"), ("a//b", "patch-form"), ("./a", "patch-form"), ("a/", "patch-form"),
                   ("n" * 300, "name-long"), ("d/" * 300 + "x", "name-depth")):
    as_git({"f": b"1\n"}, new_file(name), f"a name like {name[:20]}", refused=rule)
as_git({"f": b"1\n"}, new_file(rb"\056\056/x", quote=True), "dots in quotes", refused="name-dotdot")
as_git({"f": b"1\n"}, new_file(rb"esc\033", quote=True), "a control byte", refused="name-bytes")
as_git({"f": b"1\n"}, new_file(rb"nul\000x", quote=True), "a byte 0", refused="patch-form")
for mode in (b"160000", b"040000", b"104755", b"100664", b"100666", b"020666", b"120777", b"0100644", b"10644 "):
    as_git({"f": b"1\n"}, new_file("x", mode), f"mode {mode.decode()}", refused="patch-mode")
as_git({"l": ("->", "/tmp"), "f": b"1\n"}, new_file("l/x"), "through a link of the base", refused="through-link")
as_git({"f": b"1\n"}, new_file("f/x"), "beneath a file of the base", refused="through-link")
as_git({}, new_file("l", b"120000", b"/tmp\n\\ No newline at end of file\n") + new_file("l/x"), "through a link of its own",
       refused="through-link")
as_git({}, new_file("x") + new_file("x"), "a path twice", refused="patch-twice")
as_git({"x": b"1\n"}, new_file("x"), "a new file that is there", refused="patch-misfit")
as_git({"x/y": b"1\n"}, new_file("x"), "a new file where a directory is", refused="patch-misfit")
as_git({}, new_file("l", b"120000", b""), "a link to nothing", refused="patch-form")
as_git({}, new_file("l", b"120000", b"a\0b\n"), "a link with a byte 0", refused="patch-misfit")
as_git({}, b"diff --git a/x b/x\ndeleted file mode 100644\n", "deletes what is not there", refused="patch-misfit")
as_git({"x": b"1\n2\n"}, b"diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n",
       "deletes a part", refused="patch-misfit")
as_git({"x": b"1\n"}, b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n", "no header of git's", refused="patch-form")
as_git({"x": b"1\n"}, b"some words, no patch\n", "no patch at all", refused="patch-form")
as_git({"x": b"1\n"}, b"diff --git x x\nindex 1..2\n--- x\n+++ x\n@@ -1 +1 @@\n-1\n+2\n", "no prefix", refused="patch-form")
as_git({"x": BINARY}, git_diff({"x": BINARY}, {"x": BINARY[1:]}), "binary without its content", refused="patch-form")
as_git({"x": BINARY[1:]}, git_diff({"x": BINARY}, {"x": BINARY[2:]}, "--binary", "--full-index"), "binary for another base",
       refused="patch-misfit")
good = git_diff({"a": TEXT, "x": b"1\n"}, {"a": TEXT + b"more\n", "x": b"2\n"})
as_git({"a": TEXT, "x": b"other\n"}, good, "the second file does not fit", refused="patch-misfit")
for cut in (20, 60, len(good) // 2, len(good) - 3):
    r = apply({"a": TEXT, "x": b"1\n"}, good[:cut])
    t.ok(r.code == 1 and r.refused == "patch-form", f"a patch cut at {cut}", r.records)
for bad in ("../x", "/work", "nosuch"):
    with Places() as p:
        prepare(p, {"a": b"1"})
        t.same(p.run("apply", bad, stdin=b"").code, 1, f"a directory {bad} is not taken")


# --- what it leaves alone
def links(p, r):
    t.ok(r.done, "a file with another name", r.records)
    t.same((open(p.at("tree/work/a")).read(), open(p.at("tree/work/other")).read()), ("2\n", "1\n"),
           "the other name keeps what it has")
    st = os.lstat(p.at("tree/work/a"))
    t.same((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o640, 1234, 99) if os.geteuid() == 0 else
           (0o640, os.getuid(), os.getgid()), "a changed file keeps mode and owner")
    t.same(os.lstat(p.at("tree/work/still")).st_mtime, 1e9, "what is not touched keeps its time")
    st = os.lstat(p.at("tree/work/d/new"))
    t.same((st.st_uid, stat.S_IMODE(st.st_mode)), (77 if os.geteuid() == 0 else os.getuid(), 0o644),
           "what is new belongs to whom its directory belongs")


with Places() as p:
    prepare(p, {"a": (b"1\n", 0o640), "still": b"s", "d/x": b"1"})
    os.link(p.at("tree/work/a"), p.at("tree/work/other"))
    for place in ("old", "tree"):
        os.utime(p.at(place, "work/still"), (1e9, 1e9))
        if os.geteuid() == 0:
            os.chown(p.at(place, "work/a"), 1234, 99)
            os.chown(p.at(place, "work/d"), 77, 77)
    links(p, p.run("apply", "work", stdin=git_diff({"a": b"1\n"}, {"a": b"2\n"}) + new_file("d/new")))


# --- protection
def protected(base, new, words, want, what, check=None):
    def both(p, r):
        if not t.ok(r.done, f"applies: {what}", r.records):
            return
        got = {k: sorted(os.fsdecode(x.path) for x in r.all(k)) for k in ("restored", "dangerous", "new_test") if r.all(k)}
        t.same(got, want, f"records: {what}", r.records)
        tree = scan(p.at("tree/work"))
        t.same(r.digest(3), fingerprint({k.encode(): v for k, v in expected.items()}), f"the digest is that before: {what}")
        if check:
            check(p, tree)
    patch = git_diff(base, new, "--binary", "--full-index", "--no-renames")
    with Places() as q:
        put(q.at("old"), new)
        expected = {os.fsdecode(k): v for k, v in scan(q.at("old")).items()}
    return apply(base, patch, *words, check=both)


P = ["--protect", "test/**", "--protect", "package.json"]
base = {"test/a.t": (b"real\n", 0o755), "test/d/b.t": b"real\n", "src/x.c": b"1\n", "package.json": b"{}\n"}


def all_back(p, tree):
    for name in ("test/a.t", "test/d/b.t", "package.json"):
        t.same(tree.get(name.encode()), scan(p.at("old/work"))[name.encode()], f"{name} is as it was")
        t.same(os.lstat(p.at("tree/work", name)).st_mtime_ns, os.lstat(p.at("old/work", name)).st_mtime_ns,
               f"{name} has its time")


protected(base, dict(base, **{"src/x.c": b"2\n"}), P, {}, "an honest change", all_back)
protected(base, dict(base, **{"test/a.t": (b"fake\n", 0o755)}), P, {"restored": ["test/a.t"]}, "a changed test", all_back)
protected(base, dict(base, **{"test/a.t": (b"real\n", 0o644)}), P, {"restored": ["test/a.t"]}, "a test's mode", all_back)
protected(base, {"src/x.c": b"1\n"}, P, {"restored": ["package.json", "test/a.t", "test/d/b.t"]}, "all deleted", all_back)
protected(base, {"src/x.c": b"1\n", "test": ("->", "src"), "package.json": b"{}\n"}, P,
          {"restored": ["test/a.t", "test/d/b.t"]}, "a link in the directory's place", all_back)
protected(base, {"src/x.c": b"1\n", "test": b"file\n", "package.json": b"{}\n"}, P,
          {"restored": ["test/a.t", "test/d/b.t"]}, "a file in the directory's place", all_back)
protected(base, dict({k: v for k, v in base.items() if k != "test/a.t"}, **{"test/a.t/evil": b"x\n"}), P,
          {"restored": ["test/a.t"], "new_test": ["test/a.t/evil"]}, "a directory in a test's place", all_back)
protected(base, dict(base, **{"package.json": ("->", "src/x.c")}), P, {"restored": ["package.json"]}, "a link in a file's place",
          all_back)
protected(base, dict(base, **{"package.json": b"{}\n", "test/a.t": b"fake\n"}), P + ["--allow", "package.json"], {"restored": ["test/a.t"]},
          "a protected file that may be changed all the same")
protected(base, dict(base, **{"test/new.t": b"new\n"}), P, {"new_test": ["test/new.t"]}, "a new test",
          lambda p, tree: t.ok(b"test/new.t" in tree, "is kept"))
evil = {"conftest.py": b"x", "a/b/sitecustomize.py": b"x", "GNUmakefile": b"x", "test/conftest.py": b"x", "x/.npmrc": b"x",
        ".cargo/config.toml": b"x", "fine.py": b"x", "src/evil.pth": b"x"}
protected(base, dict(base, **evil), P, {"dangerous": sorted(set(evil) - {"fine.py"})}, "dangerous names",
          lambda p, tree: t.same(set(tree), {k.encode() for k in base} | {b"fine.py"}, "are gone"))
protected(base, dict(base, **evil), P + ["--allow", "conftest.py", "--allow", "**/{sitecustomize.py,.npmrc}"],
          {"dangerous": [".cargo/config.toml", "GNUmakefile", "src/evil.pth", "test/conftest.py"]}, "but for what is allowed")
protected(dict(base, **{"conftest.py": b"1\n"}), dict(base, **{"conftest.py": b"2\n"}), P, {}, "a dangerous name that the base has")
protected(base, dict(base, **{"conftest.py": ("->", "src/x.c")}), P, {"dangerous": ["conftest.py"]}, "a dangerous link")
protected(base, dict(base, **{"sitecustomize": ("->", "src"), "a/__pycache__/b.cpython-311.pyc": b"x", "unittest/__main__.py": b"x"}),
          P, {"dangerous": ["a/__pycache__/b.cpython-311.pyc", "sitecustomize", "unittest/__main__.py"]}, "what python would take first")

# --- what no patch is expected to bring: products of setup and of the build
built = dict(base, **{".gitignore": b"/build/\n*.o\n", "src/.gitignore": b"!kept.o\n"})
protected(built, dict(built, **{"build/test": (b"x", 0o755), "src/x.o": b"x", "src/kept.o": b"x", "src/build/y": b"x"}), P,
          {"dangerous": ["build/test", "src/x.o"]}, "files that the base ignores")
protected(built, dict(built, **{"build/test": b"x", ".gitignore": b"\n"}), P, {"dangerous": ["build/test"]},
          "and says so no more")
protected(built, dict(built, **{"build": ("->", "src")}), P, {"dangerous": ["build"]}, "a link in place of an ignored directory")
protected(built, dict(built, **{"build": b"#!/bin/sh\n"}), P, {}, "a file that has the name of an ignored directory")
protected(built, dict(built, **{"build/test": b"x"}), P + ["--allow", "build/**"], {}, "an ignored file that is allowed")


def above_setup(files, want, what, made, words=()):
    with Places() as p:
        prepare(p, base)
        if made:
            os.mkdir(p.at("new/work"))
            put(p.at("new/work"), made)
        r = p.run("apply", *P, *words, "work", "--setup", stdin=git_diff(base, dict(base, **files), "--binary", "--full-index"))
        got = sorted(os.fsdecode(x.path) for x in r.all("dangerous"))
        t.ok(r.done and got == want, f"setup: {what}", r.records)
        t.ok(all(os.fsencode(x) not in scan(p.at("tree/work")) for x in want), f"setup: taken away: {what}")


made = {"vendor/runner": b"real\n", "deps": ("->", "/usr"), "src/gen.c": b"1\n"}
above_setup({"vendor/runner": b"fake\n", "vendor/other": b"x\n", "src/y.c": b"x\n"}, ["vendor/runner"], "a file in place of its file", made)
above_setup({"vendor": ("->", "src")}, ["vendor"], "a link in place of its directory", made)
above_setup({"deps/runner": b"x\n"}, ["deps/runner"], "a directory in place of its link", made)
above_setup({"vendor/runner": b"x\n"}, [], "allowed", made, ("--allow", "vendor/*"))
above_setup({"vendor/runner": b"x\n"}, [], "nothing made", None)
t.end()
