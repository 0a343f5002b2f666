#!/bin/sh
# snapshot import, list, show, rm, and a jail on an imported root
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need jq tar gzip xz zstd bzip2
cd "$scratch" || exit 1

# a root of one static program: sh as the host has it needs libraries, so take those along
mkdir -p root/bin root/lib64 root/lib/x86_64-linux-gnu root/etc
for program in sh cat id ls; do
        cp "$(command -v $program)" root/bin/
        ldd "$(command -v $program)" | grep -o '/[^ ]*' | while read -r library; do
                mkdir -p "root$(dirname "$library")"
                cp -L "$library" "root$library"
        done
done
echo imported >root/etc/mark
chmod 4755 root/bin/id
tar -C root -cf root.tar .

expect 0 "import" warder snapshot import one root.tar
has "$out" sha256: "names the layer"
has "$err" "did not land" "and what was cleaned"
has "$err" "bin/id" "by its path"
has "$err" "(set-id)" "and by the rule"
layer=$(echo "$out" | grep -o 'sha256:[0-9a-f]*')
printf 'x' >"root/plain"
tar -C root --transform "s,^plain,$(printf '\033[31mred')/../plain," -cf escape.tar plain
rm root/plain
expect 1 "import of a name with an escape sequence" warder snapshot import escape escape.tar
hasnt "$err" "$(printf '\033')" "does not send it to the terminal"
has "$err" '[31mred' "but shows it"
for program in gzip xz zstd bzip2; do
        expect 0 "import through $program, from stdin" \
                sh -c "$program -c <root.tar | warder snapshot import $program -"
        has "$out" "$layer" "is the same layer"
done
expect 0 "a jail on it" warder run --snapshot one -- sh -c 'cat /etc/mark; id -u; ls -l /bin/id'
has "$out" imported "has its files"
hasnt "$out" rws "without set-id bits"
expect 0 "the variable chooses too" env WARDER_SNAPSHOT=xz warder run -- cat /etc/mark
expect 0 "list" warder snapshot list --json
is "$(echo "$out" | jq -r '.snapshots[].name' | sort | tr '\n' ' ')" "bzip2 gzip host one xz zstd " \
        "has all of them, and the host"
expect 0 "show" warder snapshot show one
has "$out" "$layer" "has the layer"
expect 0 "rm" warder snapshot rm one
expect 1 "show of what is gone" warder snapshot show one
expect 1 "rm of what is gone" warder snapshot rm one
expect 1 "rm of the host" warder snapshot rm host

# --- container images: the tree as the only layer of an image
cat >image.py <<'PYTHON'
import sys
from image_lib import Image, unpack_to
layer = open("root.tar", "rb").read()
config = {"Env": ["MARK=of the image"], "User": "7:8", "WorkingDir": "/etc", "Entrypoint": ["/bin/sh", "-c"],
          "Cmd": ["id -u; cat mark; echo $MARK"]}
image = Image(layer, config=config)
open("image.tar", "wb").write(image.layout())
open("docker.tar", "wb").write(image.docker())
unpack_to(image.layout(), "image")
PYTHON
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="${top_srcdir:-$(dirname "$0")/../..}/tests/rpc" python3 image.py || exit 1
expect 0 "import of an OCI layout" warder snapshot import layout image.tar
has "$out" "$layer" "is the same layer"
expect 0 "of a directory that is one" warder snapshot import dir image
has "$out" "$layer" "is the same layer"
expect 0 "of docker save, from stdin" sh -c 'warder snapshot import docker - <docker.tar'
has "$out" "$layer" "is the same layer"
expect 0 "its own command" warder run --snapshot docker
is "$out" "7
imported
of the image" "has user, directory and environment of the image"
expect 0 "a command that is given" warder run --no-work --snapshot docker -- /bin/sh -c 'cat mark; echo "$MARK"'
is "$out" "imported
of the image" "has them too"
expect 0 "show" warder snapshot show docker
has "$out" "user 7:8" "has the user"
has "$out" "MARK=of the image" "and the environment"
expect 125 "no command, and no image" warder run --snapshot gzip
has "$err" "no command" "says so"
expect 1 "an image of a name" warder snapshot import --image none bad image.tar
for name in layout dir docker; do warder snapshot rm $name >/dev/null || exit 1; done

