/*
 * task-saves: see task-saves.h.
 *
 * Structs of one build are stored as they are, with a number of their form: a build that has others refuses them by
 * name. All else is what the task was given, as text.
 */
#include "supervisor/front/tasks/task-saves.h"

#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-params.h"

#define FORM ((int64_t) (1u << 24 | sizeof(Given) << 12 | sizeof(Counters)))

typedef struct Given {
        PolicyUse policy, verify_policy;
        JailLimits limits, verify_limits;
        AnswerRules people;
        uint64_t budget[_TASK_BUDGET_MAX];
        TaskModel model;
        char snapshot[TASK_NAME_MAX];
        bool is_replay;
        char replay_of[ID_MAX];
} Given;

typedef struct Counters { /* followed by n_seen digests */
        uint64_t used[_TASK_BUDGET_MAX];
        GateMeter meter;
        uint64_t replies_bytes;
        uint64_t n_seen;
        uint32_t restarts, tampered, last;
        bool has_verdict;
        uint8_t last_patch[DIGEST_SIZE];
} Counters;

/* ---- saving -------------------------------------------------------------------------------------- */

static Given *given_of(const Task *task) {
        Given *given = calloc(1, sizeof(*given));

        if (!given)
                return NULL;
        *given = (Given){ .policy = task->policy,
                          .verify_policy = task->verify_policy,
                          .limits = task->limits,
                          .verify_limits = task->verify_limits,
                          .people = task->people,
                          .model = task->model,
                          .is_replay = task->is_replay };
        memcpy(given->budget, task->budget, sizeof(given->budget));
        (void) snprintf(given->snapshot, sizeof(given->snapshot), "%s", task->snapshot);
        (void) snprintf(given->replay_of, sizeof(given->replay_of), "%s", task->replay_of);
        given->model.fd = -EBADF;
        given->model.port = 0;
        return given;
}

static int read_transcript(const Task *task, char **ret, size_t *ret_n) {
        *ret_n = 0;
        return task->model.provider == PROVIDER_REPLAY && task->model.fd >= 0
                       ? fd_read_all_at(task->model.fd, 0, TASK_TRANSCRIPT_MAX, ret, ret_n)
                       : 0;
}

static int insert(const Task *task, Error *err) {
        autofree char *spec = json_print(task->spec->json), *roles = json_print(task->roles),
                      *workflow = json_print(task->workflow), *transcript = NULL;
        autofree Given *given = given_of(task);
        const WorkBase *base = &task->base;
        size_t n;

        if (!spec || !roles || !workflow || !given || read_transcript(task, &transcript, &n) < 0)
                return error_set(err, -ENOMEM, "keep what task %s was given", task->id);
        return ledger_exec(
                task->front->ledger, err,
                "INSERT INTO task_saves(task, owner, kept, form, given, spec, workflow, roles,"
                " transcript, base, setup, held, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                " ?10, CASE WHEN ?11 THEN ?12 END, CASE WHEN ?13 THEN ?14 END, ?15)",
                "tiiibtttbbibibi", task->id, (int64_t) task->owner_uid, (int64_t) task->keep, FORM,
                given, (int) sizeof(*given), spec, workflow, roles, transcript ? transcript : "",
                (int) n, base->base, DIGEST_SIZE, (int64_t) base->has_setup, base->setup,
                DIGEST_SIZE, (int64_t) base->has_held, base->held, DIGEST_SIZE,
                (int64_t) base->bytes);
}

typedef struct BaseLayers { /* of a base, as many as it has */
        const uint8_t *digests[3];
        unsigned n;
} BaseLayers;

static BaseLayers layers_of(const WorkBase *base) {
        BaseLayers layers = { .n = 0 };

        if (base->has_base)
                layers.digests[layers.n++] = base->base;
        if (base->has_setup)
                layers.digests[layers.n++] = base->setup;
        if (base->has_held)
                layers.digests[layers.n++] = base->held;
        return layers;
}

