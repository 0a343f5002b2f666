#!/usr/bin/env -S python3 -B
"""images: OCI layouts and archives of docker save become snapshots: layers, deletions, and how they are run."""
import os
import tempfile

from front_lib import Tap as FrontTap
from image_lib import ARCH, INDEX, MANIFEST, Image, Tar, programs
from supervisor_lib import Supervisor, eventually, need_jails



class Tap(FrontTap):
    def same(self, got, want, what, *shown):
        return self.ok(got == want, what, (got, want, *shown))


need_jails()
tap = Tap()
supervisor = Supervisor("image")
client = supervisor.client()
store = os.path.join(supervisor.state, "store")
ROOT = programs()


def bring(name, data, **params):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return client.call("snapshot.import", {"name": name, **params}, fds=[file.fileno()])


def drop(*names):
    for name in names:
        checked = client.call("snapshot.fsck", {"name": name})
        if "result" in checked and (checked["result"]["damaged"] or checked["result"]["unchecked"]):
            tap.ok(False, f"the layers of {name} are what their names say", checked)
        client.call("snapshot.remove", {"name": name})


def run(snapshot, *argv, **params):
    exec_ = {"argv": list(argv)} if argv else {}
    exec_.update(params.pop("exec_", {}))
    answer = client.call("jail.create", {"snapshot": snapshot, "exec": exec_, **params})
    return answer.get("result", {}).get("command", answer)


def out(record):
    return (record.get("output") or {}).get("stdout", {}).get("text", record)


def stored():
    return sorted(os.listdir(os.path.join(store, "layers")))


def clean():
    return eventually(lambda: os.listdir(os.path.join(store, "new")) == [])


def tree(snapshot, where="/"):
    script = f"cd {where}; for f in * .[!.]*; do [ -e \"$f\" ] || [ -L \"$f\" ] || continue; echo $f; done"
    return sorted(out(run(snapshot, "/bin/sh", "-c", script)).split())


# ---- one image in every form is one layer in the store
one = Tar().dir("d", mode=0o775, uid=5, gid=6, mtime=7).add("d/f", b"one").bytes()
answers = {}
for packing in ("", "+gzip", "+zstd"):
    answers[packing or "plain"] = bring("l" + packing.strip("+"), Image(ROOT, one, packing=packing).layout())
answers["docker save"] = bring("docker", Image(ROOT, one).docker())
both = Image(ROOT, one)
text = both.layout(extra=lambda tar: tar.add("manifest.json", b'[{"Config":"x","RepoTags":null,"Layers":["y"]}]'))
answers["both"] = bring("both", text)
for what, answer in answers.items():
    layers = answer.get("result", {}).get("layers", [])
    tap.ok(len(layers) == 2 and layers == answers["plain"]["result"]["layers"], f"{what}: two layers, the same", answer)
tap.same(len(stored()), 2, "layers are shared by their content")
tap.ok(clean(), "nothing of the images stays")
record = run("docker", "/bin/sh", "-c", "cat /d/f; stat -c ' %a %u %g %Y' /d; ls /d")
tap.same(out(record), "one 775 5 6 7\nf\n", "a jail has both layers", record)
drop("l", "lgzip", "lzstd", "docker", "both")
tap.ok(eventually(lambda: stored() == []), "and they go with the last name")

# ---- what layers take away, whatever the order within them
base = (Tar().dir("d", mode=0o757, uid=8).add("d/a", b"a").add("d/b", b"b").dir("o").add("o/old", b"").dir("sub/x")
        .add("sub/x/1", b"").add("f", b"lower").dir("t").add("t/1", b"").link("l", "d").bytes())
