/*
 * each-jail: see each-jail.h.
 */
#include "cli/each-jail.h"

#include <errno.h>

#include "cli/link.h"
#include "cli/terminal.h"

static int ask_one(Link *link, const char *method, const char *jail, const cJSON *more,
                   Error *err) {
        Ask ask = { .method = method,
                    .params = more ? cJSON_Duplicate(more, true) : cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        answer_deinit(&answer);
        return r;
}

int each_jail(const VerbCall *call, const char *verb, const char *method, const cJSON *more,
              Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r, failed = 0;

        if (call->n_words < 1) {
                (void) error_say(err, -EINVAL, "No jail was named; 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, common->socket, err);
        for (int i = 0; r >= 0 && i < call->n_words; i++) {
                r = ask_one(&link, method, call->words[i], more, err);
                if (r == LINK_E_REFUSED) {
                        terminal_say("%s", err->text);
                        if (common->json)
                                verbs_report_json(verb, 1, err);
                        *err = ERROR_EMPTY;
                        failed = 1;
                }
        }
        link_deinit(&link);
        return r < 0 ? r : failed;
}
