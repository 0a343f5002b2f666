"""front_lib: the real warder-front with its real filter, over a monitor and inits that the test plays.

No jail is made: what is tested is what the front does with bytes from either side. The structs are those of
supervisor/wire.h and sandbox/plan.h.
"""
import array
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("top_builddir", ".")
# seconds to wait for an answer before the test is a failed one: a machine may be slow, or do much else. More where all is
# emulated (tests/vm/run)
PATIENCE = float(os.environ.get("WARDER_TEST_PATIENCE", "60"))
MOST = max(180, PATIENCE)  # the same for a whole command, or what a program on a terminal shows
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

FRONT_FDS = ["monitor", "listen", "state", "policies", "config", "files", "agent", "data", "egress",
             "pressure", "meminfo", "sockstat", "tcp_mem", "etc", "audit", "layers", "key", "public_key", "anchors", "info", "filter"]
FIRST_FD = 3

JAIL_CREATE, JAIL_DESTROY, SLOT, UPPER_DROP, LAYER_NEW, LAYER_COMMIT, LAYER_DROP, LAYER_REMOVE = range(1, 9)
DISK_MAKE, DISK_SHOW, DISK_REMOVE = range(9, 12)
JAIL_FD_MAX = 19
JAIL_FD_COMMANDS = 4  # a directory
INIT_EXEC, INIT_SIGNAL, INIT_OPEN, INIT_SLOT, INIT_LISTEN, INIT_COUNT, INIT_LOGS, INIT_MEASURE = range(1, 9)
INIT_READY, INIT_STARTED, INIT_ENDED, INIT_OUTPUT_LIMIT, INIT_OPENED, INIT_LISTENING, INIT_DONE, INIT_PARKED, INIT_COUNTED, INIT_LOGGED, INIT_MEASURED = range(1, 12)
REPLY = struct.Struct("=IIiIQIIII512s")
EVENT = struct.Struct("=IiQiIQQQQQQQ2Q2Q2QIIII")
INIT_HEAD = struct.Struct("=IIQ")


class Tap:
    def __init__(self):
        self.run = self.failed = 0

    def ok(self, good, what, *notes):
        self.run += 1
        self.failed += not good
        shown = "" if good else "".join(f": {note!r}"[:160].replace("#", " ") for note in notes)  # a summary shows no more
        print(f"{'ok' if good else 'not ok'} {self.run} - {what}{shown}", flush=True)
        for note in notes if not good else ():
            print(f"# {note!r}"[:600], flush=True)
        return good

    def same(self, got, want, what):
        return self.ok(got == want, what, f"got {got!r}", f"want {want!r}")

    def end(self):
        print(f"1..{self.run}")
        sys.exit(1 if self.failed else 0)


def sealed(data):
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def front_filter():
    """The filter that the monitor would hand over, from the C array of the build."""
    with open(os.path.join(BUILD, "filter-front.h")) as file:
        rows = re.findall(r"\{ (0x\w+), (\d+), (\d+), (0x\w+) \}", file.read())
    return sealed(b"".join(struct.pack("=HBBI", int(a, 16), int(b), int(c), int(d, 16)) for a, b, c, d in rows))


def send_with_fds(sock, data, fds=()):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    return sock.sendmsg([data], ancillary)


def recv_with_fds(sock, size):
    data, ancillary, flags, _ = sock.recvmsg(size, socket.CMSG_SPACE(64 * 4))
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
    return data, list(fds)


class Closed(Exception):
    pass


