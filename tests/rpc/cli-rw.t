#!/bin/sh
# --rw: the jail changes the caller's own directory, as the caller, and cannot make more of it than files
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
[ -x /usr/bin/python3 ] || skip_all "no /usr/bin/python3"
need setpriv
cd "$scratch" || exit 1
user=12345
mkdir shared
echo ours >shared/file
cp /bin/cat shared/setid
chown -R $user:$user shared
chmod 4755 shared/setid

# --- what is written is written, as the caller
expect 0 "a command changes the directory" warder run --rw shared -- \
        sh -c 'echo theirs >new; rm file; mkdir sub; stat -c %u:%g . new'
is "$out" "1000:1000
1000:1000" "where its owner is the jail's user"
is "$(cat shared/new)" theirs "what it wrote is there"
ok "$([ ! -e shared/file ]; echo $?)" "what it removed is gone"
is "$(stat -c %u:%g shared/new shared/sub | sort -u)" "$user:$user" "all of it is the caller's"
expect 0 "the mount" warder run --rw shared -- grep ' /work ' /proc/self/mountinfo
has "$out" "rw,nosuid,nodev" "is writable, nosuid and nodev"
has "$out" "idmapped" "and mapped"
expect 0 "an absolute directory from elsewhere" sh -c "cd / && warder run --rw $scratch/shared -- cat new"
is "$out" theirs "is at /work as well"
jail=$(warder create --rw shared)
expect 0 "a jail that stays" warder exec "$jail" -- sh -c 'echo later >/work/later'
is "$(cat shared/later)" later "changes it too"
warder rm "$jail"
expect 2 "root of the jail" warder run --user 0 --rw shared -- sh -c 'echo x >/work/root'
ok "$([ ! -e shared/root ]; echo $?)" "is not the caller"

# --- set-id: first that the attack works outside, then that no call gives the bits inside
cat >setid.py <<'P'
import ctypes, errno, os, stat, sys
libc = ctypes.CDLL(None, use_errno=True)
os.umask(0)
def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")
def fresh(name):
    if os.path.exists(name):
        os.unlink(name)
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o755))
    return name
def by_chmod(bits): os.chmod(fresh("by_chmod"), 0o755 | bits)
def by_fchmod(bits):
    fd = os.open(fresh("by_fchmod"), os.O_RDONLY)
    try: os.fchmod(fd, 0o755 | bits)
    finally: os.close(fd)
def by_fchmodat(bits): call(268, -100, fresh("by_fchmodat").encode(), 0o755 | bits)
def by_fchmodat2(bits): call(452, -100, fresh("by_fchmodat2").encode(), 0o755 | bits, 0)
def by_high(bits): call(90, fresh("by_high").encode(), ctypes.c_ulong(0xffffffff00000000 | 0o755 | bits))
def by_open(bits): call(2, b"by_open", os.O_CREAT | os.O_WRONLY, 0o755 | bits)
def by_openat(bits): call(257, -100, b"by_openat", os.O_CREAT | os.O_WRONLY, 0o755 | bits)
def by_creat(bits): call(85, b"by_creat", 0o755 | bits)
def by_mknod(bits): call(133, b"by_mknod", stat.S_IFREG | 0o755 | bits, 0)
def by_mknodat(bits): call(259, -100, b"by_mknodat", stat.S_IFREG | 0o755 | bits, 0)
def by_openat2(bits):
    how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o755 | bits, 0)
    call(437, -100, b"by_openat2", how, ctypes.sizeof(how))
def by_tmpfile(bits):
    fd = libc.syscall(257, -100, b".", 0o20200000 | os.O_WRONLY, 0o755 | bits)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "")
    call(265, -100, f"/proc/self/fd/{fd}".encode(), -100, b"by_tmpfile", 0x400)
    os.close(fd)
