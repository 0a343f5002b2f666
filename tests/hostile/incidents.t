#!/bin/sh
# tests/hostile/incidents against the tests: each incident has a check, each check is there, in a file that is built
# or run. What is wrong is named with its line; the comparison itself is tried on tables that are wrong.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$top_srcdir" || exit 1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/warder-incidents-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
find . -name Makemodule.am -not -path "./*/.git/*" -exec cat {} + >"$scratch/make"
tests_run=0
failed=0

ok() { # ok STATUS NAME
        tests_run=$((tests_run + 1))
        [ "$1" -eq 0 ] && echo "ok $tests_run - $2" || { failed=1 && echo "not ok $tests_run - $2"; }
}

# is_run FILE: make knows of it, so that it is built or run, and shipped
is_run() {
        grep -qF "${1%.c}" "$scratch/make"
}

# faults TABLE: what is wrong with it, a line each
faults() {
        awk '/^[^#\t]/ { if (last != "" && !n) print last; last = $0; n = 0 } /^\t/ { n++ }
             END { if (!n) print last }' "$1" | sed 's/^/no check: /'
        grep -n "$(printf '^\t')" "$1" | while IFS= read -r line; do
                number=${line%%:*} line=${line#*:}
                file=$(printf '%s' "${line%%: *}" | tr -d '\t') words=${line#*: }
                if [ ! -f "$file" ]; then
                        echo "$number: no file $file"
                elif ! grep -qF -- "$words" "$file"; then
                        echo "$number: $file has no '$words'"
                elif ! is_run "$file"; then
                        echo "$number: make does not know of $file"
                fi
        done
}

table=tests/hostile/incidents
found=$(faults $table)
[ -z "$found" ]
ok $? "each check that the table names is there"
[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/# /'
[ "$(grep -c '^[^#[:space:]]' $table)" -ge 39 ]
ok $? "the table has all incidents ($(grep -c '^[^#[:space:]]' $table))"

planted() { # planted NAME SCRIPT WORDS: a table made wrong by sed is found out
        sed "$2" $table >"$scratch/table"
        faults "$scratch/table" | grep -qF "$3"
        ok $? "found out: $1"
}

planted "a test that is gone" 's,tests/hostile/roots.t:,tests/hostile/gone.t:,' "no file tests/hostile/gone.t"
planted "a check that is gone" 's/a call of x32/a call of x64/' "has no 'a call of x64'"
planted "an incident without a check" '/GhostLock/,/^[A-Za-z]/ { /^\t/d; }' "no check: GhostLock"
planted "a file that make does not run" 's,tests/hostile/calls.t: .*,HACKING.md: warder,' "make does not know of HACKING.md"
echo "1..$tests_run"
exit $failed