class Described:
    """What the supervisor says of itself: each answer that a test gets is held against it, and each notification.

    What is not as rpc.discover says ends the test. It is done by our own reader of schemas (tests/rpc/hold-answers), from the
    description that the build made; pages.t holds that against the supervisor's own.

    There is one reader for the test and all that it forks, made before the test has files that it must not close (fuse.t). A child may be
    killed while it asks: so each question has a mark of its own, and answers with another one are not ours.
    """
    def __init__(self):
        self.lock, self.file, self.n = threading.Lock(), tempfile.TemporaryFile(), 0
        self.process = subprocess.Popen(os.path.join(BUILD, "tests/rpc/hold-answers"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def ask(self, what):
        self.n += 1
        mark = f"{os.getpid()}.{self.n}"
        data, left = b"", memoryview(b"\n" + json.dumps({"mark": mark, **what}).encode() + b"\n")
        while left:
            left = left[os.write(self.process.stdin.fileno(), left):]
        while True:
            more = os.read(self.process.stdout.fileno(), 65536)
            data += more
            for line in data.decode(errors="replace").split("\n")[:-1]:
                if line.startswith(mark + " "):
                    return line.removeprefix(mark + " ")
            if not more:
                return "hold-answers has ended"

    def hold(self, what):
        with self.lock:
            fcntl.lockf(self.file, fcntl.LOCK_EX)
            try:
                said = self.ask(what)
            finally:
                fcntl.lockf(self.file, fcntl.LOCK_UN)
        if said:
            print(f"Bail out! {what['method']} is not as rpc.discover says: {said}", flush=True)
            raise SystemExit(99)


# nobody measures us at it (tests/bench)
DESCRIBED = None if os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0]))) == "bench" else Described()


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)
        self.sock.settimeout(PATIENCE)
        self.begin()

    def begin(self):
        self.buf, self.fds, self.n, self.notes = b"", [], 0, []
        self.asked = {}

    def raw(self, data, fds=()):
        """Where the front has closed already: what it said last is still to be read."""
        try:
            sent = send_with_fds(self.sock, data, fds)
            self.sock.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def line(self):
        while b"\n" not in self.buf:
            try:
                data, fds = recv_with_fds(self.sock, 65536)
            except ConnectionResetError:
                raise Closed from None
            if not data:
                raise Closed
            self.buf += data
            self.fds += fds
        line, self.buf = self.buf.split(b"\n", 1)
        message = json.loads(line)
        self.hold(message)
        return message

    def hold(self, message):
        method = message.get("method") or self.asked.pop(message.get("id"), None)
        if method and DESCRIBED:
            DESCRIBED.hold({"method": method, **{part: message[part] for part in ("result", "error", "params") if part in message}})

    def send(self, method, params=None, fds=(), **more):
        self.n += 1
        message = {"jsonrpc": "2.0", "id": self.n, "method": method, "params": params or {}, **more}
        if fds:
            message["fds"] = len(fds)
        self.asked[self.n] = method
        self.raw(json.dumps(message).encode() + b"\n", fds)
        return self.n

    def answer(self):
        while True:
            message = self.line()
            if "id" in message:
                return message
            self.notes.append(message)

    def call(self, method, params=None, fds=(), **more):
        self.send(method, params, fds, **more)
        return self.answer()

    def every(self, method, name, params=None):
        """The list @name of all pages of an answer."""
        items, more = [], dict(params or {})
        while True:
            result = self.call(method, more)["result"]
            items += result[name]
            if "next" not in result:
                return items
            more["cursor"] = result["next"]

    def is_closed(self, seconds=PATIENCE):
        """Does the front close us; what it still sends is thrown away."""
        self.sock.settimeout(seconds)
        try:
            while True:
                self.line()
        except Closed:
            return True
        except (TimeoutError, socket.timeout):
            return False

    def close(self):
        self.sock.close()


