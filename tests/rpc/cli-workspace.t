#!/bin/sh
# what the command packs, and what it shows: against a fake supervisor, without root
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need git python3 jq tar
[ -x "$top_builddir/cli/warder" ] || skip_all "cli/warder is not built"
cd "$scratch" || exit 1

WARDER_SOCKET=$scratch/socket
export WARDER_SOCKET
mkdir -p fake/answers
verdict() { # verdict NAME
        printf '{"jsonrpc":"2.0","id":@ID@,"result":{"warder":"verdict/1","n":1,"verdict":"%s","reason":"because","tests":{"base":2,"run":2,"passed":1,"failed":1,"skipped":0},"failing":["evil\\u001b[31m\\u202ename"],"commands":[],"detail":"","patch":"sha256:00"}}\n' \
                "$1" >fake/answers/verify.run
}
verdict passed
python3 -B "$top_srcdir/tests/fakes/fake-front" "$WARDER_SOCKET" fake &
fake=$!
trap 'kill "$fake"; clean_up' EXIT
while [ ! -S "$WARDER_SOCKET" ]; do sleep 0.05; done

g() { git -C repo -c user.name=a -c user.email=a@b.c "$@"; }
last() { tail -n 1 fake/requests | jq -r "$1"; }
verify() { (cd "${dir:-repo}" && warder verify --run 'make test' "$@"); }

git init -q repo
mkdir -p repo/src/deep repo/.warder
echo one >repo/src/one
echo two >repo/src/deep/two
ln -s one repo/src/link
printf '#!/bin/sh\n' >repo/run
chmod 700 repo/run
echo '*.o' >repo/.gitignore
echo x >"repo/with blank"
g add -A
g commit -q -m one
index=$(cksum <repo/.git/index)
objects=$(find repo/.git/objects | wc -l)

# --- the base
expect 0 "verify" verify
tar -tvf fake/fd0 >listing 2>/dev/null
is "$(tar -tf fake/fd0 | grep -v '/$' | sort | tr '\n' ' ')" \
        ".gitignore run src/deep/two src/link src/one with blank " "the commit's files are packed"
has "$(cat listing)" "src/link -> one" "links as links"
has "$(grep ' run$' listing)" "-rwxr-xr-x 1000/1000" "modes as git has them, for the jail's user"
has "$(grep 'src/deep/$' listing)" "drwxr-xr-x 1000/1000" "directories too"
is "$(wc -c <fake/fd1 | tr -d ' ')" 0 "nothing changed: an empty patch"
has "$err" "The patch is empty: the verdict is about the base alone." "and that is said"
is "$(last '.params.spec.commands[0].run[2]')" "make test" "--run becomes a spec"

# --- the patch of a working tree
echo more >>repo/src/one
echo new >repo/new
touch repo/ignored.o
rm repo/src/deep/two
expect 0 "verify of a changed tree" verify
is "$(grep '^diff' fake/fd1 | sort)" "diff --git a/new b/new
diff --git a/src/deep/two b/src/deep/two
diff --git a/src/one b/src/one" "the patch has changed, new and deleted files, none that is ignored"
is "$(cksum <repo/.git/index)" "$index" "the index is not touched"
is "$(find repo/.git/objects | wc -l)" "$objects" "nor the object store"
git clone -q repo clone
expect 0 "the patch" git -C clone apply "$scratch/fake/fd1"
is "$(cat clone/src/one clone/new)" "one
more
new" "is one that git applies"
expect 0 "a patch from stdin" sh -c 'cd repo && echo text | warder verify --run true -'
is "$(cat fake/fd1)" text "is taken as it is"
echo from-file >p
expect 0 "a patch from a file" verify ../p
is "$(cat fake/fd1)" from-file "likewise"
g add -A
g commit -q -m two
expect 0 "--base" verify --base HEAD~1
has "$(cat fake/fd1)" "+new" "is where the patch begins"
hasnt "$(tar -tf fake/fd0)" new "and what is packed"
expect 2 "a base that is none" verify --base nonsense
has "$err" "names no commit" "says so"

# --- spec, include, submodules, large files
cat >repo/.warder/verify.json <<'END'
{"warder": "verify/1", // with a comment
 "include": ["ignored.o"], "commands": [{"run": ["true"]}]}
END
g add -A
g commit -q -m three
expect 0 "a spec in the repository" sh -c 'cd repo/src && warder verify --protect "t/**"'
is "$(last '.params.spec.include[0] + .params.spec.protect[0]')" "ignored.ot/**" "is used, flags add to it"
has "$(tar -tf fake/fd0)" ignored.o "and what it includes is packed"
git init -q sub
(cd sub && echo s >inner && git add . && git -c user.name=a -c user.email=a@b.c commit -q -m s)
g -c protocol.file.allow=always submodule --quiet add "$scratch/sub" sub
g commit -q -m four
expect 0 "a submodule" verify
has "$(tar -tf fake/fd0)" sub/inner "is packed with its files"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' >repo/large
g add large
g commit -q -m five
expect 6 "a pointer of large file storage" verify
has "$err" "git lfs pull" "is refused with what to do"
g rm -q large
g commit -q -m six

