#!/usr/bin/env -S python3 -B
"""size: files and functions that one can read, and names that say what a file is for."""
import os
import re
import sys

from tree import functions, lint_main, product, read

FILE_MAX, FUNCTION_MAX, TABLE_MAX, PARAMETERS_MAX = 800, 60, 100, 8
VAGUE = {"util", "utils", "common", "misc", "helpers", "linux", "warder"}
MAY_BE_WARDER = {"cli/warder.c"}  # the main of the program of that name


def is_table(body):
    """A switch that is a table may be longer, where a comment says so."""
    return "switch (" in body and re.search(r"/\*[^/]*\btable\b", body)


def file_faults(path, text):
    lines = text.count("\n")
    stem = os.path.splitext(os.path.basename(path))[0]
    if lines > FILE_MAX:
        yield f"{path}: {lines} lines, at most {FILE_MAX}: divide it by what its parts are for"
    if stem in VAGUE and path not in MAY_BE_WARDER:
        yield f"{path}: a name that excludes nothing collects everything"
    if re.search(r"\bgoto\b", re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
        yield f"{path}: goto: let scope release"
    if "\t" in text:
        yield f"{path}: a tab; indent by 8 spaces"
    if re.search(r"\b(TODO|FIXME|XXX)(:|\()|/\*\s*(TODO|FIXME|XXX)\b", text):
        yield f"{path}: a note to self: do it, or write LIMIT: with its consequence"


def function_faults(path, text):
    for name, line, lines, parameters, body in functions(text):
        most = TABLE_MAX if is_table(body) else FUNCTION_MAX
        if lines > most:
            yield f"{path}:{line}: {name}() has {lines} lines, at most {most}"
        if parameters > PARAMETERS_MAX:
            yield f"{path}:{line}: {name}() has {parameters} parameters: pass a struct"


def faults(root, build):
    looked, found = 0, []
    for path in product(root, ".c", ".h"):
        text = read(root, path)
        looked += 1
        found += file_faults(path, text)
        if path.endswith(".c"):
            found += function_faults(path, text)
    return looked, found


LONG = "static int\nlong_one(int a) {\n" + "        a++;\n" * 60 + "        return a;\n}\n"
PLANTS = [
    ("a long function", {"base/a.c": LONG}, "long_one() has 64 lines"),
    ("a long switch without a reason", {"base/a.c": LONG.replace("a++;", "switch (a) {}", 1)}, "64 lines"),
    ("many parameters", {"base/a.c": "int f(int a, int b, int c, int d, int e, int (*g)(int, int), int h,\n"
                                     "      int i, int j) {\n        return 0;\n}\n"}, "f() has 9 parameters"),
    ("a long file", {"base/a.c": "int x;\n" * 801}, "801 lines"),
    ("a vague name", {"base/util.c": "int x;\n"}, "excludes nothing"),
    ("a goto", {"base/a.c": "void f(void) {\n        goto out;\nout:\n        return;\n}\n"}, "goto"),
    ("a tab", {"base/a.c": "void f(void) {\n\treturn;\n}\n"}, "tab"),
    ("a note to self", {"base/a.c": "/* TO" "DO: later */\n"}, "note to self"),
]
CLEAN = {"base/a.c": "/* goto is not used */\n" + LONG.replace("a++;", "switch (a) {} /* a table */", 1),
         "cli/warder.c": "int main(void) {\n        return 0;\n}\n"}

if __name__ == "__main__":
    sys.exit(lint_main("files and functions can be read", faults, PLANTS, CLEAN))
