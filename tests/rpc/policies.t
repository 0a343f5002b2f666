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
    "reaching": {**WHOLE, "egress": {"allow": ["service_tier", "tools:web_search"]}},
    "reaching-less": {"warder": "policy/1", "extends": "reaching", "egress": {"allow": ["service_tier"]}},
    "reaching-not": {"warder": "policy/1", "extends": "reaching", "egress": {"allow": []}},
    "some": child(limits={"cpuset": "0-2", "io_read": "10M", "io_write": "1M", "memory_high": "1G"}, command={"pids": 9}),
    **{f"d{i}": {"warder": "policy/1", "extends": f"d{i - 1}" if i else "default"} for i in range(4)},
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
    "reached": (child(egress={"allow": ["service_tier"]}), "invalid", "/egress/allow: service_tier is not let out"),
    "reached-more": ({"warder": "policy/1", "extends": "reaching-less", "egress": {"allow": ["tools:web_search"]}}, "invalid", "/egress/allow"),
    "reach-words": ({**WHOLE, "egress": {"allow": ["a,b"]}}, "invalid", "/egress/allow"),
    "looser": (child(limits={"memory": "64G"}), "invalid", "/limits/memory"),
    "longer": (child(command={"wall": "2h"}), "invalid", "/command/wall"),
    "network": (child(network={"mode": "host"}), "invalid", "/network/mode"),
    "profile": (child(seccomp="debug"), "invalid", "/seccomp"),
    "root": ({"warder": "policy/1", "extends": "strict", "host_root": True}, "invalid", "/host_root"),
    "binds": ({"warder": "policy/1", "extends": "strict", "binds": "rw"}, "invalid", "/binds"),
    "proc": ({"warder": "policy/1", "extends": "strict", "proc": "masked"}, "invalid", "/proc"),
    "order": (child(limits={"cpuset": "3-1"}), "invalid", "descends"),
    "beyond": (child(limits={"cpuset": "0-9999"}), "invalid", "/limits/cpuset"),
    "none": (child(limits={"memory": "0"}), "invalid", "the least there is"),
    "tiny": (child(command={"memory": "1M"}), "invalid", "/command/memory: 1 MiB is less than 4 MiB"),
    "deep": ({"warder": "policy/1", "extends": "d4"}, "invalid", "more than 4"),
    "circles": ({"warder": "policy/1", "extends": "circles2"}, "invalid", "it extends itself"),
    "circles2": ({"warder": "policy/1", "extends": "circles"}, "invalid", "it extends itself"),
    "outside": (child(limits={"cpuset": "4"}, extends="some"), "invalid", "4 is not within 0-2"),
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
write("d4", {"warder": "policy/1", "extends": "d3"})
for name, (policy, _, _) in BAD.items():
    if policy is not None:
        write(name, policy)
os.symlink("/etc/hostname", os.path.join(directory, "link.json"))

front = Front(policies=directory)
client = front.client()
listed = {p["name"]: p for p in client.call("policy.list")["result"]["policies"]}
tap.ok(set(SHIPPED) <= set(listed) and all(listed[n]["description"] and listed[n]["source"].endswith(f"/{n}.json")
                                           and "fault" not in listed[n] for n in SHIPPED),
       "policy.list has the shipped ones, what each is for, and where", listed)
tap.ok(list(listed) == sorted(listed), "sorted", list(listed))
tap.ok(all(listed[n].get("fault") for n in BAD if n in listed) and not any("fault" in listed[n] for n in GOOD),
       "and says which files are wrong", listed)
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
tap.same([client.call("policy.show", {"name": name})["result"].get("egress") for name in ("default", "reaching", "reaching-less", "reaching-not")],
         [None, {"allow": ["service_tier", "tools:web_search"]}, {"allow": ["service_tier"]}, None], "what a request to a model may ask for beside is shown")
notices = client.call("policy.show", {"name": "engine"})["result"].get("notices", [])
tap.ok(any("no_such_call" in line for line in notices) and any("capabilities" in line for line in notices),
       "what of an engine's profile is not done is said", notices)
tap.ok("notices" not in client.call("policy.show", {"name": "default"})["result"], "the shipped profile is done as written")
some = client.call("policy.show", {"name": "some"})["result"]
tap.ok(some["limits"]["cpuset"] == "0-2" and some["limits"]["io_read"] == 10 << 20 and some["limits"]["io_write"] == 1 << 20
       and some["limits"]["memory_high"] == 1 << 30 and some["command"]["pids"] == 9, "the optional limits", some)
