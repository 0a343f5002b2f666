#!/usr/bin/env python3
"""diff: the patch that a jail's changes give is one that the real git takes, and gives the same tree."""
import hashlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import GIT, change_tree, git_apply, make_upper, put, random_tree, rng, scan  # noqa: E402

t = Tap()
CHANGE = {1: "added", 2: "modified", 3: "deleted", 4: "mode"}


def diff(old, new, check=None, prepare=None):
    with Places() as p:
        for place in ("old", "new", "upper"):
            os.mkdir(p.at(place, "work"))
        put(p.at("old/work"), old)
        put(p.at("new/work"), new)
        make_upper(p.at("old/work"), p.at("new/work"), p.at("upper/work"))
        if prepare:
            prepare(p)
        r = p.run("diff", "work")
        if check:
            check(p, r)
        return r


def round_trip(old, new, what, want=None):
    """The patch of a change, applied by git, gives the new tree."""
    def check(p, r):
        if not t.ok(r.done, f"made: {what}", r.records):
            return
        if want is not None:
            t.same([(CHANGE[x.flags], os.fsdecode(x.path)) for x in r.all("path")], want, f"paths: {what}")
        t.same(r.digest(2), hashlib.sha256(r.out).hexdigest(), f"digest: {what}")
        got, words = git_apply(p.at("old/work"), r.out)
        t.same(got, scan(p.at("new/work")), f"git apply takes it: {what}", words, r.out.decode(errors="replace"))
    return diff(old, new, check)


TEXT = b"".join(b"line %d\n" % i for i in range(40))
BINARY = bytes(range(256)) * 20
round_trip({"a": b"1\n"}, {"a": b"1\n"}, "nothing changed", [])
round_trip({"a": TEXT}, {"a": TEXT.replace(b"line 3\n", b"line three\n").replace(b"line 30\n", b"")}, "two hunks",
           [("modified", "a")])
round_trip({"d/gone": TEXT, "stay": b"s"}, {"stay": b"s", "n/e/w": b"new\n"}, "a file added, one deleted",
           [("deleted", "d/gone"), ("added", "n/e/w")])
round_trip({"a": b"x\n"}, {"a": (b"x\n", 0o755)}, "a mode alone", [("mode", "a")])
round_trip({"a": b"x\n"}, {"a": (b"y\n", 0o755)}, "mode and content", [("modified", "a")])
round_trip({"a": b"x"}, {"a": b"x\n"}, "a newline at the end comes")
round_trip({"a": b"x\n"}, {"a": b"x"}, "a newline at the end goes")
round_trip({"a": b"x\ny"}, {"a": b"z\ny"}, "no newline at the end on both sides")
round_trip({"a": b"x\r\ny\r\n", "b": b"x\n"}, {"a": b"x\r\nz\r\n", "b": b"x\r\n"}, "lines that end in CR LF")
round_trip({"e": b""}, {"f": b""}, "empty files come and go", [("deleted", "e"), ("added", "f")])
round_trip({"e": b"", "f": b"x\n"}, {"e": b"x\n", "f": b""}, "empty files are filled, files are emptied")
round_trip({"a": BINARY, "b": BINARY}, {"a": BINARY[:-7] + b"changed", "n": bytes(3000)}, "binary files",
           [("modified", "a"), ("deleted", "b"), ("added", "n")])
round_trip({"a": b"text\n"}, {"a": b"\0bin"}, "text becomes binary")
round_trip({"late": b"x" * 9000 + b"\n"}, {"late": b"x" * 9000 + b"\0\n"}, "a byte 0 beyond the first 8000 bytes")
round_trip({"l": ("->", "a")}, {"l": ("->", "../somewhere/else")}, "a link's target", [("modified", "l")])
round_trip({"l": ("->", "a"), "f": b"x\n"}, {"l": b"x\n", "f": ("->", "a")}, "link and file change places",
           [("deleted", "f"), ("added", "f"), ("deleted", "l"), ("added", "l")])