def client_as(path, uid, gid=None, groups=()):
    """A connection of another user. The kernel keeps who connected, so a child connects and hands it to us."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(list(groups))
            os.setresgid(*[uid if gid is None else gid] * 3)
            os.setresuid(uid, uid, uid)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(path)
            send_with_fds(theirs, b"x", [sock.fileno()])
        finally:
            os._exit(0)
    theirs.close()
    _, fds = recv_with_fds(ours, 1)
    ours.close()
    os.waitpid(pid, 0)
    client = Client.__new__(Client)
    client.sock = socket.socket(fileno=fds[0])
    client.sock.settimeout(PATIENCE)
    client.begin()
    return client


class Jail:
    """What the monitor hands out for a jail: pipes and files in place of cgroups."""

    def __init__(self, front, cookie, handle, id_base=0, waited=0):
        self.front, self.cookie, self.handle = front, cookie, handle
        self.init, init_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.init.settimeout(PATIENCE)
        init_theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # as the monitor does
        self.files = [os.memfd_create(f"jail-{i}") for i in range(JAIL_FD_MAX)]
        self.dir = tempfile.TemporaryDirectory(prefix="warder-test-")
        os.chmod(self.dir.name, 0o755)
        os.close(self.files[JAIL_FD_COMMANDS])
        self.files[JAIL_FD_COMMANDS] = os.open(self.dir.name, os.O_PATH | os.O_DIRECTORY)
        self.set(5, "oom_kill 0\n")
        self.set(6, "4096\n")
        self.set(7, "8192\n")
        self.set(8, "cache 512\ntotal_cache 1024\n")
        self.set(9, "max 0\n")
        self.set(10, "3\n")
        self.set(18, "4\n")
        for slot in (0, 1):
            self.set(12 + 3 * slot + 1, "populated 0\n")
            self.set(12 + 3 * slot + 2, "usage_usec 0\n")
        fds = [init_theirs.fileno()] + self.files[1:]
        front.reply(cookie, handle=handle, present=(1 << JAIL_FD_MAX) - 1, fds=fds, id_base=id_base, waited=waited)
        init_theirs.close()

    def set(self, index, text):
        """@index: of JailFd, or the name of a file in the group of its commands."""
        if isinstance(index, str):
            with open(os.path.join(self.dir.name, index), "w") as file:
                file.write(text)
            return
        os.ftruncate(self.files[index], 0)
        os.pwrite(self.files[index], text.encode(), 0)

    def text(self, index):
        return os.pread(self.files[index], 100, 0).decode()

    def request(self):
        """One message at init: (kind, id, bytes, fds)."""
        data, fds = recv_with_fds(self.init, 256 * 1024)
        if not data:
            raise Closed
        kind, _, number = INIT_HEAD.unpack_from(data)
        return kind, number, data, fds

    def event(self, kind, number, code=0, fds=(), **more):
        f = dict(signal=0, step=0, value=0, wall=0, user=0, sys=0, rss=0, io=(0, 0), seen=(0, 0), kept=(0, 0), cut=(0, 0), disk=0,
                 disk_before=0, pid=0)
        f.update(more)
        send_with_fds(self.init, EVENT.pack(kind, code, number, f["signal"], f["step"], f["value"], f["wall"], f["user"],
                                            f["sys"], f["rss"], *f["io"], *f["seen"], *f["kept"], *f["cut"], f["disk"], f["disk_before"],
                                            len(fds), f["pid"]), fds)

    def ended(self):
        """Nothing is left of it: the monitor's last word."""
        self.init.close()
        self.front.send_monitor(REPLY.pack(2, 0, 0, 0, self.handle, 0, 0, 0, 0, b""))


