"""programs: the installed programs of a build, as the Makemodule.am files declare them."""
import os
import re
import subprocess

from tree import files, read


def declared(root):
    """Paths in the build directory of every program that make install would install."""
    found = []
    for path in files(root, "Makemodule.am"):
        text = read(root, path).replace("\\\n", " ")
        for names in re.findall(r"^(?:bin|sbin|pkglibexec)_PROGRAMS\s*\+?=(.*)$", text, re.M):
            found += names.split()
    return sorted(found)


def readelf(path, *flags):
    return subprocess.run(["readelf", "-W", *flags, path], capture_output=True, text=True, check=True).stdout


def is_sanitized(build):
    """Was this build configured with sanitizers? They bring libraries and take fortify away."""
    makefile = os.path.join(build, "Makefile")
    return os.path.exists(makefile) and "-fsanitize=" in re.search(
        r"^WARDER_SANITIZE_FLAGS =(.*)$", read(build, "Makefile"), re.M).group(1)


def missing(build, path):
    return [] if os.path.exists(os.path.join(build, path)) else [f"{path}: declared, but not built"]
