#!/usr/bin/env python3
"""shield: a patch that is applied over a base's shield gives what it gives without one, to the last owner and mode."""
import hashlib
import os
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import GIT, change_tree, put, random_tree, rng, scan  # noqa: E402

OWNER, TIME = 1234, 1000000000
t = Tap()
if os.geteuid() != 0:
    print("1..0 # SKIP files are given to other owners: needs root")
    sys.exit(0)


def git_diff(base, new):
    """The patch that git makes of two trees."""
    with Places() as p:
        put(p.at("old"), base)
        put(p.at("new"), new)
        r = subprocess.run(["git", "diff", "--no-index", "--binary", "--full-index", "--no-renames", "--src-prefix=a/",
                            "--dst-prefix=b/", "old", "new"], cwd=p.dir, env=GIT, stdout=subprocess.PIPE)
        return r.stdout.replace(b" a/old/", b" a/").replace(b" b/new/", b" b/").replace(b" b/old/", b" b/").replace(b" a/new/", b" a/")


def fingerprint(found):
    lines = [b"%06o %s\0%s\n" % (mode, path, hashlib.sha256(data).hexdigest().encode())
             for path, (mode, data) in sorted(found.items())]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def walk(top):
    for path, dirs, files in os.walk(top):
        for name in [path] + [os.path.join(path, x) for x in dirs + files]:
            yield name


def prepare(p, base):
    """As a base lies in its layer: of the jail's user, its files older than what a patch makes."""
    os.mkdir(p.at("old/work"))
    put(p.at("old/work"), base)
    for name in walk(p.at("old")):
        os.chown(name, OWNER, OWNER, follow_symlinks=False)
        os.utime(name, (TIME, TIME), follow_symlinks=False)
    subprocess.run(["cp", "-a", p.at("old/work"), p.at("tree/work")], check=True)


def facts(top):
    """All that a command of a verify could meet in a tree. Times of directories: an overlay has others than a copy."""
    found = {}
    for name in walk(os.fsencode(top)):
        st = os.lstat(name)
        found[os.path.relpath(name, os.fsencode(top))] = (
            oct(st.st_mode), st.st_uid, st.st_gid, stat.S_ISDIR(st.st_mode) or st.st_mtime == TIME)
    return found, scan(top)


def lay(upper, top):
    """What an overlay shows of both."""
    for path, dirs, files in os.walk(upper):
        place = os.path.join(top, os.path.relpath(path, upper))
        for name in files + [x for x in dirs if os.path.islink(os.path.join(path, x))]:
            os.unlink(os.path.join(place, name))
            subprocess.run(["cp", "-a", os.path.join(path, name), os.path.join(place, name)], check=True)
        shutil.copystat(path, place)
        os.chown(place, os.lstat(path).st_uid, os.lstat(path).st_gid)


def shield(p, words):
    with open(p.at("listing"), "wb") as out:
        r = p.run("shield", *words, "work", stdout=out)
    if os.path.exists(p.at("out/work")):
        lay(p.at("out/work"), p.at("tree/work"))
    return r


def one_way(base, patch, words, is_shielded):
    with Places() as p:
        prepare(p, base)
        if is_shielded:
            r = shield(p, words)
            if not r.done:
                return [repr(x) for x in r.records]
        with open(p.at("listing") if is_shielded else os.devnull, "rb") as listing:
            r = p.run("apply", *(["--shielded"] if is_shielded else []), *words, "work", stdin=patch, stdout=listing)
        return [repr(x) for x in r.records], *(facts(p.at("tree/work")) if r.done else ())


def same(base, new, words, what):
    patch = new if isinstance(new, bytes) else git_diff(base, new)
    plain, shielded = (one_way(base, patch, words, x) for x in (False, True))
    t.same(shielded, plain, f"with its shield as without: {what}", patch.decode(errors="replace"))
    return plain


P = ["--protect", "test/**", "--protect", "package.json"]
base = {"test/a.t": (b"real\n", 0o755), "test/d/b.t": b"real\n", "test/all": (b"x", 0o666), "src/x.c": b"1\n",
        "src/deep/y.c": b"2\n", "package.json": b"{}\n", "test/l": ("->", "a.t")}