CASES = [
    ("a whiteout", Tar().add("d/.wh.a").bytes(), {"d": ["b"]}),
    ("a whiteout of a directory", Tar().add(".wh.d").bytes(), {"d": []}),
    ("an opaque directory", Tar().dir("o").add("o/.wh..wh..opq").add("o/new", b"").bytes(), {"o": ["new"]}),
    ("an opaque directory, the mark last", Tar().add("o/new", b"").dir("o").add("o/.wh..wh..opq").bytes(), {"o": ["new"]}),
    ("an opaque directory that no entry names", Tar().add("o/.wh..wh..opq").bytes(), {"o": []}),
    ("a directory deleted and made again", Tar().add(".wh.o").dir("o").add("o/new").bytes(), {"o": ["new"]}),
    ("made again and then deleted, which is the same", Tar().dir("o").add("o/new").add(".wh.o").bytes(), {"o": ["new"]}),
    ("a file deleted and made again", Tar().add("d/.wh.a").add("d/a", b"x").bytes(), {"d": ["a", "b"]}),
    ("a file in place of a directory", Tar().add("t", b"file").bytes(), {}),
    ("a directory in place of a file", Tar().dir("f").add("f/in", b"").bytes(), {"f": ["in"]}),
    ("a whiteout of what is not there", Tar().add("d/.wh.none").add("nowhere/.wh.x").bytes(), {"d": ["a", "b"]}),
    ("a deep whiteout", Tar().add("sub/x/.wh.1").bytes(), {"sub/x": []}),
    ("an opaque root", Tar().add(".wh..wh..opq").add("only").bytes(), None),
    ("marks of another engine", Tar().add(".wh..wh.plnk/1").add(".wh..wh.aufs").add("d/c").bytes(), {"d": ["a", "b", "c"]}),
]
for what, layer, want in CASES:
    # programs lie on top, so that an opaque root leaves them
    answer = bring("case", Image(base, layer, ROOT).layout())
    if not tap.ok("result" in answer, f"{what}: lands", answer):
        continue
    if want is None:
        top = tree("case")
        tap.ok("only" in top and not {"d", "o", "f", "sub"} & set(top), f"{what}: hides all that was", top)
    for where, names in (want or {}).items():
        tap.same(tree("case", "/" + where) if names or where in tree("case") else [], names, f"{what}: {where}")
    client.call("snapshot.remove", {"name": "case"})
layer = Tar().add("d/c", b"c").bytes()
bring("case", Image(base, layer, ROOT).layout())
tap.same(out(run("case", "/bin/stat", "-c", "%a %u", "/d")), "757 8\n", "a directory that a layer does not name stays as below")
drop("case")
answer = bring("case", Image(ROOT, layer, Tar().add("d/.wh.c").bytes(), layer).layout())
tap.same((len(answer.get("result", {}).get("layers", [])), tree("case", "/d")), (3, ["c"]),
         "a layer that comes twice is there once, where it is uppermost", answer)
drop("case")
answer = bring("case", Image(ROOT, layer, Tar().add("d/.wh.c").bytes(), layer).docker(links=()))
tap.same(tree("case", "/d"), ["c"], "of docker save too", answer)
drop("case")
answer = bring("case", Image(ROOT, ROOT, layer).docker(links=(1,)))
tap.ok("result" in answer, "and where the second one is a link to the first, as old ones write it", answer)
drop("case")

# ---- how it is run
passwd = Tar().add("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:123:45::/app:/bin/sh\n").add("etc/group", b"web:x:77:\n").dir("app").bytes()
config = {"Env": ["PATH=/bin", "A=image", "B=b=c", "A=last", "LINES=1\n2", "nonsense"], "User": "app", "WorkingDir": "/app",
          "Entrypoint": ["/bin/sh", "-c", "id -u; id -g; pwd; echo $A $B $0 $1"], "Cmd": ["zero", "one"]}
answer = bring("app", Image(ROOT, passwd, config=config).layout())
image = client.call("snapshot.show", {"name": "app"})["result"].get("image", {})
tap.same(image, {"env": {"PATH": "/bin", "A": "last", "B": "b=c", "LINES": "1\n2"}, "cwd": "/app", "user": {"uid": 123, "gid": 45},
                 "entrypoint": config["Entrypoint"], "cmd": config["Cmd"]}, "snapshot.show has what is honoured", answer)
tap.same(out(run("app")), "123\n45\n/app\nlast b=c zero one\n", "without a command: its own, with all that it says")
tap.same(out(run("app", "/bin/sh", "-c", "id -u; pwd; echo $A")), "123\n/app\nlast\n", "a command of the caller's has user, directory and environment")
record = run("app", "/bin/sh", "-c", "id -u; pwd; echo $A:$B", user={"uid": 5, "gid": 6}, exec_={"cwd": "/tmp", "env": {"A": "mine", "B": None}})
tap.same(out(record), "5\n/tmp\nmine:\n", "what the caller says goes before", record)
jail = client.call("jail.create", {"snapshot": "app", "keep": True})["result"]["jail"]
tap.same(out(client.call("jail.exec", {"jail": jail, "argv": ["/bin/sh", "-c", "id -u; pwd; echo $A"]})["result"]), "123\n/app\nlast\n",
         "jail.exec too")
