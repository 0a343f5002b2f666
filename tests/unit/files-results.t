#!/usr/bin/env python3
"""results: what a test command printed becomes tests and counts."""
import os
import sys
import time

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
check("tap", "PASS: a\nPASS: b\nnot ok 1 - a\nok 2 - b\n", (2, 1, 0, NONE), [("passed", "a"), ("passed", "b"), ("failed", "a")],
      "but hides no failure of TAP's")
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
check("counts", "Tests failed: 1\nTests passed: 233\n", (233, 1, 0, NONE), [], "labels before numbers")
check("counts", "\nPASSED: 15\nFAILED: 0\n# skipped :  2 \n", (15, 0, 2, NONE), [], "in capitals")
check("counts", "failed: 3 of them\nlast failed: 4\nfailed: no\nfailed:\n: 3\nfailed: 12345678901\n", (0, 0, 0, NONE), [],
      "labels with more, or with no number")
check("pytest", "passed: 3\n", (0, 0, 0, NONE), [], "labels count nothing in other forms")
check("counts", "99999999999999999999999 passed, 1 failed\n", (NONE - 1, 1, 0, NONE), [], "a number beyond all numbers")
check("exit", "ok 1\n3 passed, 1 failed\n", (0, 0, 0, NONE), [], "exit reads nothing")
# runners' own forms, as they print them
check("pytest", """\
=== test session starts ===
collecting ... collected 6 items

test_a.py::test_good PASSED                                              [  9%]
test_a.py::test_bad FAILED                                               [ 18%]
test_a.py::test_skip SKIPPED (later)                                     [ 27%]
test_a.py::test_xf XFAIL                                                 [ 36%]
test_a.py::test_p[x PASSED] PASSED
test_a.py::test_err ERROR                                                [ 90%]

=== FAILURES ===
test_a.py::fake PASSED
=== short test summary info ===
FAILED test_a.py::test_bad - assert 1 == 2
=== 1 failed, 2 passed, 1 skipped, 1 xfailed, 1 error in 0.06s ===
""", (2, 2, 2, NONE), [("passed", "test_a.py::test_good"), ("failed", "test_a.py::test_bad"),
                       ("skipped", "test_a.py::test_skip"), ("skipped", "test_a.py::test_xf"),
                       ("passed", "test_a.py::test_p[x PASSED]"), ("failed", "test_a.py::test_err")], "pytest -v")
check("pytest", "[gw0] [ 50%] PASSED tests/x.py::a \n[gw1] [100%] FAILED tests/x.py::b \n", (1, 1, 0, NONE),
      [("passed", "tests/x.py::a "), ("failed", "tests/x.py::b ")], "pytest-xdist")
check("pytest", "PASSED t.py::a\nSKIPPED [1] t.py:4: later\nFAILED t.py::b - assert 0\nERROR t.py::c\n3 passed in 0.1s\n",
      (1, 2, 1, NONE), [("passed", "t.py::a"), ("skipped", "t.py:4"), ("failed", "t.py::b"), ("failed", "t.py::c")], "pytest -rA")
r = results("pytest", "..F\nFAILED test_a.py::test_bad - assert 1 == 2\n1 failed, 6 passed, 1 skipped in 0.04s\n")
t.same((counts(r), tests(r), r.records[-1].flags), ((6, 1, 1, NONE), [("failed", "test_a.py::test_bad")], 1),
       "pytest -q: counts are whole, and the reader is told that names are missing")
check("unittest", "test_bad (u.A) ... FAIL\ntest_doc (u.A)\na docstring ... ok\ntest_err (u.A) ... ERROR\n"
      "test_skip (u.A) ... skipped 'later'\ntest_xf (u.A) ... expected failure\ntest_xp (u.A) ... unexpected success\n"
      "test_loud (u.A) ... noise\nok\n======\nERROR: test_err (u.A)\n------\nRan 7 tests in 0.3s\n\nFAILED (failures=2)\n",
      (2, 3, 2, NONE), [("failed", "test_bad (u.A)"), ("passed", "a docstring"), ("failed", "test_err (u.A)"),
                        ("skipped", "test_skip (u.A)"), ("skipped", "test_xf (u.A)"), ("failed", "test_xp (u.A)"),
                        ("passed", "test_loud (u.A)")], "unittest -v")
