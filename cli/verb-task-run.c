/*
 * The verbs "task run" and "task start". The agent works in jails of the supervisor; here a person sees
 * what it does, and gets the patch with the verdict that belongs to it.
 */
#include "cli/verb-task-run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/budgets.h"
#include "cli/events.h"
#include "cli/follow.h"
#include "cli/outdir.h"
#include "cli/patch-show.h"
#include "cli/question.h"
#include "cli/receipt-fetch.h"
#include "cli/task-request.h"
#include "cli/terminal.h"
#include "cli/verdict.h"

#define EVENTS_MAX (64ul * 1024 * 1024)
#define PATCH_MAX  (256ul * 1024 * 1024)

static const Option run_options[] = {
        OPTIONS_TASK,
        { "out", 'o', OPTION_TEXT, offsetof(TaskOptions, out), "DIR",
          "Write the patch, the verdict, the receipt, the events and all forms of reports there" },
        OPTIONS_REPORT(offsetof(TaskOptions, report)),
        { "plain", 0, OPTION_FLAG, offsetof(TaskOptions, plain), NULL,
          "Lines as they come, also on a terminal that could show the tree" },
        OPTIONS_COMMON,
        { 0 },
};

static const Option start_options[] = { OPTIONS_TASK, OPTIONS_COMMON, { 0 } };

typedef struct Running {
        const TaskOptions *options;
        TaskRequest request;
        Link link;
        Follow follow;
        Buf events;
        Answer shown;   /* task.show */
        int patch_fd;   /* owned; -EBADF: there is none, or it is not what was judged */
        bool unjudged;  /* the work as it was left is another than the last verdict is about */
        int receipt_fd; /* owned; with --out */
} Running;

static int make_request(const VerbCall *call, TaskRequest *request, Error *err) {
        const TaskOptions *options = call->options;

        if (call->n_words > 1) {
                (void) error_say(err, -EINVAL, "Give one directory, or none for this one.");
                return VERB_E_USAGE;
        }
        return task_request_make(options, call->n_words == 1 ? call->words[0] : ".", request, err);
}

static void introduce(const Running *running) {
        const TaskRequest *request = &running->request;
        const TaskOptions *options = running->options;
        char size[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX];

        if (options->common.json)
                return;
        fprintf(stderr, "workspace: %s, %s, %s, ", request->repo.top,
                units_format_count(request->totals.files, "file", files),
                units_format_size(request->totals.bytes, size));
        if (request->repo.commit[0])
                fprintf(stderr, "on commit %.12s\n", request->repo.commit);
        else
                fputs("no commit yet\n", stderr);
        if (request->no_model) {
                fputs("model: none, no step of the workflow asks one\n", stderr);
                return;
        }
        fprintf(stderr, "model: %s%s%s\n", request->is_replay ? "recorded model (" : "",
                request->is_replay ? options->replay : options->model,
                request->is_replay ? ")" : "");
}

static const cJSON *last_verdict(const Running *running) {
        return verdict_of_task(running->shown.result);
}

/*
 * What is delivered is what the verdict names. The work at the end is another where a race had no winner (its
 * verdicts were about forks), or where the task was ended before what came last could be judged.
 */
static void take_patch(Running *running, Answer *answer) {
        const cJSON *verdict = last_verdict(running);

        running->unjudged =
                verdict && !verdict_is_about(verdict, json_text(answer->result, "patch"));
        if (!running->unjudged)
                running->patch_fd = TAKE_FD(answer->message.fds[0]);
}

