#!/bin/sh
# results for machines and people: what --out, --junit, --summary and --html write, of a project whose names
# and output try to be markup
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need git jq python3
cd "$scratch" || exit 1
browser=$top_srcdir/tests/fakes/browser
evil='<script>window.pwned=1</script>'

git init -q project
mkdir -p project/tests project/.warder project/src
cat >project/tests/run.py <<P
import sys, time
fails = "bad" in open("src/state").read()
block, end = bytearray(30_000_000), time.time() + 0.8
while time.time() < end: pass
print("1..6")
print("ok 1 - plain")
print(("not " if fails else "") + "ok 2 - $evil")
print("# got <img src=x onerror=window.pwned=2> want \x1b[31mred\x1b[0m ]]> \`\`\`\` </pre></details>")
print(("not " if fails else "") + "ok 3 - pipe | tick \` fence \`\`\` @someone [x](javascript:alert(1)) &amp; &#60;")
print("ok 4 - later # SKIP not here")
print("ok 5 - gone" if not fails else "")
print("ok 6 - char \ufffe \u202e \x07 end")
sys.exit(fails)
P
echo '{"warder":"verify/1","commands":[{"id":"unit","run":["python3","tests/run.py"],"parse":"tap"}],"protect":["tests/**"]}' \
        >project/.warder/verify.json
echo good >project/src/state
git -C project add -A
git -C project -c user.name=a -c user.email=a@b.c commit -q -m one
cd project || exit 1
echo 'bad </script><script>window.pwned=3</script>' >src/state
echo '# touched' >>tests/run.py
echo "$evil" >"src/<img src=x onerror=window.pwned=4>"
echo '-- a/other' >src/dashes
git add -N src/dashes

# --- every file, of one call
echo before >../summary.md
expect 5 "a verify with all reports" warder verify --out ../all --junit ../junit.xml --summary ../summary.md --html ../page.html
is "$(cd ../all && echo *)" "events.jsonl junit.xml patch.diff receipt.jsonl report.html summary.md verdict.json" "--out has all of them"
ok "$(cmp -s ../junit.xml ../all/junit.xml; echo $?)" "--junit is the same"
is "$(head -n 1 ../summary.md)" before "--summary adds to its file"
is "$(tail -n +2 ../summary.md)" "$(cat ../all/summary.md)" "the same summary"
is "$(jq -r .patch ../all/verdict.json)" "sha256:$(sha256sum <../all/patch.diff | cut -d' ' -f1)" "the verdict is about that patch"
is "$(jq -r 'select(.event == "verify.end") | .data.verdict' ../all/events.jsonl)" tampered "events end with the verdict"
is "$(jq -s 'map(.seq) == [range(1; length + 1)] and all(.time | test("^20.*Z$"))' ../all/events.jsonl)" true \
        "events have numbers and times"
results() { jq -c "select(.data.phase == \"results\") | .data | $1" ../all/events.jsonl; }
is "$(results '.tests.failed | length')" 2 "results name the failed tests"
is "$(results '.samples | length > 4')" true "and have samples"
is "$(results '.samples | [.[-1][0] > 700000, .[-1][1] > 100000, (map(.[2]) | max) > 30000000, (map(.[3]) | max) >= 1] | all')" \
        true "of time, processor, memory and processes"
is "$(results '[.samples[][0]] | . == sort')" true "in their order"

# --- JUnit
cat >../junit.py <<'P'
import sys, xml.etree.ElementTree as E
root = E.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites", root.tag
want = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
for suite in root:
    assert suite.tag == "testsuite" and suite.get("name")
    cases = suite.findall("testcase")
    have = {"tests": len(cases), "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")), "skipped": len(suite.findall("testcase/skipped"))}
    for name, count in have.items():
        assert int(suite.get(name)) == count, (suite.get("name"), name, count)
        want[name] += count
    float(suite.get("time"))
    kinds = [child.tag for child in suite]
    assert kinds == sorted(kinds, key=["properties", "testcase", "system-out", "system-err"].index), kinds
    for case in cases:
        assert case.get("name") and case.get("classname")
        assert len(case) <= 1 and all(child.tag in ("failure", "error", "skipped") for child in case)
        for child in case:
            assert child.tag == "skipped" or (child.get("type") and child.get("message"))
            assert len(child.text or "") <= 5000
