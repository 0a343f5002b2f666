#!/usr/bin/env python3
"""proof: what test first needs of warder-files: parts of a patch, its hunks, and why tests fail."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import put, scan  # noqa: E402
import subprocess  # noqa: E402
from files_trees import GIT  # noqa: E402

t = Tap()
KIND = {1: "text", 2: "added", 3: "deleted", 4: "renamed", 5: "mode", 6: "binary"}
WHY = {1: "assertion", 2: "exception", 3: "broken"}
CHANGE = {1: "added", 2: "modified", 3: "deleted", 4: "mode"}
P = ["--protect", "test/**", "--protect", "**/Makefile", "--rules", "**/Makefile"]


def git_diff(base, new):
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
        return run("diff", "--cached", "--binary", "--full-index", "-M")


def part(base, patch, *words):
    with Places() as p:
        os.mkdir(p.at("old/work"))
        put(p.at("old/work"), base)
        shutil.copytree(p.at("old/work"), p.at("tree/work"), symlinks=True)
        r = p.run("apply", *P, *words, "work", stdin=patch)
        return r, {os.fsdecode(k): v[1] for k, v in scan(p.at("tree/work")).items()}


def lines(n, **changed):
    return b"".join(changed.get(f"l{i}", b"line %d\n" % i) for i in range(1, n + 1))


long = lines(60)
base = {"a.c": long, "gone.c": b"old\n", "run.sh": b"x\n", "moved.c": lines(20), "bin": b"\0\1", "test/t1": b"one\n", "test/t2": b"two\n",
        "Makefile": b"all:\n"}
new = {"a.c": lines(60, l5=b"five\nfive and a half\n", l30=b"", l55=b"fifty-five\n"), "run.sh": (b"x\n", 0o755), "there.c": lines(20),
       "bin": b"\0\2", "fresh.c": b"1\n2\n3\n", "test/t1": b"one and more\n", "test/t3": b"three\n", "Makefile": b"all: x\n", "test/Makefile": b"x:\n"}
patch = git_diff(base, new)
r, tree = part(base, patch, "--list-hunks", "99")
hunks = [(x.data.decode(), KIND[x.flags], x.b >> 32, x.b & 0xFFFFFFFF) for x in r.all("hunk")]
t.same(hunks, [("a.c", "text", 5, 2), ("a.c", "text", 31, 0), ("a.c", "text", 55, 1), ("bin", "binary", 0, 0), ("fresh.c", "added", 1, 3),
               ("gone.c", "deleted", 0, 0), ("run.sh", "mode", 0, 0), ("there.c", "renamed", 0, 0)], "hunks: file, kind, lines")
t.same([x.a for x in r.all("hunk")], list(range(1, 9)), "they are numbered")
t.same(r.one("totals").a, 8, "and counted")
t.same(sorted((x.data.decode(), CHANGE[x.flags]) for x in r.all("test_file")),
       [("test/t1", "modified"), ("test/t2", "deleted"), ("test/t3", "added")], "tests, and not what says how they run")
r, _ = part(base, patch, "--list-hunks", "2")
t.same((len(r.all("hunk")), r.one("totals").a), (2, 8), "only so many are told, all are counted")

_, tree = part(base, patch, "--allow", "**", "--part", "tests")
want = dict(base, **{"test/t1": new["test/t1"], "test/t3": new["test/t3"], "Makefile": new["Makefile"], "test/Makefile": new["test/Makefile"]})
del want["test/t2"]
t.same(tree, want, "the tests alone, and what says how they run")
_, whole = part(base, patch, "--allow", "**")
_, tree = part(base, patch, "--allow", "**", "--part", "old-tests")
t.same({k for k in whole.keys() | tree.keys() if whole.get(k) != tree.get(k)}, {"test/t1", "test/t2"}, "all but the tests that the base has")
t.same((tree["test/t1"], tree["test/t2"]), (b"one\n", b"two\n"), "which are as they were")
differs = [{"a.c"}, {"a.c"}, {"a.c"}, {"bin"}, {"fresh.c"}, {"gone.c"}, set(), {"moved.c", "there.c"}]
for i, want in enumerate(differs):
    r, tree = part(base, patch, "--allow", "**", "--without", str(i + 1))
    t.ok(r.done and {k for k in whole.keys() | tree.keys() if whole.get(k) != tree.get(k)} == want, f"without hunk {i + 1}", r.records)
_, tree = part(base, patch, "--allow", "**", "--without", "1")
t.same(tree["a.c"], lines(60, l30=b"", l55=b"fifty-five\n"), "the hunks behind it stay where they belong")
_, tree = part(base, patch, "--allow", "**", "--without", "2")
t.same(tree["a.c"], lines(60, l5=b"five\nfive and a half\n", l55=b"fifty-five\n"), "and those before it")
for words in (("--without", "9"), ("--without", "4294967296"), ("--part", "all"), ("--part", "tests", "--without", "1")):
    r, tree = part(base, patch, *words)
    t.ok(r.code == 1 and tree == base, f"{' '.join(words)}: no such part", r.records)

# the same place twice: what stands behind a hunk that is left out must not slip into its place
twin = lines(20) * 3
bent = lines(20) + b"more\n" * 20 + lines(20, l12=b"x\n") + lines(20)
patch = git_diff({"f": twin}, {"f": bent})
r, _ = part({"f": twin}, patch, "--list-hunks", "9")
t.same(len(r.all("hunk")), 2, "two hunks")
_, tree = part({"f": twin}, patch, "--without", "1")
t.same(tree["f"], lines(20) + lines(20, l12=b"x\n") + lines(20), "the second changes the copy that it means")

# a file that may only come when another went
patch = git_diff({"d": b"file\n"}, {"d/x": b"in a directory\n"})
r, tree = part({"d": b"file\n"}, patch, "--without", "2" if b"deleted file" in patch.split(b"new file")[0] else "1")
t.ok(r.done or r.refused, "either it fits, or is refused", r.records)
r, tree = part({"d": b"file\n"}, patch, "--without", "1")
t.ok(r.refused or tree == {"d": b"file\n"} or "d/x" in tree, "and nothing is half done", tree)

# --- the patch is read from a byte of a file whose position stays
with Places() as p:
    os.mkdir(p.at("old/work"))
    put(p.at("old/work"), {"f": b"1\n"})
    shutil.copytree(p.at("old/work"), p.at("tree/work"))
    with open(p.at("patch"), "w+b") as file:
        file.write(b"not this" + git_diff({"f": b"1\n"}, {"f": b"2\n"}))
        file.flush()
        file.seek(3)
        r = p.run("apply", "--at", "8", "work", stdin=file)
        t.ok(r.done and open(p.at("tree/work/f"), "rb").read() == b"2\n" and file.tell() == 3, "--at", r.records)


def whys(form, text):
    with Places() as p:
        r = p.run("results", form, stdin=text.encode())
        names = [x.data for x in r.all("test") if x.flags == 2]
        found = {}
        for x in r.all("why"):
            t.ok(x.data in names, f"{form}: {x.data.decode()} is a test that failed")
            found[x.data.decode()] = WHY[x.flags]
        return found


t.same(whys("pytest", """tests/t.py::a FAILED     [ 20%]
tests/t.py::b ERROR      [ 40%]
tests/t.py::c FAILED     [ 60%]
tests/t.py::d FAILED     [ 80%]
tests/t.py::e FAILED     [ 90%]
tests/t.py::f PASSED     [100%]
=================================== FAILURES ===================================
E       ImportError: in what a test printed
=========================== short test summary info ============================
FAILED tests/t.py::a - assert 1 == 2
FAILED tests/t.py::c - ImportError: cannot import name 'q' from 'shop'
FAILED tests/t.py::d - ZeroDivisionError: division by zero
FAILED tests/t.py::e - AttributeError: module 'shop' has no attribute 'more'
ERROR tests/t.py::b - fixture 'nope' not found
========================= 4 failed, 1 passed, 1 error in 0.02s =================
"""), {"tests/t.py::a": "assertion", "tests/t.py::b": "broken", "tests/t.py::c": "broken", "tests/t.py::d": "exception",
       "tests/t.py::e": "broken"}, "pytest")
t.same(whys("pytest", "ERROR tests/t.py - SyntaxError: invalid syntax\n!!! Interrupted: 1 error during collection !!!\n"),
       {"tests/t.py": "broken"}, "pytest: a file that does not load")
t.same(whys("unittest", """test_a (t.T.test_a) ... FAIL
test_b (t.T.test_b) ... ERROR
test_c (t.T.test_c) ... ERROR
test_d (t.T.test_d) ... ERROR
t (unittest.loader._FailedTest.t) ... ERROR

