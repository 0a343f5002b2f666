#!/bin/sh
# "warder doctor" on hosts that lack something: each lack is planted, so that a check that cannot fail would be seen,
# and what the doctor says of it must come true. What it tries leaves nothing.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
need unshare setpriv jq
deny=$top_builddir/tests/degrade/deny
[ -x "$deny" ] || skip_all "tests/degrade/deny is not built"
mkdir "$scratch/work"
cd "$scratch/work" || exit 1

# state CHECK: what the last report says of it; kind KIND: whether such jails can be made
state() {
        printf '%s\n' "$out" | jq -r --arg c "$1" '.checks[] | select(.check == $c) | .state'
}
kind() {
        printf '%s\n' "$out" | jq -r --arg k "$1" '.kinds[] | select(.kind == $k) | .possible'
}

expect 0 "a host that has all" warder doctor --json
is "$(printf '%s\n' "$out" | jq '[.checks[] | select(.state != "ok" and .need == "required")] | length')" 0 "has all that is required"
[ "$(printf '%s\n' "$out" | jq '.checks | length')" -ge 50 ]
ok $? "in fifty checks or more"
is "$(kind 'the host root')" yes "and jails can be made"
has "$(printf '%s\n' "$out" | jq -r '.checks[] | select(.check == "capabilities") | .found')" \
        "all $(sed -n 's/^CapabilityBoundingSet=//p' "$top_srcdir/systemd/warder.service.in" | wc -w) " \
        "the capabilities are as many as the service's unit keeps"
is "$(kind '--rw of this directory')" no "but none that writes to a directory of root's"
expect 125 "which is refused" warder run --rw . -- true
has "$err" "belongs to root" "for that reason"
chown 60001:60001 . && expect 0 "a user's" warder doctor --json
is "$(kind '--rw of this directory')" yes "is another matter"
expect 0 "and can be shared" warder run --rw . -- true
# in a mount namespace where nobody else mounts
unshare -m sh -c 'cat /proc/self/mountinfo >before; warder doctor >said; cat /proc/self/mountinfo >after'
[ -s said ] && cmp before after
ok $? "no mount is left"
expect 0 "for people" warder doctor
has "$out" "jails with the policy strict: " "the last lines say which jails can be made"

# who asks, and whom
row() { # CHECK FIELD
        printf '%s\n' "$out" | jq -r --arg c "$1" --arg f "$2" '.checks[] | select(.check == $c) | .[$f]'
}
expect 1 "a supervisor that was named and is not there" env WARDER_SOCKET="$scratch/none" warder doctor --json
has "$(row service found)" "$scratch/none" "is the one that was looked for"
is "$(row you state)" missing "and root can make no jail by it"
expect 1 "likewise" warder doctor --json --socket "$scratch/none"
has "$(row service found)" "$scratch/none" "--socket"
if setpriv --reuid 60001 --regid 60001 --clear-groups test -x "$top_builddir/cli/warder"; then
        setpriv --reuid 60001 --regid 60001 --clear-groups env WARDER_SOCKET="$scratch/none" warder doctor --json >"$scratch/out"
        out=$(cat "$scratch/out")
        has "$(row you found)" "user id 60001: " "an ordinary user is told what he may do"
        has "$(printf '%s\n' "$out" | jq -r '.kinds[0].because')" "you: user id 60001" "and that this is why there is no jail"
fi
echo '{"warder": "policy/1", "extends": "default", "seccomp": "strict", "limits": {"pids": 40}}' >narrow.json
expect 0 "the attack, for people, under a file narrower than its own limits" warder doctor --attack --policy ./narrow.json
is "$(printf '%s\n' "$out" | sed -n 's/^[a-z-]*  *\(id 0, user\|user\|id 0\|supervisor\)  *[a-z0-9-]*  *\([a-z0-9-]*\)  .*/\1 \2/p' | sort | uniq -d)" "" \
        "has no row twice"
[ "$(printf '%s\n' "$out" | grep -c '^held  *id 0, user ')" -gt 100 ]
ok $? "most probes have one row, for id 0 and user"

