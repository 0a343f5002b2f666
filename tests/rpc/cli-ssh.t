#!/usr/bin/env -S python3 -B
"""cli-ssh: a jail by ssh, as people and editors use it: OpenSSH's client with the printed configuration, and a client of our
own for what that one would never ask."""
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import terminal_lib
from front_lib import BUILD, MOST, Tap
from supervisor_lib import COMMAND, Supervisor, eventually, need_jails, no_disks
from terminal_lib import running
from users_lib import BOB, GROUP

need_jails()
if not shutil.which("ssh"):
    print("1..0 # SKIP ssh")
    sys.exit(0)
CLIENT = os.path.join(os.path.abspath(BUILD), "tests/rpc/ssh-client")
tap = Tap()
files = tempfile.mkdtemp(prefix="warder-ssh-")
os.chmod(files, 0o755)
groups = os.path.join(files, "group")
with open(groups, "w") as file:
    file.write(f"root:x:0:\nwarder:x:{GROUP}:\n")
supervisor = Supervisor("ssh", mode=(), wrap=["unshare", "-m", "--propagation", "private", "sh", "-c",
                                              f"mount --bind {groups} /etc/group && exec \"$0\" \"$@\""])
environment = {**supervisor.environment, "HOME": files, "XDG_STATE_HOME": os.path.join(files, "it's 100% state")}
KEYS = os.path.join(environment["XDG_STATE_HOME"], "warder/ssh")


