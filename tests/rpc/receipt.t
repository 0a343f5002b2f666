#!/bin/sh
# receipt: what a verify and a task did, bound line to line and signed; what is changed in it is found
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3 openssl
[ -x "$top_builddir/agent/warder-agent" ] || skip_all "agent/warder-agent is not built"

project=$scratch/project
make_project "$project"
cd "$project" || exit 1
patch_of good "$good_edit"
patch_of wrong "$wrong_edit"

says() { # says ROLE TURN EXPECT JSON
        printf '{"role":"%s","turn":%s,"expect":"%s","reply":%s}\n' "$1" "$2" "$3" "$4"
}
{
        says architect 1 'tests fail' '{"content":"{\"plan\":\"let sum() begin at 0\",\"files\":[\"src/sum.c\"]}"}'
        says developer 1 'begin at 0' '{"content":"","tool_calls":[{"name":"bash","arguments":{"command":"echo seen; exit 3"}}]}'
        says developer 2 'code 3' '{"content":"Done."}'
        says developer 3 'sum_of_three' '{"content":"","tool_calls":[{"name":"edit","arguments":{"path":"src/sum.c","old_string":"        int total = 0;\n\n        for (int i = 1;","new_string":"        int total = 0;\n\n        for (int i = 0;"}}]}'
        says developer 4 'replaced' '{"content":"Done."}'
} | jq -s . >"$scratch/mend.json"

check() {
        warder task receipt --check "$@"
}

# ---- a verify

expect 0 "a good patch" warder verify --out "$scratch/good" "$scratch/good.patch"
receipt=$scratch/good/receipt.jsonl
is "$(jq -r 'select(.kind) | .kind' "$receipt" | tr '\n' ' ')" "begin base test test test test verdict end " \
        "the receipt of a verify: beginning, base, each command, verdict, end"
is "$(jq -r 'select(.kind == "verdict") | .data.patch' "$receipt")" \
        "sha256:$(sha256sum <"$scratch/good.patch" | cut -d' ' -f1)" "the verdict names the patch"
is "$(jq -r 'select(.kind == "test") | .data | "\(.of) \(.id) \(.cause) \(.code)"' "$receipt" | tr '\n' ,)" \
        "base build exited 0,base unit exited 2,patch build exited 0,patch unit exited 0," "commands have their causes"
expect 0 "is good" check "$receipt"
has "$out" "8 lines, unbroken" "says how long"
has "$out" "verdict     passed" "and what the verdict is"
expect 0 "and about this patch" check "$receipt" --patch "$scratch/good.patch"
expect 1 "about another patch it is not" check "$receipt" --patch "$scratch/wrong.patch"
has "$err" "the last verdict is about sha256:" "says so"
expect 1 "a wrong patch" warder verify --out "$scratch/wrong" "$scratch/wrong.patch"
expect 0 "has a good receipt too" check "$scratch/wrong/receipt.jsonl"
has "$out" "verdict     failed" "that tells its verdict"

# ---- a task

expect 0 "a task" warder task run --replay "$scratch/mend.json" -m 'the tests fail' --out "$scratch/task"
task=$(jq -r .task "$scratch/task/verdict.json")
taskreceipt=$scratch/task/receipt.jsonl
expect 0 "its receipt is good" check "$taskreceipt" --patch "$scratch/task/patch.diff"
has "$out" "state       verified" "and tells the end"
is "$(jq -r 'select(.kind == "command") | .data | "\(.command) \(.cause) \(.code)"' "$taskreceipt")" \
        "echo seen; exit 3 exited 3" "the agent's command, with cause and code"
is "$(jq -r 'select(.kind == "command") | .data | .wall_usec > 0 and .output_bytes == 5 and .memory_peak > 0' "$taskreceipt")" \
        true "and what it used"
is "$(jq -r 'select(.kind == "verdict") | .data.verdict' "$taskreceipt" | tr '\n' ' ')" "failed passed " "each verdict"
is "$(jq -r 'select(.kind == "begin") | .data.request' "$taskreceipt")" \
        "sha256:$(printf 'the tests fail' | sha256sum | cut -d' ' -f1)" "the digest of what was asked"