assert all(int(root.get(name)) == count for name, count in want.items()), want
for name in sys.argv[2:]:
    case = root.find(f".//testcase[@name='{name}']") if "'" not in name else None
    found = [c for c in root.iter("testcase") if c.get("name") == name]
    print(name, ",".join(child.tag for c in found for child in c) or ("passed" if found else "missing"))
texts = "".join(root.itertext())
print("excerpt" if "onerror=window.pwned=2" in "".join(f.text or "" for f in root.iter("failure")) else "no excerpt")
print("illegal" if any(ord(c) < 32 and c not in "\n\t" or c in "\ufffe\uffff" for c in texts) else "legal")
P
is "$(python3 -B ../junit.py ../all/junit.xml verdict plain "$evil" later gone tests/run.py)" "verdict failure
plain passed
$evil failure
later skipped
gone failure
tests/run.py failure
excerpt
legal" "junit.xml: counts, order, each test once, what no test shows, the lines about a failure"
if command -v xmllint >/dev/null; then
        ok "$(xmllint --noout ../all/junit.xml 2>/dev/null; echo $?)" "xmllint takes it"
fi

# --- Markdown: outside code nothing of the project's is left
cat >../markdown.py <<'P'
import re, sys
text = open(sys.argv[1]).read()
assert "<script>" in text and "pwned" in text
fenced = re.sub(r"^(`{3,})text\n.*?^\1\n", "", text, flags=re.S | re.M)
assert fenced != text, "no fence"
plain = re.sub(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)", "CODE", fenced)
for word in ("<", "pwned", "@someone", "javascript", "|tick", "\\x1b", "onerror"):
    assert word not in plain, (word, plain)
assert re.search(r"^\| *2 *\|", plain, re.M), "no table of counts"
P
expect 0 "summary.md: names and output are code" python3 -B ../markdown.py ../all/summary.md
has "$(cat ../all/summary.md)" 'tampered' "it says the verdict"

# --- HTML, as text: no element or attribute but ours, no address
cat >../look.py <<'P'
import html.parser, sys
known = set("html head meta title style body main header h1 h2 h3 small p div span b section ul li details summary pre code "
            "table tbody tr th td svg path rect text figure figcaption dl dt dd footer".split())
class Look(html.parser.HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        assert tag in known, tag
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "src", "href"), (tag, name)
        if tag not in ("meta", "path", "rect"):
            self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag not in ("path", "rect"):
            assert self.stack and self.stack.pop() == tag, tag
look = Look()
text = open(sys.argv[1]).read()
look.feed(text)
assert not look.stack, look.stack
assert "http://" not in text and "https://" not in text and "url(" not in text and "@import" not in text
assert "default-src 'none'" in text and "unsafe" not in text
P
expect 0 "report.html: elements of ours alone" python3 -B ../look.py ../all/report.html
page=$(cat ../all/report.html)
for part in "&lt;script&gt;window.pwned=1" "put back by the gate" "exited with code 1" "Processor" "Memory of the jail" "<path class=\"cpu\"" \
        "Tests of the base that did not run"; do
        has "$page" "$part" "has: $part"
done

