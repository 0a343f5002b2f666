#!/usr/bin/env python3
"""search: files by name and lines by pattern, against find and grep."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import put  # noqa: E402

t = Tap()
TREE = {"work/src/a.c": b"int main(void) {\n\treturn x1;\n}\n", "work/src/b.h": b"#define x1 1\n", "work/README.md": b"# x1\nWord\n",
        "work/src/deep/er/c.c": b"word wordy\nx1\n", "work/bin": b"x1\0x1\n", "work/.git/config": b"x1\n", "other/a.c": b"x1\n",
        "work/l": ("->", "/etc/passwd"), "work/d": ("->", "src"), "work/long": b"y" * 2000 + b"NEEDLE" + b"z" * 2000 + b"\n",
        "work/[odd]": b"odd\n", "work/utf": "größe\n".encode(), "work/crlf": b"a\r\nb\r\n"}


def search(*words):
    with Places() as p:
        put(p.at("tree"), TREE)
        return p.run("search", *words)


def paths(r):
    return [x.path.decode() for x in r.all("match")]


def glob(words, want, what):
    r = search("glob", "--", *words)
    t.ok(r.done, f"glob: {what}", r.records)
    t.same(paths(r), want, f"found: {what}")


glob(["*.c", "work"], ["work/src/a.c", "work/src/deep/er/c.c"], "a name at any depth")
glob(["src/*.c", "work"], ["work/src/a.c"], "one directory")
glob(["./src/*.c", "work"], ["work/src/a.c"], "a dot in front")
glob(["src/**/*.c", "work"], ["work/src/a.c", "work/src/deep/er/c.c"], "any number of directories, also none")
glob(["**/er/*", "work"], ["work/src/deep/er/c.c"], "stars in front")
glob(["src/**", "work"], ["work/src/a.c", "work/src/b.h", "work/src/deep/er/c.c"], "all below")
glob(["*.{c,h}", "work/src"], ["work/src/a.c", "work/src/b.h", "work/src/deep/er/c.c"], "alternatives")
glob(["{a,{b,x}}.?", "work"], ["work/src/a.c", "work/src/b.h"], "alternatives within alternatives")
glob(["[ab].[!c]", "work"], ["work/src/b.h"], "brackets")
glob([r"\[odd\]", "work"], ["work/[odd]"], "quoted")
glob(["a.c"], ["other/a.c", "work/src/a.c"], "the whole tree")
glob(["*", "work/README.md"], ["work/README.md"], "a file as the place")
glob(["**", "work"], sorted(k for k in TREE if k.startswith("work/") and ".git" not in k), "everything but .git")
glob(["nothing*", "work"], [], "nothing")
glob(["-x", "work"], [], "a pattern like an option")


def grep(words, want, what):
    r = search("grep", *words)
    t.ok(r.done, f"grep: {what}", r.records)
    t.same([(x.path.decode(), x.a, x.data.split(b"\0", 1)[1].decode()) for x in r.all("match")], want, f"lines: {what}")


grep(["x1", "work"], [("work/README.md", 1, "# x1"), ("work/src/a.c", 2, "\treturn x1;"), ("work/src/b.h", 1, "#define x1 1"),
                      ("work/src/deep/er/c.c", 2, "x1")], "a word, not in .git, links or binary files")
grep(["--glob", "*.c", "x[0-9]", "work"], [("work/src/a.c", 2, "\treturn x1;"), ("work/src/deep/er/c.c", 2, "x1")], "in some files")
grep(["--glob", "src/*.c", "x1|nothing", "work"], [("work/src/a.c", 2, "\treturn x1;")], "in some files by path")
grep(["--ignore-case", "WORD$", "work"], [("work/README.md", 2, "Word")], "case does not count")
grep([r"\bword\b\s", "work"], [("work/src/deep/er/c.c", 1, "word wordy")], "GNU's classes")
grep(["größe", "work"], [("work/utf", 1, "größe")], "beyond ASCII")
grep(["gr[öü]ße", "work"], [("work/utf", 1, "größe")], "a bracket beyond ASCII")
grep(["^x1$", "work/src/deep/er/c.c"], [("work/src/deep/er/c.c", 2, "x1")], "one file")
grep(["b", "work/crlf"], [("work/crlf", 2, "b\r")], "CR LF")
grep(["--", "-- x"], [], "a pattern like an option")
r = search("grep", "NEEDLE", "work")
t.ok(len(r.all("match")) == 1 and len(r.one("match").data) < 450 and b"NEEDLE" in r.one("match").data,
     "a long line is cut around its match", r.records)

for words, rule in ((["grep", "(", "work"], "pattern"), (["grep", "a{1", "work"], "pattern"), (["glob", "*", "../x"], "name-dotdot"),
                    (["glob", "*", "/etc"], "name-absolute"), (["glob", "*", "nosuch"], "not-there"),
                    (["grep", "x", "work/l"], "through-link"), (["grep", "x", "work/d/a.c"], "through-link"),
                    (["glob", "*", "work/README.md/x"], "not-there"), (["glob", "{a,b}" * 20, "work"], "pattern")):
    r = search(*words)
    t.same((r.code, r.refused), (1, rule), f"refused: {' '.join(words)[:60]}", r.records)
t.same(search("find", "x").code, 1, "an unknown kind of search")

with Places() as p:
    put(p.at("tree"), {f"d{i % 7}/f{i}": b"x\n" * 3 for i in range(700)})
    r = p.run("search", "glob", "*")
    t.same((len(r.all("match")), r.records[-1].flags), (700, 0), "all are told")
    r = p.run("search", "grep", "x")
    t.same((len(r.all("match")), r.records[-1].flags), (1000, 1), "no more than a thousand, and the reader is told")
    with open(p.at("tree/big"), "wb") as f:
        f.truncate(20 << 20)
    t.same(p.run("search", "grep", "nothing").notes(), [("big", "file-size")], "a huge file is passed over with a note")

with Places() as p:
    subprocess.run(["cp", "-a", "/usr/include/linux", p.at("tree/inc")], check=True)
    r = p.run("search", "grep", "--glob", "*.h", r"define\s+NETLINK_[A-Z]+\b", "inc")
    want = subprocess.run(["grep", "-rnE", "--include=*.h", r"define\s+NETLINK_[A-Z]+\b", "inc"], cwd=p.at("tree"),
                          stdout=subprocess.PIPE, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout.decode(errors="replace").splitlines()
    got = [f"{x.path.decode()}:{x.a}:{x.data.split(chr(0).encode(), 1)[1].decode(errors='replace')}" for x in r.all("match")]
    t.ok(len(got) >= 20 and sorted(got) == sorted(want), f"the same {len(got)} lines as grep", sorted(set(got) ^ set(want))[:10])
t.end()
