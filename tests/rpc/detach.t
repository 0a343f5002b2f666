#!/usr/bin/env -S python3 -B
"""detach: a shell, or another command with a terminal, is left by keys and goes on; who comes back has it as it was. What is
not left ends with its client, and no client leaves its user's terminal raw, whatever ends it."""
import json
import os
import re
import signal
import subprocess

import terminal_lib
from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails
from terminal_lib import has_keys, running, stat

need_jails()
tap = Tap()
supervisor = Supervisor("detach")
environment, warder = supervisor.environment, supervisor.warder
LEAVE = b"\x10\x11"
RAW = "stty raw -echo; printf 'raw-%s' on; dd bs=1 count={} 2>/dev/null | od -An -tx1; stty sane; echo sane-$((5 + 5))\r"


def Terminal(*words, more=None, **options):
    return terminal_lib.Terminal(tap, COMMAND, {**environment, **(more or {})}, *words, **options)


def known():
    shown = json.loads(warder("ls", "--json", jail).stdout)
    return {entry["command"]: entry for entry in shown["background"]}


def left(terminal, what):
    """It was left: its id, by the line that says how to come back."""
    tap.same(terminal.ends(), 0, what)
    told = re.search(rb"warder attach (\S+) (c-[a-z0-9]+)", terminal.text)
    tap.ok(told and told[1].decode() == jail and not terminal.is_raw(), "how to come back is said on a terminal as it was", terminal.text[-200:])
    terminal.close()
    return told[2].decode() if told else ""


jail = warder("create", "--no-work").stdout.strip()

# --- left, and come back to
shell = Terminal("shell", jail, size=(31, 97))
shell.type("x=kept; tty; sleep 65.125 & echo ready-$((20 + 3))\r")
shell.shows(b"/dev/pts/", "its terminal has a name in the jail")
shell.shows(b"ready-23", "a shell")
tap.ok([entry["held"] for entry in known().values()] == [True], "is known as held by who began it", known())
shell.type(b"echo half" + LEAVE)
command = left(shell, "Ctrl-P Ctrl-Q leaves a shell")
tap.ok(known()[command]["running"] and not known()[command]["held"], "which goes on", known())
tap.ok(eventually(lambda: running("sleep\00065.125"), MOST), "with what it began")
shell = Terminal("attach", jail, command, size=(44, 99))
shell.type("-$((5 + 5)) $x; stty size\r")
shell.shows(b"half-10 kept", "it is the same shell, with what was typed before")
shell.shows(b"44 99", "the size is that of who came back")
shell.size(30, 60)
shell.type("sh -c 'until [ \"$(stty size)\" = \"30 60\" ]; do sleep 0.1; done; echo size-$((4 + 4))'\r")
shell.shows(b"size-8", "and follows it")
shell.type("exit 7\r")
tap.same(shell.ends(), 7, "its exit code is known to who came back")
shell.close()

program = Terminal("exec", "--tty", jail, "--", "sh", "-c", "echo pid-$$; while [ ! -e /tmp/over ]; do sleep 0.1; done; exit 4")
program.shows(b"pid-", "a command with a terminal")
program.type(LEAVE)
command = left(program, "is left, too")
warder("exec", jail, "--", "touch", "/tmp/over")
tap.ok(eventually(lambda: not known()[command]["running"], MOST), "it goes on to its end")
tap.same((known()[command]["code"], warder("attach", jail, command).returncode), (4, 4), "and its record stays")

