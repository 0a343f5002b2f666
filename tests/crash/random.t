#!/bin/sh
# Random workflows of every kind, each run without and with kill -9 of agent, front, egress and monitor: they come to the
# same. A thousand of them: make check-crash RUNS=1000 SEED=1
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need python3
for program in agent/warder-agent supervisor/egress/warder-egress; do
        [ -x "$top_builddir/$program" ] || skip_all "$program is not built"
done

runs=${WARDER_CRASH_RUNS:-8}
python3 -B "$top_srcdir/tests/crash/runs" --runs "$runs" --seed "${WARDER_CRASH_SEED:-1}" >"$scratch/random" 2>&1
code=$?
sed 's/^/# /' "$scratch/random" | cut -c1-3000
is "$code" 0 "$runs random workflows came to the same with random kills as without"
done_testing