drop("app")
tap.same(out(client.call("jail.exec", {"jail": jail, "argv": ["/bin/sh", "-c", "echo $A"]})["result"]), "last\n", "also when the name is gone")
client.call("jail.destroy", {"jail": jail})
for user, want in (("web:web", None), ("app:web", "123\n77\n"), ("1234", "1234\n0\n"), ("123", "123\n45\n"), ("7:8", "7\n8\n"), ("root", "0\n0\n"),
                   ("", "1000\n1000\n")):
    answer = bring("user", Image(ROOT, passwd, config={"User": user}).layout())
    if want is None:
        tap.ok("error" in answer and "passwd" in answer["error"]["message"], f"user {user!r} is not there", answer)
    else:
        tap.same(out(run("user", "/bin/sh", "-c", "id -u; id -g")), want, f"user {user!r}", answer)
    drop("user")
answer = bring("none", Image(ROOT).layout())
tap.same(client.call("snapshot.show", {"name": "none"})["result"].get("image"), {}, "an image that says nothing has nothing", answer)
tap.ok("no command" in run("none").get("error", {}).get("message", ""), "and no command of its own", run("none"))
drop("none")

# ---- a verify knows images of the same layers apart by how they are run
SCRIPT = b'echo ok 1 - first\n[ -e skip ] && exit 0\n[ "$ALL" ] && echo ok 2 - second\nexit 0\n'
SPEC = {"warder": "verify/1", "commands": [{"run": ["/bin/sh", "run.sh"], "parse": "tap"}]}


def verify(snapshot, name):
    with tempfile.TemporaryFile() as base, tempfile.TemporaryFile() as patch:
        base.write(Tar().add("run.sh", SCRIPT).bytes())
        patch.write(f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+x\n".encode())
        base.seek(0), patch.seek(0)
        answer = client.call("verify.run", {"spec": SPEC, "snapshot": snapshot}, fds=[base.fileno(), patch.fileno()])
        return [answer.get("result", answer).get(key) for key in ("verdict", "missing")]


for name, env in (("few", []), ("all", ["ALL=1"])):
    bring(name, Image(ROOT, config={"Env": env}).layout())
tap.same(verify("few", "new"), ["passed", []], "with one image the base has one test")
tap.same(verify("all", "skip"), ["failed", ["second"]], "with another it has two, and one of them is missed")
drop("few", "all")

# ---- which one of several
image = Image(ROOT)
manifest = image.manifest()
foreign = image.put_json({"schemaVersion": 2, "config": {}, "layers": []}, MANIFEST)
inner = image.put_json(image.index({**foreign, "platform": {"os": "linux", "architecture": "s390x"}},
                                   {**foreign, "platform": {"os": "unknown", "architecture": "unknown"}},
                                   {**manifest, "platform": {"os": "linux", "architecture": ARCH}}), INDEX)
answer = bring("one", image.layout(image.index(inner)))
tap.ok("result" in answer, "of an index of many machines: this one", answer)
drop("one")
other = image.put_json({"schemaVersion": 2, "config": {}, "layers": []}, MANIFEST)
REF = "org.opencontainers.image.ref.name"
two = image.layout(image.index({**manifest, "annotations": {REF: "good"}}, {**other, "annotations": {REF: "bad"}}))
answer = bring("one", two)
tap.ok("good, bad" in answer.get("error", {}).get("message", ""), "of two images neither is taken, and both are named", answer)
tap.ok("result" in bring("one", two, image="good"), "with a name it is")
drop("one")
nameless = image.layout(image.index(manifest, other))
answer = bring("one", nameless)
tap.ok(all(one["digest"] in answer.get("error", {}).get("message", "") for one in (manifest, other)),
       "of two without a name the digests are told", answer)
answer = bring("one", nameless, image=manifest["digest"])
tap.ok("result" in answer, "and one is taken by its digest", answer)
drop("one")
tap.ok("error" in bring("one", two, image="ugly"), "a name that is not there")
tap.ok("error" in bring("one", ROOT, image="good"), "a name for what is no image")
tap.ok("result" in bring("one", Image(ROOT).docker(tags=("a:1", "b:2")), image="b:2"), "of docker save by its tag")
drop("one")
tap.ok(eventually(lambda: stored() == []) and clean(), "nothing stays of all of them", stored())
client.close()
tap.same(supervisor.wait(), 0, "the supervisor ends when nobody needs it")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
tap.end()
