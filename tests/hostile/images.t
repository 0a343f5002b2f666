#!/usr/bin/env -S python3 -B
"""images: a table of container images that lie, against snapshot.import of a real supervisor.

First a reader that trusts what it reads shows that the classics work. Then each row: what is refused names its
rule, and leaves no layer, no half of one, no image and no name; the surroundings stay as they were.
"""
import bz2
import gzip
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../rpc"), HERE]
from front_lib import Tap  # noqa: E402
from hostile_archives import gz_bomb  # noqa: E402
from image_lib import CONFIG, INDEX, LAYER, MANIFEST, Image, Tar, sha  # noqa: E402
from supervisor_lib import Supervisor, eventually, need_jails  # noqa: E402

need_jails()
tap = Tap()
scratch = tempfile.mkdtemp(prefix="warder-images-")
outside = os.path.join(scratch, "outside")


def set_up():
    shutil.rmtree(outside, ignore_errors=True)
    os.makedirs(outside + "/dir")
    for name in ("secret", "dir/file"):
        with open(os.path.join(outside, name), "w") as file:
            file.write("GOT")


def surroundings():
    rows = []
    for at, dirs, files in os.walk(outside):
        dirs.sort()
        for name in sorted(files):
            st = os.lstat(os.path.join(at, name))
            rows.append((at, name, st.st_mode, st.st_mtime_ns, open(os.path.join(at, name)).read()))
    return rows, sorted(os.listdir("/etc")), os.stat("/etc/passwd").st_mtime_ns


# ---- outside: a reader that trusts
def trusting(data):
    """Unpacks an image as one would write it in an hour. Returns: the root it made."""
    where = tempfile.mkdtemp(dir=scratch)
    image, root = where + "/image", where + "/a/b/root"
    os.mkdir(image)
    os.makedirs(root)
    trust = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(image, **trust)
    if os.path.exists(image + "/manifest.json"):
        paths = [os.path.join(image, path) for path in json.load(open(image + "/manifest.json"))[0]["Layers"]]
    else:
        index = json.load(open(image + "/index.json"))
        blob = [image + "/blobs/" + index["manifests"][0]["digest"].replace(":", "/")]
        paths = [image + "/blobs/" + layer["digest"].replace(":", "/") for layer in json.load(open(blob[0]))["layers"]]
    for path in paths:
        with tarfile.open(path) as tar:
            for entry in tar:
                leaf, parent = os.path.basename(entry.name), os.path.join(root, os.path.dirname(entry.name))
                if leaf == ".wh..wh..opq":
                    shutil.rmtree(os.path.realpath(parent))
                elif leaf.startswith(".wh."):
                    gone = os.path.join(parent, leaf[4:])
                    shutil.rmtree(gone) if os.path.isdir(gone) else os.unlink(gone)
                else:
                    tar.extract(entry, root, **trust)
    return root


one = Tar().dir("d").add("d/f", b"one").bytes()
link = Tar().link("l", outside).bytes()


def said(image, digest=None, **fields):
    """A layout whose manifest says of its last layer what is not so."""
    image.layers[-1] = {**image.layers[-1], **fields}
    return image.layout()


def opaque_out():
    return Image(link, Tar().add("l/dir/.wh..wh..opq").bytes()).layout()


def elsewhere(path):
    """An archive of docker save whose layer lies at a path of its choice."""
    return Image(one).docker(Layers=[path])


secret = Tar().add("stolen", b"GOT").bytes()
with_dir = Tar().dir("d").add("d/x").bytes()
set_up()
trusting(Image(link, Tar().add("l/.wh.secret").bytes()).layout())
tap.ok(not os.path.exists(outside + "/secret"), "outside it works: a whiteout through a link deletes")
set_up()
trusting(opaque_out())
tap.ok(not os.path.exists(outside + "/dir"), "outside it works: an opaque directory through a link deletes")
os.mkdir(scratch + "/victim")
os.makedirs(scratch + "/victim/root")
try:
    shutil.rmtree(os.path.join(scratch, "victim/root", ".wh..."[4:]))
except FileNotFoundError:
    pass  # its own place has gone too