tap.ok(some["from"]["/limits/cpuset"].endswith("/some.json:1") and some["from"]["/limits/wall"].endswith("/default.json:6")
       and [os.path.basename(s) for s in some["sources"]] == ["some.json", "default.json"], "each value with file and line", some)
for name, (_, code, part) in BAD.items():
    error = client.call("policy.show", {"name": name}).get("error", {})
    tap.ok(error.get("data", {}).get("code") in (code, "invalid") and part in error["message"], f"{name}: {code}, named", error)
tap.ok(front.alive(), "the front is alive")
front.stop()

front = Front(landlock=0, memory=1 << 30)
client = front.client()
shown = client.call("policy.show", {"name": "strict"})["result"]
tap.same(shown["missing"], ["landlock"], "without Landlock strict can be looked at, and says what the host lacks")
error = client.call("jail.create", {"policy": "strict"})["error"]
tap.ok("Landlock" in error["message"] and error["data"] == {"code": "unsupported", "path": "/policy"},
       "and makes no jail", error)
shown = client.call("policy.show", {"name": "default"})["result"]
tap.ok(shown["limits"]["memory"] == 3 << 28 and "host" in shown["from"]["/limits/memory"],
       "on a small host a jail gets at most three quarters of it, and that is said", shown)
front.stop()

# an administrator's files above the shipped ones, read anew when they change
config = os.path.join(directory, "config")
os.makedirs(os.path.join(config, "policies"))
os.chmod(config, 0o755)


def put(name, policy, mode=0o644):
    """As editors do: a new file takes the old one's name."""
    path = os.path.join(config, "policies", name + ".json")
    with open(path + "~", "w") as file:
        file.write(policy if isinstance(policy, str) else json.dumps(policy))
    os.chmod(path + "~", mode)
    os.rename(path + "~", path)


put("default", child(limits={"pids": 77}))
front = Front(config=config)
client = front.client()


def show(name):
    answer = client.call("policy.show", {"name": name})
    return answer.get("result") or answer["error"]


shown = show("default")
tap.ok(shown["limits"]["pids"] == 77 and shown["limits"]["memory"] == 4 << 30 and len(shown["sources"]) == 2,
       "an administrator's file of the same name tightens the shipped one", shown)
tap.same(show("strict")["code"] if "code" in show("strict") else 0, -32000, "a child that is now looser than its parent is refused")
put("default", child(limits={"pids": 400}))
tap.ok(show("default")["limits"]["pids"] == 400 and show("strict")["limits"]["pids"] == 256, "a changed file holds at once", show("strict"))
put("default", '{"warder": "policy/1",\n "extends": "default",\n "limits": {"pids": 9000}}')
shown = show("default")
tap.ok(shown["limits"]["pids"] == 400 and "default.json:3: /limits/pids: 9000 is more than 1024" in shown["fault"],
       "a wrong one does not: the last good one stays, and the fault is named", shown)
listed = {p["name"]: p for p in client.call("policy.list")["result"]["policies"]}
tap.ok("/limits/pids" in listed["default"]["fault"] and "source" in listed["default"], "policy.list says so", listed["default"])
with open(front.log) as file:
    words = file.read()
tap.ok("last good one stays" in words and "default.json:3" in words, "and the log", words)
put("default", child(limits={"pids": 300}))
tap.ok(show("default")["limits"]["pids"] == 300 and "fault" not in show("default"), "until it is right again", show("default"))
put("own", child(limits={"pids": 5}))
tap.same(show("own")["limits"]["pids"], 5, "a new one is there at once")
os.unlink(os.path.join(config, "policies", "own.json"))
tap.ok("no policy own" in show("own").get("message", ""), "a removed one is gone", show("own"))
put("open", child(), 0o666)
tap.ok("chmod o-w" in show("open").get("message", ""), "one that everybody may write is refused", show("open"))
os.unlink(os.path.join(config, "policies", "default.json"))
tap.same(show("default")["limits"]["pids"], 1024, "without it the shipped one holds again")

# a caller's own: text in the request
OWN = {"extends": "default", "warder": "policy/1"}


def create(policy, **more):
    request = {"file": "./mine.json", "text": json.dumps(policy)} if isinstance(policy, dict) else policy
    return client.call("jail.create", {"policy": request, **more})["error"]


error = create({**OWN, "limits": {"memory": "64G"}})
tap.ok("./mine.json:1: /limits/memory: 64 GiB is more than 4 GiB" in error["message"] and error["data"]["path"] == "/policy",
       "a caller's own policy cannot loosen", error)