is "$(jq -r 'select(.kind == "begin") | .data.model.transcript' "$taskreceipt")" \
        "sha256:$(sha256sum <"$scratch/mend.json" | cut -d' ' -f1)" "and of the transcript"
expect 0 "task receipt" warder task receipt "$task" --out "$scratch/again.jsonl"
ok "$(cmp -s "$scratch/again.jsonl" "$taskreceipt"; echo $?)" "gives the same bytes later"
expect 0 "task receipt for people" warder task receipt "$task"
has "$out" "verdict  passed" "tells line by line"
lines=$(jq -s 'map(select(.kind)) | length' "$taskreceipt")
has "$err" "$lines lines, 3 signatures, the last of line $lines; the host's key is sha256:" \
        "how many lines and signatures, and whose they are"
expect 0 "--check" check "$taskreceipt"
has "$out" "$lines lines, unbroken; 3 signatures" "counts the same"
expect 1 "of one that is not there" warder task receipt t-aaaaaaaaaa
has "$err" "there is no receipt of t-aaaaaaaaaa" "says so"

# ---- what others can do with it: links by sha256sum, canonical text, the signature by openssl

cat >"$scratch/others.py" <<'PY'
import base64, hashlib, json, subprocess, sys
receipt, key, where = sys.argv[1:]
head, lines, envelopes = b"\0" * 32, 0, 0
for line in open(receipt, "rb").read().split(b"\n")[:-1]:
    value = json.loads(line)
    assert json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == line
    if "payload" not in value:
        assert value["prev"] == "sha256:" + head.hex()
        head, lines = hashlib.sha256(line).digest(), lines + 1
        continue
    payload = base64.b64decode(value["payload"])
    kind = value["payloadType"].encode()
    with open(where + "/signed", "wb") as file:
        file.write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    with open(where + "/sig", "wb") as file:
        file.write(base64.b64decode(value["signatures"][0]["sig"]))
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", where + "/signed",
                    "-sigfile", where + "/sig"], check=True, stdout=subprocess.DEVNULL)
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:warder:receipt:1"
    assert statement["predicate"]["head"] == "sha256:" + head.hex() and statement["predicate"]["lines"] == lines
    envelopes += 1
print(lines, envelopes, statement["predicate"]["state"], statement["predicate"]["verdict"], statement["subject"][0]["name"],
      statement["subject"][0]["digest"]["sha256"])
PY
host_key=$WARDER_STATE/receipt.pub
expect 0 "sha256, JSON and openssl alone come to the same" \
        python3 "$scratch/others.py" "$taskreceipt" "$host_key" "$scratch"
is "$out" "$(jq -s 'map(select(.kind)) | length' "$taskreceipt") 3 verified passed patch.diff $(sha256sum <"$scratch/task/patch.diff" | cut -d' ' -f1)" \
        "three signatures, the last of the end, about the patch"
expect 0 "--in-toto" warder task receipt "$task" --in-toto
is "$out" "$(tail -n1 "$taskreceipt")" "is the last envelope"
is "$(stat -c %a:%u "$WARDER_STATE/receipt.key" "$host_key" "$WARDER_STATE/anchors" | tr '\n' ' ')" "600:0 644:0 600:0 " \
        "the private key is root's alone, the public one is for all, the list of heads root's"

# ---- keys

cp "$host_key" "$scratch/host.pub"
openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout >"$scratch/other.pub" 2>/dev/null
expect 0 "with the host's key" check "$taskreceipt" --key "$scratch/host.pub"
expect 1 "with another key alone" check "$taskreceipt" --key "$scratch/other.pub"
has "$err" "which is none of the keys that were given" "it is not good"
expect 0 "with both" check "$taskreceipt" --key "$scratch/other.pub" --key "$scratch/host.pub"
expect 1 "where no key is known" env WARDER_STATE=/nonexistent WARDER_INSTANCE=none warder task receipt --check "$taskreceipt"
has "$err" "no key was given" "nothing is taken for good"
has "$err" "Name the public key of the host that signed it with --key FILE" "and what to do is said"
expect 6 "a key that is none" check "$taskreceipt" --key "$taskreceipt"
expect 6 "a receipt that is not there" check "$scratch/nothing"
expect 2 "a task and a check" warder task receipt "$task" --check "$taskreceipt"
expect 2 "a key without a check" warder task receipt "$task" --key "$scratch/host.pub"

