#!/usr/bin/env -S python3 -B
"""cli-stats: warder freeze, thaw, stats, top and events, as a person and as a program sees them."""
import json
import os
import re
import select
import signal
import socket
import subprocess

import terminal_lib
from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("cli-stats")
client = supervisor.client()
environment = {**supervisor.environment, "LC_ALL": "C.UTF-8"}
BLOCKS = "▁|▂|▃|▄|▅|▆|▇|█"


def left(*words):
    """The exit code of a command whose reader goes after the first line; None: it does not end."""
    stream = subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, text=True, env=environment)
    stream.stdout.readline()
    stream.stdout.close()
    try:
        return stream.wait(MOST)
    except subprocess.TimeoutExpired:
        stream.kill()
        return stream.wait()


def full(*words):
    """Exit code and words of a command that can write nothing to stdout."""
    with open("/dev/full", "w") as out:
        run = subprocess.run([COMMAND, *words], stdout=out, stderr=subprocess.PIPE, text=True, timeout=MOST, env=environment)
    return run.returncode, "stdout" in run.stderr


def warder(*words):
    run = supervisor.warder(*words, env=environment)
    return run.returncode, run.stdout, run.stderr


def Terminal(*words, size=(30, 100), **env):
    return terminal_lib.Terminal(tap, COMMAND, {**environment, **env}, *words, size=size)


def pattern(text):
    return re.compile(text.encode(), re.S)


jail = client.call("jail.create", {"keep": True})["result"]["jail"]
runner = supervisor.client()
runner.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "while :; do :; done"]})
runner.line()
tap.ok(eventually(lambda: client.call("jail.stats", {"jail": jail})["result"]["stats"][0]["commands"]["started"] == 1, MOST),
       "a command runs")

# ---- freeze and thaw
tap.same(warder("freeze", jail), (0, "", ""), "freeze says nothing where all is well")
code, out, _ = warder("ls")
tap.ok(code == 0 and re.search(jail + r"\s+frozen", out), "ls shows it", out)
code, out, err = warder("exec", jail, "--", "true")
tap.ok(code == 125 and f"warder thaw {jail}" in err, "exec says what to do", code, err)
tap.same(warder("thaw", jail, jail), (0, "", ""), "thaw, of several")
code, out, err = warder("freeze", "j-aaaaaaaaaa", jail)
tap.ok(code == 1 and "j-aaaaaaaaaa" in err and client.call("jail.show", {"jail": jail})["result"]["frozen"],
       "one that is none keeps nothing from the others", err)
code, out, _ = warder("thaw", "--json", jail)
tap.same((code, json.loads(out)), (0, {"frozen": False, "still": False}), "as JSON")
tap.same((warder("freeze")[0], warder("thaw")[0]), (2, 2), "no jail is wrong usage")

# ---- stats
code, out, _ = warder("stats", "--once", "--interval", "200ms")
tap.ok(code == 0 and re.search(r"JAIL +STATE +CPU", out) and re.search(jail + r" +ready +[\d.]+% +\S+ \S+/", out), "a table", out)
code, out, _ = warder("stats", "--once", "-i", "200ms", jail)
tap.ok(code == 0 and "PROCESSES" in out and "LIMITS HIT    none" in out, "all of one jail", out)
code, out, _ = warder("stats", "--once", "--json")
record = json.loads(out)
tap.ok(code == 0 and record["jail"] == jail and record["memory"]["limit"] > 0 and record["time"].endswith("Z"), "as JSON", out)
tap.same(warder("stats", "--interval", "1ms")[0], 2, "too often is wrong usage")
tap.same(warder("stats", "j-aaaaaaaaaa")[0], 1, "a jail that is none")
code, out, err = warder("stats", "--once", jail, "j-aaaaaaaaaa")
tap.ok(code == 1 and not out and "j-aaaaaaaaaa" in err, "nor among several", code, out, err)
others = [client.call("jail.create", {"keep": True})["result"]["jail"] for _ in range(2)]
code, out, _ = warder("stats", "--once", "--json", jail, others[0])
tap.same((code, sorted(json.loads(line)["jail"] for line in out.splitlines())), (0, sorted([jail, others[0]])), "several, as JSON")
code, out, _ = warder("stats", "--once", "--interval", "100ms", jail, others[0])
tap.ok(code == 0 and jail in out and others[0] in out and others[1] not in out, "and as a table", out)
stream = subprocess.Popen([COMMAND, "stats", "--interval", "100ms", *others], stdout=subprocess.PIPE, text=True, env=environment)
tap.ok(others[1] in "".join(stream.stdout.readline() for _ in range(3)), "two of them, again and again")
client.call("jail.destroy", {"jail": others[1]})
client.call("jail.destroy", {"jail": others[0]})
tap.ok(jail not in stream.stdout.read() and stream.wait(MOST) == 0, "to the end of both")
stream = subprocess.Popen([COMMAND, "stats", "--json", "--interval", "100ms"], stdout=subprocess.PIPE, text=True, env=environment)
lines = [json.loads(stream.stdout.readline()) for _ in range(3)]
stream.send_signal(signal.SIGINT)
tap.ok([line["jail"] for line in lines] == [jail] * 3 and lines[0]["cpu"]["usage_usec"] < lines[2]["cpu"]["usage_usec"] and
       stream.wait(MOST) == 0, "line by line, until it is told to end", lines[0])