def run(*words, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    if "input" in more:
        more.pop("stdin")
    return subprocess.run(words, **{"env": environment, "capture_output": True, "timeout": MOST, **more})


def warder(*words, **more):
    return run(COMMAND, *words, text=True, **more)


def as_bob(*words):
    def become():
        os.setgroups([GROUP])
        os.setresgid(BOB, BOB, BOB)
        os.setresuid(BOB, BOB, BOB)
    place = os.path.join(files, "bob")
    if not os.path.exists(place):
        os.mkdir(place)
        os.chown(place, BOB, BOB)
    return warder(*words, preexec_fn=become, cwd=place, env={**environment, "HOME": place, "XDG_STATE_HOME": place})


jail = warder("create", "--no-work").stdout.strip()
tap.ok(jail.startswith("j-"), "a jail", jail)

# --- the configuration
early = warder("ssh-proxy", jail)
tap.ok(early.returncode == 1 and "ssh-config" in early.stderr, "without a key there is no connection, and it is said what makes one", early)
made = warder("ssh-config", "--name", "box", jail)
config = os.path.join(files, "config")
with open(config, "w") as file:
    file.write(made.stdout)
tap.ok(made.returncode == 0 and "Host box\n" in made.stdout, "ssh-config prints a host", made)
tap.same([os.stat(os.path.join(KEYS, name)).st_mode & 0o777 for name in (".", "host_key", "known_hosts")], [0o700, 0o600, 0o600],
         "the key is the user's alone")
tap.ok("Host warder-" + jail in warder("ssh-config", jail).stdout, "its name is made of the jail's where none is given")
named = {**environment, "WARDER_INSTANCE": supervisor.instance, "WARDER_STATE": "/var/it's 100% there"}
named.pop("WARDER_SOCKET")
private = warder("ssh-config", "--name", "private", jail, env=named)
with open(config + "-private", "w") as file:
    file.write(private.stdout)
bare = {name: value for name, value in named.items() if not name.startswith("WARDER")}
there = run("ssh", "-F", config + "-private", "private", "echo reached", env=bare)
tap.ok(there.stdout == b"reached\n", "a supervisor that the environment names is reached from one that does not", private, there)
tap.ok("'WARDER_STATE=/var/it'\\''s 100%% there'" in private.stdout, "and has its state in the same place", private)
key = open(os.path.join(KEYS, "host_key")).read()
told = warder("ssh-config", "--json", jail)
tap.ok('"host":"warder-%s"' % jail in told.stdout, "in JSON too", told)
for words, code, part in ((["nosuch"], 1, "no jail nosuch"), ([], 2, "No jail was named"), (["--name", "a b", jail], 2, "name of a host"),
                          (["--name", "*", jail], 2, "name of a host"), (["--name", "a", "--name", "b", jail], 2, "more names"),
                          (["a\nProxyCommand rm", ], 2, "no jail"), (["--socket", "/tmp/a\nHost *", jail], 1, "")):
    said = warder("ssh-config", *words)
    tap.ok(said.returncode == code and part in said.stderr and not said.stdout, f"ssh-config {words!r} is refused", said)
tap.same(open(os.path.join(KEYS, "host_key")).read(), key, "the key stays the same")
six = [subprocess.Popen([COMMAND, "ssh-config", jail], env={**environment, "XDG_STATE_HOME": files + "/six"}, stdout=subprocess.DEVNULL) for _ in range(6)]
tap.same([one.wait(MOST) for one in six], [0] * 6, "several at once make one key")
tap.same(sorted(os.listdir(files + "/six/warder/ssh")), ["host_key", "known_hosts"], "and leave nothing else")


def ssh(*words, **more):
    return run("ssh", "-F", config, *more.pop("options", ()), "box", *words, **more)


def carriers():
    return list(supervisor.inside("warder-connect"))


def client(*words):
    return run(CLIENT, f"'{COMMAND}' ssh-proxy {jail}", *words, text=True)


# --- commands
got = ssh("echo out; echo err >&2; exit 7")
tap.ok((got.stdout, got.stderr, got.returncode) == (b"out\n", b"err\n", 7), "output, errors and exit code of a command", got)
blob = random.Random(1).randbytes(10_000_000)
tap.ok(ssh("cat", input=blob).stdout == blob, "10 MB through cat")
tap.ok(ssh("cat", input=blob, options=["-o", "RekeyLimit=1M"]).stdout == blob, "the same while keys are exchanged anew, again and again")
tap.same(ssh("head -c 3 && cat | wc -c", input=b"abc" + bytes(70000)).stdout.split(), [b"abc70000"], "the end of input is an end")
tap.same(ssh("exec head -c 5", input=blob).stdout, blob[:5], "a command that does not read all of it ends")
tap.same(ssh("echo cut; kill -9 $$").returncode, 255, "an end by a signal is said as ssh says it")
tap.same(ssh("nosuch").returncode, 127, "a command that is not there")
tap.same(ssh(input=b"echo sum-$((2 + 2)); exit 3\n").stdout, b"sum-4\n", "without a command there is a shell")
tap.same(ssh("echo $LC_ME", env={**environment, "LC_ME": "mine"}, options=["-o", "SendEnv=LC_ME"]).stdout, b"mine\n", "variables arrive")
tap.same(ssh("id -u", options=["-l", "0:5"]).stdout, b"0\n", "another user of the jail, by its number")
wrong = ssh("id", options=["-l", "nobody-else"])
tap.ok(wrong.returncode == 255 and b"Permission denied" in wrong.stderr and b"users of a jail are numbers" in wrong.stderr,
       "a user that is none is told who may come", wrong)
tap.same(ssh("id -u; id -g", options=["-l", "root"]).stdout, b"0\n0\n", "root is a number everywhere")
left = ssh("sleep 54.321 >/dev/null 2>&1 & echo started")
tap.ok(left.stdout == b"started\n" and eventually(lambda: running("sleep\00054.321"), MOST), "what a command left in the background goes on", left)
held = ssh("sleep 65.432 & echo started")
tap.ok(held.stdout == b"started\n" and eventually(lambda: running("sleep\00065.432"), MOST), "and does not hold the connection by its output", held)

# --- files
source = os.path.join(files, "tree")
os.makedirs(source + "/below")
with open(source + "/below/blob", "wb") as file:
    file.write(blob[:300000])
if shutil.which("scp"):
    copied = run("scp", "-O", "-F", config, source + "/below/blob", "box:/tmp/blob")
    tap.same(ssh("cat /tmp/blob").stdout, blob[:300000], "scp in")
    copied = run("scp", "-O", "-F", config, "box:/tmp/blob", files + "/back")
    tap.ok(copied.returncode == 0 and open(files + "/back", "rb").read() == blob[:300000], "scp out", copied)
else:
    tap.ok(True, "scp # SKIP scp")
    ssh("cat >/tmp/blob", input=blob[:300000])
if ssh("ls /usr/lib/openssh/sftp-server").returncode == 0:
    got = run("sftp", "-F", config, "-b", "-", "box", input=f"get /tmp/blob {files}/sftp\n".encode())
    tap.ok(got.returncode == 0 and open(files + "/sftp", "rb").read() == blob[:300000], "sftp, where the image has its server", got)
else:
    got = run("sftp", "-F", config, "box", input=b"ls\n")
    tap.ok(got.returncode != 0 and b"no sftp-server" in got.stderr, "no sftp-server in the image: it is said", got)
if shutil.which("rsync"):
    got = run("rsync", "-a", "-e", f"ssh -F {config}", source + "/", "box:/tmp/tree/")
    tap.ok(got.returncode == 0 and ssh("cat /tmp/tree/below/blob").stdout == blob[:300000], "rsync", got)
else:
    tap.ok(True, "rsync # SKIP rsync")
if ssh("command -v git").returncode == 0:
    ssh("git init -q /tmp/repo && cd /tmp/repo && echo x >x && git add x && git -c user.name=a -c user.email=a@a commit -qm x")
    got = run("git", "clone", "-q", "box:/tmp/repo", files + "/clone", env={**environment, "GIT_SSH_COMMAND": f"ssh -F {config}"})
    tap.ok(got.returncode == 0 and os.path.exists(files + "/clone/x"), "git over ssh", got)
else:
    tap.ok(True, "git over ssh # SKIP git in the jail")

# --- a terminal
shell = terminal_lib.Terminal(tap, shutil.which("ssh"), environment, "-F", config, "box", size=(31, 97))
shell.works("76.543")
shell.type("exit 9\r")
tap.same(shell.ends(), 9, "the exit code is the shell's")
shell.close()
forced = ssh("tty >/dev/null || test -t 0 && echo yes", options=["-tt"])
tap.ok(b"yes\r\n" in forced.stdout, "ssh -tt", forced)
window = terminal_lib.Terminal(tap, shutil.which("ssh"), environment, "-F", config, "box", size=(24, 80))
window.type("sleep 87.654\r")
window.wait(lambda: running("sleep\00087.654"))
os.kill(window.pid, 9)
tap.ok(eventually(lambda: not running("sleep\00087.654"), MOST), "a client that is killed leaves nothing in the foreground")
window.close()

# --- what other clients ask
heard = client("signal", "TERM").stdout
tap.ok("heard\n" in heard and "code 9 signal none" in heard, "a signal is passed on", heard)
tap.ok("signal KILL" in client("signal", "KILL").stdout, "KILL too")
tap.ok("signal TERM" in client("early", "TERM").stdout, "one that comes before the command has started, too")
many = client("channels")
tap.ok("opened some\n" in many.stdout and "still here" in many.stdout, "a thousand channels: some are refused, and it goes on", many)
said = client("env").stdout.splitlines()
tap.same(said, ["0 1"] + [f"{n} 0" for n in range(1, 8)] + ["8 1", "bytes 0", "twice value", "1", "code 0 signal none"], "names of variables are names")
tap.ok("0 65535" in client("size").stdout, "sizes without sense are cut")
said = client("bytes").stdout
tap.ok("no UTF-8" in said and "code 125" in said and "second 0" in said, "a command that is no text; a second one", said)
said = client("many").stdout
tap.ok(said.count("done\ncode 0") >= 32 and said.count("code 0") + said.count("code 125") == 100, "more commands at once than a jail has places for", said[-300:])
tap.same(client("refused").stdout, "subsystem 0\nx11 0\nlisten 0\nafter\ncode 0 signal none\n", "other subsystems, X11 and listeners are refused")
tap.same(client("unasked").stdout, "opened 0\n", "no channel before the login")

# --- connections to servers in the jail
SERVER = """import socket, threading
def serve(sock):
    with sock:
        data = b""
        while True:
            part = sock.recv(65536)
            if not part: break
            data += part
        sock.sendall(b"got " + str(len(data)).encode() + b"\\n" + data)
def answer(sock):
    while True:
        with sock.accept()[0] as peer:
            peer.recv(100)
            peer.sendall(b"answer")
threading.Thread(target=answer, args=(socket.create_server(("127.0.0.1", 8002)),), daemon=True).start()
sock = socket.create_server(("127.0.0.1", 8000), backlog=100)
print("up", flush=True)
while True:
    threading.Thread(target=serve, args=(sock.accept()[0],), daemon=True).start()
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def give(sock, data):
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:  # closed from there
        pass


def exchange(port, data):
    """What the server says to @data and its end; None: the connection was closed without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=MOST) as sock:
        try:
            sender = threading.Thread(target=give, args=(sock, data), daemon=True)
            sender.start()
            got = b""
            while part := sock.recv(65536):
                got += part
            sender.join(MOST)
            return got or None
        except ConnectionError:
            return None


