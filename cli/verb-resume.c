/*
 * The verbs "task resume" and "task undo": a task that has stopped goes on, or goes back.
 */
#include "cli/verb-resume.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "cli/ask-once.h"
#include "cli/task-word.h"
#include "cli/terminal.h"

typedef struct ResumeOptions {
        Common common;
        const char *key;
} ResumeOptions;

static const Option resume_options[] = {
        { "key", 0, OPTION_TEXT, offsetof(ResumeOptions, key), "FILE",
          "The key of the task's model, where it was lost with the supervisor" },
        OPTIONS_COMMON,
        { 0 },
};

static const Option undo_options[] = { OPTIONS_COMMON, { 0 } };

/* ---- task resume --------------------------------------------------------------------------------- */

static int resume(const ResumeOptions *options, const char *id, int key_fd, Error *err) {
        Ask ask = { .method = "task.resume", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r;

        json_add_text(ask.params, "task", id);
        if (key_fd >= 0) {
                ask.fds[0] = key_fd;
                ask.n_fds = 1;
        }
        r = link_open(&link, options->common.socket, err);
        if (r < 0) {
                json_free(ask.params);
                return r;
        }
        r = link_ask(&link, &ask, &answer, err);
        if (r == 0)
                printf("%s\n", id);
        if (r == 0 && isatty(STDERR_FILENO))
                fprintf(stderr, "It goes on: warder task watch %s\n", id);
        answer_deinit(&answer);
        link_deinit(&link);
        return r > 0 ? -EREMOTEIO : r;
}

static int run_resume(const VerbCall *call, Error *err) {
        const ResumeOptions *options = call->options;
        autoclose int key_fd = -EBADF;
        int r = task_word(call, 1, err);

        if (r != 0)
                return r;
        if (options->key) {
                key_fd = open(options->key, O_RDONLY | O_CLOEXEC);
                if (key_fd < 0)
                        return error_set(err, -errno, "open %s", options->key);
        }
        return resume(options, call->words[0], key_fd, err);
}

/* ---- task undo ----------------------------------------------------------------------------------- */

/* Beside a step there is what a walk notes for itself: "each/=items", that its items are known */
static bool is_note(const char *step) {
        const char *last = step ? strrchr(step, '/') : NULL;

        last = last ? last + 1 : step;
        return last && *last == '=';
}

/* The newest last, as they came; what a run has noted for itself is no place that a person looks for */
static void show_steps(const cJSON *result) {
        const cJSON *step;
        bool any = false;

        cJSON_ArrayForEach(step, json_get(result, "steps")) {
                if (is_note(json_text(step, "step")))
                        continue;
                any = true;
                printf("%s  ", json_true(step, "kept") ? "    " : "gone");
                terminal_text(stdout, json_text(step, "step"), 200);
                putchar('\n');
        }
        if (!isatty(STDERR_FILENO))
                return;
        if (any)
                fputs("Those steps have committed, the newest last; 'loop[2]/code' is step code of "
                      "the "
                      "loop's second iteration,\n'each[0]/work' that of a list's first item. To go "
                      "back "
                      "to the workspace after one: warder task undo TASK STEP;\nto that before the "
                      "first: warder task undo TASK start. What is gone is not kept any more.\n",
                      stderr);
        else
                fputs("No step of it has committed: warder task undo TASK start goes back to the "
                      "beginning.\n",
                      stderr);
}

static void show_state(const cJSON *result) {
        terminal_text(stdout, json_text(result, "state"), 64);
        putchar('\n');
        if (isatty(STDERR_FILENO))
                fprintf(stderr, "To let it go on from there: warder task resume %s\n",
                        json_text(result, "task") ? json_text(result, "task") : "TASK");
}

static int run_undo(const VerbCall *call, Error *err) {
        cJSON *params;
        int r = task_word(call, 2, err);

        if (r != 0)
                return r;
        params = cJSON_CreateObject();
        json_add_text(params, "task", call->words[0]);
        if (call->n_words == 1)
                return ask_once(call->options, "task.steps", params, show_steps, err);
        json_add_text(params, "step", call->words[1]);
        return ask_once(call->options, "task.undo", params, show_state, err);
}

const Verb verb_task_resume = {
        .name = "task resume",
        .summary = "let a task that has stopped go on from its last step",
        .synopsis = "[--key FILE] TASK",
        .text = "For a task that was undone, cancelled or lost, or that failed. It goes on with "
                "the "
                "workspace\n"
                "and the memory of the last step that committed, and counts on what it has used. "
                "It "
                "runs in\n"
                "the background: 'warder task watch' follows it.",
        .examples = "  warder task resume t-7f3kq2m4ab && warder task watch t-7f3kq2m4ab",
        .exits = EXITS_PLAIN,
        .options = resume_options,
        .size = sizeof(ResumeOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_resume,
};

const Verb verb_task_undo = {
        .name = "task undo",
        .summary = "take a task back to an earlier step, what its commands did included",
        .synopsis = "TASK [STEP]",
        .text = "Without a step: list those that committed, by their paths, the newest last: "
                "'loop[2]/code' is\n"
                "step code of the loop's second iteration, 'each[0]/work' that of a list's first "
                "item; 'gone'\n"
                "stands before those whose workspace is not kept any more. 'start' is before the "
                "first one. The\n"
                "task is suspended then; 'warder task resume' lets it go on from there. What it "
                "has used "
                "stays used,\n"
                "and what left the jail is not undone.",
        .examples = "  warder task undo t-7f3kq2m4ab\n"
                    "  warder task undo t-7f3kq2m4ab 'loop[2]/code'",
        .exits = EXITS_PLAIN,
        .options = undo_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_undo,
};
