#!/usr/bin/env -S python3 -B
"""admission: who may use the socket: in service mode the groups, in private mode the owner; uid 0 always."""
import os
import sys

from front_lib import BUILD, Client, Closed, Front, Tap

if os.geteuid() != 0:
    print("1..0 # SKIP root, to become other users")
    sys.exit(0)

tap = Tap()
GROUP, ADMIN = 60101, 60102


def asks_as(front, uid, gid, groups, method="warder.info", params=None):
    """What a process of these ids gets: "ok", a code, or "closed"."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        word = "broken"
        try:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            answer = Client(front.path).call(method, params)
            word = "ok" if "result" in answer else answer["error"]["data"]["code"]
        except Closed:
            word = "closed"
        finally:
            os.write(writer, word.encode())
            os._exit(0)
    os.close(writer)
    word = os.read(reader, 100).decode()
    os.close(reader)
    os.waitpid(pid, 0)
    return word


service = Front(warder_gid=GROUP, admin_gid=ADMIN)
tap.same(asks_as(service, 0, 0, []), "ok", "service: root")
tap.same(asks_as(service, 60001, 60001, []), "denied", "service: a user of no group is turned away with a sentence")
tap.same(asks_as(service, 60001, 60001, [5, GROUP]), "ok", "service: a member of the group")
tap.same(asks_as(service, 60001, GROUP, []), "ok", "service: as primary group, which the kernel does not list")
tap.same(asks_as(service, 60001, ADMIN, []), "ok", "service: an administrator")
tap.same(asks_as(service, 60001, 60001, list(range(60500, 60600))), "denied", "service: other groups do not help")

client = service.client()
client.send("jail.create", {"keep": True})
service.jail(1)
jail = client.answer()["result"]["jail"]
tap.same(asks_as(service, 60001, GROUP, [], "jail.show", {"jail": jail}), "not_found", "another's jail is not there")
tap.same(asks_as(service, 60001, ADMIN, [], "jail.show", {"jail": jail}), "ok", "for an administrator it is")
service.stop()

nobody = Front()
tap.same(asks_as(nobody, 60001, 60001, [0xfffffffe]), "denied", "service without groups: root only")
nobody.stop()

# the command tells what the front said

CLI = os.open(os.path.join(BUILD, "cli/warder"), os.O_RDONLY | os.O_CLOEXEC)  # which others may be unable to reach


def command_as(front, uid, groups, *words):
    """Exit code and all that the command says, run as another user."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups(groups)
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.chdir("/")
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.execve(CLI, ["warder", *words], {"WARDER_SOCKET": front.path})
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        text = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


service = Front(warder_gid=GROUP, admin_gid=ADMIN)
for want, words in ((1, ["ls"]), (125, ["run", "--no-work", "--", "true"]), (1, ["create"]), (1, ["policy", "list"])):
    code, text = command_as(service, 60001, [], *words)
    tap.ok(code == want and "may not use this supervisor: ask its administrator" in text,
           f"warder {words[0]}, of no group: told what to do", code, text)
tap.same(command_as(service, 60001, [GROUP], "ls")[0], 0, "of the group: served")
crowd = [service.client() for _ in range(64)]
for client in crowd:
    client.call("warder.info")
for words in (["ls"], ["run", "--", "true"]):
    code, text = command_as(service, 0, [], *words)
    tap.ok(code != 0 and "too many connections are open" in text, f"warder {words[0]}, a connection too many: told so", text)
service.stop()

private = Front(private=True, owner_uid=60001)
tap.same(asks_as(private, 60002, GROUP, [GROUP]), "denied", "private: another user")
private.stop()
private = Front(private=True, owner_uid=60001)
tap.same(asks_as(private, 60001, 60001, []), "ok", "private: its owner")
tap.same(os.waitpid(private.pid, 0)[1], 0, "private: it ends by itself when its only client has gone")
tap.end()