if ssh("command -v python3").returncode == 0:
    near, none, socks, closing = free_port(), free_port(), free_port(), free_port()
    with subprocess.Popen(["ssh", "-F", config, "-L", f"{near}:localhost:8000", "-L", f"{none}:localhost:8001", "-L", f"{closing}:localhost:8002", "-D", str(socks), "box",
                           "exec python3 -c '" + SERVER.replace("'", "") + "'"], env=environment, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as there:
        there.stdout.readline()
        tap.same(exchange(near, b"hello"), b"got 5\nhello", "ssh -L reaches a server of the jail's")
        tap.ok(exchange(near, blob) == b"got 10000000\n" + blob, "10 MB there and back")
        tap.same(exchange(none, b"x"), None, "a port where nobody listens")
        with socket.create_connection(("127.0.0.1", socks), timeout=MOST) as sock:
            sock.sendall(b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + (8000).to_bytes(2, "big"))
            got = b""
            while len(got) < 12 and (part := sock.recv(12 - len(got))):
                got += part
            sock.sendall(b"by socks")
            sock.shutdown(socket.SHUT_WR)
            tap.same((got[3:4], sock.recv(100)[:5]), (b"\0", b"got 8"), "ssh -D, as editors use it")
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(exchange(near, b"y"))) for _ in range(40)]
        [thread.start() for thread in threads]
        [thread.join(MOST) for thread in threads]
        tap.same(answers, [b"got 1\ny"] * 40, "forty at once")
        with socket.create_connection(("127.0.0.1", closing), timeout=MOST) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            got = b""
            while part := sock.recv(100):
                got += part
            tap.same(got, b"answer", "a server that closes after its answer: its client hears that, and need not close first")
        tap.same(client("forward", "127.0.0.1 8000").stdout, "stands\ngot 6\nhello\nend\n", "each direction ends by itself")
        for where in ("127.0.0.1 8001", "127.0.0.1 0", "127.0.0.1 70000", "10.0.0.1 8000", "0.0.0.0 8000", "example.org 80"):
            tap.same(client("forward", where).stdout, "refused\n", f"{where}: refused")
        for where, why in (("localhost:8001", b"port 8001 of the jail: Connection refused"),
                           ("10.0.0.1:8000", b"10.0.0.1 port 8000 of the jail: its only network is its own: give localhost")):
            said = run("ssh", "-F", config, "-W", where, "box")
            tap.ok(said.returncode == 255 and why in said.stderr, f"ssh -W {where}: it is said why not", said)
        held = socket.create_connection(("127.0.0.1", near), timeout=MOST)
        tap.ok(eventually(carriers, MOST), "a connection is carried in the jail")
        there.kill()
    tap.ok(eventually(lambda: not carriers(), MOST), "when the client has gone nothing carries it any more")
    held.close()
