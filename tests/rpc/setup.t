#!/bin/sh
# setup: when its commands run again, what their layer may hide, and that a build in it is not done again
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git jq make cc

project=$scratch/project
mkdir -p "$project/src"
cd "$project" || exit 1
git init -q -b main
echo 1 >deps.lock
echo one >notes
echo '/dep/
*.o' >.gitignore
printf 'int a(void) { return 1; }\n' >src/a.c
printf 'int b(void) { return 2; }\n' >src/b.c
printf 'all: src/a.o src/b.o\nsrc/%%.o: src/%%.c\n\t@echo CC $<; $(CC) -c -o $@ $<\n' >Makefile
commit() {
        git add -A -f .
        git -c user.name=t -c user.email=t@example.org commit -qm "$1"
}
commit base
: >"$scratch/none.patch"
echo 'diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+x' >"$scratch/none.patch"

spec() { # spec SETUP [SHOW]: each run of setup leaves a stamp of its own; the verdict shows it
        cat >"$scratch/spec.json" <<X
{"warder": "verify/1", "setup": [$1],
 "commands": [{"id": "show", "run": ["sh", "-c", "${2:-cat dep/stamp}; exit 1"]}]}
X
}
show() { # what the command printed
        warder verify --json --spec "$scratch/spec.json" "$scratch/none.patch" 2>&1 |
                jq -r 'select(.event == "verify.end") | .detail' | sed '1,/^Output of/d'
}
stamp='"run": ["sh", "-c", "mkdir -p dep; date +%s%N >dep/stamp; [ -e dep/extra ] || echo made >dep/extra"]'

spec "{$stamp, \"key\": [\"deps.lock\"]}"
first=$(show)
ok "$([ -n "$first" ]; echo $?)" "setup ran: $first"
is "$(show)" "$first" "it does not run again for the same base"
echo two >notes
commit notes
is "$(show)" "$first" "nor after a change of the base that its key does not name"
echo 2 >deps.lock
commit deps
second=$(show)
ok "$([ -n "$second" ] && [ "$second" != "$first" ]; echo $?)" "but after one of what the key names"
chmod +x deps.lock
commit mode
third=$(show)
ok "$([ "$third" != "$second" ]; echo $?)" "be it of its mode"
git revert -n HEAD HEAD~1 2>/dev/null
git -c user.name=t -c user.email=t@example.org commit -qm back
is "$(show)" "$first" "what was made before serves again"

spec "{$stamp, \"key\": [\"*.lock\", \"src/**\"]}"
globbed=$(show)
echo '/* more */' >>src/a.c
commit source
ok "$([ "$(show)" != "$globbed" ]; echo $?)" "a key may be a glob"
spec "{$stamp, \"key\": [\"no-such.lock\"]}"
missing=$(show)
echo three >notes
commit notes
ok "$([ "$(show)" != "$missing" ]; echo $?)" "where a key names nothing the whole base is the key"
spec "{$stamp}"
whole=$(show)
is "$(show)" "$whole" "likewise without a key: one base"
echo four >notes
commit notes
ok "$([ "$(show)" != "$whole" ]; echo $?)" "another base"

# ---- what a layer must not hide

spec "{$stamp, \"key\": [\"deps.lock\"]}" "cat dep/extra"
is "$(show)" made "setup made a file"
mkdir -p dep
echo mine >dep/extra
commit extra
is "$(show)" mine "of a base that has one of that name it hides nothing"
spec '{"run": ["sh", "-c", "echo setup >>notes"], "key": ["deps.lock"]}' "cat notes"
is "$(show)" "four
setup" "setup that changes a file of the base"
echo five >notes
commit notes
is "$(show)" "five
setup" "serves that base alone"
spec '{"run": ["sh", "-c", "sleep 600"], "wall": "1s"}'
expect 3 "setup that takes too long is a limit" warder verify --json --spec "$scratch/spec.json" "$scratch/none.patch"
is "$(printf '%s\n' "$out" | jq -r 'select(.event == "verify.end") | "\(.verdict) \(.cause)"')" "error setup_failed" "of the base, whatever the patch is"
spec '{"run": ["rm", "notes"], "key": ["deps.lock"]}' "cat notes 2>&1 | tail -c 10"
removed=$(show)
git mv notes src/notes
echo new >notes
commit notes
is "$(show)" "$removed" "so does setup that removes one"

# ---- times are kept: a build in setup is not done again

cat >"$scratch/spec.json" <<'X'
{"warder": "verify/1", "setup": [{"run": ["make"], "key": ["src/**", "Makefile"]}],
 "commands": [{"id": "make", "run": ["sh", "-c", "make; exit 1"]}]}
X
patch_of touch "echo '/* x */' >>src/a.c"
cp "$scratch/touch.patch" "$scratch/none.patch"
is "$(show)" "CC src/a.c" "only what the patch changes is compiled"
nothing_left "after all of it"
done_testing
