/*
 * The verb "rm": end jails and drop what they changed; of workspaces the disk, too.
 */
#include "cli/verb-rm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "cli/each-jail.h"

typedef struct RmOptions {
        Common common;
        bool force;
} RmOptions;

static const Option rm_options[] = {
        { "force", 'f', OPTION_FLAG, offsetof(RmOptions, force), NULL,
          "Remove disks of workspaces without asking" },
        OPTIONS_COMMON,
        { 0 },
};

/* A name is a workspace's; so may an id be, which the supervisor knows */
static const char *named_workspace(const VerbCall *call) {
        for (int i = 0; i < call->n_words; i++)
                if (!id_is_valid('j', call->words[i]))
                        return call->words[i];
        return NULL;
}

static bool is_sure(const VerbCall *call) {
        const char *before = "warder: this removes ";
        char line[16] = { 0 };

        for (int i = 0; i < call->n_words; i++) {
                if (id_is_valid('j', call->words[i]))
                        continue;
                fprintf(stderr, "%s%s", before, call->words[i]);
                before = ", ";
        }
        fputs(", with the disk and all that is on it. Remove? [y/N] ", stderr);
        return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int run(const VerbCall *call, Error *err) {
        const RmOptions *options = call->options;
        EachJail each = { .verb = "rm", .method = "jail.destroy" };
        const char *name = named_workspace(call);
        bool asks = name && !options->force;
        SCOPED(json_free) cJSON *more = cJSON_CreateObject();

        if (asks && (options->common.json || !isatty(0) || !isatty(2))) {
                (void) error_say(err, -EINVAL,
                                 "'%.64s' is no jail's id, and a workspace of that name is "
                                 "removed by --force, with its disk; 'warder stop' keeps that. "
                                 "'warder ls -a' lists them.",
                                 name);
                return VERB_E_USAGE;
        }
        if (asks && !is_sure(call))
                return error_say(err, -ECANCELED, "Nothing was removed.");
        if (options->force || asks)
                json_add_bool(more, "disk", true);
        each.more = more;
        return each_jail(call, &each, err);
}

const Verb verb_rm = {
        .name = "rm",
        .summary = "end jails, with all that runs in them; remove workspaces",
        .synopsis = "[--force] JAIL…",
        .text = "A workspace goes with its disk: on a terminal that is asked, elsewhere it needs "
                "--force.",
        .examples = "  warder rm j-7f3kq2m4ab\n  warder rm $(warder ls --json | jq -r "
                    "'.jails[].jail')\n"
                    "  warder rm --force dev",
        .exits = EXITS_PLAIN,
        .options = rm_options,
        .size = sizeof(RmOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
