#!/usr/bin/env -S python3 -B
"""states-many: a jail that is looked at, saved and forked when it holds very much, or forks without end itself."""
import json
import os
import tempfile

from front_lib import Tap
from states_lib import root_tar
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
FILES = int(os.environ.get("WARDER_TEST_FILES", "100000"))
supervisor = Supervisor("many")
client = supervisor.client()
client.sock.settimeout(300)


def ask(method, fds=(), **params):
    answer = client.call(method, params, fds=list(fds))
    return answer.get("result", answer)


def run(jail, text):
    return ask("jail.exec", jail=jail, argv=["sh", "-c", text], user={"uid": 0, "gid": 0}, stdio=["null", "capture", "capture"])


with tempfile.TemporaryFile() as file:
    file.write(root_tar())
    file.seek(0)
    tap.ok("layers" in ask("snapshot.import", [file.fileno()], name="base"), "a root is imported")

# ---- many files, and one that is large and empty
disk = {"disk": 1 << 30, "inodes": FILES + 10000, "memory": 2 << 30}
made = ask("jail.create", snapshot="base", keep=True, limits=disk)
jail = made.get("jail")
tap.ok(jail, "a jail with room for many files", made)
record = run(jail, f"mkdir /srv/many && cd /srv/many && seq 1 {FILES} | xargs touch && truncate -s 4G /srv/sparse")
tap.same(record.get("code"), 0, f"a command makes {FILES} files")
with tempfile.TemporaryFile() as out:
    counts = ask("jail.diff", [out.fileno()], jail=jail)
    out.seek(0)
    lines = [json.loads(line) for line in out]
tap.same(len({line["path"] for line in lines if line["path"].startswith("/srv/many/")}), FILES, "diff has a line for each")
tap.same(counts.get("added"), sum(line["change"] == "A" for line in lines), "and counts them")
tap.same([line["size"] for line in lines if line["path"] == "/srv/sparse"], [4 << 30], "a file of holes, as large as the policy lets one be, has its size")
tap.same(run(jail, "stat -c %b /srv/sparse")["output"]["stdout"]["text"], "0\n", "and no block of it was written")
ask("jail.destroy", jail=jail)

# ---- a fork bomb
jail = ask("jail.create", snapshot="base", keep=True, limits={"pids": 48})["jail"]
tap.same(run(jail, "echo state >/srv/state").get("code"), 0, "a jail has a state")
bomber = supervisor.client()
bomber.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "bomb() { while :; do (bomb) & done; }; bomb 2>/dev/null"],
                          "stdio": ["null", "null", "null"]})
tap.ok(eventually(lambda: ask("jail.stats", jail=jail)["stats"][0]["pids"]["refused"] > 0, 60),
       "a fork bomb is at its limit", ask("jail.stats", jail=jail))
answer = ask("jail.fork", jail=jail, n=2, keep=True)
forks = answer.get("jails", [])
tap.same(len(forks), 2, "it is forked all the same")
tap.same([run(fork, "cat /srv/state")["output"]["stdout"]["text"] for fork in forks], ["state\n"] * len(forks),
         "each fork has the state, and room for a command: none of the bomb's processes came along")
for each in [jail, *forks]:
    tap.same(ask("jail.destroy", jail=each), {}, "ended")
bomber.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left")
tap.end()