# --- HTML, in a browser
look() { timeout 100 "$browser" "$@"; }
cat >../probe.html <<'P'
<!DOCTYPE html><title>probe</title><script>window.pwned=1</script><img src="missing.png">
P
if probe=$(look ../probe.html window.pwned 2>/dev/null); then
        is "$(printf '%s' "$probe" | jq -c '[.values[0], (.requests | length), (.console | length > 0)]')" '[1,1,true]' \
                "the browser runs a script, asks for an image, complains (of a page that lets it)"
        sed 's/&lt;script&gt;/<script>/g; s,&lt;/script&gt;,</script>,g; s/<meta http-equiv[^>]*>//' ../all/report.html >../torn.html
        is "$(look ../torn.html window.pwned | jq '.values[0] != null')" true "without escapes and policy the names would run"
        sed 's/&lt;script&gt;/<script>/g; s,&lt;/script&gt;,</script>,g' ../all/report.html >../half.html
        is "$(look ../half.html window.pwned | jq '.values[0]')" null "with the policy alone they do not"
        seen=$(look ../all/report.html window.pwned document.title document.scripts.length document.body.innerText \
                'getComputedStyle(document.querySelector("header")).borderLeftColor')
        is "$(printf '%s' "$seen" | jq -c '[.values[0], .values[1], .values[2], .console, .requests, .wide]')" \
                '[null,"warder: tampered",0,[],[],false]' "nothing runs, nothing is asked for, no complaint, no sideways scrolling"
        has "$(printf '%s' "$seen" | jq -r '.values[3]')" "$evil" "the name is there to be read"
        is "$(printf '%s' "$seen" | jq -r '.values[4]')" "rgb(194, 47, 61)" "the style of the page holds"
        is "$(look --dark --width 390 ../all/report.html 'getComputedStyle(document.body).backgroundColor' |
                jq -c '[.values[0], .wide, .console]')" '["rgb(16, 20, 26)",false,[]]' "on a phone, in the dark"
else
        echo "# no headless Chromium (package chromium-headless-shell): the page was not opened in one"
        tests_run=$((tests_run + 1))
        echo "ok $tests_run - the page in a browser # SKIP no chromium-headless-shell"
fi

# --- ends without tests, and places that cannot be written
echo good >src/state && git checkout -q tests && rm -f src/dashes "src/<img src=x onerror=window.pwned=4>"
expect 0 "a verify that passes" warder verify --junit ../fine.xml
has "$(python3 -B ../junit.py ../fine.xml verdict gone)" "verdict passed" "its verdict is a test that passes"
expect 3 "a command that runs out of time" warder verify --run 'sleep 100' --time 1s --out ../late
has "$(python3 -B ../junit.py ../late/junit.xml run-1 run)" "error" "is an error in junit.xml"
has "$(cat ../late/junit.xml)" 'type="wall_timeout"' "with its cause"
printf 'no patch\n@@ -1 +1 @@\n-a\n+b\n' >../none.patch
expect 2 "a patch that is none" warder verify --out ../none ../none.patch
ok "$(python3 -B ../junit.py ../none/junit.xml verdict | grep -q 'verdict error'; echo $?)" "is an error in junit.xml"
expect 0 "its page is whole" python3 -B ../look.py ../none/report.html
expect 6 "a report that cannot be written" warder verify --html /nowhere/x.html
hasnt "$err" "results unit" "is found out before anything runs"
expect 2 "--guess with a report" warder verify --guess --html ../x.html
cd .. || exit 1

# --- a task
example=$top_srcdir/examples/quickstart
if [ -x "$top_builddir/agent/warder-agent" ] && command -v "${CC:-cc}" >/dev/null && command -v make >/dev/null; then
        cp -R "$example/project" task
        chmod -R u+w task
        git -C task init -q
        git -C task add .
        git -C task -c user.name=a -c user.email=a@b.c commit -q -m one
        cd task || exit 1
        expect 0 "a task" warder task run --replay "$example/transcript.json" --out ../results --summary ../task.md
        is "$(cd ../results && echo *)" "events.jsonl junit.xml patch.diff receipt.jsonl report.html summary.md verdict.json" \
                "has the same files"
        expect 0 "its page" python3 -B ../look.py ../results/report.html
        page=$(cat ../results/report.html)
        for part in "The agent's commands" "iteration 4" "architect" "tampered" "verified" "verifies"; do has "$page" "$part" "tells: $part"; done
        has "$(python3 -B ../junit.py ../results/junit.xml verdict)" "verdict passed" "its junit.xml is of the last verdict"
        has "$(cat ../task.md)" "verified" "its summary says how it ended"
        cd .. || exit 1
fi
nothing_left "after reports"
done_testing
