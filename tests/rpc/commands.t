#!/usr/bin/env -S python3 -B
"""commands: from the kernel's evidence to the cause of a command's end; and an init that lies."""
import os
import select
import struct
import time

from front_lib import (PATIENCE, INIT_DONE, INIT_ENDED, INIT_EXEC, INIT_OPENED, INIT_OUTPUT_LIMIT, INIT_SIGNAL,
                       INIT_SLOT, INIT_STARTED, JAIL_DESTROY, SLOT, Front, Tap, sealed)
from supervisor_lib import eventually

tap = Tap()
front = Front(memory=1 << 44)
handle = 100


def begin(exec_params=None, **create):
    """A client whose jail stands and whose command was sent to init: (client, jail, id of the command)."""
    global handle
    handle += 1
    client = front.client()
    client.send("jail.create", {"exec": {"argv": ["prog"], **(exec_params or {})}, **create})
    jail = front.jail(handle)
    kind, number, data, _ = jail.request()
    assert kind == INIT_EXEC
    jail.slot = struct.unpack_from("=I", data, 16)[0]
    return client, jail, number


def finish(client, jail, number, **event):
    """Init says STARTED and ENDED; the record that the client gets."""
    jail.event(INIT_STARTED, number)
    jail.event(INIT_ENDED, number, **event)
    record = client.answer()["result"]["command"]
    kind, _, data, _ = front.request()
    tap.ok(kind == JAIL_DESTROY and struct.unpack_from("=Q", data, 8)[0] == jail.handle, "an ephemeral jail is ended after the answer")
    jail.ended()
    client.close()
    return record


def is_killed(jail, slot=None):
    return jail.text(12 + 3 * (jail.slot if slot is None else slot)).endswith("1")


def short(record):
    return record["cause"], record["code"], record["signal"], record["hits"]


OOM, PIDS = (5, "oom_kill 1\n"), (9, "max 3\n")
CASES = [
    ("exit 0", None, {}, ("exited", 0, None, [])),
    ("exit 7", None, {"code": 7}, ("exited", 7, None, [])),
    ("SIGKILL alone is a signal, nothing more", None, {"signal": 9}, ("signaled", 0, 9, [])),
    ("SIGSYS is a signal", None, {"signal": 31}, ("signaled", 0, 31, [])),
    ("killed, and the kernel's count rose", OOM, {"signal": 9}, ("oom", 0, 9, ["memory"])),
    ("failed, and the count rose (a child was killed)", OOM, {"code": 2}, ("oom", 2, None, ["memory"])),
    ("ended well though a child was killed", OOM, {}, ("exited", 0, None, ["memory"])),
    ("failed, and forks were refused", PIDS, {"code": 1}, ("pids_limit", 1, None, ["pids"])),
    ("forks were refused, ended well", PIDS, {}, ("exited", 0, None, ["pids"])),
    ("no block was free", None, {"code": 1, "disk": 1}, ("disk_limit", 1, None, ["disk"])),
    ("no inode was free", None, {"code": 1, "disk": 2}, ("disk_limit", 1, None, ["inodes"])),
    ("no block was free, nor before", None, {"code": 1, "disk": 1, "disk_before": 1}, ("exited", 1, None, ["disk"])),
    ("no inode was free, no block before", None, {"code": 1, "disk": 3, "disk_before": 1}, ("disk_limit", 1, None, ["disk", "inodes"])),
    ("no block was free any more, ended well", None, {"disk": 1}, ("exited", 0, None, ["disk"])),
]
for what, counter, event, want in CASES:
    client, jail, number = begin()
    if counter:
        jail.set(*counter)
    tap.same(short(finish(client, jail, number, **event)), want, what)

# not started: its errno and its step
client, jail, number = begin()
jail.event(INIT_ENDED, number, code=-2, step=8)
record = client.answer()["result"]["command"]
tap.ok(record["cause"] == "not_started" and record["step"] == "exec" and record["errno"] == 2, "no such program: not_started", record)
front.request()
jail.ended()

# wall time: everything in the slot is killed through its cgroup.kill
client, jail, number = begin({"limits": {"wall": 100000}})
tap.ok(eventually(lambda: is_killed(jail)), "at its wall time the slot's cgroup.kill is written")
tap.same(short(finish(client, jail, number, signal=9)), ("wall_timeout", 0, 9, ["wall"]), "wall_timeout")

# processor time: read again when it could be reached, killed when it is
client, jail, number = begin({"limits": {"cpu_time": 100000}})
time.sleep(0.3)
tap.same(jail.text(12 + 3 * jail.slot), "", "an idle command is not killed for processor time")
jail.set(12 + 3 * jail.slot + 2, "usage_usec 100001\n")
tap.ok(eventually(lambda: is_killed(jail)), "at its processor time it is")
tap.same(short(finish(client, jail, number, signal=9)), ("cpu_timeout", 0, 9, ["cpu"]), "cpu_timeout")

