#!/usr/bin/env -S python3 -B
"""layers: who includes whom, and which room may read JSON or use which library (ARCHITECTURE.md, rooms)."""
import re
import sys

from tree import lint_main, product, read, without_comments

MAY = {  # room -> rooms, or single headers, that it may include beside itself
    "base": set(),
    "sandbox": {"base"},
    "sandbox/init": {"base", "supervisor/wire.h"},
    "sandbox/files": {"base"},
    "supervisor": {"base", "sandbox/plan.h"},
    "supervisor/monitor": {"sandbox", "base", "supervisor/wire.h"},
    "supervisor/front": {"base", "sandbox/plan.h", "sandbox/seccomp.h", "supervisor/wire.h"},
    "supervisor/egress": {"base"},
    "agent": {"base"},
    "cli": {"base"},
}
NO_JSON = {"sandbox", "sandbox/init", "sandbox/files", "supervisor", "supervisor/monitor"}
JSON = re.compile(r"\bcJSON|<cjson/|\"base/(json|schema|rpc)")
LIBRARIES = {  # start of a header's name -> rooms that may include it
    "cjson/": {"base", "supervisor/front", "supervisor/egress", "agent", "cli"},
    "archive": {"sandbox/files", "cli"},
    "git2": {"sandbox/files"},
    "curl/": {"supervisor/egress", "agent"},
    "sqlite3.h": {"supervisor/front", "agent"},
    "seccomp.h": {"sandbox", "supervisor/front"},
    "jq.h": {"agent"},
    "jv.h": {"agent"},
    "libssh/": {"cli"},
    "pcre2.h": {"agent"},
    "systemd/": {"supervisor/monitor", "supervisor/front", "supervisor/egress"},
    "openssl/": {"base", "sandbox/files", "supervisor/front"},
    "sys/capability.h": set(),
}


def room(path):
    parts = path.split("/")
    two = "/".join(parts[:2])
    return two if two in MAY and len(parts) > 2 else parts[0]


def tree_include(path, name):
    here = room(path)
    if "/" not in name:  # made by the build: filter-*.h
        return None if re.fullmatch(r"filter-\w+\.h", name) else f"{path}: include {name} by its room"
    there = room(name)
    if there == here or there in MAY[here] or name in MAY[here]:
        return None
    return f"{path}: {here} may not include {name}"


def library_include(path, name):
    for start, rooms in LIBRARIES.items():
        if name.startswith(start) and room(path) not in rooms:
            return f"{path}: {room(path)} may not use <{name}>"
    return None


def faults(root, build):
    looked, found = 0, []
    for path in product(root, ".c", ".h"):
        code = without_comments(read(root, path), strings=False)
        looked += 1
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', code, re.M):
            found.append(tree_include(path, name))
        for name in re.findall(r"^\s*#\s*include\s*<([^>]+)>", code, re.M):
            found.append(library_include(path, name))
        if room(path) in NO_JSON and JSON.search(code):
            found.append(f"{path}: {room(path)} reads JSON")
    return looked, [f for f in found if f]


PLANTS = [
    ("cli that includes the sandbox", {"cli/a.c": '#include "sandbox/plan.h"\n'}, "cli may not include"),
    ("a front that includes the jail", {"supervisor/front/a.c": '#include "sandbox/jail.h"\n'}, "may not include"),
    ("init that includes the monitor", {"sandbox/init/a.c": '#include "supervisor/monitor/m.h"\n'}, "may not include"),
    ("base that includes another room", {"base/a.h": '#include "agent/link.h"\n'}, "base may not include"),
    ("JSON in the monitor", {"supervisor/monitor/a.c": '#include "base/json.h"\n'}, "reads JSON"),
    ("cJSON in the sandbox", {"sandbox/a.c": "static cJSON *x;\n"}, "reads JSON"),
    ("curl in the front", {"supervisor/front/a.c": "#include <curl/curl.h>\n"}, "may not use <curl/curl.h>"),
    ("an include without its room", {"base/a.c": '#include "buf.h"\n'}, "by its room"),
]
CLEAN = {
    "supervisor/front/a.c": '#include "sandbox/plan.h"\n#include <cjson/cJSON.h>\n',
    "sandbox/init/a.c": '/* no cJSON here, "base/json.h" neither */\n#include "supervisor/wire.h"\n',
}

if __name__ == "__main__":
    sys.exit(lint_main("each room includes what it may", faults, PLANTS, CLEAN))
