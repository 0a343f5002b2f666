"""A private supervisor whose processes are killed, the tasks in it, the people who answer them, and their model.

All tasks of a batch are followed over one connection. A kill is due a moment after a certain event of a task was heard,
so that a slow machine is hit at the same places as a fast one.
"""
import fcntl
import http.server
import io
import json
import os
import select
import signal
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rpc"))
from front_lib import Client, Closed, sealed  # noqa: E402
from supervisor_lib import Supervisor, need_jails  # noqa: E402

from flows import INTERRUPTED  # noqa: E402

FINAL = ("verified", "unverified", "limit", "tampered", "error", "cancelled")
PATIENCE = 300
TAR = "base"


# ---- the model, and what is outside

class Model(http.server.ThreadingHTTPServer):
    """Answers by what it is asked, so that it does not matter how often; counts what is an effect"""
    daemon_threads, request_queue_size = True, 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.lock, self.effects = threading.Lock(), {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        """A client that was killed amid its request is none"""

    def count(self, tag):
        with self.lock:
            return {key: n for key, n in self.effects.items() if key.startswith(tag + "-")}

    def forget(self):
        with self.lock:
            self.effects = {}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        messages = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
        body = json.dumps({"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [
            {"index": 0, "message": self.message(messages), "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def message(self, messages):
        asked = [m["content"] for m in messages if m["role"] == "user"][-1]
        word, name, *rest = asked.split(" ", 2)
        if word == "EFFECT":
            with self.server.lock:
                self.server.effects[name] = self.server.effects.get(name, 0) + 1
            return {"role": "assistant", "content": "done"}
        commands = [c for c in rest[0].split("\x1e") if c] if rest else []
        made = sum(m["role"] == "tool" for m in messages)
        if made == len(commands):
            return {"role": "assistant", "content": f"said {name}"}
        call = {"name": "bash", "arguments": json.dumps({"command": commands[made]})}
        return {"role": "assistant", "content": None, "tool_calls": [{"id": f"call_{made}", "type": "function", "function": call}]}


# ---- processes

def stat(pid):
    """Its parent and the name that it was executed by, None where it is gone"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            parent = int(file.read().rsplit(")", 1)[1].split()[1])
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return parent, os.path.basename(line.read().split(b"\0")[0].decode(errors="replace"))
    except (OSError, IndexError):
        return None


def below(top, name):
    """Processes called @name that descend from @top"""
    found = {int(pid): about for pid in os.listdir("/proc") if pid.isdigit() and (about := stat(pid))}

    def descends(pid):
        while pid in found and pid != top:
            pid = found[pid][0]
        return pid == top
    return [pid for pid, (_, called) in found.items() if called == name and descends(pid)]


# ---- the supervisor

class Run:
    """A task that is followed"""

    def __init__(self, flow, kills=()):
        self.flow, self.kills = flow, list(kills)  # [(number of the event, victim, seconds)]
        self.id, self.state, self.cause, self.seq, self.events = None, None, None, 0, 0
        self.killed, self.repeats, self.hit, self.ended, self.began = [], {}, 0, False, False

    def is_final(self):
        return self.state in FINAL


class World(Supervisor):
    def __init__(self, name):
        self.model, self.connection, self.answered, self.slow, self.idle = Model(), None, set(), 0, 0
        super().__init__(name)
        self.connect()

    def start(self):
        self.wait_for_lock()
        super().start()

    def wait_for_lock(self):
        """Until the supervisor before has let go of its state"""
        if os.path.isdir(self.state):
            lock = os.open(self.state, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.close(lock)

    def connect(self):
        self.connection = Client(self.path)
        self.connection.sock.settimeout(PATIENCE)

    def call(self, method, params=None, fds=()):
        return self.connection.call(method, params, fds)

    # ---- tasks

    def begin(self, run):
        flow = run.flow
        model = {"provider": "replay"}
        if flow.live_model:
            model = {"provider": "openai", "base_url": self.model.url(), "model": "m",
                     "price": {"input": 3000000, "output": 15000000}}
        fds = [sealed(base_tar()), sealed(b"key" if flow.live_model else json.dumps(flow.transcript).encode())]
        answer = self.call("task.start", {
            "request": "go", "workflow": flow.json, "spec": {"warder": "verify/1", "commands": [{"id": "t", "run": ["true"]}]},
            "model": model, "roles": flow.roles, "keep": True,
            "limits": {"verifies": 1000, "no_progress": 1000, "commands": 10000}}, fds)
        for fd in fds:
            os.close(fd)
        if "error" in answer:
            raise RuntimeError(f"task.start: {answer['error']}\n{json.dumps(flow.json)}")
        run.id = answer["result"]["task"]
        self.watch(run)

    def watch(self, run):
        answer = self.call("task.watch", {"task": run.id, "from": run.seq + 1})
        if "error" in answer:
            raise RuntimeError(f"task.watch: {answer['error']}")

    # ---- what is heard

    def heard(self, run, event):
        """Returns: whether it is new"""
        if event["event"] == "lagged":
            self.watch(run)
            return False
        if event["seq"] <= run.seq:
            return False
        run.seq, data = event["seq"], event.get("data", {})
        run.events += 1
        if event["event"] == "task.state":
            run.state, run.cause = data["state"], data.get("cause")
            if run.state == "suspended" and run.cause == "model_key":
                self.give_key(run)
        elif event["event"] == "step.start" and run.ended:
            run.hit = 0  # a step was committed in this life
        run.ended |= event["event"] == "step.end"
        return True

    def give_key(self, run):
        fd = sealed(b"key")
        answer = self.call("task.resume", {"task": run.id}, [fd])
        os.close(fd)
        if "error" in answer and answer["error"]["data"]["code"] != "busy":  # what was heard late is past
            raise RuntimeError(f"task.resume: {answer['error']}")

    def answer_people(self, runs):
        by_id = {run.id: run for run in runs}
        for question in self.call("task.waiting")["result"]["questions"]:
            if question["task"] in by_id:
                self.answer(by_id[question["task"]], question)

    def answer(self, run, question):
        what = {"task": question["task"], "question": question["question"]}
        word = question.get("text", "").split(" ")[0]
        if question.get("text", "").startswith(INTERRUPTED):
            step = question["step"].rsplit("/", 1)[-1]
            run.repeats[step] = run.repeats.get(step, 0) + 1
            answer = self.call("task.answer", {**what, "answer": "repeat"})
        elif word in ("left", "word"):
            answer = self.call("task.answer", {**what, "answer": word})
        elif word == "no":
            answer = self.call("task.reject", {**what, "comment": "not now"})
        else:
            answer = self.call("task.approve", what)
        if "error" in answer and answer["error"]["data"]["code"] not in ("exists", "not_found"):
            raise RuntimeError(f"an answer: {answer['error']} {question}")

    def listen(self, seconds):
        """Notifications of at most so many seconds' wait"""
        notes, self.connection.notes = self.connection.notes, []
        if not notes and (b"\n" in self.connection.buf or select.select([self.connection.sock], [], [], seconds)[0]):
            notes = [self.connection.line()]
        while b"\n" in self.connection.buf:
            notes.append(self.connection.line())
        return [note["params"] for note in notes]

    # ---- kills

    def kill(self, victim, rng):
        """Returns: did it hit one"""
        top = self.process.pid
        found = [top] if victim == "warderd" else below(top, victim)
        if not found:
            return False
        try:
            os.kill(rng.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def again(self, runs):
        """After the end of the whole: another supervisor, which takes the tasks up"""
        began = time.monotonic()
        while not self.take_up(runs):
            self.idle += 1
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError("no supervisor stays until it is asked")
        self.slow += time.monotonic() - began

    def take_up(self, runs):
        """Returns: false where it ended before it heard all: one whose tasks wait for people ends when nobody is connected in time"""
        self.connection.close()
        if self.wait(PATIENCE) is None:
            raise RuntimeError("the supervisor lives on")
        self.start()
        try:
            self.connect()
            for run in runs:
                if run.id and not run.is_final():
                    self.watch(run)
        except (Closed, OSError):
            return False
        return True


def base_tar(names=("base", "gone", "dir/in")):
    """The tree that every task begins with"""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(name), 1
            tar.addfile(member, io.BytesIO(name.encode()))
    return buffer.getvalue()


__all__ = ["Closed", "Run", "World", "need_jails"]
