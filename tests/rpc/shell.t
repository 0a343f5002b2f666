#!/usr/bin/env -S python3 -B
"""shell: programs for people in a jail, driven through a pseudo-terminal: size, job control, keys that are signals, raw
programs, large pastes; a client that is stopped, told to end, killed, or loses its terminal."""
import os
import re
import shutil
import signal
import subprocess
import sys

import terminal_lib
from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails
from terminal_lib import running, stat

need_jails()
tap = Tap()
supervisor = Supervisor("shell")
environment, warder = supervisor.environment, supervisor.warder


def Terminal(*words, **more):
    return terminal_lib.Terminal(tap, COMMAND, environment, *words, **more)


made = warder("create", "--no-work")
jail = made.stdout.strip()
tap.ok(jail.startswith("j-"), "a jail", made)

# --- a shell, its size, its jobs
shell = Terminal("shell", jail, size=(31, 97))
shell.type("echo ready-$((20 + 3))\r")
shell.shows(b"ready-23", "a shell answers")
tap.ok(shell.is_raw(), "the user's terminal is raw meanwhile")
shell.works("54321")
shell.type("echo bash:${BASH_VERSION:+yes}\r")
shell.shows(b"bash:yes", "the shell is bash where there is one")
shell.type("echo seen >/dev/tty; echo to-$((3 + 1)) >/dev/stderr\r")
shell.shows(b"seen", "/dev/tty is the shell's terminal")

# --- whose terminal it is
shell.type("stat -L -c 'dev:%t on:%d:%i.' /proc/self/fd/0\r")
pattern = re.compile(rb"dev:88 on:(\d+):(\d+)\.")
shell.wait(lambda: pattern.search(shell.text))
here = os.stat(os.readlink(f"/proc/{shell.pid}/fd/0"))
there = pattern.search(shell.text)
tap.ok(there and int(there[1]) != here.st_dev, "no descriptor of the user's own terminal is in the jail", shell.text[-200:], here)

# --- bytes that are signals, as a program in raw mode reads them
shell.type("stty raw -echo; printf 'raw-%s' on; dd bs=1 count=6 2>/dev/null | od -An -tx1; stty sane; echo done-$((5 + 5))\r")
shell.shows(b"raw-on", "a program in raw mode")
shell.type(b"\x03\x04\x1a\x11\x13\x1c")
shell.shows(b"03 04 1a 11 13 1c", "gets every key")
shell.shows(b"done-10", "and gives the terminal back")

# --- a large paste
lines = b"".join(b"%06d 0123456789 abcdefghij\n" % n for n in range(8000))
shell.type("cat >/tmp/paste; echo pasted-$((4 + 4))\r")
shell.shows(b"\r\n", "ready for a paste")
shell.type(lines + b"\x04")
shell.shows(b"pasted-8", "a paste of 224 KB")
count = warder("exec", jail, "--", "sh", "-c", "cksum </tmp/paste")
want = subprocess.run(["cksum"], input=lines, capture_output=True).stdout.decode()
tap.same(count.stdout, want, "arrives whole")

# --- much output, and the end
shell.type("seq 1 60000; echo all-$((6 + 6))\r")
shell.shows(b"\r\n59999\r\n60000\r\nall-12", "much output arrives in order")
shell.type("exit 7\r")
tap.same(shell.ends(), 7, "the exit code is the shell's")
tap.ok(not shell.is_raw(), "the user's terminal is as it was")
tap.ok(shell.text.endswith(b"\x1b[0m") and all(code in shell.text[-250:] for code in (b"\x1b[?2004l", b"\x1b[?2031l", b"\x1b[?2048l", b"\x1b[=0u", b"\x1b[>4m")), "and sends nothing by itself any more", shell.text[-200:])
shell.close()

for n in range(20):
    last = Terminal("exec", "--tty", jail, "--", "sh", "-c", f"seq 1 500; echo last-{n}")
    code = last.ends()
    if code != 0 or b"last-%d" % n not in last.text:
        break
    last.close()
tap.ok(code == 0 and b"last-%d" % n in last.text, "the last words of a command are never lost", n, code, last.text[-80:])

# --- a terminal that is nobody's controlling terminal
shell = terminal_lib.Terminal(tap, shutil.which("setsid"), environment, "-w", COMMAND, "shell", jail)
shell.type("echo far-$((6 + 7))\r")
shell.shows(b"far-13", "a shell on a terminal that does not control its session")
tap.ok(shell.is_raw(), "is raw, too")
shell.type("exit 9\r")
tap.same(shell.ends(), 9, "it ends")
tap.ok(not shell.is_raw(), "and the terminal is as it was")
shell.close()

# --- a terminal that another program has left non-blocking
unblock = "import os, sys; os.set_blocking(1, False); os.execv(sys.argv[1], sys.argv[1:])"


def loud(*words):
    terminal = terminal_lib.Terminal(tap, sys.executable, environment, "-c", unblock, COMMAND, *words)
    warder("exec", jail, "--", "touch", "/tmp/loud")
    code, text = terminal.ends(), terminal.text
    terminal.close()
    return code, text.split(), text


