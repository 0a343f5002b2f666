"""harness: the supervisor's side of the agent's task socket, over a plain directory, for tests.

It enforces nothing: what it is for is to run warder-agent without a jail and to script what a supervisor
would answer. A Scenario is a dictionary:

  request     text of the task
  workflow    an object, or a name below DATA/workflows
  roles       {name: object}; default: all of DATA/roles
  model       {"provider": "replay"} by default
  transcript  list, handed over as a descriptor
  verdicts    list of verify results, used in order; when they are used up: error `limit`
  refuse      {method: {"code", "message", "hint"}}: answer these methods so
  busy        {method: n}: refuse the first n calls of this method, because one is under way
  hang_up     {method: n}: close the socket instead of answering the n-th call of this method
  journal     the Journal of an earlier life: what a resumed run finds in task.info
  merge_after with a number: what is merged is told of when no more than so many commands run, and the file "merging" is there
  conflicts   list of lists: the conflicts that each merge reports, in order; then none
  searches    list of results that each search has, in order; then what is there
  answers_at_idle  a question is answered when the agent says that it only waits
  forks       so many at a time (12); one that was ended counts until a fork was refused. They are all one directory,
              and what is merged is nothing
"""
import fnmatch, json, os, re, signal, socket, subprocess, sys, tempfile, threading, time


def strip_comments(text):
    """Comments out of a JSON file of ours; strings stay."""
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or " ", text, flags=re.S)


def load(path):
    with open(path) as f:
        return json.loads(strip_comments(f.read()))


