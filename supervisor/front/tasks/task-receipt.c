/*
 * task-receipt: see task-receipt.h.
 */
#include "supervisor/front/tasks/task-receipt.h"

#include <string.h>

#include "base/canonical.h"
#include "base/escape.h"
#include "supervisor/front/gate/verify-event.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/store/snapshots.h"

#define COMMAND_TEXT_MAX 2048u /* of what was asked; its digest is of the whole */

static void add_digest(cJSON *json, const char *name, const uint8_t *value) {
        char text[DIGEST_TEXT_MAX];

        json_add_text(json, name, digest_format(value, text));
}

static void add_value_digest(cJSON *json, const char *name, const cJSON *value) {
        uint8_t digest[DIGEST_SIZE];

        if (value && canonical_digest(value, digest) == 0)
                add_digest(json, name, digest);
}

static void ended_by_ledger(Task *task, int r) {
        if (r < 0)
                task_end(task, TASK_ERROR, "ledger",
                         "the task's receipt could not be written: see the supervisor's log");
}

/* ---- the beginning ------------------------------------------------------------------------------- */

static void add_price(cJSON *model, const Task *task) {
        const Price *price = &task->model.price;
        cJSON *json = json_add_object(model, "price");

        json_add_number(json, "input", price->input);
        json_add_number(json, "output", price->output);
        json_add_number(json, "cached_input", price->cached_input);
        json_add_number(json, "cache_write", price->cache_write);
        if (task->model.currency[0])
                json_add_text(json, "currency", task->model.currency);
}

static void add_model(cJSON *json, const Task *task) {
        cJSON *model = json_add_object(json, "model");
        bool is_replay = task->model.provider == PROVIDER_REPLAY;
        uint8_t digest[DIGEST_SIZE];

        json_add_text(model, "provider", is_replay ? "replay" : "openai");
        if (!is_replay)
                json_add_text(model, "model", task->model.name);
        else if (digest_of_fd(task->model.fd, digest, NULL) == 0)
                add_digest(model, "transcript", digest);
        if (money_has_price(&task->model.price))
                add_price(model, task);
}

static void add_places(cJSON *json, const Task *task) {
        uint8_t snapshot[DIGEST_SIZE];
        PolicyHold policy;
        SnapshotInfo info;

        json_add_text(json, "snapshot_name", task->snapshot);
        if (snapshots_find(task->front, task->snapshot, task->owner_uid, &info, NULL) == 0) {
                snapshots_digest(&info, snapshot);
                add_digest(json, "snapshot", snapshot);
        }
        json_add_text(json, "policy_name", task->policy.shown);
        if (policies_hold(task->front->policies, &task->policy, &policy, NULL) == 0)
                add_digest(json, "policy", policy.digest);
}

int task_receipt_begin(Task *task) {
        cJSON *json = cJSON_CreateObject(), *budgets;
        const char *workflow = json_text(task->workflow, "name");

        receipt_name_digest(json, "request", task->request, strlen(task->request));
        add_digest(json, "spec", task->spec->digest);
        add_places(json, task);
        if (workflow)
                json_add_text(json, "workflow_name", workflow);
        add_value_digest(json, "workflow", task->workflow);
        add_value_digest(json, "roles", task->roles);
        add_model(json, task);
        budgets = json_add_object(json, "budgets");
        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++)
                if (task_has_budget(task, (TaskBudget) i))
                        json_add_number(budgets, task_budget_name(i), task->budget[i]);
        json_add_number(json, "owner_uid", task->owner_uid);
        json_add_text(json, "version", PACKAGE_VERSION);
        return receipt_begin(task->front, &task->receipt, task->id, task->owner_uid, json);
}

void task_receipt_base(Task *task) {
        cJSON *json = cJSON_CreateObject();

        add_digest(json, "base", task->base.base);
        if (task->base.has_setup)
                add_digest(json, "setup", task->base.setup);
        (void) receipt_add(task->front, &task->receipt, "base", json);
}

/* ---- commands ------------------------------------------------------------------------------------ */

static void add_clipped(cJSON *json, const char *name, const char *text) {
        autofree char *clipped = escape_new(text, COMMAND_TEXT_MAX);

        json_add_text(json, name, clipped ? clipped : "");
}

cJSON *task_receipt_asked(const cJSON *params) {
        const cJSON *argv = json_get(params, "argv");
        const char *command = json_text(params, "command"), *cwd = json_text(params, "cwd");
        autofree char *text = argv ? json_print(argv) : NULL;
        cJSON *json = cJSON_CreateObject();

        if (command)
                add_clipped(json, "command", command);
        else if (text)
                add_clipped(json, "argv", text);
        receipt_name_digest(json, "sha256",
                            command ? command
                            : text  ? text
                                    : "",
                            strlen(command ? command
                                   : text  ? text
                                           : ""));
        if (cwd)
                add_clipped(json, "cwd", cwd);
        return json;
}

