/*
 * follow: task.watch and what comes of it. A watcher that was too slow is told so with a cursor, and asks
 * again from there; the supervisor keeps the events.
 */
#include "cli/follow.h"

#include <stdio.h>
#include <string.h>

#include "cli/events.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

static const struct {
        const char *state;
        int exit_code;
} finals[] = {
        { "verified", EXIT_VERIFIED },   { "unverified", EXIT_NOT_VERIFIED },
        { "limit", EXIT_LIMIT },         { "tampered", EXIT_TAMPERED },
        { "cancelled", EXIT_CANCELLED }, { "error", EXIT_NOT_CARRIED_OUT },
};

bool follow_is_final(const char *state) {
        for (size_t i = 0; state && i < ELEMENTS(finals); i++)
                if (strcmp(finals[i].state, state) == 0)
                        return true;
        return false;
}

int follow_exit_code(const char *state) {
        for (size_t i = 0; state && i < ELEMENTS(finals); i++)
                if (strcmp(finals[i].state, state) == 0)
                        return finals[i].exit_code;
        return EXIT_NOT_CARRIED_OUT;
}

static void keep_line(Follow *follow, const cJSON *event) {
        autofree char *line = follow->events ? json_print(event) : NULL;

        if (line)
                (void) buf_printf(follow->events, "%s\n", line);
}

static void note_state(Follow *follow, const char *state) {
        if (!follow_is_final(state))
                return;
        snprintf(follow->state, sizeof(follow->state), "%s", state);
        link_stop(follow->link);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Follow *follow = userdata;
        const char *name = json_text(params, "event");

        if (strcmp(method, "task.event") != 0 || !name)
                return;
        keep_line(follow, params);
        if (follow->json)
                events_result(params);
        else
                progress_event(&follow->progress, params);
        if (strcmp(name, "lagged") == 0 && json_number(params, "cursor", &follow->cursor) == 0)
                link_stop(link);
        if (strcmp(name, "task.state") == 0)
                note_state(follow, json_text(json_get(params, "data"), "state"));
}

static void on_signal(Link *link, int signal, void *userdata) {
        Follow *follow = userdata;
        cJSON *params;

        (void) signal;
        follow->n_signals++;
        if (!follow->cancels || !follow->task[0] || follow->n_signals > 1) {
                link_stop(link);
                return;
        }
        terminal_say("cancelling; once more leaves without waiting");
        params = cJSON_CreateObject();
        json_add_text(params, "task", follow->task);
        link_tell(link, "task.cancel", params);
}

static int ask_watch(Follow *follow, uint64_t from, Error *err) {
        Ask ask = { .method = "task.watch", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "task", follow->task);
        if (from > 0)
                json_add_number(ask.params, "from", from);
        r = link_ask(follow->link, &ask, &answer, err);
        if (r == LINK_E_STOPPED && (follow->state[0] || follow->cursor))
                r = 0; /* the event that we wait for came before the answer */
        answer_deinit(&answer);
        return r;
}

void follow_attach(Follow *follow, Link *link) {
        follow->link = link;
        link->on_note = on_note;
        link->on_signal = on_signal;
        link->userdata = follow;
}

int follow_task(Follow *follow, uint64_t from, Error *err) {
        int r;

        for (;;) {
                follow->cursor = 0;
                r = ask_watch(follow, from, err);
                if (r == 0 && !follow->state[0] && !follow->cursor)
                        r = link_listen(follow->link, err);
                if (r != 0 || follow->state[0])
                        return r;
                if (!follow->cursor)
                        return LINK_E_STOPPED;
                from = follow->cursor;
        }
}
