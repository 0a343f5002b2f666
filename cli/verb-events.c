/*
 * The verb "events": what happens to jails, as lines for people or as they are.
 */
#include "cli/verb-events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/link.h"
#include "cli/reconnect.h"
#include "cli/terminal.h"

#define TEXT_SHOWN 300
#define TIME_SHOWN 24

typedef struct EventsOptions {
        Common common;
        bool once;
        bool fresh;
} EventsOptions;

static const Option events_options[] = {
        { "once", 0, OPTION_FLAG, offsetof(EventsOptions, once), NULL,
          "End behind what has happened so far" },
        { "new", 0, OPTION_FLAG, offsetof(EventsOptions, fresh), NULL,
          "Only what happens from now on" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Watching {
        const EventsOptions *options;
        const char *jail; /* borrowed; NULL: all */
        Link link;
        uint64_t seq;    /* of the last event that came */
        uint64_t cursor; /* of events that we missed; 0: none */
        int written;     /* 0; negative errno: nothing more can be */
        bool is_over;
} Watching;

/* ---- lines ---------------------------------------------------------------------------------------- */

static void say_created(const cJSON *data) {
        printf("created: snapshot ");
        terminal_text(stdout, json_text(data, "snapshot"), TEXT_SHOWN);
        printf(", policy ");
        terminal_text(stdout, json_text(data, "policy"), TEXT_SHOWN);
        printf(json_true(data, "keep") ? ", stays" : ", ends with its connection");
}

static void say_start(const cJSON *data) {
        terminal_text(stdout, json_text(data, "command"), TEXT_SHOWN);
        printf(" started");
}

static void say_end(const cJSON *data) {
        char wall[UNITS_TEXT_MAX];
        uint64_t value = 0;

        terminal_text(stdout, json_text(data, "command"), TEXT_SHOWN);
        printf(" ended: ");
        terminal_text(stdout, json_text(data, "cause"), TEXT_SHOWN);
        if (json_number(data, "signal", &value) == 0)
                printf(", signal %llu", (unsigned long long) value);
        else if (json_number(data, "code", &value) == 0)
                printf(", code %llu", (unsigned long long) value);
        value = 0;
        (void) json_number(data, "wall_usec", &value);
        printf(", after %s", units_format_duration(value, wall));
}

static void say_limit(const cJSON *data) {
        const char *command = json_text(data, "command");

        printf("limit reached: ");
        terminal_text(stdout, json_text(data, "limit"), TEXT_SHOWN);
        if (!command)
                return;
        printf(", by ");
        terminal_text(stdout, command, TEXT_SHOWN);
}

static void say_ended(const cJSON *data) {
        const char *text = json_text(data, "text");

        printf("ended: ");
        terminal_text(stdout, json_text(data, "cause"), TEXT_SHOWN);
        if (!text)
                return;
        printf(": ");
        terminal_text(stdout, text, TEXT_SHOWN);
}

static const struct {
        const char *event;
        const char *text; /* NULL: say() knows */
        void (*say)(const cJSON *data);
} rows[] = {
        { "jail.created", NULL, say_created }, { "jail.ready", "ready", NULL },
        { "command.start", NULL, say_start },  { "command.end", NULL, say_end },
        { "limit", NULL, say_limit },          { "jail.frozen", "frozen", NULL },
        { "jail.thawed", "thawed", NULL },     { "jail.ended", NULL, say_ended },
};

static int show_event(const cJSON *event, const char *name) {
        const char *time = json_text(event, "time");
        size_t i = 0;

        while (i < ELEMENTS(rows) && strcmp(rows[i].event, name) != 0)
                i++;
        terminal_text(stdout, time ? time : "", TIME_SHOWN);
        printf("  ");
        terminal_text(stdout, json_text(event, "jail"), ID_MAX);
        printf("  ");
        if (i == ELEMENTS(rows))
                terminal_text(stdout, name, TEXT_SHOWN); /* of a newer supervisor */
        else if (rows[i].say)
                rows[i].say(json_get(event, "data"));
        else
                fputs(rows[i].text, stdout);
        putchar('\n');
        return events_flush();
}

/* ---- what comes ----------------------------------------------------------------------------------- */

static void take(Watching *watching, const cJSON *event) {
        const char *name = json_text(event, "event");
        uint64_t seq = 0;

        if (!name || json_number(event, "seq", &seq) < 0 || seq <= watching->seq)
                return; /* what was asked for again overlaps with what came */
        watching->seq = seq;
        watching->written =
                watching->options->common.json ? events_line(event) : show_event(event, name);
        if (watching->written < 0 || (watching->jail && strcmp(name, "jail.ended") == 0))
                watching->is_over = true;
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Watching *watching = userdata;
        const char *name = json_text(params, "event");

        if (strcmp(method, "jail.event") != 0 || !name || watching->is_over)
                return;
        if (strcmp(name, "lagged") != 0)
                take(watching, params);
        else
                (void) json_number(params, "cursor", &watching->cursor);
        if (watching->is_over || watching->cursor)
                link_stop(link);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Watching *watching = userdata;

        (void) signal;
        watching->is_over = true;
        link_stop(link);
}

static void say_missed(const Watching *watching, const cJSON *result) {
        if (json_true(result, "missed") && !watching->options->common.json)
                terminal_say("some events are not kept any more, and left out here");
}

static int ask(Watching *watching, uint64_t from, bool watch, Answer *ret, Error *err) {
        Ask ask = { .method = "jail.events", .params = cJSON_CreateObject() };

        if (watching->jail)
                json_add_text(ask.params, "jail", watching->jail);
        if (from > 0)
                json_add_number(ask.params, "from", from);
        json_add_bool(ask.params, "watch", watch);
        return link_ask(&watching->link, &ask, ret, err);
}

/* ---- once ----------------------------------------------------------------------------------------- */

static int read_kept(Watching *watching, Error *err) {
        uint64_t from = 1;
        int r = 0;

        while (r == 0 && from > 0) {
                Answer answer = ANSWER_EMPTY;
                const cJSON *event;

                r = ask(watching, from, false, &answer, err);
                from = 0;
                if (r == 0) {
                        say_missed(watching, answer.result);
                        cJSON_ArrayForEach(event, json_get(answer.result, "events")) {
                                if (watching->written == 0)
                                        take(watching, event);
                        }
                        if (watching->written == 0)
                                (void) json_number(answer.result, "next", &from);
                }
                answer_deinit(&answer);
        }
        return r;
}

/* ---- watching ------------------------------------------------------------------------------------- */

static int watch_on(Watching *watching, uint64_t from, Error *err) {
        Answer answer = ANSWER_EMPTY;
        int r;

        watching->cursor = 0;
        r = ask(watching, from, true, &answer, err);
        if (r == 0)
                say_missed(watching, answer.result);
        if (r == 0 && from == 0) /* where the supervisor comes back, it goes on from here */
                (void) json_number(answer.result, "seq", &watching->seq);
        answer_deinit(&answer);
        if (r == 0 && !watching->is_over && !watching->cursor)
                r = link_listen(&watching->link, err);
        return r;
}

/* Numbers go on after a restart of the supervisor. */
static int watch_all(Watching *watching, Error *err) {
        uint64_t from = watching->options->fresh ? 0 : 1;

        for (;;) {
                int r = watch_on(watching, from, err);

                if (watching->is_over)
                        return 0;
                from = watching->cursor;
                if (r == -ECONNRESET || r == -EPIPE) {
                        from = watching->seq + 1;
                        r = reconnect(&watching->link, watching->options->common.socket, err);
                        if (r == 0)
                                *err = ERROR_EMPTY;
                }
                if (r != 0 && !(r == LINK_E_STOPPED && from > 0))
                        return watching->is_over ? 0 : r;
        }
}

static int run(const VerbCall *call, Error *err) {
        Watching watching = { .options = call->options, .link = LINK_EMPTY };
        Link *link = &watching.link;
        int r;

        if (call->n_words > 1) {
                (void) error_say(err, -EINVAL, "Name one jail, or none for all of yours.");
                return VERB_E_USAGE;
        }
        watching.jail = call->n_words == 1 ? call->words[0] : NULL;
        r = link_open(link, watching.options->common.socket, err);
        if (r == 0)
                r = link_catch_signals(link, err);
        link->on_note = on_note;
        link->on_signal = on_signal;
        link->userdata = &watching;
        link->reader = STDOUT_FILENO;
        if (r == 0)
                r = watching.options->once ? read_kept(&watching, err) : watch_all(&watching, err);
        link_deinit(link);
        if (watching.is_over)
                return events_end(watching.written, err);
        return r > 0 ? -EREMOTEIO : r;
}

const Verb verb_events = {
        .name = "events",
        .summary = "what happens to jails: made, frozen, limits, commands, ends",
        .synopsis = "[--once] [--new] [JAIL]",
        .text = "What is kept of what has happened comes first, then what happens, until Ctrl-C, "
                "or "
                "until\n"
                "the jail that was named has ended. With --json the events of warder-events(7), "
                "one a "
                "line.",
        .examples = "  warder events\n  warder events --once j-7f3kq2m4ab\n"
                    "  warder events --json | jq -r 'select(.event == \"limit\").data.limit'",
        .exits = EXITS_PLAIN,
        .options = events_options,
        .size = sizeof(EventsOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
