"""supervisor_lib: a private warderd of its own for a test, and what it must not leave behind."""
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from front_lib import BUILD, MOST, PATIENCE, SOURCE, Client

CGROUPS = "/sys/fs/cgroup"
COMMAND = os.path.join(os.path.abspath(BUILD), "cli/warder")


def missing():
    """What this machine lacks for jails, None where it has all."""
    if os.geteuid() != 0:
        return "root"
    # where the controllers are v1's, what holds their trees may be read-only
    if not any(os.access(os.path.join(CGROUPS, tree), os.W_OK) for tree in ("", "memory")):
        return "writable cgroups"
    try:
        subprocess.run(["unshare", "-m", "true"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return "CAP_SYS_ADMIN"
    return None


def need_jails():
    if os.geteuid() == 0:
        subprocess.run(["sh", os.path.join(SOURCE, "tests/sweep"), "t"], check=False)
    lacks = missing()
    if lacks:
        print(f"1..0 # SKIP {lacks}")
        sys.exit(0)


def no_disks():
    """What this machine lacks for the disks of workspaces, "" where it has all."""
    both = {"mke2fs": ("/usr/sbin/mke2fs", "/sbin/mke2fs"), "loop devices": ("/dev/loop-control",)}
    return ", ".join(name for name, paths in both.items() if not any(map(os.path.exists, paths)))


def need_disks():
    lacks = no_disks()
    if lacks:
        print(f"1..0 # SKIP {lacks}")
        sys.exit(0)


class Supervisor:
    def __init__(self, name, policies=None, mode=("--private",), wrap=(), keep=()):
        """@mode: () is the service, which still gets a place of its own; @wrap: a command that executes what follows it;
        @keep: descriptors that go along."""
        self.mode, self.wrap, self.keep = list(mode), list(wrap), list(keep)
        self.policies = policies or os.path.join(SOURCE, "policies")
        self.instance = f"t{os.getpid()}-{name}"
        self.run_dir = f"/run/warder/{self.instance}"
        self.state = f"/var/lib/warder/{self.instance}"
        self.path = f"{self.run_dir}/warder.sock"
        self.environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", "WARDER_SOCKET": self.path}
        self.dir = tempfile.mkdtemp(prefix="warder-test-")
        self.log = os.path.join(self.dir, "log")
        self.config = os.path.join(self.dir, "config")  # what would be /etc/warder
        os.mkdir(self.config)
        os.chmod(self.config, 0o755)
        atexit.register(self.stop)
        self.start()

    def start(self):
        reader, writer = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrap, os.path.join(os.path.abspath(BUILD), "supervisor/monitor/warderd"), *self.mode, "--instance",
                 self.instance, "--libexec-dir", os.path.abspath(BUILD), "--data-dir", os.path.join(SOURCE, "agent"),
                 "--policies-dir", self.policies, "--config-dir", self.config,
                 "--run-dir", self.run_dir, "--ready-fd", str(writer)],
                pass_fds=[writer, *self.keep], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        os.close(writer)
        ready = os.read(reader, 1)
        os.close(reader)
        if not ready:
            raise SystemExit(f"Bail out! warderd did not start: {self.words()}")

    def words(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def client(self):
        return Client(self.path)

    def warder(self, *words, env=None, **more):
        """The command with this supervisor, until it ends; @env: more of its environment, @more: of subprocess.run."""
        if "input" not in more:
            more.setdefault("stdin", subprocess.DEVNULL)
        more = {"capture_output": True, "text": True, "timeout": MOST, **more}
        return subprocess.run([COMMAND, *words], env={**self.environment, **(env or {})}, **more)

    def inside(self, name):
        """Ids of the processes in its groups, so of no other test's, that call themselves @name or are executed from a file of
        that name. Each may have ended by now."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/cgroup") as groups:
                    if self.instance in groups.read() and (comm.read().strip() == name or name in os.readlink(f"/proc/{pid}/exe")):
                        yield int(pid)
            except OSError:
                pass

    def front(self):
        """The id of its front, None while there is none. The list of a process's children in /proc misses some while others
        end: so all processes are looked at."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if name == "warder-front" and int(rest.split()[1]) == self.process.pid:
                return int(entry)
        return None

    def wait(self, seconds=PATIENCE):
        """Its exit code when it has ended by itself, None when it has not."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def leftovers(self):
        """Groups, mounts, run directory that bear its name."""
        found = [os.path.join(where, d) for where, dirs, _ in os.walk(CGROUPS) for d in dirs if self.instance in d]
        with open("/proc/self/mountinfo") as file:
            found += [line for line in file if self.instance in line]
        if os.path.exists(self.run_dir):
            found.append(self.run_dir)
        return found

    def stop(self):
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if self.wait() is None:
                self.process.kill()
                self.process.wait()
        if os.environ.get("WARDER_TEST_LOG"):
            sys.stderr.write(self.words())
        shutil.rmtree(self.state, ignore_errors=True)
        if "--private" not in self.mode:
            shutil.rmtree(self.run_dir, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def eventually(check, seconds=PATIENCE):
    """Is @check true within so many seconds; for what the kernel does in its own time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.02)
    return bool(check())
