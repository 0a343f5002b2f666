#!/usr/bin/env -S python3 -B
"""pages: warder-rpc(7) and the method table say the same: every method and parameter, and no other method."""
import os
import re

from front_lib import SOURCE, Front, Tap

tap = Tap()
with open(os.path.join(SOURCE, "man/warder-rpc.7.scd")) as file:
    page = file.read()
front = Front()
document = front.client().call("rpc.discover")["result"]
information = front.client().call("warder.info")["result"]
methods = document["methods"]
front.stop()
named = set(re.findall(r"\*((?:warder|rpc|jail|snapshot|policy|pool|verify|task|patch)\.[a-z]+)\*", page))
events = {"jail.waiting", "snapshot.progress", "verify.event", "task.event", "jail.sample", "jail.event"}


# ---- the rules of OpenRPC 1.2.6
def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        for item in node.values():
            yield from references(item)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def at(pointer):
    node = document
    for part in pointer.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


METHOD = {"name", "summary", "paramStructure", "params", "result", "errors"}
tap.ok(document["openrpc"] == "1.2.6" and document["info"]["title"] and document["info"]["version"], "the document says what it is")
tap.same([m["name"] for m in methods if not METHOD <= set(m) or [k for k in set(m) - METHOD if not k.startswith("x-")]], [],
         "each method has what OpenRPC wants, and nothing that it does not know")
tap.same(sorted({m["name"] for m in methods}), sorted(m["name"] for m in methods), "no name stands twice")
tap.same([m["name"] for m in methods if m["paramStructure"] != "by-name" or
          [p for p in m["params"] if set(p) != {"name", "required", "schema"}]], [], "parameters go by name, each with a schema")
tap.same([m["name"] for m in methods if len({p["name"] for p in m["params"]}) != len(m["params"])], [], "none of them twice")
found = list(references(document))
tap.same([pointer for pointer in found if at(pointer) is None], [], "every reference leads somewhere")
codes = set(re.findall(r"\*(\w+)\*", page.split("# ERRORS")[1].split("# METHODS")[0])) - {"field", "used", "asked", "bound", "source"}
tap.ok(found and sorted(codes) == sorted(document["components"]["errors"]), "the errors are those of the page",
       codes ^ set(document["components"]["errors"]))
tap.same([word for word in information["limits"] if f"*{word}*" not in page], [], "the limits that warder.info tells are in the page")
tap.same([word for word in information if word != "waiting" and f"*{word}*" not in page], [], "so is all else that it tells")
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
