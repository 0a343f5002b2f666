#!/bin/sh
# greedy: an agent that wants more than a task may have, of the supervisor's own: disk, memory, descriptors, time
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
. "$top_srcdir/tests/rpc/gate-project.sh"
need_jails
need git make cc jq python3 sqlite3 pgrep
. "$top_srcdir/tests/rpc/other-agent.sh"
other_project

ended() { # with patience: its state and cause
        timeout 240 warder task watch --json "$task" >"$scratch/events" 2>/dev/null
        warder task show --json "$task" | jq -r '"\(.state) \(.cause)"'
}
told() {
        jq -r 'select(.event == "notice") | .data.text // empty' "$scratch/events"
}
ledger() { # when nobody has it open
        supervisor_ended
        sqlite3 "$WARDER_STATE/front/ledger.db" "$1"
}

# ---- disk: what steps remember

start hoard
is "$(ended)" "error agent_lost" "an agent whose steps remember 150 MB"
is "$(told)" "hoard: 0 result" "may commit them all"
bytes=$(ledger "SELECT sum(length(value)) FROM task_values WHERE task = '$task'")
[ "${bytes:-0}" -gt 0 ] && [ "$bytes" -le 134217728 ]
ok $? "but the ledger keeps 128 MiB of it at most: $bytes"
is "$(ledger "SELECT count(*) FROM task_steps WHERE task = '$task'")" 170 "and every step"
expect 1 "an early one is not gone back to" warder task undo "$task" "each[1]"
has "$err" "is not kept" "and it is said why"
expect 0 "the last one is" warder task undo "$task" "each[169]"
expect 0 "and that is all" warder task cancel "$task"

# ---- memory: files that it is given

start journal
is "$(ended)" "error agent_lost" "an agent that asks for its journal twice"
is "$(told)" "journal: the same file: 0 " "gets the same file"

# ---- time: asking, and going on without an answer

start flip
is "$(ended)" "error agent_lost" "an agent that says in turns that it waits and that it does not"
times=$(jq -r 'select(.event == "task.state") | .data.state' "$scratch/events" | grep -c suspended)
[ "$times" -ge 1 ] && [ "$times" -le 400 ]
ok $? "is believed 400 times at most: $times"

# ---- descriptors: dying beside a command

start "linger commit crash" -l commands=60 -l wall=10m
pid=$(front_pid)
tries=1800
until used=$(warder task show --json "$task" | jq -r .used.commands[0]); [ "$used" -ge 50 ] || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
done
held=$(find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null | wc -l)
[ "$used" -ge 50 ] && [ "$held" -gt 0 ] && [ "$held" -lt 50 ]
ok $? "an agent that died $used times beside its command leaves no socket behind: $held"
is "$(ended)" "limit commands" "and ends by its limit"

# ---- processor time: runs too short to be looked at

start "burn commit nap crash" -l cpu=3s -l wall=4m
is "$(ended)" "limit cpu" "an agent whose runs are short ends by its limit of processor time"
nothing_left "at the end"
done_testing