parts = ("test_a (m.T.test_a) ... \n  test_a (m.T.test_a) [w] (i=1) ... skipped 'x'\n  test_a (m.T.test_a) [w] (i=2) ... FAIL\n"
         "  test_a (m.T.test_a) [w] (i=3) ... ERROR\ntest_b (m.T.test_b) ... ok\n"
         "test_d (m.T.test_d) ... \n  test_d (m.T.test_d) (i=1) ... skipped 'x'\ntest_g (m.T.test_g) ... loud\n\n"
         "  test_g (m.T.test_g) (i=2) ... FAIL\ntest_h (m.T.test_h) ... \n  test_h (m.T.test_h) (i=1) ... skipped 'x'\n\n======\n"
         "FAIL: test_a (m.T.test_a) [w] (i=2)\n------\nAssertionError: 1\n\n======\nFAIL: test_g (m.T.test_g) (i=2)\n------\n"
         "NameError: x\n\nRan 5 tests in 0.3s\n\nFAILED (failures=2, errors=1, skipped=2)\n")
check("unittest", parts, (1, 2, 2, NONE),
      [("failed", "test_a (m.T.test_a)"), ("passed", "test_b (m.T.test_b)"), ("skipped", "test_d (m.T.test_d)"),
       ("failed", "test_g (m.T.test_g)"), ("skipped", "test_h (m.T.test_h)")], "unittest -v: parts count through their test")
t.same([x.data.decode() for x in results("unittest", parts).all("why")], ["test_a (m.T.test_a)", "test_g (m.T.test_g)"],
       "and so does why they failed")
check("unittest", "test_a (m.T) ... test_b (m.T) ... ok\ntest_c (m.T) ... test_d (m.T)\na ... docstring ... ok\n"
      "test_e (m.T) ... test_f (m.T) ... loud\n======\nERROR: test_a (m.T) (i=1)\n------\nFAIL: test_f (m.T) [x] (i=1)\nRan 6 tests in 0.1s\n",
      (2, 4, 0, NONE), [("failed", "test_a (m.T)"), ("passed", "test_b (m.T)"), ("failed", "test_c (m.T)"), ("passed", "a ... docstring"),
                        ("failed", "test_e (m.T)"), ("failed", "test_f (m.T)")], "as they look before Python 3.11")
check("ctest", "    Start 1: right\n1/8 Test #1: right ............................   Passed    0.01 sec\n"
      " 2/8 Test  #2: with blanks ... in it .......***Not Run   0.00 sec\n3/8 Test #3: wrong .....***Failed    0.01 sec\n"
      "5/8 Test #5: skip ......***Skipped   0.01 sec\n6/8 Test #6: slow ....***Timeout   1.01 sec\n"
      "7/8 Test #7: crash ....***Exception: SegFault  0.00 sec\n8/8 Test #8: off ...***Not Run (Disabled)   0.00 sec\n\n"
      "29% tests passed, 5 tests failed out of 7\n", (1, 4, 2, NONE),
      [("passed", "right"), ("failed", "with blanks ... in it"), ("failed", "wrong"), ("skipped", "skip"), ("failed", "slow"),
       ("failed", "crash"), ("skipped", "off")], "ctest")
check("cargo", "     Running unittests src/lib.rs (target/debug/deps/app-71ce)\n\nrunning 3 tests\ntest tests::bad ... FAILED\n"
      "test tests::good ... ok\ntest tests::later ... ignored, slow one\n\nfailures:\n\n---- tests::bad stdout ----\n"
      "test x ... ok\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured\n"
      "     Running tests/it.rs (target/debug/deps/it-4c)\ntest good ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"
      "   Doc-tests app\ntest src/lib.rs - add (line 1) ... ok\ntest result: ok. 1 passed; 0 failed\n", (3, 1, 1, NONE),
      [("failed", "unittests src/lib.rs: tests::bad"), ("passed", "unittests src/lib.rs: tests::good"),
       ("skipped", "unittests src/lib.rs: tests::later"), ("passed", "tests/it.rs: good"),
       ("passed", "app: src/lib.rs - add (line 1)")], "cargo test")
