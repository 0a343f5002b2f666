#!/usr/bin/env python3
"""What a hostile front can ask of warderd.

Each scenario starts a private warderd whose front is hostile-front. What no front would send must end that
front, and with it this private warderd, with a failure; what cannot be had must be answered with a reason,
and warderd goes on.
"""
import array
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("top_builddir", ".")
OTHER_UID = 12345
count = failed = 0


def check(good, what, seen=None):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        failed += 1
        print(f"# saw {seen!r}")


class Place:
    """A private warderd of its own, with our front; run(scenario) gives its status, what the front saw, its log."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="warder-monitor-")
        os.chmod(self.dir, 0o755)
        self.name = f"t-monitor-{os.getpid()}"
        self.run_dir = f"{self.dir}/run"
        self.state = f"{self.dir}/state"
        self.data = f"{self.dir}/data"
        libexec = f"{self.dir}/libexec"
        os.makedirs(f"{self.data}/policies")
        os.makedirs(libexec)
        shutil.copy(f"{BUILD}/tests/rpc/hostile-front", f"{libexec}/warder-front")
        for name in ("sandbox/init/warder-init", "sandbox/files/warder-files"):
            shutil.copy(f"{BUILD}/{name}", libexec)
        self.command = [f"{BUILD}/supervisor/monitor/warderd", "--private", "--instance", self.name, "--run-dir", self.run_dir,
                        "--state-dir", self.state, "--libexec-dir", libexec, "--data-dir", self.data,
                        "--id-ranges", "16", "--shells", "1",
                        # a pool of its own: a small one, which no other supervisor of this host takes from
                        "--id-base", "1610612736"]

    def start(self, scenario, **more):
        with open(f"{self.data}/scenario", "w") as file:
            file.write(scenario)
        ready, ready_child = os.pipe()
        process = subprocess.Popen(self.command + ["--ready-fd", str(ready_child)], pass_fds=[ready_child],
                                   stderr=subprocess.PIPE, text=True, **more)
        os.close(ready_child)
        process.ready = os.read(ready, 1)
        os.close(ready)
        return process

    def finish(self, process):
        log = process.communicate(timeout=60)[1]
        try:
            with open(f"{self.state}/front/seen") as file:
                seen = file.read()
            os.unlink(f"{self.state}/front/seen")
        except FileNotFoundError:
            seen = ""
        return process.returncode, seen, log

    def run(self, scenario):
        return self.finish(self.start(scenario))

    def remove(self):
        shutil.rmtree(self.dir)


def test_clean(place):
    process = place.start("clean")
    status, seen, log = place.finish(process)
    check(process.ready == b"\n", "it says that it is ready", log)
    check(status == 0, "a front that ends by itself ends a private warderd in order", (status, log))
    check(seen == f"uid 1\nroot -1\ngroups 0\n", "the front has an id of its own and no way back", seen)
    check(not os.path.exists(place.run_dir), "the run directory is gone")


def test_violations(place):
    for scenario in ("unknown-kind", "kind-zero", "short", "long", "tiny", "surplus-fd", "missing-fd", "deaf"):
        status, seen, log = place.run(scenario)
        check(status == 1 and "it is ended" in log, f"{scenario}: the front is ended", (status, seen, log))


def test_refused(place):
    status, seen, log = place.run("refused")
    no = -errno.ENOENT
    want = (f"have {no}\ncookie 9\ntext 1\nremove {no}\ncommit {no}\ncommit0 {no}\ndrop {no}\ndestroy {no}\n"
            f"destroy0 {no}\nslot {no}\nupper {no}\n")
    check(seen == want and status == 0, "what is not there is answered, and nothing ends", (status, seen, log))


def test_layers(place):
    status, seen, log = place.run("layers")
    no = -errno.ENOENT
    want = (f"new 0\nnew 0\ndistinct 1\ncommit 0\nagain {no}\nhave 0\nsame 0\nremove 0\ngone {no}\n"
            f"many 64 {-errno.EBUSY}\ndrop {no}\n")
    check(seen == want and status == 0, "a layer appears, is not replaced, goes", (status, seen, log))
    status, seen, log = place.run("clean")
    left = {name: os.listdir(f"{place.state}/store/{name}") for name in ("layers", "new")}
    check(left == {"layers": [], "new": []}, "unfinished layers are gone after the next start", left)


def test_plans(place):
    status, seen, log = place.run("plans")
    lines = dict(line.split() for line in seen.splitlines())
    want = dict.fromkeys("version views layers first hostname memory filter kind".split(), str(-errno.EINVAL))
    want.update(dict.fromkeys("upper store new".split(), str(-errno.ENOENT)))
    check(lines == want and status == 0, "each wrong plan is refused for its reason", (status, seen, log))


def call_with(place, directory, uid):
    """A client of that uid that passes the directory."""
    client = socket.socket(socket.AF_UNIX)
    address = f"{place.run_dir}/warder.sock"
    os.chmod(place.run_dir, 0o711)
    os.chmod(address, 0o666)
    os.seteuid(uid)
    try:
        client.connect(address)
    finally:
        os.seteuid(0)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    client.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    return client


def test_dirs(place):
    ours, theirs = f"{place.dir}/ours", f"{place.dir}/theirs"
    for path, uid in ((ours, 0), (theirs, OTHER_UID)):
        os.mkdir(path)
        os.chown(path, uid, uid)
    process = place.start("dirs")
    clients = [call_with(place, ours, OTHER_UID),      # another's directory
               call_with(place, "/proc/self", 0),      # no place for files
               call_with(place, theirs, OTHER_UID),    # its own
               call_with(place, theirs, 0)]            # root may bring anyone's
    status, seen, log = place.finish(process)
    want = (f"pair {-errno.EPERM}\ncaller 0 {-errno.EPERM}\ncaller 1 {-errno.EOPNOTSUPP}\ncaller 2 0\ncaller 3 0\n")
    check(seen == want and status == 0, "a directory needs its owner's own connection", (status, seen, log))
    for client in clients:
        client.close()


def test_jails(place):
    status, seen, log = place.run("jails")
    busy, no = -errno.EBUSY, -errno.ENOENT
    want = (f"create 0\ndescriptors 1\nslot 0\ncommit {busy}\ndrop 0\ndestroy 0\nended 1\nagain 0\n"
            f"no-slot {no}\nabove 0\nforget 0\nforgotten {no}\nlate {no}\ndrop {no}\n")
    check(seen == want and status == 0, "what a jail stands on cannot go before it", (status, seen, log))


def wait_for(path):
    for _ in range(200):
        if os.path.exists(path) and os.path.getsize(path) > 0:
            return True
        time.sleep(0.05)
    return False


def test_service(place):
    seen_path = f"{place.state}/front/seen"
    place.command.remove("--private")
    process = place.start("clean")
    check(wait_for(seen_path), "a service starts its front", process.poll())
    os.unlink(seen_path)
    with open(f"{place.data}/scenario", "w") as file:
        file.write("stay")
    check(wait_for(seen_path), "and starts it again when it has ended")
    process.send_signal(signal.SIGTERM)
    status, seen, log = place.finish(process)
    check(status == 0, "SIGTERM ends a service in order", (status, log))
    place.command.insert(1, "--private")


def test_once(place):
    process = place.start("dirs")
    second = subprocess.run(place.command, stderr=subprocess.PIPE, text=True)
    check(second.returncode == 75 and "another supervisor" in second.stderr, "a second one of the name is refused",
          (second.returncode, second.stderr))
    process.send_signal(signal.SIGTERM)
    status, seen, log = place.finish(process)
    check(status == 0, "SIGTERM ends it in order", (status, log))
    process = place.start("stay")
    process.send_signal(signal.SIGTERM)
    while os.path.exists(f"{place.run_dir}/warder.sock"):
        time.sleep(0.001)
    status, seen, log = place.run("clean")
    check(status == 0, "who comes while one is ending waits for it", (status, log))
    place.finish(process)
    process = place.start("dirs")
    process.kill()
    process.wait()
    process.stderr.close()
    status, seen, log = place.run("clean")
    check(status == 0, "after kill -9 the next start works", (status, log))


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP root is needed to start warderd")
        return 0
    place = Place()
    try:
        for test in (test_clean, test_violations, test_refused, test_layers, test_plans, test_jails, test_dirs, test_service,
                     test_once):
            test(place)
    finally:
        place.remove()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
