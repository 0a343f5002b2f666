#!/bin/sh
# run, create, exec, ls, rm: exit codes, causes as sentences, stdio, and nothing left behind
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
need jq
cd "$scratch" || exit 1

# --- what a command's end is worth
expect 0 "true" warder run -- true
is "$err" "" "a command that just ends needs no words"
expect 3 "the command's own exit code" warder run -- sh -c 'exit 3'
is "$err" "" "and no words either"
expect 139 "128 and the signal" warder run -- sh -c 'kill -SEGV $$'
has "$err" "signal 11 (SIGSEGV)" "which is named"
expect 127 "a command that is not there" warder run -- no-such-program
has "$err" "no-such-program: not found in the jail" "says so by name"
expect 126 "a file that is no program" warder run -- /etc/passwd
has "$err" "/etc/passwd: may not be executed" "says so"
expect 124 "a wall time limit, a daemon in a session of its own too" \
        warder run --time 500ms -- sh -c 'setsid sleep 60 & sleep 60'
has "$err" "time limit" "is named"
expect 124 "a processor time limit" warder run --cpu-time 200ms -- sh -c 'while :; do :; done'
has "$err" "raise with --cpu-time" "says what to do"
expect 137 "out of memory" warder run --memory 32M -- \
        sh -c 'exec awk "BEGIN { s = \"x\"; while (1) s = s s }"'
has "$err" "out of memory" "is named"
has "$err" "limit 32 MiB" "with the limit"
expect 2 "too many processes" warder run --pids 10 -- \
        sh -c 'i=0; while [ $i -lt 20 ]; do i=$((i+1)); sleep 2 & done; wait'
has "$err" "process limit" "are named"
expect 1 "too much written" warder run --disk 1M -- dd if=/dev/zero of=/work/x bs=64k count=100
has "$err" "disk limit" "is named"
ok "$([ ! -e x ]; echo $?)" "and nothing of it is in the directory"

# --- an answer that cannot be written
expect 1 "an answer for which there is no room" sh -c 'exec warder ls >/dev/full'
has "$err" "write to stdout: No space left on device" "is a failure, and named"
expect 125 "a record for which there is none" sh -c 'exec warder run --json -- true >/dev/full'
expect 0 "who reads no more has what was wanted" sh -c '{ warder help; warder help run; warder --json ls; echo $? >&2; } | head -c 1 >/dev/null'
is "$err" 0 "and it is none"

# --- a caller without stdin or stdout: the connection to the supervisor must not stand there
jail=$(warder create --no-work) other=$(warder create --no-work)
asks="{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"jail.destroy\",\"params\":{\"jail\":\"$other\"}}"
expect 0 "no stdout" timeout 60 sh -c 'exec warder exec "$0" -- echo "$1" >&-' "$jail" "$asks"
has "$(warder ls --json | jq -r '.jails[].jail')" "$other" "what a command writes then asks for nothing in its caller's name"
expect 0 "no stderr" timeout 60 sh -c 'exec warder exec "$0" -- sh -c "echo \"\$1\" >&2" sh "$1" 2>&-' "$jail" "$asks"
has "$(warder ls --json | jq -r '.jails[].jail')" "$other" "nor does what it says of errors"
expect 0 "no stdin" timeout 60 sh -c 'exec warder exec "$0" -- cat <&-' "$jail"
is "$out" "" "is an input that has ended, not the supervisor's words"
expect 0 "none at all" timeout 60 sh -c 'exec warder exec "$0" -- cat <&- >&- 2>&-' "$jail"
warder rm "$jail" "$other"

# --- where --json stands, and what it says of a refusal
expect 0 "--json before the verb" warder --json ls
is "$(printf '%s\n' "$out" | jq -r '.jails | type')" array "counts"
expect 125 "for wrong usage too" warder --json run --frob
is "$(printf '%s\n' "$out" | jq -r '.event + " " + .verb')" "error run" "which is an event"
expect 1 "a jail that is not there" warder rm --json j-aaaaaaaaaa
is "$(printf '%s\n' "$out" | jq -r '.event + " " + .verb')" "error rm" "is an event as well"
expect 125 "nothing to run" warder run --snapshot host
hasnt "$err" "/exec/argv" "is said without the request's words"

# --- pipes are opened again by their names in /dev
is "$(warder run -- sh -c 'echo a >/dev/stdout; echo b >/dev/stderr' 2>&1 | sort | tr -d '\n')" ab \
        "/dev/stdout and /dev/stderr of a pipe can be opened"
is "$(echo in | warder run -- cat /dev/stdin)" in "and /dev/stdin"

