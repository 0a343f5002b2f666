#!/usr/bin/env python3
"""merge: what two sides made of a base is merged as git merges it, and conflicts are those that git has."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import GIT, change_tree, edit, make_upper, put, random_tree, rng, scan  # noqa: E402

t = Tap()
KINDS = ["", "content", "both_added", "ours_deleted", "theirs_deleted", "binary", "link", "type", "mode", "directory"]


def entries(out):
    """The lines and bytes on fd 1: [(mode, path, content)]"""
    found, at = [], 0
    while at < len(out):
        end = out.index(b"\n", at)
        mode, size, path = out[at:end].split(b" ", 2)
        at = end + 1 + int(size)
        if at > len(out):
            raise ValueError("the stream is cut")
        found.append((int(mode, 8), path, out[end + 1:at]))
    return found


def lay(ours, found):
    """What ours becomes, as a dictionary of scan()."""
    tree = dict(ours)
    for mode, path, content in found:
        if mode == 0:
            del tree[path]
        else:
            tree[path] = (mode, content)
    return tree


class Run:
    """One merge of three trees: .conflicts {path: kind}, .tree as in scan()."""

    def __init__(self, base, ours, theirs, prepare=None):
        with Places() as p:
            for place in ("old", "new", "upper", "tree"):
                os.mkdir(p.at(place, "work"))
            put(p.at("old/work"), base)
            put(p.at("new/work"), theirs)
            put(p.at("tree/work"), ours)
            make_upper(p.at("old/work"), p.at("new/work"), p.at("upper/work"))
            if prepare:
                prepare(p)
            self.r = p.run("merge", "work")
            self.ours = scan(p.at("tree/work"))
            self.found = entries(self.r.out) if self.r.done else None
            self.conflicts = {r.path: KINDS[r.flags] for r in self.r.all("conflict")}
            self.tree = lay(self.ours, self.found) if self.r.done else None
            self.git = self.git_clean = self.git_paths = None

    def ask_git(self, base, ours, theirs):
        """`git merge` of the same three trees, without renames: a patch has none."""
        with Places() as p:
            repo = p.at("out")

            def git(*words, **kw):
                return subprocess.run(["git", *words], cwd=repo, env=GIT, check=kw.pop("check", True),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            git("init", "-q", "-b", "base")
            for name, tree, parent in (("base", base, None), ("ours", ours, "base"), ("theirs", theirs, "base")):
                if parent:
                    git("checkout", "-q", "-B", name, parent)
                    git("rm", "-qrf", "--ignore-unmatch", ".")
                put(repo, tree)
                git("add", "-Af", ".")
                git("commit", "-qm", name, "--allow-empty")
            git("checkout", "-q", "ours")
            done = git("merge", "-q", "-s", "recursive", "-X", "no-renames", "--no-commit", "theirs", check=False)
            self.git_paths = {line.split(b"\t", 1)[1] for line in git("ls-files", "-uz").stdout.split(b"\0")[:-1]}
            self.git_clean = done.returncode == 0
            if not self.git_clean:
                return
            listing = git("ls-files", "-sz").stdout
            self.git = {}
            for line in listing.split(b"\0")[:-1]:
                head, path = line.split(b"\t", 1)
                mode, name, _ = head.split(b" ")
                self.git[path] = (int(mode, 8), git("cat-file", "blob", name.decode()).stdout)


def merge_file(base, ours, theirs):
    """What `git merge-file` writes, and whether it is clean."""
    with Places() as p:
        for name, text in (("o", base), ("a", ours), ("b", theirs)):
            with open(p.at("out", name), "wb") as f:
                f.write(text)
        done = subprocess.run(["git", "merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs", "a", "o", "b"],
                              cwd=p.at("out"), env=GIT, stdout=subprocess.PIPE)
        return done.stdout, done.returncode == 0


def expect(base, ours, theirs, what, conflicts, tree=None):
    """@tree: what becomes of ours, as in put(); None: nothing is said."""
    run = Run(base, ours, theirs)
    if not t.ok(run.r.done, f"done: {what}", run.r.records):
        return run
    t.same({os.fsdecode(k): v for k, v in run.conflicts.items()}, conflicts, f"conflicts: {what}")
    if tree is not None:
        with Places() as p:
            put(p.at("out"), tree)
            t.same(run.tree, scan(p.at("out")), f"tree: {what}")
    return run


TEXT = b"".join(b"line %d\n" % i for i in range(30))
ONE, TWO = TEXT.replace(b"line 3\n", b"ours\n"), TEXT.replace(b"line 25\n", b"theirs\n")
BOTH = ONE.replace(b"line 25\n", b"theirs\n")
CLASH = TEXT.replace(b"line 3\n", b"theirs\n")
MARKED = TEXT.replace(b"line 3\n", b"<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\n")
BIN = bytes(range(256))

expect({"a": TEXT}, {"a": TEXT}, {"a": TEXT}, "nothing changed", {}, {"a": TEXT})
expect({"a": TEXT}, {"a": ONE}, {"a": TEXT}, "ours changed", {}, {"a": ONE})
expect({"a": TEXT}, {"a": TEXT}, {"a": TWO}, "theirs changed", {}, {"a": TWO})
expect({"a": TEXT}, {"a": ONE}, {"a": TWO}, "both changed, apart", {}, {"a": BOTH})
expect({"a": TEXT}, {"a": ONE}, {"a": ONE}, "both changed alike", {}, {"a": ONE})
expect({"a": TEXT}, {"a": ONE}, {"a": CLASH}, "both changed one line", {"a": "content"}, {"a": MARKED})
expect({}, {"a": b"1\n"}, {"a": b"2\n"}, "both added one name", {"a": "both_added"},
       {"a": b"<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\n"})
expect({}, {"a": b"1\n"}, {"a": b"1\n", "b": b"2\n"}, "both added the same, theirs more", {}, {"a": b"1\n", "b": b"2\n"})
expect({"a": TEXT}, {}, {"a": TWO}, "ours deleted what theirs changed", {"a": "ours_deleted"}, {"a": TWO})
expect({"a": TEXT}, {"a": ONE}, {}, "theirs deleted what ours changed", {"a": "theirs_deleted"}, {"a": ONE})
expect({"a": TEXT, "b": b"x"}, {"b": b"x"}, {"a": TEXT}, "each deleted another", {}, {})
expect({"a": TEXT}, {}, {}, "both deleted it", {}, {})
expect({"a": BIN}, {"a": BIN + b"1"}, {"a": BIN + b"2"}, "a binary file", {"a": "binary"}, {"a": BIN + b"1"})
expect({"a": BIN}, {"a": BIN}, {"a": BIN + b"2"}, "a binary file that theirs changed", {}, {"a": BIN + b"2"})
expect({"l": ("->", "x")}, {"l": ("->", "y")}, {"l": ("->", "z")}, "two targets", {"l": "link"}, {"l": ("->", "y")})
expect({"l": ("->", "x")}, {"l": ("->", "x")}, {"l": ("->", "z")}, "theirs' target", {}, {"l": ("->", "z")})
expect({"a": TEXT}, {"a": ONE}, {"a": ("->", "z")}, "a file here, a link there", {"a": "type"}, {"a": ONE})
expect({"a": TEXT}, {"a": TEXT}, {"a": ("->", "z")}, "theirs made a link of it", {}, {"a": ("->", "z")})
expect({"a": TEXT}, {"a": ONE}, {"a": (TEXT, 0o755)}, "text here, mode there", {}, {"a": (ONE, 0o755)})
expect({"a": (TEXT, 0o755)}, {"a": TEXT}, {"a": (TWO, 0o755)}, "mode here, text there", {}, {"a": TWO})
expect({}, {"a": b"x\n"}, {"a": (b"x\n", 0o755)}, "two new modes", {"a": "mode"}, {"a": b"x\n"})
expect({"d": b"x\n"}, {"d": b"x\n"}, {"d/in": b"y\n"}, "theirs made a directory of a file", {}, {"d/in": b"y\n"})
expect({"d/in": b"x\n"}, {"d/in": b"x\n"}, {"d": b"y\n"}, "theirs made a file of a directory", {}, {"d": b"y\n"})
expect({"d/in": b"x\n"}, {"d/in": b"x\n", "d/more": b"1"}, {"d": b"y\n"}, "ours has more in that directory",
       {"d": "directory"}, {"d/more": b"1"})
expect({}, {"d": b"1\n"}, {"d/in": b"2\n"}, "a file here, a directory there", {"d/in": "directory"}, {"d": b"1\n"})
expect({}, {"d": ("->", "/etc")}, {"d/in": b"2\n"}, "a link here, a directory there", {"d/in": "directory"},
       {"d": ("->", "/etc")})
expect({".gitignore": b"*.o\n"}, {".gitignore": b"*.o\n", "x.o": b"1"}, {".gitignore": b"*.o\n", "x.o": b"2", "y.o": b"3"},
       "what is ignored stays as it is", {}, {".gitignore": b"*.o\n", "x.o": b"1"})
expect({"a": b"x"}, {"a": b"x\ny"}, {"a": b"z\nx"}, "no newline at the end", {"a": "content"})
expect({"ä b\tc": TEXT}, {"ä b\tc": ONE}, {"ä b\tc": TWO}, "an odd name", {}, {"ä b\tc": BOTH})
late = b"x" * 9000 + b"\n"
expect({"a": late}, {"a": b"1\n" + late + b"\0\n"}, {"a": b"2\n" + late}, "a byte 0 beyond where git looks", {"a": "content"})


def sockets(p):
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(p.at("tree/work"))
        s.bind("s")
        os.chdir(here)


run = Run({"a": b"1"}, {"a": b"1"}, {"a": b"1", "s": b"new"}, sockets)
t.same(run.conflicts, {b"s": "directory"}, "a socket of ours is in the way")


def nest(top, depth):
    """Directories in one another, as a command in a jail makes them; there is no path that long."""
    def make(p):
        here = os.open(p.at(top), os.O_RDONLY)
        for _ in range(depth):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
    return make


run = Run({"a": b"1"}, {"a": b"1"}, {"a": b"1", "d": b"new"}, nest("tree/work", 250))
t.ok(run.r.done and not run.conflicts and run.found == [(0o100644, b"d", b"new")], "250 directories of ours, all empty: a file takes their place", run.r.records)
sys.setrecursionlimit(10000)  # of scan()
for depth in (300, 1900):
    run = Run({"a": b"1"}, {"a": b"1"}, {"a": b"1", "d": b"new"}, nest("tree/work", depth))
    t.ok(run.r.done and run.conflicts == {b"d": "directory"}, f"{depth} directories of ours, deeper than any path: they are in the way", run.r.records, run.r.code)
run = Run({"a": b"1"}, {"a": b"1"}, {"a": b"2", "b\nc": b"new"})
t.ok(run.r.done and [e[1] for e in run.found] == [b"a"] and ("b\nc", "name-bytes") in run.r.notes(),
     "a name with a newline is left out, with a note", run.r.records)
run = Run({"b\nc": b"1"}, {"b\nc": b"1"}, {"b\nc": b"2"})
t.ok(run.r.done and not run.found and run.r.notes() == [("b\nc", "name-bytes")], "… also where the base has it", run.r.records)

# --- lines, as git merge-file merges them
good = clashes = 0
for seed in range(90):
    source = rng(seed)
    base = b"".join(b"%s %d\n" % (source.choice([b"alpha", b"beta", b"}", b""]), source.randrange(9))
                    for _ in range(source.randrange(0, 40)))
    ours, theirs = edit(base, source), edit(base, source)
    if ours == theirs or base in (ours, theirs):
        continue
    want, clean = merge_file(base, ours, theirs)
    run = Run({"f": base}, {"f": ours}, {"f": theirs})
    if run.tree[b"f"][1] != want or (not run.conflicts) != clean:
        t.ok(False, f"lines {seed}", run.conflicts, run.tree[b"f"][1], want)
        break
    good, clashes = good + clean, clashes + (not clean)
t.ok(good > 20 and clashes > 10, f"git merge-file writes the same bytes ({good} clean, {clashes} with conflicts)")

# --- whole trees, as git merge merges them
def touch(tree, source):
    """A change or two, as one worker makes them."""
    new = dict(tree)
    for _ in range(source.randrange(1, 3)):
        path = source.choice(sorted(tree))
        what = source.randrange(5)
        if what == 0:
            new.pop(path, None)
        elif what == 1:
            new[f"n{source.randrange(50)}"] = (edit(b"", source), source.choice([0o644, 0o755]))
        elif path in new and new[path][0] != "->":
            new[path] = (edit(new[path][0], source), source.choice([new[path][1], 0o755]))
    return new


clean = conflicted = apart = 0
for seed in range(32):
    source = rng(1000 + seed)
    base, change = random_tree(source), touch if seed % 4 else change_tree
    ours, theirs = change(base, source), change(base, source)
    run = Run(base, ours, theirs)
    run.ask_git(base, ours, theirs)
    if not run.r.done or (not run.conflicts) != run.git_clean:
        t.ok(False, f"trees {seed}: clean or not", run.r.records, run.conflicts, run.git_paths)
        break
    if run.git_clean and run.tree != run.git:
        t.ok(False, f"trees {seed}: the tree", run.tree, run.git)
        break
    clean, conflicted = clean + run.git_clean, conflicted + (not run.git_clean)
    if run.git_clean or {"directory", "type"} & set(run.conflicts.values()):
        continue
    apart += 1  # git gives such conflicts other names
    if run.git_paths != set(run.conflicts):
        t.ok(False, f"trees {seed}: which paths", run.conflicts, run.git_paths)
        break
t.ok(clean > 5 and apart > 5 and conflicted >= apart,
     f"git merge agrees ({clean} clean, {conflicted} with conflicts, {apart} by the same paths)")

# --- bounds
with Places() as p:
    for place in ("old", "new", "upper", "tree"):
        os.mkdir(p.at(place, "work"))
    for place in ("new", "upper"):
        for i in range(70):
            with open(p.at(place, "work", f"f{i}"), "wb") as f:
                f.truncate(1 << 20)
    r = p.run("merge", "work")
    t.ok(not r.done and r.refused == "file-size" and len(r.out) <= 65 << 20, "more than 64 MiB are refused", r.records)
    r = p.run("merge", "../etc")
    t.ok(not r.done and r.code == 1, "a place outside is refused")
    os.rmdir(p.at("tree/work"))
    r = p.run("merge", "work")
    t.ok(not r.done, "a tree without our side is no merge")
t.end()
