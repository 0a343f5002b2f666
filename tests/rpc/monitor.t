#!/usr/bin/env python3
"""What a hostile front can ask of warderd.

Each scenario starts a private warderd whose front is hostile-front. What no front would send must end that
front, and with it this private warderd, with a failure; what cannot be had must be answered with a reason,
and warderd goes on.
"""
import array
import ctypes
import errno
import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("top_builddir", ".")
OTHER_UID = 12345
PATIENCE = float(os.environ.get("WARDER_TEST_PATIENCE", "60"))  # seconds, as in front_lib.py
count = failed = 0


def check(good, what, seen=None):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        failed += 1
        print(f"# saw {seen!r}")


def eventually(holds):
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


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
        for name in ("sandbox/init/warder-init", "sandbox/files/warder-files", "supervisor/egress/warder-egress"):
            if os.path.exists(f"{BUILD}/{name}"):
                shutil.copy(f"{BUILD}/{name}", libexec)
        self.command = [f"{BUILD}/supervisor/monitor/warderd", "--private", "--instance", self.name, "--run-dir", self.run_dir,
                        "--state-dir", self.state, "--libexec-dir", libexec, "--data-dir", self.data,
                        "--id-ranges", "64", "--shells", "1",
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
        log = process.communicate(timeout=PATIENCE)[1]
        try:
            with open(f"{self.state}/front/seen") as file:
                seen = file.read()
            os.unlink(f"{self.state}/front/seen")
        except (FileNotFoundError, ProcessLookupError):
            seen = ""
        return process.returncode, seen, log

    def run(self, scenario):
        return self.finish(self.start(scenario))

    def groups(self):
        """Groups of jails that are left, one may take a moment to go."""
        def found():
            return [os.path.join(where, name) for where, names, _ in os.walk("/sys/fs/cgroup") for name in names
                    if f"warder-{self.name}" in os.path.join(where, name)]
        return [] if eventually(lambda: not found()) else found()

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
    want = (f"remove {no}\ncookie 9\ntext 1\ncommit {no}\ncommit0 {no}\ndrop {no}\ndestroy {no}\n"
            f"destroy0 {no}\nslot {no}\nupper {no}\n")
    check(seen == want and status == 0, "what is not there is answered, and nothing ends", (status, seen, log))


def test_layers(place):
    status, seen, log = place.run("layers")
    no = -errno.ENOENT
    want = (f"new 0\nnew 0\ndistinct 1\ncommit 0\nagain {no}\nsame 0\nremove 0\ngone {no}\n"
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


def devices(place):
    """Loop devices whose image is this place's."""
    return [path for path in glob.glob("/sys/block/loop*/loop/backing_file") if place.state in read_or_nothing(path)]


def read_or_nothing(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:  # it went meanwhile
        return ""


def test_disks(place):
    if not os.path.exists("/dev/loop-control") or not (os.path.exists("/usr/sbin/mke2fs") or os.path.exists("/sbin/mke2fs")):
        check(True, "no disks of workspaces # SKIP loop devices or mke2fs")
        return
    wrong, no, busy = -errno.EINVAL, -errno.ENOENT, -errno.EBUSY
    status, seen, log = place.run("disk-sizes")
    check(seen == f"size {wrong}\n" * 7 + f"number {wrong}\nshow {no}\nremove {no}\n", "a disk has a number and a size", (seen, log))
    status, seen, log = place.run("disk-plans")
    check(seen == f"nobody's {no}\n" + "".join(f"{word} {wrong}\n" for word in ("zero", "kept", "files", "two", "shown", "written",
                                                                                "descriptor")), "a disk is where it may be", (seen, log))
    status, seen, log = place.run("disk-taken")
    check(seen == f"make 0\nagain 1\ncreate 0\nremove {busy}\nupper 0\nabove 0\nshow 0\nrestart 0\nremove 0\ngone {no}\n",
          "a disk is not taken from under a jail", (seen, log))
    status, seen, log = place.run("disk-both")
    check(seen == f"first 0\nsecond {busy}\ntext 1\n", "two jails do not have one disk", (seen, log))
    check(eventually(lambda: not devices(place)), "no device is left", devices(place))
    left = os.listdir(f"{place.state}/workspaces")
    check(len(left) == 1, "but the one disk that was not removed", left)


def name_of(directory, rw=False, tail="0123456789abcdef"):
    """What a client names its connection: the directory that a jail may show, or change."""
    st = os.stat(directory)
    return (f"\0warder-{'rw' if rw else 'dir'}/{os.major(st.st_dev):x}:{os.minor(st.st_dev):x}:{st.st_ino:x}/"
            f"{tail}").encode()


def as_user(uid, function, *arguments):
    os.setegid(uid)
    os.seteuid(uid)
    try:
        return function(*arguments)
    finally:
        os.seteuid(0)
        os.setegid(0)


tails = 0


def call_with(place, directory, uid, word="c", name="dir", fds=()):
    """A client of that uid that passes the directory, by path or descriptor, and a word for hostile-front."""
    global tails
    client = socket.socket(socket.AF_UNIX)
    address = f"{place.run_dir}/warder.sock"
    os.chmod(place.run_dir, 0o711)
    os.chmod(address, 0o666)
    tails += 1
    if name in ("dir", "rw"):
        client.bind(name_of(directory, name == "rw", f"{os.getpid():08x}{tails:08x}"))
    elif name:
        client.bind(name)
    as_user(uid, client.connect, address)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY) if isinstance(directory, str) else os.dup(directory)
    client.sendmsg([word.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd, *fds]))])
    os.close(fd)
    return client