tap.ok(not os.path.exists(scratch + "/victim/root"), "outside it works: a whiteout of .. deletes what is above")
set_up()
with open(outside + "/layer.tar", "wb") as file:
    file.write(secret)
tap.ok(open(trusting(elsewhere(outside + "/layer.tar")) + "/stolen").read() == "GOT", "outside it works: a layer's path leads out")
image = Image(one)
data = image.layout(without=[image.layers[0]["digest"]],
                    extra=lambda tar: tar.link("blobs/sha256/" + image.layers[0]["digest"][7:], outside + "/layer.tar"))
tap.ok(open(trusting(data) + "/stolen").read() == "GOT", "outside it works: a blob is a link that leads out")
image = Image(one)
data = image.layout(without=[image.layers[0]["digest"]], extra=lambda tar: tar.add("blobs/sha256/" + image.layers[0]["digest"][7:], secret))
tap.ok(open(trusting(data) + "/stolen").read() == "GOT", "outside it works: another blob than its digest says")
os.unlink(outside + "/layer.tar")


# ---- the table: name, bytes, rule (None: it lands), limits
def config_of(**config):
    return Image(one, config=config).layout()


def env_bomb():
    return config_of(Env=[f"V{i}=x" for i in range(10000)])


def index_loop(depth):
    """An index in an index in an index …, which each name the next by its true digest."""
    image = Image(one)
    inner = image.manifest()
    for _ in range(depth):
        inner = image.put_json(image.index(inner), INDEX)
    return image.layout(image.index(inner))


def self_index():
    """No true digest can make an index that names itself: a false one tries."""
    image = Image(one)
    false = {"mediaType": INDEX, "digest": "sha256:" + "1" * 64, "size": 10}
    text = json.dumps(image.index(false)).encode()
    return image.layout(image.index(false), extra=lambda tar: tar.add("blobs/sha256/" + "1" * 64, text))


def without_layer(kind=None):
    image = Image(one)
    digest = image.layers[0]["digest"]
    add = {None: lambda tar: tar,
           "link": lambda tar: tar.link("blobs/sha256/" + digest[7:], "../../index.json"),
           "link out": lambda tar: tar.link("blobs/sha256/" + digest[7:], outside + "/secret"),
           "device": lambda tar: tar.add("blobs/sha256/" + digest[7:], type=tarfile.CHRTYPE, devmajor=1, devminor=5),
           "fifo": lambda tar: tar.add("blobs/sha256/" + digest[7:], type=tarfile.FIFOTYPE),
           "directory": lambda tar: tar.dir("blobs/sha256/" + digest[7:]),
           "another": lambda tar: tar.add("blobs/sha256/" + digest[7:], gzip.compress(secret))}[kind]
    return image.layout(without=[digest], extra=add)


def behind_link():
    """All blobs lie behind a link within the image."""
    image = Image(one)
    text = json.dumps(image.index()).encode()
    tar = Tar().add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}').add("index.json", text)
    for digest, data in image.blobs.items():
        tar.add("real/" + digest[7:], data)
    return tar.dir("blobs").link("blobs/sha256", "../real").bytes()


def raw_index(text):
    return Image(one).layout(text)


def manifest_of(**fields):
    image = Image(one)
    return image.layout(image.index(image.manifest(**fields)))


def descriptor(**fields):
    image = Image(one)
    return image.layout(image.index({**image.manifest(), **fields}))


def config_lies(**fields):
    return Image(one, config_fields=fields).layout()


def compressed(pack, media="+gzip"):
    """A blob that is packed in another way than its media type says; its digests are true."""
    image = Image(one)
    image.layers = [image.put(pack(one), LAYER + media)]
    return image.layout()


def one_bomb():
    """Its digests are what they must be: nobody counts up to them."""
    image = Image(one)
    image.layers = [image.put(gz_bomb(448 << 20), LAYER + "+gzip")]
    return image.layout()


def bombs(n, size=128 << 20):
    """Layers of which each is harmless, and all together are not: runs of zeroes that pack to nothing."""
    tars = [Tar().add(f"f{i}", bytes(size)).bytes() for i in range(n)]
    return Image(*tars).layout()


def over(name, layer, base=None, rule="through-link"):
    return (name, Image(base or link, layer).layout(), rule)


