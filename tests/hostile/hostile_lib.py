"""hostile_lib: roots made for an attack, and runs in them."""
import io
import os
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../rpc"))
from front_lib import BUILD, Tap  # noqa: E402, F401
from supervisor_lib import Supervisor, eventually, need_jails  # noqa: E402, F401


def tool(name):
    return os.path.join(os.path.abspath(BUILD), "tests/hostile", name)


def root_of(programs, entries=(), folders=("bin", "dev", "proc", "etc", "tmp", "run", "work", "home")):
    """A tar: folders, programs (static) in /bin, then entries of (name, type, link or bytes, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder in folders:
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        for path in programs:
            info = tarfile.TarInfo("bin/" + os.path.basename(path))
            info.mode, info.size = 0o755, os.path.getsize(path)
            with open(path, "rb") as file:
                tar.addfile(info, file)
        for name, kind, value, mode in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            if kind == tarfile.REGTYPE:
                info.size = len(value)
                tar.addfile(info, io.BytesIO(value))
            else:
                info.linkname = value or ""
                tar.addfile(info)
    return buffer.getvalue()


def bring(client, name, data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return client.call("snapshot.import", {"name": name}, fds=[file.fileno()])


def show_directory(client, path):
    """Name the client's end of its connection, so that its jails may show @path: base/consent.h. Once a client."""
    st = os.stat(path)
    client.sock.bind(f"\0warder-dir/{os.major(st.st_dev):x}:{os.minor(st.st_dev):x}:{st.st_ino:x}/{os.urandom(8).hex()}")


def run(client, argv, exec_params=None, fds=(), **params):
    """The record of a command in a fresh jail; cause refused where there was none."""
    answer = client.call("jail.create", {"exec": {"argv": argv, **(exec_params or {})}, **params}, fds=fds)
    if "result" in answer:
        return answer["result"]["command"]
    return {"cause": "refused", "error": answer["error"]}


def text(record, stream="stdout"):
    return ((record.get("output") or {}).get(stream) or {}).get("text", "")
