#!/usr/bin/env -S python3 -B
"""headers: each stands alone, documents its functions, and belongs to one .c file."""
import os
import re
import shlex
import subprocess
import sys

from tree import lint_main, product, read, without_comments

COMPILER = shlex.split(os.environ.get("CC", "cc"))
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", "-x", "c"]
PROTOTYPE = re.compile(r"^(?!typedef|static|#|\s|\}|extern)[A-Za-z_][\w \*]*?\b(\w+)\([^;{]*\)[^;{]*;", re.M)


def compiles(root, build, path):
    result = subprocess.run(COMPILER + FLAGS + ["-I", root, "-I", build, "-include", os.path.join(root, path),
                                                "/dev/null"], capture_output=True, text=True)
    if result.returncode:
        yield f"{path}: does not compile alone: " + result.stderr.strip().split("\n")[0]


def documented(path, text):
    code = without_comments(text)
    if "#pragma once" not in code:
        yield f"{path}: no #pragma once"
    if not re.search(r"/\*", text):
        yield f"{path}: no comment that says what it is"
    for match in PROTOTYPE.finditer(code):
        if re.match(r"DEFINE_\w+\(", match.group(0)):
            continue
        before = text[:match.start()].rstrip()
        if not before.endswith("*/") or not before[before.rfind("/*"):].startswith("/**"):
            yield f"{path}: {match.group(1)}() has no comment"


def belongs(root, path, text):
    if re.search(r"^int main\(", text, re.M) or os.path.exists(os.path.join(root, path[:-2] + ".h")):
        return
    yield f"{path}: has neither a header of its stem nor a main()"


def faults(root, build):
    looked, found = 0, []
    for path in product(root, ".h"):
        looked += 1
        found += compiles(root, build, path)
        found += documented(path, read(root, path))
    for path in product(root, ".c"):
        found += belongs(root, path, read(root, path))
    return looked, found


PLANTS = [
    ("a header that needs another", {"base/a.h": "#pragma once\n/* a */\n/** f() - x */\nsize_t f(void);\n"},
     "a.h: does not compile alone"),
    ("a function without a word", {"base/a.h": "#pragma once\n/* a */\n\nint f(int x,\n      int y);\n"}, "f() has no comment"),
    ("a header without a guard", {"base/a.h": "/* a */\n"}, "no #pragma once"),
    ("a .c without its header", {"base/a.h": "#pragma once\n/* a */\n", "base/b.c": "int x;\n"}, "b.c: has neither"),
]
CLEAN = {"base/a.h": "#pragma once\n/* a */\n/** f() - says it */\nint f(void);\n", "base/a.c": '#include "base/a.h"\n',
         "cli/b.c": "int main(void) {\n        return 0;\n}\n"}

if __name__ == "__main__":
    sys.exit(lint_main("headers stand alone and are documented", faults, PLANTS, CLEAN))
