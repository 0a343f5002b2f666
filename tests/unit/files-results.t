#!/usr/bin/env python3
"""results: what a test command printed becomes tests and counts."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402

t = Tap()
NONE = 0xFFFFFFFF
STATUS = {1: "passed", 2: "failed", 3: "skipped"}


def results(form, text):
    with Places() as p:
        return p.run("results", form, stdin=text if isinstance(text, bytes) else text.encode())


def counts(r):
    c = r.one("counts")
    return (c.a >> 32, c.a & NONE, c.b >> 32, c.b & NONE)


def tests(r):
    return [(STATUS[x.flags], x.data.decode(errors="replace")) for x in r.all("test")]


def check(form, text, want_counts, want_tests, what):
    r = results(form, text)
    t.ok(r.done, f"read: {what}", r.records)
    t.same(counts(r), want_counts, f"counts: {what}", r.records)
    if want_tests is not None:
        t.same(tests(r), want_tests, f"tests: {what}")


check("tap", "TAP version 13\n1..4\nok 1 - one\nnot ok 2 - two\n  ---\n  message: ok 7\n  ...\nok 3 # SKIP no net\n"
      "not ok 4 - four # TODO later\n", (1, 1, 2, 4),
      [("passed", "one"), ("failed", "two"), ("skipped", "3"), ("skipped", "four")], "TAP 13")
check("tap", "ok\nok - bare\nok 3 three\nok 4 - hash \\# in it\nnot ok 5 - C# and a#b\n1..5\n", (4, 1, 0, 5),
      [("passed", ""), ("passed", "bare"), ("passed", "three"), ("passed", "hash # in it"), ("failed", "C# and a#b")],
      "forms of a line")
check("tap", "TAP version 14\n1..2\n# Subtest: a\n    ok 1 - inner\n    not ok 2 - inner2\n    1..2\nnot ok 1 - a\nok 2 - b\n",
      (1, 1, 0, 2), [("failed", "a"), ("passed", "b")], "subtests count through their parent")
check("tap", "1..0 # SKIP no compiler\n", (0, 0, 0, 0), [], "all skipped")
check("tap", "1..3\nok 1 - a\nBail out! no disk\n", (1, 1, 0, 3), [("passed", "a"), ("failed", "Bail out! no disk")], "bail out")
check("tap", "1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n", (3, 0, 0, 3), None, "two streams in one output")
check("tap", "ok 1 - a\r\nnot ok 2 - b\r\n1..2\r\n", (1, 1, 0, 2), [("passed", "a"), ("failed", "b")], "lines that end in CR LF")
check("tap", "okay\nok1\nnot okay\nnok 1\n ok 2\nok: 3\n1..x\n1..2garbage\n", (0, 0, 0, NONE), [], "what only looks like TAP")
check("tap", "make[1]: Entering\nPASS: tests/a.t 1 - one\nFAIL: tests/a.t 2 - two\nXFAIL: b\nSKIP: c\nERROR: d\nXPASS: e\n"
      "# TOTAL: 6\n# PASS:  1\nok 9 - not now\n", (1, 3, 2, NONE),
      [("passed", "tests/a.t 1 - one"), ("failed", "tests/a.t 2 - two"), ("skipped", "b"), ("skipped", "c"), ("failed", "d"),
       ("failed", "e")], "automake's form")
check("tap", "ok 1 - a\nPASS: not a second test\n", (1, 0, 0, NONE), [("passed", "a")], "the first form decides")
check("tap", b"ok 1 - \xff\xfe\x00tail\nok 2 - last", (2, 0, 0, NONE), None, "odd bytes, and no newline at the end")
check("tap", "1..99999999999999999999\nok 1\n", (1, 0, 0, NONE - 1), None, "a plan beyond all numbers")
check("tap", "", (0, 0, 0, NONE), [], "no output at all")
r = results("tap", "".join(f"ok {i} - t{i}\n" for i in range(25000)))
t.same((len(r.all("test")), counts(r), r.records[-1].flags), (20000, (25000, 0, 0, NONE), 1),
       "records are bounded, counts are whole, and the reader is told")
r = results("tap", b"ok 1 - " + b"x" * 1000000 + b"\nok 2 - y\n")
t.same((counts(r)[0], tests(r)[1]), (2, ("passed", "y")), "an endless line is cut, and the next one read")

check("counts", "41 passed, 1 failed, 2 skipped\n", (41, 1, 2, NONE), [], "the plain form")
check("counts", "3 passed, 0 failed\nnoise\n2 passed, 1 failed\n", (5, 1, 0, NONE), [], "lines are summed")
check("counts", "==== 3 failed, 39 passed, 1 skipped in 0.12s ====\n", (39, 3, 1, NONE), [], "another order")
check("counts", "====== 42 passed in 0.31s ======\n", (42, 0, 0, NONE), [], "one count before a time")
check("counts", "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\n", (5, 0, 1, NONE), [], "semicolons")
check("counts", "Test Suites: 1 failed, 3 passed, 4 total\nTests:       2 failed, 40 passed, 42 total\n", (40, 2, 0, NONE), [],
      "files are not counted as tests")
check("counts", "I think 3 passed the gate\nstep 4 failed because 2 errors were there\nx9 passed, y1 failed\n", (0, 0, 0, NONE), [],
      "prose counts nothing")
check("counts", "99999999999999999999999 passed, 1 failed\n", (NONE - 1, 1, 0, NONE), [], "a number beyond all numbers")
check("exit", "ok 1\n3 passed, 1 failed\n", (0, 0, 0, NONE), [], "exit reads nothing")
r = results("junit", "")
t.same((r.code, r.records[-1].kind), (1, "failed"), "an unknown form is named")
t.end()
