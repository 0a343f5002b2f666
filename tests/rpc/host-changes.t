#!/usr/bin/env -S python3 -B
"""host-changes: a package is installed on the host while a supervisor has jails ready: what they took of the host is
gone. The /etc that changes is a copy that only this supervisor's own mount namespace has."""
import os
import subprocess
import tempfile
import time

from front_lib import Tap
from supervisor_lib import Supervisor, need_jails

need_jails()
tap = Tap()
if not os.path.exists("/etc/ld.so.cache"):
    print("1..0 # SKIP this host has no /etc/ld.so.cache")
    raise SystemExit
place = tempfile.mkdtemp(prefix="warder-etc-")
WRAP = ["unshare", "-m", "--propagation", "private", "sh", "-c",
        f'mount -t tmpfs etc {place} && cp -a /etc/. {place} && mount --bind {place} /etc && exec "$0" "$@"']

supervisor = Supervisor("host", wrap=WRAP)
client = supervisor.client()


def create():
    """The end of a command in a new jail of the host's root, or why there is none."""
    answer = client.call("jail.create", {"exec": {"argv": ["true"]}})
    return answer["error"]["message"] if "error" in answer else answer["result"]["command"]["cause"]


def host(script):
    """A change of this supervisor's /etc."""
    subprocess.run(["nsenter", f"--mount=/proc/{supervisor.process.pid}/ns/mnt", "sh", "-c", script], check=True)


tap.same(create(), "exited", "before")
for _ in range(3):
    time.sleep(0.3)  # shells are refilled
    host("cp -p /etc/ld.so.cache /etc/ld.so.cache~ && mv /etc/ld.so.cache~ /etc/ld.so.cache")
    tap.same([create() for _ in range(4)], ["exited"] * 4, "after ldconfig put a new cache over the old one")
time.sleep(0.3)
host("rm /etc/ld.so.cache")
tap.same(create(), "exited", "after it was removed")
host("echo >/etc/ld.so.cache")
tap.same(create(), "exited", "after it came back")
client.close()
tap.same(supervisor.wait(), 0, "the supervisor ends well")
tap.same(supervisor.leftovers(), [], "nothing is left")
supervisor.stop()
os.rmdir(place)
tap.end()
