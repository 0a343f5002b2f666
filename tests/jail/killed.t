#!/bin/sh
# processes of the supervisor killed after some of their calls, all of what they do for the store: whatever it was, the
# store is whole afterwards, nothing is half there, and nothing is left; "make faults" takes all calls
TMPDIR=${TMPDIR:-/tmp}
inject=${top_builddir:-.}/tests/jail/inject
[ ! -w /dev/shm ] || TMPDIR=/dev/shm # what is killed has not lost power: a disk would only be slow
export TMPDIR
said=$(mktemp "$TMPDIR/warder-killed-XXXXXX") || exit 1
trap 'rm -f "$said"' EXIT
n=0

try() { # try NAME OPTIONS...
        name=$1
        shift
        n=$((n + 1))
        "$inject" "$@" >"$said" 2>&1
        code=$?
        if grep -q '^1..0 # SKIP' "$said"; then
                cat "$said"
                exit 0
        fi
        [ "$code" -eq 0 ] && grep -q '^1\.\.[1-9]' "$said" && ! grep -q '^not ok\|^Bail' "$said" || printf 'not '
        echo "ok $n - $name"
        sed 's/^\([^#]\)/# \1/' "$said"
}

try "amid an import" --kill --each 1 --work import
try "the front, amid an import" --kill --each 1 --work import --front
try "a commit that ends before it began is no layer" --work import --only commit 1
try "amid a save" --kill --each 1 --work save
try "amid a fork" --kill --each 1 --work fork
try "amid a collection" --kill --each 1 --work gc
try "amid an export" --kill --each 1 --work export
if [ -e /dev/loop-control ] && { [ -x /usr/sbin/mke2fs ] || [ -x /sbin/mke2fs ]; }; then
        try "amid the making of a workspace" --kill --each 1 --work disk
else
        n=$((n + 1))
        echo "ok $n - amid the making of a workspace # SKIP loop devices and mke2fs"
fi
echo "1..$n"
