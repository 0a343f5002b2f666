#!/usr/bin/env -S python3 -B
"""links: each finished program needs the libraries that ARCHITECTURE.md grants it, and no other."""
import os
import re
import subprocess
import sys
import tempfile

from programs import declared, is_sanitized, missing, readelf
from tree import Tap, judge, lint_main, plant

MAY = {  # program -> libraries beyond the C library
    "warderd": {"libsystemd"},
    "warder-front": {"libcjson", "libsqlite3", "libseccomp", "libsystemd", "libcrypto"},
    "warder-files": {"libexpat", "libcrypto"},  # libarchive and libgit2 are loaded where they are needed
    "warder-init": None,  # static: needs nothing, not even a loader
    "warder-agent": {"libcjson", "libcurl", "libsqlite3", "libjq", "libpcre2-8"},
    "warder-egress": {"libcurl", "libcjson", "libsystemd"},
    "warder-probe": None,  # runs in any root
    "warder-trials": set(),
    "warder-receipt": {"libcjson", "libcrypto"},
    "warder-ssh": {"libcjson", "libssh"},
    "warder": {"libcjson"},  # libarchive is loaded where an archive is written
}
C_LIBRARY = {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64"}
SANITIZERS = {"libasan", "libubsan", "libclang_rt", "libgcc_s", "libstdc++"}


def needed(path):
    names = re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", readelf(path, "-d"))
    return {re.sub(r"\.so[.\d]*$", "", name) for name in names}


def program_faults(build, path):
    name = os.path.basename(path)
    if name not in MAY:
        return [f"{path}: a program that the table does not know"]
    libraries = needed(os.path.join(build, path))
    if MAY[name] is None:
        interpreter = "INTERP" in readelf(os.path.join(build, path), "-l")
        return [f"{path}: must be static"] if libraries or interpreter else []
    extra = libraries - MAY[name] - C_LIBRARY - (SANITIZERS if is_sanitized(build) else set())
    return [f"{path}: may not need {', '.join(sorted(extra))}"] if extra else []


def faults(root, build):
    looked, found = 0, []
    for path in declared(root):
        absent = missing(build, path)
        looked += 1
        found += absent or program_faults(build, path)
    return looked, found


def linked(tap, name, flags, part):
    """Builds a program with these flags in a planted tree and expects the fault."""
    with tempfile.TemporaryDirectory(prefix="warder-lint-") as root:
        plant(root, {"x/Makemodule.am": f"bin_PROGRAMS += {name}\n", "m.c": "int main(void) { return 0; }\n"})
        made = subprocess.run(["cc", "-o", f"{root}/{name}", f"{root}/m.c"] + flags, capture_output=True, text=True)
        found = judge(faults, root, root)[1]
        good = any(part in f for f in found) if part else not found
        tap.result(made.returncode == 0 and good, f"{name} linked with {' '.join(flags)}: {part or 'nothing'}",
                   found + made.stderr.split("\n")[:1])


def self_test():
    tap = Tap()
    linked(tap, "warderd", ["-Wl,--no-as-needed", "-lcjson"], "may not need libcjson")
    linked(tap, "warder-files", ["-Wl,--no-as-needed", "-lcurl"], "may not need libcurl")
    linked(tap, "warder-init", ["-pie"], "must be static")
    linked(tap, "warder-other", ["-pie"], "does not know")
    linked(tap, "warder-init", ["-static-pie"], "")
    linked(tap, "warderd", ["-Wl,--no-as-needed", "-lsystemd"], "")
    return tap


PLANTS = [("a program that was not built", {"cli/Makemodule.am": "bin_PROGRAMS += \\\n\tcli/warder\n"}, "not built")]
CLEAN = None

if __name__ == "__main__":
    sys.exit(lint_main("programs link what they may", faults, PLANTS, CLEAN, self_test))