check("go", "# example.org/app/d [example.org/app/d.test]\nd/d_test.go:3:28: undefined: y\n=== RUN   TestOne\n"
      "--- FAIL: TestOne (0.00s)\n    --- PASS: TestOne/sub_x (0.00s)\n    --- FAIL: TestOne/bad (0.00s)\n--- SKIP: TestSkip (0.00s)\n"
      "FAIL\nFAIL\texample.org/app/a\t0.002s\n--- PASS: TestOne (0.00s)\nPASS\nok  \texample.org/app/b\t0.005s\n"
      "?   \texample.org/app/c\t[no test files]\nFAIL\texample.org/app/d [build failed]\nok  \texample.org/app/e\t(cached)\n"
      "ok  \texample.org/app/f\t0.1s [no tests to run]\n--- PASS: TestLate (0.00s)\n", (4, 3, 1, NONE),
      [("failed", "example.org/app/a.TestOne"), ("passed", "example.org/app/a.TestOne/sub_x"),
       ("failed", "example.org/app/a.TestOne/bad"), ("skipped", "example.org/app/a.TestSkip"),
       ("passed", "example.org/app/b.TestOne"), ("failed", "example.org/app/d"), ("passed", "example.org/app/e"),
       ("passed", "TestLate")], "go test -v")
check("node", "TAP version 13\n# Subtest: good\nok 1 - good\n  ---\n  duration_ms: 1.5\n  ...\n# Subtest: suite\n"
      "    # Subtest: inner (x)\n    ok 1 - inner (x)\n    # Subtest: deep\n        # Subtest: a\n        not ok 1 - a\n"
      "        1..1\n    not ok 2 - deep\n    1..2\nnot ok 2 - suite\n# Subtest: skip\nok 3 - skip # SKIP\n# Subtest: todo\n"
      "not ok 4 - todo # TODO why\n# Subtest: hook\n    # Subtest: fine\n    ok 1 - fine\n    1..1\nnot ok 5 - hook\n1..5\n",
      (3, 2, 2, NONE), [("passed", "good"), ("passed", "suite > inner (x)"), ("failed", "suite > deep > a"), ("skipped", "skip"),
                        ("skipped", "todo"), ("passed", "hook > fine"), ("failed", "hook")], "node --test, TAP")
check("node", "\x1b[32m✔ good \x1b[90m(1.569338ms)\x1b[39m\x1b[39m\n✖ bad (5.53938ms)\n  AssertionError: 1 == 2\n"
      "﹣ skip (0.262203ms) # SKIP\n✖ todo (74.6ms) # why\n▶ suite\n  ✔ inner (x) (0.28ms)\n  ▶ deep\n    ✔ a (0.16ms)\n"
      "  ✔ deep (13.7ms)\n✔ suite (15ms)\nℹ tests 8\nℹ pass 3\n\n✖ failing tests:\n\n✖ bad (5.53938ms)\n", (3, 1, 2, NONE),
      [("passed", "good"), ("failed", "bad"), ("skipped", "skip"), ("skipped", "todo"), ("passed", "suite > inner (x)"),
       ("passed", "suite > deep > a")], "node --test, spec, in colours")
check("jest", "FAIL ./a.test.js\n  suite\n    ✓ good (2 ms)\n    ✕ bad (1 ms)\n    ○ skipped later\n    deep\n      ✓ a (b)\n\n"
      "Tests:       1 failed, 1 skipped, 2 passed, 4 total\n", (2, 1, 1, NONE),
      [("passed", "./a.test.js: good"), ("failed", "./a.test.js: bad"), ("skipped", "./a.test.js: later"),
       ("passed", "./a.test.js: a (b)")], "jest --verbose")
r = results("jest", "PASS ./a.test.js\nPASS ./b.test.js\nTest Suites: 2 passed, 2 total\nTests:       1 skipped, 5 passed, 6 total\n")
t.same((counts(r), tests(r), r.records[-1].flags), ((5, 0, 1, NONE), [], 1), "jest without names")
check("mocha", "  suite\n    ✔ good\n    1) bad\n    - later\n    deep\n      ✔ slow (120ms)\n\n  2 passing (6ms)\n  1 pending\n"
      "  1 failing\n\n  1) suite\n       bad:\n", (2, 1, 1, NONE),
      [("passed", "good"), ("failed", "bad"), ("skipped", "later"), ("passed", "slow")], "mocha")
