#!/usr/bin/env -S python3 -B
"""watch: "warder task watch" on a pseudo-terminal, against a front that this test plays: drawn in place, narrow,
resized, stopped and continued; lagged, cut off and connected again."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

from front_lib import BUILD, PATIENCE, Tap

COMMAND = os.path.join(BUILD, "cli/warder")
TASK = "t-7f3kq2m4ab"
TOKEN = re.compile(rb"\x1b\[(\??)([\d;]*)([A-Za-z])|([^\x1b\r\n]+)|(\r?\n)|(.)", re.S)
MOST = max(60, PATIENCE)
tap = Tap()


class Terminal:
    """What a terminal would show. Sequences that it does not know are kept in `strange`."""

    def __init__(self, width, height):
        self.resize(width, height)
        self.main, self.strange, self.frames, self.modes = [""], [], 0, set()

    def resize(self, width, height):
        self.width, self.height, self.rows, self.y, self.x = width, height, {}, 1, 1

    def feed(self, data):
        for mode, numbers, letter, text, line, other in TOKEN.findall(data):
            if text:
                self.put(text.decode())
            elif line:
                self.main.append("") if "1049" not in self.modes else self.strange.append("newline")
            elif other:
                self.strange.append(other)
            else:
                self.act(mode.decode(), numbers.decode(), letter.decode())

    def put(self, text):
        if "1049" not in self.modes:
            self.main[-1] += text
            return
        row = self.rows.get(self.y, "").ljust(self.x - 1)
        self.rows[self.y] = row[:self.x - 1] + text + row[self.x - 1 + len(text):]
        self.x += len(text)

    def act(self, mode, numbers, letter):
        if mode and letter in "hl":
            (self.modes.add if letter == "h" else self.modes.discard)(numbers)
            self.frames += numbers == "2026" and letter == "l"
        elif letter == "H":
            self.y, self.x = (int(n) for n in (numbers or "1;1").split(";"))
        elif letter == "J":
            self.rows = {y: row for y, row in self.rows.items() if y < self.y}
        elif letter == "K":
            self.rows[self.y] = self.rows.get(self.y, "")[:self.x - 1]
        elif letter != "m":
            self.strange.append(letter)

    def text(self):
        return "\n".join(self.rows.get(y, "").rstrip() for y in range(1, self.height + 1)).rstrip()


def event_of(seq, name, data, step=None, **more):
    event = {"seq": seq, "time": f"2026-01-05T10:11:{seq:02}.345Z", "task": TASK, "event": name, "data": data, **more}
    return {**event, "step": step} if step else event


class Played:
    """The front: one connection at a time; what the command asked for, and events to it."""

    def __init__(self, path):
        self.path, self.asked, self.peer, self.bytes, self.kept = path, [], None, b"", []
        self.listen()

    def listen(self):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        self.server.listen(4)

    def gone(self):
        """As one that is restarted: nothing answers, then a new one does."""
        os.unlink(self.path)
        self.server.close()
        self.peer.close()
        self.server = self.peer = None

    def fds(self):
        return [fd for fd in (self.server, self.peer) if fd]

    def serve(self, fd):
        if fd is self.server:
            self.peer, self.bytes = self.server.accept()[0], b""
            return
        self.bytes += self.peer.recv(65536)
        *lines, self.bytes = self.bytes.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.asked.append(message)
            result = {"state": "running"}
            if message["method"] == "task.log":
                result = {"events": [e for e in self.kept if e["seq"] >= message["params"]["from"]][:2]}
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def send(self, message):
        self.peer.sendall(json.dumps(message).encode() + b"\n")

    def event(self, *words, **more):
        self.send({"jsonrpc": "2.0", "method": "task.event", "params": event_of(*words, **more)})

    def lagged(self, cursor):
        self.send({"jsonrpc": "2.0", "method": "task.event",
                   "params": {"event": "lagged", "task": TASK, "cursor": cursor}})


class Watch:
    """The command with a terminal of its own; wait() serves front and terminal until something holds."""

    def __init__(self, width, height, *words, verb="watch", kept=(), **env):
        self.directory = tempfile.mkdtemp(prefix="warder-watch-")
        self.front = Played(self.directory + "/socket")
        self.front.kept = kept
        self.terminal = Terminal(width, height)
        self.raw = b""
        self.status = None
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8",
                           "WARDER_SOCKET": self.front.path, **env}
            os.execve(COMMAND, [COMMAND, "task", verb, *words, TASK], environment)
        self.size(width, height)

    def size(self, width, height):
        self.terminal.resize(width, height)
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def round(self, seconds):
        ready = select.select([self.tty, *self.front.fds()], [], [], seconds)[0]
        for fd in ready:
            if fd is not self.tty:
                self.front.serve(fd)
                continue
            try:
                data = os.read(self.tty, 65536)
            except OSError:
                data = b""
            if not data:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                return
            self.raw += data
        # only whole frames are looked at: a read may end within one
        if self.raw and (self.raw.endswith((b"l", b"h", b"\n")) or not ready):
            self.terminal.feed(self.raw)
            self.raw = b""

    def wait(self, holds, what):
        end = time.monotonic() + MOST
        while not holds() and time.monotonic() < end and self.status is None:
            self.round(0.1)
        return tap.ok(holds(), what, self.terminal.text(), self.terminal.main[-20:], self.front.asked[-3:], self.status)

    def finish(self):
        end = time.monotonic() + MOST
        while self.status is None and time.monotonic() < end:
            self.round(0.1)
        if self.raw:
            self.terminal.feed(self.raw)
            self.raw = b""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.tty)
        shutil.rmtree(self.directory)
        return self.status


def shown(watch, *texts):
    return lambda: all(text in watch.terminal.text() for text in texts)


def asks(watch, n):
    return lambda: len(watch.front.asked) >= n and watch.front.peer


# --- a task from beginning to end
watch = Watch(60, 16)
front = watch.front
watch.wait(asks(watch, 1), "the task is watched")
tap.same(front.asked[0]["params"], {"task": TASK, "from": 1}, "from its beginning")
front.event(1, "task.state", {"state": "running"}, used={"verifies": [0, 5], "wall_usec": [0, 60000000]})
front.event(2, "step.start", {"kind": "agent", "role": "architect"}, "plan")
watch.wait(shown(watch, "t-7f3kq2m4ab  running", "▸ plan  architect", "verifies [..........] 0/5"), "a tree is drawn")
tap.ok("1049" in watch.terminal.modes and "25" not in watch.terminal.modes and "7" not in watch.terminal.modes,
       "on the second screen, without cursor, cut at the edge", watch.terminal.modes)
front.event(3, "step.end", {"kind": "agent", "state": "done"}, "plan")
front.event(4, "step.start", {"kind": "dountil", "of": 5}, "loop")
front.event(5, "step.start", {"kind": "agent"}, "loop[2]/code")
front.event(6, "tool.call", {"tool": "bash\x1b[31m", "arguments": '{"command": "make \\u001b]0;x"}'}, "loop[2]/code")
watch.wait(shown(watch, "✓ plan", "▸ loop  iteration 2 of 5", "▸ code", r"bash\x1b[31m make \x1b]0;x"), "and drawn in place")
os.write(watch.tty, b"keys")
front.event(7, "verify.end", {"n": 1, "verdict": "failed", "failing": ["one", "two"]}, "loop[2]/code",
            used={"verifies": [1, 5]})
watch.wait(shown(watch, "verdict 1: failed", "✗ one", "✗ two", "verifies [##........] 1/5"), "what failed last is shown")
tap.ok("keys" not in watch.terminal.text(), "keys that are typed are not", watch.terminal.text())

# --- narrow, wide, low
watch.size(24, 7)
watch.wait(lambda: shown(watch, "▸ code", "verdict 1")() and "✓ plan" not in watch.terminal.text(),
           "a small terminal: what runs stays")
# what is on the screen: a frame for the old size may have been on its way
tap.same([row for row in watch.terminal.rows.values() if len(row) > 24], [], "no line is longer than the terminal")
watch.size(100, 30)
watch.wait(shown(watch, "✓ plan", "✗ two", "▸ loop  iteration 2 of 5"), "a large one: all is there again")

# --- stopped by Ctrl-Z, and continued
os.write(watch.tty, b"\x1a")
end = time.monotonic() + MOST
while "1049" in watch.terminal.modes and time.monotonic() < end:
    watch.round(0.1)
tap.ok("1049" not in watch.terminal.modes and {"25", "7"} <= watch.terminal.modes, "Ctrl-Z gives the terminal back")
_, status = os.waitpid(watch.pid, os.WUNTRACED)
tap.ok(os.WIFSTOPPED(status), "and stops the command", status)
os.kill(watch.pid, signal.SIGCONT)
watch.wait(shown(watch, "✓ plan", "✗ two"), "continued, it draws again")

# --- too slow, and a supervisor that is restarted
front.lagged(8)
watch.wait(asks(watch, 2), "what it missed is asked for")
tap.same(front.asked[1]["params"], {"task": TASK, "from": 8}, "from the cursor")
front.event(7, "step.end", {"state": "failed", "error": "said twice"}, "plan")
front.event(8, "step.start", {"kind": "exec"}, "after-lag")
watch.wait(shown(watch, "▸ after-lag"), "and shown")
tap.ok("said twice" not in watch.terminal.text(), "an event that came before is not taken twice")
front.gone()
watch.wait(shown(watch, "the supervisor closed the connection"), "a supervisor that is gone is waited for")
front.listen()
watch.wait(asks(watch, 3), "the next one is asked")
tap.same(front.asked[2]["params"], {"task": TASK, "from": 9}, "for what comes behind the last event")
front.event(9, "step.end", {"state": "done"}, "after-lag")
watch.wait(shown(watch, "✓ after-lag"), "and it goes on")
tap.ok("closed the connection" not in watch.terminal.text(), "as if nothing had been")

# --- nothing that did not change is written again
frames = watch.terminal.frames
tap.ok(frames < 200, "it is not drawn without need", frames)

# --- the end
front.event(10, "task.state", {"state": "verified"})
tap.same(watch.finish(), 0, "the exit code is the task's")
left = "\n".join(watch.terminal.main)
tap.ok("t-7f3kq2m4ab  verified" in left and "✓ after-lag" in left, "the last state stays on the terminal", left)
tap.same(watch.terminal.strange, [], "no other sequence was written")
tap.ok("1049" not in watch.terminal.modes and {"25", "7"} <= watch.terminal.modes, "and the terminal is as before")

# --- Ctrl-C ends the watching only
watch = Watch(80, 24)
watch.wait(asks(watch, 1), "another watcher")
watch.front.event(1, "task.state", {"state": "running"})
watch.wait(shown(watch, "running"), "draws")
os.write(watch.tty, b"\x03")
tap.same(watch.finish(), 130, "Ctrl-C ends it")
tap.same([m["method"] for m in watch.front.asked], ["task.watch"], "and cancels nothing")
tap.ok("1049" not in watch.terminal.modes, "with the terminal as before")

# --- where there is no tree
for words, env, what in ((["--plain"], {}, "--plain"), ([], {"TERM": "dumb"}, "a dumb terminal")):
    watch = Watch(80, 24, *words, **env)
    watch.wait(asks(watch, 1), what)
    watch.front.event(1, "step.start", {"kind": "agent", "role": "architect"}, "plan")
    watch.front.event(2, "task.state", {"state": "tampered"})
    tap.same(watch.finish(), 5, f"{what}: the exit code")
    tap.ok("step plan (architect)" in "\n".join(watch.terminal.main) and "1049" not in watch.terminal.modes,
           f"{what}: lines", watch.terminal.main)

# --- as JSON, into a pipe
watch = Watch(80, 24, "--json")
watch.wait(asks(watch, 1), "--json")
watch.front.event(1, "notice", {"text": "a"})
watch.front.lagged(2)
watch.wait(asks(watch, 2), "a lag")
watch.front.event(1, "notice", {"text": "a"})
watch.front.event(2, "task.state", {"state": "limit"})
tap.same(watch.finish(), 3, "--json: the exit code")
lines = [json.loads(line) for line in watch.terminal.main if line.strip()]
tap.same([line["seq"] for line in lines], [1, 2], "one event a line, each once, also on a terminal")

# --- a question: what one may type
for about, way in (("plan", "approve"), ("question", "answer")):
    watch = Watch(120, 16)
    watch.wait(asks(watch, 1), f"about {about}: the task is watched")
    watch.front.event(1, "task.state", {"state": "running"})
    watch.front.event(2, "ask", {"phase": "asked", "question": "q-7f3kq2m4ab", "about": about, "text": "Go on?"}, "agree")
    watch.wait(shown(watch, "waits for a person: Go on?", f"warder task show {TASK}, then warder task {way} or reject"), "how to answer is shown")
    watch.front.event(3, "task.state", {"state": "verified"})
    tap.same(watch.finish(), 0, "and it ends")
    watch = Watch(120, 16, "--plain")
    watch.wait(asks(watch, 1), f"plain, about {about}: the task is watched")
    watch.front.event(1, "ask", {"phase": "asked", "question": "q-7f3kq2m4ab", "about": about, "text": "Go on?"}, "agree")
    watch.front.event(2, "task.state", {"state": "verified"})
    watch.finish()
    tap.ok(any(f"warder task {way} {TASK}" in line and "--question q-7f3kq2m4ab" in line for line in watch.terminal.main),
           "as lines too", watch.terminal.main)

# --- the log: pages of what is kept, as lines, as JSON, filtered, as a trace, and followed
KEPT = [event_of(1, "task.state", {"state": "running"}),
        event_of(2, "step.start", {"kind": "dountil", "path": "loop"}, "loop"),
        event_of(3, "step.start", {"kind": "agent", "path": "loop[1]/code"}, "loop/code"),
        event_of(4, "step.end", {"state": "done", "path": "loop[1]/code"}, "loop/code"),
        event_of(6, "step.start", {"kind": "agent", "path": "loop[2]/code\x1b[2J"}, "loop/code")]


def log(*words, kept=KEPT):
    watch = Watch(200, 50, *words, verb="log", kept=kept)
    code = watch.finish()
    tap.same(watch.terminal.strange, [], f"log {' '.join(words)}: no sequence is written")
    return code, [line for line in watch.terminal.main if line.strip()], watch.front.asked


code, lines, asked = log("--times", "since")
tap.same((code, [m["params"]["from"] for m in asked]), (0, [1, 3, 5, 7]), "task log asks page after page")
tap.same(lines, ["+0.000 s  the task is running", "+1.000 s  loop  begins: dountil", "+2.000 s  loop[1]/code  begins: agent",
                 "+3.000 s  loop[1]/code  done", r"+5.000 s  loop[2]/code\x1b[2J  begins: agent"], "a line for each event")
tap.same([json.loads(line)["seq"] for line in log("--json")[1]], [1, 2, 3, 4, 6], "--json: the events")
tap.same([json.loads(line)["seq"] for line in log("--json", "--step", "loop[1]")[1]], [3, 4], "--step: those of a step")
code, lines, _ = log("--otlp", "-")
spans = json.loads("".join(lines))["resourceSpans"][0]["scopeSpans"][0]["spans"]
tap.same(sorted(span["name"] for span in spans), ["code", "code\x1b[2J", "loop", "loop[1]", "loop[2]", "task"], "--otlp: a trace")
tap.same(log("--times", "never")[0], 2, "a form of times that is none")
tap.same(log("--otlp", "-", "--json")[0], 2, "two forms at once")

watch = Watch(200, 50, "--follow", "--json", verb="log", kept=KEPT)
watch.wait(lambda: watch.front.asked and watch.front.asked[-1]["method"] == "task.watch", "--follow watches behind the log")
tap.same(watch.front.asked[-1]["params"], {"task": TASK, "from": 7}, "from the next number")
watch.front.event(7, "task.state", {"state": "unverified"})
tap.same(watch.finish(), 1, "to its end, with the task's exit code")
tap.same([json.loads(line)["seq"] for line in watch.terminal.main if line.strip()], [1, 2, 3, 4, 6, 7], "and shows it")
tap.end()
