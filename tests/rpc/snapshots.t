#!/usr/bin/env -S python3 -B
"""snapshots: archives become roots that jails run from; what is wrong with one is said and leaves nothing."""
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading

from front_lib import Tap
from supervisor_lib import Supervisor, eventually, need_jails

need_jails()
tap = Tap()
supervisor = Supervisor("snap")
client = supervisor.client()
store = os.path.join(supervisor.state, "store")


def small_root():
    """A root with a shell and a few programs of this host, as a plain tar."""
    names = ["/bin/sh", "/bin/cat", "/bin/ls", "/usr/bin/id", "/bin/sleep", "/usr/bin/stat"]
    needed = set()
    for name in names:
        text = subprocess.run(["ldd", os.path.realpath(name)], capture_output=True, text=True).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", text))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "lib", "lib64", "etc", "home", "tmp", "usr", "usr/bin", "usr/lib"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name in names:
            tar.add(os.path.realpath(name), "bin/" + os.path.basename(name))
        for name in sorted(needed):
            tar.add(os.path.realpath(name), ("lib64/" if "ld-linux" in name else "lib/") + os.path.basename(name))
        info = tarfile.TarInfo("etc/motd")
        info.size, info.mode, info.uid, info.gid, info.mtime = 6, 0o644, 0, 0, 1000000000
        tar.addfile(info, io.BytesIO(b"hello\n"))
    return buffer.getvalue()


def file_of(data):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.seek(0)
    return file


def bring(name, data, **params):
    with file_of(data) as file:
        return client.call("snapshot.import", {"name": name, **params}, fds=[file.fileno()])