# --- how far it is, on a terminal: the archive comes in pieces, so that something is told in between
cat >slow.sh <<'SHELL'
{ head -c 1200000 root.tar; sleep 1; tail -c +1200001 root.tar | head -c 1200000; sleep 1; tail -c +2400001 root.tar; } |
        warder snapshot import slow -
SHELL
python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "slow.sh"])))' >terminal </dev/null
is $? 0 "import on a terminal"
has "$(cat terminal)" " files, " "tells how far it is"
has "$(cat terminal)" "/s" "and how fast"
expect 0 "rm" warder snapshot rm slow
on_terminal() {
        python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@" >terminal </dev/null
}
mkdir large
head -c 150M /dev/urandom >large/noise
expect 0 "import --json" warder snapshot import --json large large
has "$out" snapshot.progress "tells how far it is, too"
on_terminal warder snapshot export large large.tar
is $? 0 "export on a terminal"
has "$(cat terminal)" " written, " "tells how far it is"
expect 0 "export --json" warder snapshot export --json large large.tar
has "$out" snapshot.progress "tells it as events"
warder snapshot export --json large >piped.tar
is $? 0 "export --json to stdout"
cmp -s large.tar piped.tar
is $? 0 "where nothing but the archive goes"
on_terminal warder snapshot fsck large
is $? 0 "fsck on a terminal"
has "$(cat terminal)" "layer 1 of 1, " "tells how far it is"
expect 0 "rm" warder snapshot rm large
has "$out" "1 layer removed" "which removes one layer, and says it as one does"
rm -r large large.tar piped.tar

# --- what the user may not read: under sudo the one that called it
mkdir shut
touch shut/a shut/b shut/c shut/d shut/e shut/f shut/open
chmod 000 shut/[a-f]
expect 0 "import of a directory with private files" env SUDO_UID=65534 SUDO_GID=65534 warder snapshot import shut shut
is "$(printf '%s\n' "$err" | grep -c 'left out, not readable: [a-f]$')" 5 "names the first that are left out"
has "$err" "left out, not readable: 1 more" "and counts the others"
expect 0 "rm" warder snapshot rm shut

# --- a directory, as tar packs it
tar -C root --format=posix -cf posix.tar .
expect 0 "import of an archive with exact times" warder snapshot import exact posix.tar
exact=$(echo "$out" | grep -o 'sha256:[0-9a-f]*')
expect 0 "import of a directory" warder snapshot import tree root
has "$out" "$exact" "is the layer of its archive"
mkdir -p odd/deep/er && printf 'a\nb' >odd/deep/file && ln odd/deep/file odd/deep/other && ln -s ../x odd/deep/er/link
chmod 640 odd/deep/file && chmod 1750 odd/deep && truncate -s 3M odd/hole && printf end >>odd/hole && mkfifo odd/fifo
python3 -c 'import os; os.setxattr("odd/deep/file", "user.mark", b"here")' 2>/dev/null || echo "# no attributes of users here"
tar -C odd --xattrs -cf odd.tar .
expect 0 "import of its archive" warder snapshot import odd-tar odd.tar
odd=$(echo "$out" | grep -o 'sha256:[0-9a-f]*')
expect 0 "import of a directory with links, holes and attributes" warder snapshot import odd odd
has "$out" "$odd" "is the same layer"
has "$err" "left out: 1 sockets" "and says what is no file"
expect 1 "of a directory that is not there" warder snapshot import none no-such-directory
expect 1 "of one under a name that is taken" warder snapshot import odd odd
has "$err" "already" "says so, and not that nobody read"
expect 0 "rm" sh -c 'warder snapshot rm odd && warder snapshot rm odd-tar && warder snapshot rm tree && warder snapshot rm exact'