def eventually(holds, patience=60):
    """Wait until it holds, for a minute at most. Returns whether it does."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Refusal(Exception):
    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.data = {"code": code}
        if hint:
            self.data["hint"] = hint


class Journal:
    """What a supervisor keeps of a run: commits by path; those below a committed path go with it."""

    def __init__(self):
        self.commits, self.state, self.memory, self.answers = {}, None, None, {}

    def commit(self, params):
        path = params["path"]
        if params.get("begun"):
            self.commits[path] = {"path": path, "begun": True}
            return
        for below in [p for p in self.commits if p.startswith((path + "/", path + "["))]:
            del self.commits[below]
        self.commits.pop(path, None)
        self.commits[path] = {"path": path, "output": params["output"]}
        self.state = params.get("state", self.state)
        self.memory = params.get("memory", self.memory)

    def as_json(self):
        return {"commits": list(self.commits.values()), "state": self.state, "memory": self.memory, "answers": self.answers}


class Supervisor:
    def __init__(self, scenario, work, agent, data):
        self.journal = scenario.get("journal") or Journal()
        self.scenario, self.work, self.agent, self.data = scenario, work, agent, data
        self.events, self.calls, self.checkpoints, self.records = [], [], [], []
        self.told = []  # ends of steps and commits as they came: ("step.end" or "commit", path)
        self.finish = None
        self.verdicts = list(scenario.get("verdicts", []))
        self.n_verify = 0
        self.n_forks = self.busy = 0
        self.forks, self.leaving = set(), 0
        self.asked, self.most_asked = [], 0
        self.order = []  # of forks: ("begin", number), ("end", number)
        self.conflicts, self.searches = list(scenario.get("conflicts", [])), list(scenario.get("searches", []))
        self.running, self.cancelled, self.at_once, self.most_at_once = {}, [], 0, 0
        self.counting = threading.Lock()
        self.stderr = ""
        self.exit = None
        self.sending = threading.Lock()

    # ---- methods ----
    def task_info(self, params):
        workflow = self.scenario.get("workflow", "fix")
        if isinstance(workflow, str):
            workflow = load(f"{self.data}/workflows/{workflow}.json")
        roles = self.scenario.get("roles")
        if roles is None:
            names = [n for n in os.listdir(f"{self.data}/roles") if n.endswith(".json")]
            roles = {n[:-5]: load(f"{self.data}/roles/{n}") for n in names}
        tree = sorted(os.path.relpath(os.path.join(d, f), self.work)
                      for d, _, fs in os.walk(self.work) for f in fs)[:400]
        info = {"task": "t-aaaaaaaaaa", "request": self.scenario.get("request", "fix it"), "workflow": workflow,
                "roles": roles, "limits": {}, "used": {}, "tree": tree,
                "model": self.scenario.get("model", {"provider": "replay"})}
        if self.journal.commits:
            info["journal"] = self.journal.as_json()
        fds = []
        if "transcript" in self.scenario:
            fd = os.memfd_create("transcript")
            os.write(fd, json.dumps(self.scenario["transcript"]).encode())
            fds = [fd]
        return info, fds

    def path(self, path):
        if not path.startswith("/work"):
            raise Refusal("denied", f"{path} is not below /work")
        return os.path.join(self.work, path[len("/work"):].lstrip("/"))

    def exec(self, params, number=None):
        argv = params.get("argv") or ["/bin/sh", "-c", params["command"]]
        limit = params.get("timeout_usec", 600_000_000) / 1e6
        start = time.monotonic()
        record = {"command": "c-aaaaaaaaaa", "jail": "j-aaaaaaaaaa", "cause": "exited", "code": None, "signal": None}
        out = b""
        try:
            command = subprocess.Popen(argv, cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as e:
            record.update(cause="not_started", error=str(e))
            return self.end_exec(record, start, out)
        self.running[number] = command
        if number in self.cancelled:  # before it was there
            self.kill(command)
        try:
            out, _ = command.communicate(timeout=limit)
            record["code"] = command.returncode
            if command.returncode < 0:
                cause = "killed_by_client" if number in self.cancelled else "signaled"
                record.update(cause=cause, code=None, signal=-command.returncode)
        except subprocess.TimeoutExpired:
            self.kill(command)
            out, _ = command.communicate()
            record.update(cause="wall_timeout", signal=9)
        del self.running[number]
        return self.end_exec(record, start, out)

    @staticmethod
    def kill(command):
        try:
            os.killpg(command.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def cancel(self, number):
        self.cancelled.append(number)
        if number in self.running:
            self.kill(self.running[number])

    def end_exec(self, record, start, out):
        record["wall_usec"] = int((time.monotonic() - start) * 1e6)
        text = out.decode(errors="replace")
        record["output"] = {"stdout": {"seen": len(out), "kept": len(out), "cut_at": len(out), "text": text}}
        if len(text) > 256 * 1024:
            fd = os.memfd_create("output")
            os.write(fd, out)
            del record["output"]
            return record, [fd]
        return record, []

    def open(self, params):
        flags = set(params["flags"])
        mode = os.O_RDWR if {"read", "write"} <= flags else os.O_WRONLY if "write" in flags else os.O_RDONLY
        mode |= (os.O_CREAT if "create" in flags else 0) | (os.O_TRUNC if "truncate" in flags else 0)
        path = self.path(params["path"])
        try:
            if "create" in flags:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            fd = os.open(path, mode, 0o644)
        except OSError as e:
            raise Refusal("not_found", f"open {params['path']}: {e.strerror}")
        return {"size": os.fstat(fd).st_size}, [fd]

    def search(self, params):
        if self.searches:
            return self.searches.pop(0), []
        base, found = self.path("/work/" + params.get("path", "").removeprefix("/work")), []
        flags = re.I if params.get("ignore_case") else 0
        for d, _, names in sorted(os.walk(base)):
            for name in sorted(names):
                full = os.path.join(d, name)
                rel = os.path.relpath(full, self.work)
                if params["kind"] == "glob":
                    if fnmatch.fnmatch(rel, params["pattern"]):
                        found.append({"path": "/work/" + rel})
                    continue
                if "glob" in params and not fnmatch.fnmatch(name, params["glob"]):
                    continue
                for number, line in enumerate(open(full, errors="replace"), 1):
                    if re.search(params["pattern"], line, flags):
                        found.append({"path": "/work/" + rel, "line": number, "text": line.rstrip("\n")})
        return {"matches": found, "cut": False}, []

    def verify(self, params):
        if not self.verdicts:
            raise Refusal("limit", "no verify is left", "raise limits.verifies")
        self.n_verify += 1
        verdict = {"verdict": "failed", "n": self.n_verify, "left": len(self.verdicts) - 1, "digest": "", "failing": [],
                   "restored": [], "dangerous": []}
        given = self.verdicts.pop(0)
        verdict.update(self.run_check(given["check"]) if "check" in given else given)
        return verdict, []

    def run_check(self, command):
        """A verdict from a command's exit code, so that a test can follow what the agent really did."""
        done = subprocess.run(["/bin/sh", "-c", command], cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return {"verdict": "passed" if done.returncode == 0 else "failed", "digest": done.stdout.decode(errors="replace")}

    def checkpoint(self, params):
        self.checkpoints.append(params)
        self.told.append(("commit", params["path"]))
        self.journal.commit(params)
        return {}, []

    def fork(self, params):
        if len(self.forks) + self.leaving >= self.scenario.get("forks", 12):
            self.leaving, self.busy = 0, self.busy + 1
            raise Refusal("busy", "there are so many forks already")
        self.n_forks += 1
        self.forks.add(self.n_forks)
        self.order.append(("begin", self.n_forks))
        return {"fork": self.n_forks}, []

    def end_fork(self, number):
        if number in self.forks:
            self.forks.discard(number)
            self.order.append(("end", number))
            self.leaving += 1

    def merge(self, params):
        self.told.append(("merge", params["fork"]))
        if "merge_after" in self.scenario:
            open(self.path("/work/merging"), "w").close()
            eventually(lambda: self.at_once <= self.scenario["merge_after"])
        conflicts = self.conflicts.pop(0) if self.conflicts else []
        return {"paths": 0, "conflicting": len(conflicts), "conflicts": conflicts, "bytes": 0}, [os.memfd_create("merge")]

    def done(self, params):
        self.finish = params
        return {}, []

    # ---- the wire ----
    def answer(self, sock, message):
        method, params = message["method"], message.get("params", {})
        if method in ("event", "record"):
            (self.events if method == "event" else self.records).append(params)
            if params.get("event") == "step.end":
                self.told.append(("step.end", params["data"]["path"]))
            return True
        if method == "idle":
            self.say_yes(sock)
            return True
        if method == "ask" and self.scenario.get("answers_at_idle"):
            self.asked.append(message["id"])
            self.most_asked = max(self.most_asked, len(self.asked))
            if not params.get("more"):
                self.say_yes(sock)
            return True
        if method == "cancel":
            self.cancel(params["call"])
            return True
        if method == "fork" and "end" in params:  # a notification
            self.end_fork(params["end"])
            return True
        self.calls.append((method, params))
        count = sum(1 for m, _ in self.calls if m == method)
        if self.scenario.get("hang_up", {}).get(method) == count:
            return False
        table = {"task.info": self.task_info, "exec": self.exec, "open": self.open, "search": self.search,
                 "verify": self.verify, "checkpoint": self.checkpoint, "finish": self.done, "fork": self.fork,
                 "merge": self.merge}
        reply, fds = {"jsonrpc": "2.0", "id": message["id"]}, []
        try:
            if count <= self.scenario.get("busy", {}).get(method, 0):
                raise Refusal("busy", "one is under way already")
            if method in self.scenario.get("refuse", {}):
                raise Refusal(**self.scenario["refuse"][method])
            if method not in table:
                raise Refusal("unsupported", f"no method {method}")
            reply["result"], fds = self.exec(params, message["id"]) if method == "exec" else table[method](params)
        except Refusal as e:
            reply["error"] = {"code": -32000, "message": str(e), "data": e.data}
        if fds:
            reply["fds"] = len(fds)
        if method == "exec":
            self.count(-1)
        try:
            with self.sending:
                socket.send_fds(sock, [(json.dumps(reply) + "\n").encode()], fds) if fds else sock.sendall(
                    (json.dumps(reply) + "\n").encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the agent has gone; what it left behind says how
        for fd in fds:
            os.close(fd)
        return True

    def count(self, change):
        """Commands that wait for their answer."""
        with self.counting:
            self.at_once += change
            self.most_at_once = max(self.most_at_once, self.at_once)

    def say_yes(self, sock):
        """Nothing runs but questions: one of them is answered."""
        if self.asked:
            answer = {"question": "q-aaaaaaaaaa", "decision": "answered", "approved": False, "answer": "yes", "comment": ""}
            reply = {"jsonrpc": "2.0", "id": self.asked.pop(0), "result": answer}
            with self.sending:
                sock.sendall((json.dumps(reply) + "\n").encode())

    def serve(self, sock):
        buffer = b""
        while True:
            try:
                part = sock.recv(1 << 20)
            except ConnectionResetError:
                return
            if not part:
                return
            buffer += part
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                message = json.loads(line)
                self.count(message["method"] == "exec")
                if message["method"] == "exec" and "exec" not in self.scenario.get("hang_up", {}):
                    threading.Thread(target=self.answer, args=(sock, message), daemon=True).start()
                elif not self.answer(sock, message):
                    return

    def start(self):
        """Start the agent with its socket as descriptor 3. Returns our end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.log = tempfile.TemporaryFile()
        fd = theirs.fileno()

        def as_three():
            os.dup2(fd, 3) if fd != 3 else os.set_inheritable(3, True)

        wrap = os.environ.get("AGENT_WRAP", "").split()  # e.g. strace -f, valgrind
        env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.process = subprocess.Popen(wrap + [self.agent], pass_fds=[3], preexec_fn=as_three, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=env)
        theirs.close()
        return ours

    def run(self, timeout=60):
        ours = self.start()
        ours.settimeout(timeout)
        try:
            self.serve(ours)
        finally:
            ours.close()
            try:
                self.exit = self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.exit = self.process.wait()
            self.log.seek(0)
            self.stderr = self.log.read().decode(errors="replace")
        return self

    # ---- what tests ask ----
    def cause(self):
        return (self.finish or {}).get("cause")

    def state(self):
        return (self.finish or {}).get("state")

    def summary(self):
        return (self.finish or {}).get("summary", "")

    def of(self, event):
        return [e for e in self.events if e["event"] == event]


def run(scenario, files=None, timeout=60):
    """Run the agent of the build under test over a fresh directory with these files. Returns the Supervisor."""
    top, build = os.environ.get("top_srcdir", "."), os.environ.get("top_builddir", ".")
    with tempfile.TemporaryDirectory(prefix="warder-agent-test.") as work:
        for name, text in (files or {}).items():
            os.makedirs(os.path.dirname(os.path.join(work, name)), exist_ok=True)
            with open(os.path.join(work, name), "w") as f:
                f.write(text)
        agent = os.environ.get("WARDER_AGENT", f"{build}/agent/warder-agent")
        supervisor = Supervisor(scenario, work, agent, f"{top}/agent")
        supervisor.run(timeout)
        supervisor.files = {}
        for d, _, names in os.walk(work):
            for name in names:
                full = os.path.join(d, name)
                supervisor.files[os.path.relpath(full, work)] = open(full, errors="replace").read()
        return supervisor


# ---- TAP ----
class Tap:
    n = failed = 0

    def ok(self, good, what, *shown):
        self.n += 1
        print(f"{'ok' if good else 'not ok'} {self.n} - {what}", flush=True)
        if not good:
            self.failed += 1
            for item in shown:
                for line in str(item).split("\n"):
                    print(f"# {line}"[:2000], flush=True)
        return good

    def is_(self, got, want, what, *shown):
        return self.ok(got == want, what, f"got  {got!r}", f"want {want!r}", *shown)

    def has(self, text, part, what):
        return self.ok(part in (text or ""), what, f"text {text!r}", f"lacks {part!r}")

    def end(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)
