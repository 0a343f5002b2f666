#!/usr/bin/env python3
"""warder-egress against a task that wants all of it: memory, time, descriptors, the front's ear. Another task is served meanwhile."""
import importlib.machinery, importlib.util, json, os, resource, socket, sys, threading, time

fakes = os.path.join(os.environ.get("top_srcdir", "."), "tests", "fakes")
sys.path.insert(0, fakes)
sys.dont_write_bytecode = True
import harness
from egress_peer import BODY, CALL, LIMIT, OPENED, Egress, read_answer

loader = importlib.machinery.SourceFileLoader("model_server", f"{fakes}/model-server")
model_server = importlib.util.module_from_spec(importlib.util.spec_from_loader("model_server", loader))
loader.exec_module(model_server)

tap = harness.Tap()
POST = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
LARGEST = 8 << 20


def code_of(answer):
    return answer and (answer[0], json.loads(answer[2])["error"]["code"])


def send_all(sock, data):
    """As much as is taken; a refusal may end it."""
    try:
        sock.sendall(data)
    except OSError:
        pass


def memory():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url, id=1)
        greedy = e.address
        e.branch(1, 3)
        branch = e.address
        e.open(server.url, id=2)
        other = e.address
        before = e.resident()
        e.address = greedy
        held = [e.connect(), e.connect()]
        for sock in held:
            sock.sendall(POST.format(LARGEST).encode() + b" " * (LARGEST - 1))
        tap.ok(harness.eventually(lambda: before == 0 or e.resident() > before + 15 * 1024), "two of the largest requests, a byte short, are held",
               before, e.resident())
        for name, address in (("the same route", greedy), ("a branch of it", branch)):
            e.address = address
            sock = e.connect()
            sock.sendall(POST.format(LARGEST).encode())
            answer = read_answer(sock)
            tap.is_(code_of(answer), (503, "memory"), f"a third one, by {name}: 503 memory")
            tap.is_((answer[1].get("x-should-retry"), answer[1].get("retry-after")), (None, "1"), "which may be tried again")
            threading.Thread(target=send_all, args=(sock, b" " * LARGEST), daemon=True).start()
        e.address = greedy
        tap.is_(e.post()[0], 200, "a small one finds room")
        e.address = other
        tap.is_(e.post(json.dumps({"messages": "x" * (4 << 20)}))[0], 200, "and another task has all of its own")
        e.address = greedy
        crowd = []
        for _ in range(6):
            sock = e.connect()
            threading.Thread(target=send_all, args=(sock, POST.format(LARGEST).encode() + b" " * (LARGEST - 1)), daemon=True).start()
            crowd.append(sock)
        tap.is_([code_of(read_answer(sock)) for sock in crowd], [(503, "memory")] * 6, "a crowd of them is refused, one by one")
        tap.ok(e.resident() < 64 * 1024, "and egress stays as small as that", e.resident())
        for sock in held + crowd:
            sock.close()
        tap.ok(harness.eventually(lambda: e.post(json.dumps({"messages": "x" * (LARGEST - 100)}))[0] == 200), "what was held is free again")
        tap.is_(e.end(), 0, "egress ends as always")


def answers():
    """Answers that nobody reads."""
    text = "x" * (4 << 20)
    with model_server.Server([{"content": text}]) as server:
        e = Egress()
        e.open(server.url)
        socks = [e.connect() for _ in range(8)]
        for sock in socks:
            sock.sendall(POST.format(len(BODY.encode())).encode() + BODY.encode())
        tap.ok(harness.eventually(lambda: len(server.journal) == 8), "eight large answers at once")
        first = [sock.recv(1) for sock in socks]
        tap.ok(e.resident() < 32 * 1024, "that nobody reads: egress does not grow with them", e.resident())
        whole = [len(json.loads(read_rest(sock, part))["choices"][0]["message"]["content"]) for sock, part in zip(socks, first)]
        tap.is_(whole, [len(text)] * 8, "and all of them come whole in the end")
        e.end()


def read_rest(sock, first):
    class Joined:
        def recv(self, n):
            nonlocal first
            part, first = first or sock.recv(n), b""
            return part
    return read_answer(Joined())[2]


