#!/usr/bin/env -S python3 -B
"""image-peers: what other programs for images make of an exported snapshot, and what comes back of it: the same tree."""
import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile

from front_lib import Tap
from states_lib import root_tar
from supervisor_lib import Supervisor, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("peers")
client = supervisor.client()
client.sock.settimeout(120)
place = tempfile.mkdtemp(prefix="warder-peers-")
CHANGE = ("set -e; mkdir -p /srv/dir/below /srv/old; echo one >/srv/dir/below/file; ln /srv/dir/below/file /srv/second; ln -s dir /srv/link;"
          " chmod 2755 /srv/dir; echo x >/srv/old/x; mkdir /srv/theirs; chmod 1777 /srv/theirs;"
          " head -c 3000000 /dev/zero >/srv/zeros; touch -d @981173106 /srv/second")
LATER = "set -e; rm -r /srv/old /srv/zeros; mkdir /srv/old; echo y >/srv/old/y; rm /srv/link; mkdir /srv/link; echo z >/srv/link/z; echo two >>/srv/second"


def ask(method, **params):
    answer = client.call(method, params)
    if "error" in answer:
        raise SystemExit(f"Bail out! {method}: {answer['error']}")
    return answer["result"]


def bring(name, path):
    with open(path, "rb") as file:
        return client.call("snapshot.import", {"name": name}, fds=[file.fileno()])


def export(name, form):
    path = os.path.join(place, f"{name}.{form}")
    with open(path, "w+b") as file:
        answer = client.call("snapshot.export", {"name": name, "format": form}, fds=[file.fileno()])
    tap.ok("result" in answer, f"{name} is exported as {form}", answer)
    return path


def same_bytes(one, other):
    with open(one, "rb") as a, open(other, "rb") as b:
        return hashlib.file_digest(a, "sha256").digest() == hashlib.file_digest(b, "sha256").digest()


def save(snapshot, name, text):
    jail = ask("jail.create", snapshot=snapshot, keep=True)["jail"]
    record = ask("jail.exec", jail=jail, argv=["sh", "-c", text], user={"uid": 0, "gid": 0})
    tap.same(record.get("code"), 0, f"{name} is made in a jail")
    record = ask("jail.exec", jail=jail, argv=["sh", "-c", f"echo mine >/srv/theirs/{name}; chmod 640 /srv/theirs/{name}"],
                 user={"uid": 1000, "gid": 7})
    tap.same(record.get("code"), 0, "by two users")
    ask("jail.save", jail=jail, name=name)
    ask("jail.destroy", jail=jail)


def tree(top):
    """Every entry: kind, mode, owner, time, target, digest; hard links by their first name. Directories that other programs
    add or touch when they begin (the top) are left out."""
    found, first = {}, {}
    for where, dirs, files in sorted(os.walk(top)):
        for name in sorted(dirs + files):
            path = os.path.join(where, name)
            st, below = os.lstat(path), os.path.relpath(path, top)
            entry = [stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode) if not stat.S_ISLNK(st.st_mode) else 0, st.st_uid, st.st_gid,
                     int(st.st_mtime)]
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as file:
                    entry += [hashlib.file_digest(file, "sha256").hexdigest(), first.setdefault(st.st_ino, below)]
            elif stat.S_ISLNK(st.st_mode):
                entry.append(os.readlink(path))
            found[below] = entry
    return found


def differ(got, want):
    return [(name, got.get(name), want.get(name)) for name in sorted(got.keys() | want.keys()) if got.get(name) != want.get(name)][:3]


def run(*words):
    ran = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "TMPDIR": place})
    return tap.ok(ran.returncode == 0, " ".join(os.path.basename(word) for word in words[:9] if place not in word), ran.stderr[-400:])


def comes_back(what, path):
    """An archive that another program made of ours is imported, and is the same tree."""
    name = "back-" + what
    answer = bring(name, path)
    if tap.ok("result" in answer, f"what {what} writes is imported", answer):
        tap.ok(same_bytes(export(name, "tar"), plain), f"{what}: and is the same tree, byte by byte of its archive")


def here(program):
    if not shutil.which(program):
        tap.ok(True, f"{program} # SKIP it is not here")
    return shutil.which(program)


with open(os.path.join(place, "root.tar"), "wb") as file:
    file.write(root_tar())
tap.ok("result" in bring("base", os.path.join(place, "root.tar")), "a root is imported")
save("base", "one", CHANGE)
save("one", "two", LATER)
plain, image = export("two", "tar"), export("two", "oci")
with tarfile.open(plain) as tar:
    members = {member.name: member for member in tar}
tap.ok("srv/old/y" in members and "srv/old/x" not in members and "srv/zeros" not in members and members["srv/link"].isdir()
       and (members["srv/theirs/one"].uid, members["srv/theirs/one"].gid) == (1000, 7), "it has all that and nothing that is gone",
       sorted(members)[-12:])
want = os.path.join(place, "want")
os.mkdir(want)
run("tar", "--same-owner", "-C", want, "-xpf", plain)
layout = os.path.join(place, "layout")

if here("skopeo"):
    run("skopeo", "inspect", f"oci-archive:{image}")
    docker = os.path.join(place, "docker.tar")
    if run("skopeo", "copy", f"oci-archive:{image}", f"docker-archive:{docker}:peers:latest"):
        comes_back("skopeo", docker)
    if run("skopeo", "copy", "--dest-compress", f"oci-archive:{image}", f"oci:{layout}:latest"):
        packed = os.path.join(place, "layout.tar")
        run("tar", "-C", layout, "-cf", packed, ".")
        comes_back("skopeo-gzip", packed)

if here("umoci"):
    if not os.path.isdir(layout):
        os.mkdir(layout)
        run("tar", "-C", layout, "-xf", image)
    with open(os.path.join(layout, "index.json")) as file:
        tag = "latest" if '"latest"' in file.read() else "two"
    bundle = os.path.join(place, "bundle")
    if run("umoci", "unpack", "--image", f"{layout}:{tag}", bundle):
        tap.same(differ(tree(os.path.join(bundle, "rootfs")), tree(want)), [], "umoci: the same tree")

if here("podman"):
    podman = ["podman", "--root", os.path.join(place, "root"), "--runroot", os.path.join(place, "run"), "--storage-driver", "vfs"]
    ran = subprocess.run([*podman, "load", "-i", image], capture_output=True, text=True, env={**os.environ, "TMPDIR": place})
    if tap.ok(ran.returncode == 0, "podman loads it", ran.stderr[-400:]):
        name = ran.stdout.strip().split()[-1]
        for form in "docker-archive", "oci-archive":
            saved = os.path.join(place, form)
            if run(*podman, "save", "--format", form, "-o", saved, name):
                comes_back("podman-" + form, saved)
shutil.rmtree(place, ignore_errors=True)
supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left")
tap.end()
