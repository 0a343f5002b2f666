/*
 * task-gate: see task-gate.h.
 *
 *   agent asks -> PatchDiff (the task's jail stands still) -> Verify -> ledger, event, answer, breakers
 *
 * Whatever is kept as the task's patch is the file that was judged, byte for byte.
 */
#include "supervisor/front/tasks/task-gate.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-saves.h"

/* ---- answers ------------------------------------------------------------------------------------- */

static void answer_verdict(Task *task, const VerifyEnd *end) {
        AgentCall *call = TAKE_PTR(task->gate.call);
        cJSON *json = cJSON_CreateObject();
        const char *detail = end->detail ? end->detail : end->verdict->reason;
        autofree char *budget = task_budget_line(task), *text = task_progress_text(task, detail);
        uint64_t used = task->used[BUDGET_VERIFIES];
        static const char *const copied[] = { "cause",     "reason", "failing", "restored",
                                              "dangerous", "tests",  "remarks" };

        if (!call) {
                json_free(json);
                return;
        }
        json_add_text(json, "verdict", verdict_name(end->verdict->kind));
        json_add_number(json, "n", used);
        json_add_number(json, "left", task->budget[BUDGET_VERIFIES] - used);
        json_add_text(json, "digest", text ? text : detail);
        if (budget)
                json_add_text(json, "budget", budget);
        json_add_consume(json, "used", task_used(task));
        for (unsigned i = 0; i < ELEMENTS(copied); i++) {
                const cJSON *member = json_get(end->json, copied[i]);

                if (member)
                        json_add_consume(json, copied[i], cJSON_Duplicate(member, true));
        }
        agent_call_answer(call, json, NULL, 0);
}

/* The agent's claim is answered before the task ends with what counts */
static void end_finish(Task *task, TaskState state, const char *cause, const char *why) {
        AgentCall *call = TAKE_PTR(task->gate.call);
        cJSON *json = call ? cJSON_CreateObject() : NULL;

        json_add_text(json, "state", task_state_name(state));
        if (call)
                agent_call_answer(call, json, NULL, 0);
        task_end(task, state, cause, why);
}

static void gate_fail(Task *task, const char *cause, const Error *err) {
        AgentCall *call = TAKE_PTR(task->gate.call);

        if (call)
                agent_call_fail(call, "internal", err);
        task_fail(task, cause, err);
}

/* ---- verdicts ------------------------------------------------------------------------------------ */

static EventHead event_head(const Task *task, const char *event) {
        const TaskStep *at = &task->gate.at;

        return (EventHead){ .event = event,
                            .step = at->step[0] ? at->step : NULL,
                            .iteration = at->iteration };
}

static void add_path(const Task *task, cJSON *data) {
        if (task->gate.at.path[0])
                json_add_text(data, "path", task->gate.at.path);
}

void task_gate_note(Task *task, const char *step, const char *path, uint64_t iteration) {
        TaskStep *begun = &task->gate.begun;

        *begun = (TaskStep){ .iteration = iteration };
        (void) snprintf(begun->step, sizeof(begun->step), "%s", step ? step : "");
        (void) snprintf(begun->path, sizeof(begun->path), "%s", path ? path : "");
}

/* Branches run beside one another: the step that began last need not be the one that asks */
static void take_step(Task *task, const AgentCall *call) {
        TaskGate *gate = &task->gate;

        gate->at = gate->begun;
        if (!call->path || strcmp(call->path, gate->at.path) == 0)
                return;
        gate->at = (TaskStep){ 0 };
        (void) snprintf(gate->at.step, sizeof(gate->at.step), "%s", call->step);
        (void) snprintf(gate->at.path, sizeof(gate->at.path), "%s", call->path);
}

static void emit_verdict(Task *task, const VerifyEnd *end) {
        EventHead head = event_head(task, "verify.end");
        cJSON *data = cJSON_CreateObject();
        static const char *const copied[] = { "n",       "cause",    "reason",    "tests",
                                              "failing", "restored", "dangerous", "patch",
                                              "digest",  "remarks" };

        add_path(task, data);
        json_add_text(data, "verdict", verdict_name(end->verdict->kind));
        for (unsigned i = 0; i < ELEMENTS(copied); i++) {
                const cJSON *member = json_get(end->json, copied[i]);

                if (member)
                        json_add_consume(data, copied[i], cJSON_Duplicate(member, true));
        }
        events_emit(task, &head, data);
}

static int record(Task *task, const VerifyEnd *end, Error *err) {
        TaskGate *gate = &task->gate;

        gate->has_verdict = true;
        gate->last = end->verdict->kind;
        memcpy(gate->last_patch, gate->patch, DIGEST_SIZE);
        if (!end->json || task_progress_note(task, end) < 0)
                return error_set(err, -ENOMEM, "record the verdict");
        if (receipt_verdict(task->front, &task->receipt, end->json) < 0)
                return error_say(err, -EIO, "the verdict could not be written to the receipt");
        if (task_saves_counters(task, err) < 0)
                return -EIO;
        return task_ledger_verdict(task, task->used[BUDGET_VERIFIES], end->json, err);
}