round_trip({"d/x": b"1\n", "d/y": b"2\n"}, {"d": b"file\n"}, "a directory becomes a file")
round_trip({"d/x": b"1\n"}, {"d": ("->", "elsewhere")}, "a directory becomes a link")
round_trip({"d": b"file\n"}, {"d/x": b"1\n", "d/y/z": b"2\n"}, "a file becomes a directory")
round_trip({"d": ("->", "e"), "e/x": b"1\n"}, {"d/x": b"1\n", "e/x": b"1\n"}, "a link becomes a directory")
odd = ["with space", " lead", "trail ", "tab\there", 'q"uote', "back\\slash", "größe", "日本語", "a\\tb", "-dash", "a b/c d",
       b"\xff\x80".decode(errors="surrogateescape"), "/dev/null"[1:], "b/a/b", "ümlaut space \t tab"]
round_trip({n: TEXT for n in odd}, {n: TEXT + b"more\n" for n in odd}, "odd names changed")
round_trip({}, {n: TEXT for n in odd}, "odd names added")
round_trip({n: BINARY for n in odd}, {}, "odd names deleted")
round_trip({n: b"" for n in odd}, {n: (b"", 0o755) for n in odd}, "odd names, modes alone")
round_trip({"Makefile": b"all:\n\techo\n", "x": b"@@ -1 +1 @@\n--- a/x\n+++ b/x\ndiff --git a/x b/x\n"},
           {"Makefile": b"all:\n\techo 1 \n\n\n", "x": b"-- \n+++ b/x\n"}, "content that looks like a patch")
round_trip({"a/b": b"1", "a-b": b"1", "a.b": b"1", "a": b"1"} and {"a/b": b"1", "a-b": b"1"}, {"a/b": b"2", "a-b": b"2"},
           "names around a slash", [("modified", "a-b"), ("modified", "a/b")])
for seed in range(60):
    source = rng(seed)
    old = random_tree(source)
    new = change_tree(old, source)
    round_trip(old, new, f"random trees {seed}")

a, b = diff({"a": TEXT, "b": BINARY}, {"a": TEXT[:-5], "c": BINARY}), diff({"a": TEXT, "b": BINARY}, {"a": TEXT[:-5], "c": BINARY})
t.ok(a.out and a.out == b.out, "the same change gives the same bytes")

# --- what is left out
with Places() as p:
    p_old = {".gitignore": b"*.o\nbuild/\n/top\n!keep.o\n#no\n\\#yes\ntrail  \n**/deep/*.x\nsub/only\n[ab]*.y\n",
             "kept.o": b"old\n", "build/in": b"old\n", "sub/.gitignore": b"!re.o\nlocal\n", "src/a.c": b"1\n"}
    p_new = dict(p_old, **{"kept.o": b"new\n", "build/in": b"new\n", "build/out": b"x", "x.o": b"x", "keep.o": b"x",
                           "src/y.o": b"x", "top": b"x", "src/top": b"x", "#yes": b"x", "#no": b"x", "trail": b"x",
                           "a/b/deep/c.x": b"x", "deep/d.x": b"x", "sub/only": b"x", "src/sub/only": b"x", "sub/re.o": b"x",
                           "sub/local": b"x", "local": b"x", "a1.y": b"x", "c1.y": b"x", "sub2/build/x/y": b"x",
                           "build2/x": b"x", ".gitignore": p_old[".gitignore"] + b"src/\n"})

    def ignored(p, r):
        repo = p.at("old/work")
        for words in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "x"]):
            subprocess.run(["git", *words], cwd=repo, env=GIT, check=True)
        shutil.copytree(p.at("new/work"), repo, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["git", "checkout", "-q", ".gitignore"], cwd=repo, env=GIT, check=True)
        words = ["git", "-c", "core.quotepath=off", "ls-files", "-o", "-m", "--exclude-standard"]
        want = set(subprocess.run(words, cwd=repo, env=GIT, stdout=subprocess.PIPE).stdout.decode().split()) | {".gitignore"}
        t.same({os.fsdecode(x.path) for x in r.all("path")}, want, "ignored paths are those that git ignores by the base's rules")
    diff(p_old, p_new, ignored)


