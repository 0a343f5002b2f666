#!/bin/sh
# signals that people send to the command, and a command that is killed itself
. "${top_srcdir:-$(dirname "$0")/../..}/tests/warder-env.sh"
need_jails
cd "$scratch" || exit 1

# start NAME COMMAND…: in the background, until the command in the jail has said "ready"
start() {
        rm -f ready
        mkfifo ready
        warder run -- sh -c "$1" >ready 2>err &
        pid=$!
        exec 3<ready
        read -r line <&3
}

end() { # end CODE NAME
        code=0
        wait "$pid" || code=$?
        rest=$(cat <&3)
        exec 3<&-
        is "$code" "$1" "$2"
}

start 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done'
kill -INT "$pid"
end 7 "SIGINT is the command's to handle"
is "$rest" caught "and it did"

start 'trap "echo told" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$pid"
read -r line <&3
is "$line" told "SIGTERM is passed on"
kill -TERM "$pid"
end 143 "the second SIGTERM ends a command that will not"
has "$(cat err)" "ending it now" "and says so"

start 'echo ready; sleep 30'
kill -HUP "$pid"
end 129 "SIGHUP, not handled"

start 'echo ready; setsid sleep 30 & sleep 30'
kill -KILL "$pid"
end 137 "the command is killed itself"
nothing_left "after kill -9 of the client"
done_testing
