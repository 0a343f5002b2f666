#!/usr/bin/env -S python3 -B
"""early: a command that is ended as soon as it began, again and again; its jail goes on."""
from front_lib import Tap
from supervisor_lib import Supervisor, need_jails

ROUNDS = 150  # the jail's init is still busy with the plan in about one of forty

need_jails()
tap = Tap()
supervisor = Supervisor("early")
client, second = supervisor.client(), supervisor.client()
for peer in client, second:
    peer.sock.settimeout(120)
ends, after = set(), set()
for _ in range(ROUNDS):
    jail = client.call("jail.create", {"keep": True})["result"]["jail"]
    second.send("jail.exec", {"jail": jail, "argv": ["sleep", "60"]})
    command = second.line()["params"]["command"]
    client.call("jail.signal", {"jail": jail, "command": command, "signal": 9})
    ends.add(second.answer().get("result", {}).get("cause"))
    second.send("jail.exec", {"jail": jail, "argv": ["true"]})
    answer = second.answer()
    after.add(answer["result"]["cause"] if "result" in answer else answer["error"]["message"])
    client.call("jail.destroy", {"jail": jail})
tap.same(ends, {"killed_by_client"}, "each is ended by its client")
tap.same(after, {"exited"}, "and the jail takes the next command")
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
