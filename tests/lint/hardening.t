#!/usr/bin/env -S python3 -B
"""hardening: what the flags promise, read from the finished programs."""
import os
import re
import subprocess
import sys
import tempfile

from programs import declared, is_sanitized, missing, readelf
from tree import Tap, judge, lint_main, plant

STATIC = {"warder-init", "warder-probe"}


def stack_is_executable(headers):
    match = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]{3})\s", headers)
    return not match or "E" in match.group(1)


def fortified(symbols):
    names = set(re.findall(r"\b(__\w+_chk)\b", symbols))
    return bool(names - {"__stack_chk_fail", "__longjmp_chk", "__fdelt_chk"})


def is_optimised(build):
    makefile = os.path.join(build, "Makefile")
    with open(makefile) as file:
        return "-D_FORTIFY_SOURCE=3" in file.read()


def program_faults(build, path):
    full = os.path.join(build, path)
    headers, dynamic, symbols = readelf(full, "-hl"), readelf(full, "-d"), readelf(full, "-s")
    static = os.path.basename(path) in STATIC
    if not re.search(r"Type:\s+DYN", headers):
        yield f"{path}: not position-independent"
    if static and "INTERP" in headers:
        yield f"{path}: has an interpreter, must be static-pie"
    if "GNU_RELRO" not in headers:
        yield f"{path}: no RELRO"
    if not re.search(r"BIND_NOW|Flags:.*\bNOW\b", dynamic):
        yield f"{path}: binds lazily"
    if stack_is_executable(headers):
        yield f"{path}: its stack is executable"
    if "__stack_chk_fail" not in symbols:
        yield f"{path}: no stack protector"
    if not static and expects_fortify(build) and not fortified(symbols):
        yield f"{path}: not fortified"


def expects_fortify(build):
    if not os.path.exists(os.path.join(build, "Makefile")):
        return True
    return is_optimised(build) and not is_sanitized(build)


def faults(root, build):
    looked, found = 0, []
    for path in declared(root):
        absent = missing(build, path)
        looked += 1
        found += absent or program_faults(build, path)
    return looked, found


CODE = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
        char text[64];
        (void) argc;
        strcpy(text, argv[0]);
        printf(text[0] ? "%s" : "%d", text);
        return 0;
}
"""
GOOD = ["-O2", "-w", "-fPIE", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-Wl,-z,relro",
        "-Wl,-z,now", "-Wl,-z,noexecstack"]


def built(tap, replaced, part):
    """Builds a program with one of the good flags replaced and expects the fault."""
    flags = [replaced.get(flag, flag) for flag in GOOD]
    with tempfile.TemporaryDirectory(prefix="warder-lint-") as root:
        plant(root, {"x/Makemodule.am": "bin_PROGRAMS += warder\n", "m.c": CODE})
        made = subprocess.run(["cc", "-o", f"{root}/warder", f"{root}/m.c"] + flags, capture_output=True, text=True)
        found = judge(faults, root, root)[1]
        good = any(part in f for f in found) if part else not found
        tap.result(made.returncode == 0 and good, f"with {' '.join(replaced.values()) or 'all flags'}: {part or 'nothing'}",
                   found + made.stderr.split("\n")[:1])


def self_test():
    tap = Tap()
    built(tap, {"-pie": "-no-pie", "-fPIE": "-fno-PIE"}, "not position-independent")
    built(tap, {"-Wl,-z,relro": "-Wl,-z,norelro"}, "no RELRO")
    built(tap, {"-Wl,-z,now": "-Wl,-z,lazy"}, "binds lazily")
    built(tap, {"-Wl,-z,noexecstack": "-Wl,-z,execstack"}, "stack is executable")
    built(tap, {"-fstack-protector-strong": "-fno-stack-protector"}, "no stack protector")
    built(tap, {"-D_FORTIFY_SOURCE=3": "-O2"}, "not fortified")
    built(tap, {}, "")
    return tap


PLANTS = [("a program that was not built", {"cli/Makemodule.am": "bin_PROGRAMS += cli/warder\n"}, "not built")]
CLEAN = None

if __name__ == "__main__":
    sys.exit(lint_main("programs are hardened", faults, PLANTS, CLEAN, self_test))
