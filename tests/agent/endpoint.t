#!/usr/bin/env python3
"""What an endpoint can do wrong, and the named end that each of it has."""
import importlib.machinery, importlib.util, json, os, socket, subprocess, sys, time

fakes = os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes")
sys.path.insert(0, fakes)
sys.dont_write_bytecode = True
import harness

loader = importlib.machinery.SourceFileLoader("model_server", f"{fakes}/model-server")
model_server = importlib.util.module_from_spec(importlib.util.spec_from_loader("model_server", loader))
loader.exec_module(model_server)

tap = harness.Tap()
ROLE = {"instructions": "Do it.", "max_turns": 12}
WORKFLOW = {"warder": "workflow/1", "name": "one", "steps": [{"id": "do", "agent": "worker", "prompt": "{{ .input.request }}"}]}
DONE = {"content": "done"}


def run(script, workflow=WORKFLOW, role=ROLE, files=None, **more):
    with model_server.Server(script) as server:
        scenario = {"request": "please", "workflow": workflow, "roles": {"worker": role},
                    "model": {"provider": "openai", "base_url": server.url, "model": "m-1"}, **more}
        s = harness.run(scenario, files or {"a.txt": "one\ntwo\n"})
        s.requests = [json.loads(r["body"]) for r in server.journal]
        s.journal = server.journal
    return s


def call(name, arguments, **more):
    return {"tool_calls": [{"name": name, "arguments": arguments, **more}]}


def good():
    s = run([call("read", {"path": "a.txt"}, id="abc"), DONE])
    tap.is_((s.state(), s.cause()), ("done", None), "a turn with a tool", s.summary(), s.stderr)
    first, second = s.requests
    tap.is_((first["model"], first["tool_choice"]), ("m-1", "auto"), "the model's name, and tools left to it")
    tap.is_(sorted(t["function"]["name"] for t in first["tools"]),
            ["bash", "edit", "glob", "grep", "read", "verify", "write"], "all tools of the role")
    tap.is_([m["role"] for m in second["messages"]], ["system", "user", "assistant", "tool"], "the thread as messages")
    tap.is_(second["messages"][2]["content"], None, "no text beside a call: null")
    tap.is_(second["messages"][3]["tool_call_id"], "abc", "the result names its call")
    tap.has(second["messages"][3]["content"], "     2\ttwo", "and holds what the tool gave")
    tap.is_(s.of("model.call")[0]["data"]["tokens_in"], 100, "usage is in the event")
    tap.ok("authorization" not in {k.lower() for k in s.journal[0]["headers"]}, "the agent sends no key")


def retries():
    s = run([{"status": 429, "headers": {"Retry-After": "1"}, "body": {"error": {"message": "slow down"}}}, DONE])
    waited = s.journal[1]["time"] - s.journal[0]["time"]
    tap.is_(s.state(), "done", "429, then an answer", s.summary())
    tap.ok(0.95 <= waited < 3, "Retry-After in seconds is kept", waited)
    tap.has(str(s.of("notice")), "HTTP 429; try 2 of 4 in", "and people are told")
    s = run([{"status": 429, "headers": {"Retry-After": "date+2"}}, DONE])
    waited = s.journal[1]["time"] - s.journal[0]["time"]
    tap.ok(s.state() == "done" and 0.9 <= waited < 4, "Retry-After as a date is kept", waited, s.summary())
    s = run([{"status": 500}, {"disconnect": True}, {"reset": True}, DONE])
    tap.is_((s.state(), len(s.requests)), ("done", 4), "500, no answer, a reset, then an answer", s.summary())
    tap.is_(s.of("model.call")[0]["data"]["attempts"], 4, "the tries are in the event")


