#!/usr/bin/env -S python3 -B
"""roots: an imported root whose /dev, /proc, /etc … are not what a jail needs there.

A place that is missing is made; one that is a link, a file, a fifo is refused by its name, at the import or
when a jail is to start; nothing is ever made through it. The attack is what an engine without care would do:
a mount or a file at that path, which goes where the link points; here it is shown to go there.
"""
import os
import subprocess
import tarfile
import tempfile

from hostile_lib import Supervisor, Tap, bring, need_jails, root_of, run, show_directory, text, tool

need_jails()
tap = Tap()
supervisor = Supervisor("roots")
client = supervisor.client()
PLACES = ["dev", "proc", "etc", "tmp", "run", "work", "dev/shm", "home"]
FOLDERS = ("bin", "dev", "proc", "etc", "tmp", "run", "work", "home")
KINDS = [("a link to /", tarfile.SYMTYPE, "/"), ("a link to ..", tarfile.SYMTYPE, ".."),
         ("a link to /proc/self/root", tarfile.SYMTYPE, "/proc/self/root"), ("a link to /bin", tarfile.SYMTYPE, "/bin"),
         ("a link out of the root", tarfile.SYMTYPE, "../../../../../../../../tmp"),
         ("a file", tarfile.REGTYPE, b"not a directory"), ("a fifo", tarfile.FIFOTYPE, None), ("missing", None, None)]
MADE = {"dev": "tmpfs", "proc": "proc", "tmp": "tmpfs", "run": "tmpfs"}
canary = tempfile.TemporaryDirectory(dir="/var/tmp")
show_directory(client, canary.name)


def before(place, kind, value):
    """Without care: does making something at @place of a root go through what stands there."""
    with tempfile.TemporaryDirectory(dir=canary.name) as root:
        os.mkdir(os.path.join(root, "outside"))
        path = os.path.join(root, os.path.basename(place))
        if kind != tarfile.SYMTYPE:
            return True
        os.symlink(os.path.join(root, "outside"), path)
        subprocess.run(["unshare", "-m", "sh", "-c", 'echo x >"$1/through"', "sh", path], check=True)
        return os.path.exists(os.path.join(root, "outside/through"))


def check(place, what, kind, value, number):
    folders = tuple(f for f in FOLDERS if f != place)
    entries = [] if kind is None else [(place, kind, value, 0o755)]
    name = f"root-{number}"
    answer = bring(client, name, root_of([tool("look")], entries, folders))
    title = f"/{place} is {what}"
    if "error" in answer:
        tap.ok(place in answer["error"]["message"], f"{title}: the import is refused by name", answer)
        return
    params = {"snapshot": name}
    fds = []
    if place == "work":
        fds, params["work"] = [os.open(canary.name, os.O_RDONLY | os.O_DIRECTORY)], True
    record = run(client, ["/bin/look", "read", "/proc/self/mountinfo"], fds=fds, exec_params={"cwd": "/"}, **params)
    for fd in fds:
        os.close(fd)
    if record["cause"] == "refused":
        message = record["error"]["message"]
        tap.ok(kind is not None and f"/{place.split('/')[0]}" in message, f"{title}: the jail is refused by name", message)
        return
    mounts = {line.split()[4]: line.split()[line.split().index("-") + 1] for line in text(record).splitlines()}
    tap.ok(record["cause"] == "exited" and all(mounts.get(f"/{p}") == fs for p, fs in MADE.items()) and "/outside" not in mounts,
           f"{title}: the jail starts, each place where it belongs", record)


canary_was = sorted(os.listdir(canary.name))
mounts_were = open("/proc/self/mountinfo").read()
numbers = iter(range(1000))
for place in PLACES:
    for what, kind, value in KINDS:
        tap.ok(before(place, kind, value), f"without care /{place} as {what} leads somewhere else") if kind == tarfile.SYMTYPE else None
        check(place, what, kind, value, next(numbers))

# ---- files that are completed at the start of a jail
NAMES = ["etc/passwd", "etc/group", "etc/hosts"]
for name in NAMES:
    for what, kind, value in KINDS[:-1] + [("a link to the host's", tarfile.SYMTYPE, "/etc/shadow"), ("a directory", tarfile.DIRTYPE, None)]:
        number = next(numbers)
        answer = bring(client, f"root-{number}", root_of([tool("look")], [(name, kind, value, 0o755)]))
        if "error" in answer:
            tap.ok(name in answer["error"]["message"], f"/{name} is {what}: the import is refused by name", answer)
            continue
        record = run(client, ["/bin/look", "type", f"/{name}"], snapshot=f"root-{number}")
        refused = record["cause"] == "refused" and f"/{name}" in record["error"]["message"]
        left = record["cause"] == "exited" and (name == "etc/hosts" or text(record) == "file\n")
        tap.ok(refused or left, f"/{name} is {what}: refused by name, or nothing went through it", record)

tap.same(sorted(os.listdir(canary.name)), canary_was, "nothing was written through any of them")
tap.same(open("/proc/self/mountinfo").read(), mounts_were, "nothing was mounted on the host")
client.close()
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left behind")
tap.end()
