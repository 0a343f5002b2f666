/*
 * The verbs for tasks that exist.
 */
#include "cli/verb-task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask-once.h"
#include "cli/budgets.h"
#include "cli/events.h"
#include "cli/follow.h"
#include "cli/patch-show.h"
#include "cli/question.h"
#include "cli/task-word.h"
#include "cli/terminal.h"
#include "cli/verdict.h"

static const Option task_options[] = { OPTIONS_COMMON, { 0 } };

typedef struct WatchOptions {
        Common common;
        bool plain;
} WatchOptions;

static const Option watch_options[] = {
        { "plain", 0, OPTION_FLAG, offsetof(WatchOptions, plain), NULL,
          "Lines as they come, also on a terminal that could show the tree" },
        OPTIONS_COMMON,
        { 0 },
};

static const ShownColumn task_columns[] = { { "TASK", "task", 12, NULL },
                                            { "STATE", "state", 10, NULL },
                                            { "CREATED", "created", 24, show_time },
                                            { "WORKFLOW", "workflow", 10, NULL },
                                            { "REQUEST", "request", 0, NULL },
                                            { 0 } };

/* Those who wait for the caller come first */
static void show_waiting(const cJSON *questions) {
        static const ShownColumn columns[] = { { "WAITS", "task", 12, NULL },
                                               { "QUESTION", "question", 12, NULL },
                                               { "UNTIL", "until", 24, NULL },
                                               { "FOR YOU TO ANSWER", "text", 0, NULL },
                                               { 0 } };

        if (cJSON_GetArraySize(questions) == 0)
                return;
        show_table(questions, columns);
        putchar('\n');
}

static void show_list(const cJSON *result) {
        show_waiting(json_get(result, "waiting"));
        show_table(json_get(result, "tasks"), task_columns);
}

static void show_questions(const cJSON *questions) {
        const cJSON *question;

        cJSON_ArrayForEach(question, questions) {
                const char *decision = json_text(question, "decision");

                if (decision && strcmp(decision, "open") == 0)
                        question_show(stdout, question);
                else
                        question_show_decided(stdout, question);
        }
}

static void show_task(const cJSON *result) {
        const char *cause = json_text(result, "cause");
        const cJSON *verdict, *verdicts = json_get(result, "verdicts");
        int left = cJSON_GetArraySize(verdicts);

        show_columns(result, task_columns);
        if (cause) {
                fputs("cause: ", stdout);
                terminal_text(stdout, cause, 64);
                fputc('\n', stdout);
        }
        terminal_lines(stdout, "  | ", json_text(result, "summary"), 4096);
        cJSON_ArrayForEach(verdict, verdicts) {
                if (--left > 0)
                        verdict_line(stdout, verdict);
                else
                        verdict_show(stdout, verdict);
        }
        budgets_line(stdout, json_get(result, "used"));
        show_questions(json_get(result, "questions"));
}

