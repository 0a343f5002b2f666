#!/usr/bin/env -S python3 -B
"""service: the whole supervisor as a service of several users, with real jails. The groups stand in an /etc/group that
only this supervisor's own mount namespace has."""
import json
import os
import shutil
import signal
import tempfile

from front_lib import Tap, client_as
from supervisor_lib import Supervisor, eventually, need_jails
from users_lib import ADM, ADMINS, ANN, BOB, GROUP, fields

need_jails()
tap = Tap()
files = tempfile.mkdtemp(prefix="warder-service-")
groups = os.path.join(files, "group")
with open(groups, "w") as file:
    file.write(f"root:x:0:\nwarder:x:{GROUP}:\nwarder-admin:x:{ADMINS}:\n")
WRAP = ["unshare", "-m", "--propagation", "private", "sh", "-c", f"mount --bind {groups} /etc/group && exec \"$0\" \"$@\""]


os.chmod(files, 0o755)


def home(uid):
    """A directory of the user's own."""
    path = os.path.join(files, str(uid))
    if not os.path.exists(path):
        os.mkdir(path)
        os.chown(path, uid, uid)
    return path


class Service(Supervisor):
    def ceilings(self, **what):
        path = os.path.join(self.config, "ceilings.json")
        with open(path + ".new", "w") as file:
            json.dump({"warder": "ceilings/1", **what}, file)
        os.rename(path + ".new", path)

    def user(self, uid):
        return client_as(self.path, uid, uid, [GROUP] + [ADMINS] * (uid == ADM))

    def warder(self, uid, *words):
        """The command as a user: (exit code, stdout, stderr)."""
        def become():
            os.setgroups([GROUP] + [ADMINS] * (uid == ADM))
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        done = super().warder(*words, preexec_fn=become, env={"HOME": "/"}, cwd=home(uid))
        return done.returncode, done.stdout, done.stderr

    def front(self):
        """Process ids of its front."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    words = file.read().rsplit(")", 1)
                if words[0].endswith("(warder-front") and int(words[1].split()[1]) == self.process.pid:
                    found.append(int(pid))
            except OSError:
                pass
        return found


supervisor = Service("svc", mode=(), wrap=WRAP)
ann, bob, adm, root = supervisor.user(ANN), supervisor.user(BOB), supervisor.user(ADM), supervisor.client()
tap.same(ann.call("warder.info").get("result", {}).get("private"), False, "the service serves a user")
tap.same(os.stat(supervisor.path).st_gid, GROUP, "the socket is the group's")

made = ann.call("jail.create", {"keep": True})
tap.ok("jail" in made.get("result", {}), "Ann makes a jail", made)
jail = made["result"]["jail"]
run = lambda client, script: client.call("jail.exec", {"jail": jail, "argv": ["sh", "-c", script],
                                              "stdio": ["null", "capture", "merge"]})
tap.same(run(ann, "echo secret > /tmp/file; cat /tmp/file")["result"]["output"]["stdout"]["text"], "secret\n", "and works in it")
tap.same(fields(run(bob, "cat /tmp/file"))[0], "not_found", "Bob cannot")
tap.same(fields(run(adm, "cat /tmp/file"))[0], "denied", "nor an administrator")
tap.same(run(root, "cat /tmp/file")["result"]["output"]["stdout"]["text"], "secret\n", "root can")
path = {"jail": jail, "path": "/tmp/file", "flags": ["read"]}
tap.same([fields(who.call("jail.open", path))[0] for who in (ann, bob, adm)], ["", "not_found", "denied"], "nor open its files")
tap.same([jail in supervisor.warder(uid, "ls")[1] for uid in (ANN, BOB, ADM)], [True, False, True], "warder ls shows one's own")
code, out, err = supervisor.warder(BOB, "rm", jail)
tap.ok(code != 0 and "there is no jail" in err, "warder rm of another's: there is none", (code, err))
code, out, err = supervisor.warder(BOB, "run", "--", "id", "-u")
tap.ok((code, out) == (0, "1000\n"), "Bob runs a command of his own", (code, out, err))
tap.same(supervisor.warder(ANN, "rm", jail)[0], 0, "Ann ends her jail")

# quotas hold for real jails, whatever way they end
supervisor.ceilings(default={"quotas": {"jails": 1}, "limits": {"memory": "64M"}})
ann.send("jail.create", {})
first = ann.answer()["result"]["jail"]
shown = ann.call("jail.show", {"jail": first})["result"]
tap.same(shown["limits"]["memory"], 64 << 20, "the ceiling of one jail holds")
code, out, err = supervisor.warder(ANN, "run", "--", "true")
tap.ok(code == 125 and "quotas.jails" in err and "ceilings.json:1, default" in err, "a second one: quota, and whose", (code, err))
ann.close()
tap.ok(eventually(lambda: supervisor.warder(ANN, "run", "--", "true")[0] == 0), "the connection has gone: it is given back")
for end in ("exit 3", "kill -9 $$", "head -c 99999999 /dev/zero | tail"):
    supervisor.warder(ANN, "run", "--", "sh", "-c", end)
tap.same(supervisor.warder(ANN, "run", "--", "true")[0], 0, "however its command ends")

# a full host
supervisor.ceilings(host={"jails": 1, "queue": {"wait": "50ms"}})
ann = supervisor.user(ANN)
name = ann.call("jail.create", {"keep": True})["result"]["jail"]
code, out, err = supervisor.warder(BOB, "run", "--", "true")
tap.ok(code == 125 and "warder: waiting for room on this host (place 1 at most)" in err and "the host is full" in err,
       "one who waits is told so, then why it was refused", (code, err))
supervisor.ceilings(host={"jails": 1, "queue": {"wait": "1h"}})
bob.send("jail.create", {"exec": {"argv": ["true"]}})
tap.same(bob.line()["method"], "jail.waiting", "Bob waits")
ann.call("jail.destroy", {"jail": name})
answer = bob.answer()
tap.same(answer.get("result", {}).get("command", {}).get("cause"), "exited", "Ann's has ended: it is Bob's turn")

# the front dies: what it had charged is gone with the jails
supervisor.ceilings(default={"quotas": {"jails": 1}})
name = ann.call("jail.create", {"keep": True})
tap.ok("result" in name, "Ann has what she may have", name)
tap.same(fields(ann.call("jail.create"))[0], "quota", "no more")
pids = supervisor.front()
tap.same(len(pids), 1, "there is one front")
os.kill(pids[0], signal.SIGKILL)
tap.ok(ann.is_closed(), "it is killed: connections close")
tap.ok(eventually(lambda: supervisor.warder(ANN, "run", "--", "true")[0] == 0), "the next front serves, and owes nothing")
tap.ok(eventually(lambda: "j-" not in supervisor.warder(ANN, "ls")[1]), "the jail has gone with its front")
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
shutil.rmtree(files)
tap.end()
