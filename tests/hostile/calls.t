#!/bin/sh
# What the default policy refuses, call by call, in a real jail. An attack counts only where it works, or at
# least is answered by the kernel itself, outside; a call that the floor leaves alone must work inside too.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
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
        elif refused "$before"; then
                tests_run=$((tests_run + 1))
                echo "ok $tests_run - $name # SKIP this host refuses it without a jail"
        else
                refused "$got"
                ok $? "refused: $name ($got, outside $before)"
        fi
done 3<inside 4<outside
nothing_left "after the attacks"
done_testing
