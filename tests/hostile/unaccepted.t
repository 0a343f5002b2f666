#!/usr/bin/env -S python3 -B
"""unaccepted: connections that nobody accepts, whose memory the kernel charges to no group. Each attack first holds
more outside than a jail may have; in a jail all that runs there is ended for it, and the host has its memory back.
Whom the front ends, and whom not, is in tests/rpc/uncounted.t."""
import os
import subprocess
import time

from hostile_lib import BUILD, Supervisor, Tap, eventually, need_jails

need_jails()
tap = Tap()
MB = 1 << 20


def tcp_bytes():
    """What TCP uses on this host, all network namespaces together."""
    with open("/proc/net/sockstat") as file:
        line = next(line for line in file if line.startswith("TCP:"))
    return int(line.split()[-1]) * os.sysconf("SC_PAGESIZE")


def tcp_marks():
    """From where on jails are asked, and what an attack reaches: well above it, below all at which the kernel acts."""
    with open("/proc/sys/net/ipv4/tcp_mem") as file:
        low, middle, _ = (int(word) * os.sysconf("SC_PAGESIZE") for word in file.read().split())
    return low // 4, min(low // 4 + 160 * MB, middle - 16 * MB)


ASKED, ENOUGH = tcp_marks()
SMALL = 32 * MB  # limit of these jails
UNACCEPTED = f"""
import os, resource, socket, struct, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
def used():
    with open("/proc/net/sockstat") as file:
        line = next(line for line in file if line.startswith("TCP:"))
    return int(line.split()[-1]) * os.sysconf("SC_PAGESIZE")
doors, enough = [], {ENOUGH}
few = {max(ASKED + 8 * MB, SMALL + 8 * MB)}  # of the slowest attack
def door():
    "A listener whose connections may hold all that a program can ask for."
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 30)
    end.bind(("127.0.0.1", 0))
    end.listen(4096)
    doors.append(end)
    return end.getsockname()
def connect(to, send):
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # what is not delivered yet is charged to the sender
    end.connect(to)
    end.setblocking(False)
    try:
        while send:
            end.send(b"x" * 65536)
            time.sleep(0)
    except BlockingIOError:
        pass
    return end
"""
SHAPES = {
    "full connections that nobody accepts": """
to = door()
while used() < enough:
    connect(to, True).close()
""",
    "such ones that their peers have reset": """
to = door()
while used() < enough:
    end = connect(to, True)
    time.sleep(0.002)  # what is on its way goes with the reset
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
""",
    "empty ones, tens of thousands": """
while used() < few:
    to = door()
    for _ in range(1000):
        connect(to, False).close()
""",
}
STAY = "print('reached', used(), flush=True)\ntime.sleep({})\n"


def attack(shape, stay):
    return ["python3", "-c", UNACCEPTED + SHAPES[shape] + STAY.format(stay)]


def bystander(jail, peer):
    """A command with a few unaccepted connections of its own, for as long as its input is open."""
    out, into = os.pipe()
    one = UNACCEPTED + "to = door()\nkeep = [connect(to, False) for _ in range(20)]\nfor end in keep: end.send(b'x' * 60000)\n"
    peer.send("jail.exec", {"jail": jail, "argv": ["python3", "-c", one + "sys.stdin.read()"], "stdio": ["fd", "capture", "capture"]},
              fds=[out])
    os.close(out)
    return into


supervisor = Supervisor("unaccepted")
client = supervisor.client()
client.sock.settimeout(300)
quiet = client.call("jail.create", {"keep": True, "limits": {"memory": SMALL}})["result"]["jail"]
beside = supervisor.client()
beside.sock.settimeout(300)
hold = bystander(quiet, beside)
jail = client.call("jail.create", {"keep": True, "limits": {"memory": SMALL}})["result"]["jail"]
for shape in SHAPES:
    before, began = tcp_bytes(), time.monotonic()
    done = subprocess.run(attack(shape, 0), capture_output=True, text=True, check=False)
    tap.ok("reached" in done.stdout, f"outside, {shape} take all they want", done)
    tap.ok(eventually(lambda: tcp_bytes() < before + 16 * MB), "and give it back at their end", (before, tcp_bytes()))
    answer = client.call("jail.exec", {"jail": jail, "argv": attack(shape, 120)})
    record = answer.get("result") or {"cause": answer, "hits": []}
    evidence = record.get("evidence", {})
    tap.same((record["cause"], record["hits"], evidence.get("oom_kills")), ("oom", ["sockets"], 0),
             f"in a jail, {shape} are the end for want of memory")
    tap.ok(SMALL < evidence.get("uncounted", 0) <= ENOUGH + 512 * MB, "the record says how much it was", evidence)
    tap.ok(eventually(lambda: tcp_bytes() < before + 16 * MB), "and the host has it back", (before, tcp_bytes()))
    time.sleep(1)  # of what is said of it meanwhile, nothing is left to count
    after = client.call("jail.exec", {"jail": jail, "argv": ["true"]})
    tap.same([after.get("result", after).get(key) for key in ("cause", "code", "hits")], ["exited", 0, []], "the jail stays")
    print(f"# {shape}: {evidence.get('uncounted', 0) >> 20} MiB; asked from {ASKED >> 20}, reached outside {ENOUGH >> 20}; "
          f"{time.monotonic() - began:.0f} s")

left = "if os.fork():\n    sys.exit(0)\nos.setsid()\n"
client.call("jail.exec", {"jail": jail, "argv": ["python3", "-c", UNACCEPTED + left + SHAPES["full connections that nobody accepts"] + STAY.format(120)],
                          "stdio": ["null", "null", "null"]})
tap.ok(eventually(lambda: tcp_bytes() > ASKED), "what a command left running does it too")
tap.ok(eventually(lambda: tcp_bytes() < before + 16 * MB), "and is ended", (before, tcp_bytes()))
said = subprocess.run([os.path.join(BUILD, "cli/warder"), "exec", jail, "--", *attack("full connections that nobody accepts", 120)],
                      env={**os.environ, "WARDER_SOCKET": supervisor.path}, capture_output=True, text=True, check=False)
tap.ok(said.returncode == 137 and "out of memory: sockets of the jail held up to" in said.stderr,
       "a person is told so", said.stderr)
os.close(hold)
record = beside.answer()["result"]
tap.same((record["cause"], record["code"], record["hits"]), ("exited", 0, []), "who had a few of them in another jail all the time is left alone")
for name in quiet, jail:
    client.call("jail.destroy", {"jail": name})
beside.close()
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
