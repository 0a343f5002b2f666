/*
 * The verbs "stats" and "top": what jails use, as a table that is drawn again and again on a terminal, else as lines.
 */
#include "cli/verb-stats.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/stats-ids.h"
#include "cli/stats-live.h"
#include "cli/terminal.h"

#define INTERVAL_USEC 1000000u
#define INTERVAL_MIN  100000u
#define TASKS_USEC    2000000u
#define VIEW_MAX      (4u << 20)

typedef struct StatsOptions {
        Common common;
        bool once;
        uint64_t interval_usec;
} StatsOptions;

#define INTERVAL_OPTION                                                                          \
        {                                                                                        \
                "interval", 'i', OPTION_DURATION, offsetof(StatsOptions, interval_usec), "TIME", \
                        "How often to look, 100ms or more (default: 1s)"                         \
        }

static const Option stats_options[] = {
        { "once", 0, OPTION_FLAG, offsetof(StatsOptions, once), NULL, "Look once and end" },
        INTERVAL_OPTION,
        OPTIONS_COMMON,
        { 0 },
};

static const Option top_options[] = { INTERVAL_OPTION, OPTIONS_COMMON, { 0 } };

typedef struct Looking {
        const StatsOptions *options;
        const char *jail;   /* borrowed; NULL: all, or several */
        char *const *words; /* borrowed: of several, as the table's n_wanted */
        Link link;
        StatsTable table;
        StatsLive live;
        int written; /* 0; negative errno: nothing more can be */
        bool is_top;
        bool is_inside; /* a look of which more is to come */
        bool is_over;   /* what was named has ended, or we were told to */
        uint64_t tasks_due;
} Looking;

/* ---- records -------------------------------------------------------------------------------------- */

static int print_record(const cJSON *record, const char *time) {
        SCOPED(json_free) cJSON *line = cJSON_CreateObject();
        cJSON *copy = cJSON_Duplicate(record, true), *member;

        json_add_text(line, "time", time);
        while (copy && (member = copy->child))
                json_add_consume(line, member->string, cJSON_DetachItemViaPointer(copy, member));
        json_free(copy);
        return events_line(line);
}

static int print_records(const StatsTable *table, const cJSON *list, const char *time) {
        const cJSON *record;
        int r = 0;

        cJSON_ArrayForEach(record, list) {
                const char *jail = json_text(record, "jail");

                if (r == 0 && jail && stats_table_wants(table, jail))
                        r = print_record(record, time);
        }
        return r;
}

static int print_table(const Looking *looking) {
        const StatsView view = { .size = { .width = 200, .plain_marks = true },
                                 .whole = looking->jail != NULL };
        Buf text = BUF_EMPTY(VIEW_MAX);

        if (stats_view_render(&looking->table, &view, &text) >= 0 && text.data)
                fputs(text.data, stdout);
        buf_deinit(&text);
        return events_flush();
}

static void fold_all(Looking *looking, const cJSON *list) {
        const cJSON *record;

        cJSON_ArrayForEach(record, list)(void) stats_table_fold(&looking->table, record);
}

static void take(Looking *looking, const cJSON *params) {
        const cJSON *list = json_get(params, "stats");
        bool json = looking->options->common.json;
        uint64_t lagged = 0;

        if (json)
                looking->written = print_records(&looking->table, list, json_text(params, "time"));
        (void) json_number(params, "lagged", &lagged);
        if (!looking->is_inside || lagged > 0)
                stats_table_begin(&looking->table);
        fold_all(looking, list);
        looking->is_inside = json_true(params, "more");
        if (looking->is_inside)
                return;
        stats_table_end(&looking->table);
        looking->live.is_dirty = true;
        if (looking->table.n_wanted > 0 && looking->table.n == 0)
                looking->is_over = true;
        else if (looking->live.fd < 0 && !json)
                looking->written = print_table(looking);
}

