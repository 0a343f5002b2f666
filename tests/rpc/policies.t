#!/usr/bin/env -S python3 -B
"""policies: the shipped ones are whole; a child may only tighten; what is wrong is refused by name."""
import json
import os
import shutil
import tempfile

from front_lib import SOURCE, Front, Tap

tap = Tap()
SHIPPED = ["agent", "ci", "debug", "default", "files", "strict"]
directory = tempfile.mkdtemp(prefix="warder-policies-")
shutil.copytree(os.path.join(SOURCE, "policies"), directory, dirs_exist_ok=True)


def write(name, policy, folder=""):
    with open(os.path.join(directory, folder, name + ".json"), "w") as file:
        file.write(policy if isinstance(policy, str) else json.dumps(policy))


def child(**more):
    return {"warder": "policy/1", "extends": "default", **more}


WHOLE = {"warder": "policy/1", "limits": {"memory": "1G", "pids": 10, "cpu": "50%", "disk": "100M", "inodes": 1000,
         "wall": "1h", "output_keep": "1K", "output_max": "1M"}, "command": {"wall": "1m", "nofile": 100, "fsize": "1M"},
         "network": {"mode": "none"}, "binds": "none", "proc": "masked", "host_root": True, "seccomp": "default"}
RULE = {"names": ["read"], "action": "SCMP_ACT_ALLOW"}
PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [RULE]}

GOOD = {
    "comment": "// said\n" + json.dumps(child()) + "/* done */",
    "example": child(limits={"memory": "2G", "pids": 512, "cpu": "200%", "disk": "4G", "inodes": 200000, "wall": "30m",
                             "output_keep": "256K", "output_max": "64M"}, command={"memory": "1G", "wall": "10m"},
                     network={"mode": "none"}, binds="none", seccomp="default", require=["landlock"]),
    "whole": WHOLE,
    "engine": {**WHOLE, "seccomp": "engine"},
}
write("engine", {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "archMap": [], "syscalls": [
    RULE, {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
    {"names": ["s390_pci_mmio_read"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
    {"names": ["no_such_call"], "action": "SCMP_ACT_ALLOW"}]}, "seccomp")
BAD = {
    "nojson": ("{", "invalid", ""),
    "future": ({"warder": "policy/2", "extends": "default"}, "invalid", "/warder"),
    "unknown": (child(colour="red"), "invalid", "colour"),
    "partial": ({"warder": "policy/1", "limits": {"memory": "1G"}}, "invalid", ""),
    "unit": (child(limits={"memory": "1 GB"}), "invalid", "/limits/memory"),
    "looser": (child(limits={"memory": "64G"}), "invalid", "limits.memory"),
    "longer": (child(command={"wall": "2h"}), "invalid", "command.wall"),
    "network": (child(network={"mode": "host"}), "invalid", "/network/mode"),
    "profile": (child(seccomp="debug"), "invalid", "seccomp"),
    "root": ({"warder": "policy/1", "extends": "strict", "host_root": True}, "invalid", "host root"),
    "orphan": ({"warder": "policy/1", "extends": "nosuch"}, "not_found", "nosuch"),
    "circle": ({"warder": "policy/1", "extends": "circle"}, "invalid", "extends"),
    "nofilter": ({**WHOLE, "seccomp": "nosuch"}, "not_found", "seccomp/nosuch"),
    "allowall": ({**WHOLE, "seccomp": "allowall"}, "invalid", "default must refuse"),
    "action": ({**WHOLE, "seccomp": "action"}, "invalid", "/syscalls/0: \"SCMP_ACT_MAYBE\""),
    "args": ({**WHOLE, "seccomp": "args"}, "invalid", "index"),
    "link": (None, "internal", "link"),
}
write("allowall", {**PROFILE, "defaultAction": "SCMP_ACT_ALLOW"}, "seccomp")
write("action", {**PROFILE, "syscalls": [{"names": ["read"], "action": "SCMP_ACT_MAYBE"}]}, "seccomp")
write("args", {**PROFILE, "syscalls": [{**RULE, "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]}]}, "seccomp")
for name, policy in GOOD.items():
    write(name, policy)
for name, (policy, _, _) in BAD.items():
    if policy is not None:
        write(name, policy)
os.symlink("/etc/hostname", os.path.join(directory, "link.json"))

front = Front(policies=directory)
client = front.client()
names = client.call("policy.list")["result"]["policies"]
tap.ok(set(SHIPPED) <= set(names), "policy.list has the shipped ones", names)
for name in SHIPPED + list(GOOD):
    answer = client.call("policy.show", {"name": name})
    policy = answer.get("result", {})
    tap.ok(policy.get("name") == name and policy["limits"]["memory"] > 0 and policy["filter"].startswith("sha256:")
           and policy["limits"]["disk"] <= policy["limits"]["memory"] // 2, f"{name} is whole", answer)
strict = client.call("policy.show", {"name": "strict"})["result"]
tap.ok(not strict["host_root"] and strict["require"] == ["landlock"] and strict["limits"]["output_max"] == 64 << 20,
       "strict refuses the host root, requires Landlock, inherits the rest", strict)
tap.same(client.call("policy.show", {"name": "example"})["result"]["command"]["memory"], 1 << 30,
         "command.memory is the command's")
notices = client.call("policy.show", {"name": "engine"})["result"].get("notices", [])
tap.ok(any("no_such_call" in line for line in notices) and any("capabilities" in line for line in notices),
       "what of an engine's profile is not done is said", notices)
tap.ok("notices" not in client.call("policy.show", {"name": "default"})["result"], "the shipped profile is done as written")
for name, (_, code, part) in BAD.items():
    error = client.call("policy.show", {"name": name}).get("error", {})
    tap.ok(error.get("data", {}).get("code") in (code, "invalid") and part in error["message"], f"{name}: {code}, named", error)
tap.ok(front.alive(), "the front is alive")
front.stop()

front = Front(landlock=0, memory=1 << 30)
client = front.client()
error = client.call("policy.show", {"name": "strict"})["error"]
tap.ok("Landlock" in error["message"], "without Landlock strict is not to be had", error)
tap.same(client.call("policy.show", {"name": "default"})["result"]["limits"]["memory"], 3 << 28,
         "on a small host a jail gets at most three quarters of it")
front.stop()
shutil.rmtree(directory)
tap.end()
