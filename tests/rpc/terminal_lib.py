"""terminal_lib: a program on a terminal of its own, as in a window."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from front_lib import MOST

MINE = f"/warder-t{os.getpid()}-"  # in the names of the groups of this test's supervisors


class Terminal:
    """What it shows is kept in `text`."""

    def __init__(self, tap, program, environment, *words, size=(24, 80)):
        self.tap = tap
        self.text, self.status, self.typed = b"", None, b""
        ready, go = os.pipe()
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.read(ready, 1)  # the size is there before it starts
            os.execve(program, [program, *words], environment)
        os.set_blocking(self.tty, False)
        self.size(*size)
        os.write(go, b"x")
        os.close(go)
        os.close(ready)

    def size(self, rows, columns):
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self):
        return not termios.tcgetattr(self.tty)[3] & termios.ICANON

    def type(self, data):
        self.typed += data if isinstance(data, bytes) else data.encode()

    def round(self):
        readable, writable, _ = select.select([self.tty], [self.tty] if self.typed else [], [], 0.1)
        try:
            if writable:
                self.typed = self.typed[os.write(self.tty, self.typed):]
            if readable:
                self.text += os.read(self.tty, 65536)
        except BlockingIOError:
            pass
        except OSError:  # the other side is closed
            time.sleep(0.02)
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.rest()

    def rest(self):
        """What it wrote last, which may be after we looked."""
        try:
            while data := os.read(self.tty, 65536):
                self.text += data
        except OSError:
            pass

    def wait(self, holds):
        deadline = time.monotonic() + MOST
        while not holds() and time.monotonic() < deadline and self.status is None:
            self.round()
        return holds()

    def shows(self, wanted, what):
        """Does @wanted appear, which is bytes or a pattern of bytes; what was shown until then is forgotten."""
        wanted = wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(wanted))
        self.wait(lambda: wanted.search(self.text))
        found = wanted.search(self.text)
        self.tap.ok(found, what, self.text[-300:], self.status)
        self.text = self.text[found.end():] if found else b""
        return bool(found)

    def works(self, mark):
        """What a shell on it, of 31 rows and 97 columns, owes to a person: size, kind, keys that are signals, jobs. @mark: seconds
        that no other command of the test sleeps."""
        self.type("stty size; echo term:$TERM\r")
        self.shows(b"31 97", "its terminal has the size of the user's")
        self.shows(b"term:xterm", "and its kind")
        self.type("sh -c 'trap \"stty size\" WINCH; echo wait-$((1 + 1)); while :; do sleep 0.1; done'\r")
        self.shows(b"wait-2", "a program that waits for a new size")
        self.size(40, 111)
        self.shows(b"40 111", "hears of it")
        self.type(b"\x03")
        self.type("echo code:$?\r")
        self.shows(b"code:130", "Ctrl-C ends the program, not the shell")
        self.type(f"sleep {mark}\r")
        self.wait(lambda: has_keys(f"sleep\0{mark}"))
        self.type(b"\x1a")
        self.shows(b"Stopped", "Ctrl-Z stops a job")
        self.type("jobs\r")
        self.shows(b"sleep " + mark.encode(), "which is listed")
        self.type("fg\r")
        self.shows(b"sleep " + mark.encode(), "continued by fg")
        self.wait(lambda: has_keys(f"sleep\0{mark}"))
        self.type(b"\x03")
        self.type("sleep 0 & wait; echo code:$?\r")
        self.shows(b"code:0", "jobs in the background end")
        self.tap.ok(not running(f"sleep\0{mark}"), "the job is gone")

    def ends(self):
        deadline = time.monotonic() + MOST
        while self.status is None and time.monotonic() < deadline:
            self.round()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.rest()
        return self.status

    def close(self):
        self.ends()
        os.close(self.tty)


def running(mark, place=MINE):
    """The processes in jails of this test (or where a group's name has @place in it) that have @mark in their words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file, open(f"/proc/{pid}/cgroup") as groups:
                words, name = file.read(), groups.read()
        except OSError:
            continue
        if mark.encode() in words and b"warder\0" not in words and place in name:
            found.append(pid)
    return found


def stat(pid):
    """State, parent, group, session, terminal, its foreground group, …"""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def has_keys(mark):
    """Does a process with @mark in its words run in the foreground of its terminal."""
    for pid in running(mark):
        try:
            fields = stat(pid)
        except OSError:
            continue
        if fields[0] in "SR" and fields[2] == fields[5]:
            return True
    return False
