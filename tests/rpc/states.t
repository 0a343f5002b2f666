#!/usr/bin/env -S python3 -B
"""states: what a jail has become: its changes as paths, a snapshot of it, jails like it, and a snapshot as an archive."""
import io
import json
import os
import socket
import stat
import subprocess
import tarfile
import tempfile

from front_lib import Closed, Tap, client_as, recv_with_fds  # noqa: F401
from states_lib import CHANGE, root_tar
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("states")
STORE = os.path.join(supervisor.state, "store")
client = supervisor.client()
client.sock.settimeout(120)


def layers(kind="layers"):
    return sorted(os.listdir(os.path.join(STORE, kind)))


def result(answer):
    return answer.get("result", {})


def code(answer):
    return answer.get("error", {}).get("data", {}).get("code")


def create(who=client, **params):
    return result(who.call("jail.create", {"keep": True, **params})).get("jail")


def sh(jail, text, uid=0, who=client):
    record = result(who.call("jail.exec", {"jail": jail, "argv": ["sh", "-c", text], "user": {"uid": uid, "gid": uid},
                                           "stdio": ["null", "capture", "capture"]}))
    return record


def attribute(snapshot, path):
    """user.note of a file in the topmost layer of a snapshot that was just made."""
    try:
        return os.getxattr(os.path.join(STORE, "layers", snapshot["layers"][0].split(":")[1], path), "user.note")
    except OSError:
        return None


def can_have_attributes(*places):
    for place in places:
        with tempfile.NamedTemporaryFile(dir=place) as file:
            try:
                os.setxattr(file.name, "user.note", b"x")
            except OSError:
                return False
    return True


def said(jail, text, uid=0):
    return sh(jail, text, uid)["output"]["stdout"]["text"]


def changes(jail):
    with tempfile.TemporaryFile() as out:
        answer = client.call("jail.diff", {"jail": jail}, fds=[out.fileno()])
        out.seek(0)
        return answer, [json.loads(line) for line in out.read().splitlines()]


def import_tar(name, data, **params):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return client.call("snapshot.import", {"name": name, **params}, fds=[file.fileno()])


def export(name, form, **params):
    with tempfile.TemporaryFile() as file:
        answer = client.call("snapshot.export", {"name": name, "format": form, **params}, fds=[file.fileno()])
        file.seek(0)
        return answer, file.read()


answer = import_tar("base", root_tar())
tap.ok("result" in answer, "a root is imported", answer)
base_layers = result(answer).get("layers")

# --- paths
jail = create(snapshot="base")
record = sh(jail, CHANGE)
tap.same((record.get("cause"), record.get("code")), ("exited", 0), "a command changes a jail's root")
answer, lines = changes(jail)
found = {line["path"]: line for line in lines if line["path"].startswith("/srv/")}
tap.ok("result" in answer, "jail.diff tells paths", answer)
brief = {path[5:]: (line["change"], line["kind"]) for path, line in found.items()}
tap.same(brief.pop("b\ufffdd", None), ("A", "file"), "a name that is no UTF-8 is told")
tap.same(found.get("/srv/b\ufffdd", {}).get("path_hex"), b"/srv/b\xffd".hex(), "and whole, in hex")
tap.same(brief, {
    "added": ("A", "file"), "plain": ("M", "file"), "other": ("D", "file"), "gone": ("D", "directory"),
    "dir": ("M", "link"), "again/both": ("M", "file"), "again/new": ("A", "file"), "again/old": ("D", "file"),
    "made": ("A", "directory"), "made/below": ("A", "directory"), "made/below/file": ("A", "file"),
    "made/second": ("A", "file"), "made/link": ("A", "link"), "sparse": ("A", "file"), "two\nlines": ("A", "file"),
    "setid": ("A", "file"),
}, "each with what it is: a directory that went away is one line, one made again tells what it has no more")
tap.same(found.get("/srv/dir", {}).get("was"), "directory", "a directory that became a link says what it was")
tap.same(found.get("/srv/sparse", {}).get("size"), 32 << 20, "a file with holes has its size")
tap.same(found.get("/srv/made/below/file", {}).get("mode"), 0o750, "and modes are told")
counts = result(answer)
tap.same([counts.get("added"), counts.get("modified"), counts.get("deleted")],
         [sum(line["change"] == letter for line in lines) for letter in "AMD"], "the answer counts the lines")
