#!/bin/sh
# exec --memory, --pids: one command below its jail, and what a person is told of its end
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need jq
cd "$scratch" || exit 1

expect 0 "a jail" warder create --no-work --memory 128M --pids 60 --disk 8M
jail=$out
hog='exec python3 -c "b = bytearray(60 << 20)"'
expect 0 "60 MB in it are no trouble" warder exec "$jail" -- sh -c "$hog"
expect 137 "with --memory 32M they are" warder exec --memory 32M "$jail" -- sh -c "$hog"
has "$err" "out of memory" "it says so"
has "$err" "limit 32 MiB" "with the limit of this command"
has "$err" "raise with --memory" "and what to do"
expect 0 "the jail goes on" warder exec "$jail" -- true
expect 137 "the jail's own memory" warder exec "$jail" -- python3 -c 'b = bytearray(200 << 20)'
has "$err" "the limit is its jail's" "is not to be raised by an option of exec"
hasnt "$err" "raise with" "and none is named"
printf '{"warder": "policy/1", "extends": "default", "limits": {"memory": "64M"}, "command": {"wall": "15s"}}' >small.json
expect 137 "the policy's memory" warder run --no-work -p ./small.json -- python3 -c 'b = bytearray(200 << 20)'
has "$err" "the limit is the policy's: choose another with --policy" "is its to raise"
expect 124 "and its time" warder run --no-work -p ./small.json -- sleep 99
has "$err" "the limit is the policy's" "likewise"
expect 1 "the disk, half of what --memory says" warder run --memory 64M -- dd if=/dev/zero of=x bs=1M count=60
has "$err" "half of the memory at most: raise with --memory" "grows with it"
expect 125 "--memory 1M" warder exec --memory 1M "$jail" -- true
has "$err" "1 MiB is less than 4 MiB, the least there is (at --memory)" "is refused with the least there is"
spin='while :; do :; done'
expect 124 "--cpu-time of one command" warder exec --json --cpu-time 200ms "$jail" -- sh -c "$spin"
is "$(printf '%s\n' "$out" | jq -r 'select(.cause or .data.cause) | .cause // .data.cause' | tail -1)" cpu_timeout "is its cause"
expect 0 "counts no time that it sleeps" warder exec --cpu-time 2s "$jail" -- sleep 3
expect 124 "--cpu-time of a jail's command" warder run --no-work --cpu-time 200ms -- sh -c "($spin) & wait"
has "$err" "raise with --cpu-time" "counts what it started, and says what to do"
expect 159 "SIGSYS" warder exec "$jail" -- sh -c 'kill -SYS $$'
has "$err" "no record of the kernel says that a filter did it" "may be the filter's, and is not said to be"
expect 1 "a full disk that was not freed" warder exec "$jail" -- sh -c 'head -c 30M /dev/zero >/home/user/f; exit 1'
has "$err" "disk limit" "is named"
expect 1 "a command that fails on the full disk for a reason of its own" warder exec "$jail" -- sh -c 'exit 1'
has "$err" "limit of disk already before" "is told how it stood"
hasnt "$err" "disk limit:" "and no cause is invented"
expect 0 "it can be freed" warder exec "$jail" -- rm /home/user/f
expect 137 "a bare SIGKILL" warder exec --json "$jail" -- sh -c 'kill -9 $$'
is "$(printf '%s\n' "$out" | jq -r 'select(.cause or .data.cause) | .cause // .data.cause' | tail -1)" signaled "is no oom in --json either"
expect 2 "--pids" warder exec --pids 3 "$jail" -- sh -c 'for i in 1 2 3 4; do sleep 1 & done; wait'
has "$err" "process limit" "is named"
warder rm "$jail"
nothing_left "after it all"
done_testing
