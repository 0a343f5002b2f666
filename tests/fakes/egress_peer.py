"""egress_peer: a warder-egress with the front's end of its socket, and clients of its routes."""
import fcntl, json, os, re, socket, struct, subprocess, tempfile

build = os.environ.get("top_builddir", ".")
PATIENCE = float(os.environ.get("WARDER_TEST_PATIENCE", "60"))  # seconds, as in tests/rpc/front_lib.py
KEY = "sk-test-0123456789abcdef"
OPEN, CLOSE, BRANCH = 1, 2, 3
OPENED, CALL, LIMIT = 1, 2, 3
REQUEST, EVENT = "<IIQQQ512s128sQQQ512sQ4Q", "<Ii7QII512sQQQ"
NO_MONEY = (0, 0, 0, 0, 0)
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi é"}]})


def memfd(name, data):
    fd = os.memfd_create(name, os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, 1033, 0x2 | 0x4 | 0x8)  # F_ADD_SEALS: shrink, grow, write
    return fd


def the_filter():
    text = open(f"{build}/filter-egress.h").read()
    rows = re.findall(r"\{ 0x([0-9a-f]+), (\d+), (\d+), 0x([0-9a-f]+) \}", text)
    return b"".join(struct.pack("<HBBI", int(c, 16), int(t), int(f), int(k, 16)) for c, t, f, k in rows)


class Egress:
    """One egress with our end of its front socket."""

    def __init__(self, env=None):
        self.front, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = memfd("filter", the_filter())
        a, b = os.dup(theirs.fileno()), os.dup(code)
        high = [fcntl_dup(a, 50), fcntl_dup(b, 51)]
        self.log = tempfile.TemporaryFile()

        def place():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        wrap = os.environ.get("EGRESS_WRAP", "").split()
        base = {"PATH": "/usr/bin:/bin", **(env or {})}
        base.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.process = subprocess.Popen(wrap + [f"{build}/supervisor/egress/warder-egress"], pass_fds=[3, 4], preexec_fn=place,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=base)
        for fd in (a, b, code, *high):
            os.close(fd)
        theirs.close()
        self.front.settimeout(PATIENCE)
        self.listeners = {}

    def open(self, url, id=1, key=KEY, requests=0, bytes_max=0, listener=None, patience=0, allowed="", listen=True, tokens=0, money=0, price=(0, 0)):
        sock = listener or socket.socket()
        if not listener:
            sock.bind(("127.0.0.1", 0))
            sock.listen(16)
        fd = memfd("key", key.encode())
        input, output, *cache = price  # what the cache costs: read, written
        message = struct.pack(REQUEST, OPEN, 0, id, requests, bytes_max, url.encode(), b"m", 0, int(patience * 1e6), tokens, allowed.encode(),
                              money, input, output, *(cache or (input, input)))
        socket.send_fds(self.front, [message], [sock.fileno(), fd])
        os.close(fd)
        self.address = sock.getsockname()
        event = self.opened() if listen else None
        sock.close()
        return event

    def opened(self):
        """The answer to an open; what is told of earlier calls goes by."""
        while (event := self.event())["kind"] != OPENED:
            pass
        return event

    def branch(self, like, id):
        """Another listener for the route `like`; its address, and what egress said."""
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        socket.send_fds(self.front, [struct.pack(REQUEST, BRANCH, 0, id, 0, 0, b"", b"", like, 0, 0, b"", *NO_MONEY)], [sock.fileno()])
        self.address = sock.getsockname()
        event = self.opened()
        sock.close()
        return event

    def close_route(self, id=1):
        self.front.send(struct.pack(REQUEST, CLOSE, 0, id, 0, 0, b"", b"", 0, 0, 0, b"", *NO_MONEY))

    def event(self):
        kind, code, id, calls, tin, tout, bin_, bout, wall, attempts, guessed, text, like, cached, money = struct.unpack(EVENT, self.front.recv(4096))
        return {"kind": kind, "code": code, "id": id, "calls": calls, "tokens": (tin, tout), "bytes": (bin_, bout), "wall": wall,
                "attempts": attempts, "guessed": guessed, "text": text.split(b"\0")[0].decode(), "like": like, "cached": cached, "money": money}

    def connect(self):
        return socket.create_connection(self.address, PATIENCE)

    def send(self, raw):
        """Raw bytes in; status, headers, body of the answer."""
        sock = self.connect()
        sock.sendall(raw)
        answer = read_answer(sock)
        sock.close()
        return answer

    def post(self, body=BODY, path="/v1/chat/completions", headers=""):
        data = body.encode()
        return self.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
                         f"Content-Length: {len(data)}\r\n\r\n".encode() + data)

    def resident(self):
        """KiB of memory; 0 under a sanitizer, whose memory is not the program's."""
        text = open(f"/proc/{self.process.pid}/status").read()
        return 0 if os.environ.get("ASAN_OPTIONS") else int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def end(self):
        self.front.close()
        code = self.process.wait(PATIENCE)
        self.log.seek(0)
        self.text = self.log.read().decode(errors="replace")
        return code


def fcntl_dup(fd, at):
    return fcntl.fcntl(fd, fcntl.F_DUPFD, at)


def read_answer(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return None
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    status = int(lines[0].split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        while not body.endswith(b"0\r\n\r\n"):
            part = sock.recv(65536)
            if not part:
                return status, headers, None
            body += part
        out = b""
        while True:
            size, body = body.split(b"\r\n", 1)
            if int(size, 16) == 0:
                return status, headers, out
            out, body = out + body[:int(size, 16)], body[int(size, 16) + 2:]
    body = bytearray(body)
    while len(body) < int(headers.get("content-length", 0)):
        part = sock.recv(65536)
        if not part:
            return status, headers, None
        body += part
    return status, headers, bytes(body)
