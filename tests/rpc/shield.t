#!/usr/bin/env -S python3 -B
"""shield: protected files stay as they are while commands run, in the first turn of a base, in those after it, which
find its shield, and where no shield can be had; and each turn names the same tree."""
import difflib
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
TEST = ('grep -q 42 src/answer && echo "ok 1 - answer" || echo "not ok 1 - answer"\n'
        'test -w src && test ! -w tests/run.sh && test ! -w tests/deep/data && echo "ok 2 - rights" || echo "not ok 2 - rights"\n'
        "echo 1..2\n")
BASE = {"src/answer": b"41\n", "src/build.sh": b": nothing to do\n", "tests/run.sh": TEST.encode(), "tests/deep/data": os.urandom(600 << 10)}
SPEC = {"warder": "verify/1", "commands": [{"id": "t", "run": ["sh", "-c", "sh src/build.sh; sh tests/run.sh"], "parse": "tap"}],
        "protect": ["tests/**"]}
FAKE = "printf 'echo ok 1 - answer\\necho ok 2 - rights\\necho 1..2\\n'"
ATTACKS = {
    "written to": f"{FAKE} >tests/run.sh",
    "made writable": f"chmod 777 tests/run.sh; {FAKE} >tests/run.sh",
    "replaced": f"{FAKE} >tests/x; mv -f tests/x tests/run.sh",
    "removed": f"rm -f tests/run.sh; {FAKE} >tests/run.sh",
    "its directory moved away": f"mv tests aside; mkdir tests; {FAKE} >tests/run.sh",
    "all of it moved away": f"mkdir ../other; {FAKE} >../other/run.sh; cp -r ../other tests.x; mv tests old; mv tests.x tests",
}


def patch(new):
    text = ""
    for path, after in new.items():
        before, is_new = BASE.get(path, b"").decode(), path not in BASE
        text += f"diff --git a/{path} b/{path}\n" + ("new file mode 100644\n" if is_new else "")
        text += "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True),
                                             "/dev/null" if is_new else f"a/{path}", f"b/{path}"))
    return text.encode()


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


def digest(new):
    lines = (b"100644 %s\0%s\n" % (path.encode(), hashlib.sha256(data).hexdigest().encode())
             for path, data in sorted({**BASE, **new}.items()))
    return "sha256:" + hashlib.sha256(b"".join(lines)).hexdigest()


def verify(client, text):
    with file_with(tar()) as base, file_with(text) as change:
        client.notes.clear()
        answer = client.call("verify.run", {"spec": SPEC, "base": "sha256:" + "5" * 64}, [base.fileno(), change.fileno()])
    result = answer.get("result") or {"verdict": "none", "reason": str(answer)}
    if result["verdict"] not in ("passed", "failed"):
        print("#", json.dumps(result))
    result["phases"] = [x["params"].get("phase") for x in client.notes]
    return result


def works_outside(script):
    with tempfile.TemporaryDirectory() as top:
        work = os.path.join(top, "work")
        for path, data in BASE.items():
            os.makedirs(os.path.dirname(os.path.join(work, path)), exist_ok=True)
            with open(os.path.join(work, path), "wb") as file:
                file.write(data)
        return "not ok" not in subprocess.run(["sh", "-c", f"{script}; sh tests/run.sh"], cwd=work, capture_output=True, text=True).stdout


def turns(client, what):
    good = verify(client, patch({"src/answer": "42\n"}))
    tap.same((good["verdict"], good.get("tree")), ("passed", digest({"src/answer": b"42\n"})), f"{what}: a right change passes")
    for name, script in ATTACKS.items():
        bad = verify(client, patch({"src/build.sh": script + " 2>/dev/null\n"}))
        tap.same((bad["verdict"], bad.get("tests", {}).get("failed"), "unpack" in bad["phases"]), ("failed", 1, False),
                 f"{what}: a test is not {name}")
    own = verify(client, patch({"src/answer": "42\n", "tests/own": "1\n", "tests/new/own": "1\n", "src/build.sh":
                                "echo 2 >>tests/own && echo 2 >>tests/new/own && echo 3 >tests/new/more && echo 3 >tests/deep/more || "
                                "echo 0 >src/answer\n"}))
    tap.same(own["verdict"], "passed", f"{what}: what a patch adds beside tests is the user's, and there is room beside them")
    again = verify(client, patch({"src/answer": "42\n"}))
    tap.same((again["verdict"], again.get("tree")), ("passed", good.get("tree")), f"{what}: again, the same tree")


for name, script in ATTACKS.items():
    tap.ok(works_outside(script), f"outside of a jail a test can be {name}")
supervisor = Supervisor("shield")
client = supervisor.client()
client.sock.settimeout(300)
turns(client, "with a shield")
tap.ok("no shield" not in supervisor.words(), "the base had a shield", supervisor.words()[-2000:])
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")

# room for the base, not for its protected files once more
supervisor = Supervisor("none", mode=())
with open(os.path.join(supervisor.config, "ceilings.json"), "w") as file:
    json.dump({"warder": "ceilings/1", "users": {"0": {"quotas": {"snapshot_disk": "1M"}}}}, file)
tap.ok(eventually(lambda: "ceilings are in force" in supervisor.words(), 60), "a quota of disk is in force")
client = supervisor.client()
client.sock.settimeout(300)
turns(client, "without one")
tap.ok(eventually(lambda: "no shield" in supervisor.words()), "the base had none, for want of room", supervisor.words()[-2000:])
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
