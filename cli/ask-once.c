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

/* Lists of @page go behind those of the same name */
static int append(cJSON *result, cJSON *page) {
        for (cJSON *member = page ? page->child : NULL; member; member = member->next) {
                cJSON *list = cJSON_IsArray(member) ? json_get(result, member->string) : NULL;

                while (list && member->child)
                        if (!json_push_consume(list,
                                               cJSON_DetachItemViaPointer(member, member->child)))
                                return -ENOMEM;
        }
        return 0;
}

static int ask_page(Link *link, const Ask *ask, cJSON *result, Error *err) {
        const char *next = json_text(result, "next");
        Ask more = { .method = ask->method, .params = cJSON_Duplicate(ask->params, true) };
        Answer answer = ANSWER_EMPTY;
        int r;

        if (!more.params)
                more.params = cJSON_CreateObject();
        json_add_text(more.params, "cursor", next);
        cJSON_DeleteItemFromObjectCaseSensitive(result, "next");
        r = link_ask(link, &more, &answer, err);
        if (r == 0 && append(result, json_get(answer.message.json, "result")) < 0)
                r = error_set(err, -ENOMEM, "take in the answer");
        if (r == 0 && json_text(answer.result, "next"))
                json_add_text(result, "next", json_text(answer.result, "next"));
        answer_deinit(&answer);
        return r;
}

int ask_pages(Link *link, Ask *ask, Answer *ret_answer, Error *err) {
        Ask first = *ask;
        SCOPED(json_free) cJSON *params = TAKE_PTR(ask->params);
        int r;

        first.params = params ? cJSON_Duplicate(params, true) : NULL;
        r = link_ask(link, &first, ret_answer, err);
        while (r == 0 && json_text(ret_answer->result, "next")) {
                Ask again = { .method = ask->method, .params = params };

                r = ask_page(link, &again, json_get(ret_answer->message.json, "result"), err);
        }
        return r;
}

int ask_once(const Common *common, const char *method, cJSON *params, ShowFn show, Error *err) {
        Ask ask = { .method = method, .params = params };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, common->socket, err);

        if (r < 0) {
                (void) json_free(params);
                return r;
        }
        r = ask_pages(&link, &ask, &answer, err);
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

void show_columns(const cJSON *object, const ShownColumn *columns) {
        for (; columns->title; columns++)
                (columns->show ? columns->show : show_text)(object, columns->member,
                                                            columns->width);
        putchar('\n');
}

void show_table(const cJSON *list, const ShownColumn *columns) {
        const cJSON *object;

        for (const ShownColumn *at = columns; at->title; at++)
                printf("%-*s%s", at->width, at->title, at[1].title ? "  " : "\n");
        cJSON_ArrayForEach(object, list) show_columns(object, columns);
}
