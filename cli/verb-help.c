/*
 * The verb "help": all verbs, or one of them.
 */
#include "cli/verb-help.h"

#include <stdio.h>

static const Option help_options[] = { OPTIONS_COMMON, { 0 } };

static int run(const VerbCall *call, Error *err) {
        const Verb *verb;
        int used = 0;

        if (call->n_words == 0) {
                puts("warder VERB [OPTION…]; 'warder help VERB' shows options and examples.\n");
                verbs_list(NULL);
                return 0;
        }
        if (call->n_words == 1 && verbs_is_group(call->words[0])) {
                verbs_list(call->words[0]);
                return 0;
        }
        verb = verbs_find(call->n_words, call->words, &used, err);
        if (!verb)
                return VERB_E_USAGE;
        verbs_help(verb);
        return 0;
}

const Verb verb_help = {
        .name = "help",
        .summary = "list all verbs, or explain one",
        .synopsis = "[VERB]",
        .examples = "  warder help\n  warder help task run",
        .exits = EXITS_PLAIN,
        .options = help_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
