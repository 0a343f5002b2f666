/*
 * ask-once: the common shape of the small verbs, and the columns that they print.
 */
#include "cli/ask-once.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/ids.h"
#include "base/units.h"
#include "cli/events.h"

int ask_once(const Common *common, const char *method, cJSON *params, ShowFn show, Error *err) {
        Ask ask = { .method = method, .params = params };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, common->socket, err);

        if (r < 0) {
                (void) json_free(params);
                return r;
        }
        r = link_ask(&link, &ask, &answer, err);
        if (r == 0 && common->json)
                events_result(answer.result);
        else if (r == 0 && show)
                show(answer.result);
        answer_deinit(&answer);
        link_deinit(&link);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

int ask_named(const VerbCall *call, const NamedAsk *named, Error *err) {
        cJSON *params;

        if (call->n_words == 1 && named->prefix && !id_is_valid(named->prefix, call->words[0])) {
                (void) error_say(err, -EINVAL, "'%.60s' is no id of %s.", call->words[0],
                                 named->what);
                return VERB_E_USAGE;
        }
        if (call->n_words != 1) {
                (void) error_say(err, -EINVAL, "Name %s, and only one.", named->what);
                return VERB_E_USAGE;
        }
        params = cJSON_CreateObject();
        json_add_text(params, named->member, call->words[0]);
        return ask_once(call->options, named->method, params, named->show, err);
}

void show_text(const cJSON *object, const char *member, int width) {
        const char *text = json_text(object, member);
        autofree char *safe = escape_new(text && *text ? text : "-", 200);

        printf("%-*s  ", width, safe ? safe : "-");
}

void show_size(const cJSON *object, const char *member, int width) {
        char text[UNITS_TEXT_MAX] = "-";
        uint64_t value = 0;

        if (json_number(object, member, &value) == 0)
                units_format_size(value, text);
        printf("%-*s  ", width, text);
}

void show_time(const cJSON *object, const char *member, int width) {
        char text[UNITS_TEXT_MAX];
        uint64_t value = 0;

        if (json_number(object, member, &value) == 0)
                printf("%-*s  ", width, units_format_time(value, text));
        else
                show_text(object, member, width);
}
