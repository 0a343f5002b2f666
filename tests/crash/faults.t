#!/usr/bin/env -S python3 -B
"""What the random runs found, each by itself: tasks that are taken up after kill -9 of their supervisor."""
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rpc"))
from front_lib import Tap  # noqa: E402
from world import Closed, Run, World, need_jails  # noqa: E402

need_jails()
tap = Tap()
world = World("crashfaults")


class Given:
    """A workflow as random ones are"""
    tag, roles, transcript = "s0", {}, []

    def __init__(self, steps, live_model=False):
        self.json, self.live_model = {"warder": "workflow/1", "name": "given", "steps": steps}, live_model


def until(run, states):
    """Follow it to one of @states, for two minutes at most"""
    end = time.monotonic() + 120
    while run.state not in states and not run.is_final() and time.monotonic() < end:
        for event in world.listen(1):
            if event.get("task") == run.id:
                world.heard(run, event)
    return run.state, run.cause


def kill(run):
    world.process.kill()
    try:
        while True:
            world.listen(60)
    except Closed:
        world.again([run])


def question(run):
    return next(q for q in world.call("task.waiting")["result"]["questions"] if q["task"] == run.id)


ASK = [{"id": "one", "exec": "echo one >>log"}, {"id": "q", "ask": "word s0 q"}, {"id": "two", "exec": "echo two >>log"}]


def answered_without_a_key():
    run = Run(Given(ASK, live_model=True))
    world.begin(run)
    tap.same(until(run, ["suspended"]), ("suspended", "ask"), "a task with a model's key waits for an answer")
    kill(run)
    world.answer(run, question(run))
    tap.same(until(run, []), ("verified", None), "answered after its supervisor was killed: it waits for its key, and goes on with it")
    log = world.call("task.log", {"task": run.id, "limit": 200})["result"]["events"]
    causes = [e["data"].get("cause") for e in log if e["event"] == "task.state"]
    tap.ok("model_key" in causes, "which it says", causes)


def decided_and_lost():
    run = Run(Given(ASK))
    world.begin(run)
    until(run, ["suspended"])
    world.process.kill()
    world.process.wait()
    world.wait_for_lock()
    ledger = sqlite3.connect(os.path.join(world.state, "front/ledger.db"))
    ledger.execute("UPDATE questions SET decision = 'answered', answer = '\"word\"', comment = '', decided = asked, by_uid = 0 "
                   "WHERE task = ?", (run.id,))
    ledger.commit()
    ledger.close()
    world.again([run])
    tap.same(until(run, []), ("verified", None), "killed between a decision and what follows from it: the task goes on")


def started_without_egress():
    world.kill("warder-egress", random.Random(0))
    run = Run(Given([{"id": "one", "exec": "true"}], live_model=True))
    world.begin(run)
    tap.same(until(run, []), ("verified", None), "a task that is started in the moment in which egress is started again waits for it")


def last_verdict_is_the_end():
    run = Run(Given([{"id": "one", "exec": "echo one >>log"}, {"id": "v", "verify": {}}]))
    world.begin(run)
    tap.same(until(run, []), ("verified", None), "a verify at the end of a workflow is its last one")
    tap.same(world.call("task.show", {"task": run.id})["result"].get("summary"), "the workflow ran to its end", "and it has a summary as any other")


last_verdict_is_the_end()
answered_without_a_key()
started_without_egress()
decided_and_lost()
world.connection.close()
world.stop()
tap.end()
