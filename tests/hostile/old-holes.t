#!/usr/bin/env -S python3 -B
"""old-holes: holes that other sandboxes had and that no other test here would see again; see incidents.

Each is first shown to be one outside, or where nothing is in the way.
"""
import json
import os
import re
import socket
import subprocess
import tempfile
import threading

from hostile_lib import BUILD, Supervisor, Tap, bring, need_jails, root_of, run, show_directory, text, tool

need_jails()
tap = Tap()
supervisor = Supervisor("old")
client = supervisor.client()
scratch = tempfile.TemporaryDirectory(dir="/var/tmp")
os.chmod(scratch.name, 0o755)
work = os.path.join(scratch.name, "work")
os.mkdir(work)
with open(os.path.join(scratch.name, "secret"), "w") as file:
    file.write("GOT\n")
show_directory(client, work)
ENV = {**os.environ, "WARDER_SOCKET": supervisor.path}
ENV.pop("WARDER_POLICY", None)


def warder(*words, cwd=work):
    done = subprocess.run([os.path.join(os.path.abspath(BUILD), "cli/warder"), *words], env=ENV, cwd=cwd,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout, done.stderr


# ---- a descriptor as working directory (runc CVE-2024-21626)
fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
done = subprocess.run(["cat", "../secret"], cwd=f"/proc/self/fd/{fd}", pass_fds=[fd], capture_output=True, text=True, check=False)
tap.same(done.stdout, "GOT\n", "outside a descriptor as working directory leads above it")
jail = client.call("jail.create", {"work": True, "keep": True}, fds=[fd])["result"]["jail"]
PLACES = [f"/proc/self/fd/{n}" for n in range(32)] + ["/proc/self/cwd", "/proc/self/root", "/proc/1/cwd", "/proc/1/root", "/proc/1/fd/3"]
climbed, ran = [], 0
for place in PLACES:
    record = client.call("jail.exec", {"jail": jail, "cwd": place, "argv": ["cat", "../secret", "../../secret", f"..{scratch.name}/secret"]})["result"]
    ran += record["cause"] == "exited"
    climbed += [place] if "GOT" in text(record) else []
tap.same(climbed, [], f"held: a descriptor as working directory ({len(PLACES)} tried, {ran} commands ran)")
client.call("jail.destroy", {"jail": jail})
os.close(fd)

# ---- a user that is no number (crun CVE-2026-30892)
tap.same(warder("run", "--user", "1000", "--", "id", "-u")[1], "1000\n", "a user that is a number")
for user in ("1000abc", "abc", "", "0x0", "-1", "4294967296", "18446744073709551616", "1000:", "1000:x", ":0", " 0", "root "):
    code, out, err = warder("run", f"--user={user}", "--", "echo", "RAN")
    tap.ok(code != 0 and "RAN" not in out and err, f"a user that is no number: {user!r}", code, out, err)
for user in ({"uid": "0"}, {"uid": -1, "gid": 0}, {"uid": 1.5, "gid": 1}, {"uid": 1 << 32, "gid": 1}, {"uid": 1000}, "root"):
    answer = client.call("jail.create", {"exec": {"argv": ["id"], "user": user}})
    done = answer.get("result", {}).get("command", {})
    tap.ok("error" in answer or done.get("cause") == "exited" and "uid=0" not in text(done), f"… by the protocol: {json.dumps(user)}", answer)

# ---- a command that looks like an option (Flatpak CVE-2024-32462)
done = subprocess.run(["sh", "-c", 'env $1 2>&1', "sh", "--version"], capture_output=True, text=True, check=False)
tap.ok("coreutils" in done.stdout, "outside a word that looks like an option is one")
for word in ("--version", "--help", "-c", "--policy=debug", "--rw=/"):
    record = client.call("jail.create", {"exec": {"argv": [word, "x"]}})["result"]["command"]
    tap.same((record["cause"], record.get("errno")), ("not_started", 2), f"a command that looks like an option: {word}")
    code, out, err = warder("run", "--", word)
    tap.ok(code in (126, 127) and not out, f"… by the command line: {word}", code, out, err)

# ---- processes of ours that hold no privilege cannot be traced by their own user (bubblewrap CVE-2026-41163)
PTRACE_SEIZE = 0x4206
TRACE = f"""import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace({PTRACE_SEIZE}, int(sys.argv[1]), 0, 0), end='')"""


def trace_as(uid, pid):
    return subprocess.run(["python3", "-c", TRACE, str(pid)], user=uid, group=uid, extra_groups=[], capture_output=True, text=True, check=False).stdout


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def front_and_egress():
    """Name -> pid, uid of the supervisor's children that run as long as it does."""
    found = {}
    for pid in children_of(supervisor.process.pid):
        try:
            with open(f"/proc/{pid}/status") as file:
                status = file.read()
        except OSError:  # a shell that was not needed any more
            continue
        found[re.search(r"^Name:\s+(.*)", status, re.M).group(1)] = (pid, int(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1)))
    return {name: found[name] for name in ("warder-front", "warder-egress") if name in found}


plain = front_and_egress()
tap.ok(len(plain) == 2 and all(0 < uid < 1 << 31 for _, uid in plain.values()), "front and egress have no privilege", plain)
for name, (pid, uid) in plain.items():
    with subprocess.Popen(["sleep", "60"], user=uid, group=uid, extra_groups=[]) as other:
        works = trace_as(uid, other.pid) == "0"
        other.kill()
    tap.ok(works, f"outside a process is traced by its own user ({uid})")
    tap.same(trace_as(uid, pid), "-1", f"{name} cannot be traced by its own user")

