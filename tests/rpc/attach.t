#!/usr/bin/env -S python3 -B
"""attach: to a command in the background with a terminal of the jail's own: come, type, leave, come back, be killed."""
import os
import signal
import subprocess

import terminal_lib
from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails
from terminal_lib import has_keys

need_jails()
tap = Tap()
supervisor = Supervisor("attach")
environment, warder = supervisor.environment, supervisor.warder
LEAVE = b"\x10\x11"


def attach(command, **more):
    return terminal_lib.Terminal(tap, COMMAND, environment, "attach", jail, command, **more)


def start(*words, options=("--tty",)):
    return warder("exec", "-d", *options, jail, "--", *words).stdout.strip()


jail = warder("create", "--no-work").stdout.strip()
shell = start("bash", "--norc")
tap.ok(shell.startswith("c-"), "a shell in the background", shell)

# --- come, type, leave
here = attach(shell, size=(33, 88))
here.type("echo sum-$((40 + 2))\r")
here.shows(b"sum-42", "what is typed goes to it")
tap.ok(here.is_raw(), "the user's terminal is raw")
here.type("tty; stty size; echo $TERM\r")
here.shows(b"/dev/pts/", "its terminal has a name in the jail")
here.shows(b"33 88", "the size of the user's")
here.shows(b"xterm", "and its kind")
here.size(44, 99)
here.type("sh -c 'until [ \"$(stty size)\" = \"44 99\" ]; do sleep 0.1; done; echo size-$((4 + 4))'\r")
here.shows(b"size-8", "it hears of another size")
here.type("x=kept; sleep 76543\r")
here.wait(lambda: has_keys("sleep\00076543"))
here.type(b"\x03")
here.type("echo code:$?\r")
here.shows(b"code:130", "is ended by Ctrl-C")
here.type(b"echo half" + LEAVE)
tap.same(here.ends(), 0, "Ctrl-P Ctrl-Q leaves")
tap.ok(not here.is_raw() and b"comes back" in here.text, "the user's terminal is as it was, and how to come back is said", here.text[-200:])
here.close()

# --- come back
here = attach(shell)
here.type("-$((5 + 5)) $x\r")
here.shows(b"half-10 kept", "it is the same shell, with what was typed before")
here.type("stty raw -echo; printf 'raw-%s' on; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane; echo one-$((1 + 1))\r")
here.shows(b"raw-on", "a program in raw mode")
here.type(b"\x10\x10a")
here.shows(b"10 10 61", "gets Ctrl-P where no Ctrl-Q follows")
here.shows(b"one-2", "and ends")
here.type("seq 1 40000; echo all-$((6 + 6))\r")
here.shows(b"all-12", "much output arrives")
os.kill(here.pid, signal.SIGKILL)
here.ends()
here.close()
here = attach(shell)
here.type("echo still-$((3 + 3))\r")
here.shows(b"still-6", "a client that is killed leaves the shell alone")
os.kill(here.pid, signal.SIGTERM)
tap.same(here.ends(), 0, "one that is told to end leaves too")
tap.ok(not here.is_raw(), "and its terminal as it was")
here.close()
here = attach(shell)
here.wait(here.is_raw)
os.kill(here.pid, signal.SIGSTOP)
os.write(here.tty, b"#")
os.kill(here.pid, signal.SIGTERM)
os.kill(here.pid, signal.SIGCONT)
tap.same(here.ends(), 0, "as does one that is told to while a key is typed")
here.close()
here = attach(shell)
os.close(here.tty)
os.waitpid(here.pid, 0)
first, second = attach(shell), None
first.type("echo first-$((7 + 7))\r")
first.shows(b"first-14", "so does one whose window is closed")
second = attach(shell)
second.type("echo second-$((8 + 8))\r")
second.shows(b"second-16", "who comes later has the keys")
first.shows(b"second-16", "who was there still sees it")
os.kill(first.pid, signal.SIGSTOP)
second.type("seq 1 300000; echo much-$((9 + 9))\r")
second.shows(b"much-18", "who has the keys waits for nobody that is slow")
os.kill(first.pid, signal.SIGCONT)
first.shows(b"much-18", "who was too slow sees what came last")
second.type("echo third-$((10 + 10))\r")
second.shows(b"third-20", "and has not taken the keys back")
first.shows(b"third-20", "which it sees, too")
first.type(LEAVE)
tap.same(first.ends(), 0, "and can leave")
first.close()
shown = warder("logs", jail, shell).stdout
tap.ok("third-20" in shown, "logs has what it wrote", shown[-200:])

# --- the end
second.type("exit 6\r")
tap.same(second.ends(), 6, "the exit code is the shell's")
tap.ok(not second.is_raw(), "the terminal is as it was")
second.close()
late = warder("attach", jail, shell)
tap.same(late.returncode, 6, "attach to one that has ended")
plain = start("sh", "-c", "echo up; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo over; exit 4", options=())
watcher = subprocess.Popen([COMMAND, "attach", jail, plain], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
tap.same(watcher.stdout.readline(), "up\n", "one without a terminal is watched")
warder("exec", jail, "--", "touch", "/tmp/go")
tap.same((watcher.communicate(timeout=MOST)[0], watcher.returncode), ("over\n", 4), "until its end")
tap.same(warder("attach", jail, "c-aaaaaaaaaa").returncode, 125, "no such command")
busy = start("sh", "-c", "while :; do seq 1 100000; done")
slow = attach(busy)
tap.ok(slow.wait(lambda: b"99999" in slow.text), "endless output")
slow.type(LEAVE)
tap.same(slow.ends(), 0, "can be left")
slow.close()
tap.same(warder("kill", "-s", "KILL", jail, busy).returncode, 0, "and ended")
short = start("bash", "--norc", options=("--tty", "--time", "200s"))
late = attach(short)
late.shows(b"then its limit of time ends it", "who comes to a shell with little time left hears of it")
late.type("echo here-$((3 + 4)); exit\r")
late.shows(b"here-7", "and works on")
tap.same(late.ends(), 0, "until the end")
late.close()
left = start("sh", "-c", "setsid sleep 87.125 & sleep 0.1; exit 0")
tap.ok(eventually(lambda: "running" not in warder("ls", jail).stdout, MOST), "all have ended", warder("ls", jail).stdout)
warder("rm", jail)
supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