def daemons_end(place):
    """A socket that says "uid 0, under the listener's own name": the client's end of a root daemon's socket.

    Only a mount namespace of one's own is needed for it, which every user has who may make user namespaces.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    if os.fork() == 0:
        libc = ctypes.CDLL(None)
        daemon = socket.socket(socket.AF_UNIX)
        daemon.bind(f"\0warder-test-daemon-{os.getpid()}")
        daemon.listen()
        libc.unshare(0x20000)
        libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None)
        libc.mount(b"tmpfs", place.run_dir.encode(), b"tmpfs", 0, None)
        client = socket.socket(socket.AF_UNIX)
        client.bind(f"{place.run_dir}/warder.sock")
        client.connect(daemon.getsockname())
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [client.fileno()]))])
        os._exit(0)
    fd = socket.recv_fds(ours, 1, 1)[1][0]
    os.wait()
    forged = socket.socket(fileno=fd)
    check(forged.getsockname() == f"{place.run_dir}/warder.sock" and
          struct.unpack("3i", forged.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] == 0,
          "a user can have a socket that bears our name and root's credentials")
    return forged


def elsewhere():
    """A directory of a mount namespace that its caller is not in."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    if os.fork() == 0:
        libc = ctypes.CDLL(None)
        libc.unshare(0x20000)
        libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None)
        libc.mount(b"tmpfs", b"/mnt", b"tmpfs", 0, None)
        os.mkdir("/mnt/x")
        os.chown("/mnt/x", OTHER_UID, OTHER_UID)
        fd = os.open("/mnt/x", os.O_RDONLY)
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        os._exit(0)
    fd = socket.recv_fds(ours, 1, 1)[1][0]
    os.wait()
    return fd


def own_group(place):
    """A directory of a cgroup file system that belongs to the user; None where there is none."""
    for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        path = f"{root}/{place.name}-given"
        try:
            os.mkdir(path)
        except OSError:
            continue
        os.chown(path, OTHER_UID, OTHER_UID)
        return path
    return None


