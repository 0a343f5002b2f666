/*
 * task-history: see task-history.h.
 */
#include "supervisor/front/tasks/task-history.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/task.h"

/* ---- layers without a row ------------------------------------------------------------------------ */

typedef struct Layers { /* that a task's rows name now, and some not any more after a change */
        uint8_t (*digests)[DIGEST_SIZE]; /* owned */
        size_t n;
} Layers;

static int add_layer(Layers *layers, size_t *room, const void *digest) {
        uint8_t(*more)[DIGEST_SIZE];

        if (layers->n == *room) {
                *room = *room ? 2 * *room : 64;
                more = reallocarray(layers->digests, *room, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                layers->digests = more;
        }
        memcpy(layers->digests[layers->n++], digest, DIGEST_SIZE);
        return 0;
}

/* All or none: one that is left out would be held for ever. As many as a task has rows (STEP_KEPT_MAX) */
static int read_layers(Front *front, const char *task, Layers *ret, Error *err) {
        sqlite3_stmt *rows = ledger_query(front->ledger, err,
                                          "SELECT layer FROM task_steps WHERE task = ?1 AND layer "
                                          "IS NOT NULL GROUP BY layer ORDER BY max(seq)",
                                          "t", task);
        Layers layers = { 0 };
        size_t room = 0;
        int r = rows ? 0 : -EIO, step = SQLITE_DONE;

        while (r == 0 && (step = sqlite3_step(rows)) == SQLITE_ROW)
                if (sqlite3_column_bytes(rows, 0) == DIGEST_SIZE)
                        r = add_layer(&layers, &room, sqlite3_column_blob(rows, 0));
        (void) sqlite3_finalize(rows);
        if (r == 0 && step != SQLITE_DONE)
                r = -EIO;
        if (r < 0) {
                free(layers.digests);
                return error_set(err, r, "read the layers of task %s", task);
        }
        *ret = layers;
        return 0;
}

/* Likewise, where nobody waits for an answer */
static bool find_layers(Front *front, const char *task, Layers *ret) {
        Error err = ERROR_EMPTY;

        if (read_layers(front, task, ret, &err) == 0)
                return true;
        log_event(LOG_ERR, "layers of a task are not let go", F("TASK", task), F_ERR(&err));
        return false;
}

static bool is_named(Front *front, const char *task, const uint8_t *layer) {
        return ledger_number(front->ledger, 0,
                             "SELECT 1 FROM task_steps WHERE layer = ?2 AND task = ?1 LIMIT 1",
                             "tb", task, layer, DIGEST_SIZE) == 1;
}

/* After rows have gone: what none of the others names is held for nobody. Consumes @layers */
static void let_go(Front *front, Holds *holds, const char *task, uint32_t owner, Layers *layers) {
        for (size_t i = 0; i < layers->n; i++)
                if (!is_named(front, task, layers->digests[i]))
                        hold_drop(holds, layers->digests[i], owner);
        free(layers->digests);
        *layers = (Layers){ 0 };
}

/* Values that no commit names any more. Each list is read once, however many values there are */
static int drop_values(Front *front, const char *task, Error *err) {
        return ledger_exec(front->ledger, err,
                           "DELETE FROM task_values WHERE task = ?1 AND CASE kind WHEN 0 THEN seq "
                           "NOT IN (SELECT state FROM task_steps WHERE task = ?1) ELSE seq NOT IN "
                           "(SELECT memory FROM task_steps WHERE task = ?1) END",
                           "t", task);
}

/* ---- going back ---------------------------------------------------------------------------------- */

int task_history_find(Front *front, const char *task, const char *path, uint64_t *ret_seq,
                      Error *err) {
        int64_t from, seq;

        from = ledger_number(front->ledger, -1, "SELECT steps_from FROM task_saves WHERE task = ?1",
                             "t", task);
        if (from < 0)
                return error_say(err, -ENOENT,
                                 "the workspaces of task %s are not kept any more: those of a "
                                 "user's newest %u ended tasks are",
                                 task, HISTORY_TASKS_MAX);
        seq = strcmp(path, "start") == 0 && from == 0
                      ? 0
                      : ledger_number(front->ledger, -1,
                                      "SELECT seq FROM task_steps WHERE task = ?1 AND path = ?2 "
                                      "AND begun = 0 ORDER BY seq DESC LIMIT 1",
                                      "tt", task, path);
        if (seq < 0)
                return error_say(err, -ENOENT,
                                 "no step \"%.100s\" of task %s has committed: `warder task undo "
                                 "%s` lists those that have",
                                 path, task, task);
        if (seq < from || (seq > 0 && ledger_number(front->ledger, 0,
                                                    "SELECT work FROM task_steps WHERE task = ?1 "
                                                    "AND seq = ?2",
                                                    "ti", task, seq) == WORK_UNKNOWN))
                return error_say(err, -ENOENT,
                                 "the workspace after step \"%.100s\" of task %s is not kept (any "
                                 "more): choose a later step",
                                 path, task);
        *ret_seq = (uint64_t) seq;
        return 0;
}

static int go_back(Front *front, const char *task, uint64_t seq, Error *err) {
        int r = ledger_exec(front->ledger, err,
                            "DELETE FROM task_steps WHERE task = ?1 AND seq > ?2 AND begun = 0",
                            "ti", task, (int64_t) seq);

        if (r >= 0)
                r = ledger_exec(front->ledger, err,
                                "UPDATE task_steps SET superseded = 0 WHERE task = ?1 AND "
                                "superseded > ?2",
                                "ti", task, (int64_t) seq);
        if (r >= 0) /* what has only begun names what holds now */
                r = ledger_exec(front->ledger, err,
                                "UPDATE task_steps SET (state, memory) = (SELECT ifnull(max(state),"
                                " 0), ifnull(max(memory), 0) FROM task_steps s WHERE s.task = ?1 "
                                "AND s.seq <= ?2) WHERE task = ?1 AND seq > ?2",
                                "ti", task, (int64_t) seq);
        return r < 0 ? r : drop_values(front, task, err);
}

int task_history_back(Front *front, const char *task, uint32_t owner, uint64_t seq, Error *err) {
        Layers layers;
        int r = read_layers(front, task, &layers, err);

        if (r < 0)
                return r;
        r = ledger_begin(front->ledger, true, err);
        if (r >= 0)
                r = ledger_end(front->ledger, go_back(front, task, seq, err), err);
        let_go(front, tasks_holds(front->tasks), task, owner, &layers);
        return r;
}

static cJSON *step_json(sqlite3_stmt *row) {
        cJSON *step = cJSON_CreateObject();

        json_add_number(step, "n", (uint64_t) sqlite3_column_int64(row, 0));
        json_add_text(step, "step", (const char *) sqlite3_column_text(row, 1));
        json_add_bool(step, "kept", sqlite3_column_int(row, 2));
        return step;
}

int task_history_list(Front *front, const char *task, Paging *paging, cJSON *list, Error *err) {
        sqlite3_stmt *rows;
        PagePlace place;
        bool more = true;

        if (!paging_from(paging, STEPS_PART, &place))
                return 0;
        rows = ledger_query(front->ledger, err,
                            "SELECT s.seq, s.path, s.work > 0 AND s.seq >= t.steps_from FROM "
                            "task_steps s JOIN task_saves t ON t.task = s.task WHERE s.task = ?1 "
                            "AND s.begun = 0 AND s.seq > ?2 ORDER BY s.seq",
                            "ti", task, place.number);
        if (!rows)
                return -EIO;
        while (more && sqlite3_step(rows) == SQLITE_ROW) {
                place = (PagePlace){ STEPS_PART, true, sqlite3_column_int64(rows, 0), "" };
                more = paging_push_consume(paging, list, step_json(rows), &place, 0);
        }
        (void) sqlite3_finalize(rows);
        return 0;
}

/* ---- letting go ---------------------------------------------------------------------------------- */

/* What was superseded up to commit @last, and with @values what commits before it remember */
static int forget_until(const Task *task, int64_t last, bool values, Error *err) {
        static const char *const statements[] = {
                "DELETE FROM task_steps WHERE task = ?1 AND superseded BETWEEN 1 AND ?2",
                "UPDATE task_saves SET steps_from = ?2 WHERE task = ?1",
                "UPDATE task_steps SET (state, memory) = (SELECT state, memory FROM task_steps s "
                "WHERE s.task = ?1 AND s.seq = ?2) WHERE task = ?1 AND seq < ?2",
        };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < ELEMENTS(statements) - !values; i++)
                r = ledger_exec(task->front->ledger, err, statements[i], "ti", task->id, last);
        return r < 0 ? r : drop_values(task->front, task->id, err);
}

