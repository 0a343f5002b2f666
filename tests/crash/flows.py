"""Random workflows of every kind of step, whose end is the same whenever they are run.

What runs side by side writes to files of its own, and may be begun again at any moment; what runs alone appends, moves
and removes, which shows a step that ran twice, or not at all.
"""

CALL = """exec 3<>"/dev/tcp/127.0.0.1/${2##*:}" || exit 9
body='{"model":"m","messages":[{"role":"user","content":"EFFECT '$1'"}]}'
printf 'POST /v1/chat/completions HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n' >&3
printf 'Connection: close\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "${#body}" "$body" >&3
cat <&3 | head -c 12"""
INTERRUPTED = "This step has effects outside of the jail."


class Place:
    """Where a step stands: what it may do, and which values it sees"""

    def __init__(self, depth=0, alone=True, fork=False, times=1, seen=(), counters=()):
        self.depth, self.alone, self.fork, self.times = depth, alone, fork, times
        self.seen, self.counters = list(seen), list(counters)

    def inner(self, **change):
        found = dict(depth=self.depth + 1, alone=self.alone, fork=self.fork, times=self.times, seen=self.seen,
                     counters=self.counters)
        return Place(**{**found, **change})


class Flow:
    """One workflow, with the roles, the recorded model and the effects outside that belong to it"""

    def __init__(self, rng, seed, live_model):
        self.rng, self.tag, self.live_model = rng, f"s{seed}", live_model
        self.n, self.roles, self.transcript, self.called = 0, {}, [], {}
        self.has_effects = False
        counters = [f"n{i}" for i in range(rng.randint(1, 3))]
        place = Place(counters=counters)
        steps = self.steps(place, rng.randint(2, 5))
        if rng.random() < 0.12:
            steps.append(self.failure())
        self.json = {"warder": "workflow/1", "name": "random", "steps": steps, "state": self.state(counters)}
        if rng.random() < 0.4:
            self.json["finally"] = [self.last_words(place)]
        if self.called:
            self.json["workflows"] = self.called

    # ---- small parts

    def name(self, what):
        self.n += 1
        return f"{what}{self.n}"

    @staticmethod
    def state(counters):
        return {"type": "object", "properties": {name: {"type": "integer", "default": 0} for name in counters}}

    def value(self, place):
        """An expression, mostly one that needs no jq"""
        plain = [".iteration", "7", '"text"', *place.seen, *place.seen]
        if self.rng.random() < 0.25:
            return f"[{self.rng.choice(plain)}, {self.rng.choice(plain)}]"
        return self.rng.choice(plain)

    def nap(self):
        return self.rng.choice(["", "", "", "sleep 0.02; ", "sleep 0.1; "])

    def counting(self, step, place):
        """It counts in the state; side by side each counter would be somebody else's"""
        if place.alone and place.counters and self.rng.random() < 0.3:
            name = self.rng.choice(place.counters)
            step["set"] = {name: f".state.{name} + {self.rng.randint(1, 3)}"}
        return step

    # ---- steps that do something

    def exec_step(self, place):
        name = self.name("x")
        if not place.alone:
            shell = f"{self.nap()}mkdir -p side; echo {name} $1 >side/{name}-$1; {self.nap()}echo $1"
        else:
            shell = self.nap() + self.rng.choice([
                f"echo {name} $1 >>log; cat log", f"mkdir -p d/{name}; echo $1 >d/{name}/f; ln -sf f d/{name}/l; echo {name} >>log",
                f"rm -rf d; echo {name} >>log", f"ls -R . >list-{name}; echo {name} >>log; echo $1",
                f"rm -rf moved; mkdir moved; mv side moved/ 2>/dev/null; echo {name} >>log",
                f"seq 1 300 >>big; chmod 7$((${{#1}} % 8))4 big; echo {name} >>log", f"rm -f base; echo {name} >>log; wc -l <log",
            ]) + self.rng.choice(["", "", "; sleep 0.03", f"; echo {name} >>log2"])
        item = "{{ .iteration }}" if not place.fork else "{{ .item }}-{{ .iteration }}"
        step = {"id": name, "exec": ["sh", "-c", shell, "-", item]}
        place.seen += [f".steps.{name}.code", f".steps.{name}.ok"]
        return self.counting(step, place)

    def shell_step(self, place):
        name = self.name("x")
        place.seen.append(f".steps.{name}.code")
        line = f"echo {name} >>log; test -s log" if place.alone else f"mkdir -p side; echo {name} >side/{name}"
        return self.counting({"id": name, "exec": self.rng.choice([self.nap() + line, f"{line}; exit {self.rng.randint(1, 9)}"])}, place)

    def limited_step(self, place):
        name = self.name("x")
        place.seen.append(f".steps.{name}.cause")
        return {"id": name, "exec": f"{'echo ' + name + ' >>log; ' if place.alone else ''}sleep 100", "timeout": "200ms"}

    def trying_step(self, place):
        """Fails some times, and is tried again"""
        name, fails = self.name("t"), self.rng.randint(1, 2)
        place.seen.append(f".steps.{name}.ok")
        return {"id": name, "exec": f"echo x >>try-{name}; echo {name} >>log; test $(($(wc -l <try-{name}) % {fails + 1})) = 0",
                "require": f".steps.{name}.ok", "retry": {"max": fails + 1, "wait": "10ms"}}

    def map_step(self, place):
        name = self.name("m")
        value = self.value(place)
        step = {"id": name, "map": value if self.rng.random() < 0.5 else {"a": value, "b": self.value(place)}}
        place.seen.append(f".steps.{name}")
        return self.counting(step, place)

    def sleep_step(self, place):
        long = place.alone and not place.fork and self.rng.random() < 0.15
        return {"id": self.name("s"), "sleep": "5m" if long else f"{self.rng.randint(5, 60)}ms"}

    def ask_step(self, place):
        name, kind = self.name("q"), self.rng.randrange(4)
        step = {"id": name, "ask": f"word {self.tag} {name}"}
        if kind == 0:
            step = {"id": name, "ask": f"yes {self.tag} {name}", "about": "plan", "plan": f"of {self.rng.choice(['a', 'b'])}"}
        elif kind == 1:
            step = {"id": name, "ask": f"no {self.tag} {name}", "about": "push", "rejected": "go_on"}
        elif kind == 2:
            step = {"id": name, "ask": f"left {self.tag} {name}", "choices": ["left", "right"]}
        place.seen += [f".steps.{name}.decision", f".steps.{name}.answer"]
        return self.counting(step, place)

    def verify_step(self, place):
        name = self.name("v")
        place.seen.append(f".steps.{name}.verdict")
        return {"id": name, "verify": {}}

    def effect_step(self, place):
        """Something outside of the jail that is seen there: a request to the model's endpoint"""
        name = self.name("o")
        self.has_effects = True
        place.seen.append(f".steps.{name}.ok")
        words = ["bash", "-c", self.nap() + CALL + self.rng.choice(["", "; sleep 0.05"]), "-",
                 f"{self.tag}-{name}-{{{{ .iteration }}}}-{'{{ .item }}' if '.item' in place.seen else ''}", "{{ .model.url }}"]
        return {"id": name, "command-agent": words, "effects": "outside"}

    def agent_step(self, place):
        name = self.name("a")
        commands = [f"echo {name} >>{'log' if place.alone and not place.fork else 'side-' + name}; echo done-{name}-{i}"
                    if place.alone else f"echo {name}-{i} >side-{name}; echo done-{name}-{i}" for i in range(self.rng.randint(0, 2))]
        self.roles[name] = {"warder": "role/1", "name": name, "instructions": "Do it.", "tools": ["bash"], "max_turns": 9}
        turn = 0
        for _ in range(place.times if not self.live_model else 0):
            for i, command in enumerate([*commands, None]):
                turn += 1
                reply = {"content": f"said {name}"} if command is None else {
                    "tool_calls": [{"id": f"call_{i}", "name": "bash", "arguments": {"command": command}}]}
                expect = f"SCRIPT {name} " if i == 0 else f"done-{name}-{i - 1}"
                self.transcript.append({"role": name, "turn": turn, "expect": expect, "reply": reply})
        place.seen.append(f".steps.{name}.text")
        return {"id": name, "agent": name, "prompt": f"SCRIPT {name} " + "\x1e".join(commands)}

    # ---- steps that hold steps

    def branch_step(self, place):
        arms = []
        for _ in range(self.rng.randint(1, 3)):
            inner = place.inner()
            arms.append({"when": self.rng.choice([f".state.{c} >= 2" for c in place.counters] +
                                                 [".iteration == 1", ".iteration != 2", "false", "true"]),
                         "steps": self.steps(inner, self.rng.randint(1, 2))})
        step = {"id": self.name("b"), "branch": arms}
        if self.rng.random() < 0.4:
            step["mode"] = "all"
        elif self.rng.random() < 0.5:
            arms.append({"steps": self.steps(place.inner(), 1)})
        return step

    def parallel_step(self, place):
        arms, seen = [], []
        for _ in range(self.rng.randint(2, 3)):
            inner = place.inner(alone=False)
            steps = self.steps(inner, self.rng.randint(1, 2))
            arms.append(steps[0] if len(steps) == 1 and self.rng.random() < 0.5 else steps)
            seen += inner.seen
        place.seen += [s for s in seen if s not in place.seen]
        step = {"id": self.name("p"), "parallel": arms}
        if self.rng.random() < 0.3:
            step["concurrency"] = self.rng.randint(1, 2)
        return step

    def each_step(self, place):
        n, at_once = self.rng.randint(0, 4), self.rng.randint(1, 3)
        alone = place.alone and at_once == 1
        inner = place.inner(alone=alone, times=place.times * n)
        inner.seen.append(".item")
        step = {"id": self.name("each"), "foreach": f"[range({n})]", "concurrency": at_once,
                "steps": self.steps(inner, self.rng.randint(1, 2))}
        place.seen.append(f"(.steps.{step['id']} | length)")
        return step

    def loop_step(self, place):
        n, name = self.rng.randint(1, 3), self.name("l")
        inner = place.inner(times=place.times * n)
        until = self.rng.random() < 0.5
        step = {"id": name, ("dountil" if until else "dowhile"): f".iteration >= {n}" if until else f".iteration < {n}",
                "max_iterations": 5, "steps": self.steps(inner, self.rng.randint(1, 3))}
        place.seen += [s for s in inner.seen if s not in place.seen]
        place.seen.append(f".steps.{name}.iterations")
        if place.alone and not place.fork and self.rng.random() < 0.2:
            step["timeout"] = "30m"
        return step

    def called_step(self, place):
        name, counters = self.name("w"), ["c0"]
        inner = Place(place.depth + 1, place.alone, place.fork, place.times, [".input.v"], counters)
        self.called[name] = {"warder": "workflow/1", "name": name, "steps": self.steps(inner, self.rng.randint(1, 3)),
                             "state": self.state(counters), "input": {"type": "object", "required": ["v"]}}
        return {"id": self.name("c"), "workflow": name, "with": {"v": self.value(place)}}

    def again_step(self, place):
        """A container of which all is tried again"""
        inner = place.inner(times=place.times * 3)
        failing = self.trying_step(inner)
        failing.pop("retry")
        return {"id": self.name("l"), "dountil": "true", "max_iterations": 1, "retry": {"max": 3, "wait": "10ms"},
                "steps": self.steps(inner, self.rng.randint(1, 2)) + [failing]}

    def split_step(self, place):
        n, name = self.rng.randint(1, 3), self.name("f")
        inner = place.inner(alone=True, fork=True, times=1, counters=[])
        clash = n > 1 and self.rng.random() < 0.4
        also = f"echo $1 >>clash-{name}; sort -u -o clash-{name} clash-{name}" if clash else "rm -f gone"
        work = {"id": self.name("x"), "exec": ["sh", "-c", f"mkdir -p part; echo $1 >part/{name}-$1; {also}", "-", "{{ .item }}"]}
        step = {"id": name, "split": f"[range({n})]", "steps": [work, *self.fork_steps(inner)]}
        if clash:
            fix = self.name("x")
            step.update({"max_conflicts": 4, "resolve": [{"id": fix, "exec": f"sed -i '/^[<=>|]\\{{7\\}}/d' clash-{name}; "
                                                          f"sort -u -o clash-{name} clash-{name}"}]})
        if self.rng.random() < 0.5:
            step["concurrency"] = self.rng.randint(1, 3)
        return step

    def race_step(self, place):
        n = self.rng.randint(2, 3)
        name, winner = self.name("r"), self.rng.randrange(n)
        inner = place.inner(alone=True, fork=True, times=1, counters=[])
        work = {"id": self.name("x"), "exec": ["sh", "-c", f"echo $1 >won-{name}; echo {name} >>log", "-", "{{ .item }}"]}
        return {"id": name, "race": n, "wins": f".item == {winner}", "steps": [work, *self.fork_steps(inner)]}

    def fork_steps(self, inner):
        """Workers' steps: their files are their own"""
        side = inner.inner(alone=False)
        return [self.rng.choice([self.exec_step, self.map_step])(side) for _ in range(self.rng.randint(0, 2))]

    # ---- the whole

    def failure(self):
        name = self.name("x")
        return {"id": name, "exec": f"echo {name} >>log; exit 3", "require": f".steps.{name}.ok"}

    def last_words(self, place):
        name = self.name("z")
        seen = [s for s in place.seen if " | " not in s]
        return {"id": name, "exec": ["sh", "-c", "echo $1 $2 >>log", "-", "{{ .error.cause // \"none\" }}",
                                     "{{ " + self.rng.choice(seen or [".iteration"]) + " }}"]}

    def step(self, place):
        kinds = [(self.exec_step, 6), (self.shell_step, 3), (self.map_step, 3), (self.sleep_step, 1), (self.ask_step, 1),
                 (self.limited_step, 0.2)]
        if place.alone:
            kinds += [(self.trying_step, 1), (self.verify_step, 0.5)]
        if place.alone or self.live_model:
            kinds += [(self.agent_step, 2)]
        if self.live_model:
            kinds += [(self.effect_step, 2)]
        if place.depth < 3:
            kinds += [(self.branch_step, 1.5), (self.parallel_step, 2), (self.each_step, 1.5), (self.loop_step, 2), (self.called_step, 1)]
            kinds += [(self.again_step, 0.7)] if place.alone else []
        if place.depth < 2 and place.alone and not place.fork:
            kinds += [(self.split_step, 0.8), (self.race_step, 0.6)]
        return self.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0](place)

    def steps(self, place, n):
        return [self.step(place) for _ in range(n)]