======================================================================
FAIL: test_a (t.T.test_a)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "t.py", line 4, in test_a
AssertionError: 1 != 2

======================================================================
ERROR: test_b (t.T.test_b)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "t.py", line 7, in test_b
ZeroDivisionError: division by zero

======================================================================
ERROR: test_c (t.T.test_c)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "t.py", line 9, in test_c
NameError: name 'q' is not defined

======================================================================
ERROR: test_d (t.T.test_d)
----------------------------------------------------------------------
Something odd

======================================================================
ERROR: t (unittest.loader._FailedTest.t)
----------------------------------------------------------------------
ImportError: Failed to import test module: t
Traceback (most recent call last):
ModuleNotFoundError: No module named 'q'

----------------------------------------------------------------------
Ran 5 tests in 0.001s
"""), {"test_a (t.T.test_a)": "assertion", "test_b (t.T.test_b)": "exception", "test_c (t.T.test_c)": "broken",
       "test_d (t.T.test_d)": "broken", "t (unittest.loader._FailedTest.t)": "broken"}, "unittest: FAIL and ERROR")
t.same(whys("junit", """<testsuite><testcase classname="t" name="a"><failure message="assert 1 == 2"/></testcase>
<testcase classname="t" name="b"><error message="collection failure"/></testcase>
<testcase classname="t" name="c"><error type="java.lang.NullPointerException" message="x is null"/></testcase>
<testcase classname="t" name="d"><failure message="ModuleNotFoundError: no q"/></testcase>
<testcase classname="t" name="e"><failure>no words</failure></testcase><testcase name="f"/></testsuite>"""),
       {"t.a": "assertion", "t.b": "broken", "t.c": "exception", "t.d": "broken", "t.e": "assertion"}, "JUnit: failure and error")
t.same(whys("node", """TAP version 13
# Subtest: a
not ok 1 - a
  ---
  error: 'Expected values to be strictly equal'
  code: 'ERR_ASSERTION'
  name: 'AssertionError'
  ...
