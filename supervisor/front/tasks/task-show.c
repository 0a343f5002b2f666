/*
 * task-show: see task-show.h.
 *
 * A task's own row is on its first page, whole; those after it say which task and its state.
 */
#include "supervisor/front/tasks/task-show.h"

#include <string.h>

#include "supervisor/front/clients.h"
#include "supervisor/front/tasks/answer-methods.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/waiting.h"

#define QUESTIONS_PART 'q'

/* ---- task.list ----------------------------------------------------------------------------------- */

int task_show_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        static const char parts[] = { WAITING_PART, TASKS_PART, 0 };
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *tasks = json_add_array(json, "tasks"), *waiting = json_add_array(json, "waiting");
        Paging paging;
        int r = paging_begin(&paging, parts, params, err);

        if (r == 0 && (!tasks || !waiting))
                r = error_set(err, -ENOMEM, "list the tasks");
        if (r == 0 && call_client(call))
                waiting_list(call_client(call), true, &paging, waiting);
        if (r == 0)
                r = task_ledger_list(front, call_uid(call), &paging, tasks, err);
        if (r < 0)
                return r;
        paging_end(&paging, json);
        *ret_result = TAKE_PTR(json);
        return 0;
}

/* ---- task.show ----------------------------------------------------------------------------------- */

typedef struct Showing {
        Paging paging;
        cJSON *questions; /* borrowed */
        bool outside;     /* an administrator who is not asked: that it waits, not for what */
} Showing;

/* What it asked: whole while it waits for an answer, in short afterwards */
static bool add_question(const Question *question, void *userdata) {
        Showing *showing = userdata;
        PagePlace place = { QUESTIONS_PART, true, question->row, "" };
        cJSON *json = showing->outside
                              ? question_json_outside(question)
                              : question_json(question, question->decision == DECISION_OPEN);

        return paging_push_consume(&showing->paging, showing->questions, json, &place,
                                   question->bytes);
}

static void add_questions(Front *front, const char *id, Showing *showing) {
        QuestionQuery query = { .task = id, .parts = QUESTION_WHAT | QUESTION_ANSWER };
        PagePlace from;

        if (!paging_from(&showing->paging, QUESTIONS_PART, &from))
                return;
        query.after = from.number;
        questions_each(front, &query, add_question, showing);
}

static cJSON *take_row(Showing *showing, cJSON *row_consume) {
        static const char *const named[] = { "task", "state" };
        SCOPED(json_free) cJSON *row = row_consume;
        autofree char *text = NULL;
        cJSON *json;

        if (showing->paging.is_first) {
                text = json_print(row);
                paging_takes(&showing->paging, text ? strlen(text) : 0);
                return TAKE_PTR(row);
        }
        json = cJSON_CreateObject();
        for (unsigned i = 0; i < ELEMENTS(named); i++)
                json_add_text(json, named[i], json_text(row, named[i]));
        return json;
}

static int show(Front *front, const char *id, cJSON *row_consume, Showing *showing,
                cJSON **ret_result) {
        SCOPED(json_free) cJSON *json = take_row(showing, row_consume);
        cJSON *verdicts;

        verdicts = json_add_array(json, "verdicts");
        showing->questions = json_add_array(json, "questions");
        if (!verdicts || !showing->questions)
                return -ENOMEM;
        task_ledger_verdicts(front, id, &showing->paging, verdicts);
        add_questions(front, id, showing);
        paging_end(&showing->paging, json);
        *ret_result = TAKE_PTR(json);
        return 0;
}

/* Who may answer it may see what it is about, whoever it belongs to */
int task_show_one(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        static const char parts[] = { VERDICTS_PART, QUESTIONS_PART, 0 };
        const char *id = json_text(params, "task");
        bool is_asked = answer_may_see(front, call, id);
        SCOPED(json_free) cJSON *row = NULL;
        uint32_t uid = call_peer(call)->uid;
        Showing showing = { 0 };
        uint64_t owner = 0;
        int r = paging_begin(&showing.paging, parts, params, err);

        if (r == 0)
                r = task_ledger_show(front, id, is_asked ? 0 : call_uid(call), &row, err);
        if (r < 0)
                return r;
        (void) json_number(row, "owner_uid", &owner);
        showing.outside = !is_asked && uid != 0 && uid != owner;
        r = show(front, id, TAKE_PTR(row), &showing, ret_result);
        return r < 0 ? error_set(err, r, "show task %s", id) : 0;
}