def named_ends():
    zero = {"Retry-After": "0"}
    cases = [
        ("always 429", {"status": 429, "headers": zero, "body": {"error": {"message": "slow down"}}}, "model_rate_limit", "slow down", 4),
        ("no money", {"status": 429, "body": {"error": {"message": "pay", "code": "insufficient_quota"}}}, "model_rate_limit", "pay", 1),
        ("a wait of a day", {"status": 429, "headers": {"Retry-After": "86400"}}, "model_rate_limit", "HTTP 429", 1),
        ("always 500", {"status": 500, "headers": zero, "body": "oops"}, "model_status", "HTTP 500 after 4 tries", 4),
        ("who says so is not asked again", {"status": 503, "headers": {"x-should-retry": "false"}}, "model_status", "HTTP 503 after 1 try", 1),
        ("401", {"status": 401, "body": {"error": {"message": "no key"}}}, "model_status", "no key", 1),
        ("a redirect", {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "model_status", "HTTP 302", 1),
        ("invalid JSON", {"status": 200, "body": "{\"choices\": ["}, "model_reply", "no valid JSON", 1),
        ("HTML", {"status": 200, "body": "<html>hello</html>"}, "model_reply", "no valid JSON", 1),
        ("JSON of another shape", {"status": 200, "body": {"error": "model is loading"}}, "model_reply", "model is loading", 1),
        ("no choices", {"status": 200, "body": {"choices": []}}, "model_reply", "choices[0].message", 1),
        ("cut at the length limit", {"content": "half", "finish_reason": "length"}, "model_length", "length limit", 1),
        ("the content filter", {"content": "", "finish_reason": "content_filter"}, "model_filter", "filter", 1),
        ("a refusal", {"message": {"refusal": "I will not"}}, "model_filter", "I will not", 1),
        ("garbage on the socket", {"raw": "SSH-2.0-OpenSSH\r\n"}, "model_unreachable", "4 tries", 4),
    ]
    for name, entry, cause, words, tries in cases:
        s = run([entry])
        tap.is_((s.state(), s.cause()), ("failed", cause), f"{name}: {cause}", s.summary(), s.stderr)
        tap.has(s.summary(), words, f"{name}: the reason")
        tap.is_(len(s.requests), tries, f"{name}: tries")


def down():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    s = harness.run({"workflow": WORKFLOW, "roles": {"worker": ROLE},
                     "model": {"provider": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "model": "m"}})
    tap.is_((s.state(), s.cause()), ("failed", "model_unreachable"), "an endpoint that is down: model_unreachable", s.summary())
    tap.has(s.summary(), "4 tries", "after a few tries")


def wrong_calls():
    s = run([call("read", "{\"path\": "), call("frobnicate", {}), call("read", {"file": "a.txt"}),
             call("read", {"path": 7}), call("read", {"path": "a.txt"}), DONE])
    tap.is_((s.state(), s.cause()), ("done", None), "four wrong calls, then a right one", s.summary())
    results = [m["content"] for m in s.requests[-1]["messages"] if m["role"] == "tool"]
    tap.has(results[0], "not valid JSON", "malformed arguments: says so")
    tap.has(results[1], "bash, read, write, edit, glob, grep, verify", "an unknown tool: the list of tools")
    tap.has(results[2], "file", "an unknown or missing parameter: its name")
    tap.has(results[3], "/path", "a wrong type: the field")
    tap.is_(s.requests[-1]["messages"][2]["tool_calls"][0]["function"]["arguments"], "{}",
            "malformed arguments do not go back to the server as they were")
    s = run([call("frobnicate", {})])
    tap.is_((s.state(), s.cause()), ("failed", "bad_tool_calls"), "wrong calls without end: bad_tool_calls", s.summary())
    tap.is_(len(s.requests), 5, "after five in a row")
    s = run([call("read", {"path": "a.txt"})], role={**ROLE, "guards": {"same_call": 100}})
    tap.is_((s.state(), s.cause(), len(s.requests)), ("failed", "max_turns", 12), "calls without end: max_turns", s.summary())


def quirks():
    raw = {"choices": [{"message": {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [
        {"function": {"name": "read", "arguments": {"path": "a.txt", "limit": None}}},
        {"function": {"name": "glob", "arguments": "{\"pattern\":\"*\"}"}}]}, "finish_reason": "stop"}]}
    s = run([{"status": 200, "body": raw}, {"message": {"content": [{"type": "text", "text": "all "}, {"type": "text", "text": "done"}]}}])
    tap.is_(s.state(), "done", "arguments as an object, no ids, null content, reasoning_content", s.summary())
    ids = [m["tool_call_id"] for m in s.requests[1]["messages"] if m["role"] == "tool"]
    tap.ok(len(ids) == 2 and len(set(ids)) == 2 and all(ids), "calls without an id get different ones", ids)
    tap.is_(s.checkpoints[0]["output"], {"text": "all done"}, "content in parts is one text")


def outputs():
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    workflow = {"warder": "workflow/1", "name": "one", "steps": [
        {"id": "do", "agent": "worker", "prompt": "count", "output": schema}]}
    s = run([{"content": "five"}, {"content": "{\"n\": \"five\"}"}, {"content": "{\"n\": 5}"}], workflow)
    tap.is_((s.state(), s.checkpoints and s.checkpoints[0]["output"]), ("done", {"n": 5}),
            "an output that does not fit is fed back", s.summary())
    tap.has(s.requests[2]["messages"][-1]["content"], "/n", "with the field")
    s = run([{"content": "five"}], workflow)
    tap.is_((s.state(), s.cause(), len(s.requests)), ("failed", "output_invalid", 3), "three times: output_invalid", s.summary())


def slow():
    start = time.monotonic()
    s = run([{"slow": 1, "content": "done"}])
    tap.ok(s.state() == "done" and time.monotonic() - start >= 1, "a slow answer is waited for")
    s = run([{"content": "done", "drip": 0.002}])
    tap.is_(s.state(), "done", "an answer byte by byte")
    with model_server.Server([{"slow": 3600, "content": "late"}]) as server:
        work = {"workflow": WORKFLOW, "roles": {"worker": ROLE},
                "model": {"provider": "openai", "base_url": server.url, "model": "m"}}
        sup = harness.Supervisor(work, "/tmp", os.environ.get("WARDER_AGENT", os.environ.get("top_builddir", ".") + "/agent/warder-agent"), ".")
        ours = sup.start()
        buffer = b""
        while b"step.start" not in buffer:
            part = ours.recv(65536)
            for line in part.split(b"\n"):
                if b'"method":"task.info"' in line:
                    sup.answer(ours, json.loads(line))
            buffer += part
        tap.ok(harness.eventually(lambda: server.journal), "the model thinks")
        ours.close()
        try:
            code = sup.process.wait(60)
        except subprocess.TimeoutExpired:
            sup.process.kill()
            code = sup.process.wait()
        tap.is_(code, 1, "the supervisor goes away meanwhile: the agent ends")


good()
retries()
named_ends()
down()
wrong_calls()
quirks()
outputs()
slow()
tap.end()
