#!/bin/sh
# The probes of "warder doctor --attack": each is tried outside first, the harmless ones as root of the host, the
# others in mount, pid, uts, ipc and net namespaces without any wall; what got through there must be held in a
# jail, under strict, default and ci. That the doctor says when something gets through is shown by a program
# that says so.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"

need_jails
need python3 unshare jq
probe=$top_builddir/cli/probe/warder-probe
[ -x "$probe" ] || skip_all "cli/probe/warder-probe is not built"

rm -f /tmp/.warder-set-id
(cd "$scratch" && "$probe" run harmless pid=$$ && unshare -mpfiun --mount-proc "$probe" run) >"$scratch/outside"
awk -F '\t' '$3 == "through" { print $1 }' "$scratch/outside" | sort -u >"$scratch/works"
[ "$(wc -l <"$scratch/works")" -ge 100 ]
ok $? "outside at least 100 probes get through ($(wc -l <"$scratch/works"))"

# a wall that cannot be looked at is not held: what /proc would have told is not there
unshare -mpfiun sh -c 'mount -t tmpfs none /proc && exec "$1" run harmless' sh "$probe" >"$scratch/blind"
for name in other-processes caps-effective caps-permitted caps-bounding mount-nosuid mount-nodev; do
        is "$(awk -F '\t' -v name="$name" '$1 == name { print $3 }' "$scratch/blind")" not-tried "without /proc: $name"
done

ln -s /proc/self/root "$scratch/link"
is "$(cat "$scratch/link$scratch/outside" | wc -l)" "$(wc -l <"$scratch/outside")" "outside who opens without care follows a link to its own root"
ln -s ../../../../../../.. "$scratch/up"
is "$(stat -L -c %d:%i "$scratch/up")" "$(stat -c %d:%i /)" "and one by .."

mkdir -p "$scratch/root/usr/bin" "$scratch/root/tmp" "$scratch/root/etc"
cp "$probe" "$scratch/root/usr/bin/probe"
tar -C "$scratch/root" -cf "$scratch/root.tar" .
expect 0 "a root for strict is imported" warder snapshot import attacked "$scratch/root.tar"

# attack POLICY [OPTION…]: one test a probe that works outside, for both users of the jail
attack() {
        policy=$1
        shift
        warder doctor --attack --policy "$policy" --json "$@" >"$scratch/out" 2>"$scratch/err"
        is "$?, $(jq -c '.probes[] | select(.outcome == "held" or .outcome == "not-tried" | not) | [.probe, .as, .evidence]' "$scratch/out")" \
                "0, " "nothing gets through under $policy"
        python3 - "$scratch/out" >"$scratch/inside" <<'PY'
import json, sys
worst = {}
for row in json.load(open(sys.argv[1]))["probes"]:
    if worst.get(row["probe"]) in (None, "held", "not-tried"):
        worst[row["probe"]] = row["outcome"]
for name, outcome in worst.items():
    print(name, outcome)
PY
        while read -r name; do
                is "$(sed -n "s/^$name //p" "$scratch/inside")" held "held under $policy: $name"
        done <"$scratch/works"
}

attack default
attack ci
attack strict --snapshot attacked
expect 1 "strict makes no jail of the host's root" warder doctor --attack --policy strict
has "$err" "host" "and says why"

mkdir "$scratch/weak"
for part in supervisor sandbox agent; do ln -s "$top_builddir/$part" "$scratch/weak/$part"; done
cat >"$scratch/weak/warder-probe" <<'SH'
#!/bin/sh
[ "$1" = exhaust ] && exit 7
if [ "$1" = plant ]; then # a place where care is needed, without what it is needed for
        mkdir -p /tmp/.warder-open/root/etc
        echo x >/tmp/.warder-open/plain
        echo x >/tmp/.warder-open/root/etc/passwd
        exit 0
fi
[ "$1" = run ] || exit 0
i=0
while [ $i -lt 120 ]; do printf 'p%d\ttried\theld\tfilter\tEPERM\n' $i; i=$((i + 1)); done
printf 'hole\ttried\tthrough\t-\tit \033[31mworked\n'
printf 'end\t121\n'
SH
chmod 755 "$scratch/weak/warder-probe"
WARDER_LIBEXEC=$scratch/weak expect 1 "the doctor says what gets through" warder doctor --attack
has "$out" " got through, 0 unclear" "and counts it"
has "$out" "hole" "and names it"
has "$(printf '%s\n' "$out" | grep open-root-link)" through "so is a file that the supervisor should not have opened"
sed -i '/^printf .end/d; s/through/held/' "$scratch/weak/warder-probe"
WARDER_LIBEXEC=$scratch/weak expect 1 "a report that is cut off is no clean one" warder doctor --attack
has "$out" "2 unclear" "and is counted as unclear"

expect 0 "doctor finds what jails need here" warder doctor --json
is "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["missing"])' "$scratch/out")" 0 "nothing needed is missing"
nothing_left "after the attacks"
done_testing