# the jail's own wall time
client, jail, number = begin(limits={"wall": 100000})
kind, _, _, _ = front.request()
tap.same(kind, JAIL_DESTROY, "at the jail's wall time the jail is ended")
jail.ended()
tap.same(client.answer()["result"]["command"]["cause"], "wall_timeout", "its command says so")

# output
client, jail, number = begin()
jail.event(INIT_STARTED, number)
jail.event(INIT_OUTPUT_LIMIT, number)
tap.ok(eventually(lambda: is_killed(jail)), "an output limit ends the command")
jail.event(INIT_ENDED, number, signal=9)
tap.same(short(client.answer()["result"]["command"]), ("output_limit", 0, 9, ["output"]), "output_limit")
front.request()
jail.ended()

text = "gr\u00fc\u00dfe ".encode() + b"\xff\x00end"
client, jail, number = begin()
record = finish(client, jail, number, fds=[sealed(text), sealed(b"")], seen=(len(text) + 100, 0), kept=(len(text), 0), cut=(8, 0))
tap.same(record["output"]["stdout"]["text"], "gr\u00fc\u00dfe \n[... 100 bytes left out ...]\n\ufffd\ufffdend", "output is made valid text, the hole is named")
client, jail, number = begin()
record = finish(client, jail, number, fds=[sealed(b"x" * 10), sealed(b"")], seen=(10, 0), kept=(1 << 40, 0), cut=(1 << 40, 0))
tap.same(record["output"]["stdout"]["text"], "x" * 10, "kept bytes that are not there are not believed")
client, jail, number = begin()
big = b"y" * 300000
jail.event(INIT_ENDED, number, fds=[sealed(big), sealed(b"")], seen=(len(big), 0), kept=(len(big), 0), cut=(len(big), 0))
record = client.answer()["result"]["command"]
fd = client.fds[record["output"]["stdout"]["fd"]]
tap.same(os.pread(fd, 400000, 0), big, "large output travels by descriptor")
front.request()
jail.ended()

# a client that goes
client, jail, number = begin()
client.close()
kind, _, _, _ = front.request()
tap.same(kind, JAIL_DESTROY, "an ephemeral jail ends with its client")
jail.ended()

# a kept jail, its slots, leftovers
client = front.client()
client.send("jail.create", {"keep": True})
jail = front.jail(500)
name = client.answer()["result"]["jail"]


def start():
    other = front.client()
    other.send("jail.exec", {"jail": name, "argv": ["prog"]})
    return other


one = start()
_, first, data, _ = jail.request()
slot_one = struct.unpack_from("=I", data, 16)[0]
two = start()
_, second, data, _ = jail.request()
tap.ok(struct.unpack_from("=I", data, 16)[0] != slot_one, "two commands are in two slots")
three = start()
kind, cookie, data, _ = front.request()
tap.same((kind, *struct.unpack_from("=QIII", data, 16)), (SLOT, 0, 0, 0, 0xffffffff), "for a third one a slot is asked for, with no limits of its own")
files = [os.memfd_create("slot") for _ in range(3)]
os.write(files[1], b"populated 0\n")
front.reply(cookie, handle=2, present=0xf, fds=files + [os.open("/", os.O_RDONLY | os.O_DIRECTORY)])
tap.same(jail.request()[0], INIT_SLOT, "init is told of it")
kind, third, data, _ = jail.request()
tap.ok(kind == INIT_EXEC and struct.unpack_from("=I", data, 16)[0] == 2, "and the command runs in it")
jail.event(INIT_DONE, third - 1)
jail.set(12 + 3 * slot_one + 1, "populated 1\n")
jail.event(INIT_ENDED, first, value=1)
tap.ok("result" in one.answer(), "a command that leaves a daemon ends")
four = start()
kind, cookie, _, _ = front.request()
tap.same(kind, SLOT, "its slot is not used while the daemon lives")
jail.set(12 + 3 * slot_one + 1, "populated 0\n")
front.reply(cookie, code=-11, text="no more slots")
kind, fourth, data, _ = jail.request()
tap.same(struct.unpack_from("=I", data, 16)[0], slot_one, "and is when it is gone")

# a command with limits of its own: a narrow slot, by one request of fixed size
NARROW = struct.Struct("=IIQQIIII")
PLAIN_FDS, NARROW_FDS = 0xf, 0xf | 0x1f << 4  # kill events cpu dir; oom peak stat pids.events pids.peak