tap.ok(not any(line["path"] in ("/dev", "/proc", "/run", "/tmp") for line in lines), "what is mounted on is not told")
many = create(snapshot="base")
record = sh(many, "mkdir /srv/many && cd /srv/many && seq 1 20000 | xargs touch && truncate -s 4G /srv/sparse")
tap.same(record.get("code"), 0, "a command makes many files")
answer, lines = changes(many)
tap.same(sum(line["path"].startswith("/srv/many/") for line in lines), 20000, "each of many files has its line")
tap.same([line["size"] for line in lines if line["path"] == "/srv/sparse"], [4 << 30], "and a file of holes, read by nobody")
sh(many, "chmod 700 /srv/dir; echo x >>/srv/dir/deep/g")
answer, lines = changes(many)
tap.same({line["path"]: line["change"] for line in lines if line["path"].startswith("/srv/dir")},
         {"/srv/dir": "M", "/srv/dir/deep/g": "M"}, "a directory is modified by its mode, not by what is in it")
client.call("jail.destroy", {"jail": many})
host = create()
sh(host, "echo x >/home/user/x", uid=1000)
sh(host, "rm -r /var/tmp")
answer, lines = changes(host)
tap.same({line["path"]: line["change"] for line in lines}, {"/home/user/x": "A", "/var/tmp": "D"},
         "a jail on the host's root tells its own changes")
ours, theirs = socket.socketpair()
tap.same(code(client.call("jail.diff", {"jail": jail}, fds=[ours.fileno()])), "invalid", "no socket is written to")
tap.same(code(client.call("jail.diff", {"jail": jail})), "invalid", "paths need a descriptor")
tap.same(code(client.call("jail.diff", {"jail": "j-aaaaaaaaaa", "format": "patch"})), "not_found", "no such jail")
reader, writer = os.pipe()
os.close(reader)
tap.ok("error" in client.call("jail.diff", {"jail": jail}, fds=[writer]), "a reader that has gone is an error, and no more")
os.close(writer)

# --- save
before = layers()
answer = client.call("jail.save", {"jail": jail, "name": "saved"})
tap.ok("result" in answer, "a jail is saved", answer)
tap.same(result(answer).get("layers", [])[1:], base_layers, "the snapshot stands on the jail's own layers")
tap.same(len(layers()), len(before) + 1, "the store has one layer more")
tap.ok(result(answer).get("layer_entries", 999) < 40, "with what changed and nothing else", answer)
tap.ok(any(note.get("rule") == "set-id" for note in result(answer).get("cleaned", [])), "set-id bits are taken off, with a note")
tap.same([note["path"] for note in result(answer)["cleaned"] if note["rule"] == "name-bytes"], ["srv/two\nlines"],
         "a name with control bytes is left out, with a note")
tap.same(sh(jail, "echo on >/srv/on").get("code"), 0, "the jail runs on")
copy = create(snapshot="saved")
LOOK = """cd /srv; ls -A | cat; cat plain added again/both; readlink dir made/link 2>/dev/null || ls -l dir made/link;
stat -c '%n %a %h %y %u' made made/below/file made/second setid sparse; ls -A again"""
tap.same(said(copy, LOOK), said(jail, "cd /srv; rm on two*; " + LOOK).replace("setid 4755", "setid 755"),
         "a jail on the snapshot has the same files, modes, links and times")
tap.same(code(client.call("jail.save", {"jail": jail, "name": "saved"})), "exists", "a name that is taken is refused")
for bad in "a/b", "../x", "a\nb", "host", "Upper", "x\x1b[31m":
    tap.ok(code(client.call("jail.save", {"jail": jail, "name": bad})) in ("invalid", "exists"), f"no name: {bad!r}")
tap.same(code(client.call("jail.save", {"jail": host, "name": "onhost"})), "unsupported", "the host's root cannot be saved")
tap.same(len(layers()), len(before) + 1, "what was refused left nothing")
tap.same(layers("new"), [], "nothing unfinished either")
noted = io.BytesIO(root_tar())  # and a file with an attribute
with tarfile.open(fileobj=noted, mode="a", format=tarfile.PAX_FORMAT) as tar:
    member = tarfile.TarInfo("srv/noted")
    member.pax_headers = {"SCHILY.xattr.user.note": "a value"}
    tar.addfile(member)
base = attribute(result(import_tar("noted", noted.getvalue())), "srv/noted")
below = create(snapshot="noted")
sh(below, "echo more >>/srv/noted")
answer = client.call("jail.save", {"jail": below, "name": "noted-more"})
if can_have_attributes("/dev/shm", supervisor.state):  # files of a jail lie in memory
    tap.same((base, attribute(result(answer), "srv/noted")), (b"a value", b"a value"), "attributes of users are imported, and kept")
else:
    tap.ok(True, "attributes of users are kept # SKIP no user attributes on this host's file systems")
client.call("jail.destroy", {"jail": below})
again = client.call("jail.save", {"jail": copy, "name": "again"})
tap.same(len(result(again).get("layers", [])), 3, "what stands on a saved one is saved too")

