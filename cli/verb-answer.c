/*
 * verb-answer: see verb-answer.h. A question is named by its id; only where a task has asked nothing else may the
 * id be left out, so that nobody answers what was not read.
 */
#include "cli/verb-answer.h"

#include <errno.h>
#include <string.h>

#include "base/ids.h"
#include "cli/ask-once.h"
#include "cli/question.h"
#include "cli/task-word.h"

typedef struct AnswerOptions {
        Common common;
        const char *question;
        const char *comment;
} AnswerOptions;

static const Option answer_options[] = {
        { "question", 0, OPTION_TEXT, offsetof(AnswerOptions, question), "ID",
          "Which of its questions (needed where the task has asked more than one)" },
        { "comment", 0, OPTION_TEXT, offsetof(AnswerOptions, comment), "TEXT",
          "Say why; the agent reads it" },
        OPTIONS_COMMON,
        { 0 },
};

static void show_decided(const cJSON *result) {
        question_show_decided(stdout, result);
}

static int check_words(const VerbCall *call, int n, Error *err) {
        const AnswerOptions *options = call->options;
        int r = task_word(call, n, err);

        if (r != 0)
                return r;
        if (call->n_words < n)
                (void) error_say(err, -EINVAL,
                                 "What is the answer? Give it behind the id, in quotes.");
        else if (options->question && !id_is_valid('q', options->question))
                (void) error_say(err, -EINVAL, "'%.60s' is no id of a question.",
                                 options->question);
        else
                return 0;
        return VERB_E_USAGE;
}

static cJSON *make_params(const VerbCall *call) {
        const AnswerOptions *options = call->options;
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "task", call->words[0]);
        if (options->question)
                json_add_text(params, "question", options->question);
        if (options->comment)
                json_add_text(params, "comment", options->comment);
        return params;
}

static int run_yes_or_no(const VerbCall *call, const char *method, Error *err) {
        int r = check_words(call, 1, err);

        return r != 0 ? r : ask_once(call->options, method, make_params(call), show_decided, err);
}

static int run_approve(const VerbCall *call, Error *err) {
        return run_yes_or_no(call, "task.approve", err);
}

static int run_reject(const VerbCall *call, Error *err) {
        return run_yes_or_no(call, "task.reject", err);
}

/* Does the question want JSON: it has a schema. Any other wants the words as they are */
static int wants_json(const VerbCall *call, bool *ret, Error *err) {
        const AnswerOptions *options = call->options;
        Ask show = { .method = "task.show", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, options->common.socket, err);

        json_add_text(show.params, "task", call->words[0]);
        if (r < 0) {
                (void) json_free(show.params);
                return r;
        }
        r = ask_pages(&link, &show, &answer, err);
        if (r == 0)
                *ret = json_get(question_find(answer.result, options->question), "schema");
        answer_deinit(&answer);
        link_deinit(&link);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

static int run_answer(const VerbCall *call, Error *err) {
        cJSON *params, *value = NULL;
        bool json = false;
        int r = check_words(call, 2, err);

        if (r == 0)
                r = wants_json(call, &json, err);
        if (r == 0 && json &&
            json_parse(call->words[1], strlen(call->words[1]), 0, &value, err) < 0)
                r = VERB_E_USAGE;
        if (r != 0)
                return r;
        params = make_params(call);
        json_add_consume(params, "answer", value ? value : cJSON_CreateString(call->words[1]));
        return ask_once(call->options, "task.answer", params, show_decided, err);
}

#define SYNOPSIS_DECIDE "[--question ID] [--comment TEXT] TASK"

#define ANSWER_VERB(NAME, SUMMARY, SYNOPSIS, EXAMPLES, RUN)                                     \
        {                                                                                       \
                .name = NAME, .summary = SUMMARY, .synopsis = SYNOPSIS, .examples = EXAMPLES,   \
                .exits = EXITS_PLAIN, .options = answer_options, .size = sizeof(AnswerOptions), \
                .exit_usage = EXIT_USAGE, .exit_failed = 1, .run = RUN,                         \
        }

const Verb verb_task_approve =
        ANSWER_VERB("task approve", "say yes to what a task asks; it goes on", SYNOPSIS_DECIDE,
                    "  warder task approve t-7f3kq2m4ab\n"
                    "  warder task approve t-7f3kq2m4ab --comment 'yes, and mind the empty list'\n"
                    "  warder task approve t-7f3kq2m4ab --question q-3mzk5w7abc",
                    run_approve);

const Verb verb_task_reject =
        ANSWER_VERB("task reject", "say no to what a task asks, and why", SYNOPSIS_DECIDE,
                    "  warder task reject t-7f3kq2m4ab --comment 'leave the parser alone'\n"
                    "  warder task reject t-7f3kq2m4ab --question q-3mzk5w7abc",
                    run_reject);

const Verb verb_task_answer = ANSWER_VERB(
        "task answer", "answer what a task asks: a choice, a text, JSON where it says so",
        "[--question ID] [--comment TEXT] TASK ANSWER",
        "  warder task answer t-7f3kq2m4ab 'keep the old name'\n"
        "  warder task answer t-7f3kq2m4ab '{\"port\": 8080}' --question q-3mzk5w7abc",
        run_answer);
