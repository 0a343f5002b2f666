# A build tree of its own, in which the agent is tests/rpc/fake-agent; its parts are those of the build. Sourced.
[ -x "$top_builddir/tests/rpc/fake-agent" ] || skip_all "tests/rpc/fake-agent is not built"
libexec=$scratch/libexec
mkdir -p "$libexec/agent"
for dir in supervisor/monitor supervisor/front supervisor/egress sandbox/init sandbox/files cli/receipt cli; do
        mkdir -p "$libexec/$dir"
        for program in "$top_builddir/$dir"/warder*; do
                [ ! -x "$program" ] || [ -d "$program" ] || cp "$program" "$libexec/$dir/"
        done
done
cp "$top_builddir/tests/rpc/fake-agent" "$libexec/agent/warder-agent"
chmod -R go+rX "$libexec"
WARDER_LIBEXEC=$libexec

# other_project: gate-project.sh's, in it and with nothing recorded
other_project() {
        project=$scratch/project
        make_project "$project"
        cd "$project" || exit 1
        echo '[]' >"$scratch/transcript.json"
}
start() { # start WORDS OPTION…: the task's id in $task
        words=$1
        shift
        task=$(warder task start --replay "$scratch/transcript.json" -m "$words" "$@")
}
