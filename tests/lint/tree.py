"""tree: what every lint works with: the C files of a source tree, code without its comments, and the run
of a lint as a TAP test.

A lint is a module with faults(root, build) -> (number of things looked at, [sentence, ...]) and PLANTS, a
list of (what is wrong, {path: content}, a part of the sentence that must come). lint_main() runs it:

    layers.t ROOT [BUILD]   prints the faults of another tree; exit 1 where there are any
    layers.t                is a TAP test: this tree has none, each plant is found, an empty tree fails
"""
import os
import re
import sys
import tempfile

SKIPPED_DIRS = {"autom4te.cache", "__pycache__"}
PRODUCT = ("base", "sandbox", "supervisor", "agent", "cli")  # what ships; tests and build-aux do not


def files(root, *endings):
    """Paths below root with one of the endings, sorted; build directories are left out."""
    found = []
    for where, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if d not in SKIPPED_DIRS and not d.startswith(".")
                   and not os.path.exists(os.path.join(where, d, "config.status"))]
        found += [os.path.relpath(os.path.join(where, n), root) for n in names if n.endswith(endings)]
    return sorted(found)


def product(root, *endings):
    return [f for f in files(root, *endings) if f.split("/")[0] in PRODUCT]


def read(root, path):
    with open(os.path.join(root, path), errors="replace") as file:
        return file.read()


def without_comments(text, strings=True):
    """Comments (and strings) become blanks; lines keep their numbers."""
    literal = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    pattern = r"/\*.*?\*/|//[^\n]*|" + literal

    def blank(match):
        if not strings and match.group(0)[0] in "\"'":
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(pattern, blank, text, flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def functions(text):
    """(name, line, lines, parameters, body) of each function that is defined at column 0."""
    code = without_comments(text)
    head = re.compile(r"^(?![#\s}])[^;{}=#]*?\b(\w+)\s*\(([^;{}]*)\)\s*\{", re.M)
    at = 0
    while True:
        match = head.search(code, at)
        if not match:
            return
        depth, end = 1, match.end()
        while end < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        arguments = match.group(2).strip()
        count = 0 if arguments in ("", "void") else top_level_commas(arguments) + 1
        first = line_of(code, match.start())
        yield match.group(1), first, line_of(code, end - 1) - first + 1, count, text[match.end():end]
        at = end


def top_level_commas(arguments):
    depth = count = 0
    for c in arguments:
        depth += {"(": 1, ")": -1}.get(c, 0)
        count += c == "," and depth == 0
    return count


def plant(root, tree):
    for path, content in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(content)
        if content.startswith("#!"):
            os.chmod(full, 0o755)


class Tap:
    def __init__(self):
        self.run = self.failed = 0

    def result(self, good, what, details=()):
        self.run += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.run} - {what}")
        for detail in details:
            print("#", detail)
        sys.stdout.flush()

    def skip(self, what, missing):
        self.run += 1
        print(f"ok {self.run} - {what} # SKIP {missing}")

    def end(self):
        print(f"1..{self.run}")
        return 1 if self.failed else 0


def judge(faults, root, build):
    """Faults of a tree; a lint that looked at nothing is a fault itself."""
    looked, found = faults(root, build)
    if not looked:
        found = found + ["nothing was looked at"]
    return looked, found


def lint_main(what, faults, plants, clean, self_test=None):
    """clean: a tree without faults; self_test: a function that returns a Tap to go on with, for what only
    a compiler can plant."""
    if len(sys.argv) > 1:
        looked, found = judge(faults, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.argv[1])
        print("\n".join(found + [f"{looked} looked at, {len(found)} faults"]))
        return 1 if found else 0
    root, build = os.environ.get("top_srcdir", "."), os.environ.get("top_builddir", ".")
    tap = self_test() if self_test else Tap()
    looked, found = judge(faults, root, build)
    tap.result(not found, f"{what}: {looked} looked at", found)
    for name, tree, part in plants + [("an empty tree", {}, "nothing was looked at")]:
        with tempfile.TemporaryDirectory(prefix="warder-lint-") as planted:
            plant(planted, tree)
            found = judge(faults, planted, planted)[1]
            tap.result(any(part in f for f in found), f"finds {name}", found)
    if clean:
        with tempfile.TemporaryDirectory(prefix="warder-lint-") as planted:
            plant(planted, clean)
            found = judge(faults, planted, planted)[1]
            tap.result(not found, "finds nothing in a clean tree", found)
    return tap.end()