static void forget_history(Task *task, int64_t last, bool values) {
        Ledger *ledger = task->front->ledger;
        Error err = ERROR_EMPTY;
        Layers layers;
        int r;

        if (last == 0 || !find_layers(task->front, task->id, &layers))
                return;
        r = ledger_begin(ledger, false, &err);
        if (r >= 0)
                r = ledger_end(ledger, forget_until(task, last, values, &err), &err);
        if (r < 0)
                log_event(LOG_WARNING, "old commits of a task stay", F("TASK", task->id),
                          F_ERR(&err));
        let_go(task->front, tasks_holds(task->front->tasks), task->id, task->owner_uid, &layers);
}

void task_history_purge(Task *task) {
        int64_t last = ledger_number(task->front->ledger, 0,
                                     "SELECT superseded FROM task_steps WHERE task = ?1 AND "
                                     "superseded > 0 ORDER BY superseded DESC LIMIT 1 OFFSET ?2",
                                     "ti", task->id, (int64_t) STEP_HISTORY_MAX);

        forget_history(task, last, false);
}

void task_history_shrink(Task *task) {
        forget_history(task, (int64_t) task->steps.work_seq, true);
}

bool task_history_evict(Task *task) {
        const TaskSteps *steps = &task->steps;
        Layers layers;
        bool found = false;

        if (!find_layers(task->front, task->id, &layers))
                return false;
        for (size_t i = 0; i < layers.n && !found; i++) {
                const uint8_t *layer = layers.digests[i];

                /* of an unknown workspace too: the layer is of the last that is known, to go on from */
                if ((steps->work != WORK_BASE && memcmp(layer, steps->layer, DIGEST_SIZE) == 0) ||
                    (steps->has_under && memcmp(layer, steps->under, DIGEST_SIZE) == 0))
                        continue;
                found = ledger_exec(task->front->ledger, NULL,
                                    "UPDATE task_steps SET work = 0, layer = NULL WHERE layer = ?2 "
                                    "AND task = ?1",
                                    "tb", task->id, layer, DIGEST_SIZE) >= 0;
        }
        let_go(task->front, tasks_holds(task->front->tasks), task->id, task->owner_uid, &layers);
        return found;
}