error = create({"warder": "policy/1"} | WHOLE)
tap.ok('must say which one it "extends": "default", say' in error["message"], "nor stand alone", error)
error = create({**OWN, "extends": "strict"})
tap.ok("does not allow the host's own root" in error["message"], "and has what its parent refuses", error)
error = create({**OWN, "host_root": False})
tap.ok("does not allow the host's own root" in error["message"], "and what it refuses itself", error)
for file in ("strict", "x" * 150):
    error = client.call("jail.create", {"policy": {"file": file, "text": json.dumps({**OWN, "host_root": False})}})["error"]
    tap.ok(f"policy ./{file[:62]} does not" in error["message"], "and cannot be taken for an administrator's by its name", error)
shown = client.call("policy.show", {"name": {"file": "strict", "text": json.dumps({**OWN, "seccomp": "strict"})}})["result"]
tap.same((shown["name"], shown["seccomp"], shown["filter"] == show("strict")["filter"]), ("./strict", "strict", True),
         "nor when it is shown, with the filter that it chooses")
for profile in ("debug", "files", "agent"):
    error = create({**OWN, "seccomp": profile})
    tap.ok("/seccomp: another profile than default" in error["message"], f"which may not be {profile}", error)
error = create({**OWN, "extends": "../default"})
tap.ok("/extends" in error["message"], "its parent is a name", error)
for limit, value, bound in (("memory", 64 << 30, "4 GiB"), ("pids", 2000, "1024"), ("cpu", 5000, "400%"), ("wall", 90 * 3600 * 10**6, "24 h")):
    error = create("default", limits={limit: value})
    tap.ok(error["data"]["code"] == "denied" and error["data"]["path"] == f"/limits/{limit}" and bound in error["message"]
           and "default.json:" in error["message"], f"a request for more {limit}: pointer, bound, and whose it is", error)
error = create("default", limits={"cpuset": "1,"})
tap.ok(error["data"]["path"] == "/limits/cpuset" and error["data"]["code"] == "invalid", "a list of processors is one", error)


def check(text, file="x.json"):
    return client.call("policy.check", {"file": file, "text": text if isinstance(text, str) else json.dumps(text)})["result"]


tap.ok(check(WHOLE)["ok"] and check(child())["policy"]["limits"]["pids"] == 1024, "policy.check says what a good one means", check(child()))
fault = check('{"warder": "policy/1", "extends": "default",\n\n  "limits": {"pids": 12,\n "memory": "12 GB"}}')["fault"]
tap.same({**fault, "reason": ""}, {"file": "x.json", "line": 4, "field": "/limits/memory", "reason": ""}, "file, line, field")
fault = check('{"warder": "policy/1",\n ,}')["fault"]
tap.ok(fault["line"] == 2 and "column" in fault["reason"], "and the place in what is no JSON", fault)
fault = check({**WHOLE, "seccomp": "nosuch"})["fault"]
tap.ok(fault["field"] == "/seccomp" and "seccomp/nosuch.json" in fault["reason"], "a profile that is missing", fault)
fault = check({**OWN, "extends": "nosuch"})["fault"]
tap.ok(fault["field"] == "/extends" and "nosuch" in fault["reason"], "a parent that is missing", fault)
# each field: as much as the parent, less, more
FULL = {**WHOLE, "limits": {**WHOLE["limits"], "memory_high": "512M", "cpuset": "1-2", "io_read": "1M", "io_write": "1M"},
        "command": {**WHOLE["command"], "memory": "64M", "pids": 5, "cpu_time": "30s"}}
LESS_MORE = {"memory": ("512M", "1025M"), "memory_high": ("256M", "600M"), "pids": (4, 11), "cpu": ("40%", "51%"),
             "cpuset": ("2", "0-2"), "io_read": ("1023K", "1025K"), "io_write": ("1023K", "1025K"), "disk": ("99M", "101M"),
             "inodes": (999, 1001), "wall": ("59s", "61m"), "output_keep": ("1000", "1025"), "output_max": ("1023K", "1025K"),
             "nofile": (99, 101), "fsize": ("1023K", "1025K"), "cpu_time": ("29s", "31s")}
put("full", FULL)
for group in ("limits", "command"):
    for name, said in FULL[group].items():
        less, more = LESS_MORE[name] if (group, name) != ("command", "memory") else ("63M", "65M")
        for value, good in ((said, True), (less, True), (more, False)):
            answer = check({"warder": "policy/1", "extends": "full", group: {name: value}})
            fault = answer.get("fault", {})
            tap.ok(answer["ok"] if good else not answer["ok"] and (fault["field"], fault["line"]) == (f"/{group}/{name}", 1)
                   and "full.json:1 says" in fault["reason"], f"{group}.{name} {value} below {said}: {good}", answer)