# --- the keys
shell = Terminal("shell", jail)
shell.type(RAW.format(3))
shell.shows(b"raw-on", "a program in raw mode")
shell.type(b"\x10\x10a")
shell.shows(b"10 10 61", "gets Ctrl-P where no Ctrl-Q follows")
shell.shows(b"sane-10", "and ends")
shell.type(RAW.format(1))
shell.shows(b"raw-on", "another one")
shell.type(b"\x10")
shell.shows(b"sane-10", "gets it without any other key behind it")
shell.type("exit\r")
shell.close()
other = Terminal("shell", "--detach-keys", "ctrl-p,~,ctrl-p,.", jail)
other.type(RAW.format(5))
other.shows(b"raw-on", "with keys of one's own")
other.type(b"\x10\x11" b"\x10~x")
other.shows(b"10 11 10 7e 78", "the usual ones are passed, and part of one's own")
other.shows(b"sane-10", "and it ends")
other.type("echo tail-$((1 + 1))\r")
other.shows(b"tail-2", "the shell is still there")
other.type(b"\x10~" b"\x10~\x10.")
command = left(other, "which leave where they begin anew in the middle")
again = Terminal("attach", jail, command, more={"WARDER_DETACH_KEYS": "ctrl-],d"})
again.type("echo on-$((2 + 2))\r")
again.shows(b"on-4", "keys of the environment")
again.type(b"\x1dd")
tap.same(left(again, "leave"), command, "the same command")
none = Terminal("attach", "--detach-keys", "none", jail, command)
none.type(RAW.format(2))
none.shows(b"raw-on", "with none")
none.type(LEAVE)
none.shows(b"10 11", "all keys are passed")
none.shows(b"sane-10", "to the program")
none.type("exit\r")
none.close()
for words in ("ctrl-1", "ctrl-", "ab", "ctrl-p,,a", "a,b,c,d,e,f,g,h,i", "é"):
    wrong = Terminal("shell", "--detach-keys", words, jail)
    tap.ok(wrong.ends() == 125 and b"are no keys" in wrong.text and not wrong.is_raw(), f"{words!r} are no keys", wrong.text)
    wrong.close()

# --- as one's own terminal
shell = terminal_lib.Terminal(tap, "/bin/sh", environment, "-c", f"stty erase ^A rows 17 cols 71; exec {COMMAND} exec --tty {jail} -- sh -c 'stty -a; stty size'")
tap.same(shell.ends(), 0, "modes and size")
tap.ok(b"erase = ^A" in shell.text and b"17 71" in shell.text, "are there from the first moment", shell.text)
shell.close()
drawn = Terminal("exec", "--tty", jail, "--", "sh", "-c", "trap 'echo drawn-$((3 + 3))' WINCH; echo trap-$((2 + 2)); while :; do sleep 0.1; done")
drawn.shows(b"trap-4", "a program that draws when the size changes")
drawn.type(LEAVE)
command = left(drawn, "is left")
drawn = Terminal("attach", jail, command)
drawn.shows(b"drawn-6", "who comes back with the same size has it drawn again")
drawn.type(LEAVE)
drawn.close()
warder("kill", "-s", "KILL", jail, command)

# --- a slow reader keeps its program waiting, and misses nothing
slow = Terminal("exec", "--tty", jail, "--", "sh", "-c", "seq 1000001 1400000; echo over-$((6 + 6))")
slow.wait(lambda: b"1000001" in slow.text)


def times():
    try:
        return [stat(pid)[11:13] for pid in running("seq\0001000001\0001400000\000")]
    except OSError:  # it has ended
        return []


def stands_still():
    before = times()
    return len(before) == 1 and not eventually(lambda: times() != before, 1)


tap.ok(eventually(stands_still, MOST), "a program waits for who does not read")
slow.ends()
lines = re.findall(rb"\d{7}(?=\r\n)", slow.text)
tap.ok(lines == [b"%d" % n for n in range(1000001, 1400001)] and b"over-12" in slow.text, "no line is missing, none comes twice", len(lines), slow.text[-80:])
slow.close()