class Front:
    def __init__(self, private=False, owner_uid=0, warder_gid=0xffffffff, admin_gid=0xffffffff, memory=8 << 30,
                 policies=None, landlock=7, agent="/dev/null", config="/dev/null",
                 pressure="/dev/null", meminfo="/proc/meminfo", etc="/dev/null", state=None, audit=None,
                 sockstat="/dev/null", tcp_mem="/dev/null", layers="/dev/null"):
        self.dir = tempfile.mkdtemp(prefix="warder-rpc-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "sock")
        self.monitor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.monitor.settimeout(PATIENCE)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        os.chmod(self.path, 0o666)
        listener.listen(256)
        shutil.copytree(state, os.path.join(self.dir, "state")) if state else os.mkdir(os.path.join(self.dir, "state"))
        null = os.open("/dev/null", os.O_RDWR)
        info = struct.pack("=IIIIQIIIIII", 1, private, 1, landlock, memory, 1 << 22, 2, owner_uid, warder_gid, admin_gid, 0)
        fds = {"monitor": theirs.fileno(), "listen": listener.fileno(),
               "state": os.open(os.path.join(self.dir, "state"), os.O_RDONLY | os.O_DIRECTORY),
               "policies": os.open(policies or os.path.join(SOURCE, "policies"), os.O_RDONLY | os.O_DIRECTORY),
               "config": os.open(config, os.O_RDONLY), "pressure": os.open(pressure, os.O_RDONLY),
               "meminfo": os.open(meminfo, os.O_RDONLY), "sockstat": os.open(sockstat, os.O_RDONLY),
               "tcp_mem": os.open(tcp_mem, os.O_RDONLY), "etc": os.open(etc, os.O_RDONLY), "audit": audit.fileno() if audit else null,
               "files": os.open("/bin/true", os.O_RDONLY), "agent": os.open(agent, os.O_RDONLY),
               "data": os.open(os.path.join(SOURCE, "agent"), os.O_RDONLY | os.O_DIRECTORY), "egress": null,
               "layers": os.open(layers, os.O_RDONLY),
               "key": null, "public_key": null, "anchors": null,
               "info": sealed(info), "filter": front_filter()}
        self.log = os.path.join(self.dir, "log")
        self.pid = self.spawn([fds[name] for name in FRONT_FDS])
        theirs.close()
        listener.close()
        for fd in set(fds.values()) - {audit.fileno() if audit else -1}:
            try:
                os.close(fd)
            except OSError:
                pass
        self.jails, self.clients = {}, []

    def spawn(self, fds):
        pid = os.fork()
        if pid:
            return pid
        try:
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 2)
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 200) for fd in fds]
            for i, fd in enumerate(high):
                os.dup2(fd, FIRST_FD + i, inheritable=True)
            os.closerange(FIRST_FD + len(fds), 1024)
            os.execv(os.path.join(BUILD, "supervisor/front/warder-front"), ["warder-front"])
        finally:
            os._exit(127)

    def client(self):
        self.clients.append(Client(self.path))
        return self.clients[-1]

    def alive(self):
        return os.waitpid(self.pid, os.WNOHANG)[0] == 0

    def send_monitor(self, data, fds=()):
        send_with_fds(self.monitor, data, fds)

    def reply(self, cookie, code=0, handle=0, present=0, text="", fds=(), id_base=0, waited=0):
        self.send_monitor(REPLY.pack(1, cookie, code, present, handle, id_base, 0, waited, 0, text.encode()), fds)

    def request(self, seconds=PATIENCE):
        """The next request at the monitor: (kind, cookie, bytes, fds)."""
        self.monitor.settimeout(seconds)
        data, fds = recv_with_fds(self.monitor, 65536)
        return struct.unpack_from("=II", data) + (data, fds)

    def jail(self, handle=7, id_base=0, waited=0):
        """Take the next request, which must be a create, and answer it with a jail."""
        kind, cookie, _, _ = self.request()
        assert kind == JAIL_CREATE, kind
        return Jail(self, cookie, handle, id_base, waited)

    def words(self):
        with open(self.log) as file:
            return file.read()

    def stop(self):
        """End it and say how: exit code, or -signal."""
        for client in self.clients:
            client.close()
        self.monitor.close()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.01)
        else:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
        if os.environ.get("WARDER_TEST_LOG"):
            sys.stderr.write(self.words())
        shutil.rmtree(self.dir, ignore_errors=True)
        return os.waitstatus_to_exitcode(status)
