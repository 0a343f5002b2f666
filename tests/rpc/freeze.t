#!/usr/bin/env -S python3 -B
"""freeze: jails that stand still: nothing runs, no clock goes on, and they can be ended all the same."""
import os
import time

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("freeze")
client = supervisor.client()
WALL = 8  # seconds that a command may take


def make(**params):
    return client.call("jail.create", {"keep": True, **params})["result"]["jail"]


def start(jail, argv, peer=None, **more):
    """A command that runs: (the connection that waits for its end, its id)."""
    peer = peer or supervisor.client()
    peer.notes.clear()
    before = stats(jail)["commands"]["started"]
    peer.send("jail.exec", {"jail": jail, "argv": argv, **more})
    while not peer.notes:
        peer.notes.append(peer.line())
    command = peer.notes[-1]["params"]["command"]
    if not eventually(lambda: stats(jail)["commands"]["started"] > before, 60):
        raise SystemExit("Bail out! a command does not start")
    return peer, command


def stats(jail):
    """What the jail uses, and how many of its commands have been executed."""
    return client.call("jail.stats", {"jail": jail})["result"]["stats"][0]


def freeze(jail, peer=None):
    return (peer or client).call("jail.freeze", {"jail": jail}).get("result")


def busy(jail):
    return stats(jail)["cpu"]["usage_usec"]


FROZEN, RUNS = {"frozen": True, "still": True}, {"frozen": False, "still": False}

# ---- one that stands still longer than its command may run; looked at again at the end
slow = make()
patient, _ = start(slow, ["sh", "-c", "until [ -e /tmp/thawed ]; do sleep 0.05; done; echo done"], limits={"wall": WALL * 1000000})
tap.same(freeze(slow), FROZEN, "a jail is frozen, and stands still when that is answered")
began = time.monotonic()
left = stats(slow)["wall_left_usec"]

# ---- nothing runs
jail = make()
spinner, _ = start(jail, ["sh", "-c", "while :; do :; done"])
tap.ok(eventually(lambda: busy(jail) > 20000), "a command that uses a processor")
tap.same(freeze(jail), FROZEN, "is frozen")
before = busy(jail)
time.sleep(0.3)
tap.same(busy(jail), before, "and uses none any more")
tap.same(freeze(jail), FROZEN, "twice is the same as once")
tap.ok(client.call("jail.show", {"jail": jail})["result"]["frozen"] and
       [j["frozen"] for j in client.call("jail.list")["result"]["jails"]] == [True, True], "list and show say so")
error = client.call("jail.exec", {"jail": jail, "argv": ["true"]}).get("error", {})
tap.ok(error.get("data", {}).get("code") == "busy" and "warder thaw" in error["message"], "no command starts in it", error)
answer = client.call("jail.open", {"jail": jail, "path": "/etc/passwd", "flags": ["read"]})
tap.ok("result" in answer and os.read(client.fds.pop(), 4) == b"root", "its files can be read", answer)
tap.same(client.call("jail.thaw", {"jail": jail}).get("result"), RUNS, "it is thawed")
tap.ok(eventually(lambda: busy(jail) > before), "and goes on")
tap.same(client.call("jail.thaw", {"jail": jail}).get("result"), RUNS, "twice is the same as once")
other, _ = start(jail, ["true"])
tap.same(other.answer()["result"]["cause"], "exited", "commands start in it again")

# ---- who froze it may go
other.call("jail.freeze", {"jail": jail})
other.close()
tap.ok(stats(jail)["frozen"], "it stays frozen when who froze it has gone")
lonely = supervisor.client()
lonely.send("jail.create", {"exec": {"argv": ["sleep", "300"]}})
lonely.notes.append(lonely.line())
own = lonely.notes[-1]["params"]["jail"]
tap.same(freeze(own), FROZEN, "an ephemeral one is frozen by another connection")
lonely.close()
tap.ok(eventually(lambda: own not in [j["jail"] for j in client.call("jail.list")["result"]["jails"]]),
       "and ends with its own client all the same")

# ---- what is frozen can be ended
waiting, command = start(make_jail := make(), ["sh", "-c", "trap '' TERM; setsid sleep 300 & sleep 300"])
freeze(make_jail)
client.call("jail.signal", {"jail": make_jail, "command": command, "signal": 9})
tap.same(waiting.answer()["result"]["cause"], "killed_by_client", "a frozen command is killed, with all that it started")
tap.ok(stats(make_jail)["frozen"], "its jail stays frozen")
waiting.close()
tap.same(client.call("jail.destroy", {"jail": make_jail}).get("result"), {}, "a frozen jail is destroyed")
gone, _ = start(twice := make(), ["sleep", "300"])
freeze(twice)
gone.close()
tap.ok(eventually(lambda: stats(twice)["commands"]["running"] == 0, 60), "a frozen command ends with its client")
client.call("jail.destroy", {"jail": twice})
tap.same(client.call("jail.destroy", {"jail": jail}).get("result"), {}, "one in which a command spins, likewise")
tap.same(spinner.answer()["result"]["cause"], "jail_ended", "which says so")

# ---- a fork bomb
bomb = make(limits={"pids": 64})
bomber, _ = start(bomb, ["python3", "-c", "import os\nwhile True:\n try: os.fork()\n except OSError: pass\n"])
tap.ok(eventually(lambda: stats(bomb)["pids"]["refused"] > 0), "a fork bomb is at its limit")
tap.same(freeze(bomb), FROZEN, "and is frozen")
before = stats(bomb)
time.sleep(0.3)
after = stats(bomb)
tap.same((after["pids"], after["cpu"]["usage_usec"]), (before["pids"], before["cpu"]["usage_usec"]), "all of it")
tap.same(client.call("jail.destroy", {"jail": bomb}).get("result"), {}, "and ended")
bomber.close()

# ---- no such jail, no longer such a jail
tap.same(client.call("jail.freeze", {"jail": "j-aaaaaaaaaa"})["error"]["data"]["code"], "not_found", "a jail that is none")
tap.same(client.call("jail.thaw", {"jail": jail})["error"]["data"]["code"], "not_found", "one that has ended")

# ---- the clocks
tap.same(stats(slow)["wall_left_usec"], left, "the wall limit of a frozen jail stands still")
time.sleep(max(0, WALL + 1 - (time.monotonic() - began)))
frozen = stats(slow)["frozen_usec"]
client.call("jail.thaw", {"jail": slow})
supervisor.client().call("jail.exec", {"jail": slow, "argv": ["touch", "/tmp/thawed"]})
record = patient.answer()["result"]
tap.ok((record["cause"], record["output"]["stdout"]["text"]) == ("exited", "done\n") and frozen > WALL * 1000000,
       "a command that stood still for longer than it may run comes to its end", record, frozen)
tap.ok(record["wall_usec"] >= record["frozen_usec"] >= frozen, "its record says how long that was", record)
tap.ok(eventually(lambda: stats(slow)["wall_left_usec"] < left), "and the jail's clock goes on")
client.call("jail.destroy", {"jail": slow})
patient.close()
spinner.close()
client.close()
tap.same(supervisor.wait(), 0, "when nobody needs it any more it ends")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
tap.end()
