/*
 * task-ask: see task-ask.h.
 *
 *   agent asks -> PatchDiff (what there is so far) -> receipt, ledger -> suspended … decided -> running, answer
 *
 * Suspended is parked, where all that the agent knows is committed: agent and jails are gone, and a new agent asks
 * again and finds the decision. Where it says that it knows more (`stay`), all stays as it is, and stands still.
 *
 * Where a verify is under way for another branch, the question goes out without a patch of its own.
 *
 * A replay asks nobody: it is told what was decided in the task that it replays.
 */
#include "supervisor/front/tasks/task-ask.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/tasks/question-form.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-still.h"
#include "supervisor/front/tasks/waiting.h"

#define TASK_HOLDS_MAX (2 * QUESTIONS_PER_TASK_MAX)
#define WAITS          "ask" /* the cause of one that is parked */

/* ---- events --------------------------------------------------------------------------------------- */

static void tell(Task *task, const Question *question, const char *phase) {
        const EventHead head = { .event = "ask", .step = question->path };
        cJSON *data = question_json(question, false);

        cJSON_DeleteItemFromObjectCaseSensitive(data, "task");
        cJSON_DeleteItemFromObjectCaseSensitive(data, "step");
        json_add_text(data, "phase", phase);
        events_emit(task, &head, data);
}

/* ---- suspended, and not ---------------------------------------------------------------------------- */

static bool may_suspend(const Task *task) {
        unsigned all, open;

        return task->state == TASK_RUNNING && !task->gate.diff && !task->gate.verify &&
               !task->gate.for_finish && agent_socket_only_asks(task->socket) &&
               questions_count(task->front, task->id, &all, &open, NULL) == 0 && open > 0;
}

/* One whose agent says again and again that it waits, and does not, runs on, and its time with it */
static void suspend(Task *task) {
        Error err = ERROR_EMPTY;
        bool stays = agent_socket_stays(task->socket);

        if (!may_suspend(task) || (stays && task->holds >= TASK_HOLDS_MAX))
                return;
        if (stays)
                task_still_begin(task);
        else if (task_park(task, WAITS, "it waits for people", &err) < 0)
                task_fail(task, "internal", &err);
}

void task_ask_idle(Task *task) {
        task->is_idle = true;
        suspend(task);
}

/* ---- answers to the agent -------------------------------------------------------------------------- */

static cJSON *answer_json(const Question *question) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "question", question->id);
        json_add_text(json, "decision", decision_name(question->decision));
        json_add_bool(json, "approved", question->decision == DECISION_APPROVED);
        json_add_text(json, "comment", question->comment ? question->comment : "");
        json_add_consume(json, "answer",
                         question->answer ? cJSON_Duplicate(question->answer, true)
                                          : cJSON_CreateNull());
        return json;
}

static bool tell_one(const Question *question, void *userdata) {
        Task *task = userdata;
        bool is_open = question->decision == DECISION_OPEN;
        AgentCall *call = is_open ? NULL : agent_socket_asking(task->socket, question->id);

        if (call)
                agent_call_answer(call, answer_json(question), NULL, 0);
        return !task_is_final(task);
}

void task_ask_tell(Task *task) {
        const QuestionQuery query = { .task = task->id, .parts = QUESTION_ANSWER };

        questions_each(task->front, &query, tell_one, task);
}

/* ---- asking ---------------------------------------------------------------------------------------- */

static void refuse_open(AgentCall *call, const Error *err) {
        Task *task = call->task;

        agent_call_fail(call, "internal", err);
        task_fail(task, "ledger", err);
}

typedef struct Replaced { /* what was open at a place where something else is asked now */
        const char *path;
        char ids[QUESTIONS_OPEN_MAX][ID_MAX];
        unsigned n;
} Replaced;

static bool note_open(const Question *question, void *userdata) {
        Replaced *replaced = userdata;

        if (question->decision == DECISION_OPEN && strcmp(question->path, replaced->path) == 0)
                (void) snprintf(replaced->ids[replaced->n++], ID_MAX, "%s", question->id);
        return replaced->n < QUESTIONS_OPEN_MAX;
}

/* Nobody can answer these any more: who waits for them is told so */
static int withdraw(Task *task, const char *path, Error *err) {
        const QuestionQuery query = { .task = task->id, .parts = QUESTION_RULES };
        Replaced replaced = { .path = path };
        Error why = ERROR_EMPTY;
        int r;

        questions_each(task->front, &query, note_open, &replaced);
        r = questions_withdraw(task->front, task->id, path, err);
        error_say(&why, -ENOENT, "the question is withdrawn: another one is asked at this place");
        for (unsigned i = 0; r == 0 && i < replaced.n; i++) {
                AgentCall *call = agent_socket_asking(task->socket, replaced.ids[i]);

                if (call)
                        agent_call_fail(call, NULL, &why);
        }
        return r;
}

