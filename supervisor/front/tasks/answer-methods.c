/*
 * answer-methods: see answer-methods.h. Who asks is what the kernel says of the connection; the rules are those
 * that held when the question was asked.
 */
#include "supervisor/front/tasks/answer-methods.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/units.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/tasks/question-form.h"
#include "supervisor/front/tasks/task-ask.h"
#include "supervisor/front/tasks/waiting.h"

/* ---- whose word counts ------------------------------------------------------------------------------ */

typedef struct Seeing {
        AnswerWho who;
        bool found;
} Seeing;

static bool look(const Question *question, void *userdata) {
        Seeing *seeing = userdata;

        seeing->found = answer_rules_allow(&question->rules, question->owner_uid, &seeing->who);
        return !seeing->found;
}

bool answer_may_see(Front *front, const Call *call, const char *task) {
        const QuestionQuery query = { .task = task, .parts = QUESTION_RULES };
        const Client *client = call_client(call);
        Seeing seeing = { 0 };

        if (!client)
                return false;
        seeing.who = client_who(client);
        questions_each(front, &query, look, &seeing);
        return seeing.found;
}

static int no_task(const char *id, Error *err) {
        return error_say(err, -ENOENT, "there is no task %s: see `warder task list`", id);
}

static void name_people(const Question *question, char *text, size_t size) {
        SCOPED(json_free) cJSON *people = answer_rules_json(&question->rules);
        const cJSON *word;
        size_t used = 0;

        text[0] = '\0';
        cJSON_ArrayForEach(word, json_get(people, "answer")) {
                if (used < size)
                        used += (size_t) snprintf(text + used, size - used, "%s%s",
                                                  used ? ", " : "", word->valuestring);
        }
}

/* A task of another's does not exist; one that the caller may see says who is asked */
static int check_may(Call *call, const Question *question, Error *err) {
        AnswerWho who = client_who(call_client(call));
        uint32_t uid = call_uid(call);
        char people[160];

        if (answer_rules_allow(&question->rules, question->owner_uid, &who))
                return 0;
        if (uid != 0 && uid != question->owner_uid)
                return no_task(question->task, err);
        name_people(question, people, sizeof(people));
        call_refuse(call, "denied", "/task", "its policy says who: see warder-policy(5)");
        return error_say(err, -EACCES, "you may not answer task %s: %s may", question->task,
                         people);
}

/* ---- which question --------------------------------------------------------------------------------- */

static int not_open(Call *call, const Question *question, Error *err) {
        const char *decision = decision_name(question->decision);
        char time[UNITS_TEXT_MAX], by[32] = "its time limit";

        (void) units_format_time(question->decided_usec, time);
        if (question->decision == DECISION_WITHDRAWN) {
                call_refuse(call, "not_found", "/question", "see `warder task show`");
                return error_say(err, -ENOENT,
                                 "question %s is not asked any more since %s: the task has ended, "
                                 "or asks something else",
                                 question->id, time);
        }
        if (question->by_uid >= 0)
                (void) snprintf(by, sizeof(by), "user id %lld", (long long) question->by_uid);
        call_refuse(call, "exists", "/question", "the first answer counts");
        json_add_text(call_data(call), "decision", decision);
        json_add_text(call_data(call), "decided", time);
        if (question->by_uid >= 0)
                json_add_number(call_data(call), "by_uid", (uint64_t) question->by_uid);
        return error_say(err, -EEXIST, "question %s was %s by %s at %s", question->id, decision, by,
                         time);
}

/* By its id; without one only where the task never asked anything else: so nobody answers what was not read */
static int find(Front *front, Call *call, const cJSON *params, Question *ret, Error *err) {
        const char *id = json_text(params, "question"), *task = json_text(params, "task");
        int r;

        if (!call_client(call))
                return error_say(err, -EPIPE, "the client is gone");
        r = id ? questions_find(front, id, ret, err) : questions_only(front, task, ret, err);
        if (r == -EEXIST && (call_uid(call) == 0 || answer_may_see(front, call, task))) {
                call_refuse(call, "invalid", "/question",
                            "`warder task show` has their ids: --question ID");
                return -EINVAL;
        }
        if (r == 0 && strcmp(ret->task, task) != 0)
                r = -ENOENT;
        if (r == -ENOENT || r == -EEXIST)
                return no_task(task, err);
        return r < 0 ? r : check_may(call, ret, err);
}

/* ---- methods ---------------------------------------------------------------------------------------- */

static int check_kind(const Question *question, Decision decision, const cJSON *answer,
                      Error *err) {
        bool approval = question_form_is_approval(question->what);

        if (decision == DECISION_APPROVED && !approval)
                return error_say(err, -EINVAL, "question %s wants an answer: `warder task answer`",
                                 question->id);
        if (decision == DECISION_ANSWERED && approval)
                return error_say(err, -EINVAL,
                                 "question %s is approved or rejected: `warder task approve` or "
                                 "`reject`",
                                 question->id);
        return answer ? question_form_fits(question->what, answer, err) : 0;
}

static int fill(Question *question, Decision decision, const cJSON *params, Error *err) {
        const char *comment = json_text(params, "comment");
        const cJSON *answer = json_get(params, "answer");

        question->decision = decision;
        question->comment = comment && *comment ? strdup(comment) : NULL;
        question->answer = answer ? cJSON_Duplicate(answer, true) : NULL;
        if ((comment && *comment && !question->comment) || (answer && !question->answer))
                return error_set(err, -ENOMEM, "take an answer");
        return 0;
}

static int decide(Front *front, Call *call, const cJSON *params, Decision decision,
                  cJSON **ret_result, Error *err) {
        SCOPED(question_deinit) Question question = QUESTION_EMPTY;
        int r = find(front, call, params, &question, err);

        if (r < 0)
                return r;
        if (question.decision != DECISION_OPEN)
                return not_open(call, &question, err);
        r = check_kind(&question, decision, json_get(params, "answer"), err);
        if (r == 0)
                r = fill(&question, decision, params, err);
        if (r < 0)
                return r;
        question.by_uid = call_peer(call)->uid;
        r = task_ask_decide(front, &question, err);
        if (r < 0)
                return r;
        *ret_result = question_json(&question, false);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "tell what was decided");
}

static int run_approve(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                       Error *err) {
        return decide(front, call, params, DECISION_APPROVED, ret_result, err);
}

static int run_reject(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        return decide(front, call, params, DECISION_REJECTED, ret_result, err);
}

static int run_answer(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        return decide(front, call, params, DECISION_ANSWERED, ret_result, err);
}

static int run_waiting(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                       Error *err) {
        static const char parts[] = { WAITING_PART, 0 };
        Client *client = call_client(call);
        cJSON *json, *list;
        Paging paging;
        int r;

        if (!client)
                return error_say(err, -EPIPE, "the client is gone");
        r = paging_begin(&paging, parts, params, err);
        if (r == 0 && json_true(params, "watch"))
                r = waiting_watch(front->waiting, client, err);
        if (r < 0)
                return r;
        json = cJSON_CreateObject();
        list = json_add_array(json, "questions");
        if (!list) {
                json_free(json);
                return error_set(err, -ENOMEM, "list the questions");
        }
        waiting_list(client, false, &paging, list);
        paging_end(&paging, json);
        *ret_result = json;
        return 0;
}

const MethodRow answer_methods[] = {
        { "task.approve", run_approve },
        { "task.reject", run_reject },
        { "task.answer", run_answer },
        { "task.waiting", run_waiting },
        { NULL, NULL },
};
