#!/bin/sh
# A profile's conditions against arguments with garbage above the bits that the kernel reads, by real calls in a
# real jail. Each call works outside first. One profile allows by "all but", one by "only".
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
need python3
cp -r "$WARDER_POLICIES" "$scratch/policies"
WARDER_POLICIES=$scratch/policies
python3 - "$scratch/policies" <<'PY'
import json, re, sys
text = open(sys.argv[1] + "/seccomp/default.json").read()
profile = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
rules = [r for r in profile["syscalls"] if not {"socket", "getpriority", "fchmodat"} & set(r["names"]) or "args" not in r]
for rule in rules:
    rule["names"] = [n for n in rule["names"] if n not in ("getpriority", "fchmodat", "lseek")]
def allow(name, index, value, op, **more):
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": [{"index": index, "value": value, "op": "SCMP_CMP_" + op, **more}]}
profile["syscalls"] = rules + [
    allow("socket", 0, 2, "NE"),                # all but INET
    allow("getpriority", 0, 1, "EQ"),           # only process groups
    allow("lseek", 1, 4096, "NE"),              # an offset is 64 bits
    allow("fchmodat", 2, 0o644, "EQ"),          # a mode is 16
    {"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 33, "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]
profile["archMap"] = [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}]
json.dump(profile, open(sys.argv[1] + "/seccomp/mixed.json", "w"))
policy = json.loads(re.sub(r"^\s*//.*$", "", open(sys.argv[1] + "/default.json").read(), flags=re.M))
policy["seccomp"] = "mixed"
json.dump(policy, open(sys.argv[1] + "/mixed.json", "w"))
PY
mkdir "$scratch/work"
cd "$scratch/work" || exit 1
echo text >file
# name, the answer that is wanted inside (an errno), call and arguments; libc's syscall() passes all 64 bits
cat >try.py <<'PY'
import ctypes, os
HIGH = 7 << 32
libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": dict(socket=41, getpriority=140, lseek=8, fchmodat=268, prctl=157),
           "aarch64": dict(socket=198, getpriority=141, lseek=62, fchmodat=53, prctl=167)}[os.uname().machine]
fd = os.open("file", os.O_RDONLY)
buf = ctypes.create_string_buffer(32)
name = ctypes.cast(ctypes.create_string_buffer(b"file"), ctypes.c_void_p).value
here = -100 & 0xffffffffffffffff
rows = [("a family that is let through", 0, "socket", 1, 1, 0), ("the one that is not", 38, "socket", 2, 1, 0),
        ("the one that is not, high bits", 38, "socket", 2 | HIGH, 1, 0), ("a family that is let through, high bits", 0, "socket", 1 | HIGH, 1, 0),
        ("the one value", 0, "getpriority", 1, 0, 0), ("the one value, high bits", 0, "getpriority", 1 | HIGH, 0, 0),
        ("another value", 38, "getpriority", 0, 0, 0), ("another value, high bits", 38, "getpriority", HIGH, 0, 0),
        ("the offset that is refused", 38, "lseek", fd, 4096, 0), ("another offset, of 64 bits", 0, "lseek", fd, 4096 | HIGH, 0),
        ("the one mode", 0, "fchmodat", here, name, 0o644), ("the one mode, high bits", 0, "fchmodat", here, name, 0o644 | 7 << 20),
        ("another mode", 38, "fchmodat", here, name, 0o600), ("another mode, high bits", 38, "fchmodat", here, name, 0o600 | 7 << 20),
        ("one option refused beside the call allowed", 33, "prctl", 16, ctypes.addressof(buf), 0),
        ("the same, high bits", 33, "prctl", 16 | HIGH, ctypes.addressof(buf), 0)]
for title, want, call, *args in rows:
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(numbers[call]), *[ctypes.c_ulong(a) for a in args])
    print(ctypes.get_errno() if got < 0 else 0, want, title, flush=True)
PY
/usr/bin/python3 try.py >"$scratch/outside"
expect 0 "the calls are made in a jail" warder run --policy mixed -- /usr/bin/python3 try.py
cp "$scratch/out" "$scratch/inside"
is "$(wc -l <"$scratch/inside")" 16 "all of them"
while read -r got want title <&3 && read -r before _ <&4; do
        is "$before" 0 "works outside: $title"
        is "$got" "$want" "inside: $title"
done 3<"$scratch/inside" 4<"$scratch/outside"
nothing_left "after the calls"
done_testing
