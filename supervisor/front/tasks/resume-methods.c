/*
 * resume-methods: see resume-methods.h.
 *
 * A task that has ended is taken out of the ledger as if a front had been lost while it was suspended. What it has
 * used counts on: who has no verifies left has none after an undo either.
 */
#include "supervisor/front/tasks/resume-methods.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/front/tasks/after-end.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-methods.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-saves.h"
#include "supervisor/front/tasks/waiting.h"

enum { _FIND_E_SUCCESS, FIND_E_ENDS };

/* An end that came from outside of the task, or by its own failure: only from there can it go on as it is */
static int check_resumable(const char *id, const cJSON *shown, Error *err) {
        const char *state = json_text(shown, "state");

        if (state && (strcmp(state, task_state_name(TASK_ERROR)) == 0 ||
                      strcmp(state, task_state_name(TASK_CANCELLED)) == 0))
                return 0;
        return error_say(err, -EINVAL,
                         "task %s is %s: it came to its end. To go on from an earlier step: "
                         "warder task undo %s STEP",
                         id, state ? state : "unknown", id);
}

/* One that has ended becomes suspended, kept, and alive */
static int revive(Front *front, const char *id, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = NULL;
        int r = task_saves_load(front, id, &task, err);

        if (r < 0)
                return r;
        task->was_running = false;
        task->keep = true;
        task->restarts = 0;
        r = tasks_return(front->tasks, task, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(task);
        r = task_saves_keep(*ret, err);
        return r < 0 ? r : task_ledger_save(*ret, err);
}

/*
 * Who may do it: whoever may read what the agent did. @ret_alive: NULL where it has ended. Returns: 0, FIND_E_ENDS:
 * something of it is left, or negative errno
 */
static int find(Front *front, Call *call, const char *id, Task **ret_alive, cJSON **ret_shown,
                Error *err) {
        Task *task;
        int r = task_method_show(front, call, id, ret_shown, err);

        if (r < 0)
                return r;
        task = tasks_find(front->tasks, id, 0);
        if (task && task_is_final(task))
                return FIND_E_ENDS;
        if (task && (task->state != TASK_SUSPENDED || task->jail[0]))
                return error_say(err, -EBUSY, "task %s is %s: cancel it first", id,
                                 task_state_name(task->state));
        *ret_alive = task;
        return 0;
}

static int answer_state(const Task *task, cJSON **ret_result, Error *err) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "task", task->id);
        if (!json_add_text(json, "state", task_state_name(task->state))) {
                json_free(json);
                return error_set(err, -ENOMEM, "answer");
        }
        *ret_result = json;
        return 0;
}

/* ---- task.resume --------------------------------------------------------------------------------- */

/* The key of its model, where the one that it had was lost with a front */
static int take_key(Task *task, Call *call, Error *err) {
        int fd = call_n_fds(call) > 0 ? call_take_fd(call, 0) : -EBADF;

        if (task->model.provider != PROVIDER_OPENAI || task->model.fd >= 0) {
                owned_close(&fd);
                return 0;
        }
        if (fd < 0)
                return error_say(err, -EINVAL,
                                 "the key of the task's model was lost with the supervisor: pass "
                                 "it again");
        task->model.fd = fd;
        return 0;
}

static int run_resume(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        const char *id = json_text(params, "task");
        const AfterEndSpec later = { id, params, run_resume };
        SCOPED(json_free) cJSON *shown = NULL;
        Task *task = NULL;
        int r = find(front, call, id, &task, &shown, err);

        if (r == FIND_E_ENDS)
                return after_end_wait(front, call, &later, err);
        if (r == 0 && !task) {
                r = check_resumable(id, shown, err);
                if (r == 0)
                        r = revive(front, id, &task, err);
        } else if (r == 0 && strcmp(task->cause, "ask") == 0) {
                r = error_say(err, -EINVAL, "task %s waits for an answer, not for a resume", id);
        }
        if (r == 0)
                r = take_key(task, call, err);
        if (r == 0)
                r = task_unpark(task, "resumed", err);
        return r < 0 ? r : answer_state(task, ret_result, err);
}

/* ---- task.undo ----------------------------------------------------------------------------------- */

static int write_line(Task *task, const char *step, uint64_t seq, Error *err) {
        const EventHead head = { .event = "notice" };
        cJSON *line = cJSON_CreateObject(), *data = cJSON_CreateObject();

        json_add_text(line, "step", step);
        json_add_number(line, "commit", seq);
        if (receipt_add(task->front, &task->receipt, "undo", line) < 0) {
                json_free(data);
                return error_say(err, -EIO, "the undo could not be written to the receipt");
        }
        json_add_text(data, "phase", "undo");
        json_add_text(data, "step", step);
        events_emit(task, &head, data);
        return 0;
}

/* Its line is written first: what is not written down is not done */
static int undo(Task *task, const char *step, uint64_t seq, Error *err) {
        int r = write_line(task, step, seq, err);

        task_history_leave(task); /* the layer that its last run stood on */
        if (r == 0)
                r = task_history_back(task->front, task->id, task->owner_uid, seq, err);
        if (r == 0)
                r = task_steps_load(task, err);
        if (r == 0) /* what it asked later is not asked any more: to answer it would let it go on */
                r = questions_withdraw(task->front, task->id, NULL, err);
        waiting_touch(task->front->waiting);
        if (r < 0)
                return r;
        (void) snprintf(task->cause, sizeof(task->cause), "undone");
        (void) snprintf(task->summary, sizeof(task->summary),
                        "its workspace is that of step %.200s: warder task resume %s", step,
                        task->id);
        task->gate.has_verdict = false;
        r = task_saves_counters(task, err);
        if (r == 0)
                r = task_ledger_save(task, err);
        if (r == 0)
                events_emit_state(task);
        return r;
}

static int run_undo(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        const char *id = json_text(params, "task"), *step = json_text(params, "step");
        const AfterEndSpec later = { id, params, run_undo };
        SCOPED(json_free) cJSON *shown = NULL;
        Task *task = NULL;
        uint64_t seq;
        int r = find(front, call, id, &task, &shown, err);

        if (r == FIND_E_ENDS)
                return after_end_wait(front, call, &later, err);
        if (r == 0)
                r = task_history_find(front, id, step, &seq, err);
        if (r == 0 && !task)
                r = revive(front, id, &task, err);
        if (r == 0)
                r = undo(task, step, seq, err);
        return r < 0 ? r : answer_state(task, ret_result, err);
}

/* ---- task.steps ---------------------------------------------------------------------------------- */

static int run_steps(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        const char *id = json_text(params, "task");
        SCOPED(json_free) cJSON *shown = NULL;
        static const char parts[] = { STEPS_PART, 0 };
        SCOPED(json_free) cJSON *json = NULL;
        Paging paging;
        cJSON *steps;
        int r = task_method_show(front, call, id, &shown, err);

        if (r == 0)
                r = paging_begin(&paging, parts, params, err);
        if (r < 0)
                return r;
        json = cJSON_CreateObject();
        steps = json_add_array(json, "steps");
        if (!steps)
                return error_set(err, -ENOMEM, "list the steps");
        r = task_history_list(front, id, &paging, steps, err);
        if (r < 0)
                return r;
        paging_end(&paging, json);
        *ret_result = TAKE_PTR(json);
        return 0;
}

const MethodRow resume_methods[] = {
        { "task.resume", run_resume },
        { "task.undo", run_undo },
        { "task.steps", run_steps },
        { NULL, NULL },
};