# ---- a settings file that was not there (Claude Code CVE-2026-25725)
MAKE = 'mkdir -p .claude .git/hooks && echo GOT >.claude/settings.json && echo GOT >.git/hooks/post-checkout && cat .claude/settings.json'
with tempfile.TemporaryDirectory(dir="/var/tmp") as other:
    subprocess.run(["sh", "-c", MAKE], cwd=other, check=True, stdout=subprocess.DEVNULL)
    tap.ok(os.path.exists(f"{other}/.claude/settings.json"), "outside a settings file that was not there is made")
code, out, err = warder("run", "--", "sh", "-c", MAKE)
tap.ok((code, out) == (0, "GOT\n") and os.listdir(work) == [], "a settings file that was not there is made in the jail alone", code, out, err)

# ---- policies of the work directory count for nothing (CBSE, CVE-2026-21852), unless one is named
CHILD = '{"warder": "policy/1", "extends": "default", "description": "five", "limits": {"pids": 5}}\n'
for place in ("", "policies", ".warder/policies", ".config/warder/policies", "etc/warder/policies"):
    os.makedirs(os.path.join(work, place), exist_ok=True)
    with open(os.path.join(work, place, "default.json"), "w") as file:
        file.write(CHILD)
SLEEPERS = ("--", "sh", "-c", "for i in $(seq 20); do sleep 5 & done; echo ALL")
tap.ok("ALL" not in warder("run", "--policy", "./default.json", *SLEEPERS)[1], "a policy that is named counts")
code, out, err = warder("run", *SLEEPERS)
tap.ok((code, out) == (0, "ALL\n"), "policies of the work directory, not named, do not", code, out, err)

# ---- places on the host (Claude Code CVE-2026-46406)
for path in (supervisor.run_dir, supervisor.state):
    st = os.stat(path)
    tap.ok(st.st_uid == 0 and st.st_mode & 0o022 == 0, f"{os.path.dirname(path)}/…: a directory of its own for root alone", oct(st.st_mode))
st = os.stat(supervisor.run_dir)
tap.same(st.st_mode & 0o077, 0, "that of a private supervisor can only be entered by root")

# ---- no name is resolved (srt 88, OpenShell 1169, microsandbox 675)
resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
resolver.bind(("127.0.0.1", 0))


def serve():
    while True:
        data, peer = resolver.recvfrom(512)
        if not data:
            return
        resolver.sendto(b"GOT", peer)


thread = threading.Thread(target=serve, daemon=True)
thread.start()
ASK = f"""import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
try:
    s.sendto(b"a query", ("127.0.0.1", {resolver.getsockname()[1]}))
    print(s.recv(9).decode())
except OSError as e:
    print(e)
for where in ("8.8.8.8", "1.1.1.1", "169.254.169.254", "::1"):
    try:
        s = socket.socket(socket.AF_INET6 if ":" in where else socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((where, 53))
        s.send(b"x") == 1 and ":" not in where and print("SENT")
    except OSError as e:
        print(e)
try:
    print("RESOLVED", socket.getaddrinfo("example.com", 80))
except OSError as e:
    print(e)"""
done = subprocess.run(["python3", "-c", ASK], capture_output=True, text=True, check=False)
tap.ok("GOT" in done.stdout, "outside a resolver is asked and answers", done)
record = run(client, ["/usr/bin/python3", "-c", ASK])
tap.ok(record["cause"] == "exited" and record["code"] == 0 and not re.search("GOT|SENT|RESOLVED", text(record)), "no name is resolved in a jail", record)
resolver.sendto(b"", resolver.getsockname())
thread.join(5)
resolver.close()

# ---- strict has no FUTEX_WAIT_REQUEUE_PI and no FUTEX_CMP_REQUEUE_PI (GhostLock CVE-2026-43499)
OPERATIONS = {"11": "WAIT_REQUEUE_PI", "12": "CMP_REQUEUE_PI", "139": "WAIT_REQUEUE_PI, private", "140": "CMP_REQUEUE_PI, private",
              "267": "WAIT_REQUEUE_PI, real time", "0x70000000b": "WAIT_REQUEUE_PI, high bits", "0x70000000c": "CMP_REQUEUE_PI, high bits"}
tap.ok("result" in bring(client, "futex", root_of([tool("look")])), "a root for strict")
probe = run(client, ["/bin/look", "futex", "1"], snapshot="futex", policy="strict")
if probe["cause"] == "refused" and probe["error"]["data"]["code"] == "unsupported":
    tap.run += 1
    print(f"ok {tap.run} - strict has no FUTEX_*_REQUEUE_PI # SKIP {probe['error']['message']}")
    OPERATIONS = {}
else:
    tap.ok(text(probe) != "ENOSYS\n", "strict has other futexes", probe)
for number, name in OPERATIONS.items():
    done = subprocess.run([tool("look"), "futex", number], capture_output=True, text=True, check=False)
    tap.ok(done.stdout not in ("ENOSYS\n", ""), f"outside the kernel looks at FUTEX_{name}", done)
    tap.same(text(run(client, ["/bin/look", "futex", number], snapshot="futex", policy="strict")), "ENOSYS\n", f"strict has no FUTEX_{name}")

client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
scratch.cleanup()
tap.end()