# --- files of this host
if [ -x /usr/bin/dpkg-query ]; then
        expect 0 "packages of this host" warder snapshot import --from-host hosts /bin/true dash
        expect 0 "a jail on them" warder run --policy strict --no-work --snapshot hosts -- sh -c 'echo made of $(basename /a/packages)'
        is "$out" "made of packages" "has what they need"
        expect 1 "a package that is not installed" warder snapshot import --from-host none no-such-package-here
        has "$err" "no-such-package-here" "is named"
        expect 0 "rm" warder snapshot rm hosts
        # a size and no block: so are files without a hole where content is compressed
        blockless=/sys/kernel/notes
        if [ "$(stat -c %b "$blockless" 2>/dev/null)" = 0 ] && [ -s "$blockless" ]; then
                expect 0 "a file that has no blocks" warder snapshot import --from-host blockless dash "$blockless"
                expect 0 "a jail on it" warder run --policy strict --no-work --snapshot blockless -- sha256sum "$blockless"
                is "$(sha256sum "$blockless")" "$out" "has what is in it"
                expect 0 "rm" warder snapshot rm blockless
        fi
        expect 1 "packages, and a path that is not there" warder snapshot import --from-host half dash /no/such/path
        has "$err" "/no/such/path" "is named"
        expect 1 "nothing is left of what was packed before it" warder snapshot show half
else
        expect 1 "packages of a host that has none" warder snapshot import --from-host hosts dash
        has "$err" "dpkg-query" "names what is missing"
fi
expect 1 "all of the host" warder snapshot import --from-host none /
expect 2 "nothing of it" warder snapshot import --from-host none
expect 1 "a path that is not there" warder snapshot import --from-host none /no/such/path
has "$err" "/no/such/path" "is named"
expect 1 "and makes no snapshot" warder snapshot show none
expect 0 "a path" warder snapshot import --from-host paths /etc/hostname "$scratch/root/etc"
expect 0 "rm" warder snapshot rm paths

# --- of these what everybody may read, though root asks: a mode within a private directory says nothing
others=$(mktemp -d /tmp/warder-others-XXXXXX)
mkdir -p "$others/open/deep" "$others/open/hidden" "$others/open/group" "$others/private/deep"
for file in open/readable open/secret open/deep/file open/hidden/inner open/group/inner private/readable private/deep/file; do
        echo content >"$others/$file"
        chmod 644 "$others/$file"
done
chmod 755 "$others" "$others/open" "$others/open/deep" "$others/private/deep"
chmod 700 "$others/open/hidden" "$others/private"
chmod 750 "$others/open/group"
chmod 600 "$others/open/secret"
expect 0 "paths, some of which are not for everybody" warder snapshot import --from-host others "$others/open" "$others/private" \
        "$others/private/readable" "$others/private/deep"
taken=$WARDER_STATE/store/layers/$(echo "$out" | grep -o 'sha256:[0-9a-f]*' | cut -d: -f2)
is "$(cd "$taken$others" && find . -type f | sort | tr '\n' ' ')" "./open/deep/file ./open/readable " \
        "what others may read is there, what lies in a private directory is not, nor is a private file"
expect 0 "rm" warder snapshot rm others
rm -rf "$others"

# --- export: whose mode the file has, and a reader that does not read
(umask 022 && : >kept.tar && chmod 600 kept.tar && : >aim.tar && ln -s aim.tar link.tar)
expect 0 "export over a private file" warder snapshot export gzip kept.tar
is "$(stat -c %a kept.tar)" 600 "leaves it private"
expect 0 "export over a link" warder snapshot export gzip link.tar
is "$(stat -c '%F %s' aim.tar)" "regular empty file 0" "replaces the link, not what it leads to"
cat >unread.py <<'PYTHON'
import os, select, signal, socket, subprocess, sys
if sys.argv[1] == "socket":
    ours, theirs = socket.socketpair()
    export = subprocess.Popen(["warder", "snapshot", "export", "gzip"], stdout=theirs)
else:
    os.mkfifo("named")
    ours = os.open("named", os.O_RDONLY | os.O_NONBLOCK)
    export = subprocess.Popen(["warder", "snapshot", "export", "gzip", "named"])
select.select([ours], [], [])  # it has begun to copy, and there is no room for all
export.send_signal(signal.SIGTERM)
try:
    print(export.wait(60))
except subprocess.TimeoutExpired:
    export.kill()
    print("it goes on")
