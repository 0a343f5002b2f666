/*
 * The verbs "freeze" and "thaw": jails that stand still for a while.
 */
#include "cli/verb-freeze.h"

#include "cli/each-jail.h"
#include "cli/terminal.h"

static const Option freeze_options[] = { OPTIONS_COMMON, { 0 } };

static void show_frozen(const char *jail, const cJSON *result) {
        if (!json_true(result, "still"))
                terminal_say("%s: a process of it is in the middle of a call that cannot be "
                             "interrupted; it stops at the end of that",
                             jail);
}

static void show_thawed(const char *jail, const cJSON *result) {
        if (json_true(result, "still"))
                terminal_say("%s: the supervisor still looks at its files; it goes on when that is "
                             "done",
                             jail);
}

static int run_freeze(const VerbCall *call, Error *err) {
        const EachJail each = { .verb = "freeze", .method = "jail.freeze", .show = show_frozen };

        return each_jail(call, &each, err);
}

static int run_thaw(const VerbCall *call, Error *err) {
        const EachJail each = { .verb = "thaw", .method = "jail.thaw", .show = show_thawed };

        return each_jail(call, &each, err);
}

const Verb verb_freeze = {
        .name = "freeze",
        .summary = "let all that runs in jails stand still",
        .synopsis = "JAIL…",
        .text = "Nothing in the jail runs until 'warder thaw', and its time limits stand still "
                "too. "
                "No\n"
                "command can be started in it meanwhile; its files can be read, and it can be "
                "ended.",
        .examples = "  warder freeze j-7f3kq2m4ab\n  warder thaw j-7f3kq2m4ab",
        .exits = EXITS_PLAIN,
        .options = freeze_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_freeze,
};

const Verb verb_thaw = {
        .name = "thaw",
        .summary = "let frozen jails go on where they stood",
        .synopsis = "JAIL…",
        .examples = "  warder thaw j-7f3kq2m4ab\n"
                    "  warder thaw $(warder ls --json | jq -r '.jails[] | select(.frozen).jail')",
        .exits = EXITS_PLAIN,
        .options = freeze_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_thaw,
};
