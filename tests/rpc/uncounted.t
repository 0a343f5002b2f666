#!/usr/bin/env -S python3 -B
"""uncounted: whom the front ends when the host's TCP needs much memory. Kernel and inits are played here, so that an
init can lie, stay silent, or be the largest of many; tests/hostile/exhaust.t has the real ones."""
import os
import select
import struct
import tempfile
import time

from front_lib import INIT_COUNT, INIT_COUNTED, INIT_ENDED, INIT_STARTED, JAIL_DESTROY, Front, Tap
from supervisor_lib import eventually

tap = Tap()
MB, PAGE = 1 << 20, os.sysconf("SC_PAGESIZE")
MOST = (1 << 64) - 1
scratch = tempfile.TemporaryDirectory()
SOCKSTAT, TCP_MEM, MEMINFO = (os.path.join(scratch.name, name) for name in ("sockstat", "tcp_mem", "meminfo"))
TOTAL = 1 << 44  # memory of the host
LINES = "Buffers Cached SwapCached AnonPages SReclaimable KernelStack PageTables SecPageTables Percpu VmallocUsed Hugetlb Balloon".split()
LOW = 1024 * MB  # tcp_mem[0]
LOCKS_MAX = 8192  # INIT_LOCKS_MAX of wire.h
handle = 600


def write(path, text):
    """All of it at once, for it is read at any time."""
    with open(path, "r+b", buffering=0) as file:
        file.write(text.encode().ljust(1000, b"\n"))


def host(used):
    """TCP uses so many bytes; memory of UDP is none of ours."""
    write(SOCKSTAT, f"sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 7 mem {used // PAGE}\nUDP: inuse 1 mem 99999999\n")


def unexplained(missing, line=None, more=0, kernel=0):
    """So many bytes are in use for nobody, @kernel of them in the kernel's own line; @more of those that are not stand in @line."""
    rows = {name: 1 << 20 for name in LINES}
    rows[line] = rows.get(line, 0) + more
    rows["MemFree"] = TOTAL - missing - more - len(LINES) * (1 << 20)
    rows["SUnreclaim"] = kernel
    write(MEMINFO, f"MemTotal: {TOTAL >> 10} kB\n" + "".join(f"{name}: {rows[name] >> 10} kB\n" for name in ["MemFree", *LINES, "SUnreclaim"]))


for path in SOCKSTAT, MEMINFO:
    open(path, "w").close()
unexplained(0)
with open(TCP_MEM, "w") as file:
    file.write(f"{LOW // PAGE}\t{LOW // PAGE * 4 // 3}\t{LOW // PAGE * 2}\n")
host(0)
front = Front(memory=TOTAL, sockstat=SOCKSTAT, tcp_mem=TCP_MEM, meminfo=MEMINFO)


class Played:
    """A jail with one command that runs."""

    def __init__(self, memory, keep=False):
        global handle
        handle += 1
        self.client = front.client()
        self.client.send("jail.create", {"limits": {"memory": memory}} | ({"keep": True} if keep else {"exec": {"argv": ["prog"]}}))
        self.jail = front.jail(handle)
        self.asked = []
        if keep:
            self.id = self.client.answer()["result"]["jail"]
        else:
            self.start()

    def start(self):
        kind, self.number, _, _ = self.jail.request()
        while kind == INIT_COUNT:
            self.asked.append(self.number)
            kind, self.number, _, _ = self.jail.request()
        self.jail.event(INIT_STARTED, self.number)

    def exec(self):
        for slot in (12, 15):
            self.jail.set(slot, "")
        self.client.send("jail.exec", {"jail": self.id, "argv": ["prog"]})
        self.start()

    def is_asked(self, seconds=10):
        """Does the front ask for a count; what it asked is kept."""
        if not select.select([self.jail.init], [], [], seconds)[0]:
            return False
        kind, number, _, _ = self.jail.request()
        self.asked.append(number)
        return kind == INIT_COUNT

    def is_asked_for_locks(self):
        """A look at most ago it was, or is now."""
        return eventually(lambda: self.asks_for_locks(), 20)

    def asks_for_locks(self):
        if not self.asked and not select.select([self.jail.init], [], [], 0)[0]:
            return False
        if not self.asked:
            kind, number, data, _ = self.jail.request()
            self.asked.append(number)
            self.locks = kind == INIT_COUNT and struct.unpack_from("=I", data, 16)[0]
        if not self.locks:
            self.say(0)
        return self.locks

    def say(self, seen, hidden=0, pinned=0, code=0, counted=0, locks=0):
        self.jail.event(INIT_COUNTED, self.asked.pop(), code=code, value=seen, seen=(hidden, pinned), kept=(counted, locks))

    def is_killed(self):
        return self.jail.text(12) == "1" or self.jail.text(15) == "1"

    def answer(self, seen, hidden=0, pinned=0, counted=0):
        """Asked once more, it says so."""
        while select.select([self.jail.init], [], [], 0)[0]:
            self.is_asked(0)
        if not self.asked:
            self.is_asked()
        self.say(seen, hidden, pinned, counted=counted)

    def record(self):
        self.jail.event(INIT_ENDED, self.number, signal=9)
        return self.client.answer()["result"]["command"]

    def close(self):
        self.client.close()
        front.request()
        self.jail.ended()