/* What the task came to, once it has ended: its verdicts, and the patch of the last one */
static int fetch_results(Running *running, Error *err) {
        Ask show = { .method = "task.show", .params = cJSON_CreateObject() };
        Ask patch = { .method = "task.patch", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        Error ignored = ERROR_EMPTY;
        int r;

        json_add_text(show.params, "task", running->follow.task);
        json_add_text(patch.params, "task", running->follow.task);
        r = ask_pages(&running->link, &show, &running->shown, err);
        if (r != 0) {
                (void) json_free(patch.params);
                return r < 0 ? r : -EREMOTEIO;
        }
        /* refused where no verify ever ran: then there is none */
        if (link_ask(&running->link, &patch, &answer, &ignored) == 0 && answer.message.n_fds == 1)
                take_patch(running, &answer);
        answer_deinit(&answer);
        if (running->options->out)
                receipt_fetch_beside(&running->link, running->follow.task, &running->receipt_fd);
        return 0;
}

static int write_out(const Running *running, const ReportFiles *reports, Error *err) {
        SCOPED(json_free) cJSON *verdict = cJSON_Duplicate(last_verdict(running), true);
        autofree char *text = NULL;
        OutFile files[4 + REPORT_FILES_N] = {
                { "patch.diff", NULL, running->patch_fd },
                { "verdict.json", NULL, -EBADF },
                { "receipt.jsonl", NULL, running->receipt_fd },
                { "events.jsonl", running->events.data ? running->events.data : "", -EBADF },
        };

        if (!running->options->out)
                return 0;
        if (verdict) {
                verdict_place(verdict, running->shown.result);
                files[1].text = text = cJSON_Print(verdict);
                if (!text)
                        return error_set(err, -ENOMEM, "write the verdict");
        }
        report_files_list(reports, files + ELEMENTS(files) - REPORT_FILES_N);
        return outdir_write(running->options->out, files, ELEMENTS(files), err);
}

/* Everything that was asked for as a file */
static int write_files(const Running *running, Error *err) {
        SCOPED(json_free) cJSON *events = report_events(running->events.data);
        autofree char *patch = NULL;
        Report report = { .verdict = last_verdict(running),
                          .task = running->shown.result,
                          .events = events,
                          .version = PACKAGE_VERSION };
        ReportFiles files = { 0 };
        size_t n = 0;
        int r;

        if (!report_wanted(&running->options->report, running->options->out))
                return 0;
        if (running->patch_fd >= 0 && (lseek(running->patch_fd, 0, SEEK_SET) < 0 ||
                                       fd_read_all(running->patch_fd, PATCH_MAX, &patch, &n) < 0))
                return error_set(err, -EIO, "read the patch for the report");
        report.patch = patch;
        r = report_make(&report, &files, err);
        if (r == 0)
                r = write_out(running, &files, err);
        if (r == 0)
                r = report_save(&running->options->report, &files, err);
        report_files_deinit(&files);
        return r;
}

static void show_patch(const Running *running) {
        bool verified = strcmp(running->follow.state, "verified") == 0;

        if (running->unjudged) {
                fprintf(stderr,
                        "no patch is delivered: the work as it was left is not what the last "
                        "verdict is about; 'warder task diff %s' prints it\n",
                        running->follow.task);
                return;
        }
        if (running->patch_fd < 0) {
                fputs("there is no patch: nothing was verified\n", stderr);
                return;
        }
        if (!verified)
                fprintf(stderr, "%snot verified:%s ", terminal_tone(TONE_WARN),
                        terminal_tone(TONE_PLAIN));
        patch_show(stderr, running->patch_fd);
        if (running->options->out)
                fprintf(stderr, "the patch is in %s/patch.diff\n", running->options->out);
        else
                fprintf(stderr, "'warder task diff %s' prints the patch\n", running->follow.task);
}

static void show_end(Running *running, int code) {
        const cJSON *verdict = last_verdict(running);
        const char *state = running->follow.state;

        if (running->options->common.json) {
                cJSON *end = cJSON_Duplicate(running->shown.result, true);

                json_add_number(end, "exit", (uint64_t) code);
                if (running->unjudged)
                        json_add_bool(end, "unjudged", true);
                events_print("task.end", end);
                return;
        }
        fputc('\n', stderr);
        if (verdict)
                verdict_show(stderr, verdict);
        budgets_line(stderr, json_get(running->shown.result, "used"));
        show_patch(running);
        fprintf(stderr, "%s%s %s%s, exit code %d%s\n", terminal_tone(TONE_BOLD),
                running->follow.task, state, terminal_tone(TONE_PLAIN), code,
                running->request.is_replay ? " (recorded model)" : "");
}

/* It is no more of this call than of any other: it goes on when somebody answers */
static int show_waiting(Running *running, Error *err) {
        Ask show = { .method = "task.show", .params = cJSON_CreateObject() };
        const cJSON *question;
        int r;

        json_add_text(show.params, "task", running->follow.task);
        r = ask_pages(&running->link, &show, &running->shown, err);
        if (r != 0)
                return r < 0 ? r : -EREMOTEIO;
        if (running->options->common.json) {
                cJSON *waiting = cJSON_Duplicate(running->shown.result, true);

                json_add_number(waiting, "exit", EXIT_WAITING);
                events_print("task.waiting", waiting);
                return EXIT_WAITING;
        }
        fputc('\n', stderr);
        question = question_open(running->shown.result);
        if (question) {
                question_show(stderr, question);
                fputs("to answer, type one of:\n", stderr);
                question_show_words(stderr, question);
        }
        fprintf(stderr,
                "to see more: warder task show %s; to follow it then: warder task watch %s\n"
                "%s%s waits for a person%s, exit code %d\n",
                running->follow.task, running->follow.task, terminal_tone(TONE_BOLD),
                running->follow.task, terminal_tone(TONE_PLAIN), EXIT_WAITING);
        return EXIT_WAITING;
}

static int run_foreground(Running *running, Error *err) {
        int r = link_catch_signals(&running->link, err), out;

        if (r < 0)
                return r;
        r = task_request_send(&running->request, &running->link, false, running->follow.task, err);
        if (r == LINK_E_STOPPED)
                return EXIT_CANCELLED;
        if (r != 0)
                return r == LINK_E_REFUSED ? -EREMOTEIO : r;
        r = follow_live(&running->follow, err);
        if (r == 0)
                r = follow_task(&running->follow, 1, err);
        if (r == LINK_E_STOPPED)
                return EXIT_CANCELLED;
        if (r != 0)
                return r < 0 ? error_add(err, r, "%s", running->follow.task) : -EREMOTEIO;
        if (!follow_is_final(running->follow.state))
                return show_waiting(running, err);
        r = fetch_results(running, err);
        if (r < 0)
                return r;
        out = write_files(running, err);
        r = follow_exit_code(running->follow.state);
        show_end(running, r);
        if (!running->options->common.json && !isatty(1) && running->patch_fd >= 0)
                (void) patch_write(running->patch_fd);
        return out < 0 ? out : r;
}

static int run_connected(Running *running, Error *err) {
        const TaskOptions *options = running->options;
        int r = options->out ? outdir_make(options->out, err) : 0;

        if (r == 0)
                r = report_check(&options->report, err);
        if (r == 0)
                r = link_open(&running->link, options->common.socket, err);
        follow_attach(&running->follow, &running->link);
        return r == 0 ? run_foreground(running, err) : r;
}

static void release(Running *running) {
        answer_deinit(&running->shown);
        link_deinit(&running->link);
        task_request_deinit(&running->request);
        buf_deinit(&running->events);
        owned_close(&running->patch_fd);
        owned_close(&running->receipt_fd);
}

static int run(const VerbCall *call, Error *err) {
        const TaskOptions *options = call->options;
        Running running = { .options = options,
                            .request = TASK_REQUEST_EMPTY,
                            .link = LINK_EMPTY,
                            .follow = FOLLOW_EMPTY,
                            .events = BUF_EMPTY(EVENTS_MAX),
                            .patch_fd = -EBADF,
                            .receipt_fd = -EBADF };
        int r = make_request(call, &running.request, err);

        if (r != 0)
                return r;
        running.follow.json = options->common.json;
        running.follow.is_plain = options->plain;
        running.follow.socket = options->common.socket;
        running.follow.cancels = running.follow.leaves = true;
        running.follow.progress.replay = running.request.is_replay;
        if (report_wanted(&options->report, options->out))
                running.follow.events = &running.events;
        introduce(&running);
        r = run_connected(&running, err);
        release(&running);
        return r;
}

static int run_start(const VerbCall *call, Error *err) {
        const TaskOptions *options = call->options;
        TaskRequest request = TASK_REQUEST_EMPTY;
        char task[ID_MAX] = "";
        Link link = LINK_EMPTY;
        int r = make_request(call, &request, err);

        if (r != 0)
                return r;
        r = link_open(&link, options->common.socket, err);
        if (r == 0)
                r = task_request_send(&request, &link, true, task, err);
        if (r == 0 && options->common.json)
                printf("{\"task\":\"%s\"}\n", task);
        else if (r == 0)
                puts(task);
        link_deinit(&link);
        task_request_deinit(&request);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

const Verb verb_task_run = {
        .name = "task run",
        .summary = "let an agent mend this repository until the tests say so",
        .synopsis = "[OPTION…] [DIR]",
        .text = "The repository's tracked and unignored files go into a jail as they are. An "
                "agent\n"
                "works there; every verdict is the supervisor's, on base plus patch, in fresh "
                "jails.\n"
                "Nothing in the directory changes: the result is a patch, on stdout where that is "
                "a\n"
                "file or a pipe, and in --out. Ctrl-C cancels.",
        .examples =
                "  warder task run --model local --request 'make the parser accept empty input'\n"
                "  warder task run --replay transcript.json --run 'make test' --parse tap",
        .exits = EXITS_VERDICT,
        .options = run_options,
        .size = sizeof(TaskOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run,
};

const Verb verb_task_start = {
        .name = "task start",
        .summary = "the same in the background; prints the task's id",
        .synopsis = "[OPTION…] [DIR]",
        .examples = "  task=$(warder task start --model local)\n"
                    "  warder task watch \"$task\" && warder task diff \"$task\" | git apply",
        .exits = EXITS_VERDICT,
        .options = start_options,
        .size = sizeof(TaskOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run_start,
};