/* What there is so far, for who is to decide; there may be none */
static void show_so_far(Link *link, const char *id) {
        Ask patch = { .method = "task.patch", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        Error ignored = ERROR_EMPTY;

        json_add_text(patch.params, "task", id);
        if (link_ask(link, &patch, &answer, &ignored) == 0 && answer.message.n_fds == 1) {
                fputs("what it has changed so far; ", stdout);
                patch_show(stdout, answer.message.fds[0]);
        }
        answer_deinit(&answer);
}

static int show_one(Link *link, const Common *common, const char *id, Error *err) {
        Ask show = { .method = "task.show", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        const cJSON *question;
        int r;

        json_add_text(show.params, "task", id);
        r = ask_pages(link, &show, &answer, err);
        if (r == 0 && common->json)
                events_result(answer.result);
        else if (r == 0)
                show_task(answer.result);
        question = r == 0 && !common->json ? question_open(answer.result) : NULL;
        if (question) {
                show_so_far(link, id);
                fputs("to answer, type one of:\n", stdout);
                question_show_words(stdout, question);
        }
        answer_deinit(&answer);
        return r;
}

static int run_list(const VerbCall *call, Error *err) {
        return ask_once(call->options, "task.list", cJSON_CreateObject(), show_list, err);
}

static void show_cancelled(const cJSON *result) {
        terminal_text(stdout, json_text(result, "state"), 64);
        putchar('\n');
}

/* Of one that had ended already: how, and whether that is what was wanted */
static int check_cancelled(const char *id, const cJSON *result, Error *err) {
        const char *state = json_text(result, "state");

        if (json_true(result, "ended") || !state)
                return 0;
        if (strcmp(state, "cancelled") != 0)
                return error_say(err, -EALREADY,
                                 "task %s has ended already, it is %.32s: nothing was cancelled",
                                 id, state);
        terminal_say("task %s was cancelled already", id);
        return 0;
}

static int run_cancel(const VerbCall *call, Error *err) {
        Ask cancel = { .method = "task.cancel" };
        const Common *common = call->options;
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = task_word(call, 1, err);

        if (r == 0)
                r = link_open(&link, common->socket, err);
        if (r != 0)
                return r;
        cancel.params = cJSON_CreateObject();
        json_add_text(cancel.params, "task", call->words[0]);
        r = link_ask(&link, &cancel, &answer, err);
        if (r == 0) {
                if (common->json)
                        events_result(answer.result);
                else
                        show_cancelled(answer.result);
                r = check_cancelled(call->words[0], answer.result, err);
        }
        answer_deinit(&answer);
        link_deinit(&link);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int take_id(const VerbCall *call, char *id, Error *err) {
        int r = task_word(call, 1, err);

        if (r == 0)
                snprintf(id, ID_MAX, "%s", call->words[0]);
        return r;
}

static int run_show(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        char id[ID_MAX];
        int r = take_id(call, id, err);

        if (r != 0)
                return r;
        r = link_open(&link, common->socket, err);
        if (r == 0)
                r = show_one(&link, common, id, err);
        link_deinit(&link);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

/* The exit code is the task's, so that a script can wait for one and go on from there */
static int run_watch(const VerbCall *call, Error *err) {
        const WatchOptions *options = call->options;
        const Common *common = &options->common;
        Link link = LINK_EMPTY;
        Follow follow = FOLLOW_EMPTY;
        int r = take_id(call, follow.task, err);

        if (r != 0)
                return r;
        follow.json = common->json;
        follow.is_plain = options->plain;
        follow.socket = common->socket;
        r = link_open(&link, common->socket, err);
        if (r == 0)
                r = link_catch_signals(&link, err);
        follow_attach(&follow, &link);
        if (r == 0)
                r = follow_live(&follow, err);
        if (r == 0)
                r = follow_task(&follow, 1, err);
        link_deinit(&link);
        if (r == LINK_E_STOPPED)
                return EXIT_CANCELLED;
        return r == 0 ? follow_exit_code(follow.state) : r < 0 ? r : -EREMOTEIO;
}

/* It may have been ended, or asked a person, before the work as it stands was judged */
static void say_if_unjudged(Link *link, const char *id, const char *digest) {
        Ask show = { .method = "task.show", .params = cJSON_CreateObject() };
        Answer task = ANSWER_EMPTY;
        Error ignored = ERROR_EMPTY;
        const cJSON *verdict = NULL;

        json_add_text(show.params, "task", id);
        if (ask_pages(link, &show, &task, &ignored) == 0)
                verdict = verdict_of_task(task.result);
        if (verdict && !verdict_is_about(verdict, digest))
                terminal_say("this is the work as it stands; the last verdict is about another "
                             "patch");
        answer_deinit(&task);
}

static int run_diff(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Ask ask = { .method = "task.patch" };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        char id[ID_MAX];
        int r = take_id(call, id, err);

        if (r != 0)
                return r;
        r = link_open(&link, common->socket, err);
        if (r < 0)
                return r;
        ask.params = cJSON_CreateObject();
        json_add_text(ask.params, "task", id);
        r = link_ask(&link, &ask, &answer, err);
        if (r == 0 && answer.message.n_fds != 1)
                r = error_say(err, -EPROTO, "The supervisor passed no patch.");
        if (r == 0 && (r = patch_write(answer.message.fds[0])) < 0)
                (void) error_set(err, r, "write the patch");
        if (r == 0)
                say_if_unjudged(&link, id, json_text(answer.result, "patch"));
        answer_deinit(&answer);
        link_deinit(&link);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

#define TASK_VERB(NAME, SUMMARY, SYNOPSIS, EXAMPLES, RUN)                                     \
        {                                                                                     \
                .name = NAME, .summary = SUMMARY, .synopsis = SYNOPSIS, .examples = EXAMPLES, \
                .exits = EXITS_PLAIN, .options = task_options, .size = sizeof(Common),        \
                .exit_usage = EXIT_USAGE, .exit_failed = 1, .run = RUN,                       \
        }

const Verb verb_task_list = {
        .name = "task list",
        .summary = "list tasks, newest first",
        .synopsis = "[--json]",
        .examples = "  warder task list\n  warder task list --json | jq -r '.tasks[].task'",
        .exits = EXITS_PLAIN,
        .options = task_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_list,
};

const Verb verb_task_show = TASK_VERB(
        "task show", "show a task: state, verdicts, what it has used, what it asks", "TASK",
        "  warder task show t-7f3kq2m4ab\n"
        "  warder task show t-7f3kq2m4ab --json | jq .verdicts",
        run_show);

const Verb verb_task_watch = {
        .name = "task watch",
        .summary = "follow a task to its end; the exit code is the task's",
        .synopsis = "[--plain] TASK",
        .text = "On a terminal: a tree of its steps, redrawn in place, with what failed last and "
                "what\n"
                "is used of each budget. Elsewhere a line for each event. Ctrl-C ends the "
                "watching,\n"
                "not the task.",
        .examples = "  warder task watch t-7f3kq2m4ab\n"
                    "  warder task watch t-7f3kq2m4ab --json | jq -r .event",
        .exits = EXITS_VERDICT,
        .options = watch_options,
        .size = sizeof(WatchOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run_watch,
};

const Verb verb_task_cancel = TASK_VERB(
        "task cancel", "end a task", "TASK",
        "  warder task cancel t-7f3kq2m4ab\n"
        "  warder task list --json | jq -r '.tasks[] | select(.state == \"running\") | .task' |\n"
        "          xargs -rn1 warder task cancel",
        run_cancel);

const Verb verb_task_diff =
        TASK_VERB("task diff", "print the patch that the last verdict is about", "TASK",
                  "  warder task diff t-7f3kq2m4ab\n"
                  "  warder task diff t-7f3kq2m4ab | git apply",
                  run_diff);
