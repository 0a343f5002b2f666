#!/usr/bin/env -S python3 -B
"""pages: warder-rpc(7) and the method table say the same: every method and parameter, and no other method."""
import os
import re

from front_lib import SOURCE, Front, Tap

tap = Tap()
with open(os.path.join(SOURCE, "man/warder-rpc.7.scd")) as file:
    page = file.read()
front = Front()
methods = front.client().call("rpc.discover")["result"]["methods"]
front.stop()
named = set(re.findall(r"\*((?:warder|rpc|jail|snapshot|policy|pool|verify|task|patch)\.[a-z]+)\*", page))
events = {"jail.waiting", "snapshot.progress", "verify.event", "task.event", "jail.sample", "jail.event"}
tap.ok(len(methods) > 10, "the table has rows")
tap.same(sorted(named - events), sorted(m["name"] for m in methods), "the page has the methods of the table")
for method in methods:
    words = {p["name"] for p in method["params"]}
    words |= {w for p in method["params"] if method["name"].split(".")[0] in ("jail", "snapshot")
              for w in p["schema"].get("properties", {})}
    missing = sorted(w for w in words if f"*{w}*" not in page)
    tap.same(missing, [], f"{method['name']}: its parameters are in the page")
    tap.ok(method["summary"] and method["x-charge"], f"{method['name']} has a summary and a charge")
tap.end()
