"""What a task came to: everything that must be the same with kills as without."""
import json
import os
import re
import shutil
import sqlite3
import stat

CLOCKS = {"budget", "used", "left", "n", "model", "wall_usec", "until", "question", "conflicts", "decided", "asked", "by_uid"}
COUNTED = ("verifies", "commands", "calls", "tokens", "money")
ROUND_COMMANDS = 2  # of a conflict: what both did is laid into a fork, and mended there


def plain(value):
    """Without what a clock says, names that are drawn by lot, and in which order forks were merged"""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in CLOCKS}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return re.sub(r" after [0-9][^\n]*|This was verify .*", "", value) if isinstance(value, str) else value


def tree(top):
    """Names, types, modes and contents below @top"""
    found = {}
    for where, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(where, name)
            about = os.lstat(path)
            mode = about.st_mode if not stat.S_ISLNK(about.st_mode) else stat.S_IFLNK
            what = ""
            if stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    what = file.read().decode("latin-1")
            elif stat.S_ISLNK(mode):
                what = os.readlink(path)
            elif stat.S_ISCHR(mode):
                what = about.st_rdev
            found[os.path.relpath(path, top)] = (oct(mode), what)
    return found


def layer_dir(state, digest):
    for where in ("store/layers", "layers", "store"):
        path = os.path.join(state, where, digest.hex())
        if os.path.isdir(path):
            return path
    return None


def is_stable(path):
    """Notes tell how a run was interrupted; "~" beside a fork's item counts its lives"""
    return "/=" not in path


def history(rows, forks):
    """Every commit of a step that was ever made, but for those within forks, which are made anew"""
    inner = [f"{name}[" for name in forks] + [f"{name}/" for name in forks]
    return [(path, json.dumps(plain(json.loads(output)), sort_keys=True)) for path, output, begun in rows
            if not begun and is_stable(path) and not any(part in path and "~" in path for part in inner)]


def conflicts_of(rows):
    """How often what forks did was in conflict. It is not where a kill comes between two merges: then the later begins with both"""
    outputs = [json.loads(output) for _, output, begun in rows if not begun]
    return sum(out["conflicts"] for out in outputs if isinstance(out, dict) and isinstance(out.get("conflicts"), int))


def forks_of(steps):
    """Ids of all splits and races"""
    found = []
    if isinstance(steps, dict):
        found += [steps["id"]] if "split" in steps or "race" in steps else []
        steps = list(steps.values())
    for part in steps if isinstance(steps, list) else []:
        found += forks_of(part)
    return found


def value_of(db, task, kind):
    row = db.execute("SELECT value FROM task_values WHERE task = ? AND kind = ? ORDER BY seq DESC LIMIT 1", (task, kind)).fetchone()
    return plain(json.loads(row[0])) if row else None


def ledger(world):
    """A copy of it: the front keeps its own locked. Nothing is written meanwhile, since all tasks have ended"""
    for name in ("ledger.db", "ledger.db-wal"):
        source = os.path.join(world.state, "front", name)
        if os.path.exists(source):
            shutil.copyfile(source, os.path.join(world.dir, name))
    return sqlite3.connect(os.path.join(world.dir, "ledger.db"))


def outcome(world, run):
    """Of a task that has ended just now: its workspaces are kept a while"""
    db = ledger(world)
    rows = db.execute("SELECT path, output, begun FROM task_steps WHERE task = ? ORDER BY seq", (run.id,)).fetchall()
    now = db.execute("SELECT path, output FROM task_steps WHERE task = ? AND superseded = 0 AND begun = 0", (run.id,)).fetchall()
    layer = db.execute("SELECT work, layer FROM task_steps WHERE task = ? AND begun = 0 ORDER BY seq DESC LIMIT 1", (run.id,)).fetchone()
    asked = db.execute("SELECT path, what, decision FROM questions WHERE task = ?", (run.id,)).fetchall()
    state, memory = value_of(db, run.id, 0), value_of(db, run.id, 1)
    db.close()
    made = history(rows, forks_of(run.flow.json))
    shown = world.call("task.show", {"task": run.id})["result"]
    place = layer_dir(world.state, layer[1]) if layer and layer[1] else None
    return {
        "state": run.state, "cause": run.cause,
        "summary": plain(shown.get("summary")),
        "commits that count": sorted((p, json.dumps(plain(json.loads(o)), sort_keys=True)) for p, o in now if is_stable(p)),
        "commits ever": sorted(set(made)), "twice": sorted({p for p, _ in made if sum(q == p for q, _ in made) > 1}),
        "workflow's state": state, "memory": memory,
        "workspace": tree(place) if place else f"none: work {layer[0] if layer else None}",
        "questions": sorted((p, d) for p, w, d in asked if "had begun when" not in w),
    }, {"used": {k: shown["used"][k][0] for k in COUNTED if k in shown.get("used", {})}, "effects": world.model.count(run.flow.tag),
        "conflicts": conflicts_of(rows)}


def difference(want, got):
    """What is only in one of them"""
    if isinstance(want, dict) and isinstance(got, dict):
        want, got = sorted(want.items()), sorted(got.items())
    if isinstance(want, list) and isinstance(got, list):
        want, got = [x for x in want if x not in got], [x for x in got if x not in want]
    return f"without kills {want!r:.2000}\n      with kills    {got!r:.2000}"


def differences(want, got):
    return [f"{name}:\n      {difference(want[name], got[name])}"
            for name in want if want[name] != got[name]]


def counted(want, got, repeats, killed):
    """What is used up only grows; an effect is repeated only where a person said so"""
    found = []
    for name, n in want["used"].items():
        if name == "commands" and killed:
            n -= ROUND_COMMANDS * want["conflicts"]
        if got["used"].get(name, 0) < n or (not killed and got["used"][name] != n):
            found.append(f"{name}: without kills {n}, with kills {got['used'].get(name)}")
    for name in {*want["effects"], *got["effects"]}:
        least, made, more = want["effects"].get(name, 0), got["effects"].get(name, 0), repeats.get(name.split("-")[1], 0)
        if not least <= made <= least + more:
            found.append(f"effect {name}: {least} without kills, {made} with kills, and people had {more} repeated")
    return found