else:
    tap.ok(True, "connections # SKIP python3 in the jail")

# --- garbage
rest = random.Random(2)
for n in range(30):
    junk = rest.randbytes(rest.randrange(0, 4000))
    if n % 3:
        junk = b"SSH-2.0-x\r\n" + (junk if n % 3 == 1 else (len(junk) + 5).to_bytes(4, "big") + b"\x04\x14" + junk)
    got = run(COMMAND, "ssh-proxy", jail, input=junk)
    if got.returncode != 1:
        break
tap.ok(got.returncode == 1 and b"no ssh client" in got.stderr, "what is no SSH is told so", n, got)

# --- whose it is
own = as_bob("create", "--no-work").stdout.strip()
key_of_bob = as_bob("ssh-config", own)  # from here on no lack of a key refuses him
tap.ok(key_of_bob.returncode == 0 and f"Host warder-{own}" in key_of_bob.stdout, "another user has a key, and a jail of his own", key_of_bob)
for word in "ssh-config", "ssh-proxy":
    got = as_bob(word, jail)
    tap.ok(got.returncode == 1 and not got.stdout and f"no jail {jail}" in got.stderr, f"{word} of a jail that is not his: refused", got)
as_bob("rm", own)

# --- the host's key
with open(os.path.join(KEYS, "known_hosts")) as file:
    known = file.read()