/* The receipt's line is on disk with the question: what is not in the receipt was not asked */
static int write_down(Task *task, Question *question, Error *err) {
        int r = withdraw(task, question->path, err);

        if (r < 0 || task_is_final(task))
                return r < 0 ? r : -ECANCELED;
        task_receipt_question(task, question);
        return task_is_final(task) ? -ECANCELED : questions_add(task->front, question, err);
}

/* What was decided in the task that is replayed, as this question's own */
static int decide_as_before(const Task *task, Question *question, Error *err) {
        SCOPED(question_deinit) Question before = QUESTION_EMPTY;
        int r = questions_find_asked(task->front, task->replay_of, question->key, &before, err);

        if (r == -ENOENT || (r == 0 && before.decision == DECISION_OPEN))
                return error_say(err, -ENOENT,
                                 "step %s asks what was not asked, or not answered, in task %s",
                                 question->path, task->replay_of);
        if (r < 0)
                return r;
        question->decision = before.decision;
        question->answer = TAKE_PTR(before.answer);
        question->comment = TAKE_PTR(before.comment);
        question->decided_usec = units_now();
        question->by_uid = before.by_uid;
        return 0;
}

static void put_as_before(AgentCall *call, Question *question) {
        Task *task = call->task;
        Error err = ERROR_EMPTY;

        task_receipt_question(task, question);
        if (!task_is_final(task) && decide_as_before(task, question, &err) < 0) {
                agent_call_fail(call, NULL, &err);
                task_fail(task, "replay_mismatch", &err);
                return;
        }
        if (!task_is_final(task))
                task_receipt_answer(task, question);
        if (task_is_final(task))
                return;
        if (questions_add(task->front, question, &err) < 0) {
                refuse_open(call, &err);
                return;
        }
        tell(task, question, "decided");
        agent_call_answer(call, answer_json(question), NULL, 0);
}

/* One that was asked earlier may be written down later, when its patch is made: then that one suspends */
static void wait_unless(Task *task, bool more) {
        if (!more)
                task->is_idle = true;
        if (task->is_idle)
                suspend(task);
}

static void drop(AgentCall *call) {
        Error err = ERROR_EMPTY;

        error_say(&err, -ECANCELED, "nobody waits for this question any more");
        agent_call_fail(call, NULL, &err);
}

static void put(AgentCall *call, const PatchDiffEnd *diff) {
        SCOPED(question_deinit) Question question = QUESTION_EMPTY;
        SCOPED(json_free) cJSON *params = TAKE_PTR(call->result);
        Task *task = call->task;
        Error err = ERROR_EMPTY;

        if (call->cancelled) {
                drop(call);
                return;
        }
        if (question_form_make(task, params, &question, &err) < 0) {
                agent_call_fail(call, NULL, &err);
                return;
        }
        if (diff) {
                question.has_patch = true;
                memcpy(question.patch, diff->digest, DIGEST_SIZE);
        }
        if (task->is_replay) {
                put_as_before(call, &question);
                return;
        }
        if (write_down(task, &question, &err) < 0) {
                if (!task_is_final(task))
                        refuse_open(call, &err);
                return;
        }
        (void) snprintf(call->question, sizeof(call->question), "%s", question.id);
        task->has_asked = true;
        tell(task, &question, "asked");
        waiting_asked(task->front->waiting, &question);
        wait_unless(task, json_true(params, "more"));
}

static void on_diff(PatchDiffEnd *end, void *userdata) {
        AgentCall *call = userdata;
        Task *task = call->task;
        Error err = ERROR_EMPTY;

        task->ask_diff = NULL;
        if (end->err)
                agent_call_fail(call, NULL, end->err);
        else if (task_ledger_patch(task, end->fd, end->digest, &err) < 0)
                refuse_open(call, &err);
        else
                put(call, end);
}

static int start_diff(AgentCall *call, Error *err) {
        Task *task = call->task;
        GateLayers layers = work_base_layers(&task->base, false);
        PatchDiffSpec spec = { .jail = task_jail(task),
                               .layers = &layers,
                               .work = task->steps.has_under ? task->steps.under : NULL,
                               .owner_uid = task->owner_uid,
                               .done = on_diff,
                               .userdata = call };

        return patch_diff_start(task->front, &spec, &task->ask_diff, err);
}