/* Returns: 0, or negative errno and none of them is held */
static int hold_layers(Holds *holds, const WorkBase *base, uint32_t owner, Error *err) {
        BaseLayers layers = layers_of(base);
        unsigned n = 0;
        int r = 0;

        while (r == 0 && n < layers.n)
                r = hold_take(holds, layers.digests[n++], owner, err);
        for (unsigned i = 0; r < 0 && i + 1 < n; i++)
                hold_drop(holds, layers.digests[i], owner);
        return r;
}

int task_saves_given(Task *task, Error *err) {
        Holds *holds = tasks_holds(task->front->tasks);
        int r = hold_layers(holds, &task->base, task->owner_uid, err);

        if (r < 0)
                return r;
        r = insert(task, err);
        if (r < 0) {
                WorkBase copy = task->base;

                work_base_release(holds, &copy);
                return r;
        }
        return task_saves_counters(task, err);
}

int task_saves_keep(const Task *task, Error *err) {
        return ledger_exec(task->front->ledger, err,
                           "UPDATE task_saves SET kept = 1 WHERE task = ?1", "t", task->id);
}

int task_saves_counters(const Task *task, Error *err) {
        const TaskGate *gate = &task->gate;
        size_t n = sizeof(Counters) + gate->n_seen * DIGEST_SIZE;
        autofree Counters *counters = calloc(1, n);

        if (!counters)
                return error_set(err, -ENOMEM, "save what task %s has used", task->id);
        *counters = (Counters){ .meter = task->meter,
                                .replies_bytes = task->replies_bytes,
                                .n_seen = gate->n_seen,
                                .restarts = task->restarts,
                                .tampered = gate->tampered,
                                .last = gate->last,
                                .has_verdict = gate->has_verdict };
        counters->meter.cpu_usec +=
                task->jail_cpu_usec[0] + task->jail_cpu_usec[1] + task_forks_used(task);
        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++)
                counters->used[i] = task_used_now(task, (TaskBudget) i);
        memcpy(counters->last_patch, gate->last_patch, DIGEST_SIZE);
        if (gate->n_seen)
                memcpy(counters + 1, gate->seen, gate->n_seen * DIGEST_SIZE);
        return ledger_exec(task->front->ledger, err,
                           "INSERT INTO task_counters(task, counters) SELECT task, ?2 FROM "
                           "task_saves WHERE task = ?1 ON CONFLICT(task) DO UPDATE SET counters "
                           "= excluded.counters",
                           "tb", task->id, counters, (int) n);
}

/* ---- loading ------------------------------------------------------------------------------------- */

enum {
        COLUMN_OWNER,
        COLUMN_FORM,
        COLUMN_GIVEN,
        COLUMN_SPEC,
        COLUMN_WORKFLOW,
        COLUMN_ROLES,
        COLUMN_TRANSCRIPT,
        COLUMN_BASE,
        COLUMN_SETUP,
        COLUMN_HELD,
        COLUMN_BYTES,
        COLUMN_COUNTERS,
        COLUMN_REQUEST,
        COLUMN_CREATED,
        COLUMN_CAUSE,
        COLUMN_SUMMARY,
        COLUMN_KEPT,
        COLUMN_RAN
};

static const char load_sql[] =
        "SELECT s.owner, form, given, spec, s.workflow, roles, transcript, s.base, setup, held,"
        " bytes, counters, t.request, t.created, t.cause, t.summary, s.kept, t.state IN "
        "('queued', 'preparing', 'running') FROM task_saves s JOIN "
        "tasks t ON t.id = s.task LEFT JOIN task_counters c ON c.task = s.task WHERE s.task = ?1";

static int take_json(sqlite3_stmt *row, int column, cJSON **ret, Error *err) {
        return json_parse((const char *) sqlite3_column_text(row, column),
                          (size_t) sqlite3_column_bytes(row, column), 0, ret, err);
}

static void take_given(Task *task, const Given *given) {
        task->policy = given->policy;
        task->verify_policy = given->verify_policy;
        task->limits = given->limits;
        task->verify_limits = given->verify_limits;
        task->people = given->people;
        task->model = given->model;
        task->is_replay = given->is_replay;
        memcpy(task->budget, given->budget, sizeof(task->budget));
        (void) snprintf(task->snapshot, sizeof(task->snapshot), "%s", given->snapshot);
        (void) snprintf(task->replay_of, sizeof(task->replay_of), "%s", given->replay_of);
}