/* A breaker: who waits for an answer gets it first */
static void trip(Task *task, TaskBudget budget, const char *format, const VerifyEnd *end) {
        AgentCall *call = TAKE_PTR(task->gate.call);
        cJSON *json = call ? cJSON_CreateObject() : NULL;
        char why[VERDICT_REASON_MAX + 160];

        (void) snprintf(why, sizeof(why), "%llu of %llu %s: %s",
                        (unsigned long long) task->used[budget],
                        (unsigned long long) task->budget[budget], format, end->verdict->reason);
        json_add_text(json, "state", task_state_name(TASK_LIMIT));
        if (call)
                agent_call_answer(call, json, NULL, 0);
        task_trip(task, task_limit_name(budget), why);
}

/* What the verdict does to the task. Where it goes on, the agent gets its answer */
static void apply_breakers(Task *task, const VerifyEnd *end) {
        TaskGate *gate = &task->gate;
        const Verdict *verdict = end->verdict;
        bool passed = verdict->kind == VERDICT_PASSED;
        bool finish = gate->for_finish;

        if (verdict->kind == VERDICT_TAMPERED)
                gate->tampered++;
        if (!finish)
                answer_verdict(task, end);
        if (verdict->kind == VERDICT_ERROR && end->host_fault)
                end_finish(task, TASK_ERROR, verdict->cause, verdict->reason);
        else if (verdict->kind == VERDICT_TAMPERED &&
                 (finish || gate->tampered >= TASK_TAMPERED_MAX))
                end_finish(task, TASK_TAMPERED, verdict->cause, verdict->reason);
        else if (!passed && task->used[BUDGET_VERIFIES] >= task->budget[BUDGET_VERIFIES])
                trip(task, BUDGET_VERIFIES, "verifies are used, the last one did not pass", end);
        else if (task->used[BUDGET_NO_PROGRESS] >= task->budget[BUDGET_NO_PROGRESS])
                trip(task, BUDGET_NO_PROGRESS, "verdicts running without progress", end);
        else if (!task_meter_read(task))
                return;
        else if (finish && passed)
                end_finish(task, TASK_VERIFIED, NULL, NULL);
        else if (finish)
                end_finish(task, TASK_UNVERIFIED, verdict->cause, verdict->reason);
}

static void on_verdict(const VerifyEnd *end, void *userdata) {
        Task *task = userdata;
        Error err = ERROR_EMPTY;

        task->gate.verify = NULL;
        if (record(task, end, &err) < 0) {
                gate_fail(task, "internal", &err);
                return;
        }
        emit_verdict(task, end);
        apply_breakers(task, end);
}

static void on_verify_event(const char *phase, cJSON *data, void *userdata) {
        EventHead head = event_head(userdata, "notice");
        cJSON *json = data ? data : cJSON_CreateObject();
        Task *task = userdata;

        task_receipt_test(task->front, &task->receipt, phase, json);
        json_add_text(json, "phase", phase);
        add_path(userdata, json);
        events_emit(userdata, &head, json);
}

static void start_verify(Task *task) {
        VerifyInput input = { .spec = task->spec,
                              .base = &task->base,
                              .snapshot = task->snapshot,
                              .policy = &task->verify_policy,
                              .limits = &task->verify_limits,
                              .meter = &task->meter,
                              .owner_uid = task->owner_uid,
                              .patch_fd = task->gate.patch_fd,
                              .patch = task->gate.patch,
                              .task = task->id,
                              .n = task->used[BUDGET_VERIFIES] + 1,
                              .event = on_verify_event,
                              .done = on_verdict,
                              .userdata = task };
        EventHead head = event_head(task, "verify.start");
        cJSON *data;
        Error err = ERROR_EMPTY;

        if (!task_spend(task, BUDGET_VERIFIES, 1))
                return;
        data = cJSON_CreateObject();
        add_path(task, data);
        json_add_number(data, "n", input.n);
        events_emit(task, &head, data);
        if (verify_start(task->front, &input, &task->gate.verify, &err) < 0)
                gate_fail(task, "jail", &err);
}

/* ---- the present patch --------------------------------------------------------------------------- */

/* The agent is done: is what is there now what the last verdict was about */
static void judge_finish(Task *task) {
        TaskGate *gate = &task->gate;
        bool same = gate->has_verdict && memcmp(gate->patch, gate->last_patch, DIGEST_SIZE) == 0;

        if (!same)
                start_verify(task);
        else if (gate->last == VERDICT_PASSED)
                end_finish(task, TASK_VERIFIED, NULL, NULL);
        else
                end_finish(task, TASK_UNVERIFIED, verdict_name(gate->last),
                           "the agent stopped though the last verdict was not \"passed\"");
}