/* Asked before: answered before, or still waited for */
static void ask_again(AgentCall *call, const Question *question, bool more) {
        Task *task = call->task;

        if (question->decision != DECISION_OPEN) {
                agent_call_answer(call, answer_json(question), NULL, 0);
                return;
        }
        (void) snprintf(call->question, sizeof(call->question), "%s", question->id);
        task->has_asked = true;
        wait_unless(task, more);
}

static int check_room(const Task *task, Error *err) {
        unsigned all, open;
        int r = questions_count(task->front, task->id, &all, &open, err);

        if (r < 0)
                return r;
        if (all >= QUESTIONS_PER_TASK_MAX)
                return error_say(err, -EDQUOT, "a task asks at most %u questions",
                                 QUESTIONS_PER_TASK_MAX);
        if (open >= QUESTIONS_OPEN_MAX)
                return error_say(err, -EBUSY, "%u questions wait for an answer already", open);
        return 0;
}

int task_ask(AgentCall *call, const cJSON *params, Error *err) {
        SCOPED(question_deinit) Question before = QUESTION_EMPTY;
        Task *task = call->task;
        uint8_t key[DIGEST_SIZE];
        int r = question_form_check(params, err);

        call->stays = json_true(params, "stay");
        if (r == 0)
                r = question_form_key(params, key, err);
        if (r < 0)
                return r;
        r = questions_find_asked(task->front, task->id, key, &before, err);
        if (r == 0) {
                ask_again(call, &before, json_true(params, "more"));
                return 0;
        }
        r = r == -ENOENT ? check_room(task, err) : r;
        if (r < 0)
                return r;
        if (!task_receipt_has_room(task))
                return 0;
        call->result = cJSON_Duplicate(params, true);
        if (!call->result)
                return error_set(err, -ENOMEM, "take a question");
        if (task->ask_diff || task->gate.diff || task->gate.verify) {
                put(call, NULL);
                return 0;
        }
        return start_diff(call, err);
}

void task_ask_cancel(AgentCall *call) {
        SCOPED(question_deinit) Question question = QUESTION_EMPTY;
        Task *task = call->task;
        Error err = ERROR_EMPTY;
        int r;

        call->cancelled = true;
        if (!call->question[0]) /* the patch for it is being made */
                return;
        r = questions_find(task->front, call->question, &question, &err);
        if (r == 0)
                r = questions_withdraw(task->front, task->id, question.path, &err);
        if (r < 0) {
                refuse_open(call, &err);
                return;
        }
        drop(call);
        waiting_touch(task->front->waiting);
}

/* ---- deciding -------------------------------------------------------------------------------------- */

/* A task that is parked finds the decision when its agent asks again */
static void deliver(Task *task, const Question *question) {
        Error err = ERROR_EMPTY;

        tell(task, question, "decided");
        if (!agent_socket_asking(task->socket, question->id)) {
                if (task->state == TASK_SUSPENDED && !task->is_still &&
                    task_unpark(task, decision_name(question->decision), &err) < 0)
                        task_fail(task, "internal", &err);
        } else if (task_still_wake(task)) {
                task_ask_tell(task);
        }
}

bool task_ask_is_over(const Task *task) {
        bool waits = task->cause[0] == 0 || strcmp(task->cause, WAITS) == 0;
        unsigned all = 0, open = 0;
        Error err = ERROR_EMPTY;

        return task->state == TASK_SUSPENDED && waits &&
               questions_count(task->front, task->id, &all, &open, &err) == 0 && all > 0 &&
               open == 0;
}

int task_ask_decide(Front *front, Question *question, Error *err) {
        SCOPED(question_deinit) Question now = QUESTION_EMPTY;
        Task *task = tasks_find(front->tasks, question->task, 0);
        int r = questions_find(front, question->id, &now, err);

        if (r == 0 && now.decision != DECISION_OPEN)
                r = -EALREADY;
        if (r < 0)
                return r;
        question->decided_usec = units_now();
        if (task && !task_is_final(task))
                task_receipt_answer(task, question); /* on disk with the decision */
        r = questions_decide(front, question, err);
        if (r < 0 && task)
                task_fail(task, "ledger", err);
        if (r < 0)
                return r;
        log_event(LOG_INFO, "question decided", F("TASK", question->task),
                  F("QUESTION", question->id), F("DECISION", decision_name(question->decision)));
        if (task && !task_is_final(task))
                deliver(task, question);
        waiting_decided(front->waiting, question);
        return 0;
}

void task_ask_end(Task *task) {
        Error err = ERROR_EMPTY;

        if (task->has_asked && questions_withdraw(task->front, task->id, NULL, &err) < 0)
                log_event(LOG_ERR, "questions of a task that has ended stay open",
                          F("TASK", task->id), F_ERR(&err));
        if (task->has_asked)
                waiting_touch(task->front->waiting);
}