PYTHON
is "$(python3 unread.py socket)" 143 "an export that nobody reads ends when it is told to"
is "$(python3 unread.py pipe)" 143 "so does one into a named pipe"

# --- names, and who may use it
expect 0 "tag" warder snapshot tag gzip second
expect 0 "show" warder snapshot show second
has "$out" "$layer" "it has the same layer"
has "$out" "snapshots" "which several stand on"
expect 1 "tag of a name that is taken" warder snapshot tag gzip xz
expect 0 "unless it makes room" warder snapshot tag --replace gzip xz
expect 1 "a name with slashes" warder snapshot tag gzip ../escape
expect 1 "a name with control bytes" warder snapshot tag gzip "$(printf 'a\033[31mb')"
hasnt "$err" "$(printf '\033')" "which do not come to the terminal"
expect 2 "tag without a word on what" warder snapshot tag gzip
expect 0 "publish" warder snapshot tag --public second
is "$(warder snapshot show second --json | jq .public)" true "is seen"
expect 0 "replace what is public" warder snapshot tag --replace gzip second
has "$err" "second was public, and is yours alone now" "it is said that others may not use it any more"
expect 0 "replace what is private" warder snapshot tag --replace gzip second
hasnt "$err" "was public" "nothing is to be said"
expect 0 "replace, and publish" warder snapshot tag --replace --public gzip second
hasnt "$err" "was public" "nor there"
expect 0 "and take back" warder snapshot tag --private second
is "$(warder snapshot show second --json | jq .public)" false "is seen"
expect 0 "rm of one name" warder snapshot rm second
has "$out" "0 layers removed" "removes no layer that others have"

# --- a layer that is not what it was
expect 0 "fsck" warder snapshot fsck
has "$out" "0 damaged" "finds nothing"
store=$WARDER_STATE/store/layers
echo other >"$store/${layer#sha256:}/etc/mark"
expect 1 "fsck of a layer that was changed behind our back" warder snapshot fsck
has "$out" "$layer: DAMAGED" "names it"
has "$out" "etc/mark" "and what was changed"
has "$out" "gzip" "and the snapshots that have it"
expect 125 "a jail on it" warder run --snapshot gzip -- cat /etc/mark
has "$err" "damaged" "is refused for that"
expect 0 "show" warder snapshot show gzip
has "$out" "DAMAGED" "tells of it"
expect 0 "the same content again" warder snapshot import again root.tar
has "$out" "$layer" "is the same layer"
expect 0 "a jail on the old name" warder run --snapshot gzip -- cat /etc/mark
is "$out" imported "has the content of the archive"
expect 0 "fsck" warder snapshot fsck gzip
has "$out" "0 damaged" "finds nothing now"
rm -r "${store:?}/${layer#sha256:}"
expect 1 "fsck of a layer that is gone" warder snapshot fsck
has "$out" "not in the store" "says so"
expect 0 "the same content once more" warder snapshot import again2 root.tar
expect 0 "fsck" warder snapshot fsck
expect 0 "gc" warder snapshot gc
expect 0 "the layer that snapshots have is there" test -d "$store/${layer#sha256:}"
for name in again again2; do warder snapshot rm $name >/dev/null || exit 1; done

# --- bad input
expect 1 "no archive" sh -c 'echo nonsense | warder snapshot import bad -'
expect 1 "an archive that ends early" sh -c 'head -c 20000 root.tar | warder snapshot import bad -'
has "$err" "rule truncated" "names the rule"
expect 1 "an empty file" sh -c 'warder snapshot import bad - </dev/null'
expect 1 "more than is allowed" warder snapshot import --max-bytes 1M bad root.tar
has "$err" "more than 1 MiB in all" "is told in units"
expect 1 "more files than are allowed" warder snapshot import --max-entries 3 bad root.tar
has "$err" "more than 3 files, directories and links, the most that may land" "says how many may be"
expect 1 "a name that is none" warder snapshot import 'Bad/Name' root.tar
expect 1 "a file that is not there" warder snapshot import bad no-such.tar
expect 2 "too few words" warder snapshot import bad
expect 0 "list" warder snapshot list
hasnt "$out" bad "none of that made a snapshot"
nothing_left "after imports"
done_testing
