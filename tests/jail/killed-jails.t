#!/bin/sh
# as killed.t: processes of the supervisor killed after some of their calls, amid what is done to the files of jails
. "${top_srcdir:-$(dirname "$0")/../..}/tests/jail/killed-try.sh"

try "amid a save" --kill --each 1 --work save
try "amid a fork" --kill --each 1 --work fork
if [ -e /dev/loop-control ] && { [ -x /usr/sbin/mke2fs ] || [ -x /sbin/mke2fs ]; }; then
        try "amid the making of a workspace" --kill --each 1 --work disk
else
        n=$((n + 1))
        echo "ok $n - amid the making of a workspace # SKIP loop devices and mke2fs"
fi
tried
