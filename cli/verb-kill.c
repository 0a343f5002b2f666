/*
 * The verb "kill": a signal to a command of a jail, which is how one in the background is ended.
 */
#include "cli/verb-kill.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "cli/ask-once.h"

typedef struct KillOptions {
        Common common;
        const char *signal;
} KillOptions;

static const Option kill_options[] = {
        { "signal", 's', OPTION_TEXT, offsetof(KillOptions, signal), "SIGNAL",
          "Name or number (default: TERM); KILL ends all that the command started" },
        OPTIONS_COMMON,
        { 0 },
};

/* Returns: the number of "TERM", "SIGTERM" or "15"; 0: there is no such signal */
static int signal_of(const char *text) {
        const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
        uint64_t number = 0;

        if (units_parse_number(text, &number, NULL) == 0)
                return number <= (uint64_t) SIGRTMAX ? (int) number : 0;
        for (int i = 1; i < NSIG; i++)
                if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0)
                        return i;
        return 0;
}

static int run(const VerbCall *call, Error *err) {
        const KillOptions *options = call->options;
        int signal = signal_of(options->signal ? options->signal : "TERM");
        cJSON *params;

        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL,
                                 "Name a jail and one of its commands; 'warder ls JAIL' lists "
                                 "those in the background.");
                return VERB_E_USAGE;
        }
        if (signal == 0) {
                (void) error_say(err, -EINVAL, "--signal %.40s: there is no such signal.",
                                 options->signal);
                return VERB_E_USAGE;
        }
        params = cJSON_CreateObject();
        json_add_text(params, "jail", call->words[0]);
        json_add_text(params, "command", call->words[1]);
        json_add_number(params, "signal", (uint64_t) signal);
        return ask_once(&options->common, "jail.signal", params, NULL, err);
}

const Verb verb_kill = {
        .name = "kill",
        .summary = "send a signal to a command of a jail",
        .synopsis = "[--signal SIGNAL] JAIL COMMAND",
        .examples = "  warder kill j-7f3kq2m4ab c-n5w2x7ktq4\n"
                    "  warder kill -s KILL j-7f3kq2m4ab c-n5w2x7ktq4",
        .exits = EXITS_PLAIN,
        .options = kill_options,
        .size = sizeof(KillOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
