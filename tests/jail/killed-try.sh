# killed-try.sh: what killed.t and killed-jails.t share; source it, then try NAME OPTIONS of inject..., at last tried
TMPDIR=${TMPDIR:-/tmp}
inject=${top_builddir:-.}/tests/jail/inject
[ ! -w /dev/shm ] || TMPDIR=/dev/shm # what is killed has not lost power: a disk would only be slow
export TMPDIR
said=$(mktemp "$TMPDIR/warder-killed-XXXXXX") || exit 1
trap 'rm -f "$said"' EXIT
n=0

try() { # try NAME OPTIONS...
        name=$1
        shift
        n=$((n + 1))
        "$inject" "$@" >"$said" 2>&1
        code=$?
        if grep -q '^1..0 # SKIP' "$said"; then
                cat "$said"
                exit 0
        fi
        [ "$code" -eq 0 ] && grep -q '^1\.\.[1-9]' "$said" && ! grep -q '^not ok\|^Bail' "$said" || printf 'not '
        echo "ok $n - $name"
        sed 's/^\([^#]\)/# \1/' "$said"
}

tried() { echo "1..$n"; }