# --- export
answer, tree = export("saved", "tar")
tap.ok("result" in answer, "a snapshot is exported as tar", answer)
tap.same(result(answer).get("bytes"), len(tree), "with the bytes that it says")
tap.same(export("saved", "tar")[1] == tree, True, "twice the same is the same archive")
with tarfile.open(fileobj=io.BytesIO(tree)) as tar:
    members = {member.name: member for member in tar}
tap.ok(not any(".wh." in name or name.startswith("srv/gone") for name in members), "it has no whiteout, and nothing that is gone")
tap.ok(members["srv/dir"].issym() and members["srv/made/second"].islnk(), "links of both kinds are links")
tap.same(float(members["srv/made/below/file"].pax_headers.get("mtime", 0)), 981173106.123456789, "times have nanoseconds")
answer = import_tar("flat", tree)
tap.same(len(result(answer).get("layers", [])), 1, "it is imported, as one layer")
tap.same(result(answer).get("cleaned"), [], "of which nothing had to be cleaned")
tap.same(export("flat", "tar")[1] == tree, True, "and exported again it is the same archive")
with tempfile.TemporaryDirectory() as place:
    with open(os.path.join(place, "x.tar"), "wb") as file:
        file.write(tree)
    for program in "tar", "bsdtar":
        where = os.path.join(place, program)
        os.mkdir(where)
        try:
            ran = subprocess.run([program, "-C", where, "-xf", os.path.join(place, "x.tar")], capture_output=True, text=True)
        except FileNotFoundError:
            tap.ok(True, f"{program} unpacks it # SKIP it is not here")
            continue
        tap.ok(ran.returncode == 0 and not ran.stderr, f"{program} unpacks it", ran.stderr)
        st = os.lstat(os.path.join(where, "srv/made/below/file"))
        tap.same((stat.S_IMODE(st.st_mode), st.st_nlink, st.st_mtime_ns), (0o750, 2, 981173106123456789), "as it was")
        tap.ok(os.path.exists(os.path.join(where.encode(), b"srv/b\xffd")), "odd names too")
        subprocess.run(["rm", "-rf", where])
answer, image = export("again", "oci")
tap.ok("result" in answer, "a snapshot is exported as an image", answer)
tap.same(export("again", "oci")[1] == image, True, "twice the same is the same image")
back = import_tar("back", image)
tap.same(result(back).get("layers"), result(again).get("layers"), "imported again it has the same layers")
tap.same(result(back).get("cleaned"), [], "nothing had to be cleaned")
with tempfile.TemporaryDirectory() as place:
    with open(os.path.join(place, "image.tar"), "wb") as file:
        file.write(image)
    for words in (["skopeo", "inspect", f"oci-archive:{place}/image.tar"],
                  ["podman", "--root", f"{place}/root", "--runroot", f"{place}/run", "--storage-driver", "vfs", "load", "-i",
                   f"{place}/image.tar"]):
        try:
            ran = subprocess.run(words, capture_output=True, text=True)
            tap.ok(ran.returncode == 0, f"{words[0]} takes it", ran.stderr)
        except FileNotFoundError:
            tap.ok(True, f"{words[0]} takes it # SKIP it is not here")
tap.ok(export("base", "tar", owner_uid=0)[1] == export("base", "tar")[1] != b"", "whose it is may be said")
tap.same(code(export("base", "tar", owner_uid=60001)[0]), "not_found", "that user has none of that name")
tap.same(code(client.call("snapshot.export", {"name": "none"}, fds=[theirs.fileno()])), "invalid", "no socket is exported to")
with tempfile.TemporaryFile() as out:
    tap.same(code(client.call("snapshot.export", {"name": "none"}, fds=[out.fileno()])), "not_found", "no such snapshot")
    tap.same(code(client.call("snapshot.export", {"name": "host"}, fds=[out.fileno()])), "unsupported", "the host's root is none")
reader, writer = os.pipe()
leaver = supervisor.client()
leaver.send("snapshot.export", {"name": "saved"}, fds=[writer])
os.close(writer)
tap.ok(os.read(reader, 512), "an archive begins to come")
leaver.close()
os.close(reader)
tap.same(code(client.call("snapshot.remove", {"name": "back"})), None, "whose client and reader go away")
checked = result(client.call("snapshot.fsck"))
tap.same((checked["damaged"], checked["unchecked"]), ([], []), "all layers that were saved are what their names say")