static void add_usage(cJSON *json, const CommandEnd *end) {
        const struct {
                const char *name;
                uint64_t value;
        } rows[] = {
                { "wall_usec", end->wall_usec },   { "user_usec", end->user_usec },
                { "sys_usec", end->sys_usec },     { "memory_peak", end->memory_peak },
                { "pids_peak", end->pids_peak },   { "io_read", end->io_read },
                { "io_written", end->io_written }, { "output_bytes", end->seen[0] + end->seen[1] },
        };

        for (unsigned i = 0; i < ELEMENTS(rows); i++)
                json_add_number(json, rows[i].name, rows[i].value);
}

void task_receipt_command(Task *task, cJSON *asked, const CommandEnd *end) {
        cJSON *json = asked ? asked : cJSON_CreateObject(), *hits;

        json_add_text(json, "cause", cause_name(end->cause));
        json_add_consume(json, "code", cJSON_CreateNumber(end->code));
        if (end->signal)
                json_add_number(json, "signal", (uint64_t) end->signal);
        hits = json_add_array(json, "hits");
        for (unsigned i = 0; i < _HIT_MAX; i++)
                if (end->hits & BIT(i))
                        json_push_text(hits, hit_name(i));
        add_usage(json, end);
        ended_by_ledger(task, receipt_add(task->front, &task->receipt, "command", json));
}

void task_receipt_test(Front *front, Receipt *receipt, const char *phase, const cJSON *data) {
        static const char *const rows[][2] = {
                { "results", "patch" },   { "base_results", "base" }, { "red_results", "red" },
                { "old_results", "old" }, { "hunk_results", "hunk" }, { "held_results", "held" },
        };
        cJSON *json;

        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                if (strcmp(phase, rows[i][0]) != 0)
                        continue;
                json = cJSON_Duplicate(data, true);
                verify_event_shorten(json);
                json_add_text(json, "of", rows[i][1]);
                (void) receipt_add(front, receipt, "test", json);
        }
}

void task_receipt_setup(Front *front, Receipt *receipt, const RunCommand *run) {
        cJSON *json = run ? run_command_json(run) : NULL;

        cJSON_DeleteItemFromObjectCaseSensitive(json, "passed");
        cJSON_DeleteItemFromObjectCaseSensitive(json, "failed");
        cJSON_DeleteItemFromObjectCaseSensitive(json, "skipped");
        if (run)
                (void) receipt_add(front, receipt, "setup", json);
}

/* ---- the rest ------------------------------------------------------------------------------------ */

void task_receipt_model(Task *task, const EgressEvent *event) {
        cJSON *json = cJSON_CreateObject();

        json_add_number(json, "call", event->calls);
        json_add_consume(json, "status", cJSON_CreateNumber(event->code));
        json_add_number(json, "attempts", event->attempts);
        json_add_number(json, "tokens_in", event->tokens_in);
        json_add_number(json, "tokens_out", event->tokens_out);
        if (event->tokens_cached > 0)
                json_add_number(json, "tokens_cached", event->tokens_cached);
        if (event->guessed)
                json_add_bool(json, "guessed", true);
        if (task_has_budget(task, BUDGET_MONEY))
                json_add_number(json, "money", event->money);
        json_add_number(json, "wall_usec", event->wall_usec);
        ended_by_ledger(task, receipt_add(task->front, &task->receipt, "model", json));
}

void task_receipt_question(Task *task, const Question *question) {
        cJSON *json = question_json(question, false);

        cJSON_DeleteItemFromObjectCaseSensitive(json, "task");
        cJSON_DeleteItemFromObjectCaseSensitive(json, "n");
        cJSON_DeleteItemFromObjectCaseSensitive(json, "decision");
        add_digest(json, "key", question->key);
        ended_by_ledger(task, receipt_add(task->front, &task->receipt, "question", json));
}

void task_receipt_answer(Task *task, const Question *question) {
        static const char *const copied[] = { "question", "step",    "decision", "answer",
                                              "comment",  "decided", "by_uid" };
        SCOPED(json_free) cJSON *whole = question_json(question, false);
        cJSON *json = cJSON_CreateObject();

        for (unsigned i = 0; i < ELEMENTS(copied); i++)
                if (json_get(whole, copied[i]))
                        json_add_consume(json, copied[i],
                                         cJSON_Duplicate(json_get(whole, copied[i]), true));
        ended_by_ledger(task, receipt_add(task->front, &task->receipt, "answer", json));
}

void task_receipt_limit(Task *task, const char *limit, const char *why) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "limit", limit);
        json_add_text(json, "text", why);
        json_add_consume(json, "used", task_used(task));
        (void) receipt_add(task->front, &task->receipt, "limit", json);
}

bool task_receipt_end(Task *task) {
        cJSON *json = cJSON_CreateObject();

        if (task->cause[0])
                json_add_text(json, "cause", task->cause);
        if (task->summary[0])
                json_add_text(json, "summary", task->summary);
        json_add_consume(json, "used", task_used(task));
        return receipt_end_within(task->front, &task->receipt, task_state_name(task->state), json);
}

void task_receipt_sign(Task *task) {
        receipt_sign_end(task->front, &task->receipt, task_state_name(task->state));
}

bool task_receipt_has_room(Task *task) {
        if (!receipt_is_full(&task->receipt))
                return true;
        task_trip(task, "receipt", "the task's receipt has as many lines as one may have");
        return false;
}