static int take_counters(Task *task, sqlite3_stmt *row) {
        const Counters *stored = sqlite3_column_blob(row, COLUMN_COUNTERS);
        size_t n = (size_t) sqlite3_column_bytes(row, COLUMN_COUNTERS);
        TaskGate *gate = &task->gate;
        Counters counters;

        if (!stored || n < sizeof(counters))
                return 0; /* it was lost before it used anything */
        memcpy(&counters, stored, sizeof(counters));
        if (n != sizeof(counters) + counters.n_seen * DIGEST_SIZE)
                return -EIO;
        memcpy(task->used, counters.used, sizeof(task->used));
        task->meter = counters.meter;
        task->replies_bytes = counters.replies_bytes;
        task->restarts = counters.restarts;
        gate->tampered = counters.tampered;
        gate->has_verdict = counters.has_verdict && counters.last < _VERDICT_KIND_MAX;
        gate->last = (VerdictKind) (gate->has_verdict ? counters.last : 0);
        memcpy(gate->last_patch, counters.last_patch, DIGEST_SIZE);
        gate->seen = counters.n_seen ? malloc(counters.n_seen * DIGEST_SIZE) : NULL;
        if (counters.n_seen && !gate->seen)
                return -ENOMEM;
        if (counters.n_seen)
                memcpy(gate->seen, stored + 1, counters.n_seen * DIGEST_SIZE);
        gate->n_seen = counters.n_seen;
        return 0;
}

static bool take_layer(sqlite3_stmt *row, int column, uint8_t *ret) {
        if (sqlite3_column_bytes(row, column) != DIGEST_SIZE)
                return false;
        memcpy(ret, sqlite3_column_blob(row, column), DIGEST_SIZE);
        return true;
}

/* The row holds its layers; the task does once more while it is alive */
static int take_base(Task *task, sqlite3_stmt *row, Error *err) {
        WorkBase base = { .owner_uid = task->owner_uid,
                          .bytes = (uint64_t) sqlite3_column_int64(row, COLUMN_BYTES) };
        int r;

        base.has_base = take_layer(row, COLUMN_BASE, base.base);
        base.has_setup = take_layer(row, COLUMN_SETUP, base.setup);
        base.has_held = take_layer(row, COLUMN_HELD, base.held);
        if (!base.has_base)
                return error_say(err, -EIO, "the base of task %s is not kept", task->id);
        r = hold_layers(tasks_holds(task->front->tasks), &base, base.owner_uid, err);
        if (r == 0)
                task->base = base;
        return r;
}

static int take_texts(Task *task, sqlite3_stmt *row, Error *err) {
        SCOPED(json_free) cJSON *spec = NULL;
        SchemaFault fault = { 0 };
        int r = take_json(row, COLUMN_SPEC, &spec, err);

        if (r == 0)
                r = take_json(row, COLUMN_WORKFLOW, &task->workflow, err);
        if (r == 0)
                r = take_json(row, COLUMN_ROLES, &task->roles, err);
        if (r < 0)
                return r;
        task->request = strdup((const char *) sqlite3_column_text(row, COLUMN_REQUEST));
        if (!task->request)
                return error_set(err, -ENOMEM, "take task %s up", task->id);
        return verify_spec_new(spec, &task->spec, &fault) < 0
                       ? error_say(err, -EIO, "the verify spec of task %s: %s", task->id,
                                   fault.text)
                       : 0;
}

static int take_model(Task *task, sqlite3_stmt *row, Error *err) {
        const void *bytes = sqlite3_column_blob(row, COLUMN_TRANSCRIPT);

        task->model.fd = -EBADF;
        if (task->model.provider != PROVIDER_REPLAY)
                return 0; /* its key was with the one who started it, and with egress */
        task->model.fd =
                memfd_sealed("transcript", bytes ? bytes : "",
                             (size_t) sqlite3_column_bytes(row, COLUMN_TRANSCRIPT), false, err);
        return task->model.fd < 0 ? task->model.fd : 0;
}