/* Limits that the agent itself keeps: its loops' and turns', and the guards of its roles */
static bool is_own_limit(const char *cause) {
        static const char *const limits[] = { "max_iterations", "max_turns", "limit", "same_call",
                                              "alternating",    "no_edit",   "claims" };

        for (unsigned i = 0; i < ELEMENTS(limits); i++)
                if (strcmp(cause, limits[i]) == 0)
                        return true;
        return false;
}

/* As task_trip() tells of the task's budgets */
static void emit_own_limit(Task *task) {
        EventHead head = event_head(task, "limit");
        cJSON *data = cJSON_CreateObject();

        json_add_text(data, "limit", task->cause);
        json_add_number(data, "used", task->gate.own_used);
        json_add_number(data, "most", task->gate.own_most);
        json_add_text(data, "text", task->summary);
        events_emit(task, &head, data);
        task_receipt_limit(task, task->cause, task->summary);
}

static void give_up(Task *task) {
        bool limit = is_own_limit(task->cause);
        bool rejected = strcmp(task->cause, "rejected") == 0;
        char cause[TASK_CAUSE_MAX];

        (void) snprintf(cause, sizeof(cause), "%s", task->cause);
        if (limit && task->gate.own_most > 0)
                emit_own_limit(task);
        end_finish(task, limit ? TASK_LIMIT : rejected ? TASK_UNVERIFIED : TASK_ERROR, cause, NULL);
}

static void on_diff(PatchDiffEnd *end, void *userdata) {
        Task *task = userdata;
        TaskGate *gate = &task->gate;
        Error err = ERROR_EMPTY;

        gate->diff = NULL;
        if (end->err) {
                gate_fail(task, "jail", end->err);
                return;
        }
        owned_close(&gate->patch_fd);
        gate->patch_fd = TAKE_FD(end->fd);
        memcpy(gate->patch, end->digest, DIGEST_SIZE);
        if (task_ledger_patch(task, gate->patch_fd, gate->patch, &err) < 0)
                gate_fail(task, "internal", &err);
        else if (gate->for_finish && task->cause[0])
                give_up(task);
        else if (gate->for_finish)
                judge_finish(task);
        else
                start_verify(task);
}

/* @params: may name a fork; NULL: the task's own work is meant, and it is for the end */
static int start_diff(AgentCall *call, const cJSON *params, Error *err) {
        Task *task = call->task;
        TaskGate *gate = &task->gate;
        GateLayers layers = work_base_layers(&task->base, false);
        PatchDiffSpec spec = {
                .layers = &layers, .owner_uid = task->owner_uid, .done = on_diff, .userdata = task
        };
        TaskPlace place;
        int r;

        if (gate->diff || gate->verify || gate->for_finish)
                return error_say(err, -EBUSY,
                                 "a verify is under way already: wait for its verdict");
        r = task_place(task, params, &place, err);
        if (r < 0)
                return r;
        spec.jail = place.jail;
        spec.work = place.work;
        r = patch_diff_start(task->front, &spec, &gate->diff, err);
        if (r < 0)
                return r;
        gate->call = call;
        gate->fork = place.fork;
        gate->for_finish = !params;
        take_step(task, call);
        return 0;
}

int task_gate_verify(AgentCall *call, const cJSON *params, Error *err) {
        SCOPED(json_free) cJSON *none = params ? NULL : cJSON_CreateObject();

        return start_diff(call, params ? params : none, err);
}

static void drop(TaskGate *gate, const char *why) {
        AgentCall *call = TAKE_PTR(gate->call);
        Error err = ERROR_EMPTY;

        gate->diff = patch_diff_cancel(gate->diff);
        gate->verify = verify_cancel(gate->verify);
        error_say(&err, -ENOENT, "%s", why);
        if (call)
                agent_call_fail(call, NULL, &err);
}

void task_gate_end_fork(Task *task, uint64_t fork) {
        TaskGate *gate = &task->gate;

        if (gate->fork == fork && (gate->diff || gate->verify))
                drop(gate, "the fork whose work was being judged has ended");
}

void task_gate_cancel(AgentCall *call) {
        TaskGate *gate = &call->task->gate;

        if (gate->call == call && !gate->for_finish && (gate->diff || gate->verify))
                drop(gate, "nobody waits for this verdict any more");
}

int task_gate_finish(AgentCall *call, const FinishClaim *claim, Error *err) {
        Task *task = call->task;
        autofree char *summary = NULL;
        int r;

        r = start_diff(call, NULL, err);
        if (r < 0)
                return r;
        if (claim->summary)
                summary = escape_new(claim->summary, TASK_SUMMARY_MAX - 8);
        if (summary)
                (void) snprintf(task->summary, sizeof(task->summary), "%s", summary);
        if (claim->failed)
                (void) snprintf(task->cause, sizeof(task->cause), "%s",
                                claim->cause ? claim->cause : "agent_failed");
        task->gate.own_used = claim->used;
        task->gate.own_most = claim->most;
        return 0;
}