def narrow_reply(cookie, slot, present=NARROW_FDS, drop=0, oom="oom_kill 0\n"):
    texts = ["", "populated 0\n", "usage_usec 0\n", None, oom, "1000\n", "total_cache 0\n", "max 0\n", "1\n"]
    fds = []
    for text in texts:
        fds.append(os.open("/", os.O_RDONLY | os.O_DIRECTORY) if text is None else os.memfd_create("slot"))
        os.write(fds[-1], text.encode()) if text else None
    front.reply(cookie, handle=slot, present=present, fds=fds[:len(fds) - drop])
    return fds


def start_narrow(**limits):
    peer = front.client()
    peer.send("jail.exec", {"jail": name, "argv": ["prog"], "limits": limits})
    kind, cookie, data, _ = front.request()
    return peer, kind, cookie, NARROW.unpack(data) if len(data) == NARROW.size else data


peer, kind, cookie, fields = start_narrow(memory=64 << 20, pids=9)
tap.same((kind, fields[2:7]), (SLOT, (jail.handle, 64 << 20, 9, 0, 0xffffffff)), "a command of its own limits asks for a new narrow slot")
files = narrow_reply(cookie, 5)
kind, _, data, _ = jail.request()
tap.ok(kind == INIT_SLOT and struct.unpack_from("=II", data, 16) == (5, 1), "init is told that it is one")
kind, number, data, _ = jail.request()
tap.ok(kind == INIT_EXEC and struct.unpack_from("=I", data, 16)[0] == 5, "and gets the command")
os.pwrite(files[4], b"oom_kill 2\n", 0)
jail.event(INIT_DONE, number - 1)
jail.event(INIT_STARTED, number)
jail.event(INIT_ENDED, number, code=3)
record = peer.answer()["result"]
tap.ok(short(record) == ("oom", 3, None, ["memory"]) and record["evidence"]["counted_for"] == "command" and record["evidence"]["others"],
       "its own counter proves it, whoever else runs", record)
peer, kind, cookie, fields = start_narrow(pids=4)
tap.same((kind, fields[3:7]), (SLOT, (0, 4, 0, 5)), "the next one asks for the limits of the slot that is free")
front.reply(cookie, code=-12, text="no memory")
record = peer.answer()["result"]
tap.ok((record["cause"], record["step"], record["errno"]) == ("not_started", "group", 12), "what the monitor refuses is not started", record)
LIES = [("fewer descriptors than it says", 6, {"drop": 2}), ("none for init", 6, {"present": NARROW_FDS & ~8}), ("a slot that is no number", 99, {}),
        ("one that is there, and another's", 0, {})]
for what, slot, more in LIES:
    peer, kind, cookie, fields = start_narrow(memory=64 << 20)
    narrow_reply(cookie, slot, **more)
    if what.startswith("one that"):
        jail.request()  # init is told, and may say no
    record = peer.answer()["result"]
    tap.ok(record["cause"] == "not_started" and record["step"] == "group", f"a monitor that answers with {what}: not started", record)
peer, kind, cookie, fields = start_narrow(memory=64 << 20)
peer.close()
time.sleep(0.2)
narrow_reply(cookie, fields[6])
tap.same(jail.request()[0], INIT_SLOT, "a caller that went before its slot came: the slot is kept")
peer, kind, cookie, fields = start_narrow(memory=64 << 20)
tap.ok(kind == SLOT and fields[6] == 5, "for the next one", fields)
front.reply(cookie, code=-12, text="no memory")
peer.answer()

# signals
listing = client.call("jail.show", {"jail": name})["result"]
tap.same(listing["commands"], 3, "jail.show counts its commands")
jail.event(INIT_STARTED, fourth)
client.send("jail.signal", {"jail": name, "signal": 15})
kind, number, data, _ = jail.request()
tap.ok(kind == INIT_SIGNAL and number == fourth and struct.unpack_from("=i", data, 16)[0] == 15, "a signal goes to the newest command")
tap.ok("result" in client.answer(), "and is answered")
jail.event(INIT_DONE, number)
jail.event(INIT_ENDED, fourth, signal=15)
tap.same(four.answer()["result"]["cause"], "killed_by_client", "what dies of it was killed by its client")
two.close()
tap.ok(eventually(lambda: is_killed(jail, 1 - slot_one)), "a command whose caller went is ended, its jail is kept")
jail.event(INIT_ENDED, second, signal=9)

# opening a file
client.send("jail.open", {"jail": name, "path": "/etc/hostname", "flags": ["read"]})
kind, number, _, _ = jail.request()
jail.event(INIT_OPENED, number, value=5, fds=[sealed(b"hello")])
answer = client.answer()
tap.ok(answer["result"]["size"] == 5 and os.pread(client.fds[-1], 9, 0) == b"hello", "jail.open hands a descriptor over")
client.send("jail.open", {"jail": name, "path": "/root/x", "flags": ["read"]})
kind, number, _, _ = jail.request()
jail.event(INIT_OPENED, number, code=-13)
tap.same(client.answer()["error"]["data"]["code"], "denied", "what the jail's user may not open is denied")

