/*
 * The verb "start": start workspaces as they were left.
 */
#include "cli/verb-start.h"

#include "cli/each-jail.h"

static const Option start_options[] = { OPTIONS_COMMON, { 0 } };

static int run(const VerbCall *call, Error *err) {
        const EachJail each = { .verb = "start", .method = "jail.start" };

        return each_jail(call, &each, err);
}

const Verb verb_start = {
        .name = "start",
        .summary = "start workspaces as they were left",
        .synopsis = "NAME…",
        .text = "The policy and the ceilings of now hold. What runs already goes on.",
        .examples = "  warder start dev; warder exec dev -- make",
        .exits = EXITS_PLAIN,
        .options = start_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
