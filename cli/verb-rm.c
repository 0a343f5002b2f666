/*
 * The verb "rm": end jails and drop what they changed.
 */
#include "cli/verb-rm.h"

#include <errno.h>

#include "cli/link.h"
#include "cli/terminal.h"

static const Option rm_options[] = { OPTIONS_COMMON, { 0 } };

static int remove_one(Link *link, const char *jail, Error *err) {
        Ask ask = { .method = "jail.destroy", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        answer_deinit(&answer);
        return r;
}

/* All are tried, so that one wrong id does not keep the others alive */
static int run(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r, failed = 0;

        if (call->n_words < 1) {
                (void) error_say(err, -EINVAL, "No jail was named; 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, common->socket, err);
        for (int i = 0; r >= 0 && i < call->n_words; i++) {
                r = remove_one(&link, call->words[i], err);
                if (r == LINK_E_REFUSED) {
                        terminal_say("%s", err->text);
                        if (common->json)
                                verbs_report_json("rm", 1, err);
                        *err = ERROR_EMPTY;
                        failed = 1;
                }
        }
        link_deinit(&link);
        return r < 0 ? r : failed;
}

const Verb verb_rm = {
        .name = "rm",
        .summary = "end jails, with all that runs in them",
        .synopsis = "JAIL…",
        .examples =
                "  warder rm j-7f3kq2m4ab\n  warder rm $(warder ls --json | jq -r '.jails[].jail')",
        .exits = EXITS_PLAIN,
        .options = rm_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
