#!/bin/sh
# Ways out of a jail, each as one small program. An attack prints GOT when it reaches what it wanted. It runs
# outside first, where it must work (or it proves nothing: SKIP, with the word), then in a jail, where it must not.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
need python3

secret=$scratch/secret
work=$scratch/work
mkdir "$work"
echo GOT >"$secret"
chmod 600 "$secret"
ln -s "$secret" "$work/link"
echo original >"$work/file"
cp /bin/cat "$work/setid"
chmod 4755 "$work/setid"
sleep 600 &
victim=$!
python3 - "$scratch" <<'PY' &
import os, select, socket, sys
scratch = sys.argv[1]
abstract = socket.socket(socket.AF_UNIX); abstract.bind(f"\0warder-{os.path.basename(scratch)}"); abstract.listen()
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); tcp.listen()
with open(scratch + "/port.new", "w") as f:
    f.write(str(tcp.getsockname()[1]))
os.rename(scratch + "/port.new", scratch + "/port")
while True:
    for ready in select.select([abstract, tcp], [], [], 300)[0]:
        peer, _ = ready.accept(); peer.sendall(b"GOT\n"); peer.close()
PY
server=$!
mqueue=/dev/shm/warder-$$
echo GOT >"$mqueue"
shm=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).shmget(0x7761, 4096, 0o1666))')
trap 'kill $victim $server 2>/dev/null; rm -f "$mqueue"; ipcrm -m "$shm" 2>/dev/null; clean_up' EXIT
while [ ! -e "$scratch/port" ]; do kill -0 "$server" || skip_all "no sockets"; done
port=$(cat "$scratch/port")
abstract=warder-$(basename "$scratch")
canary=CANARY-$$
export canary
cd "$work" || exit 1
exec 9<"$secret"

# attack NAME SCRIPT [OPTION…]: the script's words are the same on both sides
attack() {
        name=$1 script=$2
        shift 2
        outside=$(sh -c "$script" 2>"$scratch/outside.err" </dev/null)
        case $outside in
        *GOT*) ;;
        *)
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - $name # SKIP it does not work outside either: $(head -c 80 "$scratch/outside.err" | tr '\n' ' ')"
                return
                ;;
        esac
        inside=$(warder run "$@" -- sh -c "$script" 2>"$scratch/inside.err" </dev/null)
        hasnt "$inside" GOT "held: $name"
}

# ---- files
attack "read a root-only file by its path" "cat $secret"
attack "follow a link out of the work directory" "cat link"
attack "read a descriptor that the caller left open" "cat <&9"
attack "find a descriptor of the supervisor" \
        'for fd in /proc/self/fd/*; do n=${fd##*/}; [ "$n" -gt 2 ] && [ -e "$fd" ] && { [ -s "$fd" ] && cat "$fd"; }; done 2>/dev/null'
attack "climb out by .." "cat ../../../../../../../../..$secret"
attack "read the host's shadow file" 'grep -q . /etc/shadow && echo GOT'
attack "see the host's root directory by process 1" 'ls /proc/1/root/etc/shadow && echo GOT'
attack "see files of the host below /dev/shm" "cat $mqueue"
attack "make a device node" "mknod $scratch/null-\$\$ c 1 3 && rm -f $scratch/null-\$\$ && echo GOT"
attack "make a device node in its own directory" 'mknod /tmp/warder-$$ c 1 3 && rm /tmp/warder-$$ && echo GOT'
attack "handle its own page faults by a device" 'exec 8</dev/userfaultfd && echo GOT'
attack "open the disk" 'head -c 1 /dev/vda >/dev/null && echo GOT || { head -c 1 /dev/sda >/dev/null && echo GOT; }'
attack "read kernel memory's map" 'head -n 1 /proc/kallsyms | grep -q . && head -c 1 /proc/kcore >/dev/null && echo GOT'
attack "write a kernel setting" 'v=$(cat /proc/sys/kernel/panic) && echo "$v" >/proc/sys/kernel/panic && echo GOT'
attack "read the host's mount table" "grep -q ' / ext4 \\| / xfs \\| / btrfs \\| / overlay rw.*lowerdir=/var' /proc/mounts && [ -d /var/lib/dpkg/info ] && echo GOT"
attack "reach the cgroup file systems" 'ls /sys/fs/cgroup/ | grep -q . && echo GOT'
attack "write to the host's programs" 'touch /usr/bin/warder-$$ && rm /usr/bin/warder-$$ && echo GOT'
attack "change the host's /dev/null" 'm=$(stat -c %a /dev/null) && chmod "$m" /dev/null && echo GOT'
expect 0 "the work directory can be written inside" warder run -- sh -c 'echo changed >file && rm link && cat file'
is "$(cat "$work/file")" original "held: the caller's own file is as it was"
[ -L "$work/link" ]
ok $? "held: a removed file is removed in the jail only"