# --- fork
before = layers()
sh(jail, "sleep 1000 & echo state >/srv/state", uid=0)
answer = client.call("jail.fork", {"jail": jail, "n": 3, "keep": True})
forks = result(answer).get("jails", [])
tap.same(len(set(forks)), 3, "a jail is forked")
tap.same(len(layers()), len(before) + 1, "all of them share one layer")
tap.ok(any(note["rule"] == "set-id" for note in result(answer)["cleaned"]), "what a layer does not hold is told")
tap.same([said(fork, "cat /srv/state /srv/plain") for fork in forks], ["state\nbase plain\nmore\n"] * 3, "each has its files")
for number, fork in enumerate(forks):
    sh(fork, f"echo {number} >/srv/state")
tap.same([said(fork, "cat /srv/state") for fork in [jail, *forks]], ["state\n", "0\n", "1\n", "2\n"], "and its own from then on")
answer, lines = changes(forks[0])
tap.same([line["path"] for line in lines], ["/srv/state"], "a fork's changes are those since")
second = result(client.call("jail.fork", {"jail": forks[2], "keep": True})).get("jails", [None])[0]
tap.same(said(second, "cat /srv/state"), "2\n", "a fork is forked")
for fork in forks[:2]:
    client.call("jail.destroy", {"jail": fork})
tap.same(said(forks[2], "cat /srv/state"), "2\n", "who is left keeps its layer")
client.call("jail.destroy", {"jail": forks[2]})
tap.same(said(second, "cat /srv/state /srv/plain"), "2\nbase plain\nmore\n", "also where the one that it was made from has ended")
client.call("jail.destroy", {"jail": second})
tap.ok(eventually(lambda: layers() == before, 60), "with the last of them the layers go", layers(), before)
short = supervisor.client()
short.sock.settimeout(120)
ones = result(short.call("jail.fork", {"jail": jail, "n": 2})).get("jails", [])
tap.same(len(ones), 2, "without keep they are the connection's")
short.close()
tap.ok(eventually(lambda: len(result(client.call("jail.list"))["jails"]) == 3, 60), "and end with it")
tap.ok(eventually(lambda: layers() == before, 60), "layers and all")
tap.ok("error" in client.call("jail.fork", {"jail": jail, "n": 65}), "there is a most")
tap.same(said(jail, "echo still here"), "still here\n", "what was forked runs on")
gone = supervisor.client()
gone.send("jail.fork", {"jail": jail, "n": 8})
gone.close()
tap.ok(eventually(lambda: len(result(client.call("jail.list"))["jails"]) == 3 and layers() == before, 60),
       "of a client that goes away midway nothing is left")
tap.same(said(jail, "echo still here"), "still here\n", "and the jail stands still no more")

# --- commands that write all the time stand still while their files are read
writer = supervisor.client()
PAIRS = "i=0; while :; do i=$((i+1)); echo $i >/srv/first; echo $i >/srv/second; done"
writer.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", PAIRS], "user": {"uid": 0, "gid": 0}})
tap.ok(eventually(lambda: said(jail, "cat /srv/second") not in ("", "\n"), 60), "a command writes two files, one after the other")
torn = []
for number in range(6):
    fork = result(client.call("jail.fork", {"jail": jail, "keep": True}))["jails"][0]
    first, second = said(fork, "cat /srv/first").strip(), said(fork, "cat /srv/second").strip()
    client.call("jail.destroy", {"jail": fork})
    if first and second and not (first.isdigit() and second.isdigit() and int(first) - int(second) in (0, 1)):
        torn.append((first, second))
tap.same(torn, [], "each fork has both as they were at one moment")
writer.close()
SIZE = 24 << 20
sh(jail, f"for c in a b; do head -c {SIZE} /dev/zero | tr '\\0' $c >/tmp/$c; done; rm -f /srv/first /srv/second /srv/sparse")
writer = supervisor.client()
WHOLE = f"while :; do for c in a b; do dd if=/tmp/$c of=/srv/whole bs={SIZE} count=1 conv=notrunc 2>/dev/null; done; done"
writer.send("jail.exec", {"jail": jail, "argv": ["sh", "-c", WHOLE], "user": {"uid": 0, "gid": 0}})
tap.ok(eventually(lambda: said(jail, "wc -c </srv/whole").strip() == str(SIZE), 60), "another one writes much in one call")
torn = []
for number in range(6):
    fork = result(client.call("jail.fork", {"jail": jail, "keep": True}))["jails"][0]
    count = said(fork, "tr -d a </srv/whole | wc -c").strip()
    client.call("jail.destroy", {"jail": fork})
    if count not in ("0", str(SIZE)):
        torn.append(count)
tap.same(torn, [], "no fork has half of a call")
writer.close()

supervisor.stop()
tap.same(supervisor.leftovers(), [], "nothing is left")
tap.end()
