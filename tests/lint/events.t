#!/usr/bin/env -S python3 -B
"""events: the table of events (supervisor/front/tasks/event-table.c), the page warder-events(7) and what the code says
are the same.

An event is said by the front where "<name>" is the event of an EventHead, by the agent where engine_event() or
session_event() get it. A member of the table stands in the page in bold, below its event.
"""
import os
import re
import sys

from tree import files, lint_main, product, read

TABLE = "supervisor/front/tasks/event-table.c"
PAGE = "man/warder-events.7.scd"
METHODS = "supervisor/front/tasks/agent-methods.c"
ROW = re.compile(r'\{\s*"([a-z]+(?:\.[a-z]+)?)",\s*(true|false),\s*(true|false),\s*MEMBERS\(([^)]*)\)', re.S)
SAID = [re.compile(r'\.event = "([a-z.]+)"'), re.compile(r'event_head\(\w+, "([a-z.]+)"'),
        re.compile(r'engine_event\([^;"]*?"([a-z.]+)"'), re.compile(r'session_event\([^;"]*?"([a-z.]+)"')]
JAIL_TABLE = "supervisor/front/jails/jail-event.c"
JAIL_ROW = re.compile(r'=\s*\{\s*"([a-z]+\.?[a-z]+)",\s*MEMBERS\(([^)]*)\)', re.S)
JAIL_SECTION = re.compile(r"^(\*[a-z.]+\*(?:, \*[a-z.]+\*)*)\n((?:\t.*\n|\n)*)", re.M)
SECTION = re.compile(r"^\*([a-z]+(?:\.[a-z]+)?)\*( \(agent\))?\n((?:\t.*\n|\n)*)", re.M)


def table(root):
    return {name: (agent == "true", set(re.findall(r'"(\w+)"', members)))
            for name, agent, _, members in ROW.findall(read(root, TABLE))}


def page(root):
    text = read(root, PAGE).replace("\\_", "_")
    text = text.split("# EVENTS", 1)[-1].split("\n# ", 1)[0]
    return {name: (bool(agent), set(re.findall(r"\*(\w+)\*", body))) for name, agent, body in SECTION.findall(text)}


def jails(root):
    """Events of jails: their rows in JAIL_TABLE, and their section of the page, which has a name and each member in bold."""
    if not os.path.exists(os.path.join(root, JAIL_TABLE)):
        return [f"{JAIL_TABLE}: it is not there any more"]
    rows = JAIL_ROW.findall(read(root, JAIL_TABLE))
    text = (read(root, PAGE) if files(root, "warder-events.7.scd") else "").replace("\\_", "_")
    text = text.split("# EVENTS OF JAILS", 1)[-1].split("\n# ", 1)[0] if "# EVENTS OF JAILS" in text else ""
    parts = {name: body for names, body in JAIL_SECTION.findall(text) for name in re.findall(r"\*([a-z.]+)\*", names)}
    found = [] if rows else [f"{JAIL_TABLE}: no row was found"]
    found += [f"{name}: in the table, not in the page" for name, _ in rows if name not in parts]
    found += [f"{name}: in the page, not in the table" for name in parts if name not in {name for name, _ in rows}]
    for name, members in rows:
        found += [f"{name}: {member} is not in the page" for member in re.findall(r'"(\w+)"', members)
                  if f"*{member}*" not in parts.get(name, "")]
    return found


def agents(root):
    """What the agent's socket takes: the enum in the schema of its method."""
    if not os.path.exists(os.path.join(root, METHODS)):
        return None
    text = re.sub(r'"\s*\n\s*"', "", read(root, METHODS))
    match = re.search(r'\\"event\\":\{\\"enum\\":\[([^\]]*)\]', text)
    return set(re.findall(r'\\"([a-z.]+)\\"', match.group(1))) if match else set()


def said(root):
    names = {}
    for path in product(root, ".c"):
        if path.startswith(("supervisor/front/", "agent/")):
            text = read(root, path)
            for form in SAID:
                for name in form.findall(text):
                    names.setdefault(name, path)
    return names