# --- the directory and the environment
echo ours >file
expect 0 "the directory is at /work" warder run -- sh -c 'cat /work/file; pwd; echo theirs >file'
is "$out" "ours
/work" "and is where a command starts"
is "$(cat file)" ours "what the command changes is dropped"
expect 0 "--no-work" warder run --no-work -- sh -c 'ls -A /work 2>/dev/null'
is "$out" "" "shows nothing there"
FROM_US=1 expect 0 "--env" warder run -e A=1 -e FROM_US -- sh -c 'echo "$A $FROM_US ${TOP-unset}"'
is "$out" "1 1 unset" "sets and hands on, nothing else"
expect 0 "--user" warder run --user 7:8 -- sh -c 'id -u; id -g'
is "$out" "7
8" "is who the command is"
expect 0 "--cwd" warder run --cwd /tmp -- pwd
is "$out" /tmp "is where it starts"

# --- stdio
expect 0 "a pipe" sh -c 'echo input | warder run -- cat'
is "$out" input "is the command's stdin"
expect 0 "a regular file" sh -c 'warder run -- cat <file'
is "$out" ours "likewise"
expect 0 "/dev/null" sh -c 'warder run -- cat </dev/null'
is "$out" "" "likewise"
expect 0 "stdout and stderr" warder run -- sh -c 'echo out; echo err >&2'
is "$out/$err" "out/err" "stay apart"
expect 0 "ten megabytes" sh -c 'warder run -- head -c 10000000 /dev/zero | wc -c'
is "$out" 10000000 "come through a pipe"
expect 0 "the file of another file system" sh -c 'warder run -- cat </proc/self/status | head -n1'
has "$out" "Name:" "is relayed"
if command -v python3 >/dev/null; then
        expect 0 "a socket as stdin and stdout" python3 -c '
import socket, subprocess
a, b = socket.socketpair()
p = subprocess.Popen(["warder", "run", "--", "sh", "-c", "read line; echo got $line"], stdin=b, stdout=b)
b.close()
a.sendall(b"hello\n")
print(a.makefile().readline().strip())
raise SystemExit(p.wait())'
        is "$out" "got hello" "is relayed both ways"
fi
mkfifo named
expect 0 "a named pipe" sh -c 'echo through >named & warder run -- cat <named'
is "$out" through "is relayed"

expect 0 "the root" warder run -- sh -c 'for d in /*; do [ -L "$d" ] || echo "$d"; done'
is "$(echo $out)" "/dev /etc /home /mnt /opt /proc /root /run /tmp /usr /var /work" "has no place that only warder's own jails need"

# --- --json
expect 4 "--json" warder run --json -- sh -c 'echo a; echo b >&2; exit 4'
is "$(printf "%s\n" "$out" | jq -r .event | tr '\n' ' ')" "command.start command.end " "is one event a line"
is "$(printf "%s\n" "$out" | head -n1 | jq -c '.controls | [.seccomp, .proc, .root, .ids, (.landlock | type)]')" \
        '[["floor","default"],"masked","host",65536,"number"]' "the first with the walls that stand"
is "$(printf "%s\n" "$out" | tail -n1 | jq -r '[.cause, .code, .exit, .output.stdout.text, .output.stderr.text] | join("|")' | tr '\n' '~')" \
        "exited|4|4|a~|b~~" "with the record and what was printed"

# --- jails that stay
expect 0 "--keep" warder run --keep -- sh -c 'echo kept >/work/k'
jail=$(echo "$err" | sed -n 's/.*jail \(j-[a-z2-7]*\) is kept.*/\1/p')
expect 0 "exec in it" warder exec "$jail" -- cat /work/k
is "$out" kept "finds what was changed"
expect 7 "exec gives the exit code" warder exec "$jail" -- sh -c 'exit 7'
expect 124 "a time limit of one command" warder exec --time 200ms "$jail" -- sleep 20
expect 0 "leaves the jail usable" warder exec "$jail" -- true
expect 0 "create" warder create
has "$out" j- "prints an id"
second=$out
expect 0 "ls" warder ls
has "$out" "$jail" "lists the one"
has "$out" "$second" "and the other"
expect 1 "rm of what is there and what is not" warder rm "$jail" j-aaaaaaaaaa "$second"
has "$err" "no jail j-aaaaaaaaaa" "names what is not"
expect 0 "ls after that" warder ls --json
is "$(echo "$out" | jq '.jails | length')" 0 "lists none"
expect 125 "exec in what is gone" warder exec "$jail" -- true

# --- a file system that cannot be shown with other owners: a copy is
mkdir lower upper work merged
echo below >lower/file
cat >on-overlay <<'END'
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged || exit 77
cd merged
warder run -- sh -c 'cat file; touch made; ls' && ls
END
code=0
out=$(unshare -m sh ./on-overlay 2>err) || code=$?
if [ "$code" -eq 77 ]; then
        ok 0 "a directory on overlay # SKIP overlay cannot be mounted here"