static int take_row(Task *task, const char *id, sqlite3_stmt *row, Error *err) {
        const Given *given = sqlite3_column_blob(row, COLUMN_GIVEN);
        int r;

        if (sqlite3_column_int64(row, COLUMN_FORM) != FORM ||
            sqlite3_column_bytes(row, COLUMN_GIVEN) != (int) sizeof(*given))
                return error_say(err, -ENOTSUP,
                                 "task %s was kept by another version of warder: it cannot be "
                                 "taken up by this one",
                                 id);
        (void) snprintf(task->id, sizeof(task->id), "%s", id);
        task->owner_uid = (uint32_t) sqlite3_column_int64(row, COLUMN_OWNER);
        task->keep = sqlite3_column_int(row, COLUMN_KEPT);
        task->was_running = sqlite3_column_int(row, COLUMN_RAN);
        task->created_usec = (uint64_t) sqlite3_column_int64(row, COLUMN_CREATED);
        (void) snprintf(task->cause, sizeof(task->cause), "%s",
                        (const char *) sqlite3_column_text(row, COLUMN_CAUSE));
        (void) snprintf(task->summary, sizeof(task->summary), "%s",
                        (const char *) sqlite3_column_text(row, COLUMN_SUMMARY));
        take_given(task, given);
        r = take_model(task, row, err);
        if (r == 0 && take_counters(task, row) < 0)
                r = error_say(err, -EIO, "what task %s has used cannot be read", id);
        if (r == 0)
                r = take_texts(task, row, err);
        return r == 0 ? take_base(task, row, err) : r;
}

int task_saves_load(Front *front, const char *id, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = NULL;
        sqlite3_stmt *row;
        int r;

        r = task_new(front, &task, err);
        row = r == 0 ? ledger_query(front->ledger, err, load_sql, "t", id) : NULL;
        if (!row)
                return r < 0 ? r : -EIO;
        r = sqlite3_step(row) == SQLITE_ROW
                    ? take_row(task, id, row, err)
                    : error_say(err, -ENOENT,
                                "task %s is not kept so that it could go on: it never had a base, "
                                "or newer tasks took its place",
                                id);
        (void) sqlite3_finalize(row);
        if (r == 0)
                r = task_steps_load(task, err);
        if (r < 0)
                return r;
        task->state = TASK_SUSPENDED;
        task->has_asked = true; /* it may have */
        task->events.seq = (uint64_t) ledger_number(
                front->ledger, 0, "SELECT max(seq) FROM task_events WHERE task = ?1", "t", id);
        receipt_reopen(front, &task->receipt, id, task->owner_uid);
        *ret = TAKE_PTR(task);
        return 0;
}

/* ---- at start ------------------------------------------------------------------------------------ */

unsigned task_saves_alive(Front *front, char (*ids)[ID_MAX], unsigned max) {
        sqlite3_stmt *rows = ledger_query(front->ledger, NULL,
                                          "SELECT t.id FROM tasks t JOIN task_saves s ON s.task = "
                                          "t.id WHERE s.kept AND t.state IN ('queued', "
                                          "'preparing', 'running', 'suspended') ORDER BY t.created",
                                          "");
        unsigned n = 0;

        while (rows && n < max && sqlite3_step(rows) == SQLITE_ROW)
                (void) snprintf(ids[n++], ID_MAX, "%s",
                                (const char *) sqlite3_column_text(rows, 0));
        (void) sqlite3_finalize(rows);
        return n;
}

void task_saves_give_up(Front *front, const char *id) {
        Error err = ERROR_EMPTY;

        if (ledger_exec(front->ledger, &err, "UPDATE task_saves SET kept = 0 WHERE task = ?1", "t",
                        id) < 0)
                log_event(LOG_ERR, "a task that cannot be taken up stays in the ledger",
                          F("TASK", id), F_ERR(&err));
}
