#!/usr/bin/env -S python3 -B
"""cli-stats: warder freeze, thaw, stats, top and events, as a person and as a program sees them."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from front_lib import BUILD, Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("cli-stats")
client = supervisor.client()
WARDER = os.path.abspath(os.path.join(BUILD, "cli/warder"))
PATIENCE = 60
os.environ.update(WARDER_SOCKET=supervisor.path, LC_ALL="C.UTF-8", TERM="xterm")


def left(*words):
    """The exit code of a command whose reader goes after the first line; None: it does not end."""
    stream = subprocess.Popen([WARDER, *words], stdout=subprocess.PIPE, text=True)
    stream.stdout.readline()
    stream.stdout.close()
    try:
        return stream.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        stream.kill()
        return stream.wait()


def full(*words):
    """Exit code and words of a command that can write nothing to stdout."""
    with open("/dev/full", "w") as out:
        run = subprocess.run([WARDER, *words], stdout=out, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    return run.returncode, "stdout" in run.stderr


def warder(*words):
    run = subprocess.run([WARDER, *words], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout, run.stderr


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *words, columns=100, lines=30, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execve(WARDER, [WARDER, *words], {**os.environ, **env})
        self.seen = ""

    def read(self):
        """What it writes next; False at its end."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def shows(self, pattern):
        """Does it come to show this; what was shown before does not count."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen, re.S):
            if time.monotonic() > deadline or not self.read():
                return False
        self.seen = re.split(pattern, self.seen, maxsplit=1, flags=re.S)[-1]
        return True

    def keys(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """Its exit code."""
        while self.read():
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


jail = client.call("jail.create", {"keep": True})["result"]["jail"]
runner = supervisor.client()
runner.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "while :; do :; done"]})
runner.line()
tap.ok(eventually(lambda: client.call("jail.stats", {"jail": jail})["result"]["stats"][0]["commands"]["started"] == 1, PATIENCE),
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
stream = subprocess.Popen([WARDER, "stats", "--interval", "100ms", *others], stdout=subprocess.PIPE, text=True)
tap.ok(others[1] in "".join(stream.stdout.readline() for _ in range(3)), "two of them, again and again")
client.call("jail.destroy", {"jail": others[1]})
client.call("jail.destroy", {"jail": others[0]})
tap.ok(jail not in stream.stdout.read() and stream.wait(PATIENCE) == 0, "to the end of both")
stream = subprocess.Popen([WARDER, "stats", "--json", "--interval", "100ms"], stdout=subprocess.PIPE, text=True)
lines = [json.loads(stream.stdout.readline()) for _ in range(3)]
stream.send_signal(signal.SIGINT)
tap.ok([line["jail"] for line in lines] == [jail] * 3 and lines[0]["cpu"]["usage_usec"] < lines[2]["cpu"]["usage_usec"] and
       stream.wait(PATIENCE) == 0, "line by line, until it is told to end", lines[0])

shown = Terminal("stats", "--interval", "100ms")
tap.ok(shown.shows(r"\x1b\[\?1049h.*" + jail), "on a terminal it is drawn in place")
tap.ok(shown.shows("[▁▂▃▄▅▆▇█]"), "with a plot that moves")
shown.keys("q")
tap.same(shown.end(), 0, "q ends it")
tap.ok("\x1b[?1049l" in shown.seen and jail in shown.seen.split("\x1b[?1049l")[1], "and the last table stays")
shown = Terminal("stats", "--interval", "100ms", LC_ALL="C")
tap.ok(shown.shows(jail) and shown.shows(r"[.:=+*#@]{3}\x1b"), "in ASCII where the locale says so")
shown.keys("\x03")
tap.same(shown.end(), 0, "Ctrl-C ends it")
tap.ok(not re.search("[▁▂▃▄▅▆▇█]", shown.seen), "without any block")
shown = Terminal("stats", "--interval", "100ms", jail)
tap.ok(shown.shows("PROCESSES") and shown.shows("CPU[^%]*[0-9.]+%"), "all of one jail, again and again")
shown.keys("q")
shown.end()

# ---- top
shown = Terminal("top", "--interval", "100ms", columns=120)
tap.ok(shown.shows("1 jail, 0 tasks, by cpu"), "top says how it is sorted")
shown.keys("m")
tap.ok(shown.shows("by memory"), "a key sorts by something else")
fcntl.ioctl(shown.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
tap.ok(shown.shows(r"\x1b\[H\x1b\[J"), "another size draws all anew")
shown.keys("q")
tap.same(shown.end(), 0, "q ends it")
shown = Terminal("top", "--interval", "100ms")
tap.ok(shown.shows("by cpu"), "top again")
shown.keys("\x1c")
tap.same(shown.end(), 0, "Ctrl-\\ ends it, too")
tap.ok("\x1b[?1049l" in shown.seen, "and the terminal is as it was", shown.seen[-200:])
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
scripted.settimeout(PATIENCE)
stream = subprocess.Popen([WARDER, "--socket", scripted.getsockname(), "events", "--new"])
asked = []
for _ in range(2):
    peer = scripted.accept()[0]
    request = json.loads(peer.makefile().readline())
    asked.append(request["params"].get("from"))
    peer.sendall(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"seq": 41, "first": 7, "missed": False}}).encode() + b"\n")
    peer.close()
tap.same(asked, [None, 42], "--new goes on behind what was there at first when a supervisor comes back")
stream.send_signal(signal.SIGTERM)
tap.same(stream.wait(PATIENCE), 0, "and ends when it is told to")
scripted.close()
stream = subprocess.Popen([WARDER, "events", "--new", jail], stdout=subprocess.PIPE, text=True)
tap.ok(eventually(lambda: client.call("jail.freeze", {"jail": jail}) and client.call("jail.thaw", {"jail": jail}) and
                  select.select([stream.stdout], [], [], 0)[0], PATIENCE), "what happens is told at once")
client.call("jail.destroy", {"jail": jail})
told = stream.stdout.read()
tap.ok(re.match(r"\S+  " + jail + "  (frozen|thawed)\n", told), "and nothing of what was before", told[:300])
tap.ok(stream.wait(PATIENCE) == 0 and told.endswith(f"{jail}  ended: destroyed\n") and "ended: jail_ended, signal 9" not in told.split("\n")[0],
       "to the end of the jail", told[-300:])
runner.close()
client.close()
supervisor.stop()
tap.end()