without = lambda *names: {k: v for k, v in base.items() if not k.startswith(names)}
plain = same(base, dict(base, **{"src/x.c": b"2\n"}), P, "an honest change")
t.same([plain[1][x][:3] for x in (b"test/a.t", b"test/all", b"test", b"src/x.c", b"src")],
       [("0o100755", 0, 0), ("0o100644", 0, 0), ("0o41777", 0, 0), ("0o100644", OWNER, OWNER), ("0o40755", OWNER, OWNER)],
       "what is protected is id 0's, the rest the user's")
same(base, dict(base, **{"test/a.t": (b"fake\n", 0o755)}), P, "a changed test")
same(base, dict(base, **{"test/all": (b"x", 0o755)}), P, "a test's mode")
same(base, without("test", "package"), P, "all that is protected is deleted")
same(base, {}, P, "all is deleted")
same(base, dict(without("test"), test=("->", "src")), P, "a link in a protected directory's place")
same(base, dict(without("test"), test=b"file\n"), P, "a file in a protected directory's place")
same(base, dict(without("test/a.t"), **{"test/a.t/evil": b"x\n"}), P, "a directory in a test's place")
same(base, dict(without("src"), src=b"file\n"), P, "a file in a directory's place")
same(base, dict(base, **{"package.json": ("->", "src/x.c")}), P, "a link in a file's place")
same(base, dict(base, **{"test/l": ("->", "/etc/passwd")}), P, "another link")
same(base, dict(base, **{"test/a.t": (b"fake\n", 0o755)}), P + ["--allow", "test/a.t"], "a test that may be changed")
same(base, dict(base, **{"test/new.t": b"n\n", "test/n/e/w.t": b"n\n", "new/dir/x": b"n\n", "src/n/z": (b"n\n", 0o755)}), P,
     "new files, new directories: of the user, also where their directory is held")
same(base, dict(base, **{"conftest.py": b"x\n", "test/sitecustomize.py": b"x\n"}), P, "dangerous names")
same(base, dict(base, **{"src/x.c": b"2\n"}), [], "nothing protected")
same(base, dict(base, **{"src/x.c": b"2\n"}), ["--protect", "**"], "all protected")
same(base, git_diff(dict(base, **{"src/x.c": b"other\n"}), dict(base, **{"src/x.c": b"2\n"})), P, "a patch that does not fit")
same({}, {"a": b"1\n"}, P, "an empty base")
for seed in range(12):
    source = rng(7000 + seed)
    tree = random_tree(source)
    some = [x for name in sorted(tree)[::3] for x in ("--protect", os.fsdecode(name).replace("\\", "\\\\"))]
    same(tree, change_tree(tree, source), some[:40], f"random trees {seed}")

# --- what a shield holds, and what its listing says
with Places() as p:
    prepare(p, dict(base, **{"odd\nname": b"1\n"}))
    t.ok(shield(p, P).done, "a shield is made")
    found, _ = facts(p.at("out"))
    t.same(sorted(os.fsdecode(x) for x in found),
           [".", "work", "work/package.json", "work/test", "work/test/a.t", "work/test/all", "work/test/d", "work/test/d/b.t", "work/test/l"],
           "what is protected, and the way to it, is in it")
    t.same({x[1:3] for x in found.values()}, {(0, 0)}, "all of it is id 0's")
    t.ok(all(x[3] for x in found.values()), "files keep their times", found)
    listing = open(p.at("listing"), "rb").read()
    t.same(hashlib.sha256(listing).hexdigest(), fingerprint(scan(p.at("old/work"))), "the listing is what the digest is of")
    patch = git_diff(base, dict(base, **{"src/x.c": b"2\n"}))
    for damage, what in ((listing[:-1], "cut"), (b"x" + listing, "shifted"), (listing[:40], "short")):
        with open(p.at("listing"), "wb") as out:
            out.write(damage)
        with open(p.at("listing"), "rb") as out:
            r = p.run("apply", "--shielded", *P, "work", stdout=out, stdin=patch)
        t.ok(r.code == 1 and not r.digest(3), f"a listing that was damaged ({what}) gives no digest", r.records)
with Places() as p:
    prepare(p, {})
    r = shield(p, P)
    t.ok(r.done and not os.path.exists(p.at("out/work")) and os.path.getsize(p.at("listing")) == 0, "an empty base has an empty one", r.records)
t.end()