/* The layers of setup and held-back tests that a task stood on */
static void drop_saved(Front *front, Holds *holds, const char *task, uint32_t owner) {
        sqlite3_stmt *row =
                ledger_query(front->ledger, NULL,
                             "SELECT base, setup, held FROM task_saves WHERE task = ?1", "t", task);
        uint8_t digests[3][DIGEST_SIZE];
        unsigned n = 0;

        if (row && sqlite3_step(row) == SQLITE_ROW)
                for (int i = 0; i < 3; i++)
                        if (sqlite3_column_bytes(row, i) == DIGEST_SIZE)
                                memcpy(digests[n++], sqlite3_column_blob(row, i), DIGEST_SIZE);
        (void) sqlite3_finalize(row);
        if (ledger_exec(front->ledger, NULL, "DELETE FROM task_saves WHERE task = ?1", "t", task) <
            0)
                return;
        for (unsigned i = 0; i < n; i++)
                hold_drop(holds, digests[i], owner);
}

void task_history_forget(Front *front, Holds *holds, const char *task, uint32_t owner) {
        Layers layers;

        if (!find_layers(front, task, &layers))
                return;
        if (ledger_exec(front->ledger, NULL, "DELETE FROM task_steps WHERE task = ?1", "t", task) >=
            0)
                (void) ledger_exec(front->ledger, NULL, "DELETE FROM task_values WHERE task = ?1",
                                   "t", task);
        let_go(front, holds, task, owner, &layers);
        drop_saved(front, holds, task, owner);
}

