#!/usr/bin/env -S python3 -B
"""logged: what an init says that a command in the background has written is checked before anybody reads it."""
import os

from front_lib import INIT_EXEC, INIT_LOGGED, INIT_LOGS, INIT_STARTED, Tap, sealed
from users_lib import ANN, Service, need_users

need_users()
tap = Tap()
front = Service()
ann = front.user(ANN)
NAME, jail = front.create(ann, 7)
ann.send("jail.exec", {"jail": NAME, "argv": ["sleep"], "detach": True})
kind, number, _, _ = jail.request()
tap.same(kind, INIT_EXEC, "a command is started")
jail.event(INIT_STARTED, number)
command = ann.answer()["result"]["command"]


def logs(fds, **more):
    ann.send("jail.logs", {"jail": NAME, "command": command})
    kind, number, _, _ = jail.request()
    assert kind == INIT_LOGS, kind
    jail.event(INIT_LOGGED, number, fds=fds, **more)
    return ann.answer()


fd = sealed(b"0123456789")
answer = logs([fd], seen=(20, 0), kept=(10, 0), cut=(5, 0))
tap.same({k: answer["result"][k] for k in ("seen", "kept", "cut_at")}, {"seen": 20, "kept": 10, "cut_at": 5}, "what is true is told")
answer = logs([fd], seen=(2000, 0), kept=(1000, 0), cut=(900, 0))
tap.same((answer["result"]["kept"], answer["result"]["cut_at"]), (10, 10), "no more is kept than there is")
memory = os.memfd_create("open", os.MFD_ALLOW_SEALING)
os.write(memory, b"0123456789")
tap.ok("error" in logs([memory], kept=(10, 0)), "what may still be changed is not handed on")
reader, writer = os.pipe()
tap.ok("error" in logs([reader], kept=(10, 0)), "nor what is no file")
tap.ok("error" in logs([]), "nor nothing")
tap.ok("result" in logs([fd], kept=(10, 0)), "and the next is asked as before")
tap.ok(front.stop() >= 0, "the front is not killed by a signal")
tap.end()