def patience():
    with model_server.Server([{"content": "x" * (4 << 20)}, {"content": "late", "slow": 7}]) as server:
        e = Egress()
        e.open(server.url, patience=4)
        halves = [("half a head", GET[:30]), ("half a body", POST.format(100).encode() + b"{"), ("a head without end", b"GET /v1/models HTTP/1.1\r\nHost: x\r\n")]
        socks = []
        for _, raw in halves:
            socks.append(e.connect())
            socks[-1].sendall(raw)
        idle = e.connect()
        for sock, (name, _) in zip(socks, halves):
            sock.settimeout(60)
            tap.is_(code_of(read_answer(sock)), (408, "timeout"), f"{name}, and no more: 408 after the route's patience")
        idle.settimeout(60)
        tap.is_(idle.recv(1), b"", "one that asks nothing is closed")
        sock = e.connect()
        sock.sendall(POST.format(len(BODY.encode())).encode() + BODY.encode())
        e.front.settimeout(60)
        event = e.event()
        tap.is_((event["kind"], event["text"]), (CALL, "the client does not read its answer"), "an answer that nobody reads ends, and the front hears why")
        tap.is_(e.post()[0], 200, "a provider may take longer than that")
        e.end()


def drips():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url)
        sock = e.connect()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in POST.format(len(BODY.encode())).encode() + BODY.encode():
            sock.sendall(bytes([byte]))
        tap.is_(read_answer(sock)[0], 200, "a request that comes byte by byte is one")
        post = POST.format(len(BODY.encode())).encode() + BODY.encode()
        sock.sendall(post + GET + post)
        stream = Stream(sock)
        tap.is_([stream.answer()[0] for _ in range(3)], [200] * 3, "requests behind one another are answered in turn")
        tap.is_([r["method"] for r in server.journal], ["POST", "POST", "GET", "POST"], "each once")
        e.open(server.url, id=2, requests=3)
        sock = e.connect()
        threading.Thread(target=send_all, args=(sock, GET * 400000), daemon=True).start()
        stream = Stream(sock)
        tap.is_([stream.answer()[0] for _ in range(4)], [200, 200, 200, 429], "a flood of them: three calls, then none")
        tap.ok(e.resident() < 24 * 1024, "which is not read ahead", e.resident())
        e.end()