else
        is "$out" "below
file
made
file" "a directory on overlay can be used, and is not changed"
        has "$(cat err)" "working on a copy" "and the command says how"
fi

# --- wrong usage
expect 125 "an unknown option" warder run --memmory 1 -- true
has "$err" "did you mean --memory" "names the nearest"
expect 125 "no command" warder run
expect 125 "an empty one" warder run -- ""
has "$err" "name is empty" "is none"
: >plain
expect 126 "a file that is no program" warder run -- ./plain
has "$err" "./plain: may not be executed: " "is told what it may be"
expect 125 "an option behind the jail" warder exec j-aaaaaaaaaa --memory 1G -- true
has "$err" "--memory stands behind the jail" "is no command"
expect 125 "a policy file without a slash" warder run -p tight.json -- true
has "$err" "a file needs a slash: ./tight.json" "is told of it"
expect 2 "a policy without an attack" warder doctor -p strict
has "$err" "belong to --attack" "is wrong usage"
expect 1 "the host's name for a snapshot" warder snapshot import host ./plain
has "$err" "choose another name" "is taken"
expect 125 "no processor" warder run --cpu 0% -- true
expect 125 "no time" warder run --time 0 -- true
expect 125 "a network" warder run --net host -- true
expect 125 "an unknown policy" warder run --policy nope -- true
has "$err" "no policy nope" "is named"
expect 125 "an unknown snapshot" warder run --snapshot nope -- true
expect 125 "a directory that is not there" warder run --cwd /nope -- true
has "$err" "--cwd" "names the option"
expect 125 "a directory that is no path of the jail" warder run --cwd nope -- true
has "$err" "absolute path" "says what it must be"
expect 125 "more time than the policy has" warder run --time 48h -- true
has "$err" "limits.wall: 48 h is more than 30 m, the most that a command may have here (at --time)" "in hours, with the option"
expect 125 "more memory" warder run --memory 1T -- true
has "$err" "1 TiB is more than 4 GiB, which " "in units"
has "$err" "(at --memory)" "with the option"
expect 125 "more disk than fits" warder run --disk 3G -- true
has "$err" "3 GiB is more than 2 GiB, which is half of limits.memory (at --disk)" "says what bounds it"
expect 125 "a working directory of the kernel's" sh -c 'cd /proc && exec warder run -- true'
has "$err" "the current directory holds no files but what the kernel shows" "is refused in words"
is "$(echo "$err" | wc -l)" 1 "in one line"
mkdir gone
expect 125 "one that was removed" sh -c 'cd gone && rmdir ../gone && exec warder run -- true'
has "$err" "the current directory is gone" "likewise"
expect 0 "without it" sh -c 'cd /proc && exec warder run --no-work -- true'
expect 126 "a policy that lets no command run" warder run --policy files -- true
has "$err" "the filter of this policy lets no program be executed" "is named as the reason"
expect 1 "and there is nothing to attack" warder doctor --attack --policy files
has "$err" "nothing was tried: " "which is said"
event() { # of the last output: its event, verb, exit and message
        printf '%s\n' "$out" | jq -r '[.event, .verb, .exit, .message] | join("|")'
}
expect 125 "wrong usage with --json" warder run --json --bogus
is "$(event)" "error|run|125|unknown option --bogus: --help lists those there are" "is an event"
expect 125 "wherever --json stands" warder run --bogus --json -- true
is "$(event)" "error|run|125|unknown option --bogus: --help lists those there are" "likewise"
expect 2 "a verb that needs a word" warder rm --json
is "$(event)" "error|rm|2|No jail was named; 'warder ls' lists them." "likewise"
expect 2 "no verb" warder rnu --json
has "$(event)" "error||2|There is no verb 'rnu'" "likewise"
expect 125 "the command's --json is its own" warder run --bogus -- true --json
is "$out" "" "and no event"
expect 2 "a word too many" warder task waiting x
has "$err" "takes options only" "says so"
expect 1 "a word that is no jail" warder ls x
has "$err" "no jail x" "says so"
expect 2 "an unknown verb" warder rnu
has "$err" "Did you mean 'run'" "names the nearest"
expect 2 "a verb of a group without it" warder gc
has "$err" "Did you mean 'snapshot gc'" "names it whole"
expect 2 "another program's word" warder destroy
has "$err" "Did you mean 'rm'" "names ours"
expect 2 "a word that is like none" warder xylophone
hasnt "$err" "Did you mean" "is not guessed at"

nothing_left "after all of it"
done_testing
