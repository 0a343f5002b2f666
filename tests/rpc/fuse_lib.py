"""fuse_lib: a FUSE server that does not answer when a file of it is closed, and one open file of it."""
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import tempfile

from front_lib import recv_with_fds, send_with_fds

LOOKUP, FORGET, GETATTR, OPEN, STATFS, RELEASE, FLUSH, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 17, 18, 25, 26, 36, 42
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)


def need_fuse():
    if os.geteuid() != 0:
        print("1..0 # SKIP root, to mount a FUSE file system")
        sys.exit(0)
    if not os.path.exists("/dev/fuse"):
        print("1..0 # SKIP /dev/fuse")
        sys.exit(0)


def attributes(node):
    mode = 0o40755 if node == 1 else 0o100666
    return struct.pack("=6Q10I", node, 3, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer_of(opcode, node):
    """The body of an answer; an errno where there is none."""
    if opcode == INIT:
        return struct.pack("=4I2H2I2HI7I", 7, 31, 4096, 0, 8, 8, 4096, 1, 1, 0, 0, *[0] * 7)
    if opcode == LOOKUP:
        return struct.pack("=4Q2I", 2, 1, 1000, 0, 0, 0) + attributes(2)
    if opcode == GETATTR:
        return struct.pack("=Q2I", 0, 0, 0) + attributes(node)
    if opcode == OPEN:
        return struct.pack("=Q2I", 1, 0, 0)
    if opcode == STATFS:
        return struct.pack("=5Q4I6I", *[1] * 5, *[512] * 4, *[0] * 6)
    return b"" if opcode == RELEASE else 38


def serve(device, report, mute_after):
    """Answers all, until a request of the kind @mute_after has come: from then on nothing of kinds FLUSH, GETATTR, STATFS."""
    mute = False
    while True:
        data = os.read(device, 1 << 17)
        _, opcode, unique, node = struct.unpack_from("=IIQQ", data)
        os.write(report, bytes([opcode]))
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT) or opcode == FLUSH or (mute and opcode in (GETATTR, STATFS)):
            continue
        body = answer_of(opcode, node)
        error, body = (0, body) if isinstance(body, bytes) else (-body, b"")
        os.write(device, struct.pack("=IiQ", 16 + len(body), error, unique) + body)
        mute = mute or opcode == mute_after


class Server:
    """A FUSE server in a mount namespace of its own, and one open file of it."""

    def __init__(self, mute_after=None):
        self.dir = tempfile.mkdtemp(prefix="warder-fuse-")
        ours, theirs = socket.socketpair()
        self.reports, report = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.run(theirs, report, mute_after)
            finally:
                os._exit(1)
        theirs.close()
        os.close(report)
        ours.settimeout(10)
        _, fds = recv_with_fds(ours, 1)
        self.fd = fds[0]
        ours.close()

    def run(self, theirs, report, mute_after):
        if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
            raise OSError(ctypes.get_errno(), "make a mount namespace")
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no server outlives the test
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
        if libc.mount(b"fuse", self.dir.encode(), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "mount FUSE")
        if os.fork() == 0:
            os.close(device)  # the last of these that is closed ends all requests
            send_with_fds(theirs, b"x", [os.open(os.path.join(self.dir, "file"), os.O_RDWR)])
            os._exit(0)  # waits for its flush, too
        theirs.close()
        serve(device, report, mute_after)

    def saw(self, opcode, seconds=10):
        """Does such a request come to the server?"""
        while select.select([self.reports], [], [], seconds)[0]:
            if os.read(self.reports, 1) == bytes([opcode]):
                return True
        return False

    def stop(self):
        """Before this process ends with a descriptor that waits for it."""
        os.kill(self.pid, signal.SIGKILL)

    def kill(self):
        self.stop()
        os.waitpid(self.pid, 0)
        try:
            os.close(self.fd)
        except OSError:  # that its server is gone
            pass
        os.close(self.reports)
        os.rmdir(self.dir)
