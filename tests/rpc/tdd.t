#!/bin/sh
# tdd: test first. New tests fail without the change and pass with it, and each hunk is needed by one: in C with make
# and TAP, in Python with unittest, each with patches that are plausible and wrong.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq /usr/bin/python3

verdict() { # verdict FILTER: of the last --json output
        printf '%s\n' "$out" | jq -r "select(.event == \"verify.end\") | $1"
}
commit() {
        git init -q -b main
        git add -A
        git -c user.name=t -c user.email=t@example.org commit -qm "$1"
}
proof() { # proof EXIT "VERDICT CAUSE" WHAT [OPTION…]: of the patch of that name
        want=$1 word=$2 what=$3 name=$4
        shift 4
        expect "$want" "$what" warder verify --json "$@" "$scratch/$name.patch"
        is "$(verdict '[.verdict, .cause // "-"] | join(" ")')" "$word" "$what: $word"
}

# ---- C with make, TAP: every tests/*.c is a program
project=$scratch/c
mkdir -p "$project/src" "$project/tests" "$project/.warder"
cd "$project" || exit 1
cat >src/text.c <<'C'
#include "text.h"

/* how many words */
int words(const char *text) {
        int n = 0;

        for (; *text; text++)
                n += *text == ' ';
        return n;
}

/*
 * lines that keep one change
 * apart from the next,
 * so that diff does not
 * make one hunk of two:
 * it takes three lines
 * around each change,
 * and joins what then
 * touches
 */