# ---- processes
attack "see the host's processes" "[ -d /proc/$victim ] && grep -q sleep /proc/$victim/comm && echo GOT"
attack "signal a process of the host" "kill -0 $victim && echo GOT"
attack "trace a process of its own" 'python3 -c "
import ctypes, os, signal
pid = os.fork()
if pid == 0: signal.pause()
print(\"GOT\" if ctypes.CDLL(None).ptrace(16, pid, 0, 0) == 0 else \"no\", flush=True)
os.kill(pid, 9)"'
attack "lower the limits of process 1" 'python3 -c "
import resource; resource.prlimit(1, resource.RLIMIT_CORE, resource.prlimit(1, resource.RLIMIT_CORE)); print(\"GOT\")"'
attack "change how process 1 is scheduled" 'python3 -c "
import os; os.sched_setaffinity(1, os.sched_getaffinity(1)); print(\"GOT\")"'
attack "read the memory of process 1" 'head -c 1 /proc/1/environ >/dev/null && echo GOT'
attack "read the environment of the caller" '[ -n "$canary" ] && echo GOT'
expect 0 "process 1 cannot be killed" warder run -- sh -c 'kill -9 1; kill -TERM 1; echo alive'
has "$out" alive "and the jail goes on"

# ---- rights
attack "become root by a set-id program" \
        'python3 -c "
import os, subprocess
if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(subprocess.run([\"./setid\", \"/proc/self/status\"], capture_output=True, text=True).stdout)" | grep -q "^Uid:[^0-9]*[0-9]*[^0-9]0[^0-9]" && echo GOT'
attack "have any capability" 'grep -q "^CapEff:.*[1-9a-f]" /proc/self/status && echo GOT'
attack "gain a capability by a new user namespace" 'unshare -Ur true && echo GOT'
attack "mount a file system" 'unshare -m mount -t tmpfs none /mnt && echo GOT'
attack "load a new program into the kernel (bpf)" 'python3 -c "
import ctypes
buf = ctypes.create_string_buffer(128); ctypes.memmove(buf, b\"\\x01\\0\\0\\0\\x04\\0\\0\\0\\x04\\0\\0\\0\\x01\\0\\0\\0\", 16)
print(\"GOT\" if ctypes.CDLL(None).syscall(321, 0, buf, 72) >= 0 else \"no\")"'
attack "become another id" 'python3 -c "import os; os.setuid(1234); print(\"GOT\")"'
attack "read the kernel log" 'dmesg >/dev/null && echo GOT'
attack "set the host name" 'hostname "$(hostname)" && echo GOT'

# ---- networks and channels
connect='python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX if sys.argv[1][0] == \"@\" else socket.AF_INET)
s.connect(\"\\0\" + sys.argv[1][1:] if sys.argv[1][0] == \"@\" else (\"127.0.0.1\", int(sys.argv[1])))
print(s.recv(9).decode())"'
attack "reach a service on the host's loopback" "$connect $port"
attack "reach an abstract socket of the host" "$connect @$abstract"
attack "see the host's interfaces" 'ls /sys/class/net /proc/sys/net/ipv4/conf | grep -v "^\\(lo\\|all\\|default\\|/.*\\|\\)$" | grep -q . && echo GOT'
attack "reach the shared memory of the host" \
        'python3 -c "import ctypes; print(\"GOT\" if ctypes.CDLL(None).shmget(0x7761, 4096, 0o666) >= 0 else \"no\")"'
attack "reach the supervisor's own socket" "[ -S /run/warder/$WARDER_INSTANCE/warder.sock ] || [ -d /run/warder ] && echo GOT"
attack "learn the host's machine id" '[ -s /etc/machine-id ] && echo GOT'

# ---- exhaustion: what a limit names works outside
attack "take more memory than it may" "python3 -c 'x = b\"x\" * (200 << 20); print(\"GOT\")'" --memory 64M
attack "start more processes than it may" \
        'i=0; while [ $i -lt 40 ]; do sleep 2 & i=$((i + 1)); done && echo GOT; kill $(jobs -p)' --pids 20
attack "fill the disk" "head -c 60M /dev/zero >/tmp/warder-fill-\$\$ && echo GOT; rm -f /tmp/warder-fill-\$\$" --disk 16M
attack "outlive its time" 'sleep 3 && echo GOT' --time 1s
attack "burn more processor time than it may" \
        'python3 -c "
import time
while time.process_time() < 3: pass
print(\"GOT\")"' --cpu-time 1s

exec 9<&-
nothing_left "after the attacks"
done_testing
