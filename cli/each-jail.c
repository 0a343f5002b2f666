/*
 * each-jail: see each-jail.h.
 */
#include "cli/each-jail.h"

#include <errno.h>

#include "cli/events.h"
#include "cli/link.h"
#include "cli/terminal.h"

static int ask_one(Link *link, const EachJail *each, const char *jail, bool json, Error *err) {
        Ask ask = { .method = each->method,
                    .params =
                            each->more ? cJSON_Duplicate(each->more, true) : cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0 && json)
                events_result(answer.result);
        else if (r == 0 && each->show)
                each->show(jail, answer.result);
        answer_deinit(&answer);
        return r;
}

int each_jail(const VerbCall *call, const EachJail *each, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r, failed = 0;

        if (call->n_words < 1) {
                (void) error_say(err, -EINVAL, "No jail was named; 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, common->socket, err);
        for (int i = 0; r >= 0 && i < call->n_words; i++) {
                r = ask_one(&link, each, call->words[i], common->json, err);
                if (r == LINK_E_REFUSED) {
                        terminal_say("%s", err->text);
                        if (common->json)
                                verbs_report_json(each->verb, 1, err);
                        *err = ERROR_EMPTY;
                        failed = 1;
                }
        }
        link_deinit(&link);
        return r < 0 ? r : failed;
}