# ---- what is done to a receipt is found, and where

cat >"$scratch/do.py" <<'PY'
import json, sys
what, source, target, other = sys.argv[1:]
lines = open(source).read().splitlines(True)
theirs = open(other).read().splitlines(True)
chain = [i for i, line in enumerate(lines) if '"kind"' in line]
signed = [i for i, line in enumerate(lines) if '"payload"' in line]
kind = {}
for i in chain:
    kind.setdefault(json.loads(lines[i])["kind"], i)
canonical = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def edit(i, change):
    value = json.loads(lines[i])
    change(value)
    lines[i] = canonical(value)


def rewrite():
    """All links made anew after a change: what someone does who knows the form, but has no key."""
    import hashlib
    head, n = b"\0" * 32, 0
    for i, line in enumerate(lines):
        value = json.loads(line)
        if "payload" in value:
            continue
        n += 1
        value["prev"], value["n"] = "sha256:" + head.hex(), n
        lines[i] = canonical(value)
        head = hashlib.sha256(lines[i][:-1].encode()).digest()


def forge(name):
    edit(kind["command"], lambda v: v["data"].update(code=0))
    rewrite()


if what == "nothing": pass
elif what == "edit": edit(kind["command"], lambda v: v["data"].update(code=0))
elif what == "edit-end": edit(kind["end"], lambda v: v["data"].update(state="unverified"))
elif what == "edit-spelling": lines[2] = lines[2].replace('{"data"', '{ "data"', 1)
elif what == "double-member": lines[2] = lines[2].replace('{"data"', '{"data":{},"data"', 1)
elif what == "reorder": lines[chain[1]], lines[chain[2]] = lines[chain[2]], lines[chain[1]]
elif what == "cut-first": del lines[0]
elif what == "cut-middle": del lines[kind["command"]]
elif what == "cut-signature": del lines[signed[-1]]
elif what == "cut-end": lines = lines[:kind["end"]]
elif what == "cut-to-verdict": lines = lines[:signed[0] + 1]
elif what == "cut-in-line": lines[-1] = lines[-1][:-1]
elif what == "double": lines.insert(kind["command"], lines[kind["command"]])
elif what == "double-end": lines += lines[kind["end"]:]
elif what == "swap-line": lines[1] = theirs[1]
elif what == "swap-signature": lines[-1] = theirs[-1]
elif what == "graft": lines = theirs[:2] + lines[2:]
elif what == "swap-own-signature": lines[signed[0]], lines[signed[1]] = lines[signed[1]], lines[signed[0]]
elif what == "rewrite": forge("command")
elif what == "rewrite-cut": del lines[kind["command"]]; rewrite()
elif what == "rewrite-unsigned": forge("command"); lines = [line for line in lines if '"kind"' in line]
elif what == "forge-statement":
    import base64
    value = json.loads(lines[-1])
    value["payload"] = base64.b64encode(base64.b64decode(value["payload"]).replace(b'"verified"', b'"verifiee"')).decode()
    lines[-1] = canonical(value)
else: sys.exit("what?")
open(target, "w").writelines(lines)
PY
changed() { # changed WHAT TEXT
        python3 "$scratch/do.py" "$1" "$taskreceipt" "$scratch/changed" "$scratch/good/receipt.jsonl" || exit 1
        expect 1 "$1: found" check "$scratch/changed"
        has "$err" "$2" "$1: said"
}
python3 "$scratch/do.py" nothing "$taskreceipt" "$scratch/changed" "$scratch/good/receipt.jsonl"
expect 0 "rewritten without a change it is good" check "$scratch/changed"
changed edit "is bound to another line than the one before it"
changed edit-end "changed after it was signed"
changed edit-spelling "not the one text"
changed double-member "stands twice"
changed reorder "taken out, doubled or moved"
changed cut-first "number 2 stands where 1 is expected"
changed cut-middle "taken out, doubled or moved"
changed cut-signature "the end is not signed"
changed cut-end "has no end"
changed cut-to-verdict "has no end"
changed cut-in-line "the last line is cut off"
changed double "taken out, doubled or moved"
changed double-end "taken out, doubled or moved"
changed swap-line "bound to another line"
changed swap-signature "signature of another receipt"
changed graft "bound to another line"
changed swap-own-signature "it signs"
changed rewrite "changed after it was signed"
changed rewrite-cut "lines were taken out"
changed rewrite-unsigned "the end is not signed"
changed forge-statement "the signature is not one of"
is "$(check "$scratch/changed" --json | jq -r '.good, .line' | tr '\n' ' ')" \
        "false $(wc -l <"$taskreceipt") " "--json names the line"