tap.ok(not check({**OWN, "description": "x" * 161})["ok"], "a description is one line")
tap.ok("more than 65536 bytes" in check("é" * 40000)["fault"]["reason"], "a text has at most 64 KiB")

# a profile of the administrator's
os.makedirs(os.path.join(config, "policies", "seccomp"))
with open(os.path.join(config, "policies", "seccomp", "tiny.json"), "w") as file:
    json.dump(PROFILE, file)
put("tiny", {**WHOLE, "seccomp": "tiny"})
before = show("tiny")["filter"]
with open(os.path.join(config, "policies", "seccomp", "tiny.json"), "w") as file:
    json.dump({**PROFILE, "syscalls": [RULE, {**RULE, "names": ["write"]}]}, file)
after = show("tiny")["filter"]
tap.ok(before.startswith("sha256:") and after.startswith("sha256:") and before != after, "a changed profile is compiled anew", before, after)
tap.ok(front.alive(), "the front is alive")

# below the caller's ceiling, which may change too
with open(os.path.join(config, "ceilings.json"), "w") as file:
    file.write('{"warder": "ceilings/1",\n "users": {"0": {"limits": {"memory": "100M", "disk": "90M",\n "pids": 2000}, "command": {"wall": "5s"}}}}')
shown = show("default")
tap.ok((shown["limits"]["memory"], shown["limits"]["pids"], shown["command"]["wall"]) == (100 << 20, 1024, 5 * 10**6),
       "a ceiling lowers what the policy gives, and raises nothing", shown)
tap.ok(shown["from"]["/limits/memory"] == "ceilings.json:2, users.0" and shown["from"]["/limits/pids"].endswith("/default.json:6")
       and shown["from"]["/limits/disk"] == "half of limits.memory", "policy.show says who said what", shown["from"])
error = create("default", limits={"memory": 200 << 20})
tap.ok(error["data"]["path"] == "/limits/memory" and "100 MiB, which ceilings.json:2, users.0 says" in error["message"],
       "and so does a refusal", error)
error = create({**OWN, "limits": {"memory": "2G"}}, limits={"memory": 200 << 20})
tap.ok("ceilings.json:2" in error["message"], "a caller's own policy stands below it too", error)
tap.same(show("strict")["limits"]["memory"], 100 << 20, "and every other policy")
front.stop()

late = os.path.join(directory, "late")
os.mkdir(late)
os.chmod(late, 0o755)
front = Front(config=late)
client = front.client()
tap.same(show("default")["limits"]["pids"], 1024, "an administrator's directory without policies")
os.mkdir(os.path.join(late, "policies"))
os.rename(os.path.join(config, "policies", "full.json"), os.path.join(late, "policies", "default.json"))
tap.same(show("default")["limits"]["pids"], 10, "policies that come later are seen")
front.stop()

# what is required and the host may lack
psi = os.path.join(directory, "pressure")
os.mkdir(psi)
for resource in ("memory", "io", "cpu"):
    with open(os.path.join(psi, resource), "w") as file:
        file.write("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n")
put("needs", child(require=["psi", "landlock"]))
for abi, pressure, missing in ((7, psi, []), (7, "/dev/null", ["psi"]), (0, psi, ["landlock"]),
                               (0, "/dev/null", ["landlock", "psi"])):
    front = Front(config=config, landlock=abi, pressure=pressure)
    client = front.client()
    shown = show("needs")
    tap.ok(shown["missing"] == missing and shown["require"] == ["landlock", "psi"], f"Landlock {abi}, {os.path.basename(pressure)}: what is missing is listed", shown)
    listed = {p["name"]: p for p in client.call("policy.list")["result"]["policies"]}
    tap.same(listed["needs"]["missing"], missing, "in policy.list as well")
    if missing:
        tap.same(create("needs")["data"]["code"], "unsupported", "and no jail is made")
    front.stop()

# what the man page shows
with open(os.path.join(SOURCE, "man/warder-policy.5.scd")) as file:
    examples = file.read().split("\n```\n")[1::2]
front = Front()
client = front.client()
tap.ok(len(examples) >= 3, "warder-policy(5) has examples", len(examples))
for example in examples:
    tap.ok(check(example)["ok"], "an example of warder-policy(5) is a policy", check(example), example)
front.stop()
shutil.rmtree(directory)
tap.end()
