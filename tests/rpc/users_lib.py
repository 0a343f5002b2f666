"""users_lib: the service with several users, ceilings of the test's own, and a ledger with things in it."""
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time

from front_lib import PATIENCE, Front, client_as

GROUP, ADMINS, ELSE = 60101, 60102, 60103
ANN, BOB, ADM = 60001, 60002, 60003


def verdict_text(**more):
    """A verdict for the ledger, whole, as the gate writes them."""
    digest = "sha256:" + "7" * 64
    tests = {"base": 1, "run": 1, "passed": 1, "failed": 0, "skipped": 0, "known": 0}
    return json.dumps({"warder": "verdict/1", "n": 1, "verdict": "passed", "reason": "r", "tests": tests, "restored": [], "commands": [],
                       **{name: digest for name in ("patch", "tree", "spec", "snapshot", "policy", "digest")}, **more})


def event_text(task, seq=1, **more):
    """An event for the ledger, likewise."""
    return json.dumps({"seq": seq, "time": "2026-01-05T10:11:12.345Z", "task": task, "event": "notice", "data": {}, "used": {}, **more})


def need_users():
    if os.geteuid() != 0:
        print("1..0 # SKIP root, to become other users")
        sys.exit(0)


def eventually(what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def fields(answer):
    """code and data of a refusal, ("", {}) of a result."""
    data = answer.get("error", {}).get("data", {})
    return data.get("code", ""), data


class Service(Front):
    """A front that serves users, with what @ceilings says (None: no file; a text is taken as it is)."""

    def __init__(self, ceilings=None, **more):
        self.config = tempfile.mkdtemp(prefix="warder-config-")
        self.write(ceilings)
        more.setdefault("memory", 64 << 30)
        self.kept = []  # a jail that nobody holds closes its init's socket
        super().__init__(warder_gid=GROUP, admin_gid=ADMINS, config=self.config, **more)

    def write(self, ceilings):
        path = os.path.join(self.config, "ceilings.json")
        if ceilings is None:
            return
        text = ceilings if isinstance(ceilings, str) else json.dumps({"warder": "ceilings/1", **ceilings})
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def user(self, uid, *groups, gid=None):
        self.clients.append(client_as(self.path, uid, gid, [ADMINS if uid == ADM else GROUP, *groups]))
        return self.clients[-1]

    def create(self, client, handle, **params):
        """A kept jail that is made: (its name, the jail)."""
        client.send("jail.create", {"keep": True, **params})
        jail = self.made(handle)
        return client.answer()["result"]["jail"], jail

    def made(self, handle):
        self.kept.append(self.jail(handle))
        return self.kept[-1]

    def end(self, client, name, jail):
        client.send("jail.destroy", {"jail": name})
        self.request()
        jail.ended()
        return client.answer()

    def stop(self):
        code = super().stop()
        shutil.rmtree(self.config, ignore_errors=True)
        return code


def state_with(statements):
    """A state directory whose ledger a front made, with rows of ours; the caller removes it."""
    front = Service()
    front.client().call("snapshot.list")
    state = tempfile.mkdtemp(prefix="warder-state-")
    keep = os.path.join(state, "state")
    front.monitor.close()
    os.waitpid(front.pid, 0)
    shutil.copytree(os.path.join(front.dir, "state"), keep)
    shutil.rmtree(front.dir, ignore_errors=True)
    shutil.rmtree(front.config, ignore_errors=True)
    with sqlite3.connect(os.path.join(keep, "ledger.db")) as ledger:
        for statement in statements:
            for text, values in statement if isinstance(statement, list) else [statement]:
                ledger.execute(text, values)
    ledger.close()
    return keep


def snapshot_row(name, owner, layer, size=1000):
    """A snapshot of one layer, as an import writes it; root's are public."""
    digest = bytes([layer]) * 32
    return [("INSERT INTO snapshots (name, owner, layers, bytes, entries, created, shared) VALUES (?, ?, ?, ?, 3, 1, ?)",
             (name, owner, digest, size, int(owner == 0))),
            ("INSERT OR IGNORE INTO layers (digest, bytes, entries, created) VALUES (?, ?, 3, 1)", (digest, size)),
            ("INSERT INTO holds (digest, holder) VALUES (?, ?)", (digest, f"snapshot:{owner}:{name}"))]
