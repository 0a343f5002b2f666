/*
 * task-ledger: see task-ledger.h.
 */
#include "supervisor/front/tasks/task-ledger.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/units.h"

static const char save_sql[] =
        "INSERT INTO tasks(id, owner, state, cause, summary, request, workflow, used, base,"
        " created, ended, origin) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT(id) DO UPDATE SET state = ?3, cause = ?4, summary = ?5, used = ?8, base = ?9,"
        " ended = ?11";

int task_ledger_save(const Task *task, Error *err) {
        SCOPED(json_free) cJSON *used = task_used(task);
        autofree char *text = used ? json_print(used) : NULL;
        const char *workflow = json_text(task->workflow, "name");

        if (!text)
                return error_set(err, -ENOMEM, "save task %s", task->id);
        return ledger_exec(task->front->ledger, err, save_sql, "tittttttbiit", task->id,
                           (int64_t) task->owner_uid, task_state_name(task->state), task->cause,
                           task->summary, task->request, workflow ? workflow : "", text,
                           task->base.base, task->base.has_base ? DIGEST_SIZE : 0,
                           (int64_t) task->created_usec, (int64_t) task->ended_usec, task->origin);
}

int task_ledger_verdict(const Task *task, uint64_t n, const cJSON *verdict, Error *err) {
        autofree char *text = json_print(verdict);

        if (!text)
                return error_set(err, -ENOMEM, "save a verdict");
        return ledger_exec_full(task->front->ledger, err,
                                "INSERT INTO verdicts(task, n, verdict) VALUES(?1, ?2, ?3)", "tit",
                                task->id, (int64_t) n, text);
}

int task_ledger_patch(const Task *task, int fd, const uint8_t *digest, Error *err) {
        struct stat st;
        void *bytes = NULL;
        int r;

        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "save the patch of task %s", task->id);
        if (st.st_size > 0) {
                bytes = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
                if (bytes == MAP_FAILED)
                        return error_set(err, -errno, "save the patch of task %s", task->id);
        }
        r = ledger_exec(task->front->ledger, err,
                        "INSERT OR REPLACE INTO patches(task, digest, patch) VALUES(?1, ?2, ?3)",
                        "tbb", task->id, digest, DIGEST_SIZE, bytes ? bytes : "", (int) st.st_size);
        if (bytes)
                (void) munmap(bytes, (size_t) st.st_size);
        return r;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static void add_column_text(cJSON *json, const char *name, sqlite3_stmt *row, int column) {
        const char *text = (const char *) sqlite3_column_text(row, column);

        if (text && *text)
                json_add_text(json, name, text);
}

static void add_column_time(cJSON *json, const char *name, sqlite3_stmt *row, int column) {
        char time[UNITS_TEXT_MAX];
        int64_t usec = sqlite3_column_int64(row, column);

        if (usec > 0)
                json_add_text(json, name, units_format_time((uint64_t) usec, time));
}

static void add_column_json(cJSON *json, const char *name, sqlite3_stmt *row, int column) {
        const char *text = (const char *) sqlite3_column_text(row, column);
        cJSON *value = NULL;

        if (text && json_parse(text, strlen(text), 0, &value, NULL) == 0)
                json_add_consume(json, name, value);
}

#define ROW_COLUMNS                                                                         \
        "id, state, cause, summary, request, workflow, used, created, ended, base, owner, " \
        "origin, "                                                                          \
        "created"

