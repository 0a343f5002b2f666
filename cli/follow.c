/*
 * follow: task.watch and what comes of it. A watcher that was too slow is told so with a cursor, and asks
 * again from there; the supervisor keeps the events.
 */
#include "cli/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/events.h"
#include "cli/question.h"
#include "cli/reconnect.h"
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
        return state && strcmp(state, "suspended") == 0 ? EXIT_WAITING : EXIT_NOT_CARRIED_OUT;
}

static void keep_line(Follow *follow, const cJSON *event) {
        autofree char *line = follow->events ? json_print(event) : NULL;

        if (line)
                (void) buf_printf(follow->events, "%s\n", line);
}

/* A task may also be suspended until a moment, or because something it needs was lost */
static void note_question(Follow *follow, const cJSON *data) {
        const char *phase = json_text(data, "phase");

        if (!phase || question_is_time(data))
                return;
        if (strcmp(phase, "asked") == 0)
                follow->asked++;
        else if (follow->asked > 0)
                follow->asked--;
}

static void note_state(Follow *follow, const char *state) {
        bool waits =
                follow->leaves && follow->asked > 0 && state && strcmp(state, "suspended") == 0;
        bool ends = follow_is_final(state) && follow->seq >= follow->known;

        if (!ends && !waits)
                return;
        snprintf(follow->state, sizeof(follow->state), "%s", state);
        link_stop(follow->link);
}

/* What was asked for again, after a lag or a restart, may overlap with what came already */
static bool is_new(Follow *follow, const cJSON *event) {
        uint64_t seq = 0;

        if (json_number(event, "seq", &seq) < 0)
                return true;
        if (seq <= follow->seq)
                return false;
        follow->seq = seq;
        return true;
}

static void show(Follow *follow, const cJSON *event) {
        keep_line(follow, event);
        if (follow->on_event)
                follow->on_event(follow, event);
        else if (follow->json)
                events_result(event);
        else if (follow->live.fd >= 0)
                task_live_event(&follow->live, event);
        else
                progress_event(&follow->progress, event);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Follow *follow = userdata;
        const char *name = json_text(params, "event");

        if (strcmp(method, "task.event") != 0 || !name)
                return;
        if (strcmp(name, "lagged") == 0) { /* what is missing is asked for, and nobody need know */
                if (json_number(params, "cursor", &follow->cursor) == 0)
                        link_stop(link);
                return;
        }
        if (!is_new(follow, params))
                return;
        show(follow, params);
        if (strcmp(name, "ask") == 0)
                note_question(follow, json_get(params, "data"));
        if (strcmp(name, "task.state") == 0)
                note_state(follow, json_text(json_get(params, "data"), "state"));
}

static void say(Follow *follow, const char *text) {
        if (follow->live.fd >= 0)
                task_live_say(&follow->live, text);
        else if (text)
                terminal_say("%s", text);
}

static uint64_t on_wake(Link *link, void *userdata) {
        Follow *follow = userdata;

        (void) link;
        return task_live_wake(&follow->live);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Follow *follow = userdata;
        cJSON *params;

        if (signal == SIGWINCH || signal == SIGTSTP) {
                if (signal == SIGWINCH)
                        task_live_resized(&follow->live);
                else
                        task_live_pause(&follow->live);
                return;
        }
        follow->n_signals++;
        if (!follow->cancels || !follow->task[0] || follow->n_signals > 1 || !link->peer) {
                link_stop(link);
                return;
        }
        say(follow, "cancelling; once more leaves without waiting");
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
        if (r == 0)
                (void) json_number(answer.result, "seq", &follow->known);
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

int follow_live(Follow *follow, Error *err) {
        int r;

        if (follow->json || follow->is_plain || !isatty(STDOUT_FILENO) ||
            !screen_is_possible(STDERR_FILENO))
                return 0;
        r = link_catch_screen(follow->link, err);
        if (r < 0)
                return r;
        task_live_start(&follow->live, STDERR_FILENO);
        follow->link->on_wake = on_wake;
        return 0;
}

/* One connection's part. Returns: 0 the end, or a cursor is set; else as follow_task() */
static int watch_on(Follow *follow, uint64_t from, Error *err) {
        int r;

        follow->cursor = 0;
        r = ask_watch(follow, from, err);
        if (r == 0 && !follow->state[0] && !follow->cursor)
                r = link_listen(follow->link, err);
        return r != 0 || follow->state[0] || follow->cursor ? r : LINK_E_STOPPED;
}

/* Its tasks outlive a supervisor, or are known to have ended with it; either way it knows more than we do */
static int go_on(Follow *follow, Error *err) {
        int r;

        say(follow, "the supervisor closed the connection; waiting for it to come back");
        r = reconnect(follow->link, follow->socket, err);
        if (r != 0)
                return r;
        *err = ERROR_EMPTY; /* what was wrong is over */
        say(follow, NULL);
        return 0;
}

static int follow_to_end(Follow *follow, uint64_t from, Error *err) {
        for (;;) {
                int r = watch_on(follow, from, err);

                if (r == -ECONNRESET || r == -EPIPE) {
                        r = go_on(follow, err);
                        from = follow->seq + 1;
                } else if (r == 0 && follow->state[0]) {
                        return 0;
                } else {
                        from = follow->cursor;
                }
                if (r != 0)
                        return r;
        }
}

int follow_task(Follow *follow, uint64_t from, Error *err) {
        int r = follow_to_end(follow, from, err);

        follow->link->on_wake = NULL;
        task_live_stop(&follow->live);
        return r;
}
