#!/bin/sh
# What the default policy refuses, call by call, in a real jail. An attack counts only where it works, or at
# least is answered by the kernel itself, outside; a call that the floor leaves alone must work inside too.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
cp -r "$WARDER_POLICIES" "$scratch/policies"
WARDER_POLICIES=$scratch/policies
echo '{"warder": "policy/1", "extends": "default", "seccomp": "strict"}' >"$WARDER_POLICIES/narrow.json"
[ -x "$top_builddir/tests/hostile/try-calls" ] || skip_all "tests/hostile/try-calls is not built"

cp "$top_builddir/tests/hostile/try-calls" "$scratch/try-calls"
cd "$scratch" || exit 1
./try-calls >outside
expect 0 "the attacks run in a jail" warder run -- ./try-calls
cp "$scratch/out" inside

# The policy's filter is the newer one: where both refuse, its answer counts
refused() {
        [ "$1" -eq 1 ] || [ "$1" -eq 38 ] || [ "$1" -eq 92 ] || [ "$1" -eq 93 ] || [ "$1" -eq 97 ]
}

is "$(wc -l <inside)" "$(wc -l <outside)" "each call was made"
while read -r got refusal name <&3 && read -r before _ <&4; do
        if [ "$refusal" -eq 0 ]; then
                is "$got" "$before" "left alone: $name"
        elif [ "$refusal" -lt 0 ]; then # a signal, where the kernel itself answers an errno
                [ "$before" -ge 0 ] && [ "$got" -lt 0 ]
                ok $? "ended: $name ($got, outside $before)"
        elif refused "$before" || [ "$before" -eq "$refusal" ]; then
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - $name # SKIP this host refuses it without a jail"
        else
                refused "$got" || [ "$got" -eq "$refusal" ]
                ok $? "refused: $name ($got, outside $before)"
        fi
done 3<inside 4<outside

# The other shipped filters: what one jail would take from the whole host's budgets
answers() { # POLICY NAME
        expect 0 "the attacks run under $1" warder run --policy "$1" -- ./try-calls
        got=$(sed -n "s/^\(-*[0-9]*\) [0-9-]* $2\$/\1/p" "$scratch/out")
}
answers narrow "a seccomp filter"
is "$got" 38 "strict: no command loads a seccomp filter"
got=$(sed -n "s/ .* a seccomp filter by prctl\$//p" "$scratch/out")
is "$got" 22 "strict: nor by prctl"
answers debug "asynchronous requests of the old kind"
is "$got" 38 "debug: nobody takes of the host's asynchronous requests"
got=$(sed -n "s/ .* a seccomp filter\$//p" "$scratch/out")
is "$got" "$(sed -n "s/ .* a seccomp filter\$//p" outside)" "debug: sandboxes of a command's own work"

# Pseudo-terminals are one count for the whole host as well
cat >ptys.py <<'X'
import os
held = 0
try:
    while held < 100:
        os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
        held += 1
except OSError:
    pass
print(held)
X
if command -v python3 >/dev/null; then
        is "$(python3 ptys.py)" 100 "a hundred pseudo-terminals, outside"
        expect 0 "as many as there are, in a jail" warder run -- python3 ptys.py
        is "$out" 64 "which has 64"
else
        tests_run=$((tests_run + 1))
        echo "ok $tests_run - pseudo-terminals of a jail # SKIP no python3"
fi
nothing_left "after the attacks"
done_testing