shown = Terminal("stats", "--interval", "100ms")
shown.shows(pattern(r"\x1b\[\?1049h.*" + jail), "on a terminal it is drawn in place")
shown.shows(pattern(BLOCKS), "with a plot that moves")
shown.type("q")
tap.same(shown.ends(), 0, "q ends it")
tap.ok(jail.encode() in shown.text.partition(b"\x1b[?1049l")[2], "and the last table stays", shown.text[-200:])
shown.close()
shown = Terminal("stats", "--interval", "100ms", LC_ALL="C")
shown.shows(jail.encode(), "where the locale has ASCII alone")
shown.shows(pattern(r"[.:=+*#@]{3}\x1b"), "it is drawn in ASCII")
shown.type("\x03")
tap.same(shown.ends(), 0, "Ctrl-C ends it")
tap.ok(not pattern(BLOCKS).search(shown.text), "without any block", shown.text[-200:])
shown.close()
shown = Terminal("stats", "--interval", "100ms", jail)
shown.shows(b"PROCESSES", "all of one jail")
shown.shows(pattern("CPU[^%]*[0-9.]+%"), "again and again")
shown.type("q")
shown.close()

# ---- top
shown = Terminal("top", "--interval", "100ms", size=(30, 120))
shown.shows(b"1 jail, 0 tasks, by cpu", "top says how it is sorted")
shown.type("m")
shown.shows(b"by memory", "a key sorts by something else")
shown.size(20, 60)
shown.shows(b"\x1b[H\x1b[J", "another size draws all anew")
shown.type("q")
tap.same(shown.ends(), 0, "q ends it")
shown.close()
shown = Terminal("top", "--interval", "100ms")
shown.shows(b"by cpu", "top again")
shown.type("\x1c")
tap.same(shown.ends(), 0, "Ctrl-\\ ends it, too")
tap.ok(b"\x1b[?1049l" in shown.text, "and the terminal is as it was", shown.text[-200:])
shown.close()
code, _, err = warder("top")
tap.ok(code == 1 and "stats" in err, "where there is no terminal it says what to use", err)

# ---- events
code, out, _ = warder("events", "--once")
tap.ok(code == 0 and re.search(jail + "  created: snapshot host, policy default, stays\n", out) and
       re.search(jail + "  c-[a-z2-7]{10} started\n", out) and jail + "  frozen\n" in out, "what has happened", out)
code, out, _ = warder("events", "--once", "--json", jail)
events = [json.loads(line) for line in out.splitlines()]
tap.ok(code == 0 and [e["event"] for e in events[:3]] == ["jail.created", "jail.ready", "command.start"], "as JSON", out)
tap.same((warder("events", jail, jail)[0], warder("events", "--once", "j-aaaaaaaaaa")[0]), (2, 1), "two jails, and one that is not there")
for words in (["events"], ["events", "--json"], ["stats", "--json", "--interval", "100ms"], ["stats", "--interval", "100ms"]):
    tap.same(left(*words), 0, f"{' '.join(words)} ends with its reader")
    tap.same(full(*words), (1, True), f"{' '.join(words)} ends where nothing can be written")
scripted = socket.socket(socket.AF_UNIX)
scripted.bind(os.path.join(supervisor.dir, "scripted"))
scripted.listen()
scripted.settimeout(MOST)
stream = subprocess.Popen([COMMAND, "--socket", scripted.getsockname(), "events", "--new"], env=environment)
asked = []
for _ in range(2):
    peer = scripted.accept()[0]
    request = json.loads(peer.makefile().readline())
    asked.append(request["params"].get("from"))
    peer.sendall(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"seq": 41, "first": 7, "missed": False}}).encode() + b"\n")
    peer.close()
tap.same(asked, [None, 42], "--new goes on behind what was there at first when a supervisor comes back")
stream.send_signal(signal.SIGTERM)
tap.same(stream.wait(MOST), 0, "and ends when it is told to")
scripted.close()
stream = subprocess.Popen([COMMAND, "events", "--new", jail], stdout=subprocess.PIPE, text=True, env=environment)
tap.ok(eventually(lambda: client.call("jail.freeze", {"jail": jail}) and client.call("jail.thaw", {"jail": jail}) and
                  select.select([stream.stdout], [], [], 0)[0], MOST), "what happens is told at once")
client.call("jail.destroy", {"jail": jail})
told = stream.stdout.read()
tap.ok(re.match(r"\S+  " + jail + "  (frozen|thawed)\n", told), "and nothing of what was before", told[:300])
tap.ok(stream.wait(MOST) == 0 and told.endswith(f"{jail}  ended: destroyed\n") and "ended: jail_ended, signal 9" not in told.split("\n")[0],
       "to the end of the jail", told[-300:])
runner.close()
client.close()
supervisor.stop()
tap.end()