/* ---- the link ------------------------------------------------------------------------------------- */

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Looking *looking = userdata;

        if (strcmp(method, "jail.sample") != 0)
                return;
        if (looking->is_over)
                return;
        looking->is_over = json_true(params, "ended");
        if (!looking->is_over)
                take(looking, params);
        looking->is_over |= looking->written < 0;
        if (looking->is_over)
                link_stop(link);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Looking *looking = userdata;

        if (signal == SIGWINCH) {
                stats_live_resized(&looking->live);
        } else if (signal == SIGTSTP) {
                stats_live_pause(&looking->live);
        } else {
                looking->is_over = true;
                link_stop(link);
        }
}

static void on_key(Link *link, char key, void *userdata) {
        Looking *looking = userdata;

        if (!stats_live_key(&looking->live, key))
                return;
        looking->is_over = true;
        link_stop(link);
}

static uint64_t on_wake(Link *link, void *userdata) {
        Looking *looking = userdata;
        uint64_t now = units_monotonic();

        stats_live_draw(&looking->live, &looking->table);
        if (!looking->is_top)
                return now + INTERVAL_USEC;
        if (now >= looking->tasks_due)
                link_stop(link); /* they are asked for in between */
        return looking->tasks_due > now ? looking->tasks_due : now + TASKS_USEC;
}

static cJSON *params_of(const Looking *looking, bool again) {
        cJSON *params = cJSON_CreateObject();
        uint64_t interval = looking->options->interval_usec;

        if (looking->jail)
                json_add_text(params, "jail", looking->jail);
        if (again)
                json_add_number(params, "interval_usec", interval ? interval : INTERVAL_USEC);
        return params;
}

