/*
 * The verb "attach": to a command in the background, and away again: see attach.h.
 */
#include "cli/verb-attach.h"

#include <errno.h>
#include <string.h>

#include "cli/attach.h"
#include "cli/verbs.h"

typedef struct AttachOptions {
        Common common;
        const char *keys;
} AttachOptions;

static const Option attach_options[] = {
        OPTION_DETACH_KEYS(offsetof(AttachOptions, keys)),
        OPTIONS_COMMON,
        { 0 },
};

static int run(const VerbCall *call, Error *err) {
        const AttachOptions *options = call->options;
        Attach attach = ATTACH_EMPTY;
        int r;

        if (call->n_words != 2 || options->common.json || strlen(call->words[1]) >= ID_MAX) {
                (void) error_say(err, -EINVAL,
                                 "Name a jail and one of its commands, without --json; 'warder ls "
                                 "JAIL' lists them.");
                return VERB_E_USAGE;
        }
        attach.jail = call->words[0];
        memcpy(attach.command, call->words[1], strlen(call->words[1]) + 1);
        attach.facts = (OutcomeFacts){ .name = "the command", .is_in_jail = true };
        r = attach_open(&attach, options->common.socket, options->keys, err);
        if (r == 0)
                r = attach_run(&attach, err);
        attach_close(&attach);
        return r;
}

const Verb verb_attach = {
        .name = "attach",
        .summary = "go to a command in the background, and leave it again",
        .synopsis = "[--detach-keys KEYS] JAIL COMMAND",
        .text = "What it writes is shown, and where it has a terminal (a shell that was left, or "
                "one that was\n"
                "started with -d --tty), what is typed goes to it, all keys but Ctrl-P Ctrl-Q: "
                "these leave,\n"
                "and it goes on. It goes on too when this command is ended or its terminal "
                "closed.",
        .examples = "  warder exec -d --tty j-7f3kq2m4ab -- bash\n"
                    "  warder attach j-7f3kq2m4ab c-n5w2x7ktq4",
        .exits = EXITS_COMMAND,
        .options = attach_options,
        .size = sizeof(AttachOptions),
        .exit_usage = EXIT_RUN_FAILED,
        .exit_failed = EXIT_RUN_FAILED,
        .run = run,
};