# --- the repository is hostile
echo '#!/bin/sh
touch ../owned' >repo/evil
chmod +x repo/evil
g add evil
g commit -q -m evil
g config core.fsmonitor ./evil
g config core.hooksPath .
g config diff.external ./evil
echo change >>repo/new
GIT_DIR=/nonsense GIT_EXTERNAL_DIFF=./evil expect 0 "a configuration that would run programs" verify
ok "$([ ! -e owned ]; echo $?)" "runs none"
g config --unset core.fsmonitor
g config filter.evil.clean ./evil
g config filter.evil.required true
g config "filter.Evil two.process" ./evil
echo '* filter=evil' >repo/.git/info/attributes
echo 'src/* filter="Evil two"' >>repo/.git/info/attributes
echo change >>repo/src/main.c
expect 0 "filters of the repository's own" verify
ok "$([ ! -e owned ]; echo $?)" "do not run"
rm repo/.git/info/attributes
g cat-file commit HEAD | sed 's/^committer.*/&\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----/' >signed
g update-ref HEAD "$(git -C repo hash-object -t commit -w --stdin <signed)"
g config log.showSignature true
g config gpg.program ./evil
expect 0 "a signed commit" verify
ok "$([ ! -e owned ]; echo $?)" "is not shown to the repository's gpg.program"
g config log.showSignature false
rm repo/src/link
mkdir -p outside
echo secret >outside/one
rm -rf repo/src
ln -s ../outside repo/src
mkdir -p fake/answers
echo '{"jsonrpc":"2.0","id":@ID@,"error":{"code":-32000,"message":"no","data":{"code":"quota"}}}' \
        >fake/answers/task.start
echo '[]' >transcript
expect 6 "task run" sh -c 'cd repo && warder task run --run true --replay ../transcript'
has "$err" "no" "shows the refusal"
hasnt "$(tar -xOf fake/fd0)" secret "and follows no link out of the repository"

# --- the verdict as people and scripts see it
for pair in passed:0 failed:1 flaky:1 tampered:5 timeout:3 error:6; do
        verdict "${pair%:*}"
        expect "${pair#*:}" "${pair%:*}" verify
        has "$err" "${pair%:*}: because" "is said"
done
has "$err" 'evil\x1b[31m' "a name with control characters is escaped"
hasnt "$err" "$(printf '\033[31m')" "and none reaches the terminal"
verdict failed
expect 1 "--out, of a supervisor that has no receipt" verify --out ../results
has "$err" "no receipt. The verdict is written without it." "says so"
is "$(jq -r .verdict results/verdict.json)" failed "writes the verdict"
ok "$([ -f results/patch.diff ] && [ -f results/events.jsonl ]; echo $?)" "the patch and the events"
expect 1 "--json" verify --json
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .verdict')" failed "is the verdict on stdout"

# --- bad input
mkdir plain
dir=plain expect 6 "no repository" verify
has "$err" "git init" "says what to do"
expect 2 "no spec" sh -c 'git init -q bare && cd bare && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && warder verify'
has "$err" "--run" "says what to do"
echo '{' >bad.json
expect 2 "a spec that is no JSON" sh -c 'cd repo && warder verify --spec ../bad.json'
has "$err" "bad.json" "names the file"
expect 6 "a repository without a file" \
        sh -c 'git init -q void && cd void && warder task run --run true --replay ../transcript'
has "$err" "nothing to work on" "is no place for a task"
expect 2 "--spec and --run" verify --spec ../bad.json
expect 2 "two patches" verify a b
expect 6 "a patch that is not there" verify nothing
echo '{"jsonrpc":"2.0","id":@ID@,"error":{"code":-32602,"message":"wrong type","data":{"code":"invalid","path":"/spec/commands"}}}' >fake/answers/verify.run
expect 2 "a spec that the supervisor refuses" verify
has "$err" "/commands" "names the place"
echo 'nonsense' >fake/answers/verify.run
expect 6 "a supervisor that talks nonsense" verify
expect 2 "no model" sh -c 'cd repo && warder task run --run true'
expect 2 "a limit that is none" sh -c 'cd repo && warder task run --run true --replay ../transcript --limit x=1'
expect 6 "a model without models.json" sh -c 'cd repo && HOME=/nonsense warder task run --run true --model m'

# --- models and keys
cat >models.json <<'END'
{"warder": "models/1", "models": {
 "env": {"provider": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m", "key_env": "THE_KEY"},
 "file": {"provider": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m", "key_file": "../key"}}}
END
echo sk-file >key
task() { (cd repo && warder task run --run true --models ../models.json "$@"); }
THE_KEY=sk-env expect 6 "a key from the environment" task --model env
is "$(cat fake/fd1)" sk-env "goes as a descriptor"
expect 6 "a key from a file" task --model file
is "$(cat fake/fd1)" sk-file "goes as a descriptor"
hasnt "$(cat fake/requests)" sk- "and is in no message"
expect 6 "a key that is not set" task --model env
has "$err" '$THE_KEY' "is named"
expect 6 "a model that is not there" task --model none
done_testing
