/*
 * The verb "stop": stop workspaces, with all that runs in them.
 */
#include "cli/verb-stop.h"

#include "cli/each-jail.h"

static const Option stop_options[] = { OPTIONS_COMMON, { 0 } };

static int run(const VerbCall *call, Error *err) {
        const EachJail each = { .verb = "stop", .method = "jail.stop" };

        return each_jail(call, &each, err);
}

const Verb verb_stop = {
        .name = "stop",
        .summary = "stop workspaces, with all that runs in them",
        .synopsis = "NAME…",
        .text = "The files stay on the disk of the workspace, for warder start or warder run "
                "--persistent.",
        .examples = "  warder stop dev\n"
                    "  warder stop $(warder ls --json | jq -r '.jails[].workspace.name // empty')",
        .exits = EXITS_PLAIN,
        .options = stop_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