code, numbers, text = loud("shell", jail, "--", "sh", "-c", "seq 1 200000; exit 5")
tap.ok(code == 5 and b"100000" in numbers and b"200000" in numbers, "much output on it, and the command's own end", code, text[-200:])
warder("exec", jail, "--", "rm", "/tmp/loud")
writer = warder("exec", "-d", jail, "--", "sh", "-c", "while [ ! -e /tmp/loud ]; do sleep 0.05; done; seq 1 200000").stdout.strip()
code, numbers, text = loud("logs", "--follow", jail, writer)
tap.ok(code == 0 and b"200000" in numbers, "logs go on to the end, too", code, text[-200:])

# --- a client that is stopped
shell = Terminal("shell", jail)
shell.type("echo go-$((7 + 7))\r")
shell.shows(b"go-14", "another shell")
os.kill(shell.pid, signal.SIGTSTP)
tap.ok(eventually(lambda: stat(shell.pid)[0] == "T", MOST), "the client stops when told to")
tap.ok(not shell.is_raw(), "and gives the user's terminal back for that time")
shell.size(50, 120)
os.kill(shell.pid, signal.SIGCONT)
tap.ok(eventually(shell.is_raw, MOST), "when it goes on the terminal is raw again")
shell.type("stty size\r")
shell.shows(b"50 120", "with the size that it has now")

# --- a client that is told to end
shell.type("sleep 65432\r")
shell.wait(lambda: running("sleep\00065432"))
os.kill(shell.pid, signal.SIGTERM)
tap.same(shell.ends(), 129, "a client that is told to end hangs up the shell")
tap.ok(not shell.is_raw(), "the terminal is as it was")
tap.ok(eventually(lambda: not running("sleep\00065432"), MOST), "what ran in it is gone")
shell.close()

deaf = Terminal("exec", "--tty", jail, "--", "sh", "-c", "trap '' HUP; echo deaf-$((8 + 8)); while :; do sleep 76.543; done")
deaf.shows(b"deaf-16", "a command that does not listen")
os.kill(deaf.pid, signal.SIGTERM)
deaf.ends()
tap.ok(eventually(lambda: not running("sleep\00076.543"), MOST), "is ended when it was hung up for a while")
deaf.close()

# --- a client that is killed, and one whose window is closed
for what, act in (("a client that is killed", lambda t: os.kill(t.pid, signal.SIGKILL)),
                  ("a window that is closed", lambda t: os.close(t.tty))):
    shell = Terminal("shell", jail)
    shell.type("sleep 87654 & sleep 87654\r")
    shell.wait(lambda: running("sleep\00087654"))
    act(shell)
    os.waitpid(shell.pid, 0)
    tap.ok(eventually(lambda: not running("sleep\00087654"), MOST), what + " leaves nothing running")
client = supervisor.client()
tap.ok(eventually(lambda: client.call("jail.show", {"jail": jail})["result"]["commands"] == 0, MOST), "no command is left")

# --- without a terminal
script = warder("shell", jail, input="echo sum-$((2 + 2))\nexit 3\n")
tap.ok(script.returncode == 3 and script.stdout == "sum-4\n", "without a terminal the shell reads its commands", script)
none = warder("exec", "--tty", jail, "--", "true")
tap.ok(none.returncode == 125 and "no terminal" in none.stderr, "--tty without a terminal is refused", none)
both = Terminal("exec", "--tty", "--json", jail, "--", "true")
tap.same(both.ends(), 125, "--tty and --json exclude each other")
both.close()
both = Terminal("shell", "--json", jail)
both.shows(b"has no --json", "a shell on a terminal has none, and says so")
tap.same(both.ends(), 125, "which is wrong usage")
both.close()
behind = warder("shell", jail, "--user", "0")
tap.ok(behind.returncode == 125 and "options come before it" in behind.stderr, "an option behind the jail is no program", behind)
gone = Terminal("shell", "j-aaaaaaaaaa")
tap.same(gone.ends(), 125, "no such jail")
tap.ok(not gone.is_raw(), "and the terminal is as it was")
gone.close()

# --- run and its fresh jail
run = Terminal("run", "--no-work", "--tty", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size && exit 5", size=(20, 66))
tap.same(run.ends(), 5, "run --tty")
tap.ok(b"20 66" in run.text, "has a terminal too", run.text)
run.close()

# --- which shell
for entry, shell_word in (("user:x:1000:1000::/:/tmp/own", "own"), ("user:x:1000:1000::/:/usr/sbin/nologin", "bash"), ("user:x:1000", "bash")):
    warder("exec", jail, "--", "sh", "-c", "printf '#!/bin/sh\\necho own\\n' >/tmp/own; chmod 755 /tmp/own")
    wrote = warder("exec", "--user", "0", jail, "--", "sh", "-c", f"echo '{entry}' >/etc/passwd")
    said = warder("shell", jail, input="echo ${BASH_VERSION:+bash}\n")
    tap.ok(wrote.returncode == 0 and said.stdout == shell_word + "\n", f"the shell of {entry!r}", wrote, said)

warder("rm", jail)
supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
