#!/usr/bin/env -S python3 -B
"""exhaust: memory that the kernel holds for a process and that is no page of it. Each attack first holds more outside
than a jail may have; in a jail it is killed for it, or gets no more, and what it holds is within the bound that
SECURITY.md names."""
import subprocess
import textwrap

from hostile_lib import Supervisor, Tap, need_jails, run, text

need_jails()
tap = Tap()
MB = 1 << 20
LIMIT, GOAL = 64 * MB, 160 * MB  # GOAL: above twice the limit, what the worst of kernels allows

START = f"""
import os, resource, socket, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
keep, held, goal = [], 0, {GOAL}
def fill(end, piece):
    "All that the kernel takes without waiting."
    total = 0
    end.setblocking(False)
    try:
        while True:
            total += end.send(piece)
    except (BlockingIOError, ConnectionRefusedError):
        return total
"""
# each holds bytes until it has enough, or the kernel gives no more
ATTACKS = {
    "TCP connections to itself": """
door = socket.create_server(("127.0.0.1", 0))
while held < goal and len(keep) < 3000:
    one = socket.create_connection(door.getsockname(), 5)
    other, _ = door.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    keep += [one, other]
    held += fill(one, b"x" * 65536)
""",
    "UDP datagrams to itself": """
while len(keep) < 700:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind(("127.0.0.1", 0))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for _ in range(6):
            out.sendto(b"x" * 60000, end.getsockname())
    keep.append(end)
for end in keep:
    end.setblocking(False)
    try:
        while True:
            held += len(end.recv(65536))
    except BlockingIOError:
        pass
""",
    "Unix sockets": """
while held < goal and len(keep) < 3000:
    pair = socket.socketpair()
    keep += pair
    held += fill(pair[0], b"x" * 65536)
""",
    "pipes": """
import fcntl
while held < goal and len(keep) < 3000:
    out, into = os.pipe()
    keep += [out, into]
    os.set_blocking(into, False)
    try:
        fcntl.fcntl(into, 1031, 1 << 20)  # F_SETPIPE_SZ
    except OSError:
        pass
    try:
        while True:
            held += os.write(into, b"x" * 65536)
    except BlockingIOError:
        pass
""",
    "files in memory without a name": """
while held < goal:
    fd = os.memfd_create("x")
    keep.append(fd)
    held += os.write(fd, b"x" * 1048576)
""",
}


def held(output):
    words = [line.split() for line in output.splitlines() if line.startswith("held ")]
    return int(words[0][1]) if words else None


supervisor = Supervisor("exhaust")
client = supervisor.client()
client.sock.settimeout(300)
for name, attack in ATTACKS.items():
    script = START + "try:\n" + textwrap.indent(attack, "    ") + "except OSError as error:\n    print(error)\nprint('held', held)\n"
    argv = ["python3", "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    outside = held(done.stdout)
    tap.ok(outside is not None and outside >= GOAL, f"outside, {name} hold all they want", done)
    record = run(client, argv, limits={"memory": LIMIT})
    inside = held(text(record))
    tap.ok(record["cause"] == "oom" or (inside is not None and inside < 2 * LIMIT),
           f"in a jail, {name} do not", record)
    print(f"# {name}: {outside >> 20} MiB outside, in a jail {record['cause']}, {(inside or 0) >> 20} MiB")

OPTIONS = """
import socket, struct
end, n = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), 0
try:
    while n < 4000:
        n += 1
        end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, struct.pack("!12sI", b"\\xff\\x02", n) + struct.pack("=I", 1))
except OSError:
    pass
print("held", n)
"""
with open("/proc/sys/net/core/optmem_max") as file:
    most = int(file.read())
outside = held(subprocess.run(["python3", "-c", OPTIONS], capture_output=True, text=True, check=False).stdout)
inside = held(text(run(client, ["python3", "-c", OPTIONS], limits={"memory": LIMIT})))
tap.ok(outside and outside >= min(4000, most // 64), "outside, a socket is in as many groups as its options may take", outside)
tap.ok(inside and 1 < inside <= 20480 // 32, "in a jail, these are few", inside)
print(f"# memberships of a socket: {outside} outside, in a jail {inside}")

ERRORS = """
import socket
end, n = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), 0
for option, value in (25, 1), (23, 2), (24, 1280):  # errors in a queue; do not fragment; above this
    end.setsockopt(socket.IPPROTO_IPV6, option, value)
for i in range(100):
    try:
        end.sendto(bytes(2000), ("::1", 9))
    except OSError:
        pass
try:
    while end.recvmsg(1, 0, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT):
        n += 1
except BlockingIOError:
    pass
print("held", n + 1)
"""
outside = held(subprocess.run(["python3", "-c", ERRORS], capture_output=True, text=True, check=False).stdout)
inside = held(text(run(client, ["python3", "-c", ERRORS], limits={"memory": LIMIT})))
tap.same((outside, inside), (101, 1), "outside, a socket keeps each error that it is asked to; in a jail none")
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
