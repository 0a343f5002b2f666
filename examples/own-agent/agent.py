#!/usr/bin/env python3
"""An agent that stands in warder-agent's place: a hundred lines over the task's socket, as warder-agent(7) describes it.

It lets the model run one shell line at a time in the task's jail, and asks for a verdict when the model says DONE. What it
was told it keeps with each commit, so that one that is killed is followed by one that goes on from there. wrap.c makes a
program of it, since what stands in that place is executed from memory.
"""
import json
import os
import socket
import urllib.request

TURNS_MAX = 40
SYSTEM = """You mend the project in /work. Answer with one shell command line and nothing else; you are told what it printed.
When the work is done answer DONE: then the tests run."""


class Refused(Exception):
    """A request was refused; its word, as 'limit' or 'busy'."""


class Link:
    """JSON-RPC over descriptor 3: one message a line; descriptors travel beside the bytes of the line that names them."""

    def __init__(self):
        self.socket = socket.socket(fileno=3)
        self.bytes, self.fds, self.last = b"", [], 0

    def send(self, method, params, number=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def tell(self, event, **members):
        """A notification: nobody answers it."""
        self.send("event", {"event": event, **members})

    def line(self):
        while b"\n" not in self.bytes:
            got, fds, flags, _ = socket.recv_fds(self.socket, 65536, 16)
            if not got:
                raise SystemExit("the supervisor is gone")
            self.bytes += got
            self.fds += fds
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line)

    def call(self, method, **params):
        """Result and descriptors of a request."""
        self.last += 1
        self.send(method, params, self.last)
        while (answer := self.line()).get("id") != self.last:
            pass
        n = answer.get("fds", 0)
        fds, self.fds = self.fds[:n], self.fds[n:]
        if "error" in answer:
            raise Refused(answer["error"].get("data", {}).get("code", "invalid"), answer["error"]["message"])
        return answer["result"], fds


def ask(model, messages):
    """The model's next words. Its address leads to egress, which has the key and names the model."""
    body = json.dumps({"model": model["model"], "messages": messages}).encode()
    request = urllib.request.Request(model["base_url"] + "/chat/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)["choices"][0]["message"]["content"].strip()


def run(link, line):
    """A shell line in the task's jail, and what a model may want to know of it."""
    record, _ = link.call("exec", command=line, path="work")
    text = record["output"]["stdout"]["text"] if record["output"] else ""
    return f"{record['cause']}, code {record['code']}\n{text}"


def journal(info, fds):
    """The messages of an agent that was here before us; none for the first."""
    found = info.get("journal") or {}
    if "journal_fd" in info:
        with os.fdopen(fds[info["journal_fd"]]) as file:
            found = json.load(file)
    return (found.get("state") or {}).get("messages")


def work(link, model, messages):
    """Returns how it ended, for finish: state and cause."""
    for turn in range(len(messages) // 2, TURNS_MAX):
        words = ask(model, messages)
        if words == "DONE":
            verdict, _ = link.call("verify", path="verify")
            if verdict["verdict"] == "passed":
                return "done", None
            told = verdict["digest"]
        else:
            told = run(link, words)
        messages += [{"role": "assistant", "content": words}, {"role": "user", "content": told}]
        link.tell("notice", data={"text": f"turn {turn}: {words[:200]}"})
        link.call("checkpoint", path=f"turn[{turn}]", output=None, state={"messages": messages})
    return "failed", "max_turns"


def main():
    link = Link()
    info, fds = link.call("task.info")
    if info["model"]["provider"] != "openai":
        link.call("finish", state="failed", cause="no_model", summary="a recorded model has no address")
        return
    first = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": info["request"]}]
    messages = journal(info, fds) or first
    link.tell("step.start", step="work", data={"kind": "own", "path": "work"})
    state, cause = work(link, info["model"], messages)
    link.tell("step.end", step="work", data={"kind": "own", "path": "work", "state": "done" if state == "done" else "failed"})
    link.call("finish", state=state, summary=f"{len(messages)} messages", **({"cause": cause} if cause else {}))


main()
