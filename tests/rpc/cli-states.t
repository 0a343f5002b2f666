#!/bin/sh
# diff, save, fork, snapshot export; and what tools make of a directory of a lower layer that cannot be renamed
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need jq git tar python3
cd "$scratch" || exit 1
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$top/tests/rpc" python3 -c \
        'import sys, states_lib; sys.stdout.buffer.write(states_lib.root_tar())' >root.tar || exit 1

skip() { # skip N WHY
        for _ in $(seq "$1"); do ok 0 "a tool of others # SKIP $2"; done
}

quiet_git() { git -c user.name=t -c user.email=t@example.org "$@" >/dev/null 2>&1; }

# --- a directory of the caller's, on the host's root
mkdir project && cd project && quiet_git init . || exit 1
mkdir -p dir/sub && echo one >dir/f && echo two >dir/sub/g && seq 1 50 >lines && echo gone >gone && echo build/ >.gitignore
printf '\000\001\002' >binary
quiet_git add -A && quiet_git commit -m base || exit 1
jail=$(warder create) || exit 1
expect 0 "diff of a fresh jail" warder diff "$jail"
is "$out" "" "is empty"
expect 0 "a command changes files" warder exec "$jail" -- sh -c '
        sed -i s/^7$/seven/ lines; rm gone; echo new >dir/new; chmod +x dir/f; printf "\000\003" >binary
        mkdir -p build && echo o >build/x.o; ln -s lines link; echo home >/home/user/mine'
expect 0 "diff" warder diff "$jail"
has "$out" "M       145 B  /work/lines" "has what is modified, with its size"
has "$out" "D        file  /work/gone" "what is gone"
has "$out" "A   directory  /work/build" "directories"
has "$out" "A         5 B  /home/user/mine" "and what is not at /work"
expect 0 "diff --json" warder diff --json "$jail"
is "$(echo "$out" | jq -r 'select(.path == "/work/link") | .change + " " + .kind')" "A link" "is a line of JSON each"
expect 0 "diff --patch" warder diff --patch "$jail"
hasnt "$out" build/ "leaves out what .gitignore names"
warder diff --patch "$jail" >../patch || exit 1
git clone -q . ../copy && expect 0 "git apply takes it" git -C ../copy apply "$scratch/patch"
warder exec "$jail" -- tar -C /work --exclude=.git --exclude=build -cf - . | tar -C .. --one-top-level=inside -xf -
rm -rf ../copy/.git
expect 0 "and makes of the base" diff -r --no-dereference ../copy ../inside
is "$out" "" "what is in the jail"
expect 0 "of a directory below" warder diff --patch "$jail" /work/dir
has "$out" "b/new" "the names are those there"
expect 0 "of another one" warder diff --patch "$jail" /home/user
has "$out" "+home" "it is of that"
expect 2 "a directory without --patch" warder diff "$jail" /work
expect 1 "a jail that is none" warder diff nonsense
expect 1 "no such jail" warder diff j-aaaaaaaaaa
cd "$scratch" || exit 1
expect 1 "diff from elsewhere" warder diff "$jail"
has "$err" "--work DIR" "says what to do"
expect 0 "which helps" warder diff --work project "$jail"
has "$out" /work/gone "to see it"
mkdir other
expect 1 "another directory" warder diff --work other "$jail"
has "$err" "not the directory" "is not taken for it"
cd project || exit 1
forks=$(warder fork -n 2 "$jail") || exit 1
is "$(echo "$forks" | wc -l)" 2 "fork tells the new jails"
for fork in $forks; do
        is "$(warder exec "$fork" -- sh -c 'cat dir/new /home/user/mine; cat gone; echo more >>dir/new' 2>/dev/null)" "new
home" "each fork has the files of root and /work"
done
is "$(warder exec "$jail" -- cat dir/new)" new "the first has its own"
expect 0 "diff of a fork" warder diff "$(echo "$forks" | head -1)"
is "$out" "M         9 B  /work/dir/new" "is against what it was made from"
expect 1 "save on the host's root" warder save "$jail" never
has "$err" "in no store" "says why"
expect 2 "fork of two words" warder fork "$jail" x
# shellcheck disable=SC2086
warder rm $forks "$jail"

# --- a directory of a lower layer: rename says EXDEV, and tools copy, or say so
expect 0 "rename of such a directory" warder run -- python3 -c '
import errno, os
try:
    os.rename("dir", "dir2")
except OSError as error:
    print(errno.errorcode[error.errno])'
is "$out" EXDEV "is refused by the kernel"
expect 0 "mv copies it" warder run -- sh -c 'mv dir dir2 && cat dir2/f dir2/sub/g && ! ls dir 2>/dev/null'
is "$out" "one
two" "with all that is in it"
expect 128 "git mv of it" warder run -- git -c safe.directory=/work mv dir dir2
has "$err" "cross-device" "says that"
expect 0 "of a file it works" warder run -- sh -c 'git -c safe.directory=/work mv lines rows && head -1 rows'
if warder run -- sh -c 'command -v npm' >/dev/null 2>&1; then
        mkdir -p npm/one npm/two npm/app && cd npm || exit 1
        echo '{"name":"lib","version":"1.0.0"}' >one/package.json
        echo '{"name":"lib","version":"2.0.0"}' >two/package.json
        (cd one && npm pack --silent >/dev/null 2>&1; cd ../two && npm pack --silent >/dev/null 2>&1)
        echo '{"name":"app","version":"1.0.0"}' >app/package.json
        (cd app && npm install --offline --silent --no-audit --no-fund ../one/lib-1.0.0.tgz >/dev/null 2>&1)
        expect 0 "npm replaces a package that lies in a lower layer" warder run --memory 1G -- sh -c '
                cd app && HOME=/tmp npm install --offline --silent --no-audit --no-fund ../two/lib-2.0.0.tgz >/dev/null 2>&1
                cat node_modules/lib/package.json'
        has "$out" 2.0.0 "by the new one"
        expect 0 "and removes it" warder run --memory 1G -- sh -c 'cd app && HOME=/tmp npm uninstall --offline --silent lib >/dev/null 2>&1; ls node_modules'
        hasnt "$out" lib "from there"
        cd ..