def after_a_look(played):
    """Two more counts of a jail that has next to nothing: what was said before has been judged."""
    for _ in range(2):
        played.answer(PAGE)


small, large = Played(64 * MB), Played(512 * MB)
tap.ok(not small.is_asked(1), "while TCP uses little, nobody is asked")
host(LOW // 4)
tap.ok(not small.is_asked(1), "nor at the mark itself")
host(LOW // 4 + 64 * MB)
tap.ok(small.is_asked() and large.is_asked(), "above it, every jail is")
tap.ok(not small.is_asked(1), "and not again before it has answered")
small.say(64 * MB)
large.say(100 * MB)
after_a_look(large)
tap.ok(not small.is_killed() and not large.is_killed(), "who holds no more than its memory limit goes on")
small.answer(64 * MB + 1)
tap.ok(eventually(small.is_killed), "who holds more is ended")
tap.ok(not large.is_killed(), "and who holds more than that below a higher limit is not")
record = small.record()
tap.same((record["cause"], record["code"], record["signal"], record["hits"]), ("oom", 0, 9, ["sockets"]), "the cause is oom, the hit says of what")
tap.same((record["evidence"]["uncounted"], record["evidence"]["oom_kills"]), (64 * MB + 1, 0), "how much it was, and that the kernel killed nobody")
small.close()

hidden = Played(64 * MB)
for _ in range(4):
    large.answer(PAGE, counted=LOW // 4 + 10 * MB)
    hidden.answer(MB, 640 * MB)
tap.ok(not hidden.is_killed(), "what may be hidden is no proof where another lists what TCP uses")
host(LOW + MB)
for _ in range(4):
    large.answer(PAGE, counted=LOW - 2 * MB)
    hidden.answer(MB, 640 * MB)
tap.ok(not hidden.is_killed(), "not near pressure either, where another jail lists what TCP uses")
for _ in range(4):
    large.answer(PAGE, counted=LOW - 80 * MB)
    if hidden.is_killed():
        break
    hidden.answer(MB, 640 * MB)
tap.ok(eventually(hidden.is_killed), "but it is where nobody does")
host(LOW // 2)
tap.ok(70 * MB < hidden.record()["evidence"]["uncounted"] <= 81 * MB, "as far as nobody does")
hidden.close()

roomy, narrow = Played(512 * MB), Played(64 * MB)
for _ in range(8):
    large.answer(PAGE, counted=LOW // 2 - 100 * MB)
    roomy.answer(MB, 600 * MB)
    if narrow.is_killed():
        break
    narrow.answer(MB, 300 * MB)
tap.ok(eventually(narrow.is_killed), "who may hide more than its limit is not sheltered by who may hide more below its own")
tap.ok(not roomy.is_killed(), "which goes on")
narrow.record()
narrow.close()
narrow = Played(64 * MB)
for _ in range(4):  # roomy does not answer
    large.answer(PAGE)
    narrow.answer(MB, 300 * MB)
tap.ok(not narrow.is_killed(), "what an init that does not answer may have to list is not another's")
roomy.close()
for _ in range(8):
    if narrow.is_killed():
        break
    large.answer(PAGE)
    narrow.answer(MB, 300 * MB)
tap.ok(eventually(narrow.is_killed), "once it has gone it may be")
narrow.record()
narrow.close()

# ---- a jail of which more was said than is there now
again = Played(64 * MB, keep=True)
again.exec()
large.answer(PAGE)
again.answer(65 * MB)
tap.ok(eventually(again.is_killed), "what runs in a jail that stays is ended")
tap.ok(not again.is_asked(1), "and the jail not asked again while that dies")
again.jail.event(INIT_ENDED, again.number, signal=9)
tap.same(again.client.answer()["result"]["cause"], "oom", "its command ends so")
again.exec()
again.answer(PAGE)
large.answer(PAGE)
tap.ok(not again.is_killed(), "the next one is none of it")
again.answer(MB, 640 * MB)  # counts at the next look
again.jail.event(INIT_ENDED, again.number)
tap.same(again.client.answer()["result"]["cause"], "exited", "where a command ends before it is judged")
after_a_look(large)
again.answer(PAGE)
again.exec()
tap.ok(not again.is_killed(), "the jail stays, and the next command too")
again.jail.event(INIT_ENDED, again.number)
again.client.answer()
for _ in range(3):
    again.answer(MB, 640 * MB)
    large.answer(PAGE)
    if select.select([front.monitor], [], [], 0.6)[0]:
        break
tap.ok(front.request()[0] == JAIL_DESTROY, "a jail in which nothing runs, and which holds it, goes itself")
again.jail.ended()
again.client.close()
for seen, more in (MOST, MOST), (MOST, 0), (1, MOST):
    liar = Played(LOW)
    liar.answer(seen, more)
    after_a_look(large)
    tap.ok(not liar.is_killed(), f"nobody holds more than all of the host: {seen}, {more}")
    liar.close()

early = Played(64 * MB)
early.answer(65 * MB)
tap.ok(eventually(early.is_killed), "a command that is ended for it")
early.jail.event(INIT_ENDED, early.number, code=0)
tap.same(early.client.answer()["result"]["command"]["cause"], "exited", "and was done a moment before, has exited")
early.close()

other = Played(512 * MB)
host(LOW + MB)
for _ in range(3):
    other.answer(3 * MB)
    large.answer(3 * MB)
tap.ok(not other.is_killed() and not large.is_killed(), "near pressure, who holds next to nothing goes on")
large.answer(40 * MB)
other.answer(41 * MB)
tap.ok(eventually(other.is_killed), "who holds most of it is ended, below its limit")
tap.ok(not large.is_killed(), "and nobody else")
host(LOW // 2)
tap.same(other.record()["cause"], "oom", "for want of memory")
other.close()

large.answer(600 * MB)
tap.ok(eventually(large.is_killed), "all of it may be one jail's")
tap.same(large.record()["cause"], "oom", "whose command ends so")
large.close()

mute, blind = Played(64 * MB), Played(64 * MB)
tap.ok(mute.is_asked() and blind.is_asked(), "an init that does not answer")
blind.say(0, code=-2)
tap.ok(eventually(lambda: "cannot be told" in front.words()), "or has a kernel that does not say, is heard of")
tap.ok(not mute.is_asked(1) and not mute.is_killed() and not blind.is_killed(), "costs nobody his jail")
mute.close()
blind.close()

# ---- memory that nothing explains
host(0)
one, two = Played(64 * MB), Played(64 * MB)
unexplained(TOTAL // 4)
while one.is_asked(1):
    one.say(0)
while two.is_asked(1):
    two.say(0)
tap.ok(not one.is_asked(1), "a quarter of the host's memory may be missing")
for line in LINES:
    unexplained(TOTAL // 4 - (1 << 30), line, 1 << 40)
    tap.ok(not one.is_asked(0.4), f"what stands in {line} is not")
unexplained(TOTAL // 4 + (1 << 30))
tap.ok(one.is_asked() and two.is_asked(), "above it the jails are asked")
one.say(MOST, MOST, 64 * MB)
two.say(MOST, MOST, 64 * MB)
for _ in range(2):
    one.answer(0)
    two.answer(0)
tap.ok(not one.is_killed() and not two.is_killed(), "whose sockets pin no more than its limit goes on; TCP has enough")
one.answer(0, 0, 65 * MB)
two.answer(0, 0, MOST)
tap.ok(eventually(two.is_killed), "whose may pin the most is ended")
tap.ok(not one.is_killed(), "alone: what is missing may be back with it")
record = two.record()
tap.same((record["cause"], record["hits"], record["evidence"]["uncounted"]), ("oom", ["sockets"], TOTAL // 4 + (1 << 30)),
         "for want of memory, and of no more than is missing")
two.close()
one.answer(0, 0, 65 * MB)
tap.ok(eventually(one.is_killed), "where it is not back, the next one goes")
one.record()
one.close()
third = Played(64 * MB)
third.is_asked()
unexplained(0)
third.say(0, 0, 65 * MB)
tap.ok(not third.is_asked(1) and not third.is_killed(), "and nobody once it is")
third.close()

# ---- locks
unexplained(0)
locker, saver = Played(64 * MB), Played(64 * MB)
tap.ok(not locker.is_asked(1), "while the kernel has little for itself, nobody is asked")
unexplained(TOTAL // 16, kernel=TOTAL // 16 + MB)
tap.ok(locker.is_asked_for_locks() and saver.is_asked_for_locks(), "above a sixteenth of memory, for locks too")
locker.say(0, locks=LOCKS_MAX - 1)
saver.say(0, locks=LOCKS_MAX - 1)
for _ in range(2):
    tap.ok(locker.is_asked_for_locks() and not locker.is_killed(), "who has less than the most that are counted goes on")
    locker.say(0, locks=LOCKS_MAX - 1)
tap.ok(locker.is_asked_for_locks(), "it is asked again")
locker.say(0, locks=LOCKS_MAX)
tap.ok(eventually(locker.is_killed), "who has as many as are counted is ended")
tap.ok(not saver.is_killed(), "and nobody else")
record = locker.record()
tap.same((record["cause"], record["hits"], record["evidence"]["uncounted"], record["evidence"]["oom_kills"]),
         ("oom", ["locks"], LOCKS_MAX * 192, 0), "for want of memory, and it is said of what")
locker.close()
unexplained(0)
saver.asks_for_locks()
if saver.asked:
    saver.say(0)
tap.ok(eventually(lambda: not saver.is_asked(1) or saver.say(0)), "nobody is asked once the kernel has its memory back")
unexplained(TOTAL // 60, kernel=TOTAL // 60)
tap.ok(saver.is_asked_for_locks(), "a fast rise by a sixty-fourth is enough to be asked for locks")
saver.say(0, locks=1 << 60)
tap.ok(eventually(saver.is_killed), "who says more than can be counted has said enough")
saver.record()
saver.close()
unexplained(0)

# ---- an init that does not answer
silent, early = Played(64 * MB), Played(64 * MB)
unexplained(TOTAL // 8, kernel=TOTAL // 8)
tap.ok(silent.is_asked() and early.is_asked(), "jails are asked before the host is short of memory")
early.say(0)
tap.ok(not select.select([front.monitor], [], [], 20)[0], "an init that does not answer is waited for")
unexplained(TOTAL // 4 + (1 << 30))
while not select.select([front.monitor], [], [], 0.1)[0]:
    if early.is_asked(0):
        early.say(0)
tap.ok(front.request()[0] == JAIL_DESTROY, "but not for long where the host is")
tap.ok("does not say what it holds" in front.words(), "that is heard of")
silent.jail.ended()
tap.same(silent.client.answer()["result"]["command"]["cause"], "jail_ended", "its command ends with the jail")
for _ in range(80):
    early.answer(0)
tap.ok(not early.is_killed() and not select.select([front.monitor], [], [], 0)[0], "who answers goes on")
silent.client.close()
unexplained(0)
early.close()

forged = Played(64 * MB)
unexplained(TOTAL)
forged.is_asked()
forged.jail.event(INIT_COUNTED, forged.asked[0] + 1000, value=1)
kind, _, _, _ = front.request()
tap.same(kind, 2, "a count that nobody asked for ends its jail alone")
forged.jail.ended()
host(0)
tap.ok(front.alive(), "the front lives")
front.stop()
tap.end()
