#!/usr/bin/env -S python3 -B
"""gate-requests: what verify.run and task.* refuse, by which code and field, before any jail is asked for."""
import os

from front_lib import Front, Tap

tap = Tap()
SPEC = {"warder": "verify/1", "commands": [{"run": ["true"]}]}
REPLAY = {"provider": "replay"}
ROUTE = {"provider": "openai", "base_url": "https://models.example/v1", "model": "m"}
UNKNOWN = "t-aaaaaaaaaa"


def files(*texts):
    fds = []
    for text in texts:
        fds.append(os.memfd_create("input"))
        os.write(fds[-1], text)
        os.lseek(fds[-1], 0, os.SEEK_SET)
    return fds


def refused(client, what, method, params, code, path=None, fds=()):
    """code: of JSON-RPC, or the word in data."""
    answer = client.call(method, params, fds)
    error = answer.get("error", {})
    got = error.get("code") if isinstance(code, int) else error.get("data", {}).get("code")
    tap.same(got, code, f"{method}, {what}: {code}")
    if path is not None:
        tap.same(error.get("data", {}).get("path", ""), path, f"{method}, {what}: at {path}")
    for fd in fds:
        os.close(fd)


front = Front(agent="/bin/true")
client = front.client()

def spec(**more):
    return {"spec": {**SPEC, **more}}


two = lambda: files(b"", b"")
refused(client, "no spec", "verify.run", {}, -32602, fds=two())
refused(client, "a text for a spec", "verify.run", {"spec": "make test"}, -32602, "/spec", two())
refused(client, "another version", "verify.run", spec(warder="verify/2"), -32602, "/spec/warder", two())
refused(client, "no command", "verify.run", spec(commands=[]), -32602, "/spec/commands", two())
refused(client, "a shell line", "verify.run", spec(commands=[{"run": "true"}]), -32602, "/spec/commands/0/run", two())
refused(client, "an unknown parser", "verify.run", spec(commands=[{"run": ["a"], "parse": "guess"}]), -32602,
        "/spec/commands/0/parse", two())
refused(client, "an unknown field", "verify.run", {**spec(), "sudo": True}, -32602, fds=two())
refused(client, "no time", "verify.run", spec(commands=[{"run": ["a"], "wall": "soon"}]), "invalid",
        "/spec/commands/0/wall", two())
refused(client, "more time than the policy has", "verify.run", spec(commands=[{"run": ["a"], "wall": "3h"}]), "denied",
        "/spec/commands/0/wall", two())
refused(client, "a variable of the loader", "verify.run",
        spec(commands=[{"run": ["a"], "env": {"LD_PRELOAD": "/work/x.so"}}]), "invalid",
        "/spec/commands/0/env/LD_PRELOAD", two())
refused(client, "reruns", "verify.run", spec(reruns={"need": 4, "of": 3}), "invalid", "/spec/reruns", two())
refused(client, "no descriptor", "verify.run", spec(), "invalid")
refused(client, "one descriptor", "verify.run", spec(), "invalid", fds=files(b""))
refused(client, "an unknown snapshot", "verify.run", {**spec(), "snapshot": "none"}, "not_found", "/snapshot", two())
refused(client, "an unknown policy", "verify.run", {**spec(), "policy": "none"}, "not_found", "/policy", two())
refused(client, "the host's root where the policy refuses it", "verify.run", {**spec(), "policy": "strict"}, "denied",
        "/snapshot", two())
refused(client, "a looser limit", "verify.run", {**spec(), "limits": {"memory": 1 << 50}}, "denied", "/limits/memory", two())


def start(**more):
    return {"request": "mend it", "spec": SPEC, "model": REPLAY, **more}


refused(client, "no model", "task.start", {"request": "x", "spec": SPEC}, -32602, fds=two())
refused(client, "an empty request", "task.start", start(request=""), -32602, "/request", two())
refused(client, "an unknown provider", "task.start", start(model={"provider": "oracle"}), -32602, "/model/provider", two())
refused(client, "no limit at all", "task.start", start(limits={"verifies": 0}), -32602, "/limits/verifies", two())
refused(client, "an unknown limit", "task.start", start(limits={"wishes": 5}), -32602, fds=two())
refused(client, "an address that is none", "task.start", start(model={**ROUTE, "base_url": "file:///etc/passwd"}), -32602,
        "/model/base_url", two())
refused(client, "a route in the service", "task.start", start(model=ROUTE), "denied", "/model", two())
refused(client, "an unknown policy", "task.start", start(policy="none"), "not_found", "/policy", two())
refused(client, "the host's root where the policy refuses it", "task.start", start(policy="strict"), "denied", "/snapshot", two())
refused(client, "no transcript", "task.start", start(), "invalid", "/model", files(b""))
refused(client, "an unknown workflow", "task.start", start(workflow="none"), "not_found", "/workflow", two())
refused(client, "a workflow by path", "task.start", start(workflow="../roles/architect"), "invalid", "/workflow", two())
reader, writer = os.pipe()
refused(client, "a pipe for a transcript", "task.start", start(), "invalid", fds=files(b"") + [reader])
os.close(writer)

for method in ("task.show", "task.watch", "task.cancel", "task.patch", "task.log"):
    refused(client, "an unknown task", method, {"task": UNKNOWN}, "not_found")
    refused(client, "no name of a task", method, {"task": "../x"}, -32602, "/task")
tap.same(client.call("task.list")["result"], {"tasks": [], "waiting": []}, "there is no task, and nobody is waited for")

# one that is asked for is there at once, and belongs to who asked
answer = client.call("task.start", start(keep=True), two())
task = answer["result"]["task"]
tap.ok(client.call("task.show", {"task": task})["result"]["state"] in ("queued", "preparing"), "a task is prepared")
tap.same(client.call("task.cancel", {"task": task})["result"]["state"], "cancelled", "and can be cancelled")
shown = client.call("task.show", {"task": task})["result"]
tap.same((shown["state"], shown["cause"]), ("cancelled", "cancelled"), "which stays known")
tap.same([e["data"]["state"] for e in client.call("task.log", {"task": task})["result"]["events"] if e["event"] == "task.state"],
         ["queued", "preparing", "cancelled"], "with its events")
refused(client, "nothing was made", "task.patch", {"task": task}, "not_found")
front.stop()

bare = Front()
refused(bare.client(), "no agent is installed", "task.start", start(), "unsupported", fds=two())
bare.stop()
private = Front(private=True, agent="/bin/true")
refused(private.client(), "no egress is installed", "task.start", start(model=ROUTE), "unsupported", "/model", two())
private.stop()
tap.end()
