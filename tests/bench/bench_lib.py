"""bench_lib: tasks on a private supervisor, watched from outside, for the benches that are scripts."""
import datetime
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rpc"))
from front_lib import sealed  # noqa: E402
from supervisor_lib import Supervisor  # noqa: E402

FINAL = ("verified", "unverified", "limit", "tampered", "error", "cancelled")
SPEC = {"warder": "verify/1", "commands": [{"id": "t", "run": ["/bin/true"]}]}


def base():
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(100):
            info = tarfile.TarInfo(f"f{i}.c")
            info.size = 20
            tar.addfile(info, io.BytesIO(b"int x;              "))
    return text.getvalue()


BASE = base()


def when(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp() * 1000


class Watched:
    """A task and its events as they come, each with the moment at which it came."""

    def __init__(self, supervisor, workflow, model=None, given=b"[]", **more):
        """@given: the transcript of a recorded model, or a key; @more: further parameters of task.start."""
        self.client, self.events = supervisor.client(), []
        self.client.sock.settimeout(600)
        fds = [sealed(BASE), sealed(given)]
        started = self.client.call("task.start", {
            "request": "go", "spec": SPEC, "model": model or {"provider": "replay"}, "keep": True,
            "limits": {"commands": 100000, "verifies": 1000, "calls": 100000, "no_progress": 1000}, "workflow": workflow, **more}, fds)
        for fd in fds:
            os.close(fd)
        if "result" not in started:
            raise RuntimeError(started["error"])
        self.task = started["result"]["task"]
        self.client.call("task.watch", {"task": self.task, "from": 1})

    def next(self):
        message = self.client.notes.pop(0) if self.client.notes else self.client.line()
        event = message.get("params", {})
        if event.get("event") == "lagged":  # it is faster than we read: from there again
            self.client.send("task.watch", {"task": self.task, "from": event["cursor"]})
        event["came"] = time.monotonic() * 1000
        self.events.append(event)
        return event

    def until(self, fits):
        while not fits(event := self.next()):
            if event.get("event") == "task.state" and event["data"]["state"] in FINAL:
                raise RuntimeError(f"the task ended: {event['data']}")
        return event

    def state(self, *states):
        return self.until(lambda e: e.get("event") == "task.state" and e["data"]["state"] in states)

    def end(self):
        event = self.state(*FINAL)
        if event["data"]["state"] != "verified":
            raise RuntimeError(f"the task ended {event['data']}")
        self.client.close()
        return event

    def first(self, name, step):
        return next(e for e in self.events if e.get("event") == name and e.get("data", {}).get("path") == step)


def children(pid):
    out = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False).stdout
    found = [int(word) for word in out.split()]
    return found + [below for child in found for below in children(child)]


def resident(pid, which="RssAnon"):
    """Bytes in memory: of its own (RssAnon), or with the pages of programs (VmRSS)"""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(f"{which}:")) * 1024


def ran(pid):
    """Milliseconds of processor time so far, of its first thread"""
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e6


def named(supervisor, name):
    for pid in children(supervisor.process.pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if os.path.basename(line.read().split(b"\0")[0].decode()) == name:
                    return pid
        except OSError:
            continue
    raise RuntimeError(f"no {name} runs")


class InMemory(Supervisor):
    """Its state directory is a tmpfs, which nobody else sees: main() took a mount namespace of our own."""

    def start(self):
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,nr_inodes=1m", "none", self.state], check=True)
        self.mode += ["--state-dir", self.state]
        super().start()

    def stop(self):
        super().stop()
        subprocess.run(["umount", self.state], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
