#!/bin/bash
# service: the installed service under systemd, as an administrator and two ordinary users meet it. Runs in the
# virtual machine of check-vm only: it adds users to groups and starts units.
[ -e /payload/installed.tar ] || {
        echo "1..0 # SKIP runs in the virtual machine: make check-vm"
        exit 0
}
n=0 failed=0
ok() { # ok STATUS NAME
        n=$((n + 1))
        if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else
                failed=1
                echo "not ok $n - $2"
                printf '%s\n' "${out:-}" "${err:-}" | head -n 20 | sed 's/^/# /'
        fi
}
as() { # as USER COMMAND…: as that user at a login would be
        local user=$1
        shift
        (cd "/home/$user" && setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all -- \
                env -i HOME="/home/$user" PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 "$@")
}
expect() { # expect CODE NAME COMMAND…
        local want=$1 name=$2 code=0
        shift 2
        out=$("$@" 2>/tmp/err </dev/null) || code=$?
        err="code $code: $(cat /tmp/err)"
        [ "$code" -eq "$want" ]
        ok $? "$name"
}
says() { # says TEXT NAME: in what the last expect printed
        case "$out$err" in *"$1"*) ok 0 "$2" ;; *) ok 1 "$2 (wanted: $1)" ;; esac
}

usermod -aG warder ann
usermod -aG warder bob
expect 0 "the socket starts" systemctl start warder.socket
expect 0 "root runs a command" warder run -- true
expect 0 "a member of the group does" as ann warder run -- id -u
says 1000 "as the jail's user"
expect 0 "the unit's exposure" systemd-analyze security --no-pager --threshold=50 warder.service
exposure=$(systemd-analyze security --no-pager warder.service | grep -o 'service: [0-9.]*')
echo "# systemd-analyze security, warder.$exposure"

echo mine >/home/ann/f && chown ann: /home/ann/f
expect 0 "a home directory is at /work" as ann warder run -- sh -c 'cat f; echo changed >f; cat f'
says "changed" "copy-on-write"
[ "$(cat /home/ann/f)" = mine ]
ok $? "and is as it was, though the service sees no homes"
expect 0 "a directory in /tmp is, though the service has a /tmp of its own" \
        as ann sh -c 'mkdir -p /tmp/ann && cd /tmp/ann && echo x >g && warder run -- cat g'
says x "its file is read"
expect 0 "--rw writes to it" as ann sh -c 'cd /tmp/ann && warder run --rw . -- sh -c "echo new >h" && cat h'
says new "what was written is there"

useradd -m eve
expect 125 "who is not of the group is turned away" as eve warder run -- true
expect 0 "ann makes a jail that stays" as ann warder create
jail=$(printf '%s\n' "$out" | grep -o 'j-[a-z2-7]*' | head -n 1)
expect 0 "she sees it" as ann warder ls
says "${jail:-no id}" "by its id"
expect 0 "bob lists his jails" as bob warder ls
case "$out" in *j-*) ok 1 "and does not see ann's" ;; *) ok 0 "and does not see ann's" ;; esac
expect 125 "nor can he use it" as bob warder exec "$jail" -- true
says "no jail" "which does not exist for him"
expect 0 "ann can end it" as ann warder rm "$jail"

expect 137 "a memory hog" as ann warder run --memory 64M -- sh -c 'head -c 200M /dev/zero | tail'
says memory "ends for want of memory, said by name"
expect 124 "a sleeper" as ann warder run --time 2s -- sleep 60
expect 0 "a daemon that left its session" as ann warder run -- sh -c 'setsid sleep 1000 & true'
sleep 1
! pgrep -x -f 'sleep 1000' >/dev/null
ok $? "is gone with its jail"
expect 0 "a compiler runs" as ann sh -c \
        'cd /tmp/ann && echo "int main(void){return 7;}" >m.c && warder run -- sh -c "cc m.c -o m && ./m; test \$? = 7"'

mkdir -p /run/systemd/system/warder.service.d
printf '[Service]\nDeviceAllow=\n' >/run/systemd/system/warder.service.d/none.conf
systemctl daemon-reload && systemctl restart warder.service
expect 125 "a service without loop devices makes no workspace" as ann warder run --persistent dev --disk 64M -- true
says "loop" "and says what it lacks"
rm -r /run/systemd/system/warder.service.d
systemctl daemon-reload && systemctl restart warder.service
expect 0 "with those of its unit it does" as ann warder run --persistent dev --disk 64M -- sh -c 'echo kept >/home/user/f'
expect 0 "and starts it again" as ann warder run --persistent dev -- cat /home/user/f
says kept "as it was left"
expect 0 "it is removed with its disk" as ann warder rm --force dev

pid=$(systemctl show -p MainPID --value warder.service)
kill -KILL "$pid"
sleep 3
expect 0 "after kill -9 of the monitor the next call works" as ann warder run -- true
expect 0 "the service stops" systemctl stop warder.service warder.socket
sleep 1
left=$(find /sys/fs/cgroup -type d -name 'j[0-9]*' -path '*warder*'; pgrep -l 'warder'; grep warder /proc/self/mountinfo)
[ -z "$left" ]
ok $? "and leaves nothing${left:+: $left}"
expect 0 "it starts again" systemctl start warder.socket
for policy in default ci strict; do
        snapshot=host
        if [ "$policy" = strict ]; then
                mkdir -p /tmp/root/{bin,etc,tmp,dev,proc,work,run} && cp "$(command -v busybox)" /tmp/root/bin/busybox &&
                        ln -sf busybox /tmp/root/bin/sh && tar -C /tmp/root -cf /tmp/root.tar .
                snapshot=small
                expect 0 "a root is imported" warder snapshot import small /tmp/root.tar
        fi
        expect 0 "doctor --attack is clean under $policy" \
                warder doctor --attack --policy "$policy" --snapshot "$snapshot"
        printf '%s\n' "$out" | grep -v '^held' | tail -n 30 | sed 's/^/# /'
done
systemctl stop warder.service warder.socket
echo "1..$n"
exit $failed
