#!/usr/bin/env -S python3 -B
"""lines: what a client may send wrong, and what it gets: an error with its code, or the end of its
connection; the front serves the others on."""
import json
import select
import socket

from front_lib import PATIENCE, Closed, Front, Tap

tap = Tap()
front = Front()
good = front.client()

MALFORMED = [
    ("no JSON", b"hello\n", -32700),
    ("an empty line", b"\n", -32700),
    ("half an object", b'{"jsonrpc":"2.0"\n', -32700),
    ("bytes after the value", b'{"jsonrpc":"2.0","id":1,"method":"warder.info"} x\n', -32700),
    ("invalid UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', -32700),
    ("an escaped NUL", b'{"jsonrpc":"2.0","id":1,"method":"a\\u0000"}\n', -32700),
    ("a lone surrogate", b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}\n', -32700),
    ("a name twice", b'{"jsonrpc":"2.0","id":1,"id":2,"method":"warder.info"}\n', -32700),
    ("depth without end", b"[" * 100000 + b"\n", -32700),
    ("a batch", b'[{"jsonrpc":"2.0","id":1,"method":"warder.info"}]\n', -32600),
    ("a number", b"5\n", -32600),
    ("no version", b'{"id":1,"method":"warder.info"}\n', -32600),
    ("another version", b'{"jsonrpc":"1.0","id":1,"method":"warder.info"}\n', -32600),
    ("no method", b'{"jsonrpc":"2.0","id":1}\n', -32600),
    ("a method that is no string", b'{"jsonrpc":"2.0","id":1,"method":5}\n', -32600),
    ("an id that is an object", b'{"jsonrpc":"2.0","id":{},"method":"warder.info"}\n', -32600),
    ("an id of 129 bytes", b'{"jsonrpc":"2.0","id":"' + b"i" * 129 + b'","method":"warder.info"}\n', -32600),
    ("an id of a megabyte", b'{"jsonrpc":"2.0","id":"' + b"i" * 1000000 + b'","method":"warder.info"}\n', -32600),
    ("an unknown method", b'{"jsonrpc":"2.0","id":1,"method":"jail.escape"}\n', -32601),
    ("params that are a list", b'{"jsonrpc":"2.0","id":1,"method":"jail.list","params":[1]}\n', -32602),
    ("an unknown parameter", b'{"jsonrpc":"2.0","id":1,"method":"jail.list","params":{"every":true}}\n', -32602),
]
for what, line, code in MALFORMED:
    client = front.client()
    client.raw(line)
    try:
        message = client.answer()
        tap.same(message.get("error", {}).get("code"), code, f"{what}: {code}")
        tap.ok("result" in client.call("warder.info"), f"{what}: the connection goes on")
    except Closed:
        tap.ok(False, f"{what}: the connection was closed")
    client.close()

# wrong types, each with a pointer to the field
WRONG = [
    ("jail.create", {"snapshot": 5}, "/snapshot"),
    ("jail.create", {"limits": {"memory": "512M"}}, "/limits/memory"),
    ("jail.create", {"limits": {"memory": 1.5}}, "/limits/memory"),
    ("jail.create", {"limits": {"memory": -1}}, "/limits/memory"),
    ("jail.create", {"limits": {"colour": 1}}, "/limits/colour"),
    ("jail.create", {"keep": "yes"}, "/keep"),
    ("jail.create", {"hostname": "Not A Name"}, "/hostname"),
    ("jail.create", {"user": {"uid": 65532, "gid": 0}}, "/user/uid"),
    ("jail.create", {"exec": {"argv": []}}, "/exec/argv"),
    ("jail.create", {"exec": {"argv": [1]}}, "/exec/argv/0"),
    ("jail.create", {"exec": {"argv": ["a"], "stdio": ["fd", "fd"]}}, "/exec/stdio"),
    ("jail.create", {"exec": {"argv": ["a"], "stdio": ["fd", "fd", "file"]}}, "/exec/stdio/2"),
    ("jail.create", {"exec": {"argv": ["a"], "cwd": "work"}}, "/exec/cwd"),
    ("jail.create", {"exec": {"argv": ["a"], "env": {"A": 1}}}, "/exec/env/A"),
    ("jail.exec", {"argv": ["a"]}, ""),
    ("jail.signal", {"jail": "j-aaaaaaaaaa", "signal": 65}, "/signal"),
    ("jail.open", {"jail": "j-aaaaaaaaaa", "path": "etc/passwd", "flags": ["read"]}, "/path"),
    ("jail.open", {"jail": "j-aaaaaaaaaa", "path": "/etc/passwd", "flags": ["exec"]}, "/flags/0"),
    ("snapshot.import", {}, ""),
    ("policy.show", {"name": 1}, "/name"),
]
for method, params, path in WRONG:
    error = good.call(method, params).get("error", {})
    tap.ok(error.get("code") == -32602 and error.get("data", {}).get("path", "") == path and error.get("message"),
           f"{method} {json.dumps(params)[:60]}: -32602 at {path!r}", error)

# what fits the schema and is refused all the same: a code of ours, a sentence
REFUSED = [
    ("jail.exec", {"jail": "j-aaaaaaaaaa", "argv": ["true"]}, "not_found"),
    ("jail.destroy", {"jail": "../../etc"}, "not_found"),
    ("jail.create", {"policy": "nosuch"}, "not_found"),
    ("jail.create", {"policy": "../default"}, "invalid"),
    ("jail.create", {"snapshot": "nosuch"}, "not_found"),
    ("jail.create", {"snapshot": "../x"}, "not_found"),
    ("jail.create", {"policy": "strict"}, "denied"),
    ("jail.create", {"limits": {"memory": 1 << 50}}, "denied"),
    ("jail.create", {"exec": {"argv": ["true"], "limits": {"wall": 1 << 50}}}, "denied"),
    ("jail.create", {"work": True}, "invalid"),
    ("jail.create", {"exec": {"argv": ["true"], "stdio": ["fd", "fd", "fd"]}}, "invalid"),
    ("jail.create", {"exec": {"argv": ["true"], "tty": True}}, "invalid"),
    ("snapshot.import", {"name": "x"}, "invalid"),
    ("snapshot.import", {"name": "host"}, "exists"),
    ("snapshot.import", {"name": "No Name"}, "invalid"),
    ("snapshot.remove", {"name": "host"}, "denied"),
    ("snapshot.show", {"name": "nosuch"}, "not_found"),
    ("policy.show", {"name": "schema/policy"}, "invalid"),
]
for method, params, code in REFUSED:
    error = good.call(method, params).get("error", {})
    tap.ok(error.get("code") == -32000 and error.get("data", {}).get("code") == code and error.get("message"),
           f"{method} {json.dumps(params)[:60]}: {code}", error)

# sizes
client = front.client()
client.raw(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (1 << 20) + b'"}\n')
tap.ok(client.is_closed(), "a line above 1 MiB closes the connection")
client = front.client()
answer = client.call("jail.create", {"exec": {"argv": ["x" * 1000000]}, "policy": "nosuch"})
tap.same(answer["error"]["data"]["code"], "not_found", "a line just below 1 MiB is read")
client = front.client()
client.raw(b'{"jsonrpc":"2.0",')
client.close()
tap.ok("result" in good.call("warder.info"), "half a line, then gone: the others are served")

# no answer to a notification
client = front.client()
client.raw(b'{"jsonrpc":"2.0","method":"warder.info"}\n{"jsonrpc":"2.0","method":"nosuch"}\n')
tap.same(client.call("jail.list")["id"], 1, "notifications are not answered, bad ones neither")

# ids come back as they were
for number in ("abc", "i" * 128, 0, -5, None):
    client.raw(json.dumps({"jsonrpc": "2.0", "id": number, "method": "jail.list"}).encode() + b"\n")
    tap.same(client.line()["id"], number, f"id {number!r} comes back")

# a peer that stops reading
client = front.client()
sent = 0
try:
    while sent < 100000 and select.select([], [client.sock], [], PATIENCE)[1]:
        sent += client.sock.send(b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n', socket.MSG_DONTWAIT) > 0
        if sent % 500 == 0 and "result" not in good.call("jail.list"):
            break
except (BlockingIOError, BrokenPipeError, ConnectionResetError):
    pass
tap.ok(client.is_closed(), "a peer that does not read is closed", sent)
tap.ok("result" in good.call("warder.info"), "the others are served meanwhile and after")

# many connections
crowd = []
refused = None
for _ in range(80):
    client = front.client()
    crowd.append(client)
    try:
        answer = client.call("warder.info")
    except Closed:
        break
    if "error" in answer:
        refused = answer["error"]
        break
tap.ok(refused and refused["data"]["code"] == "quota", "too many connections of one user: quota, with a sentence", refused)
for client in crowd:
    client.close()
tap.ok("result" in good.call("warder.info"), "the first one is served on")
tap.same(good.call("warder.info")["result"]["protocol"], "1", "warder.info names the protocol")
document = good.call("rpc.discover")["result"]
names = {m["name"] for m in document["methods"]}
tap.ok({"jail.create", "snapshot.import", "policy.show"} <= names and document["openrpc"], "rpc.discover lists the table")
tap.same(sorted(good.call("warder.info")["result"]["methods"]), sorted(names), "warder.info lists the same")
tap.ok(front.alive(), "the front is alive")
front.stop()
tap.end()