else
        skip 4 "no npm"
fi
if warder run -- sh -c 'pip3 --version' >/dev/null 2>&1; then
        mkdir -p site/thing/deep site/thing-1.0.dist-info && echo x=1 >site/thing/__init__.py && echo y >site/thing/deep/data
        cd site || exit 1
        printf 'Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n' >thing-1.0.dist-info/METADATA
        echo pip >thing-1.0.dist-info/INSTALLER
        find . -type f | sed 's,^\./,,; s/$/,,/' >RECORD && echo thing-1.0.dist-info/RECORD,, >>RECORD && mv RECORD thing-1.0.dist-info/
        cd ..
        expect 0 "pip removes a package that lies in a lower layer" warder run -- sh -c '
                PYTHONPATH=/work/site pip3 uninstall --yes --break-system-packages thing >/dev/null 2>&1 ||
                PYTHONPATH=/work/site pip3 uninstall --yes thing >/dev/null 2>&1; ls site'
        is "$out" "" "with all of it"
else
        skip 2 "no pip3"
fi
if warder run -- sh -c 'command -v dpkg && command -v dpkg-deb' >/dev/null 2>&1; then
        for version in 1 2; do
                mkdir -p deb$version/DEBIAN deb$version/opt/tool/dir$version
                printf 'Package: tool\nVersion: %s\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n' \
                        $version >deb$version/DEBIAN/control
                echo $version >deb$version/opt/tool/file
                dpkg-deb --root-owner-group -b deb$version tool$version.deb >/dev/null || exit 1
        done
        mkdir -p dpkg/var/lib/dpkg/info dpkg/var/lib/dpkg/updates dpkg/var/log && : >dpkg/var/lib/dpkg/status
        dpkg --root="$PWD/dpkg" --force-script-chrootless --force-not-root --log=/dev/null -i tool1.deb >/dev/null 2>&1
        expect 0 "dpkg, and so apt, upgrades a package that lies in a lower layer" warder run -- sh -c '
                PATH=$PATH:/sbin:/usr/sbin dpkg --root=/work/dpkg --force-script-chrootless --force-not-root --force-bad-path \
                        --log=/dev/null -i tool2.deb >/dev/null && cat dpkg/opt/tool/file && ls dpkg/opt/tool'
        is "$out" "2
dir2
file" "directories that went included"
else
        skip 2 "no dpkg"
fi

# --- an imported root
cd "$scratch" || exit 1
expect 0 "import" warder snapshot import base root.tar
jail=$(warder create --no-work --snapshot base --user 0) || exit 1
expect 0 "a command changes it" warder exec "$jail" -- sh -c 'echo saved >/srv/plain; rm -r /srv/gone; mkdir /srv/new'
expect 0 "save" warder save "$jail" changed
has "$out" "above 1 layer" "tells what it stands on"
hasnt "$err" "no part of the snapshot" "where /work is none of its own nothing is left out"
is "$(warder run --no-work --snapshot changed -- sh -c 'cat /srv/plain; ls -d /srv/new')" "saved
/srv/new" "a jail on it has that"
expect 1 "save of the same name" warder save "$jail" changed
has "$err" "already" "is refused"
expect 1 "a name with a slash" warder save "$jail" a/b
expect 1 "a name with a control byte" warder save "$jail" "$(printf 'a\033[31m')"
hasnt "$err" "$(printf '\033')" "which does not reach the terminal"
expect 2 "save without a name" warder save "$jail"
warder rm "$jail"

expect 0 "export to a file" warder snapshot export changed out.tar
is "$(tar -xOf out.tar srv/plain)" saved "is a tar of the tree"
tar -tf out.tar | grep -q srv/gone && is there gone "what was removed is not in it"
expect 0 "to stdout, into a pipe" sh -c 'warder snapshot export changed | cmp - out.tar'
expect 0 "to stdout, into a file" sh -c 'warder snapshot export changed - >again.tar && cmp again.tar out.tar'
expect 0 "over a file" warder snapshot export base out.tar
is "$(tar -xOf out.tar srv/plain)" "base plain" "takes its place"
expect 0 "to what is no file" warder snapshot export changed /dev/null
expect 0 "as an image" warder snapshot export --format oci changed image.tar
expect 0 "imported again" warder snapshot import back image.tar
is "$(warder snapshot show --json back | jq -c .layers)" "$(warder snapshot show --json changed | jq -c .layers)" \
        "it has the same layers"
expect 2 "another form" warder snapshot export --format zip changed x.tar
expect 1 "no such snapshot" warder snapshot export none x.tar
expect 1 "the host's root" warder snapshot export host x.tar
expect 1 "into a directory that is not there" warder snapshot export changed no/such/x.tar
expect 1 "over a directory" warder snapshot export changed other
is "$(ls -A | grep -c 'x\.tar')" 0 "what failed left nothing"
mkdir small
expect 1 "onto a full disk" unshare -m sh -c 'mount -t tmpfs -o size=1m none small && ! warder snapshot export changed small/x.tar ||
        exit 3; ls -A small; exit 1'
is "$out" "" "leaves nothing"
has "$err" "No space left" "and says why"
nothing_left "after all"
done_testing
