#!/usr/bin/env -S python3 -B
"""pages: warder-rpc(7), rpc.discover and the method table say the same, each method whole; OpenRPC's rules hold."""
import json
import os
import re

from front_lib import BUILD, DESCRIBED, Front, Tap

tap = Tap()
with open(os.path.join(BUILD, "man/warder-rpc.7.scd")) as file:
    page = re.sub(r"\\(.)", r"\1", file.read())
with open(os.path.join(BUILD, "supervisor/front/protocol.json")) as file:
    built = json.load(file)
front = Front()
document = front.client().call("rpc.discover")["result"]
information = front.client().call("warder.info")["result"]
methods = document["methods"]
front.stop()
tap.ok(len(json.dumps(document)) < 256 << 10, "rpc.discover fits on a line, as results do")
tap.same(document, built, "rpc.discover says what the build wrote down, which all tests hold answers against")


# ---- the rules of OpenRPC 1.2.6
def nodes(node):
    yield node
    for item in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else []):
        yield from nodes(item)


def at(pointer):
    node = document
    for part in pointer.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


NEEDS = {"name", "summary", "paramStructure", "params", "result", "errors"}
KNOWS = NEEDS | {"description", "tags", "examples"}
tap.ok(document["openrpc"] == "1.2.6" and document["info"]["title"] and document["info"]["version"], "the document says what it is")
tap.same([m["name"] for m in methods if not NEEDS <= set(m) or [k for k in set(m) - KNOWS if not k.startswith("x-")]], [],
         "each method has what OpenRPC wants, and nothing that it does not know")
tap.same(sorted({m["name"] for m in methods}), sorted(m["name"] for m in methods), "no name stands twice")
tap.same([m["name"] for m in methods if m["paramStructure"] != "by-name" or
          [p for p in m["params"] if set(p) != {"name", "description", "required", "schema"}]], [], "parameters go by name, each with a schema")
tap.same([m["name"] for m in methods if len({p["name"] for p in m["params"]}) != len(m["params"])], [], "none of them twice")
tap.same([m["name"] for m in methods if [p["required"] for p in m["params"]] != sorted([p["required"] for p in m["params"]], reverse=True)],
         [], "those that must be there come first")
tap.same([m["name"] for m in methods if len({e["code"] for e in m["errors"]}) != len(m["errors"])], [], "a code of an error stands once")
words = document["components"]["errors"]
tap.same([m["name"] for m in methods if not m["errors"] or not set(m["errors"][0]["data"]["code"]) <= set(words)], [],
         "errors are words of the document")
found = [node["$ref"] for node in nodes(document) if isinstance(node, dict) and isinstance(node.get("$ref"), str)]
tap.same([pointer for pointer in found if at(pointer) is None], [], "every reference leads somewhere")
tap.ok(len(methods) > 10 and found, "the table has rows")
told = {n["name"] for n in document["x-notifications"]}
tap.same([m["name"] for m in methods if not set(m.get("x-notifications", [])) <= told], [], "notifications are described")

# ---- nothing undescribed
specs = document["components"]["schemas"].pop("VerifySpec")
objects = [node for node in nodes(document) if isinstance(node, dict) and node.get("type") == "object" and "properties" in node]
tap.ok(specs and len(objects) > 30, "there are schemas to look at")
tap.same([node for node in objects if node["properties"].keys() ^ {"phase"} and node.get("additionalProperties") is not False], [],
         "an object has no members but those that are described")
tap.same([name for node in objects for name, member in node["properties"].items() if not member.get("description")], [],
         "each member says what it is")
tap.same([m["name"] for m in methods if not (m["summary"].endswith(".") and m["x-who"] and m["x-charge"] and m["examples"])], [],
         "each method has a sentence, who may call it, what it is charged to, an example")

# ---- what all tests hold answers with sees what is not so
STILL = {"frozen": True, "still": False}
for message, said in (
        ({"method": "jail.thaw", "result": STILL}, ""),
        ({"method": "jail.thaw", "result": {**STILL, "more": 1}}, 'unknown field "more"'),
        ({"method": "jail.thaw", "result": {"frozen": True}}, '"still" is missing'),
        ({"method": "jail.thaw", "result": {**STILL, "still": 0}}, "/still: number where boolean"),
        ({"method": "jail.list", "result": {"jails": [{"jail": "j-7f3kq2m4ab"}]}}, "/jails/0: "),
        ({"method": "jail.zap", "result": {}}, "is not described"),
        ({"method": "jail.thaw", "error": {"code": -32000, "message": "m", "data": {"code": "not_found"}}}, ""),
        ({"method": "jail.thaw", "error": {"code": -32000, "message": "m", "data": {"code": "invalid"}}}, ""),
        ({"method": "jail.thaw", "error": {"code": -32000, "message": "m", "data": {"code": "quota"}}}, 'refused with "quota"'),
        ({"method": "jail.waiting", "params": {"position": 1, "which": "jails", "text": "t"}}, ""),
        ({"method": "jail.waiting", "params": {"position": 1, "which": "jail", "text": "t"}}, '/which: "jail" is none of'),
        ({"method": "jail.zapped", "params": {}}, "is not described")):
    got = DESCRIBED.ask(message)
    tap.ok(said in got if said else got == "", f"held: {json.dumps(message)[:100]}", got)


# ---- the page
def sections(text):
    """Of each method what stands below its name."""
    text = text.split("# METHODS")[1].split("# NOTIFICATIONS")[0]
    parts = re.split(r"^\*([a-z]+\.[a-z]+)\*$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def is_json(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False


below = sections(page)
shown = re.findall(r'^\t*(\{"jsonrpc".*)$', page, re.M)
tap.ok(len(shown) > len(methods) and any("\\" in line for line in shown), "examples are in the page, one with a text within a text", len(shown))
tap.same([line for line in shown if not is_json(line)], [], "each is JSON when a reader sees it")
tap.same(sorted(below), sorted(m["name"] for m in methods), "the page has the methods of the table")
tap.same(re.findall(r"^.*@[A-Z]+@.*$", page, re.M), [], "no mark is left in the page")
codes = set(re.findall(r"\*(\w+)\*", page.split("# ERRORS")[1].split("# METHODS")[0])) - {"field", "used", "asked", "bound", "source"}
tap.ok(sorted(codes) == sorted(words), "the errors are those of the page", codes ^ set(words))
for method in methods:
    text = below.get(method["name"], "")
    wanted = [p["name"] for p in method["params"]] + list(method["result"]["schema"].get("properties", {})) + \
        method["errors"][0]["data"]["code"][2:] + method.get("x-notifications", [])
    tap.same([w for w in wanted if f"*{w}*" not in text], [], f"{method['name']}: parameters, result, errors, notifications are in the page")
    tap.ok(method["summary"].replace("`", "*") in text and method["x-who"].replace("`", "*") in text and
           f'"method":"{method["name"]}"' in text, f"{method['name']}: so are its sentence, who may call it, an example")
for name in (n for n, shape in document["components"]["schemas"].items() if "title" not in shape):
    tap.ok(f"\n*{name}*\n" in page, f"shape {name} is in the page")
tap.same(sorted(told - set(re.findall(r"^\*([a-z]+\.[a-z]+)\*$", page.split("# NOTIFICATIONS")[1], re.M))), [], "so are notifications")
tap.same(sorted(set(information) - set(re.findall(r"\*(\w+)\*", below["warder.info"]))), [], "all that warder.info tells is there")
tap.end()
