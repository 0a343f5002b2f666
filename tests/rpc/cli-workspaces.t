#!/bin/sh
# persistent workspaces as the command shows them: create, run, stop, start, ls -a, rm
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need jq
need mke2fs
[ -e /dev/loop-control ] || skip_all "/dev/loop-control"
cd "$scratch" || exit 1

# a supervisor of its own for all of this, which stays while the workspace runs
expect 0 "a workspace is made" warder create --persistent dev --disk 64M --ttl 24h
jail=$out
expect 0 "its name does for its id" warder exec dev -- sh -c 'echo kept > /home/user/f'
expect 0 "ls has it" warder ls
has "$out" "dev" "by its name"
has "$out" "64 MiB on disk" "with its size"
expect 0 "stats knows names, too" warder stats --once --interval 100ms dev dev
has "$out" "$jail" "and shows what they stand for"
expect 0 "as JSON" warder stats --once --json dev "$jail"
is "$(printf '%s\n' "$out" | jq -r .jail)" "$jail" "too"
made=$(warder ls --json | jq -r '.jails[0].created')
expect 0 "it is stopped" warder stop --json dev
is "$(printf '%s\n' "$out" | jq -r type)" object "and the answer told"
expect 1 "stats of a stopped one" warder stats --once dev dev
has "$err" "dev" "says which"
expect 125 "exec in a stopped one" warder exec dev -- true
has "$err" "start" "says what to do"
expect 0 "run starts it" warder run --persistent dev -- cat /home/user/f
is "$out" kept "with its files"
expect 0 "ls -a --json lists stopped ones" warder ls -a --json
is "$(printf '%s\n' "$out" | jq -r '.jails[] | .jail + " " + .workspace.name')" "$jail dev" "by the same id"
expect 0 "one that runs is started" warder start --json dev
is "$(printf '%s\n' "$out" | jq -r .jail)" "$jail" "which changes nothing, and is told"
is "$(warder ls --json | jq -r '.jails[0].created')" "$made" "it was made when it was made, however often it is started"
expect 0 "it is stopped" warder stop dev
expect 1 "start of several" warder start dev no-such
has "$err" "there is no workspace no-such" "says which is not there, and starts the other"
expect 0 "what is there has its files" warder exec dev -- cat /home/user/f
is "$out" kept "still"
expect 125 "one that is there does not become another" warder run --persistent dev --disk 128M -- true
has "$err" "with another disk" "says what is other"
expect 125 "no directory of the caller's" warder run --persistent dev --rw . -- true
has "$err" "exclude each other" "says so"
expect 125 "--ttl alone" warder run --ttl 1h -- true
has "$err" "are of --persistent NAME" "says whose it is"
expect 2 "rm without a terminal" warder rm dev
has "$err" "--force" "says what to do"
expect 0 "the disk is still there" warder exec dev -- cat /home/user/f
expect 0 "rm --force" warder rm --force --json dev
is "$(printf '%s\n' "$out" | jq -r type)" object "tells the answer"
expect 0 "ls -a" warder ls -a --json
is "$(printf '%s\n' "$out" | jq '.jails | length')" 0 "has none"
nothing_left "after all of it"
done_testing
