#!/usr/bin/env -S python3 -B
"""priv: privileged calls stand in [P] files only; together those stay small enough to be read."""
import re
import sys

from tree import line_of, lint_main, product, read, without_comments

PRIVILEGED = re.compile(r"sandbox/priv-[\w-]+\.c|sandbox/stages\.c|supervisor/monitor/[\w-]+\.c")
BY_NAME = {  # files with a few calls of their own, each with its reason
    # only drops, from root to SUDO_UID; its setuid(0) is a proof: it must fail
    "cli/as-user.c": {"setresuid", "setresgid", "setgroups", "setuid"},
    # asks with a descriptor that is none whether clone3 knows a flag
    "cli/doctor-trials.c": {"clone3"},
    # a child that shares descriptors; the front's filter lets through these flags and no others
    "supervisor/front/closer.c": {"clone"},
}
TRIALS = "sandbox/priv-trials.c"  # a program that root starts by "warder doctor"; no part of the monitor or a jail
PROBE = re.compile(r"cli/probe/[\w-]+\.c")  # attacks, run in a jail without any privilege
INIT = re.compile(r"sandbox/init/[\w-]+\.c")  # sets ids of commands in the jail's user namespace
INIT_CALLS = {"setresuid", "setresgid", "setgroups", "capset", "setfsuid", "setfsgid", "clone", "clone3"}
CALLS = re.compile(r"\b(mount|umount2?|pivot_root|chroot|setns|unshare|clone3?|setres[ug]id|setre[ug]id|"
                   r"set[ug]id|sete[ug]id|setfs[ug]id|setgroups|capset|cap_set_proc|fsopen|fsmount|move_mount|"
                   r"open_tree|mount_setattr|init_module|finit_module|kexec_load|reboot|sethostname)\s*\(")
NUMBERS = re.compile(r"\b(?:SYS|__NR)_(mount|umount2|pivot_root|chroot|setns|unshare|clone3?|setres[ug]id|"
                     r"setgroups|capset|fsopen|fsmount|move_mount|open_tree|mount_setattr)\b")
# The second is a ratchet: it goes down with the lines, and leaves room for what is being built
LINES_AIM, LINES_MAX = 3000, 4050


def privileged(path):
    return PRIVILEGED.fullmatch(path) is not None


def allowed(path, call):
    if PROBE.fullmatch(path):
        return True
    return call in BY_NAME.get(path, ()) or (INIT.fullmatch(path) and call in INIT_CALLS)


def faults(root, build):
    looked = lines = 0
    found = []
    for path in product(root, ".c", ".h"):
        text = read(root, path)
        code = without_comments(text)
        looked += 1
        if privileged(path):
            lines += text.count("\n") if path != TRIALS else 0
            continue
        for match in list(CALLS.finditer(code)) + list(NUMBERS.finditer(code)):
            if not allowed(path, match.group(1)):
                found.append(f"{path}:{line_of(code, match.start())}: {match.group(1)} outside a [P] file")
    if lines > LINES_MAX:
        found.append(f"[P] files have {lines} lines, at most {LINES_MAX}: move what needs no privilege out")
    elif lines > LINES_AIM:
        print(f"# [P] files have {lines} lines; the aim is {LINES_AIM}")
    return looked, found


PLANTS = [
    ("mount in the front", {"supervisor/front/a.c": "void f(void) {\n        mount(0, 0, 0, 0, 0);\n}\n"}, "a.c:2: mount"),
    ("setns by its number", {"cli/a.c": "int x = syscall(SYS_setns, 3, 0);\n"}, "setns outside"),
    ("a mount in init", {"sandbox/init/a.c": "int x = mount(0, 0, 0, 0, 0);\n"}, "mount outside"),
    ("a mount beside the probes", {"cli/probe.c": "int x = mount(0, 0, 0, 0, 0);\n"}, "mount outside"),
    ("unshare in cli/as-user.c", {"cli/as-user.c": "int x = unshare(0);\n"}, "unshare outside"),
    ("too much privilege", {"sandbox/priv-a.c": "int x;\n" * 4061}, "4061 lines"),
]
CLEAN = {
    "cli/probe/a.c": "int x = mount(0, 0, 0, 0, 0);\n",
    "sandbox/priv-mount.c": "int x = mount(0, 0, 0, 0, 0);\n",
    "cli/as-user.c": "/* never unshare() */ int x = setresuid(1, 1, 1);\n",
    "cli/a.c": 'const char *x = "mount()"; int y = plan_mount (1);\n',
}

if __name__ == "__main__":
    sys.exit(lint_main("privileged calls stand in [P] files", faults, PLANTS, CLEAN))
