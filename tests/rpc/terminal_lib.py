"""terminal_lib: a program on a terminal of its own, as in a window."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from front_lib import PATIENCE

MOST = max(120, PATIENCE)


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
            self.status = os.waitstatus_to_exitcode(status) if pid else None

    def wait(self, holds):
        deadline = time.monotonic() + MOST
        while not holds() and time.monotonic() < deadline and self.status is None:
            self.round()
        return holds()

    def shows(self, text, what):
        """Does @text appear; what was shown until then is forgotten."""
        found = self.wait(lambda: text in self.text)
        self.tap.ok(found, what, self.text[-300:], self.status)
        self.text = self.text.split(text, 1)[1] if found else b""
        return found

    def ends(self):
        deadline = time.monotonic() + MOST
        while self.status is None and time.monotonic() < deadline:
            self.round()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        try:
            while True:  # what it wrote last
                self.text += os.read(self.tty, 65536)
        except OSError:
            return self.status

    def close(self):
        self.ends()
        os.close(self.tty)


def running(mark):
    """The processes of the host that have @mark in their words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if mark.encode() in words and b"warder\0" not in words:
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