def by_link(bits): os.link("setid", "by_link")
made = []
for name, f in sorted(globals().copy().items()):
    if not name.startswith("by_") or name == "by_link":
        continue
    for bits in (0o4000, 0o2000):
        if os.path.exists(name):
            os.unlink(name)
        try: f(bits)
        except OSError as e: continue
        if os.path.exists(name) and os.stat(name).st_mode & 0o6000:
            made.append(name)
print(" ".join(sorted(set(made))))
P
all="by_chmod by_creat by_fchmod by_fchmodat by_fchmodat2 by_high by_mknod by_mknodat by_open by_openat by_openat2 by_tmpfile"
# the numbers in it are this architecture's
if [ "$(uname -m)" = x86_64 ]; then
        mkdir outside
        chown $user outside
        # shellcheck disable=SC2016
        expect 0 "outside, as the caller" sh -c 'cd outside && setpriv --reuid '$user' --regid '$user' \
                --clear-groups /usr/bin/python3 - <../setid.py'
        missing=$(for way in $all; do case " $out " in *" $way "*) ;; *) echo "$way" ;; esac; done)
        [ "$missing" != by_fchmodat2 ] || missing= # Linux < 6.6
        is "$missing" "" "every way makes a set-id file"
        cp setid.py shared/
        expect 0 "in the jail" warder run --rw shared -- /usr/bin/python3 setid.py
        is "$out" "" "none does"
        expect 0 "where nothing of the caller's is changed" warder run -- sh -c 'touch x && chmod 4755 x && stat -c %a x'
        is "$out" 4755 "the bits harm nobody, and package managers have them"
fi
expect 0 "a set-id file of the caller's" warder run --rw shared -- \
        sh -c 'echo more >>setid; stat -c %a setid; chmod 4755 setid 2>/dev/null || echo denied'
is "$out" "755
denied" "loses its bits when it is changed, and does not get them back"
expect 0 "a device" warder run --rw shared -- sh -c 'mknod null c 1 3 2>/dev/null || echo denied'
is "$out" denied "cannot be made"

# --- what is refused
expect 125 "the root" warder run --rw / -- true
has "$err" "the directory is /: no jail may change it" "is the host's own place"
mkdir roots
expect 125 "a directory of root's" warder run --rw roots -- true
has "$err" "no jail writes as root" "likewise, for root too"
mkdir group
chown $user:0 group
expect 125 "one of root's group" warder run --rw group -- true
has "$err" "group root" "likewise"
expect 125 "a file" warder run --rw shared/new -- true
has "$err" "Not a directory" "is no directory"
ln -s shared link
expect 0 "a link to one" warder run --rw link -- true
sleep 60 &
sleeper=$!
setpriv --reuid $user --regid $user --clear-groups sleep 61 &
owned=$!
is_theirs() {
        [ "$(stat -c %u /proc/$owned 2>/dev/null)" = $user ]
}
eventually is_theirs
ok $? "a directory of proc that is the caller's"
expect 125 "is" warder run --rw /proc/$owned -- true
has "$err" "holds no files but what the kernel shows" "no place for files"
kill $sleeper $owned
wait $sleeper $owned 2>/dev/null
expect 125 "a policy without binds" warder run --policy agent --rw shared -- true
has "$err" "policy agent lets no jail change a directory of the host" "says so"
expect 125 "with --no-work" warder run --rw shared --no-work -- true
has "$err" "exclude each other" "it makes no sense"
is "$(warder policy show strict 2>/dev/null | grep -c '^ *binds *none')" 1 "strict has no binds"
expect 0 "without --rw" sh -c "cd shared && warder run -- sh -c 'echo changed >/work/new'"
is "$(cat shared/new)" theirs "nothing is changed"
nothing_left "after all of them"

# --- above the supervisor's own state, whoever owns it
mkdir -p home
chown $user:$user home
WARDER_STATE=$scratch/home/below/state
export WARDER_STATE
expect 125 "a directory above the state" warder run --rw home -- true
has "$err" "above the supervisor's state" "is refused by name"
done_testing