check("junit", """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="5">
<testcase classname="test_a" name="good &amp; well" time="0.001" /><testcase classname="test_a" name="bad"><failure message="x">text
<![CDATA[</testcase>]]></failure></testcase><testcase name="err"><skipped/><error/></testcase>
<testcase classname="c" name="later"><skipped type="pytest.skip" message="later">where</skipped></testcase>
<testcase name="off" status="notrun"/></testsuite></testsuites>
noise
<testsuite><testcase name="second"><system-out>&lt;failure/&gt;</system-out></testcase></testsuite>""", (2, 2, 2, NONE),
      [("passed", "test_a.good & well"), ("failed", "test_a.bad"), ("failed", "err"), ("skipped", "c.later"), ("skipped", "off"),
       ("passed", "second")], "JUnit, two documents")
check("junit", "<testsuite><testcase name='a'/><testcase name='b'", (1, 1, 0, NONE),
      [("passed", "a"), ("failed", "(the JUnit report is broken)")], "a report that breaks off is no proof")
bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi"))
check("junit", f"<?xml version='1.0'?>{bomb}]><testsuite><testcase name='&i;'/></testsuite>", (0, 1, 0, NONE),
      [("failed", "(the JUnit report is broken)")], "a document type ends the reading")
check("junit", "<?xml version='1.0'?><!DOCTYPE t [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><testsuite><testcase name='&e;'/></testsuite>",
      (0, 1, 0, NONE), None, "so does an entity of a file")
check("junit", "<testsuite>" * 100, (0, 1, 0, NONE), None, "and too many elements in each other")
check("junit", "no report at all\n", (0, 0, 0, NONE), [], "no report")
for form in ("pytest", "unittest", "ctest", "cargo", "go", "node", "jest", "mocha"):
    r = results(form, b"\xff\x00" * 5000 + b"\n" + b"ok " * 3000 + b"\n" + b"  " * 40 + b"\n")
    t.ok(r.done, f"{form}: noise is read to its end", r.records)
with Places() as p:
    os.makedirs(p.at("upper/work/out/deep"))
    for path, text in (("out/b.xml", "<testsuite><testcase name='b'/></testsuite>"), ("out/deep/a.xml", "<testsuite><testcase name='a'/></testsuite>"),
                       ("out/c.txt", "<testsuite><testcase name='c'/></testsuite>")):
        with open(p.at("upper/work", path), "w") as file:
            file.write(text)
    os.symlink("b.xml", p.at("upper/work/out/d.xml"))
    os.mkfifo(p.at("upper/work/out/e.xml"))
    r = p.run("results", "--report", "out/**/*.xml", "--report", "out/*.xml", "junit", stdin=b"<testsuite><testcase name='z'/></testsuite>")
    t.same((counts(r), tests(r)), ((2, 0, 0, NONE), [("passed", "b"), ("passed", "a")]), "reports in files, sorted; nothing else")
    t.same(counts(p.run("results", "--report", "no/*", "junit")), (0, 0, 0, NONE), "no report")
with Places() as p:
    reader, writer = os.pipe()
    waiting = p.start("results", "--wait", "--report", "out/*.xml", "junit", stdin=reader)
    os.close(reader)
    time.sleep(0.2)
    os.makedirs(p.at("upper/work/out"))  # a command that is still at work would have nothing there before its end
    with open(p.at("upper/work/out/late.xml"), "w") as file:
        file.write("<testsuite><testcase name='late'/></testsuite>")
    t.ok(waiting.poll() is None, "with --wait nothing is read …")
    os.close(writer)
    r = waiting.result()
    t.same((counts(r), tests(r)), ((1, 0, 0, NONE), [("passed", "late")]), "… before fd 0 has ended", r.records)
with Places() as p:
    t.same(counts(p.run("results", "--report", "*", "junit")), (0, 0, 0, NONE), "nothing was written at all")
    t.same(p.run("results", "--report", "a" * 5000, "junit").code, 1, "a glob that cannot be read")
r = results("nonsense", "")
t.same((r.code, r.records[-1].kind), (1, "failed"), "an unknown form is named")
t.end()