static cJSON *row_json(Front *front, sqlite3_stmt *row) {
        cJSON *json = cJSON_CreateObject();
        const Task *task = tasks_find(front->tasks, (const char *) sqlite3_column_text(row, 0), 0);
        char digest[DIGEST_TEXT_MAX];

        add_column_text(json, "task", row, 0);
        add_column_text(json, "state", row, 1);
        add_column_text(json, "cause", row, 2);
        add_column_text(json, "summary", row, 3);
        add_column_text(json, "request", row, 4);
        add_column_text(json, "workflow", row, 5);
        if (task)
                json_add_consume(json, "used", task_used(task));
        else
                add_column_json(json, "used", row, 6);
        add_column_time(json, "created", row, 7);
        add_column_time(json, "ended", row, 8);
        if (sqlite3_column_bytes(row, 9) == DIGEST_SIZE)
                json_add_text(json, "base_digest",
                              digest_format(sqlite3_column_blob(row, 9), digest));
        json_add_number(json, "owner_uid", (uint64_t) sqlite3_column_int64(row, 10));
        add_column_json(json, "origin", row, 11);
        return json;
}

/* In the order of the sequence of verifies */
void task_ledger_verdicts(Front *front, const char *id, Paging *paging, cJSON *list) {
        sqlite3_stmt *rows;
        PagePlace place;
        bool more = true;

        if (!paging_from(paging, VERDICTS_PART, &place))
                return;
        rows = ledger_query(front->ledger, NULL,
                            "SELECT verdict, n FROM verdicts WHERE task = ?1 AND n > ?2 ORDER BY n",
                            "ti", id, place.number);
        while (rows && more && sqlite3_step(rows) == SQLITE_ROW) {
                cJSON *verdict = NULL;

                place = (PagePlace){ VERDICTS_PART, true, sqlite3_column_int64(rows, 1), "" };
                if (json_parse((const char *) sqlite3_column_text(rows, 0),
                               (size_t) sqlite3_column_bytes(rows, 0), 0, &verdict, NULL) == 0)
                        more = paging_push_consume(paging, list, verdict, &place, 0);
        }
        (void) sqlite3_finalize(rows);
}

int task_ledger_show(Front *front, const char *id, uint32_t uid, cJSON **ret, Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err,
                                         "SELECT " ROW_COLUMNS
                                         " FROM tasks WHERE id = ?1 AND (?2 = 0 OR owner = ?2)",
                                         "ti", id, (int64_t) uid);
        cJSON *json = NULL;

        if (!row)
                return -EIO;
        if (sqlite3_step(row) == SQLITE_ROW)
                json = row_json(front, row);
        (void) sqlite3_finalize(row);
        if (!json)
                return error_say(err, -ENOENT, "there is no task %s: see `warder task list`", id);
        *ret = json;
        return 0;
}

int task_ledger_list(Front *front, uint32_t uid, Paging *paging, cJSON *list, Error *err) {
        PagePlace place;
        sqlite3_stmt *rows;
        bool more = true;

        if (!paging_from(paging, TASKS_PART, &place))
                return 0;
        if (!place.has_place)
                place.number = INT64_MAX;
        rows = ledger_query(front->ledger, err,
                            "SELECT " ROW_COLUMNS " FROM tasks WHERE (?1 = 0 OR owner = ?1) AND "
                            "(created, id) < (?2, ?3) ORDER BY created DESC, id DESC",
                            "iit", (int64_t) uid, place.number, place.id);
        if (!rows)
                return -EIO;
        while (more && sqlite3_step(rows) == SQLITE_ROW) {
                place = (PagePlace){ TASKS_PART, true, sqlite3_column_int64(rows, 12), "" };
                (void) snprintf(place.id, sizeof(place.id), "%s",
                                (const char *) sqlite3_column_text(rows, 0));
                more = paging_push_consume(paging, list, row_json(front, rows), &place, 0);
        }
        (void) sqlite3_finalize(rows);
        return 0;
}

