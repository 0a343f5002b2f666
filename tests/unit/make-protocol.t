#!/usr/bin/env -S python3 -B
"""make-protocol: a method that is not described whole, or whose example is wrong, ends the build with a sentence."""
import copy
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../rpc"))
from front_lib import BUILD, Tap  # noqa: E402

tap = Tap()
GOOD = {
    "methods": {"a.do": {
        "group": "All", "summary": "Do `it`.", "text": ["More of it."], "who": "everybody", "charge": "none",
        "fds": 1, "takes": "a file", "notifies": ["a.note"], "errors": ["busy"],
        "params": {"n": "number 1..9: how *often*", "of?": {"": "what", "deep?": "[Size] 1..2: sizes"}, "words?": "=in,out|null: which way"},
        "result": {"all": ["what was done", {"id": "text: a name", "left?": "Size|null: bytes that are left"}]},
        "example": {"params": {"n": 3}, "result": {"all": [{"id": "x"}]}}}},
    "notifications": {"a.note": {"summary": "It goes on.", "params": {"more": "flag: is there more"}}},
    "shapes": {"Size": {"raw": {"title": "bytes", "type": "integer"}}}}
TEMPLATE = "x(7)\n\n# METHODS\n\n@METHODS@\n\n# NOTIFICATIONS\n\n@NOTIFICATIONS@\n\n# SHAPES\n\n@SHAPES@\n"


def run(source, what="document", template=TEMPLATE):
    with tempfile.TemporaryDirectory() as place:
        with open(os.path.join(place, "in"), "w") as file:
            file.write(template)
        with open(os.path.join(place, "a.json"), "w") as file:
            json.dump(source, file)
        words = [what, os.path.join(place, "in")] if what == "page" else [what]
        done = subprocess.run([os.path.join(BUILD, "build-aux/make-protocol"), *words, os.path.join(place, "a.json")],
                              capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def planted(path, value, remove=False):
    source = copy.deepcopy(GOOD)
    node = source
    for part in path[:-1]:
        node = node[part]
    if remove:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return source


code, out, err = run(GOOD)
tap.same((code, err), (0, ""), "what is described whole is taken")
method = json.loads(out)["methods"][0]
schemas = {p["name"]: p["schema"] for p in method["params"]}
tap.same([p["name"] for p in method["params"] if p["required"]], ["n"], "a name without a question mark must be there")
tap.same(schemas["n"], {"type": "integer", "minimum": 1, "maximum": 9, "description": "how *often*"}, "a number with bounds")
tap.same(schemas["of"]["additionalProperties"], False, "no other members")
tap.same(schemas["of"]["properties"]["deep"], {"type": "array", "items": {"$ref": "#/components/schemas/Size"}, "minItems": 1,
                                               "maxItems": 2, "description": "sizes"}, "a list of a shape")
tap.same(schemas["words"]["anyOf"], [{"enum": ["in", "out"]}, {"type": "null"}], "one of several")
tap.same(method["errors"][0]["data"]["code"], ["invalid", "internal", "busy"], "errors of its own come behind those of all")

code, out, err = run(GOOD, "page")
tap.same((code, err), (0, ""), "a page is made")
tap.ok("*a.do*\n\tDo *it*." in out and "how \\*often\\*" in out, "words are bold, and all else is as it was written", out)
tap.ok("@" not in out, "nothing of its marks is left", out)
code, out, err = run(GOOD, "header")
tap.ok(code == 0 and '{ "a.do", 1,' in out and "how" not in out.split("protocol_document")[0], "requests are checked by schemas without prose", out)

METHOD = ["methods", "a.do"]
for what, source, words in (
        ("a parameter that says nothing", planted(METHOD + ["params", "n"], "number"), "a.do, n: says nothing"),
        ("a member of a result that says nothing", planted(METHOD + ["result", "all", 1, "id"], "text"), "a.do, id: says nothing"),
        ("an object that says nothing", planted(METHOD + ["params", "of?", ""], None, True), "a.do, of?: says nothing"),
        ("a list that says nothing", planted(METHOD + ["result", "all"], [{"id": "text: x"}]), "a.do, all: a list is"),
        ("JSON Schema that says nothing", planted(METHOD + ["params", "n"], {"raw": {"type": "integer"}}), "a.do, n: says nothing"),
        ("a word that is no type", planted(METHOD + ["params", "n"], "nummer: how often"), '"nummer" is no type'),
        ("a range that is none", planted(METHOD + ["params", "n"], "number 5: how often"), '"5" is no range'),
        ("a list without an end", planted(METHOD + ["params", "n"], "[number: how often"), "has no end"),
        ("a shape that is not there", planted(METHOD + ["params", "n"], "Sise: how often"), "there is no shape Sise"),
        ("a shape that nobody has", planted(["shapes", "Other"], "text: what"), "shape Other: no method has it"),
        ("a shape that says nothing", planted(["shapes", "Size"], {"raw": {"type": "integer"}}), "shape Size: says nothing"),
        ("no sentence", planted(METHOD + ["summary"], None, True), 'a.do: has no "summary"'),
        ("nobody who may call it", planted(METHOD + ["who"], None, True), 'a.do: has no "who"'),
        ("nothing that it is charged to", planted(METHOD + ["charge"], "money"), '"money" is nothing that is charged'),
        ("an error that is none", planted(METHOD + ["errors"], ["bussy"]), '"bussy" is no word of data.code'),
        ("a notification that is none", planted(METHOD + ["notifies"], ["a.not"]), "there is no notification a.not"),
        ("a notification that says nothing", planted(["notifications", "a.note", "summary"], None, True), 'a.note: has no "summary"'),
        ("descriptors without a word", planted(METHOD + ["takes"], None, True), '"fds" and "takes" go together'),
        ("no example", planted(METHOD + ["example"], None, True), "a.do: has no example"),
        ("an example of a call that would be refused", planted(METHOD + ["example", "params", "n"], 10), "its example, params/n:"),
        ("an example of an answer that never comes", planted(METHOD + ["example", "result", "more"], 1), "its example, result")):
    code, out, err = run(source)
    tap.ok(code == 1 and words in err and not out, what, code, err)
for mark in ("@METHODS@", "@SHAPES@"):
    code, out, err = run(GOOD, "page", TEMPLATE.replace(mark, ""))
    tap.ok(code == 1 and f"0 lines {mark}" in err, f"a page without {mark}", err)
code, out, err = run(GOOD, "page", TEMPLATE + "@SHAPES@\n")
tap.ok(code == 1 and "2 lines @SHAPES@" in err, "a page with a mark twice", err)
tap.end()