void task_history_leave(Task *task) {
        if (task->steps.has_under)
                hold_drop(tasks_holds(task->front->tasks), task->steps.under, task->owner_uid);
        task->steps.has_under = false;
}

bool task_history_evict_ended(Front *front, Holds *holds, uint32_t owner) {
        char id[ID_MAX] = "";
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT s.task FROM task_saves s JOIN tasks t ON t.id = "
                                         "s.task WHERE s.owner = ?1 AND t.ended > 0 ORDER BY "
                                         "t.ended LIMIT 1",
                                         "i", (int64_t) owner);

        if (row && sqlite3_step(row) == SQLITE_ROW)
                (void) snprintf(id, sizeof(id), "%s", (const char *) sqlite3_column_text(row, 0));
        (void) sqlite3_finalize(row);
        if (*id)
                task_history_forget(front, holds, id, owner);
        return *id;
}

void task_history_forget_old(Front *front, Holds *holds, uint32_t owner) {
        char ids[64][ID_MAX];
        unsigned n = 0;
        sqlite3_stmt *rows = ledger_query(front->ledger, NULL,
                                          "SELECT s.task FROM task_saves s JOIN tasks t ON t.id = "
                                          "s.task WHERE s.owner = ?1 AND t.ended > 0 ORDER BY "
                                          "t.ended DESC LIMIT -1 OFFSET ?2",
                                          "ii", (int64_t) owner, (int64_t) HISTORY_TASKS_MAX);

        while (rows && n < ELEMENTS(ids) && sqlite3_step(rows) == SQLITE_ROW)
                (void) snprintf(ids[n++], ID_MAX, "%s",
                                (const char *) sqlite3_column_text(rows, 0));
        (void) sqlite3_finalize(rows);
        for (unsigned i = 0; i < n; i++)
                task_history_forget(front, holds, ids[i], owner);
}

/* ---- at start ------------------------------------------------------------------------------------ */

static int hold_rows(Front *front, Holds *holds, const char *sql, Error *err) {
        sqlite3_stmt *rows = ledger_query(front->ledger, err, sql, "");
        int r = rows ? 0 : -EIO;

        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
                const uint8_t *layer = sqlite3_column_blob(rows, 0);
                uint32_t owner = (uint32_t) sqlite3_column_int64(rows, 1);

                if (sqlite3_column_bytes(rows, 0) != DIGEST_SIZE)
                        continue;
                r = hold_take(holds, layer, owner, err);
                hold_charge(holds, layer, owner, (uint64_t) sqlite3_column_int64(rows, 2));
        }
        (void) sqlite3_finalize(rows);
        return r;
}

int task_history_hold(Front *front, Holds *holds, Error *err) {
        static const char *const each[] = {
                "SELECT layer, t.owner, max(s.bytes) FROM task_steps s JOIN tasks t ON t.id = "
                "s.task WHERE layer IS NOT NULL GROUP BY s.task, layer",
                "SELECT base, owner, bytes FROM task_saves WHERE base IS NOT NULL",
                "SELECT setup, owner, 0 FROM task_saves WHERE setup IS NOT NULL",
                "SELECT held, owner, 0 FROM task_saves WHERE held IS NOT NULL",
        };
        int r = 0;

        for (unsigned i = 0; r == 0 && i < ELEMENTS(each); i++)
                r = hold_rows(front, holds, each[i], err);
        return r;
}
