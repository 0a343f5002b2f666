#!/usr/bin/env -S python3 -B
"""claims: ranges of ids and names of supervisors are claimed in one place of the host, not in one that each installation was
built with (RUNDIR): else two of them give their jails the same ids, and sweep each other's groups.
"""
import re
import sys

from tree import lint_main, product, read

PLACE = re.compile(r'^#define ID_CLAIMS_DIR "(/[^"]+)"', re.M)
OWN = re.compile(r'\b(?:RUNDIR|STATEDIR|run_dir|state_dir)\b[^;]*"[^"]*\bids\b')
TAKEN = re.compile(r"ids_fd\s*=\s*\w+\([^;]*\bID_CLAIMS_DIR\b")


def faults(root, build):
    del build
    found, takes, places = [], 0, []
    paths = product(root, ".c", ".h")
    for path in paths:
        text = read(root, path)
        places += PLACE.findall(text)
        takes += len(TAKEN.findall(text))
        if OWN.search(text):
            found.append(f"{path}: ids are claimed where an installation keeps what is its own")
    if not paths:
        return 0, []
    if places != ["/run/warder/ids"]:
        found.append(f"ID_CLAIMS_DIR is {places}, which is not the one place that all releases know")
    if not takes:
        found.append("no ids_fd comes from ID_CLAIMS_DIR")
    return len(paths), found


GOOD = {"base/id-pool.h": '#define ID_CLAIMS_DIR "/run/warder/ids"\n',
        "supervisor/a.c": "monitor->ids_fd = own_dir(AT_FDCWD, ID_CLAIMS_DIR, 0700);\n"}
PLANTS = [
    ("a place below RUNDIR", {**GOOD, "supervisor/b.c": 'fd = open(RUNDIR "/ids", 0);\n'}, "supervisor/b.c: ids are claimed"),
    ("a place of the build's", {**GOOD, "base/id-pool.h": '#define ID_CLAIMS_DIR RUNDIR "/x"\n'}, "is not the one place"),
    ("another place", {**GOOD, "base/id-pool.h": '#define ID_CLAIMS_DIR "/run/other/ids"\n'}, "is not the one place"),
    ("a place that nobody takes", {**GOOD, "supervisor/a.c": "int x;\n"}, "no ids_fd comes from"),
]

sys.exit(lint_main("claims", faults, PLANTS, GOOD))
