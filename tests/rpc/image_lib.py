"""image_lib: container images made by hand, true ones and lies: OCI layouts and archives of docker save, as tars."""
import gzip
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit"))
from files_lib import Tar  # noqa: E402

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "unknown")
OCI = "application/vnd.oci.image."
LAYER, CONFIG = OCI + "layer.v1.tar", OCI + "config.v1+json"
MANIFEST, INDEX = OCI + "manifest.v1+json", OCI + "index.v1+json"


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


PACKINGS = {"": lambda data: data, "+gzip": lambda data: gzip.compress(data, 1, mtime=0), "+zstd": zstd}


def programs():
    """A layer with a shell and a few programs of this host."""
    tar = Tar()
    for name in ("bin", "lib", "lib64", "etc", "tmp"):
        tar.dir(name)
    needed = set()
    for name in ("sh", "cat", "ls", "id", "env", "pwd", "stat"):
        path = os.path.realpath(subprocess.run(["which", name], capture_output=True, text=True).stdout.strip())
        text = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", text))
        tar.add("bin/" + name, open(path, "rb").read(), mode=0o755)
    for name in sorted(needed):
        where = "lib64/" if "ld-linux" in name else "lib/"
        tar.add(where + os.path.basename(name), open(os.path.realpath(name), "rb").read(), mode=0o755)
    return tar.bytes()


class Image:
    """Layers are tars; what is given as fields replaces what would be true."""

    def __init__(self, *layers, packing="+gzip", config=None, arch=ARCH, **fields):
        self.blobs, self.fields = {}, fields
        self.tars = layers
        packed = [PACKINGS[packing](tar) for tar in layers]
        self.layers = [self.put(blob, LAYER + packing) for blob in packed]
        self.config = {"architecture": arch, "os": "linux", "config": config or {},
                       "rootfs": {"type": "layers", "diff_ids": [sha(tar) for tar in layers]},
                       **fields.get("config_fields", {})}

    def put(self, data, kind, **fields):
        digest = sha(data)
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data), **fields}

    def put_json(self, value, kind, **fields):
        return self.put(value if isinstance(value, bytes) else json.dumps(value).encode(), kind, **fields)

    def manifest(self, **fields):
        return self.put_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.put_json(self.config, CONFIG),
                              "layers": self.layers, **fields}, MANIFEST)

    def index(self, *manifests):
        return {"schemaVersion": 2, "manifests": list(manifests) or [self.manifest()]}

    def layout(self, index=None, extra=None, without=(), marker=b'{"imageLayoutVersion":"1.0.0"}'):
        """The tar of a layout; @extra(tar) adds what it likes, digests in @without are left out."""
        index = index if index is not None else self.index()
        tar = Tar()
        tar.add("oci-layout", marker)
        tar.add("index.json", index if isinstance(index, bytes) else json.dumps(index).encode())
        for digest, data in self.blobs.items():
            if digest not in without:
                tar.add("blobs/sha256/" + digest[7:], data)
        if extra:
            extra(tar)
        return tar.bytes()

    def docker(self, tags=("mine:latest",), links=(), **fields):
        """As `docker save` wrote them: ID/layer.tar, plain; layers in @links are links to the first."""
        tar, text = Tar(), json.dumps(self.config).encode()
        paths = []
        for i, layer in enumerate(self.tars):
            paths.append(f"{i:064x}/layer.tar")
            if i in links:
                tar.link(paths[-1], f"../{0:064x}/layer.tar")
            else:
                tar.add(paths[-1], layer)
        tar.add(sha(text)[7:] + ".json", text)
        item = {"Config": sha(text)[7:] + ".json", "RepoTags": list(tags), "Layers": paths, **fields}
        tar.add("manifest.json", json.dumps([item]).encode())
        return tar.bytes()


def unpack_to(data, where):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(where)