def test_callers(place):
    ours, theirs, second, roots_group = (f"{place.dir}/{name}" for name in ("ours", "theirs", "second", "group"))
    for path, uid, gid in ((ours, 0, 0), (theirs, OTHER_UID, OTHER_UID), (second, OTHER_UID, OTHER_UID),
                           (roots_group, OTHER_UID, 0)):
        os.mkdir(path)
        os.chown(path, uid, gid)
    no, unfit, bad = -errno.EPERM, -errno.EOPNOTSUPP, -errno.ENOTDIR
    process = place.start("callers")
    forged, away, group = daemons_end(place), elsewhere(), own_group(place)
    by_path = os.open(theirs, os.O_PATH)
    root_path = os.open("/root", os.O_PATH)
    rows = [  # directory, uid, word, name, more descriptors, code, what
        (theirs, OTHER_UID, "c", "dir", (), 0, "its owner shows it"),
        (theirs, OTHER_UID, "f", "rw", (), 0, "its owner shares it"),
        (theirs, 0, "c", "dir", (), 0, "root may show anyone's"),
        (theirs, 0, "w", "rw", (), 0, "and share it"),
        (ours, 0, "c", "dir", (), 0, "root shows his own"),
        (theirs, OTHER_UID, "c", "rw", (), 0, "who may change may see"),
        (by_path, OTHER_UID, "c", "dir", (), 0, "O_PATH is enough for a directory of one's own"),
        (root_path, OTHER_UID, "c", "dir", (), no, "and for no other"),
        (ours, OTHER_UID, "c", "dir", (), no, "another's"),
        (ours, OTHER_UID, "w", "rw", (), no, "another's, to change"),
        (theirs, OTHER_UID, "c", None, (), no, "a connection without a name"),
        (theirs, 0, "c", None, (), no, "of root's, too"),
        (theirs, OTHER_UID, "w", "dir", (), no, "one that allows to show, not to change"),
        (theirs, OTHER_UID, "c", name_of(second), (), no, "one that names another directory"),
        (theirs, OTHER_UID, "w", name_of(second, True), (), no, "likewise to change"),
        (theirs, OTHER_UID, "w", name_of(theirs, True, ""), (), no, "half a name"),
        (theirs, OTHER_UID, "w", name_of(theirs, True)[:-1], (), no, "a shorter one"),
        (theirs, OTHER_UID, "w", name_of(theirs, True) + b"0", (), no, "a longer one"),
        (second, OTHER_UID, "o", "rw", (), no, "another connection of the same caller, for another directory"),
        (theirs, OTHER_UID, "s", "rw", (forged.fileno(),), no, "the client's end of a root daemon's socket"),
        (theirs, OTHER_UID, "l", "rw", (), no, "our listener itself, whose peer seems to be root"),
        (ours, 0, "w", "rw", (), no, "root's own, to change"),
        ("/", 0, "w", "rw", (), no, "the root of all"),
        (roots_group, OTHER_UID, "w", "rw", (), 0, "a directory of the group root whose owner is not in it"),
        (roots_group, 0, "w", "rw", (), no, "the group root, by root"),
        (away, OTHER_UID, "c", "dir", (), unfit, "a mount namespace that the caller is not in"),
        ("/proc/self", 0, "c", "dir", (), unfit, "proc"),
        ("/sys/kernel", 0, "c", "dir", (), unfit, "sysfs"),
        ("/dev/pts", 0, "c", "dir", (), unfit, "devpts"),
    ]
    if group:
        rows.append((group, OTHER_UID, "w", "rw", (), unfit, "a control group that was given away"))
    clients = [call_with(place, *row[:5]) for row in rows]
    clients.append(call_with(place, theirs, OTHER_UID, "q"))
    status, seen, log = place.finish(process)
    lines = seen.splitlines()
    for row, line in zip(rows, lines):
        check(line == f"{row[2]} {row[5]}", f"{row[6]}: {'shown' if row[5] == 0 else 'refused'}", (line, log[-600:]))
    check(status == 0 and len(lines) == len(rows), "warderd heard them all", (status, len(lines), log))
    for client in clients:
        client.close()
    for fd in (away, by_path, root_path):
        os.close(fd)
    if group:
        os.rmdir(group)


def test_descriptors(place):
    status, seen, log = place.run("filters")
    lines = dict(line.split() for line in seen.splitlines())
    present = {name: code for name, code in lines.items() if code != "absent"}
    wrong = {name: code for name, code in present.items() if int(code) != -errno.EINVAL}
    check(len(present) >= 22 and not wrong, "no other descriptor passes for a filter", (wrong, lines))
    check(status == 0, "and warderd goes on", (status, log))
    theirs = f"{place.dir}/kinds"
    os.mkdir(theirs)
    os.chown(theirs, OTHER_UID, OTHER_UID)
    process = place.start("kinds")
    client = call_with(place, theirs, OTHER_UID)
    status, seen, log = place.finish(process)
    lines = dict(line.split() for line in seen.splitlines())
    check(lines.pop("right", None) == "0" and len(lines) >= 44, "a right one of each kind is a jail", (seen, log))
    taken = [name for name, code in lines.items() if int(code) >= 0]
    check(not taken and status == 0, "nothing else passes for a connection or a directory", (taken, status, log))
    client.close()