int task_ledger_take_patch(Front *front, const char *id, int *ret_fd, uint8_t *ret_digest,
                           Error *err) {
        sqlite3_stmt *row = ledger_query(
                front->ledger, err, "SELECT digest, patch FROM patches WHERE task = ?1", "t", id);
        int fd = -ENOENT;

        if (!row)
                return -EIO;
        if (sqlite3_step(row) == SQLITE_ROW && sqlite3_column_bytes(row, 0) == DIGEST_SIZE) {
                const void *bytes = sqlite3_column_blob(row, 1);

                memcpy(ret_digest, sqlite3_column_blob(row, 0), DIGEST_SIZE);
                fd = memfd_sealed("patch", bytes ? bytes : "",
                                  (size_t) sqlite3_column_bytes(row, 1), false, err);
        }
        (void) sqlite3_finalize(row);
        if (fd == -ENOENT)
                return error_say(err, -ENOENT, "task %s has no patch yet", id);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

#define ALIVE        "state IN ('queued', 'preparing', 'running', 'suspended')"
#define LOST         ALIVE " AND id NOT IN (SELECT task FROM task_saves WHERE kept)"
#define LOST_SUMMARY "the supervisor ended while the task ran"

/* Of each owner's ended tasks those behind the newest ?1; ?2: of this owner only, -1: of each */
#define OLDEST                                                                              \
        "(SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY owner ORDER BY ended " \
        "DESC) AS n FROM tasks WHERE NOT " ALIVE " AND (?2 < 0 OR owner = ?2)) WHERE n > ?1)"

static int forget_oldest(Front *front, int64_t owner, Error *err) {
        static const char *const statements[] = {
                "DELETE FROM task_events WHERE task IN " OLDEST,
                "DELETE FROM verdicts WHERE task IN " OLDEST,
                "DELETE FROM patches WHERE task IN " OLDEST,
                "DELETE FROM questions WHERE task IN " OLDEST,
                "DELETE FROM receipts WHERE subject IN " OLDEST,
                "DELETE FROM tasks WHERE id IN " OLDEST, /* the others find theirs by it */
        };
        int r = 0;

        for (unsigned i = 0; r == 0 && i < ELEMENTS(statements); i++)
                r = ledger_exec(front->ledger, err, statements[i], "ii", (int64_t) TASKS_KEPT_MAX,
                                owner);
        return r;
}

void task_ledger_forget(const Task *task) {
        Error err = ERROR_EMPTY;

        if (forget_oldest(task->front, (int64_t) task->owner_uid, &err) < 0)
                log_event(LOG_ERR, "the oldest tasks stay in the ledger", F_ERR(&err));
}

/* Its row was saved when its state last changed; each event since says what was used by then */
static int take_used(Front *front, Error *err) {
        return ledger_exec(front->ledger, err,
                           "UPDATE tasks SET used = ifnull((SELECT json_extract(event, '$.used')"
                           " FROM task_events WHERE task = tasks.id ORDER BY seq DESC LIMIT 1),"
                           " used) WHERE " LOST,
                           "");
}

/* A watcher waits for the event of the final state, so the log of a task that was lost gets one too */
static int tell_lost(Front *front, Error *err) {
        char time[UNITS_TEXT_MAX];

        return ledger_exec(
                front->ledger, err,
                "INSERT INTO task_events(task, seq, event) SELECT id, n, json_object('seq', n,"
                " 'time', ?1, 'task', id, 'event', 'task.state', 'data', json_object("
                "'state', 'error', 'cause', 'supervisor_lost', 'summary', '" LOST_SUMMARY "'),"
                " 'used', json(used)) FROM (SELECT id, used, 1 + ifnull((SELECT max(seq) FROM"
                " task_events WHERE task = tasks.id), 0) AS n FROM tasks WHERE " LOST ")",
                "t", units_format_time(units_now(), time));
}

int task_ledger_recover(Front *front, Error *err) {
        int r = forget_oldest(front, -1, err);

        if (r == 0)
                r = take_used(front, err);
        if (r == 0)
                r = tell_lost(front, err);
        if (r < 0)
                return r;
        return ledger_exec(front->ledger, err,
                           "UPDATE tasks SET state = 'error', cause = 'supervisor_lost',"
                           " ended = ?1, summary = '" LOST_SUMMARY "' WHERE " LOST,
                           "i", (int64_t) units_now());
}
