#!/bin/sh
# warder apply: what it puts into a tree is what git apply would put there, all of it or nothing; and what it
# refuses
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq python3
cd "$scratch" || exit 1
umask 022
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.c
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.c

# One supervisor for all calls: it stays as long as this process is connected
warder run --no-work -- sleep 600 >/dev/null 2>&1 &
holder=$!

new_repo() { # new_repo DIR: a tree with a bit of everything
        rm -rf "$1"
        git init -q "$1"
        mkdir -p "$1/src/deep" "$1/empty-me" "$1/place"
        printf 'one\ntwo\nthree\n' >"$1/src/text"
        printf 'one\r\ntwo\r\n' >"$1/src/crlf"
        printf 'no newline at the end' >"$1/src/bare"
        printf '#!/bin/sh\n' >"$1/run"
        chmod 755 "$1/run"
        ln -s text "$1/src/link"
        head -c 3000 /dev/urandom >"$1/src/binary"
        echo gone >"$1/empty-me/last"
        echo x >"$1/place/was-a-directory"
        echo moved >"$1/src/old-name"
        echo blank >"$1/with blank"
        (cd "$1" && printf 'odd\n' >"$(printf 'od\303\244d\t"name\\')" && printf 'raw\n' >"$(printf 'l\344tin')")
        git -C "$1" add -A
        git -C "$1" commit -q -m one
}

list() { # every path but .git: type, mode, target or digest
        (cd "$1" && python3 -B - <<'P'
import hashlib, os
for base, dirs, names in os.walk(b"."):
    dirs[:] = sorted(d for d in dirs if not (base == b"." and d == b".git"))
    for name in sorted(names + [d for d in dirs if os.path.islink(os.path.join(base, d))]):
        path = os.path.join(base, name)
        what = os.readlink(path) if os.path.islink(path) else hashlib.sha256(open(path, "rb").read()).hexdigest()
        print(path, oct(os.lstat(path).st_mode), what)
    if not names and not dirs:
        print(base, "empty")
P
        )
}

patch() { # patch NAME COMMAND…: of what a command does to a copy, in NAME.patch
        name=$1
        shift
        new_repo work >/dev/null
        rm -rf work && cp -a tree work
        (cd work && sh -c "$*" && git add -A && git diff --cached --binary --full-index -M HEAD) >"$name.patch"
}

same() { # same NAME [ARGS]: apply NAME.patch to two copies, by git and by us, and compare
        name=$1
        shift
        rm -rf ours theirs
        cp -a tree ours
        cp -a tree theirs
        git -C theirs apply --whitespace=nowarn "../$name.patch" || diag "git apply failed"
        (cd ours && warder apply --unverified --yes --patch "../$name.patch" "$@") >log 2>&1
        ok $? "applied: $name"
        is "$(list ours)" "$(list theirs)" "as git does: $name"
        [ "$(list ours)" = "$(list theirs)" ] || diag "$(cat log)"
        is "$(ls -d ours/.warder-apply* 2>/dev/null)" "" "and nothing else is there: $name"
}

new_repo tree

# --- what git would do
patch text "printf 'one\n2\nthree\nfour\n' >src/text"
patch crlf "printf 'one\r\nzwei\r\n' >src/crlf"
patch bare "printf 'still none' >src/bare; printf 'none\nhere' >src/new-bare"
patch modes "chmod 755 src/text; chmod 644 run"
patch links "ln -sfn bare src/link; ln -s ../run src/up; rm src/crlf; ln -s text src/crlf"
patch binary "head -c 5000 /dev/urandom >src/binary; head -c 100 /dev/urandom >new.bin; : >nothing"
patch rename "git mv src/old-name src/deep-name; mkdir -p a/b/c; git mv 'with blank' 'a/b/c/with  two'"
patch delete "git rm -q empty-me/last run"
patch odd "printf 'odder\n' >\"\$(printf 'od\303\244d\t\"name\\\\')\"; printf 'rawer\n' >\"\$(printf 'l\344tin')\"; echo x >'-dash'; echo y >'new  blank '"
patch turn "git rm -q -r place; echo file >place; git rm -q run; mkdir run; echo in >run/file"
patch all "git rm -q -r place; echo file >place; printf 'x\n' >>src/text; chmod 755 src/crlf; git mv src/old-name zz; mkdir -p n/e/w; echo 1 >n/e/w/1; git rm -q empty-me/last"
for each in text crlf bare modes links binary rename delete odd turn all; do same "$each"; done

# an untouched file keeps its own life; a private one stays private
rm -rf ours && cp -a tree ours && chmod 600 ours/src/text
(cd ours && warder apply --unverified --patch ../text.patch) >log 2>&1
is "$(stat -c %a ours/src/text)" 600 "a file that only its owner may read stays so"

# in a directory that is no repository, from below, and from stdin
rm -rf plain && cp -a tree plain && rm -rf plain/.git
(cd plain && warder apply --unverified --patch - <../text.patch) >log 2>&1
is "$(sed -n 2p plain/src/text)" 2 "a tree that is no repository"
rm -rf ours && cp -a tree ours
(cd ours/src/deep && warder apply --unverified --patch ../../../text.patch) >log 2>&1
is "$(sed -n 2p ours/src/text)" 2 "from a directory of the repository"

# --- not without a verdict, nor with that of another patch
before=$(list tree)
reset() { rm -rf ours && cp -a tree ours; }
untouched() {
        is "$(list ours)" "$before" "nothing was changed: $1"
        [ "$(list ours)" = "$before" ] || reset
}
reset
apply() { (cd ours && warder apply "$@"); }
expect 1 "without a verdict" apply --patch ../text.patch
has "$err" "is not verified" "is refused"
has "$err" "--unverified" "and the flag is named"
digest() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
mkdir result
cp text.patch result/patch.diff
verdict() { printf '{"warder":"verdict/1","verdict":"%s","patch":"%s"}' "$1" "$2" >result/verdict.json; }
verdict failed "$(digest text.patch)"
expect 1 "a verdict that is not passed" apply ../result
has "$err" "its verdict is 'failed'" "is named"
verdict passed "$(digest all.patch)"
expect 1 "the verdict of another patch" apply ../result
has "$err" "not the patch that was judged" "is refused"
expect 1 "the same with --unverified" apply --unverified ../result
has "$err" "not the patch that was judged" "no flag changes that"
untouched "verdicts"
verdict passed "$(digest text.patch)"
expect 0 "--check of a good one" apply --check ../result
has "$err" "the word of the verdict's file" "says that a file may say so of itself"
untouched "--check"
expect 0 "a directory of --out" apply --json ../result
is "$(printf '%s' "$out" | jq -r '"\(.applied) \(.verified) \(.files[0].action) \(.files[0].path)"')" \
        "true true change src/text" "--json says what was done"
is "$(sed -n 2p ours/src/text)" 2 "and it was"
expect 1 "once more" apply ../result
has "$err" "does not fit" "does not fit any more"
reset

# --- hostile patches: each is one that git's own format can say
hostile() { # hostile NAME WORD: evil.patch
        expect 1 "hostile: $1" apply --unverified --yes --patch ../evil.patch
        has "$err" "$2" "refused with a word: $1"
        untouched "$1"
}
new_file() { printf 'diff --git "a/%s" "b/%s"\nnew file mode %s\n--- /dev/null\n+++ "b/%s"\n@@ -0,0 +1 @@\n+%s\n' "$1" "$1" "${2:-100644}" "$1" "${3:-x}"; }
new_link() { # new_link PATH TARGET
        printf 'diff --git a/%s b/%s\nnew file mode 120000\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n\\ No newline at end of file\n' "$1" "$1" "$1" "$2"
}
# what others do with such patches: git alone makes the links, and outside a repository lands where it is told
reset
new_link esc /etc/passwd >evil.patch
git -C ours apply ../evil.patch
is "$(readlink ours/esc)" /etc/passwd "git apply makes a link that leads out"
mkdir -p loose/in
new_file ../outside >evil.patch
(cd loose/in && GIT_CEILING_DIRECTORIES=$scratch git apply --unsafe-paths ../../evil.patch)
ok "$([ -e loose/outside ]; echo $?)" "git apply --unsafe-paths writes outside"
reset
for name in .git/hooks/pre-commit .GIT/config sub/.Git/config '.git./x' '.git /x' '.git::$INDEX_ALLOCATION/x' \
        'git~1/config' 'GIT~1/x' '.gi\342\200\214t/config' '\342\200\215.git/x' 'a\\\\.git\\\\hooks\\\\x'; do
        new_file "$name" >evil.patch; hostile "$name" "git"
done
new_file ../outside >evil.patch; hostile ../outside '".."'
new_file a/../../outside >evil.patch; hostile a/../../outside '".."'
new_file /tmp/warder-was-here >evil.patch; hostile "an absolute path" "slash"
new_file suid 104755 >evil.patch; hostile "a set-user-id bit" "mode"
new_file dev 020666 >evil.patch; hostile "a device" "mode"
new_file sub 160000 >evil.patch; hostile "a submodule" "mode"
new_file dir 040755 >evil.patch; hostile "a directory" "mode"
new_link esc /etc/passwd >evil.patch; hostile "a link to an absolute path" "absolute path"
new_link esc ../../etc/passwd >evil.patch; hostile "a link that leads out" "leads out of the tree"
new_link src/esc .././../out >evil.patch; hostile "a link that leads out by a detour" "leads out of the tree"
new_link esc src/link/../../out >evil.patch; hostile "a link that goes up behind a name" "leads out of the tree"
new_link hook .git/hooks >evil.patch; hostile "a link into .git" 'into ".git"'
new_link .gitmodules src/text >evil.patch; hostile "a link in place of .gitmodules" ".gitmodules"
{ new_link way src; new_file way/file; } >evil.patch; hostile "through a link of the patch" "link"
ln -s /tmp ours/out && before=$(list ours)
new_file out/warder-was-here >evil.patch; hostile "through a link of the tree" "link"
rm ours/out && before=$(list ours)
printf 'garbage\n@@ -1 +1 @@\n-a\n+b\n' >evil.patch; hostile "no patch at all" "patch"
: >evil.patch; hostile "an empty one" "empty"
ok "$([ ! -e /tmp/warder-was-here ]; echo $?)" "nothing landed outside"

# --- a tree that has changed where the patch touches
echo 0 >ours/src/text
before=$(list ours)
expect 1 "a hunk that does not fit" apply --unverified --yes --patch ../all.patch
has "$err" "src/text" "names the file"
untouched "a hunk that does not fit"
reset && before=$(list ours)
echo mine >ours/zz && before=$(list ours)
expect 1 "a file where the patch makes one" apply --unverified --yes --patch ../all.patch
has "$err" "zz" "is named"
untouched "a file in the way"
rm -rf ours/zz && mkdir ours/zz && echo mine >ours/zz/file && before=$(list ours)
expect 1 "a directory with files where the patch makes a file" apply --unverified --yes --patch ../all.patch
has "$err" "Nothing was changed" "says that all was put back"
untouched "a directory in the way"
reset
rm -f ours/src/crlf && mkfifo ours/src/crlf && rm -f ours/zz
expect 1 "a pipe in a file's place" apply --unverified --yes --patch ../crlf.patch
has "$err" "no file" "is no file"
reset && before=$(list ours)

# the last of many steps fails: what was done is put back (a mount point cannot be renamed)
expect 1 "a step that fails in the middle" unshare -m sh -c '
        mount --bind ours/src/text ours/src/text && cd ours && warder apply --unverified --yes --patch ../all.patch'
has "$err" "src/text" "is named"
has "$err" "Nothing was changed" "and all was put back"
untouched "a step that failed"
is "$(ls -d ours/.warder-apply* 2>/dev/null)" "" "no directory is left"

# --- what runs on this machine
patch danger "mkdir -p .vscode .github/workflows; echo '{}' >.vscode/tasks.json; echo x >.envrc; echo x >Makefile; chmod 755 src/text; echo 'on: push' >.github/workflows/a.yml; mkdir .husky; echo x >.husky/pre-commit; echo x >conftest.py; echo '{}' >package-lock.json; ln -s run src/l; echo x >AGENTS.md"
expect 4 "--check says that it would have to be asked for" apply --unverified --check --patch ../danger.patch
expect 4 "files that run are not applied unasked" apply --unverified --patch ../danger.patch </dev/null
untouched "before a yes"
for each in .vscode/tasks.json .envrc Makefile .github/workflows/a.yml .husky/pre-commit conftest.py package-lock.json AGENTS.md; do
        has "$(printf '%s' "$err" | grep -A1 -- "  $each\$" | tail -n 1)" "          " "named with a reason: $each"
done
has "$err" "can be executed, and could not before" "a new execute bit is named"
has "$err" "is a link" "a new link is named"
expect 0 "--yes applies them" apply --unverified --yes --patch ../danger.patch
ok "$([ -e ours/.envrc ]; echo $?)" "they are there"
reset

# a person at a terminal is asked; while it is asked, someone changes the tree
cat >ask.py <<'P'
import os, pty, sys
answer, before = sys.argv[1].encode(), sys.argv[2]
pid, fd = pty.fork()
if pid == 0:
    os.chdir("ours")
    os.execvp("warder", ["warder", "apply", "--unverified", "--patch", "../danger.patch"])
seen = b""
while True:
    try:
        more = os.read(fd, 4096)
    except OSError:
        break
    if not more:
        break
    seen += more
    if answer and b"[y/N]" in seen:
        os.system(before)
        os.write(fd, answer + b"\n")
        answer = b""
sys.stdout.write(seen.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
expect 4 "a person says no" python3 -B ask.py n true
untouched "a no"
expect 1 "a person says yes to a tree that changed meanwhile" python3 -B ask.py y "echo mine >>ours/src/text"
has "$out" "changed" "is told so"
ok "$([ ! -e ours/.envrc ]; echo $?)" "and nothing was applied"
reset
expect 0 "a person says yes" python3 -B ask.py y true
ok "$([ -e ours/.envrc ]; echo $?)" "and it is applied"

# --- usage
expect 2 "no word" apply
expect 2 "two words" apply a b
expect 2 "a key for a patch" apply --key x --patch ../text.patch
expect 2 "--index where there is no repository" sh -c 'cd plain && warder apply --unverified --index --patch ../all.patch'
expect 2 "a patch and a task" apply --patch ../text.patch t-aaaaaaaaaa
expect 1 "a task that is not there" apply t-aaaaaaaaaa
expect 1 "a directory without results" apply ../tree
expect 1 "neither a task nor a directory" apply nonsuch
has "$err" "no directory nonsuch" "says so"

# --- a directory that verify wrote: its receipt speaks, not its verdict.json
reset
cd ours || exit 1
git checkout -q .
expect 0 "verify" warder verify --run true --out ../judged ../text.patch
expect 0 "what it wrote is applied" warder apply --check ../judged
hasnt "$err" "word of the verdict" "the receipt says so, signed"
ok "$([ ! -e ../judged/.gitignore ]; echo $?)" "outside of a tree it has no .gitignore"
mkdir ../bad && cp ../judged/* ../bad/
sed -i 's/"verdict":\(.*\)"passed"/"verdict":\1"failed"/' ../bad/verdict.json
expect 1 "a verdict.json of another word" warder apply --unverified ../bad
has "$err" "The receipt beside" "is seen"
cp ../judged/verdict.json ../bad/ && sed -i '2s/"time":"2/"time":"1/' ../bad/receipt.jsonl
expect 1 "a receipt that was edited" warder apply --unverified ../bad
has "$err" "is not good" "is seen"
rm ../bad/receipt.jsonl
expect 0 "no receipt" warder apply --check ../bad
has "$err" "the word of the verdict's file" "is no proof"
expect 1 "no receipt, where a key is named" warder apply --check --key "$WARDER_STATE/receipt.pub" ../bad
touch -d "-1 hour" src/*
expect 0 "a tree whose files were touched" warder apply --check ../judged
hasnt "$err" "This tree has changes" "has no changes"
git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m later
expect 0 "a tree that moved on" warder apply --check ../judged
has "$err" "The verdict is about commit" "is said"
expect 0 "--index" warder apply --index --yes ../judged
is "$(git diff --name-only; git diff --cached --name-only)" src/text "stages what it applied"
git reset -q --hard
mkdir .warder-apply-99999999-0
expect 0 "after an apply that was killed" warder apply --yes ../judged
has "$err" ".warder-apply-99999999-0 holds files" "its rest is named"
rmdir .warder-apply-99999999-0 && git reset -q --hard
printf 'diff --git a/.git/config b/.git/config\n--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-x\n+y\n' >../attack.patch
expect 5 "an attack" warder verify --run true --out results ../attack.patch
expect 1 "is not applied" warder apply results
has "$err" "was not judged; its verdict is 'tampered'" "for what it is"
is "$(git status --porcelain)" "" "--out in the tree is ignored"
expect 0 "--summary -" warder verify --run true --summary - ../text.patch
has "$out" "passed" "is stdout"
ok "$([ ! -e - ]; echo $?)" "and no file"
cd ..

kill "$holder" 2>/dev/null
wait "$holder" 2>/dev/null
nothing_left "after apply"
done_testing