# --- what was not left ends with its client, and nothing of it stays
ended = Terminal("shell", jail)
ended.type("sleep 76.125\r")
ended.wait(lambda: has_keys("sleep\00076.125"))
held = [name for name, entry in known().items() if entry["held"]]
tap.same(len(held), 1, "one is held")
guest = Terminal("attach", jail, held[0])
guest.wait(guest.is_raw)
guest.type("\x03echo guest-$((9 + 9))\r")
guest.shows(b"guest-18", "somebody else can go to it")
os.kill(ended.pid, signal.SIGKILL)
guest.ends()
tap.ok(guest.status == 137 and not guest.is_raw(), "and is told of its end", guest.status, guest.text[-200:])
guest.close()
ended.close()
tap.same(known()[held[0]].get("cause"), "killed_by_client", "which has a cause")
client = supervisor.client()
logs = client.call("jail.logs", {"jail": jail, "command": held[0]})
tap.ok(logs["result"]["seen"] > 0 and logs["result"]["kept"] == 0 and "fds" not in logs, "and what it wrote is not kept for nobody", logs)
reply = client.call("jail.exec", {"jail": jail, "argv": ["sleep", "87.25"], "detach": True, "tty": True, "hold": True})
mine = reply["result"]["command"]
other_client = supervisor.client()
other_client.call("jail.attach", {"jail": jail, "command": mine, "leave": True})
tap.ok(known()[mine]["held"], "nobody but who holds it lets it go", known()[mine])
client.sock.close()
tap.ok(eventually(lambda: not running("sleep\00087.25"), MOST), "a connection that ends ends it")
for params, at in (({"hold": True}, "/hold"), ({"hold": True, "detach": True}, "/hold"), ({"terminal": {}}, "/terminal")):
    refused = other_client.call("jail.exec", {"jail": jail, "argv": ["true"], **params})
    tap.same(refused.get("error", {}).get("data", {}).get("path"), at, f"{params} without a terminal of the jail's own is refused")

# --- no end leaves the terminal raw
PLAIN = "while :; do sleep 0.1; done"


def raw_one(verb, word):
    terminal = Terminal("shell", word) if verb == "shell" else Terminal("attach", word, warder("exec", "-d", "--tty", word, "--", "sh").stdout.strip())
    terminal.wait(terminal.is_raw)
    terminal.type("echo up-$((1 + 1))\r")
    terminal.wait(lambda: b"up-2" in terminal.text)
    return terminal


for verb in ("shell", "attach"):
    for what, sent in (("TERM", signal.SIGTERM), ("HUP", signal.SIGHUP), ("INT", signal.SIGINT), ("QUIT", signal.SIGQUIT)):
        one = raw_one(verb, jail)
        tap.ok(one.is_raw(), f"{verb}: raw")
        os.kill(one.pid, sent)
        one.ends()
        tap.ok(not one.is_raw(), f"{verb}: as it was after {what}", one.status)
        one.close()
    mortal = warder("create", "--no-work").stdout.strip()
    one = raw_one(verb, mortal)
    tap.ok(one.is_raw(), f"{verb}: raw in a jail", one.status, one.text[-300:])
    warder("rm", mortal)
    code = one.ends()
    tap.ok(code != 0 and not one.is_raw(), f"{verb}: as it was when the jail has ended", code, one.text[-200:])
    one.close()
    one = raw_one(verb, jail)
    warder("exec", jail, "--", "sh", "-c", "kill -9 -1")
    code = one.ends()
    tap.ok(code == 137 and not one.is_raw(), f"{verb}: as it was when the command was killed", code, one.text[-200:])
    one.close()
deaf = subprocess.Popen([COMMAND, "attach", jail, warder("exec", "-d", jail, "--", "sh", "-c", PLAIN).stdout.strip()], env=environment,
                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
lost = [raw_one("shell", jail), raw_one("attach", jail)]
tap.ok(all(one.is_raw() for one in lost), "two are raw when the supervisor is killed")
supervisor.process.kill()
for one, verb in zip(lost, ("shell", "attach")):
    code = one.ends()
    tap.ok(code == 125 and not one.is_raw() and b"supervisor_lost" in one.text, f"{verb}: as it was, and it is said", code, one.text[-300:])
    one.close()
deaf.communicate(timeout=MOST)
tap.same(deaf.returncode, 125, "one without a terminal ends, too")
supervisor.process.wait()
supervisor.start()
supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
