/*
 * The verb "fork": more jails like one.
 */
#include "cli/verb-fork.h"

#include <errno.h>
#include <stdio.h>

#include "base/ids.h"
#include "cli/cleaned.h"
#include "cli/events.h"
#include "cli/jail-work.h"

typedef struct ForkOptions {
        Common common;
        uint64_t n;
        const char *work;
} ForkOptions;

static const Option fork_options[] = {
        { "number", 'n', OPTION_COUNT, offsetof(ForkOptions, n), "N", "So many (default: 1)" },
        { "work", 0, OPTION_TEXT, offsetof(ForkOptions, work), "DIR",
          "The directory that the jail was made in (default: the current one)" },
        OPTIONS_COMMON,
        { 0 },
};

static void show(const cJSON *result) {
        const cJSON *id;

        cJSON_ArrayForEach(id, json_get(result, "jails")) {
                if (cJSON_IsString(id) && id_is_valid('j', id->valuestring))
                        puts(id->valuestring);
        }
        cleaned_show(result, "in the jail");
}

static int ask_fork(Link *link, const VerbCall *call, Ask *ask, Error *err) {
        const ForkOptions *options = call->options;
        Answer answer = ANSWER_EMPTY;
        int r = link_ask(link, ask, &answer, err);

        if (r == 0 && options->common.json)
                events_result(answer.result);
        else if (r == 0)
                show(answer.result);
        answer_deinit(&answer);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        const ForkOptions *options = call->options;
        Ask ask = { .method = "jail.fork" };

        if (call->n_words != 1) {
                (void) error_say(err, -EINVAL,
                                 "Name a jail, and only one: 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        ask.params = cJSON_CreateObject();
        json_add_number(ask.params, "n", options->n ? options->n : 1);
        json_add_bool(ask.params, "keep", true);
        return jail_work_ask(call, options->work, &ask, ask_fork, err);
}

const Verb verb_fork = {
        .name = "fork",
        .summary = "make more jails with the files of one as they are",
        .synopsis = "[OPTION…] JAIL",
        .text = "The ids of the new jails are printed on stdout. Each has the files, policy and "
                "limits of\n"
                "the first, whose commands stand still while its files are read, and no processes: "
                "what\n"
                "a command holds in memory only is not there. They stay as those of 'create' do.",
        .examples = "  warder fork -n 4 j-7f3kq2m4ab\n"
                    "  for jail in $(warder fork -n 4 \"$base\"); do warder exec \"$jail\" -- make "
                    "& done",
        .exits = EXITS_PLAIN,
        .options = fork_options,
        .size = sizeof(ForkOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
