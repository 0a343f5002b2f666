#!/usr/bin/env -S python3 -B
"""connect: jail.connect, a connection to a server in a jail, as a client of the protocol sees it."""
import errno
import os
import select
import subprocess

from front_lib import MOST, Tap
from supervisor_lib import Supervisor, eventually, need_jails
from users_lib import fields

need_jails()
tap = Tap()
supervisor = Supervisor("connect")
client = supervisor.client()
jail = client.call("jail.create", {})["result"]["jail"]
ECHO = """import socket
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    import threading
    sock = socket.create_server((host, 80 if host[0] == "1" else 81), family=family)
    def serve(sock=sock):
        while True:
            peer = sock.accept()[0]
            def echo(peer=peer):
                while data := peer.recv(65536):
                    if data == b"close":
                        break
                    if data == b"reset":
                        import struct
                        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        break
                    peer.sendall(data)
                peer.close()
            threading.Thread(target=echo, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
print("up", flush=True)
threading.Event().wait()
"""


class Connection:
    """Ours: `to` and `come` of a connection, and the byte that says whether it stands."""

    def __init__(self, who, jail, port, **more):
        theirs_in, self.to = os.pipe()
        self.come, theirs_out = os.pipe()
        word, theirs_word = os.pipe()
        self.who = who
        who.send("jail.connect", {"jail": jail, "port": port, **more}, [theirs_in, theirs_out, theirs_word])
        for fd in (theirs_in, theirs_out, theirs_word):
            os.close(fd)
        ready = select.select([word], [], [], MOST)[0]
        self.word = os.read(word, 1) if ready else None
        os.close(word)

    def end(self):
        os.close(self.to)
        return self.rest()

    def rest(self):
        got = b""
        while part := os.read(self.come, 65536):
            got += part
        os.close(self.come)
        return got


def record(who):
    return who.answer().get("result", {})


client.sock.settimeout(MOST)
there = client.call("jail.exec", {"jail": jail, "argv": ["sh", "-c", "command -v python3"]})
if there.get("result", {}).get("code", 0) != 0:
    print("1..0 # SKIP python3 in the jail")
    raise SystemExit(0)
reader, writer = os.pipe()
server = supervisor.client()
server.sock.settimeout(MOST)
server.send("jail.exec", {"jail": jail, "argv": ["python3", "-c", ECHO], "stdio": ["null", "fd", "null"]}, [writer])
os.close(writer)
if os.read(reader, 3) != b"up\n":
    print(f"Bail out! no server in the jail: {there} {server.answer()}")
    raise SystemExit(99)

one = Connection(client, jail, 80)
tap.same(one.word, b"\0", "a connection stands")
os.write(one.to, b"hello")
tap.same(os.read(one.come, 100), b"hello", "what is written comes back")
blob = os.urandom(3_000_000)
with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=one.to) as cat:
    os.close(one.to)
    import threading
    threading.Thread(target=lambda: (cat.stdin.write(blob), cat.stdin.close()), daemon=True).start()
    tap.ok(one.rest() == blob, "3 MB through it, and its end comes after the end of input")
end = record(client)
tap.same((end.get("cause"), end.get("code")), ("exited", 0), "its record")

six = Connection(client, jail, 81)
os.write(six.to, b"six")
tap.same((six.word, os.read(six.come, 100), six.end()), (b"\0", b"six", b""), "a server that has ::1 alone")
record(client)
none = Connection(client, jail, 82)
tap.same((none.word, none.end()), (bytes([errno.ECONNREFUSED]), b""), "nobody listens: refused, and by name")
tap.same(record(client).get("code"), 1, "its record says so")
broken = Connection(client, jail, 80)
os.write(broken.to, b"reset")
tap.same(broken.rest(), b"", "a server that breaks the connection ends it")
tap.ok(record(client).get("cause") == "exited", "though our side is open")
os.close(broken.to)
unread = Connection(client, jail, 80)
os.close(unread.come)
tap.ok(record(client).get("cause") == "exited", "nobody who reads: it ends by itself")
os.close(unread.to)



def closed_by_server(who):
    """A connection whose server has closed it; our side is open."""
    made = Connection(who, jail, 80)
    os.write(made.to, b"close")
    return made


def hears_end(fd):
    return bool(select.select([fd], [], [], 60)[0]) and os.read(fd, 100) == b""


closed = closed_by_server(client)
tap.ok(hears_end(closed.come), "a server that closes is heard, though our side is open")
tap.same((closed.end(), record(client).get("cause")), (b"", "exited"), "and when ours is closed too, all is over")
kept = closed_by_server(client)
hears_end(kept.come)
os.write(kept.to, b"more")
tap.same(record(client).get("cause"), "exited", "once more to a server that has closed: nothing carries it any more, though our side is open")
os.close(kept.to), os.close(kept.come)
both = [closed_by_server(client) for _ in range(12)]
tap.ok(all(hears_end(one.come) for one in both), "twelve at once, of which some wait for a place: each is heard")
for one in both:
    one.end()
    record(client)
early_in, early_out = os.pipe()
one = supervisor.client()
one.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", "exec >&-; sleep 1000"], "stdio": ["null", "fd", "null"]}, [early_out])
os.close(early_out)
tap.ok(hears_end(early_in), "any command that closes its output is heard before it ends")
os.close(early_in)
one.close()

# --- what is asked wrongly
for params, path in (({"port": 0}, "/port"), ({"port": 65536}, "/port"), ({"port": "80"}, "/port"), ({}, ""), ({"port": 80, "host": "::1"}, "")):
    tap.same(client.call("jail.connect", {"jail": jail, **params}).get("error", {}).get("code"), -32602, f"{params!r} is refused")
pipes = [os.pipe() for _ in range(3)]
tap.ok("error" in client.call("jail.connect", {"jail": jail, "port": 80}, [pipes[0][0]]), "one descriptor is too few")
tap.same(fields(client.call("jail.connect", {"jail": "j-aaaaaaaaaa", "port": 80}, [p[0] for p in pipes]))[0], "not_found", "no such jail")
for pair in pipes:
    os.close(pair[0]), os.close(pair[1])

# --- only this jail's network
other = client.call("jail.create", {})["result"]["jail"]
there = Connection(client, other, 80)
tap.same((there.word, there.end()), (bytes([errno.ECONNREFUSED]), b""), "the server of one jail is not in another")
record(client)

# --- as many as a jail has places, and no more
many = supervisor.client()
all_of_them = [Connection(many, jail, 80) for _ in range(70)]
stand = sum(c.word == b"\0" for c in all_of_them)
tap.ok(32 <= stand < 64 and all(c.word in (b"\0", b"") for c in all_of_them), "seventy: some stand, the rest are told", stand)
many.close()
tap.ok(all(c.rest() == b"" for c in all_of_them), "their client has gone: all are closed")
again = []


def stands():
    again.append(Connection(client, jail, 80))
    return again[-1].word == b"\0"


tap.ok(eventually(stands, 60), "and there is room again")
client.call("jail.freeze", {"jail": jail})
frozen = Connection(supervisor.client(), jail, 80)
tap.same(frozen.word, b"", "a frozen jail: refused, as a command is")
client.call("jail.thaw", {"jail": jail})
client.send("jail.destroy", {"jail": jail})
tap.same(again[-1].rest(), b"", "a jail that ends ends its connections")
supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), 60), "nothing is left behind")
tap.end()