def with_git(p):
    put(p.at("new/work"), {".git/config": b"evil", "sub/.git/hooks/x": b"evil", "sub/.GIT/x": b"evil"})
    put(p.at("upper/work"), {".git/config": b"evil", "sub/.git/hooks/x": b"evil", "sub/.GIT/x": b"evil", "same": b"s\n"})
    put(p.at("upper/work"), {"touched": b"1\n"})
    os.mkfifo(p.at("new/work/fifo"))
    put(p.at("new/work"), {"ctrl\x01": b"x", "line\nfeed": b"x"})


r = diff({"same": b"s\n", "touched": b"1\n"}, {"same": b"s\n", "touched": b"1\n"}, prepare=with_git)
t.same((r.done, r.out), (True, b""), "copied up but unchanged, .git, fifos, control bytes: nothing in the patch", r.records)
t.same(r.notes(), [("ctrl\x01", "name-bytes"), ("fifo", "special-file"), ("line\nfeed", "name-bytes")], "with notes")


def hidden(p):
    put(p.at("new/work"), {"quiet": b"changed\n"})


r = diff({"quiet": b"1\n"}, {"quiet": b"1\n"}, prepare=lambda p: (os.unlink(p.at("new/work/quiet")), hidden(p)))
t.same(r.out, b"", "what the upper does not have is not looked at")


def big(p):
    with open(p.at("new/work/big"), "wb") as f:
        f.truncate(70 << 20)


r = diff({}, {}, prepare=big)
t.same((r.code, r.refused), (1, "file-size"), "a file too large for a patch is refused by name", r.records)


def big_same(p):
    big(p)
    shutil.copy(p.at("new/work/big"), p.at("old/work/big"))
    shutil.copy(p.at("new/work/big"), p.at("upper/work/big"))


t.ok(diff({}, {}, prepare=big_same).done, "one that did not change is fine")

# --- the directory itself
with Places() as p:
    put(p.at("old"), {"work/a": b"1\n", "other": b"x"})
    put(p.at("new"), {"work/a": b"1\n"})
    r = p.run("diff", "work")
    t.same((r.done, r.out), (True, b""), "an upper without the directory changes nothing", r.records)
    os.mkdir(p.at("upper/work"))
    shutil.rmtree(p.at("new/work"))
    r = p.run("diff", "work")
    t.ok(r.done and [x.flags for x in r.all("path")] == [3], "a directory that is gone is deleted file by file", r.records)
    for bad in ("../x", "/etc", "a/../.."):
        t.same(p.run("diff", bad).code, 1, f"a directory {bad} is not taken")

# --- a real overlay
SCRIPT = """set -e
cd "$1"; mkdir m; mount -t tmpfs none m; cd m; mkdir up wk; mkdir -p mnt; cp -a ../old lower
mount -t overlay -o lowerdir=lower,upperdir=up,workdir=wk,userxattr none mnt
cd mnt/work
echo new > new; rm gone; rm -r dir; mkdir dir; echo x > dir/fresh; rm -r tree; echo file > tree; echo more >> deep/er/file
mv "$PWD/a" "$PWD/b"; chmod +x mode; touch same; rm swap; mkdir swap; echo 1 > swap/in
cd ../..; rmdir ../new ../upper; cp -a mnt ../new; cp -a up ../upper; stat -c %F up/work/gone > ../kind
"""
with Places() as p:
    put(p.at("old/work"), {"gone": b"1\n", "dir/a": b"1\n", "dir/b": b"2\n", "tree/x/y": b"1\n", "deep/er/file": b"1\n",
                           "deep/er/other": b"1\n", "a": TEXT, "mode": b"1\n", "same": b"1\n", "swap": b"1\n"})
    done = subprocess.run(["unshare", "-m", "sh", "-c", SCRIPT, "sh", p.dir], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) \
        if os.geteuid() == 0 else None
    if done is None or done.returncode != 0:
        t.skip("a real overlay", "root and an overlay on tmpfs" if done is None else done.stdout.decode()[:200].replace("\n", " "))
    else:
        t.same(open(p.at("kind")).read().strip(), "character special file", "the upper is a real one")
        r = p.run("diff", "work")
        got, words = git_apply(p.at("old/work"), r.out)
        t.same(got, scan(p.at("new/work")), "the patch of a real overlay gives its tree", words, r.records)
t.end()