/* how many lines, also without a newline at the end */
int lines(const char *text) {
        int n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/*
 * lines that keep one change
 * apart from the next,
 * so that diff does not
 * make one hunk of two:
 * it takes three lines
 * around each change,
 * and joins what then
 * touches
 */

/* the first character */
int first(const char *text) {
        return *text;
}
C
printf '#pragma once\nint words(const char *text);\nint lines(const char *text);\nint first(const char *text);\n' >src/text.h
cat >tests/check.h <<'C'
#include <stdio.h>
#include "../src/text.h"
static int failed;
static void check(const char *name, int got, int want) {
        printf("%s - %s\n", got == want ? "ok" : "not ok", name);
        failed |= got != want;
}
C
printf '#include "check.h"\nint main(void) {\n        check("first", first("ab"), 97);\n        check("no_lines", lines(""), 0);\n        return failed;\n}\n' >tests/old.c
printf 'check:\n\t@bad=0; for t in tests/*.c; do cc -o prog $$t src/*.c && ./prog || bad=1; done; exit $$bad\n' >Makefile
printf 'prog\n' >.gitignore
printf '{"warder": "verify/1", "commands": [{"id": "unit", "run": ["make", "-s", "check"], "parse": "tap"}]}\n' >.warder/verify.json
commit 'two bugs'

test_words='printf "#include \"check.h\"\nint main(void) {\n        check(\"words\", words(\"a b\"), 2);\n        check(\"none\", words(\"\"), 0);\n        return failed;\n}\n" >tests/words.c'
good_words='sed -i "/^int words/,/^}/s/int n = 0;/int n = *text != 0;/" src/text.c'
red_words='printf "#include \"check.h\"\nint main(void) {\n        check(\"words\", words(\"a b\"), 2);\n        return failed;\n}\n" >tests/words.c'
red_lines='printf "#include \"check.h\"\nint main(void) {\n        check(\"open_line\", lines(\"a\"), 1);\n        return failed;\n}\n" >tests/open.c'
good_lines='sed -i "/^int lines/,/^}/s/return n;/return n + 1;/;/^int lines/,/^}/s/int n = 0;/int n = *text ? 0 : -1;/" src/text.c'

patch_of good "$good_words; $red_words"
proof 0 "passed -" "a fix with a test that needs it" good --tdd
is "$(verdict '.tdd | [.proved, (.red | join(",")), .new_tests[0], .hunks.all, .hunks.proven, (.unproven | length)] | join(" ")')" \
        "true words tests/words.c 1 1 0" "the test is red, the hunk is proven"
patch_of notest "$good_words"
proof 1 "failed no_new_tests" "a fix without a test" notest --tdd
proof 0 "passed -" "which passes where nobody asks for one" notest
is "$(verdict 'has("tdd")')" false "and the verdict does not speak of it"

patch_of green "$good_words; $test_words"
proof 1 "failed tests_not_red" "a new test that passes on the base" green --tdd
is "$(verdict '.tdd.not_red | map(.test + ":" + .why) | join(" ")')" "none:passes" "it is named, and why"
has "$(verdict .detail)" "none: passes" "also for a model"

patch_of broken "$good_words; echo 'int more(void);' >>src/text.h; echo 'int more(void) { return 1; }' >>src/text.c; printf '#include \"check.h\"\nint main(void) {\n        check(\"more\", more(), 1);\n        return failed;\n}\n' >tests/zmore.c"
proof 1 "failed tests_not_red" "a new test that does not link on the base" broken --tdd
is "$(verdict '.tdd.not_red | map(.test + ":" + .why) | join(" ")')" "more:not_run" "it did not run there"
jq '. + {"tdd": {"red": "any"}}' .warder/verify.json >"$scratch/any.json"
proof 0 "passed -" "which a spec may take for red" broken --spec "$scratch/any.json"

# two hunks that tests need, and one that none does
patch_of hunks "$good_words; $red_words; $good_lines; $red_lines; sed -i 's,return \*text;,return text[0];,' src/text.c; echo >README; mkdir -p doc; echo x >doc/x"
proof 0 "passed -" "hunks that no test needs are listed" hunks --tdd
is "$(verdict '.tdd.unproven | map(.file + ":" + (.line | tostring) + "+" + (.lines | tostring)) | join(" ")')" \
        "README:1+1 doc/x:1+1 src/text.c:45+1" "by file and lines"
is "$(verdict '.tdd.hunks | [.all, .tried, .proven, .unproven] | join(" ")')" "$(verdict '.tdd.hunks.all') $(verdict '.tdd.hunks.all') $(verdict '.tdd.hunks.all - 3') 3" "all others are proven"
proof 1 "failed unproven_hunks" "and fail where that is asked for" hunks --tdd-strict
has "$(verdict .reason)" "README:1" "the reason names the first"
jq '. + {"tdd": {"hunks": 2, "unproven": "fail"}, "allow": ["doc/**"]}' .warder/verify.json >"$scratch/two.json"
patch_of three "$good_words; $red_words; $good_lines; $red_lines"
jq '. + {"tdd": {"hunks": 1, "unproven": "fail"}}' .warder/verify.json >"$scratch/one.json"
proof 1 "failed unproven_hunks" "more hunks than are tried" three --spec "$scratch/one.json"
has "$(verdict .reason)" "1 of them are tried" "is said"

# a changed test: with its new form the base must fail, and its old form must pass with the change
allow() { # allow EXIT "WORD" WHAT NAME: with the old test allowed
        jq '. + {"tdd": true, "allow": ["tests/old.c"]}' .warder/verify.json >"$scratch/allow.json"
        proof "$@" --spec "$scratch/allow.json"
}
patch_of more "$good_words; sed -i '/no_lines/i check(\"words\", words(\"a b\"), 2);' tests/old.c"
proof 5 "tampered protected_files" "a test is changed" more --tdd
allow 0 "passed -" "where that is allowed" more
is "$(verdict '.tdd | [.changed_tests[0], .red[0], .old_tests] | join(" ")')" "tests/old.c words passed" "both of its forms are tried"
patch_of bent "sed -i 's/return \*text;/return text[1];/' src/text.c; sed -i 's/, 97/, 98/' tests/old.c"
allow 1 "failed old_tests_fail" "a test that is bent to the change" bent
is "$(verdict '.tdd.old_failing | join(" ")')" first "the old form names it"
patch_of weak "$good_words; sed -i 's/first(\"ab\"), 97/first(\"ab\") == 97, 1/' tests/old.c"
allow 1 "failed tests_not_red" "a test that is changed and shows nothing" weak

# a patch whose parts do not apply without each other
patch_of moved "$good_words; $red_words; git mv src/text.h src/words.h; sed -i s/text.h/words.h/ src/text.c tests/check.h"
jq '. + {"tdd": true, "allow": ["tests/check.h"]}' .warder/verify.json >"$scratch/moved.json"
proof 1 "failed tests_not_red" "a file that the tests include is moved" moved --spec "$scratch/moved.json"
patch_of extra "$good_words; $red_words; echo x >src/extra"
proof 0 "passed -" "a file that nothing reads" extra --tdd
is "$(verdict '.tdd.unproven[0] | [.file, .kind] | join(" ")')" "src/extra added" "is unproven as a whole"

# ---- Python, unittest
project=$scratch/python
mkdir -p "$project/shop" "$project/tests" "$project/.warder"
cd "$project" || exit 1
: >shop/__init__.py
: >tests/__init__.py
printf 'def total(a, b):\n    return a - b\n\n\ndef share(a, b):\n    return a / b\n' >shop/cart.py
printf 'import unittest\nfrom shop.cart import share\n\n\nclass TestOld(unittest.TestCase):\n    def test_share(self):\n        self.assertEqual(share(4, 2), 2)\n' >tests/test_old.py
printf '{"warder": "verify/1", "tdd": true, "commands": [{"id": "unit", "run": ["/usr/bin/python3", "-m", "unittest", "-v"], "parse": "unittest"}]}\n' >.warder/verify.json
commit 'two bugs'
new() { # new IMPORT LINES: a test file of one test
        echo "printf 'import unittest\n$1\n\n\nclass TestNew(unittest.TestCase):\n    def test_new(self):\n$2' >tests/test_new.py"
}
right="sed -i 's/a - b/a + b/' shop/cart.py"
zero="sed -i 's,return a / b,return a / b if b else 0,' shop/cart.py"
red_of() {
        verdict '.tdd | [(.red | length), (.not_red | map(.why) | join(","))] | join(" ")'
}
patch_of good "$right; $(new 'from shop.cart import total' '        self.assertEqual(total(2, 1), 3)\n')"
proof 0 "passed -" "a fix with a test that needs it" good
is "$(red_of)" "1 " "by what it asserts"
patch_of raises "$zero; $(new 'from shop.cart import share' '        self.assertEqual(share(1, 0), 0)\n')"
proof 0 "passed -" "a test that the code makes raise" raises
is "$(red_of)" "1 " "is red as well"
patch_of import "$right; printf '\n\ndef more():\n    return 1\n' >>shop/cart.py; $(new 'from shop.cart import more, total' '        self.assertEqual(total(2, 1), 3)\n')"
proof 1 "failed tests_not_red" "a test file that does not load on the base" import
is "$(red_of)" "0 not_run" "did not run"
patch_of inside "$right; printf '\n\ndef more():\n    return 1\n' >>shop/cart.py; $(new 'import shop.cart' '        self.assertEqual(shop.cart.more(), 1)\n')"
proof 1 "failed tests_not_red" "a test that misses a name on the base" inside
is "$(red_of)" "0 broken" "is broken there"
patch_of typo "$right; $(new 'from shop.cart import total' '        self.assertTrue(total)\n')"
proof 1 "failed tests_not_red" "a test that looks at nothing" typo
is "$(red_of)" "0 passes" "passes there"
patch_of skip "$right; $(new 'from shop.cart import total' '        if total(2, 1) != 3:\n            self.skipTest(str(1))\n')"
proof 1 "failed tests_not_red" "a test that skips itself on the base" skip
is "$(red_of)" "0 skipped" "is skipped there"
patch_of extra "$right; sed -i 's/def share/def  share/' shop/cart.py; $(new 'from shop.cart import total' '        self.assertEqual(total(2, 1), 3)\n')"
proof 0 "passed -" "both changes in one hunk" extra
is "$(verdict '.tdd.hunks.proven')" 1 "are proven together"

# ---- as many at once as may be, and nothing stays behind
project=$scratch/slow
mkdir -p "$project/src" "$project/tests" "$project/.warder"
cd "$project" || exit 1
for i in 1 2 3 4; do echo 0 >src/$i; done
printf 'sleep 1\nfor t in tests/*.want; do [ ! -f "$t" ] || { n=$(basename $t .want); [ "$(cat src/$n)" = 1 ] && echo "ok - $n" || echo "not ok - $n"; }; done\necho ok - all\n' >tests/run
printf '{"warder": "verify/1", "protect": ["tests/**"], "tdd": {"jobs": 3}, "commands": [{"run": ["sh", "tests/run"], "parse": "tap"}]}\n' >.warder/verify.json
commit 'four bugs'
patch_of all 'for i in 1 2 3 4; do echo 1 >src/$i; : >tests/$i.want; done'
watch_jails() { # the most test jails that were there at once, as the log tells
        : >"$WARDER_LOG"
        code=0
        warder verify --json "$@" "$scratch/all.patch" >"$scratch/out" 2>"$scratch/err" || code=$?
        out=$(cat "$scratch/out")
        supervisor_ended
        most=$(awk '/STATE=ready POLICY=ci/ { if (++n > most) most = n } /STATE=ending POLICY=ci/ { n-- } END { print most + 0 }' "$WARDER_LOG")
}
watch_jails
is "$code $(verdict '.tdd.hunks.proven')" "0 4" "four hunks, three at once"
[ "$most" -gt 1 ] && [ "$most" -le 3 ]
ok $? "no more than three, and more than one ($most)"
jq '.tdd.jobs = 1' .warder/verify.json >"$scratch/one.json"
watch_jails --spec "$scratch/one.json"
is "$code $most" "0 1" "one at a time where the spec says so"
nothing_left "after a proof"

warder verify --json "$scratch/all.patch" >"$scratch/out" 2>/dev/null &
verify=$!
tries=0
until grep -q '"phase":"hunk"' "$scratch/out" || [ "$tries" -gt 1200 ]; do
        sleep 0.1
        tries=$((tries + 1))
done
kill -KILL "$verify"
wait "$verify" 2>/dev/null
grep -q '"phase":"hunk"' "$scratch/out"
ok $? "the client is killed among the hunks"
nothing_left "after kill -9 of the client"
done_testing