class Stream:
    """Answers with a length, one after the other, of one connection."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError
        self.data += part

    def answer(self):
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(self.data) < length:
            self.more()
        body, self.data = self.data[:length], self.data[length:]
        return int(head.split(b" ")[1]), body


def deaf_front():
    """A front that is slow to listen, and a client that goes on where it has nothing left."""
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url, requests=1)
        tap.is_(e.post()[0], 200, "the one call")
        refused = sum(e.post()[0] == 429 for _ in range(2200))
        tap.is_((refused, e.process.poll()), (2200, None), "two thousand more are refused, and egress is still there")
        tap.is_([e.event()["kind"], e.event()["kind"]], [CALL, LIMIT], "the front is told of the limit")
        e.open(server.url, id=2, listen=False)
        tap.is_(e.event()["kind"], OPENED, "once")
        statuses = []
        while len(statuses) < 1600 and 503 not in statuses:
            statuses.append(e.post("{}", "/v1/messages/count_tokens")[0])
        tap.is_(statuses[-1], 503, "calls whose end the front does not hear: from some on none begins", len(statuses))
        for _ in range(len(statuses) - 1):
            e.event()
        tap.ok(harness.eventually(lambda: e.post("{}", "/v1/messages/count_tokens")[0] == 200), "and on they go when it listens again")
        e.end()


def providers():
    """What a provider may send that is no answer."""
    ok = "HTTP/1.1 200 OK\r\n"
    oddities = [("a head without end", ok + "X-Pad: %s\r\n" % ("x" * 1000) * 200), ("a header of a MB", ok + "X: %s\r\n\r\n" % ("x" * (1 << 20))),
                ("a chunk of no number", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n"),
                ("a chunk of 2^64", ok + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nhi\r\n"),
                ("a length below zero", ok + "Content-Length: -5\r\n\r\nhi"), ("no HTTP", "220 smtp ready\r\n" * 3)]
    for name, raw in oddities:
        with model_server.Server([{"raw": raw}]) as server:
            e = Egress()
            e.open(server.url)
            answer = e.post()
            tap.ok(answer is None or answer[0] == 502 or answer[2] is None, f"{name} of the provider's is no whole answer", answer)
            server.script, server.at = [{"content": "hi"}], 0
            tap.ok(e.process.poll() is None and e.post()[0] == 200 and e.resident() < 24 * 1024, "and harms nobody", e.resident())
            e.end()
    line = json.dumps({"choices": [{"delta": {"content": "y" * (6 << 20)}}]})
    with model_server.Server([{"stream": [line, json.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4}})]}]) as server:
        e = Egress()
        e.open(server.url)
        body = e.post('{"stream": true}')[2]
        tap.ok(body.count(b"y") >= 6 << 20 and e.resident() < 24 * 1024, "a line of 6 MiB of a stream passes, and is not kept", len(body), e.resident())
        tap.is_(e.event()["tokens"], (5, 4), "with its tokens counted")
        e.end()


def reservations():
    """Tokens are set aside when a call begins: many at once spend no more than one after the other."""
    spent = {"prompt_tokens": 100, "completion_tokens": 900}
    body = json.dumps({"messages": [], "max_tokens": 1000}).encode()
    post = POST.format(len(body)).encode() + body
    with model_server.Server([{"content": "hi", "usage": spent, "slow": 0.3}]) as server:
        e = Egress()
        e.open(server.url, id=1, tokens=4000)
        route = e.address
        e.branch(1, 2)
        branch = e.address
        socks = []
        for i in range(12):
            socks.append(socket.create_connection(route if i % 2 else branch, 60))
            socks[-1].sendall(post)
        statuses = [read_answer(sock)[0] for sock in socks]
        tap.is_((statuses.count(200), statuses.count(429)), (4, 8), "twelve calls at once, tokens for four: four", statuses)
        tap.is_(len(server.journal), 4, "no other reaches the provider")
        events = [e.event() for _ in range(5)]
        tap.is_((sum(sum(v["tokens"]) for v in events if v["kind"] == CALL), [v["code"] for v in events if v["kind"] == LIMIT]), (4000, [2]),
                "the budget is used, not more, and the limit is that of tokens")
        e.open(server.url, id=3, tokens=1500)
        tap.is_([e.post('{"max_tokens": 900000}')[0] for _ in range(3)], [200, 200, 429], "who asks for more than there is, alone, is asked for what is left")
        asked = [json.loads(r["body"])["max_tokens"] for r in server.journal[-2:]]
        tap.ok(1024 <= asked[1] <= asked[0] <= 1500, "in its own words", asked)
        e.end()
    with model_server.Server([{"content": "hi", "slow": 2, "usage": spent}, {"content": "hi", "usage": spent}]) as server:
        e = Egress()
        e.open(server.url, tokens=1900)
        first = e.connect()
        first.sendall(post)
        tap.ok(harness.eventually(lambda: len(server.journal) == 1), "one call under way")
        second = e.connect()
        second.sendall(post)
        third = e.connect()
        third.sendall(post)
        second.close()
        first.close()
        third.settimeout(60)
        tap.is_(read_answer(third)[0], 200, "one that waits goes when the others have gone away")
        e.end()


def money():
    """Likewise money: 3 a million tokens of a prompt, 15 of an answer; in millionths."""
    price = (3_000_000, 15_000_000)
    spent = {"prompt_tokens": 100, "completion_tokens": 900}  # 300 + 13,500
    call = 13_800
    body = json.dumps({"messages": "x" * 365, "max_tokens": 900}).encode()  # 100 tokens by its bytes
    post = POST.format(len(body)).encode() + body
    tap.is_(len(body) // 4, 100, "a call that is reckoned as what it comes to cost")
    with model_server.Server([{"content": "hi", "usage": spent, "slow": 0.3}]) as server:
        e = Egress()
        e.open(server.url, id=1, money=4 * call + 3, price=price)
        route = e.address
        e.branch(1, 2)
        branch = e.address
        socks = []
        for i in range(12):
            socks.append(socket.create_connection(route if i % 2 else branch, 60))
            socks[-1].sendall(post)
        statuses = [read_answer(sock)[0] for sock in socks]
        tap.is_((statuses.count(200), statuses.count(429)), (4, 8), "twelve calls at once, money for four: four", statuses)
        tap.is_(len(server.journal), 4, "no other reaches the provider")
        events = [e.event() for _ in range(5)]
        tap.is_((sum(v["money"] for v in events if v["kind"] == CALL), [v["code"] for v in events if v["kind"] == LIMIT]), (4 * call, [3]),
                "what they cost is told, and the limit is that of money")
        tap.is_([v["money"] for v in events if v["kind"] == LIMIT], [call], "with what one more would cost at least")
        e.end()
    with model_server.Server([{"content": "hi", "usage": spent}]) as server:
        e = Egress()
        e.open(server.url, id=1, money=1_000_000, price=price)
        tap.is_(e.post(json.dumps({"messages": "x" * (4 << 20)}))[0], 429, "a prompt that costs more than there is goes nowhere, alone as it is")
        tap.is_((len(server.journal), e.event()["code"]), (0, 3), "and nothing is spent")
        e.open(server.url, id=2, money=2 * call, price=price)
        tap.is_([e.post('{"max_tokens": 900000}')[0] for _ in range(3)], [200, 429, 429], "who asks for more than is paid for is asked for as much as is")
        asked = [json.loads(r["body"])["max_tokens"] for r in server.journal]
        tap.is_(asked, [(2 * call - 15) // 15], "in its own words, and not for a token more")
        e.open(server.url, id=4, money=2 * call, price=price)
        before = len(server.journal)
        tap.is_([e.post('{"messages": []}')[0] for _ in range(3)], [200, 429, 429], "who asks for no number is asked for as much as is paid for, too")
        asked = [json.loads(r["body"]).get("max_completion_tokens") for r in server.journal[before:]]
        tap.is_(asked, [(2 * call - 12) // 15], "by the member of its form")
        for id, path, word in (5, "/v1/responses", "max_output_tokens"), (6, "/v1/messages", "max_tokens"):
            e.open(server.url, id=id, money=2 * call, price=price)
            e.post('{"messages": []}', path)
            tap.ok(0 < json.loads(server.journal[-1]["body"]).get(word, 0) <= 2 * call // 15, f"{path}: {word}", server.journal[-1]["body"])
        e.open(server.url, id=7, money=1000 * call, price=price)
        e.post('{"messages": []}')
        tap.is_(json.loads(server.journal[-1]["body"]).get("max_completion_tokens"), 16384, "where there is more, for as much as is set aside")
        e.post('{"max_tokens": 20000}')
        tap.is_(json.loads(server.journal[-1]["body"])["max_tokens"], 20000, "who names a number is asked for it, where it is paid for")
        e.open(server.url, id=8, money=1000 * call, price=(3_000_000, 0))
        e.post('{"messages": []}')
        tap.ok("max_completion_tokens" not in json.loads(server.journal[-1]["body"]), "an answer that costs nothing may be as long as it likes", server.journal[-1]["body"])
        e.open(server.url, id=9, tokens=1_000_000, price=price)
        e.post('{"messages": []}')
        tap.ok("max_completion_tokens" not in json.loads(server.journal[-1]["body"]), "and so where there is no budget of money", server.journal[-1]["body"])
        e.open(server.url, id=3, money=1, price=(0, 0))
        tap.is_(e.post()[0], 200, "what costs nothing is paid for")
        e.end()


def prices():
    """What replies say of the provider's cache; what is said of it twice, or in a tool's arguments, never makes a call cheaper."""
    price = (3_000_000, 15_000_000, 300_000, 3_750_000)
    forged = json.dumps({"usage": {"cache_read_input_tokens": 900, "prompt_tokens_details": {"cached_tokens": 900}}})
    rows = [("a prompt that was not cached", {"prompt_tokens": 1000, "completion_tokens": 10}, 0, 3000 + 150),
            ("Chat Completions", {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}, 900, 300 + 270 + 150),
            ("Responses", {"input_tokens": 1000, "output_tokens": 10, "input_tokens_details": {"cached_tokens": 900}}, 900, 300 + 270 + 150),
            ("Messages", {"input_tokens": 50, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 900, "output_tokens": 10}, 900,
             150 + 188 + 270 + 150),
            ("more cached than asked", {"prompt_tokens": 10, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}, 10, 3 + 150)]
    for name, usage, cached, cost in rows:
        with model_server.Server([{"content": "hi", "usage": usage}, {"status": 200, "body": f'{{"input": {forged}, "usage": {json.dumps(usage)}}}'}]) as server:
            e = Egress()
            e.open(server.url, price=price)
            e.post()
            event = e.event()
            tap.ok(event["cached"] == cached and abs(event["money"] - cost) <= 1, f"{name}: what the cache costs", event, cost)
            e.post()
            tap.ok(e.event()["money"] >= event["money"], f"{name}: with another usage among it, no less")
            e.end()
    half = ['{"message": {"usage": {"input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 1}}}']
    with model_server.Server([{"stream": half, "cut": True}]) as server:
        e = Egress()
        e.open(server.url, price=price)
        e.post('{"stream": true, "max_tokens": 10}', "/v1/messages")
        event = e.event()
        tap.ok(event["cached"] == 0 and event["money"] >= 3000, "an answer that broke off: as if nothing had been cached", event)
        e.end()


def ticks(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def descriptors():
    with model_server.Server([{"content": "hi"}]) as server:
        e = Egress()
        e.open(server.url)
        used = len(os.listdir(f"/proc/{e.process.pid}/fd"))
        whole = resource.prlimit(e.process.pid, resource.RLIMIT_NOFILE, (used, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        sock = e.connect()
        sock.sendall(GET)
        start = ticks(e.process.pid)
        time.sleep(1)
        tap.ok(ticks(e.process.pid) - start < 0.1 * os.sysconf("SC_CLK_TCK"), "without a free descriptor egress does not spin", ticks(e.process.pid) - start)
        resource.prlimit(e.process.pid, resource.RLIMIT_NOFILE, whole)
        sock.settimeout(60)
        tap.is_(read_answer(sock)[0], 200, "and serves who waited when there is one")
        e.end()


for part in (memory, answers, patience, drips, deaf_front, providers, reservations, money, prices, descriptors):
    start = time.monotonic()
    part()
    print(f"# {part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
tap.end()
