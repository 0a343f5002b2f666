#!/usr/bin/env -S python3 -B
"""background: commands that nobody waits for: what they write, as it was and as it comes, how they end, and what is kept of them."""
import json
import os
import subprocess

from front_lib import MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("background")
environment, warder = supervisor.environment, supervisor.warder


def start(*words, options=()):
    return warder("exec", "--detach", *options, jail, "--", *words).stdout.strip()


def shell(text, options=()):
    return start("sh", "-c", text, options=options)


def known(where=None):
    shown = json.loads(warder("ls", "--json", where or jail).stdout)
    return {entry["command"]: entry for entry in shown["background"]}


def ended(command):
    return eventually(lambda: not known()[command]["running"], MOST)


def follow(command):
    return subprocess.Popen([COMMAND, "logs", "-f", jail, command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL)


jail = warder("create", "--no-work").stdout.strip()
tap.ok(jail.startswith("j-"), "a jail", jail)
client = supervisor.client()
client.sock.settimeout(MOST)

# --- one that goes on when its caller has gone
command = shell("echo one; echo err >&2; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo two; exit 3")
tap.ok(command.startswith("c-"), "its id is printed at once", command)
tap.ok(known().get(command, {}).get("running") is True, "it runs, though nobody waits", known())
tap.ok(eventually(lambda: warder("logs", jail, command).stdout == "one\nerr\n", MOST), "what it has written, errors among it", warder("logs", jail, command))
reader = follow(command)
tap.same([reader.stdout.readline() for _ in range(2)], ["one\n", "err\n"], "who follows it gets what was")
warder("exec", jail, "--", "touch", "/tmp/go")
rest = reader.communicate(timeout=MOST)
tap.same((rest[0], rest[1], reader.returncode), ("two\n", "", 0), "and what comes, until its end")
tap.ok(ended(command), "it has ended")
entry = known()[command]
tap.ok(entry["cause"] == "exited" and entry["code"] == 3 and entry["words"].startswith("sh -c echo one"), "its end is known", entry)
tap.same(warder("logs", jail, command).stdout, "one\nerr\ntwo\n", "and all that it wrote")
tap.same(follow(command).communicate(timeout=MOST)[0], "one\nerr\ntwo\n", "also to who would follow it now")
listed = warder("ls", jail).stdout
tap.ok(command in listed and "exited 3" in listed, "ls JAIL lists it", listed)
record = json.loads(warder("logs", "--json", jail, command).stdout)["record"]
tap.ok(record["cause"] == "exited" and record["wall_usec"] > 0, "logs --json has its record", record)
told = [client.call("jail.attach", {"jail": jail, "command": command, **words})["result"]["running"]
        for words in ({"resize": True, "rows": 9, "columns": 9}, {"leave": True}, {"hang_up": True})]
tap.same((told, client.fds), ([False] * 3, []), "who asks for none of what it wrote is handed no descriptor, also after its end")
tap.ok(ended(start("cat")), "there is no input")
missing = start("/no/such/program")
tap.ok(ended(missing) and known()[missing]["cause"] == "not_started", "one that cannot start", known()[missing])

# --- much output
command = start("seq", "1", "3000000")
reader = follow(command)
out, err = reader.communicate(timeout=MOST)
lines = out.split("\n")
tap.ok(lines[0] == "1" and lines[-2:] == ["3000000", ""] and reader.returncode == 0, "much output: the first and the last of it", lines[:2], lines[-2:], err)
tap.ok(err == "" and len(out) == 22888896 or "bytes not kept" in err, "what is missing is said", len(out), err)
out = warder("logs", jail, command)
lines = out.stdout.split("\n")
tap.ok(lines[0] == "1" and lines[-2] == "3000000" and "bytes not kept" in out.stderr and len(out.stdout) < 2 << 20, "afterwards too",
       lines[:2], out.stderr)
gone = [int(word) for word in out.stderr.split() if word.isdigit()]
tap.same(gone and gone[0] + len(out.stdout), 22888896, "to the byte")
answer = client.call("jail.logs", {"jail": jail, "command": command})
for fd in client.fds:
    os.close(fd)
client.fds = []
command = start("sh", "-c", "while [ ! -e /tmp/seq ]; do sleep 0.05; done; seq 1 1000000; echo end")
tap.ok(eventually(lambda: "result" in client.call("jail.logs", {"jail": jail, "command": command, "follow": True}) and len(client.fds) == 2, MOST),
       "one who follows and does not read", client.fds)
warder("exec", jail, "--", "touch", "/tmp/seq")
tap.ok(ended(command) and known()[command]["cause"] == "exited", "keeps no command waiting")
pipe = client.fds[1]
got = b""
while part := os.read(pipe, 1 << 20):
    got += part
tap.ok(got.startswith(b"1\n2\n") and len(got) < 1 << 20, "and is left behind", len(got))
for fd in client.fds:
    os.close(fd)
client.fds = []
loud = start("yes", options=("--memory", "64M"))
tap.ok(ended(loud) and known()[loud]["cause"] == "output_limit", "output beyond the policy's output_max ends it", known()[loud])

# --- who may follow
command = start("sleep", "1000")
answers = []
tap.ok(eventually(lambda: known()[command]["running"] and client.call("jail.logs", {"jail": jail, "command": command}) and client.fds, MOST), "it runs")
for n in range(5):
    answers.append("error" in client.call("jail.logs", {"jail": jail, "command": command, "follow": True}))
tap.same(answers, [False, False, False, False, True], "four may, a fifth is refused")
for fd in client.fds:
    os.close(fd)
client.fds = []
tap.ok("result" in client.call("jail.logs", {"jail": jail, "command": command, "follow": True}), "until one of them has gone")
for fd in client.fds:
    os.close(fd)
client.fds = []

# --- its end
tap.same(warder("kill", jail, command).returncode, 0, "kill")
tap.ok(ended(command) and (known()[command]["cause"], known()[command]["signal"]) == ("killed_by_client", 15), "ends it by SIGTERM", known()[command])
command = shell("trap '' TERM; setsid sleep 1234.5 & echo up; while :; do sleep 0.1; done")
tap.ok(eventually(lambda: warder("logs", jail, command).stdout == "up\n", MOST), "one that does not listen")
tap.same(warder("kill", "-s", "KILL", jail, command).returncode, 0, "SIGKILL")
tap.ok(ended(command) and known()[command]["cause"] == "killed_by_client", "ends it, with all that it started", known()[command])
tap.same(warder("exec", jail, "--", "sh", "-c", "grep -l -s 'sleep.[1]234' /proc/[0-9]*/cmdline; true").stdout, "", "nothing of it is left")
for words in (("kill", jail, command), ("logs", jail, "c-aaaaaaaaaa"), ("logs", "j-aaaaaaaaaa", command)):
    tap.same(warder(*words).returncode, 1, " ".join(words[:1]) + " of what is not there")
tap.same(warder("kill", "-s", "NONE", jail, command).returncode, 2, "no such signal")
limited = start("sleep", "1000", options=("--time", "300ms"))
tap.ok(ended(limited) and known()[limited]["cause"] == "wall_timeout", "its time limit holds", known()[limited])

# --- what is kept of them
first = start("true")
tap.ok(ended(first), "one of many")
for n in range(40):
    last = start("echo", str(n))
    ended(last)
tap.ok(first not in known() and last in known() and len(known()) <= 33, "the newest are remembered", len(known()))
keeper = warder("create", "--no-work", "--policy", "ci").stdout.strip()
big = [client.call("jail.exec", {"jail": keeper, "detach": True, "argv": ["sh", "-c", f"yes {n} | head -c 3000000"]}) for n in range(12)]
tap.ok(all("command" in answer.get("result", {}) for answer in big), "some with much output", big[0])
tap.ok(eventually(lambda: not any(entry["running"] for entry in known(keeper).values()), MOST), "that end")
kept = [client.call("jail.logs", {"jail": keeper, "command": name})["result"]["kept"] for name in known(keeper)]
tap.ok(4 << 20 < sum(kept) <= 8 << 20 and max(kept) == 1 << 20, "no more is kept than a jail may keep", kept)
for fd in client.fds:
    os.close(fd)
client.fds = []

# --- who holds what a command had written holds init's memory: so many may
command = client.call("jail.exec", {"jail": keeper, "detach": True,
                                    "argv": ["sh", "-c", "yes x | head -c 3000000; while [ ! -e /tmp/enough ]; do echo more; sleep 0.01; done"]})["result"]["command"]
answers, last = [], -1
while len(answers) < 100:
    got = client.call("jail.logs", {"jail": keeper, "command": command})
    seen = got.get("result", {}).get("seen", 0)
    if "result" in got and (seen < 3000000 or seen == last):
        os.close(client.fds.pop()) if client.fds and "seen" in got["result"] else None
        continue
    last = seen or last
    answers.append(got)
words = {answer["error"]["data"]["code"] for answer in answers if "error" in answer}
tap.ok(len(client.fds) == 8 and words == {"busy"}, "of an output that grows eight copies are held, and more are refused", words, len(client.fds))
tap.same(warder("exec", keeper, "--", "echo", "lives").stdout, "lives\n", "the jail lives")
tap.ok(all(len(os.pread(fd, 2 << 20, 0)) == 1 << 20 for fd in client.fds), "each is whole")
for fd in client.fds:
    os.close(fd)
client.fds = []
warder("exec", keeper, "--", "touch", "/tmp/enough")
tap.ok(eventually(lambda: not known(keeper)[command]["running"], MOST), "it ends")
command = client.call("jail.exec", {"jail": keeper, "detach": True, "argv": ["sh", "-c", "yes x | head -c 3000000; sleep 1000"]})["result"]["command"]


def seen_all():
    seen = client.call("jail.logs", {"jail": keeper, "command": command}).get("result", {}).get("seen")
    while client.fds:
        os.close(client.fds.pop())
    return seen == 3000000


tap.ok(eventually(seen_all, MOST), "what was given back is there for others")
answers = [client.call("jail.logs", {"jail": keeper, "command": command}) for _ in range(100)]
tap.ok(all(answer.get("result", {}).get("kept") == 1 << 20 for answer in answers), "while nothing is written all get the same", answers[-1])
tap.same(warder("exec", keeper, "--", "echo", "lives").stdout, "lives\n", "and the jail lives")
for fd in client.fds:
    os.close(fd)
client.fds = []

# --- what is refused
for params, path in (({"stdio": ["null", "capture", "capture"]}, "/stdio/2"), ({"tty": True, "stdio": ["null", "capture", "merge"]}, "/stdio")):
    error = client.call("jail.exec", {"jail": jail, "argv": ["true"], "detach": True, **params})["error"]
    tap.same(error["data"].get("path"), path, f"{params} in the background")

# --- the jail ends
command = start("sh", "-c", "echo up; sleep 1000")
reader = follow(command)
tap.same(reader.stdout.readline(), "up\n", "one that is followed")
warder("rm", jail, keeper)
reader.communicate(timeout=MOST)
tap.ok(reader.returncode == 1, "its jail's end is the follower's", reader.returncode)
supervisor.stop()
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