def test_edges(place):
    status, seen, log = place.run("edges")
    check(seen == "refused 1\nmade 1\nmute 0\nlost 0\n" and status == 0, "every field of a plan at every edge",
          (status, seen, log[-2000:]))
    print("#", [line for line in log.splitlines() if "edges:" in line][-1:])
    check(place.groups() == [], "leaves no group", place.groups())


def test_floods(place):
    status, seen, log = place.run("replay")
    check(seen == f"create 0 0\ndistinct 1\ndestroy {-errno.ENOENT}\n" and status == 0, "a request sent again is another one",
          (status, seen, log))
    status, seen, log = place.run("many")
    check(seen == f"jails 1 {-errno.EAGAIN}\nslots 62 {-errno.EMFILE}\nagain 0\n" and status == 0,
          "jails and groups have a bound each, and come back", (status, seen, log))
    status, seen, log = place.run("flood")
    check(seen == "answers 20000\n" and status == 0, "a flood of requests is answered", (status, seen, log))
    check(place.groups() == [], "no group is left", place.groups())


def test_generation(place):
    place.command.remove("--private")
    process = place.start("generation")
    check(wait_for(f"{place.state}/front/seen"), "a service with two fronts, one after the other")
    process.send_signal(signal.SIGTERM)
    status, seen, log = place.finish(process)
    no = -errno.ENOENT
    check(seen.split() == [str(no)] * 14, "handles of the front before are nobody's", (seen, log))
    check(status == 0, "and the service goes on", (status, log))
    place.command.insert(1, "--private")


def egress_of(process):
    """The id of its egress; None where there is none at the moment."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        for pid in file.read().split():
            try:
                with open(f"/proc/{pid}/comm") as comm:
                    if comm.read().startswith("warder-egress"):
                        return int(pid)
            except OSError:
                pass
    return None


def test_egress(place):
    if not os.path.exists(f"{BUILD}/supervisor/egress/warder-egress"):
        check(True, "egress # SKIP warder-egress is not built")
        return
    process = place.start("egress")
    check(wait_for(f"{place.state}/front/seen"), "a front and egress")
    began = time.monotonic()
    for _ in range(2):
        if not (pid := eventually(lambda: egress_of(process))):
            break
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not os.path.exists(f"/proc/{pid}"))  # the list of children may miss one that is there
    status, seen, log = place.finish(process)
    check(seen == "here\n3 1\n3 1\n", "an egress that dies alone is started again, and the front gets its socket", (seen, log))
    check(time.monotonic() - began >= 1.9, "at most once a second")
    check(status == 0, "and nothing else ends", (status, log))


def test_late(place):
    process = place.start("late")
    seen_path = f"{place.state}/front/seen"
    check(wait_for(seen_path), "a front with a jail")
    process.send_signal(signal.SIGTERM)
    status, seen, log = place.finish(process)
    check(seen.startswith("create 0\nended 1\n") and "late 0" not in seen and "what no front sends" in log,
          "who asks for a jail while all are being ended is ended", (status, seen, log))
    check(place.groups() == [], "nothing is left", place.groups())


def test_jails(place):
    status, seen, log = place.run("jails")
    busy, no = -errno.EBUSY, -errno.ENOENT
    want = (f"create 0\ndescriptors 1\nslot 0\ncommit {busy}\ndrop 0\ndestroy 0\nended 1\nagain 0\n"
            f"no-slot {no}\nabove 0\nforget 0\nforgotten {no}\nlate {no}\ndrop {no}\n")
    check(seen == want and status == 0, "what a jail stands on cannot go before it", (status, seen, log))


def wait_for(path):
    return eventually(lambda: os.path.exists(path) and os.path.getsize(path) > 0)


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
    process = place.start("callers")
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
    process = place.start("callers")
    process.kill()
    process.wait()
    process.stderr.close()
    status, seen, log = place.run("clean")
    check(status == 0, "after kill -9 the next start works", (status, log))


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP root is needed to start warderd")
        return 0
    subprocess.run(["sh", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../sweep"), "t-monitor-"], check=False)
    place = Place()
    try:
        for test in (test_clean, test_violations, test_refused, test_layers, test_plans, test_disks, test_jails, test_callers,
                     test_descriptors, test_edges, test_floods, test_generation, test_egress, test_late,
                     test_service, test_once):
            test(place)
    finally:
        place.remove()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