os.rename(KEYS + "/host_key", KEYS + "/kept")
theirs = os.path.join(files, "theirs")
os.mkdir(theirs)
os.chown(theirs, BOB, BOB)
made = warder("ssh-config", jail, env={k: v for k, v in environment.items() if k != "XDG_STATE_HOME"} | {"HOME": theirs})
tap.ok(made.returncode == 1 and made.stdout == "" and "sudo -H" in made.stderr and not os.listdir(theirs), "root makes no key in another's home", made)
other = environment["XDG_STATE_HOME"] + "/other"
warder("ssh-config", jail, env={**environment, "XDG_STATE_HOME": other})
shutil.copy(other + "/warder/ssh/host_key", KEYS + "/host_key")
changed = ssh("echo reached")
tap.ok(changed.returncode == 255 and b"reached" not in changed.stdout and b"HOST IDENTIFICATION HAS CHANGED" in changed.stderr,
       "another key is not accepted", changed)
os.rename(KEYS + "/kept", KEYS + "/host_key")
os.chmod(KEYS + "/host_key", 0o644)
open_ = warder("ssh-proxy", jail)
tap.ok(open_.returncode == 1 and "not yours alone" in open_.stderr, "a key that others can read is none", open_)
os.chmod(KEYS + "/host_key", 0o600)
tap.same(ssh("echo again").stdout, b"again\n", "with its own again it goes on")

# --- ends
jail2 = warder("create", "--no-work").stdout.strip()
with open(config, "a") as file:
    file.write(warder("ssh-config", "--name", "two", jail2).stdout)
with subprocess.Popen(["ssh", "-F", config, "two", "echo up; sleep 1000"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE) as there:
    there.stdout.readline()
    warder("rm", jail2)
    out, err = there.communicate(timeout=MOST)
tap.ok(there.returncode == 125 and b"the jail ended" in err, "a jail that ends while connected", there.returncode, err)
gone = run("ssh", "-F", config, "two", "true")
tap.ok(gone.returncode == 255 and b"no jail" in gone.stderr, "and is not there any more", gone)
with subprocess.Popen(["ssh", "-F", config, "box", "echo up; sleep 98.765"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as there:
    there.stdout.readline()
    there.kill()
tap.ok(eventually(lambda: not running("sleep\00098.765"), MOST), "a client that is killed: its command ends")
lacks = no_disks()
if not lacks:
    kept = warder("create", "--persistent", "dev", "--disk", "64M", "--no-work")
    with open(config, "a") as file:
        file.write(warder("ssh-config", "dev").stdout)
    there = run("ssh", "-F", config, "warder-dev", "echo kept >~/f")
    stopped = warder("stop", "dev")
    again = run("ssh", "-F", config, "warder-dev", "cat ~/f")
    tap.ok(stopped.returncode == 0 and again.stdout == b"kept\n", "a workspace that is stopped is started", kept, there, stopped, again)
    warder("rm", "--force", "dev")
else:
    tap.ok(True, f"a workspace # SKIP {lacks}")
# --- a program that does not start, and one that does not end
other = os.path.join(files, "libexec")
os.mkdir(other)
with open(os.path.join(os.path.abspath(BUILD), "cli/ssh/warder-ssh"), "rb") as file:
    whole = file.read()
for data, name, word in ((b"no program\n", "what is no program", "execute warder-ssh: "),
                         (whole[:24] + bytes(8) + whole[32:], "one that a signal ends", "warder-ssh was ended by a signal: ")):
    with open(os.path.join(other, "warder-ssh"), "wb") as file:
        file.write(data)
    os.chmod(file.name, 0o755)
    got = warder("ssh-config", jail, env={**environment, "WARDER_LIBEXEC": other})
    tap.ok(got.returncode == 1 and not got.stdout and word in got.stderr and got.stderr.count("\n") == 1, f"{name}: a sentence", got)
warder("rm", jail)
shutil.rmtree(files)
supervisor.stop()
tap.ok(eventually(lambda: not running(jail, ""), MOST), "no process is left")
tap.ok(eventually(lambda: not supervisor.leftovers(), MOST), "nothing is left behind")
tap.end()
