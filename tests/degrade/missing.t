#!/bin/sh
# Kernels that lack what jails are made of, one thing at a time: either another way is taken, and then every probe
# of "warder doctor --attack" is held as before, or the create fails with 125 and says at which step; nothing is
# left behind. Never a weaker jail that says nothing. A filter that all processes inherit plays the kernel.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
need unshare
deny=$top_builddir/tests/degrade/deny
[ -x "$deny" ] || skip_all "tests/degrade/deny is not built"
mkdir "$scratch/work"
cd "$scratch/work" || exit 1

expect 0 "with all calls there a jail is made" warder run -- true
nothing_left "before anything is denied"

# denied CALL STEP: what the message must name
denied() {
        for answer in ENOSYS EPERM; do
                is "$("$deny" "$1" "$answer" "$deny" "$1" check)" "$answer" "$1 is answered with $answer"
                expect 125 "without $1 ($answer) no jail is made" "$deny" "$1" "$answer" warder run -- sh -c 'echo RAN'
                hasnt "$out" RAN "and no command runs"
                has "$err" "$2" "and the step is named"
                nothing_left "without $1 ($answer)"
        done
}

denied openat2 "open /work"
denied clone3 "clone a shell"
denied mount_setattr "set the flags of a mount"
denied fsopen "open a file system"
denied fsmount "mount a file system"
denied open_tree "clone the mount"
denied move_mount "attach a mount"
denied close_range "close descriptors"

# Landlock is a second wall: default goes on without it, and the first walls hold; what requires it refuses
mkdir -p "$scratch/root/tmp" "$scratch/root/etc"
tar -C "$scratch/root" -cf "$scratch/root.tar" .
for answer in ENOSYS EPERM; do
        is "$("$deny" landlock "$answer" "$deny" landlock check)" "$answer" "landlock is answered with $answer"
        expect 0 "without landlock ($answer) every probe is held" "$deny" landlock "$answer" warder doctor --attack
        has "$out" " 0 got through" "and the doctor counts none"
        nothing_left "without landlock ($answer)"
        expect 0 "a root is imported" "$deny" landlock "$answer" warder snapshot import "degraded" "$scratch/root.tar"
        expect 125 "strict makes no jail" "$deny" landlock "$answer" warder run --policy strict --snapshot degraded -- /bin/true
        has "$err" andlock "and names landlock"
        expect 0 "the root is removed" warder snapshot rm degraded
        nothing_left "strict without landlock ($answer)"
done

# Without the v2 tree there is no cgroup.kill and no way to end a command as a whole
if [ -d /sys/fs/cgroup/unified ]; then
        expect 125 "without a cgroup v2 tree no jail is made" \
                unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec warder run -- sh -c "echo RAN"'
        hasnt "$out" RAN "and no command runs"
        has "$err" "no cgroup v2 tree" "and the tree is named"
        nothing_left "without a cgroup v2 tree"
else
        echo "# SKIP the hybrid host's v2 tree: this host has no /sys/fs/cgroup/unified"
fi
done_testing
