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
for name in layout dir docker; do warder snapshot rm $name || exit 1; done

# --- bad input
expect 1 "no archive" sh -c 'echo nonsense | warder snapshot import bad -'
expect 1 "an archive that ends early" sh -c 'head -c 20000 root.tar | warder snapshot import bad -'
has "$err" "rule truncated" "names the rule"
expect 1 "an empty file" sh -c 'warder snapshot import bad - </dev/null'
expect 1 "more than is allowed" warder snapshot import --max-bytes 1M bad root.tar
has "$err" "more than 1 MiB in all" "is told in units"
expect 1 "more files than are allowed" warder snapshot import --max-entries 3 bad root.tar
expect 1 "a name that is none" warder snapshot import 'Bad/Name' root.tar
expect 1 "a file that is not there" warder snapshot import bad no-such.tar
expect 2 "a directory" warder snapshot import bad /usr/share
has "$err" "tar -C" "says how to pack it"
expect 2 "too few words" warder snapshot import bad
expect 0 "list" warder snapshot list
hasnt "$out" bad "none of that made a snapshot"
nothing_left "after imports"
done_testing