# lacks CHECK KIND COMMAND…: the doctor, run by COMMAND, misses it, and says that such jails cannot be made
lacks() {
        check=$1 which=$2
        shift 2
        here=$(warder doctor --json | jq -r --arg c "$check" '.checks[] | select(.check == $c) | .state')
        if [ "$here" != ok ]; then # what is required was seen to be ok above
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - missed: $check # SKIP this host has it not: $here"
                return
        fi
        "$@" warder doctor --json >"$scratch/out" 2>"$scratch/err"
        out=$(cat "$scratch/out")
        case $(state "$check") in
        missing | weak) ok 0 "missed: $check" ;;
        *) ok 1 "missed: $check ($(state "$check"), $(head -n 3 "$scratch/err"))" ;;
        esac
        [ "$which" = - ] || is "$(kind "$which")" no "and with it: $which"
}

lacks "mount API" "the host root" "$deny" fsopen ENOSYS
lacks "mount API" "the host root" "$deny" fsmount EPERM
lacks "idmap of tmpfs" - "$deny" mount_setattr ENOSYS
lacks "idmap of this directory" "--rw of this directory" "$deny" mount_setattr ENOSYS
lacks "idmap of the state" "an imported root" "$deny" open_tree ENOSYS
lacks "overlay on tmpfs" "the policy strict" "$deny" fsopen ENOSYS
lacks openat2 "the host root" "$deny" openat2 ENOSYS
lacks clone3 "the host root" "$deny" clone3 ENOSYS
lacks pidfd_open "the host root" "$deny" pidfd_open ENOSYS
lacks close_range "the host root" "$deny" close_range ENOSYS
lacks landlock "the policy strict" "$deny" landlock ENOSYS
for name in mknod sys_ptrace setfcap fsetid; do
        lacks capabilities "the host root" setpriv --bounding-set "-$name"
        has "$(printf '%s\n' "$out" | jq -r '.checks[] | select(.check == "capabilities") | .found')" \
                "$(printf %s "$name" | tr '[:lower:]' '[:upper:]')" "$name by its name"
done
if [ -d /sys/fs/cgroup/unified ]; then
        in_mounts() {
                script=$1
                shift
                unshare -m sh -c "$script"' && exec "$@"' sh "$@"
        }
        lacks "cgroup v2 tree" "the host root" in_mounts 'umount /sys/fs/cgroup/unified'
        lacks "cgroups writable" "the host root" in_mounts 'mount -o remount,bind,ro /sys/fs/cgroup/unified'
        lacks "controller pids" "the host root" in_mounts 'umount /sys/fs/cgroup/pids'
        lacks "controller cpuset" - in_mounts 'umount /sys/fs/cgroup/cpuset'
        lacks "namespaces allowed" "the host root" in_mounts \
                'mount --bind /dev/null /proc/sys/user/max_net_namespaces'
        printf 'someone:1879113728:65536\n' >"$scratch/subuid"
        lacks "ids given away" - in_mounts "mount --bind $scratch/subuid /etc/subuid"
        lacks "idmap of this directory" "--rw of this directory" in_mounts 'cd /proc'
else
        echo "# SKIP mounts taken away: this host is not hybrid"
fi

# ---- what it says comes true
cd /proc || exit 1
expect 0 "where the file system cannot be mapped" warder doctor --json
is "$(kind '--rw of this directory')" no "the doctor says so"
cd "$scratch/work" || exit 1

# ---- a supervisor that runs is asked for its policies
cp -r "$WARDER_POLICIES" "$scratch/policies"
WARDER_POLICIES=$scratch/policies
printf '{"warder": "policy/1", "extends": "nosuch"}\n' >"$scratch/policies/wrong.json"
expect 0 "a jail that stays" warder create --no-work
jail=$out
expect 0 "the doctor beside a supervisor" warder doctor --json --socket "/run/warder/$WARDER_INSTANCE/warder.sock"
is "$(state policies)" weak "finds the policy that is wrong"
rm "$scratch/policies/wrong.json"
expect 0 "without it" warder doctor --json --socket "/run/warder/$WARDER_INSTANCE/warder.sock"
is "$(state policies)" ok "all are good"
expect 0 "the jail ends" warder rm "$jail"

# ---- without root
out=$(setpriv --reuid 65534 --clear-groups "$top_builddir/cli/warder" doctor --json 2>"$scratch/err")
is "$(state "idmap of tmpfs")" unknown "what only root can try is unknown to others, not ok"
is "$(kind 'the policy strict')" no "and one who is admitted nowhere makes no jail"
has "$(printf '%s\n' "$out" | jq -r '.kinds[] | select(.kind == "the policy strict") | .because')" "you: user id 65534" "for that reason"
nothing_left "after the doctor"
done_testing