def faults(root, build):
    if not os.path.exists(os.path.join(root, TABLE)):
        return 0, []
    rows, told, used = table(root), page(root) if files(root, "warder-events.7.scd") else {}, said(root)
    found = [f"{name}: in the table, not in the page" for name in rows if name not in told]
    found += [f"{name}: in the page, not in the table" for name in told if name not in rows]
    found += [f"{name}: said in {path}, not in the table" for name, path in used.items() if name not in rows]
    taken = agents(root)
    if taken is None:
        found.append(f"{METHODS}: it is not there any more")
    elif taken != {name for name in rows if rows[name][0]}:
        found.append(f"the agent's socket takes {sorted(taken)}, by the table an agent may say others")
    for name in rows:
        if name not in told:
            continue
        if rows[name][0] != told[name][0]:
            found.append(f"{name}: the page is wrong about who says it")
        found += [f"{name}: {member} is not in the page" for member in sorted(rows[name][1] - told[name][1])]
        found += [f"{name}: {member} is only in the page" for member in sorted(told[name][1] - rows[name][1])]
    return len(rows), found + jails(root)


ROWS = 'static const EventRow rows[] = {\n{ "a.b", true, false, MEMBERS("path", "n") },\n};\n'
TOLD = "# EVENTS\n\n*a.b* (agent)\n\t*path*, *n*.\n\n# WATCHING\n"
TAKEN = '"\\"event\\":{\\"enum\\":[\\"a.b\\"]}"\n'
PLANTS = [
    ("an event that no page has", {TABLE: ROWS, PAGE: "# EVENTS\n"}, "not in the page"),
    ("one that only the page has", {TABLE: ROWS, PAGE: TOLD.replace("# W", "*c.d*\n\t*n*.\n\n# W")}, "not in the table"),
    ("a member that no page has", {TABLE: ROWS, PAGE: TOLD.replace(", *n*", "")}, "n is not in the page"),
    ("one that only the page has", {TABLE: ROWS, PAGE: TOLD.replace("*n*", "*n*, *m*")}, "m is only in the page"),
    ("who says it", {TABLE: ROWS, PAGE: TOLD.replace(" (agent)", "")}, "wrong about who says it"),
    ("an event of the front that no table has",
     {TABLE: ROWS, PAGE: TOLD, "supervisor/front/a.c": 'EventHead head = { .event = "x.y" };\n'}, "not in the table"),
    ("one that the agent's socket takes",
     {TABLE: ROWS, PAGE: TOLD, METHODS: TAKEN.replace("a.b", "c.d")}, "the agent's socket takes"),
    ("one of the agent",
     {TABLE: ROWS, PAGE: TOLD, "agent/a.c": 'r = engine_event(engine, "x.z", data);\n'}, "not in the table"),
]
JAIL_ROWS = 'rows[] = {\n[A] = { "a.b", MEMBERS("n"), add },\n};\n'
JAIL_TOLD = TOLD + "\n# EVENTS OF JAILS\n\n*a.b*\n\t*n*.\n\n# TRACES\n"
PLANTS += [
    ("a table of jails' events that went elsewhere", {TABLE: ROWS, PAGE: TOLD}, "not there any more"),
    ("a jail's event that no page has", {TABLE: ROWS, PAGE: TOLD, JAIL_TABLE: JAIL_ROWS}, "a.b: in the table"),
    ("a jail's event that only the page has",
     {TABLE: ROWS, PAGE: JAIL_TOLD.replace("*a.b*\n\t*n*.\n\n# T", "*a.b*\n\t*n*.\n\n*c.d*\n\tx\n\n# T"), JAIL_TABLE: JAIL_ROWS},
     "c.d: in the page"),
    ("a member of it that no page has", {TABLE: ROWS, PAGE: JAIL_TOLD, JAIL_TABLE: JAIL_ROWS.replace('"n"', '"n", "m"')},
     "m is not in the page"),
]
PLANTS += [("methods of the agent that went elsewhere", {JAIL_TABLE: JAIL_ROWS, TABLE: ROWS, PAGE: JAIL_TOLD}, f"{METHODS}: it is not there any more")]
CLEAN = {METHODS: TAKEN, JAIL_TABLE: JAIL_ROWS, TABLE: ROWS, PAGE: JAIL_TOLD, "agent/a.c": 'r = engine_event(engine, "a.b", data);\n'}

if __name__ == "__main__":
    sys.exit(lint_main("events are those of the table and the page", faults, PLANTS, CLEAN))
