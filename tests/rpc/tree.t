#!/bin/sh
# tree: the tree that a verdict names is what `git apply` makes of the delivered patch, and it is what the agent
# left in its jail: modes, links, binaries, renames, line ends, odd names. The agent is another one, which runs
# the project's own change.sh; the same script is run outside for comparison.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq python3
. "$top_srcdir/tests/rpc/other-agent.sh"
echo '[]' >"$scratch/transcript.json"

project=$scratch/project
mkdir -p "$project"
cd "$project" || exit 1
git init -q -b main
git config core.autocrlf false
mkdir -p src gone place deep/er .warder
printf 'one\ntwo\nthree\n' >src/text
printf 'one\r\ntwo\r\nthree\r\n' >src/crlf
printf 'one\r\ntwo\nthree\r\n' >src/mixed
printf 'no newline at the end' >src/bare
printf 'one\ntwo' >src/bare-two
printf '#!/bin/sh\n' >run
chmod 755 run
ln -s text src/link
ln -s /nowhere/at/all src/absolute
head -c 3000 /dev/urandom >src/binary
head -c 3000 /dev/urandom >src/goes
printf 'a\000b\n' >src/nul
echo last >gone/last
echo x >place/was-a-directory
echo kept >deep/er/kept
seq 200 >src/old-name
echo blank >'with blank'
: >empty
: >fills
printf 'odd\n' >"$(printf 'od\303\244d "name\\')"
printf 'raw\n' >"$(printf 'l\344tin')"
echo dash >-dash
cat >.warder/verify.json <<'X'
{"warder": "verify/1", "commands": [{"run": ["true"]}]}
X
cat >change.sh <<'X'
set -e
printf 'one\n2\nthree\nfour' >src/text
printf 'one\r\nzwei\r\nthree\r\n' >src/crlf
printf 'one\ntwo\r\nthree\r\n' >src/mixed
printf 'no newline at the end\n' >src/bare
printf 'one\nzwei' >src/bare-two
chmod 644 run
chmod 755 src/old-name
ln -sfn bare src/link
rm src/absolute; echo 'a file now' >src/absolute
rm 'with blank'; ln -s src/text 'with blank'
ln -s ../nowhere deep/er/dangling
head -c 500 /dev/zero >>src/binary
rm src/goes gone/last
printf 'a\000c\n' >src/nul
head -c 4000 /dev/zero | tr '\000' '\377' >deep/new.bin
rm -r place; echo file >place
rm empty; mkdir empty; echo in >empty/file
echo full >fills; : >deep/nothing
mkdir -p n/e/w; mv src/old-name 'n/e/w/new  name'; sed -i 100d 'n/e/w/new  name'
printf 'odder\n' >"$(printf 'od\303\244d "name\\')"
printf 'rawer\n' >"$(printf 'l\344tin')"
echo dash >>./-dash; echo y >'new  blank '; echo z >"$(printf '\303\251t\303\251')"
echo 'diff --git a/x b/x' >deep/looks-like-a-patch
printf -- '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n' >>deep/looks-like-a-patch
chmod 600 fills; chmod 777 deep/nothing
X
git add -A -f .
git -c user.name=t -c user.email=t@example.org commit -qm base

fingerprint() { # of a tree, as warder-verify(5) says
        python3 -B - "$1" <<'P'
import hashlib, os, stat, sys
found = []
for base, dirs, names in os.walk(os.fsencode(sys.argv[1])):
    if base == os.fsencode(sys.argv[1]):
        dirs.remove(b".git")
    for name in names + [d for d in dirs if os.path.islink(os.path.join(base, d))]:
        path = os.path.join(base, name)
        st = os.lstat(path)
        if stat.S_ISLNK(st.st_mode):
            mode, data = 0o120000, os.readlink(path)
        else:
            mode, data = 0o100755 if st.st_mode & 0o100 else 0o100644, open(path, "rb").read()
        found.append((os.path.relpath(path, os.fsencode(sys.argv[1])), mode, hashlib.sha256(data).hexdigest().encode()))
lines = [b"%06o %s\0%s\n" % (mode, path, digest) for path, mode, digest in sorted(found)]
print("sha256:" + hashlib.sha256(b"".join(lines)).hexdigest())
P
}

expect 0 "an agent that changes a bit of everything" \
        warder task run --json --replay "$scratch/transcript.json" -m "change verify done" --out "$scratch/result"
tree=$(jq -r .tree "$scratch/result/verdict.json")
is "$(jq -r .patch "$scratch/result/verdict.json")" "sha256:$(sha256sum <"$scratch/result/patch.diff" | cut -d' ' -f1)" \
        "the verdict is about the delivered patch"

git clone -q -c core.autocrlf=false "$project" "$scratch/applied"
expect 0 "git applies it" git -C "$scratch/applied" apply --whitespace=nowarn "$scratch/result/patch.diff"
is "$(fingerprint "$scratch/applied")" "$tree" "and makes the tree that the verdict names"
git clone -q -c core.autocrlf=false "$project" "$scratch/indexed"
expect 0 "so does git apply --index" \
        git -C "$scratch/indexed" apply --index --whitespace=nowarn "$scratch/result/patch.diff"
is "$(fingerprint "$scratch/indexed")" "$tree" "with the same tree"
git clone -q -c core.autocrlf=false "$project" "$scratch/changed"
(cd "$scratch/changed" && sh ./change.sh) || diag "change.sh failed"
is "$(fingerprint "$scratch/changed")" "$tree" "which is what the agent left"

# the same patch, by hand and made by git, is judged to give the same tree
git -C "$scratch/changed" add -A -f
for form in "--binary --full-index" "--binary --full-index -M" "--binary --no-renames"; do
        # shellcheck disable=SC2086
        git -C "$scratch/changed" diff --cached $form >"$scratch/by-git.patch"
        expect 0 "git's patch, $form" warder verify --json "$scratch/by-git.patch"
        is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | .tree')" "$tree" "makes the same tree"
done
nothing_left "after all of it"
done_testing