# Subtest: b
not ok 2 - b
  ---
  error: 'sum.more is not a function'
  code: 'ERR_TEST_FAILURE'
  name: 'TypeError'
  ...
# Subtest: c
not ok 3 - c
  ---
  error: 'bad'
  name: 'RangeError'
  ...
1..3
"""), {"a": "assertion", "b": "broken", "c": "exception"}, "node")
t.same(whys("tap", "not ok 1 - a\n# got 1, want 2\nnot ok 2 - b\n  ---\n  ImportError: no q\n  ...\nnot ok 3 - c\n# sh: q: command not found\nok 4 - d\n"),
       {"b": "broken", "c": "broken"}, "TAP: diagnostics")
t.same(whys("tap", "PASS: a\nERROR: b\nFAIL: c\n"), {"b": "broken"}, "automake: a hard error")
t.same(whys("ctest", "1/2 Test #1: a ......***Not Run   0.00 sec\n2/2 Test #2: b ......***Failed   0.00 sec\n"), {"a": "broken"}, "ctest: not run")
with Places() as p:
    r = p.run("results", "tap", stdin="".join(f"not ok - t{i}\n# ImportError\n" for i in range(1500)).encode())
    t.same((len(r.all("test")), len(r.all("why"))), (1500, 1000), "reasons are bounded")
t.end()
