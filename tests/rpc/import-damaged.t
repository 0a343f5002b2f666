#!/usr/bin/env -S python3 -B
"""import-damaged: a layer that is found damaged while its content is imported again is not whole because of that: the store
keeps what it has. The monitor and the jobs on files are the test's."""
import fcntl
import os
import shutil
import stat
import struct

from front_lib import INIT_ENDED, INIT_EXEC, INIT_STARTED, JAIL_CREATE, JAIL_DESTROY, LAYER_COMMIT, LAYER_NEW, LAYER_REMOVE, Jail, Tap
from users_lib import ANN, Service, fields, need_users, snapshot_row, state_with

need_users()
tap = Tap()
RECORD_DIGEST, RECORD_TOTALS, RECORD_DONE = 5, 6, 14
CONTENT, OTHER = bytes([1]) * 32, bytes([9]) * 32


def job(front, handle, digest):
    """A job on files: it says that what it read has this digest."""
    kind, cookie, _, _ = front.request()
    assert kind == JAIL_CREATE, kind
    jail = Jail(front, cookie, handle)
    kind, number, _, fds = jail.request()
    assert kind == INIT_EXEC, kind
    jail.event(INIT_STARTED, number)
    for fd in fds:
        if stat.S_ISFIFO(os.fstat(fd).st_mode) and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
            for record, flags, a, data in (RECORD_DIGEST, 1, 0, digest), (RECORD_TOTALS, 0, 1000, b""), (RECORD_DONE, 0, 0, b""):
                os.write(fd, struct.pack("=HHIQQ", record, len(data), flags, a, 3) + data)
        os.close(fd)
    jail.event(INIT_ENDED, number)
    return jail


def requests(front, jail, wanted):
    """Until the monitor is asked for @wanted: its cookie. The jail of the job is ended meanwhile, as it is asked."""
    kinds, answer = {wanted, JAIL_DESTROY}, None
    while kinds:
        kind, cookie, _, _ = front.request()
        kinds.remove(kind)
        if kind == JAIL_DESTROY:
            jail.ended()
        else:
            answer = cookie
    return answer


def start(front, client, name, handle):
    fd = os.memfd_create("archive")
    client.send("snapshot.import", {"name": name}, [fd])
    os.close(fd)
    kind, cookie, _, _ = front.request()
    assert kind == LAYER_NEW, kind
    front.reply(cookie, handle=handle)


def part(client):
    return client.call("snapshot.show", {"name": "old"})["result"]["parts"][0]


state = state_with([snapshot_row("old", ANN, 1)])
front = Service(state=state)
shutil.rmtree(os.path.dirname(state))
ann, other = front.user(ANN), front.user(ANN)
start(front, ann, "new", 5)
commit = requests(front, job(front, 11, CONTENT), LAYER_COMMIT)
other.send("snapshot.fsck", {"name": "old"})
jail = job(front, 12, OTHER)
kind, _, _, _ = front.request()
tap.same(kind, JAIL_DESTROY, "the layer is read while it is imported again")
jail.ended()
tap.same(other.answer()["result"]["damaged_total"], 1, "and found damaged")
front.reply(commit)
answer = ann.answer()
tap.same(fields(answer)[0], "jail", "the import does not say that all is well")
tap.ok("import it again" in answer.get("error", {}).get("message", ""), "but what to do", answer)
tap.ok("fault" in part(other), "it counts as damaged still", part(other))
start(front, ann, "new", 6)
remove = requests(front, job(front, 13, CONTENT), LAYER_REMOVE)
front.reply(remove)
kind, commit, _, _ = front.request()
tap.same(kind, LAYER_COMMIT, "imported again, it makes room")
front.reply(commit)
tap.ok("result" in ann.answer(), "for the new one")
tap.ok("fault" not in part(other), "which is whole", part(other))
tap.ok(front.stop() >= 0, "the front is not killed by a signal")
tap.end()
