"""states_lib: a root with enough of this host's programs to change files in, for tests of what jails become."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit"))
from files_lib import Tar  # noqa: E402

PROGRAMS = ("sh", "cat", "chmod", "cp", "dd", "head", "id", "ln", "ls", "mkdir", "mv", "rm", "rmdir", "seq", "sleep", "stat",
            "touch", "tr",
            "truncate", "wc", "xargs")


def root_tar():
    """Programs, and files below /srv to be changed. All of id 0."""
    tar = Tar()
    for name in ("bin", "lib", "lib64", "etc", "tmp", "srv", "srv/dir", "srv/dir/deep", "srv/again", "srv/gone"):
        tar.dir(name)
    needed = set()
    for name in PROGRAMS:
        path = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True).stdout.strip()
        if not path:
            continue
        text = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", text))
        with open(path, "rb") as program:
            tar.add("bin/" + name, program.read(), mode=0o755)
    for name in sorted(needed):
        where = "lib64/" if "ld-linux" in name else "lib/"
        with open(os.path.realpath(name), "rb") as library:
            tar.add(where + os.path.basename(name), library.read(), mode=0o755)
    for name in ("plain", "other", "dir/f", "dir/deep/g", "again/old", "again/both", "gone/a", "gone/b"):
        tar.add("srv/" + name, f"base {name}\n".encode())
    return tar.bytes()


CHANGE = r"""
set -e
cd /srv
echo new >added
echo more >>plain
rm other
rm -r gone
rm -r dir && ln -s /etc dir
rm -r again && mkdir again && echo both >again/both && echo new >again/new
mkdir made made/below && echo x >made/below/file
ln made/below/file made/second
chmod 750 made/below/file
ln -s no/where made/link
touch -d '2001-02-03 04:05:06.123456789Z' made/below/file made
truncate -s 32M sparse
echo end | dd of=sparse bs=1M seek=31 conv=notrunc 2>/dev/null
printf 'line' >"$(printf 'two\nlines')"
printf 'bytes' >"$(printf 'b\377d')"
echo s >setid && chmod 4755 setid
"""