# ---- the host's list of heads: who has the key after all still cannot change what was anchored

expect 0 "the list of heads agrees" check "$taskreceipt" --anchors "$WARDER_STATE/anchors"
cat >"$scratch/forge.py" <<'PY'
"""What one can do who holds the host's private key: write history anew and sign it all."""
import base64, hashlib, json, subprocess, sys
source, target, key, where = sys.argv[1:]
canonical = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
out, head, n = [], b"\0" * 32, 0
for line in open(source):
    value = json.loads(line)
    if "payload" in value:
        statement = json.loads(base64.b64decode(value["payload"]))
        statement["predicate"]["head"] = "sha256:" + head.hex()
        statement["subject"][-1]["digest"]["sha256"] = head.hex()
        payload, kind = canonical(statement).encode(), value["payloadType"].encode()
        open(where + "/signed", "wb").write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
        subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", where + "/signed", "-out", where + "/sig"], check=True)
        value["payload"] = base64.b64encode(payload).decode()
        value["signatures"][0]["sig"] = base64.b64encode(open(where + "/sig", "rb").read()).decode()
        out.append(canonical(value))
        continue
    n += 1
    if value["kind"] == "command":
        value["data"]["code"] = 0
    value["prev"], value["n"] = "sha256:" + head.hex(), n
    out.append(canonical(value))
    head = hashlib.sha256(out[-1].encode()).digest()
open(target, "w").write("\n".join(out) + "\n")
PY
python3 "$scratch/forge.py" "$taskreceipt" "$scratch/forged" "$WARDER_STATE/receipt.key" "$scratch" || exit 1
expect 0 "with the private key a false receipt can be made" check "$scratch/forged"
expect 1 "but not one that the list of heads agrees with" check "$scratch/forged" --anchors "$WARDER_STATE/anchors"
has "$err" "was written anew" "which says so"
grep -v " $task " "$WARDER_STATE/anchors" >"$scratch/fewer"
expect 1 "a list that does not have it" check "$taskreceipt" --anchors "$scratch/fewer"
has "$err" "does not have the last signature" "says so"

# ---- a list that a full disk damaged

cat >"$scratch/damage.py" <<'PY'
import sys
what, task, path = sys.argv[1:]
rows = open(path).read().splitlines(True)
own = [i for i, row in enumerate(rows) if f" {task} " in row]
at = own[0] if "first" in what else own[-1]
if "torn" in what: rows.insert(at, rows[at][:20] + "\n")
if "merged" in what: rows[at] = rows[at][:20] + rows[at]
if "falling" in what: rows.insert(at, rows[0])
if "begun" in what: rows.append("99 2026-")
sys.stdout.write("".join(rows))
PY
damaged() { # damaged WHAT: the list as it would be then
        python3 "$scratch/damage.py" "$1" "$task" "$WARDER_STATE/anchors" >"$scratch/list" || exit 1
}
line_of() { # line_of SED: a head of the task, by its place among them
        grep -n " $task " "$WARDER_STATE/anchors" | sed -n "$1s/:.*//p"
}
for what in torn-first torn-last begun; do
        damaged $what
        expect 0 "$what: nothing was signed for it" check "$taskreceipt" --anchors "$scratch/list"
done
n=$(line_of 1)
damaged merged-first
expect 1 "a head that cannot be read" check "$taskreceipt" --anchors "$scratch/list"
has "$err" "line $n of the host's list cannot be read, and number $n is not in the list" "is told of, with its line"
n=$(line_of '$')
damaged merged-last
expect 1 "the last one" check "$taskreceipt" --anchors "$scratch/list"
has "$err" "line $n cannot be read" "too"
damaged falling
expect 1 "a number that was there before" check "$taskreceipt" --anchors "$scratch/list"
has "$err" "line $n of the host's list has the number 1 after $((n - 1)): the numbers must rise" "is told of"
done_testing
