"""trace_lib: system calls of all processes as perf records them, and the way back from an answer to its request."""
import bisect
import os
import re
import shutil
import signal
import subprocess
import time

WAITS = {"epoll_wait", "epoll_pwait", "ppoll", "poll", "pselect6", "recvmsg", "recvfrom", "read", "wait4", "waitid", "clock_nanosleep", "futex"}
TAKES = {"recvmsg", "recvfrom", "read"}
GIVES = {"sendmsg", "sendto", "write"}
EVENTS = ("raw_syscalls:sys_enter", "raw_syscalls:sys_exit", "sched:sched_process_fork", "sched:sched_process_exit")
LINE = re.compile(r"\s*(.+?)\s+(\d+)/(\d+)\s+(\d+)\.(\d+):\s+(\S+):\s+(.*)")
NUMBERS = ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h")


def lacks():
    """Why it cannot be done here, or None."""
    if not shutil.which("perf"):
        return "perf, which is not installed"
    if not call_names():
        return "the kernel's numbers of system calls (linux-libc-dev)"
    if not os.path.isdir("/sys/kernel/tracing/events/raw_syscalls") and not os.path.isdir("/sys/kernel/debug/tracing/events/raw_syscalls"):
        return "the kernel's tracepoints of system calls (tracefs)"
    return None


def call_names():
    """number: name, of this machine"""
    for path in filter(os.path.exists, NUMBERS[1:] if os.uname().machine == "aarch64" else NUMBERS[:1]):
        with open(path) as header:
            return {int(n): name for name, n in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read())}
    return {}


class Recording:
    """perf at work from here to stop(); its own calls are left out."""

    def __init__(self, path):
        self.path = path
        argv = ["perf", "record", "-q", "-a", "-k", "CLOCK_MONOTONIC", "-m", "1024", "-o", path]
        for event in EVENTS:
            argv += ["-e", event, "--filter", 'COMM != "perf"']
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(1.5)
        if self.process.poll() is not None:
            raise OSError(self.process.stderr.read().decode(errors="replace").strip().split("\n")[0])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        return subprocess.run(["perf", "script", "-i", self.path, "--ns", "-F", "comm,pid,tid,time,event,trace"],
                              capture_output=True, text=True, errors="replace", check=False).stdout


class Call:
    __slots__ = ("start", "end", "name", "ret", "comm")

    def __init__(self, start, end, name, ret, comm):
        self.start, self.end, self.name, self.ret, self.comm = start, end, name, ret, comm


class Thread:
    def __init__(self):
        self.calls, self.ends, self.exit, self.parent = [], [], None, None

    def before(self, when):
        """Its calls that had returned by then, the last first."""
        return reversed(self.calls[:bisect.bisect_right(self.ends, when)])


def read(text, ours):
    """{thread: Thread} of what has such a name, times in nanoseconds"""
    names, threads, open_calls = call_names(), {}, {}
    for line in text.split("\n"):
        match = LINE.match(line)
        if not match or not ours(match.group(1), int(match.group(3))):
            continue
        comm, _, tid, seconds, fraction, event, more = match.groups()
        now, tid = int(seconds) * 10**9 + int(fraction), int(tid)
        thread = threads.setdefault(tid, Thread())
        if event.endswith("sys_enter"):
            open_calls[tid] = (now, int(more.split()[1]))
        elif event.endswith("sys_exit"):
            # what was waited in before the recording has no beginning in it
            start, number = open_calls.pop(tid, (0, int(more.split()[1])))
            thread.calls.append(Call(start, now, names.get(number, str(number)), int(more.split("=")[1]), comm))
            thread.ends.append(now)
        elif event.endswith("process_fork"):
            threads.setdefault(int(more.rsplit("child_pid=", 1)[1]), Thread()).parent = tid
        else:
            thread.exit = now
    return threads


def parents():
    """{process: its parent}, now"""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                found[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return found


def families(threads, before, known):
    """{thread: the first process of its jail}; those of @known are families of their own. @before: parents() at the beginning.
    A child of whom a thread is made with CLONE_PARENT belongs to the same jail all the same."""
    def first(tid):
        parent = threads[tid].parent if tid in threads and threads[tid].parent else before.get(tid)
        return tid if tid in known or parent is None or parent in known or parent == 1 else first(parent)

    return {tid: first(tid) for tid in threads}


class Way:
    """From the answer back to the request, as steps (thread, from, to, what it was). A thread that found its message waiting
    was busy with what came before it; one that waited for it leads back to who sent it."""

    def __init__(self, threads, family, known, span):
        """@known: the processes {"client", "front", "monitor": id}, which speak with all jails"""
        begin, end = span
        client, front = known["client"], known["front"]
        self.threads, self.family, self.known, self.begin = threads, family, set(known.values()), begin
        self.gives, self.steps = {}, []
        for tid, thread in threads.items():
            for call in thread.calls[bisect.bisect_left(thread.ends, begin):bisect.bisect_right(thread.ends, end)]:
                if call.name in GIVES and call.ret > 0:
                    self.gives.setdefault(call.ret, []).append((call.start, tid))
        self.exits = sorted((thread.exit, tid) for tid, thread in threads.items() if thread.exit and begin <= thread.exit <= end)
        # the client may take two messages at once: its answer is what the front sent it last
        answer = max(call.start for call in threads[front].calls if call.name == "sendmsg" and begin < call.start < end)
        self.steps.append((client, answer, end, "message"))
        tid, now = front, answer
        while tid is not None:
            tid, now = self.back(tid, now)
        self.steps.reverse()

    def cause(self, call, tid):
        """Who made this call return, when and how: who sent as many bytes last, or the child that ended last."""
        if call.name in TAKES and call.ret > 0:
            found = max((give for give in self.gives.get(call.ret, ()) if give[0] < call.end and self.speak(give[1], tid)), default=None)
            return found and (*found, "message")
        if call.name in ("wait4", "waitid") and call.ret > 0:
            found = max((x for x in self.exits if x[0] < call.end and self.speak(x[1], tid)), default=None)
            return found and (*found, "end")
        return None

    def speak(self, one, other):
        """May these two know each other: not where they are of two jails."""
        return one != other and (one in self.known or other in self.known or self.family[one] == self.family[other])

    def back(self, tid, now):
        """One step: when this thread began with what it did until then, and who had caused that: of what it took after it
        had waited, what came last while it waited."""
        causes = []
        for call in self.threads[tid].before(now):
            if call.end < self.begin or len(self.steps) > 64:
                break
            causes.append(self.cause(call, tid))
            here = [cause for cause in causes if cause and call.start <= cause[0] <= call.end] if call.name in WAITS else []
            if here:
                when, who, how = max(here)
                self.steps += [(tid, call.end, now, "work"), (tid, when, call.end, how)]
                return who, when
        if now > self.begin:
            self.steps.append((tid, self.begin, now, "work"))
        return None, now