static int ask_tasks(Looking *looking, Error *err) {
        Ask ask = { .method = "task.list", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r = link_ask(&looking->link, &ask, &answer, err);

        if (r == 0) {
                json_free(looking->live.tasks);
                looking->live.tasks = cJSON_Duplicate(json_get(answer.result, "tasks"), true);
                looking->live.is_dirty = true;
        }
        looking->tasks_due = units_monotonic() + TASKS_USEC;
        answer_deinit(&answer);
        return r;
}

static int watch(Looking *looking, Error *err) {
        Ask ask = { .method = "jail.stats", .params = params_of(looking, true) };
        Answer answer = ANSWER_EMPTY;
        int r = link_ask(&looking->link, &ask, &answer, err);

        answer_deinit(&answer);
        while (r == 0 && !looking->is_over) {
                if (looking->is_top)
                        r = ask_tasks(looking, err);
                if (r == 0 && !looking->is_over)
                        r = link_listen(&looking->link, err);
                if (r == LINK_E_STOPPED && !looking->is_over)
                        r = 0;
        }
        return looking->is_over ? 0 : r;
}

/* ---- once ----------------------------------------------------------------------------------------- */

static int look(Looking *looking, Error *err) {
        Ask ask = { .method = "jail.stats", .params = params_of(looking, false) };
        Answer answer = ANSWER_EMPTY;
        int r = ask_pages(&looking->link, &ask, &answer, err);

        if (r == 0 && looking->options->common.json) {
                char time[UNITS_TEXT_MAX];

                (void) units_format_time(units_now(), time);
                looking->written =
                        print_records(&looking->table, json_get(answer.result, "stats"), time);
        } else if (r == 0) {
                stats_table_begin(&looking->table);
                fold_all(looking, json_get(answer.result, "stats"));
                stats_table_end(&looking->table);
        }
        answer_deinit(&answer);
        return r;
}

/* How busy a processor is takes two looks. */
static int look_once(Looking *looking, Error *err) {
        uint64_t interval = looking->options->interval_usec;
        int r = look(looking, err);

        if (r != 0 || looking->options->common.json)
                return r;
        link_pause(&looking->link, (int) ((interval ? interval : INTERVAL_USEC) / 1000));
        r = look(looking, err);
        if (r == 0)
                looking->written = print_table(looking);
        return r;
}

/* ---- the verbs ------------------------------------------------------------------------------------ */

static int start_live(Looking *looking, Error *err) {
        Link *link = &looking->link;
        int r;

        if (looking->options->common.json || !screen_is_possible(STDOUT_FILENO))
                return looking->is_top && !looking->options->common.json
                               ? error_say(err, -ENOTTY,
                                           "'top' draws on a terminal; elsewhere there is 'stats'")
                               : 0;
        r = link_catch_screen(link, err);
        if (r < 0)
                return r;
        looking->live.keys = looking->is_top;
        looking->live.view.whole = looking->jail != NULL;
        stats_live_start(&looking->live, STDOUT_FILENO);
        link->on_wake = on_wake;
        if (isatty(STDIN_FILENO)) {
                link->keys = STDIN_FILENO;
                link->on_key = on_key;
        }
        return 0;
}

static int run_looking(Looking *looking, Error *err) {
        Link *link = &looking->link;
        int r = link_open(link, looking->options->common.socket, err);

        if (r == 0)
                r = link_catch_signals(link, err);
        link->on_note = on_note;
        link->on_signal = on_signal;
        link->userdata = looking;
        link->reader = STDOUT_FILENO;
        if (r == 0)
                r = stats_ids_find(link, looking->words, looking->table.n_wanted,
                                   looking->table.wanted, err);
        if (r == 0 && !looking->options->once)
                r = start_live(looking, err);
        if (r == 0)
                r = looking->options->once ? look_once(looking, err) : watch(looking, err);
        link->on_wake = NULL;
        stats_live_stop(&looking->live, &looking->table);
        stats_table_deinit(&looking->table);
        link_deinit(link);
        if (r == 0 || looking->is_over)
                return events_end(looking->written, err);
        return r > 0 ? -EREMOTEIO : r;
}

static int look_at_several(Looking *looking, const VerbCall *call, Error *err) {
        size_t n = (size_t) call->n_words;
        autofree char(*ids)[ID_MAX] = calloc(n, sizeof(*ids));

        if (!ids)
                return error_set(err, -ENOMEM, "look at %zu jails", n);
        looking->words = call->words;
        looking->table.wanted = ids;
        looking->table.n_wanted = n;
        return run_looking(looking, err);
}

static int run(const VerbCall *call, bool is_top, Error *err) {
        Looking looking = { .options = call->options,
                            .link = LINK_EMPTY,
                            .live = STATS_LIVE_EMPTY,
                            .is_top = is_top };
        uint64_t interval = looking.options->interval_usec;

        if (interval && interval < INTERVAL_MIN) {
                (void) error_say(err, -EINVAL, "--interval is 100ms or more.");
                return VERB_E_USAGE;
        }
        if (call->n_words == 1)
                looking.jail = call->words[0];
        if (call->n_words > 1)
                return look_at_several(&looking, call, err);
        return run_looking(&looking, err);
}

static int run_stats(const VerbCall *call, Error *err) {
        return run(call, false, err);
}

static int run_top(const VerbCall *call, Error *err) {
        return run(call, true, err);
}

const Verb verb_stats = {
        .name = "stats",
        .summary = "what jails use: processors, memory, processes, disk",
        .synopsis = "[--once] [--interval TIME] [JAIL…]",
        .text = "On a terminal a table that is drawn again each second, with how it went; of one "
                "jail\n"
                "all that is known. Ctrl-C or q ends it. With --json a line for each jail and "
                "look.",
        .examples = "  warder stats\n  warder stats j-7f3kq2m4ab\n"
                    "  warder stats --once --json | jq 'select(.memory.now > 1e9).jail'",
        .exits = EXITS_PLAIN,
        .options = stats_options,
        .size = sizeof(StatsOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_stats,
};

const Verb verb_top = {
        .name = "top",
        .summary = "all jails and tasks of yours, what uses most first",
        .synopsis = "[--interval TIME]",
        .text = "For administrators all users'. Keys: c, m, p, d, a sort by processor, memory, "
                "processes,\n"
                "disk, age; q ends it.",
        .examples = "  warder top\n  warder top --interval 250ms",
        .exits = EXITS_PLAIN,
        .options = top_options,
        .size = sizeof(StatsOptions),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_top,
};