whole = Image(one).layout()
big_text = json.dumps({"schemaVersion": 2, "manifests": [], "x": "x" * (1 << 20)}).encode()
ROWS = [
    # digests and sizes
    ("a layer that is another than its digest says", without_layer("another"), "digest"),
    ("a layer of another size, larger", said(Image(one), size=1 << 40), "digest"),
    ("a layer of another size, smaller", said(Image(one), size=5), "digest"),
    ("a layer of no size", said(Image(one), size=0), "digest"),
    ("a layer of a negative size", said(Image(one), size=-1), "image"),
    ("a layer whose size is a text", said(Image(one), size="10"), "image"),
    ("a manifest of another size", descriptor(size=3), "digest"),
    ("a manifest that is larger than a text may be", descriptor(size=1 << 30), "image"),
    ("a diff_id that is not the layer's", config_lies(rootfs={"type": "layers", "diff_ids": [sha(b"x")]}), "digest"),
    ("a diff_id of the packed layer", config_lies(rootfs={"type": "layers", "diff_ids": [Image(one).layers[0]["digest"]]}), "digest"),
    ("more diff_ids than layers", config_lies(rootfs={"type": "layers", "diff_ids": [sha(one)] * 2}), "image"),
    ("no diff_ids", config_lies(rootfs={"type": "layers", "diff_ids": []}), "image"),
    ("another digest's algorithm", descriptor(digest="sha512:" + "a" * 128), "image"),
    ("a digest that is a path", descriptor(digest="sha256:../../../../etc/passwd"), "image"),
    ("a digest in capitals", descriptor(digest="sha256:" + "A" * 64), "image"),
    ("a digest with a slash", descriptor(digest="sha256:" + "/" + "a" * 63), "image"),
    # blobs that are none
    ("a missing layer", without_layer(), "not-there"),
    ("a layer that is a link in the image", without_layer("link"), "through-link"),
    ("a layer that is a link that leads out", without_layer("link out"), "through-link"),
    ("a layer that is a device", without_layer("device"), "not-there"),
    ("a layer that is a fifo", without_layer("fifo"), "not-there"),
    ("a layer that is a directory", without_layer("directory"), "special-file"),
    ("blobs behind a link", behind_link(), "through-link"),
    ("a missing manifest", Image(one).layout(without=[Image(one).manifest()["digest"]]), "not-there"),
    ("a layer's path that is absolute", elsewhere("/etc/passwd"), "name-absolute"),
    ("a layer's path that leads out", elsewhere("../../../../etc/passwd"), "name-dotdot"),
    ("a layer's path that is the image's own text", elsewhere("manifest.json"), "format"),
    ("a layer's path of nothing", elsewhere(""), "image"),
    ("a layer's path with a control byte", elsewhere("a\x1b[31mb"), "name-bytes"),
    ("a layer's path that looks like an option", elsewhere("--root=/"), "not-there"),
    ("a configuration's path that leads out", Image(one).docker(Config="../../../etc/passwd"), "name-dotdot"),
    ("a configuration that is another than its name says",
     Image(one).docker(Config="0" * 64 + ".json"), "not-there"),
    # texts
    ("an index that is no JSON", raw_index(b"not json"), "image"),
    ("an index that is empty", raw_index(b""), "image"),
    ("an index that is a number", raw_index(b"5"), "image"),
    ("an index without images", raw_index(b'{"schemaVersion":2,"manifests":[]}'), "image"),
    ("an index of another version", raw_index(b'{"schemaVersion":1,"manifests":[{}]}'), "image"),
    ("an index with one name twice", raw_index(b'{"manifests":[],"manifests":[]}'), "image"),
    ("an index above a megabyte", raw_index(big_text), "file-size"),
    ("an index of a hundred thousand brackets", raw_index(b"[" * 100000), "image"),
    ("an index within an index, ten deep", index_loop(10), "image"),
    ("an index that names itself", self_index(), "digest"),
    ("an index whose manifest is a configuration", descriptor(mediaType=CONFIG), "image"),
    ("a manifest that is said to be an index", descriptor(mediaType=INDEX), "image"),
    ("an index that is said to be a manifest", (lambda i: i.layout(i.index({**i.put_json(i.index(), INDEX), "mediaType": MANIFEST})))(Image(one)), "image"),
    ("a manifest without a configuration", manifest_of(config=None), "image"),
    ("a manifest without layers", manifest_of(layers=[]), "image"),
    ("a manifest of 33 layers", Image(*[Tar().add(f"f{i}").bytes() for i in range(33)]).layout(), "image"),
    ("a configuration that is said to be a layer", (lambda i: i.layout(i.index(i.manifest(layers=[i.put_json(i.config, CONFIG)]))))(Image(one)), "image"),
    ("a layer that lies elsewhere", said(Image(one), urls=["http://127.0.0.1:1/x"]), "image"),
    ("a foreign layer", said(Image(one), mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), "image"),
    ("a layer that is not to be distributed", said(Image(one), mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"), "image"),
    ("an encrypted layer", said(Image(one), mediaType=LAYER + "+gzip+encrypted"), "image"),
    # for another machine
    ("a configuration for another machine", Image(one, arch="s390x").layout(), "image"),
    ("a configuration for another system", config_lies(os="windows"), "image"),
    ("an index for another machine", descriptor(platform={"os": "linux", "architecture": "s390x"}), "image"),
    ("an index for this machine, a configuration for another",
     (lambda i: i.layout(i.index({**i.manifest(), "platform": {"os": "linux", "architecture": Image(one).config["architecture"]}})))(
         Image(one, arch="mips")), "image"),
    # how it is run
    ("ten thousand variables", env_bomb(), "image"),
    ("a variable of a megabyte", config_of(Env=["A=" + "x" * 900000]), "image"),
    ("a variable with an escape sequence", config_of(Env=["A=\x1b[31m"]), "image"),
    ("a variable's name with a line end", config_of(Env=["A\nB=1"]), "image"),
    ("a variable with a zero", config_of(Env=["A=\0"]), "image"),
    ("a command with an escape sequence", config_of(Cmd=["sh", "\x1b]0;x\x07"]), "image"),
    ("a command of two thousand words", config_of(Cmd=["x"] * 2000), "image"),
    ("a directory that is none", config_of(WorkingDir="../.."), "image"),
    ("a directory with a control byte", config_of(WorkingDir="/a\r"), "image"),
    ("a user that is not there", config_of(User="nobody-here"), "not-there"),
    ("a user with a control byte", config_of(User="a\x1bb"), "image"),
    ("a user of an id that no jail has", config_of(User="4294967295"), "id-range"),
    ("a user of a negative id", config_of(User="-1"), "not-there"),
    ("a user that looks like an option", config_of(User="--root=/"), "not-there"),
    ("a user by a passwd that is a link", Image(Tar().link("etc/passwd", outside + "/secret").bytes(), config={"User": "GOT"}).layout(), "not-there"),
    ("environment that is a number", config_of(Env=5), "image"),
    # whiteouts
    over("a whiteout through a link below", Tar().add("l/.wh.secret").bytes()),
    over("a deep whiteout through a link below", Tar().add("l/dir/.wh.file").bytes()),
    over("an opaque directory through a link below", Tar().add("l/.wh..wh..opq").bytes()),
    over("an opaque directory behind a link below", Tar().add("l/dir/.wh..wh..opq").bytes()),
    over("a whiteout through a link of its own layer", Tar().link("d", outside).add("d/.wh.x").bytes(), with_dir),
    over("an opaque directory that is a link of its own layer", Tar().link("d", outside).add("d/.wh..wh..opq").bytes(), with_dir),
    over("an opaque directory that is a file of its own layer", Tar().add("d").add("d/.wh..wh..opq").bytes(), with_dir),
    over("a file through a link below", Tar().add("l/evil", b"x").bytes()),
    over("a whiteout of ..", Tar().add("d/.wh...").bytes(), with_dir, "name-dotdot"),
    over("a whiteout of .. at the top", Tar().add(".wh...").bytes(), with_dir, "name-dotdot"),
    over("a whiteout of .", Tar().add("d/.wh..").bytes(), with_dir, "name-empty"),
    over("a whiteout of nothing", Tar().add("d/.wh.").bytes(), with_dir, "name-empty"),
    over("a whiteout whose path leads out", Tar().add("../.wh.secret").bytes(), with_dir, "name-dotdot"),
    over("a whiteout whose path is absolute", Tar().add(outside + "/.wh.secret").bytes(), with_dir, "name-absolute"),
    over("a layer with a hard link below", Tar().hard("h", "d/x").bytes(), with_dir, "link-missing"),
    over("a layer with a hard link that leads out", Tar().hard("h", outside + "/secret").bytes(), with_dir, "link-out"),
    over("a device that is an overlay's whiteout", Tar().add("d/x", type=tarfile.CHRTYPE, devmajor=0, devminor=0).bytes(), with_dir, None),
    over("attributes that are an overlay's marks", Tar().dir("d", pax_headers={
        "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.user.overlay.redirect": "/l"}).bytes(), with_dir, None),
    # packing
    ("bzip2 that is said to be gzip", compressed(bz2.compress), "format"),
    ("a plain tar that is said to be gzip", compressed(lambda tar: tar), "format"),
    ("gzip that is said to be plain", compressed(gzip.compress, ""), "format"),
    ("gzip of gzip", compressed(lambda tar: gzip.compress(gzip.compress(tar))), "format"),
    ("a zip that is said to be a tar", compressed(lambda tar: b"PK\3\4" + bytes(600), ""), "format"),
    ("a layer that is cut short", Image(one[:1200], packing="").layout(), "truncated"),
    ("a gzip that goes on behind its end", compressed(lambda tar: gzip.compress(tar) + b"hidden" * 100), None),
    ("an image that is cut short", whole[:len(whole) // 2], "truncated"),
    ("an image behind the end of a tree", Tar().add("a").bytes() + whole, "behind-end"),
    ("an image in gzip of gzip", gzip.compress(gzip.compress(whole)), "format"),
    # bombs
    ("one bomb", one_bomb(), "expansion"),
    ("bombs that are only one together", bombs(5), "expansion"),
    ("layers that are too large together", Image(Tar().add("a", bytes(600000)).bytes(), Tar().add("b", bytes(600000)).bytes()).layout(),
     "too-many-bytes", {"bytes": 1000000}),
    ("layers of too many entries together", Image(*[(lambda t: [t.add(f"{n}{i}") for i in range(30)] and t.bytes())(Tar()) for n in "ab"]).layout(),
     "too-many-entries", {"entries": 50}),
    ("whiteouts without end", Image(with_dir, (lambda t: [t.add(f".wh.{i}") for i in range(500)] and t.bytes())(Tar())).layout(),
     "too-many-entries", {"entries": 100}),
]

supervisor = Supervisor("himg")
client = supervisor.client()
store = os.path.join(supervisor.state, "store")


def bring(data, **params):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return client.call("snapshot.import", {"name": "it", **params}, fds=[file.fileno()])


def stored():
    return sorted(os.listdir(os.path.join(store, "layers")))


set_up()
before = surroundings()
for name, data, rule, *limits in ROWS:
    answer = bring(data, **({"limits": limits[0]} if limits else {}))
    error = answer.get("error", {})
    if rule is None:
        tap.ok("result" in answer, f"lands: {name}", answer)
        freed = client.call("snapshot.remove", {"name": "it"}).get("result", {})
        tap.ok(freed.get("layers", 0) > 0, f"and goes: {name}", freed)
    else:
        tap.ok(error.get("data", {}).get("code") == "invalid" and f"(rule {rule})" in error.get("message", "") and
               not any(ord(c) < 32 or ord(c) == 127 for c in error["message"]), f"refused, {rule}: {name}", answer)
    left = (eventually(lambda: stored() == []), eventually(lambda: os.listdir(os.path.join(store, "new")) == []),
            "error" in client.call("snapshot.show", {"name": "it"}))
    tap.ok(left == (True, True, True), f"nothing is left: {name}", left, stored())
tap.ok(surroundings() == before, "the surroundings are as they were")
client.close()
tap.same(supervisor.wait(), 0, "the supervisor ends when nobody needs it")
tap.same(supervisor.leftovers(), [], "and leaves nothing")
supervisor.stop()
shutil.rmtree(scratch)
tap.end()