def archive(*entries):
    """Of (name, type, link or bytes) in order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, value in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o4755 if value == b"setuid" else 0o755
            if kind == tarfile.REGTYPE:
                info.size = len(value)
                tar.addfile(info, io.BytesIO(value))
            else:
                info.linkname = value or ""
                tar.addfile(info)
    return buffer.getvalue()


def run(argv, **params):
    answer = client.call("jail.create", {"exec": {"argv": argv}, **params})
    return answer.get("result", {}).get("command", answer)


def out(record):
    return (record.get("output") or {}).get("stdout", {}).get("text", record)


def layers():
    return sorted(os.listdir(os.path.join(store, "layers")))


root = small_root()
tap.same([s["name"] for s in client.call("snapshot.list")["result"]["snapshots"]], ["host"], "at first there is host alone")

# ---- import
answer = bring("plain", root)
result = answer.get("result", {})
tap.ok(result.get("name") == "plain" and len(result["layers"]) == 1 and result["layers"][0].startswith("sha256:")
       and result["entries"] > 10 and result["bytes"] > 100000 and result["cleaned_total"] == 0, "a plain tar", answer)
for kind, command in (("gz", ["gzip", "-1c"]), ("zst", ["zstd", "-1qc"]), ("xz", ["xz", "-0c"]), ("bz2", ["bzip2", "-1c"])):
    try:
        packed = subprocess.run(command, input=root, capture_output=True, check=True).stdout
    except OSError:
        print(f"ok {tap.run + 1} - {kind} # SKIP no {command[0]}")
        tap.run += 1
        continue
    answer = bring("by-" + kind, packed)
    tap.same(answer.get("result", answer).get("layers"), result["layers"], f"{kind}: the same layer")
tap.same(len(layers()), 1, "the same content is one layer in the store")
reader, writer = os.pipe()
thread = threading.Thread(target=lambda: (os.write(writer, b"") or open(writer, "wb").write(root)))
thread.start()
answer = client.call("snapshot.import", {"name": "piped"}, fds=[reader])
os.close(reader)
thread.join()
tap.same(answer.get("result", answer).get("layers"), result["layers"], "from a pipe")
tap.ok("error" in bring("plain", root), "a name is taken once")
answer = bring("nothing", bytes(10240))
tap.ok("no entries" in str(answer.get("error")), "an archive of nothing is refused", answer)
tap.same(len(layers()), 1, "and leaves no layer")
tap.same(client.call("snapshot.show", {"name": "plain"})["result"]["layers"], result["layers"], "snapshot.show")

# ---- jails from it
record = run(["/bin/sh", "-c", "id -u; cat /etc/motd; ls -d /usr/bin; exit 4"], snapshot="plain")
tap.ok(record.get("code") == 4 and out(record) == "1000\nhello\n/usr/bin\n", "a jail runs from it", record)
tap.ok(out(run(["/bin/stat", "-c", "%u %g %Y", "/etc/motd"], snapshot="plain")) == "0 0 1000000000\n", "owners and times as archived")
record = run(["/bin/sh", "-c", "echo changed > /etc/motd && cat /etc/motd"], snapshot="plain")
tap.ok(record.get("code") != 0, "the jail's user may not change root's files", record)
answer = client.call("jail.create", {"snapshot": "plain", "user": {"uid": 0, "gid": 0},
                                     "exec": {"argv": ["/bin/sh", "-c", "echo changed > /etc/motd && cat /etc/motd"]}})
tap.same(out(answer["result"]["command"]), "changed\n", "its root may, in its own copy")
tap.same(out(run(["/bin/cat", "/etc/motd"], snapshot="plain")), "hello\n", "and the snapshot stays")
record = run(["/bin/sh", "-c", "cat /etc/motd"], snapshot="plain", policy="strict")
tap.same(out(record), "hello\n", "strict runs it")

# ---- a hostile etc/passwd: what init's child does to read it is not counted as a command, so it has to be little
passwd = b"\n" * (1 << 19)
buffer = io.BytesIO(root)
with tarfile.open(fileobj=buffer, mode="a") as tar:
    info = tarfile.TarInfo("etc/passwd")
    info.size, info.mode = len(passwd), 0o644
    tar.addfile(info, io.BytesIO(passwd))
bring("lines", buffer.getvalue())
record = run(["/bin/sh", "-c", "id -un; cat /proc/1/stat"], snapshot="lines")
tap.same(out(record).split("\n")[0], "user", "an etc/passwd of half a million lines gets the jail's user")
ticks = sum(int(n) for n in out(record).rsplit(")", 1)[1].split()[13:15])
client.call("snapshot.remove", {"name": "lines"})
tap.ok(ticks < os.sysconf("SC_CLK_TCK"), "and is read once, not once a line", f"{ticks} ticks of init's children")

# ---- what is wrong
BAD = {
    "no archive": b"this is no archive at all, only text" * 100,
    "nothing": b"",
    "a truncated tar": root[:len(root) // 2],
    "a truncated gzip": subprocess.run(["gzip", "-1c"], input=root, capture_output=True).stdout[:5000],
}
for what, data in BAD.items():
    error = bring("bad", data).get("error", {})
    tap.ok(error.get("data", {}).get("code") == "invalid" and error.get("message"), f"{what}: refused with a sentence", error)
error = bring("bad", root, limits={"bytes": 1000}).get("error", {})
tap.ok(error.get("data", {}).get("code") == "invalid", "more bytes than allowed", error)
error = bring("bad", root, limits={"entries": 3}).get("error", {})
tap.ok(error.get("data", {}).get("code") == "invalid", "more entries than allowed", error)
tap.ok("error" in client.call("snapshot.show", {"name": "bad"}), "no name is left of those")
evil = archive(("ok", tarfile.REGTYPE, b"fine"), ("../up", tarfile.REGTYPE, b"x"), ("/abs", tarfile.REGTYPE, b"x"),
               ("null", tarfile.CHRTYPE, None), ("pipe", tarfile.FIFOTYPE, None), ("suid", tarfile.REGTYPE, b"setuid"),
               ("out", tarfile.SYMTYPE, "/etc"), ("out/through", tarfile.REGTYPE, b"x"), ("hard", tarfile.LNKTYPE, "/etc/passwd"))
answer = bring("evil", evil)
if "result" in answer:
    tap.ok(answer["result"]["cleaned_total"] >= 5 and all(c["path"] and c["text"] for c in answer["result"]["cleaned"]),
           "what may not land is cleaned and named", answer)
    layer = os.path.join(store, "layers", answer["result"]["layers"][0][7:])
    found = [(name, os.lstat(os.path.join(where, name)).st_mode) for where, dirs, files in os.walk(layer) for name in files]
    tap.ok(all(mode & 0o6000 == 0 and mode >> 12 in (0o10, 0o12) for _, mode in found), "no device, fifo or set-id bit is in the layer", found)
    client.call("snapshot.remove", {"name": "evil"})
else:
    tap.ok(answer["error"]["data"]["code"] == "invalid", "an archive that wants out is refused", answer)
    tap.ok(not os.path.exists("/through"), "and nothing of it landed")
tap.same(len(layers()), 1, "the store has the good layer alone")
tap.ok(eventually(lambda: os.listdir(os.path.join(store, "new")) == []), "and no unfinished one")

# ---- a client that goes in the middle
reader, writer = os.pipe()
quitter = supervisor.client()
quitter.send("snapshot.import", {"name": "half"}, fds=[reader])
os.close(reader)
os.write(writer, root[:4096])
quitter.close()
os.close(writer)
tap.ok(eventually(lambda: os.listdir(os.path.join(store, "new")) == []), "an import whose pipe breaks off leaves nothing")
tap.ok("error" in client.call("snapshot.show", {"name": "half"}), "no name either")

# ---- remove
answer = client.call("jail.create", {"snapshot": "plain", "keep": True})
jail = answer["result"]["jail"]
for entry in client.call("snapshot.list")["result"]["snapshots"]:
    if entry["name"] != "host":
        freed = client.call("snapshot.remove", {"name": entry["name"]}).get("result", {})
        tap.ok(freed.get("layers") == 0 and not freed.get("waiting") or freed.get("jails") == [jail], f"remove {entry['name']}", freed)
tap.same((freed.get("waiting"), freed.get("jails")), (1, [jail]), "the last one says whom its layer waits for")
tap.same(len(layers()), 1, "the layer that a jail stands on stays")
tap.same(out(client.call("jail.exec", {"jail": jail, "argv": ["/bin/cat", "/etc/motd"]})["result"]), "hello\n", "and the jail goes on")
client.call("jail.destroy", {"jail": jail})
tap.ok(eventually(lambda: layers() == []), "it goes when the jail has", layers())
tap.ok("error" in run(["/bin/sh"], snapshot="plain"), "its name is unknown now")
client.close()
tap.same(supervisor.wait(), 0, "the supervisor ends when nobody needs it")
tap.same(supervisor.leftovers(), [], "and leaves nothing")

# ---- names outlive the supervisor
supervisor.start()
client = supervisor.client()
bring("stays", root)
client.close()
supervisor.wait()
supervisor.start()
client = supervisor.client()
tap.same([s["name"] for s in client.call("snapshot.list")["result"]["snapshots"]], ["host", "stays"], "a snapshot outlives its supervisor")
tap.same(out(run(["/bin/cat", "/etc/motd"], snapshot="stays")), "hello\n", "and runs")
client.close()
supervisor.wait()
supervisor.stop()
tap.end()
