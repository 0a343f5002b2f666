#!/usr/bin/env -S python3 -B
"""ahead: the jail that reads a command's results is made before the command ends. It gives way to what its user asks for,
goes by itself when the command takes long, and the results are the same: from output, from reports, by many commands."""
import io
import json
import os
import tarfile
import tempfile

from front_lib import Tap
from supervisor_lib import Supervisor, need_jails

need_jails()
tap = Tap()
BASE = {"src/answer": b"41\n"}
PATCH = b"diff --git a/src/answer b/src/answer\n--- a/src/answer\n+++ b/src/answer\n@@ -1 +1 @@\n-41\n+42\n"
TAP = "grep -q 42 src/answer && echo ok 1 - {0} || echo not ok 1 - {0}; echo 1..1"
XML = "<testsuite><testcase name='{0}'/></testsuite>"


def file_with(data):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.seek(0)
    return file


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, data in BASE.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def begin(client, *commands):
    """@commands: (script, form) or (script, form, glob of reports)"""
    rows = [{"id": f"c{i}", "run": ["sh", "-c", row[0]], "parse": row[1], **({"report": [row[2]]} if len(row) > 2 else {})}
            for i, row in enumerate(commands)]
    with file_with(tar()) as base, file_with(PATCH) as change:
        client.notes.clear()
        client.send("verify.run", {"spec": {"warder": "verify/1", "commands": rows}, "base": "sha256:" + "7" * 64},
                    [base.fileno(), change.fileno()])


def end(client):
    answer = client.answer()
    return answer.get("result") or {"verdict": "none", "reason": str(answer), "tests": {}}


def verify(client, *commands):
    begin(client, *commands)
    return end(client)


def judged(result):
    return (result["verdict"], result["tests"].get("passed"), result["tests"].get("failed"))


supervisor = Supervisor("ahead", mode=())
client = supervisor.client()
client.sock.settimeout(300)


def jails():
    """Of warder-files, so far: each tells when it can be used"""
    return sum("files" in line and "ready" in line and "jail changes state" in line for line in supervisor.words().splitlines())


# what it reads
quick = (TAP.format("one"), "tap")
tap.same(judged(verify(client, quick)), ("passed", 1, 0), "a command that ends at once")
tap.same(judged(verify(client, quick, (TAP.format("two"), "tap"), ("seq 200000; echo ok 1 - three; echo 1..1", "tap"))), ("passed", 3, 0),
         "three commands, one with more output than a pipe holds")
junit = (f"mkdir -p out; echo \"{XML.format('a')}\" >out/a.xml", "junit", "out/*.xml")
tap.same(judged(verify(client, junit, (f"echo \"{XML.format('b')}\" >out/b.xml", "junit", "out/*.xml"), quick)), ("passed", 3, 0),
         "reports: each command's own")
tap.same(judged(verify(client, (f"rm -rf out; ln -s /etc out; {TAP.format('x')}", "junit", "out/*.xml"), quick))[0], "failed",
         "a command that leaves none")

# one that takes long
slow = verify(client, ("sleep 3; " + TAP.format("slow"), "tap"))
tap.same(judged(slow), ("passed", 1, 0), "a command that takes longer than a reader waits")
made = set()
for _ in range(8):  # on a machine that is so slow that a jail takes a second, the first of two readers is never ready
    before = jails()
    if judged(verify(client, ("sleep 3; " + TAP.format("slow"), "tap"))) != ("passed", 1, 0):
        made = {"none, it was not passed"}
        break
    made.add(jails() - before)
    if 3 in made:
        break
tap.ok(3 in made, "its results are read in a jail made for that: one for the patch, one that waited, one that read", made)
slow = verify(client, ("sleep 3; " + junit[0], "junit", "out/*.xml"))
tap.same(judged(slow), ("passed", 1, 0), "its reports likewise")

# room for two: the commands' jail and another
with open(os.path.join(supervisor.config, "ceilings.json"), "w") as file:
    json.dump({"warder": "ceilings/1", "users": {"0": {"quotas": {"jails": 2}}}}, file)
tap.same(judged(verify(client, quick)), ("passed", 1, 0), "a verify needs no more")
other = supervisor.client()
for n in range(4):
    begin(client, ("sleep 4; " + TAP.format("busy"), "tap"))
    while client.line().get("params", {}).get("phase") != "command":
        pass
    made = other.call("jail.create", {"keep": True})
    tap.ok("result" in made, f"{n}: what waits for a command's results gives way to a jail that is asked for", made)
    more = other.call("jail.create")
    tap.ok(more.get("error", {}).get("data", {}).get("field") == "quotas.jails", f"{n}: the quota holds", more)
    gone = other.call("jail.destroy", {"jail": made.get("result", {}).get("jail", "j-none")})
    tap.ok("result" in gone, f"{n}: (it is ended again)", gone)
    tap.same(judged(end(client)), ("passed", 1, 0), f"{n}: the results are read all the same")
other.close()
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
