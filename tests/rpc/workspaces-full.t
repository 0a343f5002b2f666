#!/usr/bin/env -S python3 -B
"""workspaces-full: the host's disk below workspaces runs full: what would not fit does not start, what runs is told,
and what was there before is there after."""
import os

os.environ.setdefault("WARDER_TEST_PATIENCE", "90")
from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_disks, need_jails

need_jails()
need_disks()
tap = Tap()
MB = 1 << 20
place = f"/var/lib/warder/t{os.getpid()}-full"
# the state is on a file system of its own, of 260 MB, in a mount namespace of the supervisor's
supervisor = Supervisor("full", mode=(), wrap=("unshare", "-m", "--propagation", "private", "sh", "-c",
                                               f"mkdir -p {place} && mount -t tmpfs -o size=260m,mode=711 full {place} && exec \"$@\"", "sh"))
client = supervisor.client()
inside = f"/proc/{supervisor.process.pid}/root{place}"


def refused(answer):
    error = answer.get("error", {})
    return error.get("data", {}).get("code"), error.get("message", str(answer))


def run(text):
    answer = client.call("jail.exec", {"jail": "dev", "argv": ["/bin/sh", "-c", text]})
    return answer.get("result", {"cause": answer.get("error")})


code, words = refused(client.call("jail.create", {"persistent": {"name": "large", "disk": 1024 * MB}}))
tap.ok(code == "limit" and "free" in words, "a disk that cannot be filled is not made", code, words)
tap.ok("result" in client.call("jail.create", {"persistent": {"name": "dev", "disk": 128 * MB}}), "one that can is")
code, words = refused(client.call("jail.create", {"persistent": {"name": "more", "disk": 128 * MB}}))
tap.ok(code == "limit" and "running workspaces may still take" in words, "what runs is counted with what it may still take", code, words)
tap.same(run("echo kept > /home/user/f && sync")["code"], 0, "a file is written")

with open(inside + "/filler", "wb") as file:  # somebody else fills the disk of the host
    left = os.statvfs(inside)
    os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize)
got = run("dd if=/dev/zero of=/home/user/big bs=1M count=40 conv=fsync")
tap.ok(got["cause"] == "exited" and got["code"] != 0, "a command that writes then is told by an error", got)
tap.ok("result" in client.call("jail.stop", {"jail": "dev"}), "the workspace can be stopped")
code, words = refused(client.call("jail.start", {"jail": "dev"}))
tap.ok(code == "limit", "and not started while there is no room", code, words)
os.unlink(inside + "/filler")
answer = client.call("jail.start", {"jail": "dev"})
tap.ok("result" in answer, "with room again it is started", answer)
got = run("cat /home/user/f && rm -f /home/user/big && echo new > /home/user/g && sync && cat /home/user/g")
tap.same(got.get("output", {}).get("stdout", {}).get("text"), "kept\nnew\n", "what was there is there, and it can be written")
tap.ok("result" in client.call("jail.destroy", {"jail": "dev", "disk": True}), "it is removed")
tap.ok(eventually(lambda: os.listdir(inside + "/workspaces") == []), "with its disk")
tap.end()