# the end of a jail ends its commands
client.send("jail.destroy", {"jail": name})
kind, _, _, _ = front.request()
jail.ended()
tap.same(three.answer()["result"]["cause"], "jail_ended", "its last command ends with it: jail_ended")
tap.ok("result" in client.answer(), "jail.destroy is answered when nothing is left")
tap.same(client.call("jail.list")["result"]["jails"], [], "and the list is empty")

# an init that lies: the jail is ended, nobody else notices
LIES = {
    "an event of no request": lambda jail, number: jail.event(INIT_ENDED, number + 1000),
    "an event that does not fit": lambda jail, number: jail.event(INIT_OPENED, number),
    "an unknown kind": lambda jail, number: jail.event(99, number),
    "a message of a wrong size": lambda jail, number: jail.init.send(b"short"),
    "descriptors that nobody asked for": lambda jail, number: jail.event(INIT_STARTED, number, fds=[0]),
    "STARTED again and again": lambda jail, number: [jail.event(INIT_STARTED, number) for _ in range(2)],
    "too many streams": lambda jail, number: jail.event(INIT_ENDED, number, fds=[sealed(b"")] * 3),
    "its socket closed": lambda jail, number: jail.init.close(),
}
for what, lie in LIES.items():
    client, jail, number = begin()
    lie(jail, number)
    kind, _, _, _ = front.request()
    tap.same(kind, JAIL_DESTROY, f"{what}: the jail is ended")
    jail.ended()
    answer = client.answer()
    tap.ok(answer.get("result", {}).get("command", {}).get("cause") == "jail_ended", f"{what}: its command ends as jail_ended", answer)

# an order that comes while the process is being made
client, jail, number = begin()
other = front.client()
name = other.call("jail.list")["result"]["jails"][0]["jail"]
other.call("jail.signal", {"jail": name, "signal": 9})
jail.set(12 + 3 * jail.slot, "")
jail.event(INIT_STARTED, number)
tap.ok(eventually(lambda: is_killed(jail)), "what was killed before it ran is killed when it does")
jail.event(INIT_ENDED, number, signal=9)
tap.same(client.answer()["result"]["command"]["cause"], "killed_by_client", "and its cause is named")
front.request()
jail.ended()

# too many jails of one user
crowd = front.client()
cookies = []
for n in range(255):
    crowd.send("jail.create", {"keep": True})
    cookies.append(front.request()[1])
tap.same(len(crowd.every("jail.list", "jails")), 255, "many jails are being made")
tap.same(len(crowd.call("jail.list")["result"]["jails"]), 200, "a page of which is told at a time")
crowd.send("jail.create", {"keep": True})
cookies.append(front.request()[1])
refused = None
while refused is None and len(cookies) <= 1024:  # over connections, of which each may have 256 that wait
    more = front.client()
    for _ in range(200):
        more.send("jail.create", {"keep": True})
        poll = select.poll()
        poll.register(front.monitor, select.POLLIN)
        poll.register(more.sock, select.POLLIN)
        if front.monitor.fileno() not in [fd for fd, _ in poll.poll(PATIENCE * 1000)]:
            refused = more.answer()["error"]["data"]["code"]
            break
        _, cookie, _, passed = front.request()
        cookies.append(cookie)
        for fd in passed:
            os.close(fd)
tap.ok(refused in ("quota", "busy"), "those above what a user may have, or the host has descriptors for, are refused", refused, len(cookies))
crowd.send("warder.info")
crowd.send("warder.info")
tap.ok(crowd.is_closed(), "a connection with too many open requests is closed")

for cookie in cookies:
    front.reply(cookie, code=-28, text="no")
tap.ok(eventually(lambda: other.call("jail.list")["result"]["jails"] == []), "answers to a client that has gone go nowhere")

# a monitor that cannot make a jail
client = front.client()
client.send("jail.create", {"exec": {"argv": ["prog"]}})
_, cookie, _, _ = front.request()
front.reply(cookie, code=-28, text="no id range is free")
error = client.answer()["error"]
tap.ok("no id range is free" in error["message"] and error["data"]["code"], "the monitor's words reach the client", error)
front.send_monitor(b"odd")
tap.ok("result" in client.call("warder.info"), "a message of a wrong size from the monitor is passed over")
tap.ok(front.alive(), "the front is alive")
tap.same(front.stop(), 1, "when its monitor goes, it goes")
tap.end()
