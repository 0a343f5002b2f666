#!/usr/bin/env python3
"""warder-egress as an agent, a front and a provider see it: malformed requests first."""
import importlib.machinery, importlib.util, json, os, re, socket, ssl, subprocess, sys, tempfile, threading, time

fakes = os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes")
build = os.environ.get("top_builddir", ".")
sys.path.insert(0, fakes)
sys.dont_write_bytecode = True
import harness
from egress_peer import BODY, CALL, KEY, LIMIT, PATIENCE, Egress, read_answer

loader = importlib.machinery.SourceFileLoader("model_server", f"{fakes}/model-server")
model_server = importlib.util.module_from_spec(importlib.util.spec_from_loader("model_server", loader))
loader.exec_module(model_server)

tap = harness.Tap()


def malformed():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        tap.is_(e.open(server.url)["code"], 0, "a route opens")
        post = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        cases = [
            ("another path", "GET /v1/files HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
            ("a path that climbs", "GET /v1/models/../files HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
            ("a query", "GET /v1/models?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
            ("an absolute URL", "GET http://evil/v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
            ("CONNECT", "CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n", 404, "not_found"),
            ("another method", "DELETE /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"),
            ("HTTP/1.0", "GET /v1/models HTTP/1.0\r\nHost: x\r\n\r\n", 505, "http_version"),
            ("no HTTP at all", "hello\r\n\r\n", 400, "bad_request"),
            ("a bare line feed", "GET /v1/models HTTP/1.1\nHost: x\n\n", 400, "bad_request"),
            ("no Host", "GET /v1/models HTTP/1.1\r\n\r\n", 400, "bad_request"),
            ("two Hosts", "GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"),
            ("a folded line", "GET /v1/models HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400, "bad_request"),
            ("a blank before the colon", "GET /v1/models HTTP/1.1\r\nHost : x\r\n\r\n", 400, "bad_request"),
            ("Transfer-Encoding", post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "length_required"),
            ("no length", post + "\r\n", 411, "length_required"),
            ("two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad_request"),
            ("a negative length", post + "Content-Length: -1\r\n\r\n", 400, "bad_request"),
            ("a length of 9 MB", post + "Content-Length: 9437184\r\n\r\n", 413, "too_large"),
            ("Expect", post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", 417, "expectation_failed"),
            ("another type", "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 415, "content_type"),
            ("a packed body", post + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "encoding"),
            ("a GET with a body", "GET /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 400, "bad_request"),
            ("a head without end", "GET /v1/models HTTP/1.1\r\nHost: " + "x" * 17000, 431, "too_large"),
            ("65 headers", "GET /v1/models HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 64 + "\r\n", 431, "too_many_headers"),
        ]
        for name, raw, status, code in cases:
            answer = e.send(raw.encode())
            got = answer and (answer[0], json.loads(answer[2])["error"]["code"])
            tap.is_(got, (status, code), f"{name}: {status} {code}")
        tap.is_(server.journal, [], "none of them reached the provider")
        sock = e.connect()
        sock.sendall(post.encode())
        sock.close()
        tap.is_(e.post()[0], 200, "half a request and away: the next client is served")
        e.end()


def passing():
    with model_server.Server([{"content": "hello é", "usage": {"prompt_tokens": 11, "completion_tokens": 7}}]) as server:
        e = Egress({"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})
        e.open(server.url)
        environ = open(f"/proc/{e.process.pid}/environ").read() if os.access(f"/proc/{e.process.pid}/environ", os.R_OK) else ""
        status, headers, body = e.post(headers="Authorization: Bearer mine\r\nX-Other: 1\r\n")
        sent = server.journal[0]
        tap.is_((status, json.loads(body)["choices"][0]["message"]["content"]), (200, "hello é"), "the answer comes back as it is")
        tap.is_(sent["headers"].get("Authorization"), f"Bearer {KEY}", "the key is added, the client's own is dropped")
        tap.ok("X-Other" not in sent["headers"], "no other header of the client's goes out", sent["headers"])
        tap.is_((sent["path"], json.loads(sent["body"])), ("/v1/chat/completions", json.loads(BODY)), "path and body of the route's model go out as they came")
        event = e.event()
        tap.is_((event["kind"], event["code"], event["calls"], event["attempts"], event["tokens"]), (CALL, 200, 1, 1, (11, 7)),
                "the front hears of the call and its tokens")
        tap.is_(event["bytes"], (len(body), len(sent["body"].encode())), "and of its bytes")
        sock = e.connect()
        for i in range(3):
            sock.sendall(f"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            tap.is_(read_answer(sock)[0], 200, f"request {i + 1} of one connection")
        sock.close()
        tap.is_(e.end(), 0, "egress ends with its front")
        tap.ok(KEY not in e.text + environ and KEY not in str(event), "the key is in no log, environment or event")
        tap.is_(e.text.count("\n"), 1, "and says so once", e.text)


def retries():
    script = [{"status": 429, "headers": {"Retry-After": "1"}}, {"status": 500}, {"content": "hi"}]
    with model_server.Server(script) as server:
        e = Egress()
        e.open(server.url)
        status, headers, body = e.post()
        event = e.event()
        tap.is_((status, event["attempts"], event["calls"], event["code"]), (200, 3, 1, 200), "429, 500, then an answer: one call")
        waited = server.journal[1]["time"] - server.journal[0]["time"]
        tap.ok(0.95 <= waited < 3, "Retry-After is kept", waited)
        e.end()
    with model_server.Server([{"status": 429, "headers": {"Retry-After": "0"}, "body": {"error": {"message": "slow down"}}}]) as server:
        e = Egress()
        e.open(server.url)
        status, headers, body = e.post()
        event = e.event()
        tap.is_((status, event["attempts"], len(server.journal)), (429, 4, 4), "always 429: the last answer is passed on")
        tap.has(body.decode(), "slow down", "with the provider's words")
        tap.is_((headers.get("x-should-retry"), headers.get("retry-after")), ("false", "0"), "and says that no try is left")
        e.end()
    with model_server.Server([{"disconnect": True}, {"reset": True}, {"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url)
        tap.is_(e.post()[0], 200, "no answer twice, then one")
        e.end()
    cases = [("302", {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, 302), ("401", {"status": 401, "body": "{}"}, 401),
             ("a wait of a day", {"status": 429, "headers": {"Retry-After": "86400"}}, 429)]
    for name, entry, want in cases:
        with model_server.Server([entry]) as server:
            e = Egress()
            e.open(server.url)
            tap.is_((e.post()[0], len(server.journal)), (want, 1), f"{name}: passed on at once")
            e.end()


def no_provider():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{s.getsockname()[1]}/v1"
    e = Egress()
    e.open(url)
    status, headers, body = e.post()
    tap.is_((status, json.loads(body)["error"]["code"]), (502, "provider"), "a provider that is down: 502 provider")
    event = e.event()
    tap.is_((event["code"], event["attempts"]), (0, 4), "after four tries, the front hears of it")
    tap.has(event["text"], "connect", "with the reason")
    e.end()
    with tempfile.TemporaryDirectory() as d:
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                               "-keyout", f"{d}/k", "-out", f"{d}/c"], capture_output=True)
        if made.returncode:
            print("# no openssl to make a certificate")
            return
        server = model_server.Server([{"content": "hi"}])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{d}/c", f"{d}/k")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with server:
            e = Egress()
            e.open(server.url.replace("http://127.0.0.1", "https://localhost"))
            status, headers, body = e.post()
            tap.is_(status, 502, "a certificate that nobody signed: 502")
            tap.has(body.decode(), "certificate", "and says so")
            tap.is_(server.journal, [], "nothing was sent to it, the key least of all")
            e.end()


def limits():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url, requests=2)
        tap.is_([e.post()[0] for _ in range(3)], [200, 200, 429], "the third of two calls: 429")
        events = [e.event() for _ in range(3)]
        tap.is_([v["kind"] for v in events], [CALL, CALL, LIMIT], "the front hears of the limit")
        tap.is_(len(server.journal), 2, "the provider is not asked")
        e.end()
    with model_server.Server([{"content": "x" * 100000}, {"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url, bytes_max=5000)
        answer = e.post()
        tap.ok(answer is None or answer[0] == 502 or answer[2] is None, "a reply above bytes_max is no whole answer", answer)
        tap.has(e.event()["text"], "above the task's limit", "and the front hears why")
        tap.is_(e.post()[0], 200, "the next call is served")
        e.end()


def streams():
    parts = [{"choices": [{"delta": {"content": str(i)}}]} for i in range(4)]
    parts += [{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4}}, "[DONE]"]
    held = threading.Event()
    with model_server.Server([{"stream": parts, "held": held}, {"stream": parts, "cut": True}]) as server:
        e = Egress()
        e.open(server.url)
        sock = e.connect()
        data = BODY.encode()
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        first = b""
        try:
            while b"data:" not in first:
                first += sock.recv(65536)
        except TimeoutError:
            pass
        tap.ok(b"data:" in first, "the first part of a stream comes before the last is there", first)
        held.set()
        while b"[DONE]" not in first:
            first += sock.recv(65536)
        sock.close()  # as some clients do, before the end of the body
        tap.is_(e.event()["tokens"], (5, 4), "tokens of a stream are counted")
        answer = e.post()
        tap.ok(answer[2] is None, "a stream that breaks is no whole answer to the client", answer)
        tap.ok(e.event()["text"], "and the front hears of it")
        e.end()
    with model_server.Server([{"slow": 3600, "content": "late"}]) as server:
        e = Egress()
        e.open(server.url)
        sock = e.connect()
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        tap.ok(harness.eventually(lambda: server.journal), "a call is under way")
        sock.close()
        tap.has(e.event()["text"], "client went away", "a client that leaves ends its call")
        e.end()
    text = "y" * 40_000_000
    with model_server.Server([{"content": text}]) as server:
        e = Egress()
        e.open(server.url)
        sock = e.connect()
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        time.sleep(1)
        resident = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{e.process.pid}/status").read()).group(1))
        if not os.environ.get("ASAN_OPTIONS"):
            tap.ok(resident < 24 * 1024, "a client that does not read makes the provider wait, not egress grow", resident)
        body = read_answer(sock)[2]
        tap.is_(len(json.loads(body)["choices"][0]["message"]["content"]), len(text), "and gets all of it in the end")
        sock.close()
        e.end()


def pinning():
    """What another agent's request may not ask for: another model, an uncounted stream, a network of the provider's."""
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url)
        e.post('{"model": "dearest", "messages": []}')
        tap.is_(json.loads(server.journal[0]["body"])["model"], "m", "another model: it is asked of the route's all the same")
        e.post('{"stream": true, "stream_options": {"include_usage": false}}')
        tap.is_(json.loads(server.journal[1]["body"])["stream_options"], {"include_usage": True}, "a stream has to say what it costs")
        asked, refused = len(server.journal), {}
        for name, path, body, code in (
                ("a list of models", "/v1/chat/completions", '{"models": ["a", "b"]}', "member"),
                ("a model twice", "/v1/chat/completions", '{"model": "m", "model": "dearest"}', "bad_request"),
                ("a search of the provider's", "/v1/responses", '{"tools": [{"type": "web_search"}]}', "server_tool"),
                ("a fetch of the provider's", "/v1/messages", '{"tools": [{"type": "web_fetch_20250910", "name": "f"}]}', "server_tool"),
                ("an MCP server of its own", "/v1/messages", '{"mcp_servers": [{"type": "url", "url": "https://evil"}]}', "address"),
                ("a picture by its address", "/v1/chat/completions",
                 '{"messages": [{"content": [{"image_url": {"url": "https://evil/?secret"}}]}]}', "address"),
                ("what the provider keeps", "/v1/responses", '{"previous_response_id": "resp_1"}', "member"),
                ("a file that it keeps", "/v1/messages", '{"messages": [{"content": [{"source": {"type": "file", "file_id": "f"}}]}]}', "stored"),
                ("no JSON", "/v1/messages", "model=dearest", "bad_request")):
            status, _, answer = e.post(body, path)
            answer = json.loads(answer)
            refused[code] = answer["error"]["message"]
            tap.is_((status in (400, 403), answer["type"], answer["error"]["code"]), (True, "error", code), f"{name}: refused as {code}")
        tap.is_(len(server.journal), asked, "none of them reached the provider")
        tap.has(refused["stored"], "file_id", "the member that was refused is named")
        tap.has(refused["member"], "previous_response_id", "an outermost one too")
        tap.has(refused["server_tool"], "web_fetch_20250910", "and the tool")
        e.post('{"messages": [], "metadata": {"user_id": "u"}, "service_tier": "priority", "speed": "fast", "max_tokens": 5}', "/v1/messages")
        tap.is_(json.loads(server.journal[-1]["body"]), {"messages": [], "max_tokens": 5, "model": "m"}, "what costs more, or is not known, does not go out")
        e.post('{"input": "x", "store": true, "client_metadata": {}}', "/v1/responses")
        tap.is_(json.loads(server.journal[-1]["body"]), {"input": "x", "model": "m", "store": False}, "of Responses nothing is kept")
        e.open(server.url, id=2, allowed="service_tier,tools:web_search")
        e.branch(2, 3)
        e.post('{"service_tier": "flex", "user": "u", "tools": [{"type": "web_search"}]}', "/v1/responses")
        tap.is_(json.loads(server.journal[-1]["body"]), {"service_tier": "flex", "tools": [{"type": "web_search"}], "model": "m", "store": False},
                "what a route allows goes out, by its branches too")
        e.end()


def messages():
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 30, "cache_read_input_tokens": 12, "output_tokens": 1}}}
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": str(i)}} for i in range(5)]
    stop = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}, {"type": "message_stop"}]
    script = [{"stream": [start, *deltas, *stop]}, {"stream": [start, *deltas], "cut": True}, {"status": 200, "body": {"input_tokens": 7}},
              {"stream": deltas}]
    with model_server.Server(script) as server:
        e = Egress()
        e.open(server.url)
        status, headers, body = e.post('{"model": "x", "stream": true}', "/v1/messages?beta=true",
                                       "x-api-key: dummy\r\nAuthorization: Bearer dummy\r\nanthropic-version: 2023-06-01\r\nanthropic-beta: b-1\r\n")
        sent = server.journal[0]
        tap.is_((status, headers["content-type"], b"message_stop" in body), (200, "text/event-stream", True), "Messages: a stream passes")
        tap.is_((sent["path"], json.loads(sent["body"])), ("/v1/messages?beta=true", {"model": "m", "stream": True}), "to its path, with the route's model")
        given = {k.lower(): v for k, v in sent["headers"].items()}
        tap.is_((given.get("x-api-key"), given.get("authorization"), given.get("anthropic-version"), given.get("anthropic-beta")),
                (KEY, None, "2023-06-01", "b-1"), "with the key of egress in Anthropic's header, and its own two")
        tap.is_(e.event()["tokens"], (42, 9), "tokens: the prompt's from the stream's beginning, cached ones too, the answer's from its end")
        e.post('{"stream": true}', "/v1/messages")
        tap.is_(server.journal[1]["headers"].get("anthropic-version"), "2023-06-01", "a client that names no version gets one")
        tokens = e.event()["tokens"]
        tap.is_((tokens[0], tokens[1] >= 6), (42, True), "a stream that breaks off is not cheaper for it", tokens)
        tap.is_(json.loads(e.post("{}", "/v1/messages/count_tokens")[2]), {"input_tokens": 7}, "tokens can be counted")
        tap.is_(e.event()["tokens"], (0, 0), "which costs none")
        e.post('{"stream": true, "messages": "%s"}' % ("x" * 4000), "/v1/messages")
        tokens = e.event()["tokens"]
        tap.is_((tokens[0] >= 1000, tokens[1] >= 5), (True, True), "a provider that does not say is counted on the high side", tokens)
        e.end()


def zeros():
    """A provider that names no tokens, or none but zeros."""
    text = "word " * 400
    for name, usage in (("zeros", {"prompt_tokens": 0, "completion_tokens": 0}), ("nothing for the answer", {"prompt_tokens": 7, "completion_tokens": 0}),
                        ("nothing for the prompt", {"completion_tokens": 7}), ("nothing", {})):
        for stream in (False, True):
            chunks = [{"choices": [{"delta": {"content": "word "}}]}] * 400 + [{"choices": [], "usage": usage}]
            with model_server.Server([{"stream": chunks} if stream else {"content": text, "usage": usage}]) as server:
                e = Egress()
                e.open(server.url)
                e.post(json.dumps({"stream": stream, "messages": "x" * 4000}))
                event = e.event()
                want = (usage.get("prompt_tokens") or 1000, usage.get("completion_tokens") or 400)
                tap.ok(all(t == w if w == 7 else t >= w for t, w in zip(event["tokens"], want)) and event["guessed"],
                       f"a provider that says {name}{' of a stream' if stream else ''}: counted by the bytes, and said so", event)
                e.end()


def responses():
    """What the answer repeats of the request is no count: a client that leaves before the end pays all the same."""
    mine = {"type": "response.created", "response": {"tools": [{"parameters": {"properties": {"usage": {"input_tokens": 1, "output_tokens": 1}}}}]}}
    deltas = [{"type": "response.output_text.delta", "delta": str(i)} for i in range(8)]
    with model_server.Server([{"stream": [mine, *deltas], "cut": True}, {"stream": [mine, *deltas, {"response": {"usage": {"input_tokens": 9, "output_tokens": 8}}}]}]) as server:
        e = Egress()
        e.open(server.url)
        e.post('{"stream": true, "input": "%s"}' % ("x" * 4000), "/v1/responses")
        tokens = e.event()["tokens"]
        tap.is_((tokens[0] >= 1000, tokens[1] >= 9), (True, True), "a count of the client's own makes no call free", tokens)
        e.post('{"stream": true, "input": "%s"}' % ("x" * 4000), "/v1/responses")
        tap.is_(e.event()["tokens"], (9, 8), "a whole stream costs what it says")
        e.end()


def branches():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        tap.is_(e.branch(7, 8)["code"], -2, "a branch of a route that is not there: refused")
        e.open(server.url, id=7)
        agent = e.address
        tap.is_(e.branch(7, 8)["code"], 0, "a branch")
        e.post('{"model": "x"}')
        tap.is_((server.journal[0]["headers"].get("Authorization"), json.loads(server.journal[0]["body"])["model"]), (f"Bearer {KEY}", "m"),
                "has key, address and model of the route")
        event = e.event()
        tap.is_((event["id"], event["like"]), (8, 7), "its calls have its number, and that of the route")
        tap.is_(e.branch(7, 8)["code"], -17, "the same number twice: refused")
        tap.is_(e.branch(7, 9)["code"], 0, "a second one")
        other = e.address
        e.close_route(9)
        tap.ok(harness.eventually(lambda: refuses(other)), "a closed branch ends its listener")
        e.address = agent
        tap.is_(e.post()[0], 200, "and neither the route's")
        e.end()


def refuses(address):
    try:
        socket.create_connection(address, 20).close()
        return False
    except OSError:
        return True


def routes():
    with model_server.Server([{"slow": 3600, "content": "hi"}]) as server:
        e = Egress()
        tap.is_(e.open("http://192.0.2.1/v1")["code"], -1, "a key over plain HTTP to another host: refused")
        tap.is_(e.open("http://192.0.2.1/v1", key="")["code"], 0, "without a key it may")
        for url in ("ftp://x/v1", "nonsense", "https://user:pw@x/v1", "https://x/v1?y", ""):
            tap.is_(e.open(url, id=7)["code"], -22, f"base_url {url!r}: refused")
        tap.is_(e.open(server.url, id=7, key="two words")["code"], -22, "a key with a blank: refused")
        tap.is_(e.open(server.url, id=7, key="a\r\nX-Evil: 1")["code"], -22, "a key with a line break: refused")
        plain = socket.socket()
        plain.bind(("127.0.0.1", 0))
        tap.is_(e.open(server.url, id=7, listener=plain)["code"], -22, "a listener that does not listen: refused")
        tap.is_(e.open(server.url, id=2)["code"], 0, "a second task")
        other = e.address
        tap.is_(e.open(server.url, id=2)["code"], -17, "the same number twice: refused")
        e.address = other
        sock = e.connect()
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        tap.ok(harness.eventually(lambda: server.journal), "a call is under way")
        e.close_route(2)
        try:
            tap.is_(sock.recv(100), b"", "a closed route ends its connections")
        except ConnectionResetError:
            tap.ok(True, "a closed route ends its connections")
        event = e.event()
        tap.is_((event["kind"], event["id"], event["text"]), (CALL, 2, "the client went away"), "the call that was under way counts all the same")
        refused, deadline = False, time.monotonic() + PATIENCE
        while not refused and time.monotonic() < deadline:
            try:
                e.connect().close()
            except OSError:
                refused = True
        tap.ok(refused, "and its listener")
        e.close_route(99)
        e.open(server.url, id=3)
        many = [e.connect() for _ in range(20)]
        time.sleep(0.1)
        used = len(os.listdir(f"/proc/{e.process.pid}/fd"))
        tap.ok(used < 30, "connections of one task are bounded", used)
        for sock in many:
            sock.close()
        e.front.send(b"not a message")
        tap.is_(e.process.wait(PATIENCE), 1, "a message of the wrong size ends egress")
        e.end()
        tap.has(e.text, "no message", "with a reason")


def whole_way():
    call = {"tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]}
    with model_server.Server([{"status": 503}, call, {"content": "done"}]) as server:
        e = Egress()
        e.open(server.url)
        url = f"http://127.0.0.1:{e.address[1]}/v1"
        s = harness.run({"request": "look", "roles": {"r": {"instructions": "Look."}}, "model": {"provider": "openai", "base_url": url, "model": "m"},
                         "workflow": {"warder": "workflow/1", "name": "w", "steps": [{"id": "a", "agent": "r", "prompt": "go"}]}}, {"a.txt": "one\n"})
        tap.is_((s.state(), len(server.journal)), ("done", 3), "agent, egress, provider: a whole turn", s.summary(), s.stderr)
        tap.ok(all(r["headers"].get("Authorization") == f"Bearer {KEY}" for r in server.journal), "with the key that only egress has")
        e.end()
    with model_server.Server([{"status": 500, "headers": {"Retry-After": "0"}}]) as server:
        e = Egress()
        e.open(server.url)
        url = f"http://127.0.0.1:{e.address[1]}/v1"
        s = harness.run({"request": "look", "roles": {"r": {"instructions": "Look."}}, "model": {"provider": "openai", "base_url": url, "model": "m"},
                         "workflow": {"warder": "workflow/1", "name": "w", "steps": [{"id": "a", "agent": "r", "prompt": "go"}]}})
        tap.is_((s.cause(), len(server.journal)), ("model_status", 4), "tries of agent and egress do not multiply", s.summary())
        e.end()


for part in (malformed, passing, retries, no_provider, limits, streams, pinning, messages, responses, branches, routes, zeros, whole_way):
    start = time.monotonic()
    part()
    print(f"# {part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
tap.end()
