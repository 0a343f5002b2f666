/*
 * The verb "task log": the events that are kept of a task, page by page, as lines, as JSON or as a trace; with
 * --follow those that are to come as well.
 */
#include "cli/verb-task-log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/events.h"
#include "cli/follow.h"
#include "cli/log-line.h"
#include "cli/outfile.h"
#include "cli/task-word.h"
#include "cli/terminal.h"
#include "cli/trace.h"

#define LINE_MAX_BYTES (1u << 20)
#define STEPS_MAX      400
#define STEP_MAX       128

typedef struct LogOptions {
        Common common;
        bool follow;
        const char *step;
        const char *times;
        const char *otlp;
} LogOptions;

static const Option log_options[] = {
        { "follow", 'f', OPTION_FLAG, offsetof(LogOptions, follow), NULL,
          "Go on with what is to come; the exit code is then the task's" },
        { "step", 0, OPTION_TEXT, offsetof(LogOptions, step), "PATH",
          "Only this step and what is in it; loop/code means all iterations, loop[2]/code one" },
        { "times", 0, OPTION_TEXT, offsetof(LogOptions, times), "utc|since|none",
          "How times are written (default: utc); since: since the task began" },
        { "otlp", 0, OPTION_TEXT, offsetof(LogOptions, otlp), "FILE|-",
          "Write a trace there instead, as OTLP/JSON" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Log {
        const LogOptions *options;
        char task[ID_MAX];
        LogTimes times;
        uint64_t first_usec;
        uint64_t seq; /* of the last event */
        char state[STATE_TEXT_MAX];
        bool found;            /* with --step: an event of it */
        char steps[STEPS_MAX]; /* and else the steps that there are: "plan, loop, loop/code, " */
        Trace *trace;          /* owned; with --otlp */
} Log;

static void show_line(const Log *log, const cJSON *event) {
        Buf line = BUF_EMPTY(LINE_MAX_BYTES);

        if (log_line(event, log->times, log->first_usec, &line) == 0)
                fputs(line.data, stdout);
        (void) fflush(stdout);
        buf_deinit(&line);
}

/* Is it about the step that was asked for; which others there are is kept for who asked for none of them */
static bool is_wanted(Log *log, const cJSON *event) {
        char step[STEP_MAX], entry[STEP_MAX + 4];
        size_t n = strlen(log->steps);

        if (!log->options->step)
                return true;
        if (log_is_at(event, log->options->step)) {
                log->found = true;
                return true;
        }
        if (!*log_step(event, step, sizeof(step)))
                return false;
        (void) snprintf(entry, sizeof(entry), " %s,", step);
        if (!strstr(log->steps, entry) && n + strlen(entry) < sizeof(log->steps))
                (void) snprintf(log->steps + n, sizeof(log->steps) - n, "%s", entry);
        return false;
}

static int say_no_step(Log *log, Error *err) {
        size_t n = strlen(log->steps);

        if (n > 0)
                log->steps[n - 1] = '\0';
        (void) error_say(err, -EINVAL, "There is no step '%.100s' in the log of %s%s%s.",
                         log->options->step, log->task, n > 0 ? "; its steps are" : "", log->steps);
        return VERB_E_USAGE;
}

static void take(Log *log, const cJSON *event) {
        const char *name = json_text(event, "event");
        const char *state = json_text(json_get(event, "data"), "state");

        (void) json_number(event, "seq", &log->seq);
        if (log->first_usec == 0)
                (void) units_parse_time(json_text(event, "time"), &log->first_usec);
        if (name && strcmp(name, "task.state") == 0 && state)
                (void) snprintf(log->state, sizeof(log->state), "%s", state);
        if (log->trace)
                trace_event(log->trace, event);
        else if (!is_wanted(log, event))
                return;
        else if (log->options->common.json)
                events_result(event);
        else
                show_line(log, event);
}

static void on_event(Follow *follow, const cJSON *event) {
        take(follow->userdata, event);
}

/* Page after page, until one is empty */
static int take_kept(Log *log, Link *link, Error *err) {
        for (;;) {
                Ask ask = { .method = "task.log", .params = cJSON_CreateObject() };
                Answer answer = ANSWER_EMPTY;
                const cJSON *event;
                int n, r;

                json_add_text(ask.params, "task", log->task);
                json_add_number(ask.params, "from", log->seq + 1);
                r = link_ask(link, &ask, &answer, err);
                n = r == 0 ? cJSON_GetArraySize(json_get(answer.result, "events")) : 0;
                if (r == 0)
                        cJSON_ArrayForEach(event, json_get(answer.result, "events"))
                                take(log, event);
                answer_deinit(&answer);
                if (r != 0 || n == 0)
                        return r;
        }
}

static int take_coming(Log *log, Link *link, Error *err) {
        Follow follow = FOLLOW_EMPTY;
        int r;

        (void) snprintf(follow.task, sizeof(follow.task), "%s", log->task);
        follow.socket = log->options->common.socket;
        follow.on_event = on_event;
        follow.userdata = log;
        follow.seq = log->seq;
        r = link_catch_signals(link, err);
        follow_attach(&follow, link);
        return r == 0 ? follow_task(&follow, log->seq + 1, err) : r;
}

static int write_trace(Log *log, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *path = log->options->otlp;
        autofree char *text = NULL;
        uint64_t dropped = 0;
        int r = trace_finish(log->trace, &json, &dropped, err);

        if (r < 0)
                return r;
        text = json_print(json);
        if (!text)
                return error_set(err, -ENOMEM, "write the trace");
        if (dropped > 0)
                terminal_say("%llu spans are left out: there are too many",
                             (unsigned long long) dropped);
        if (strcmp(path, "-") != 0)
                return outfile_write(path, text, true, err);
        puts(text);
        return 0;
}

static int read_log(Log *log, Error *err) {
        Link link = LINK_EMPTY;
        int r = link_open(&link, log->options->common.socket, err);

        if (r == 0)
                r = take_kept(log, &link, err);
        if (r == 0 && log->options->follow && !follow_is_final(log->state))
                r = take_coming(log, &link, err);
        link_deinit(&link);
        return r;
}

static int take_words(const VerbCall *call, Log *log, Error *err) {
        const LogOptions *options = call->options;
        int r = task_word(call, 1, err);

        if (r != 0)
                return r;
        if (options->times && log_times_parse(options->times, &log->times) < 0) {
                (void) error_say(err, -EINVAL, "--times is one of utc, since, none.");
                return VERB_E_USAGE;
        }
        if (options->otlp && (options->common.json || options->step)) {
                (void) error_say(err, -EINVAL,
                                 "--otlp writes a whole trace: without --json and --step.");
                return VERB_E_USAGE;
        }
        (void) snprintf(log->task, sizeof(log->task), "%s", call->words[0]);
        return options->otlp ? trace_new(log->task, &log->trace, err) : 0;
}

static int run(const VerbCall *call, Error *err) {
        const LogOptions *options = call->options;
        Log log = { .options = options };
        int r = take_words(call, &log, err), written;

        if (r == 0)
                r = read_log(&log, err);
        if (log.trace && (r == 0 || r == LINK_E_STOPPED) && (written = write_trace(&log, err)) < 0)
                r = written;
        log.trace = trace_free(log.trace);
        if (r == LINK_E_STOPPED)
                return EXIT_CANCELLED;
        if (r != 0)
                return r < 0 || r == VERB_E_USAGE ? r : -EREMOTEIO;
        if (options->step && !log.found)
                return say_no_step(&log, err);
        return options->follow ? follow_exit_code(log.state) : 0;
}

const Verb verb_task_log = {
        .name = "task log",
        .summary = "what happened in a task, from its beginning; also as a trace",
        .synopsis = "[OPTION…] TASK",
        .text = "A line for each event that is kept, with its time and step. With --json the "
                "events\n"
                "themselves, as 'task watch --json' gives them. --otlp writes spans that tracing "
                "tools\n"
                "read: the task, its steps, model calls, tool calls, commands and verifies.",
        .examples =
                "  warder task log t-7f3kq2m4ab --step loop/check\n"
                "  warder task log t-7f3kq2m4ab --otlp trace.json\n"
                "  warder task log t-7f3kq2m4ab --json | jq -r 'select(.event == \"verify.end\")'",
        .exits = EXITS_PLAIN "  With --follow: as of 'task watch'\n",
        .options = log_options,
        .size = sizeof(LogOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
