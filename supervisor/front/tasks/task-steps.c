/*
 * task-steps: see task-steps.h.
 *
 * A commit that supersedes others only marks them, with its own number: going back to an earlier one takes
 * the marks of later ones off again (task-history.c). State and memory are rows of their own, because a commit
 * names what held at its moment, whether it changed it or not.
 */
#include "supervisor/front/tasks/task-steps.h"

#include <string.h>

#include "base/buf.h"
#include "base/canonical.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-saves.h"
#include "supervisor/front/tasks/task.h"

#define JOURNAL_TEXT_MAX (2 * STEP_JOURNAL_MAX)
#define PURGE_EVERY      1024u /* commits: it looks at all of them */
#define ROW_BYTES        1024u /* for each beside its texts: many that say nothing are much, too */

enum { VALUE_STATE, VALUE_MEMORY };

/* ---- committing ---------------------------------------------------------------------------------- */

#define COUNTING                                                                         \
        "SELECT seq FROM task_steps INDEXED BY task_steps_counting WHERE task = ?1 AND " \
        "superseded = 0 AND path "

/*
 * Itself and what lies below it, as ranges of the index: a loop of thousands of items commits each without
 * looking at the others.
 */
static int supersede(Task *task, const char *path, uint64_t by, Error *err) {
        return ledger_exec(task->front->ledger, err,
                           "UPDATE task_steps SET superseded = ?3 WHERE task = ?1 AND seq IN "
                           "(" COUNTING "= ?2 UNION ALL " COUNTING
                           "> ?2 || '/' AND path < ?2 || '0' UNION ALL " COUNTING
                           "> ?2 || '[' AND path < ?2 || '\\')",
                           "tti", task->id, path, (int64_t) by);
}

/* Returns: the number that the row names, of the new value or the one before; negative errno */
static int64_t keep_value(Task *task, int kind, const char *value, uint64_t before, Error *err) {
        uint64_t seq = task->steps.seq + 1;
        int r;

        if (!value)
                return (int64_t) before;
        r = ledger_exec(task->front->ledger, err,
                        "INSERT INTO task_values(task, kind, seq, value) VALUES(?1, ?2, ?3, ?4)",
                        "tiit", task->id, (int64_t) kind, (int64_t) seq, value);
        return r < 0 ? r : (int64_t) seq;
}

static int insert(Task *task, const StepCommit *commit, TaskSteps *next, Error *err) {
        bool has_layer = commit->work == WORK_LAYER;

        return ledger_exec(
                task->front->ledger, err,
                "INSERT INTO task_steps(task, seq, path, output, begun, work, layer, bytes, state,"
                " memory) VALUES(?1, ?2, ?3, nullif(?4, ''), ?5, ?6, CASE WHEN ?6 = 2 THEN ?7 END,"
                " ?8, ?9, ?10)",
                "tittiibiii", task->id, (int64_t) next->seq, commit->path,
                commit->output ? commit->output : "", (int64_t) !commit->output,
                (int64_t) commit->work, has_layer ? commit->layer : NULL,
                has_layer ? DIGEST_SIZE : 0, (int64_t) commit->layer_bytes, (int64_t) next->state,
                (int64_t) next->memory);
}

static int write_rows(Task *task, const StepCommit *commit, TaskSteps *next, Error *err) {
        const TaskSteps *now = &task->steps;
        int64_t state, memory;
        int r;

        next->seq = now->seq + 1;
        r = supersede(task, commit->path, next->seq, err);
        if (r >= 0 && commit->replaces)
                r = supersede(task, commit->replaces, next->seq, err);
        if (r < 0)
                return r;
        state = keep_value(task, VALUE_STATE, commit->state, now->state, err);
        memory = state < 0 ? state
                           : keep_value(task, VALUE_MEMORY, commit->memory, now->memory, err);
        if (memory < 0)
                return (int) memory;
        next->state = (uint64_t) state;
        next->memory = (uint64_t) memory;
        r = insert(task, commit, next, err);
        return r >= 0 && commit->output ? task_saves_counters(task, err) : r;
}

static size_t length(const char *text) {
        return text ? strlen(text) : 0;
}

static uint64_t count_kept(const Task *task) {
        return (uint64_t) ledger_number(
                task->front->ledger, 0,
                "SELECT (SELECT ifnull(sum(?2 + length(CAST(path AS BLOB)) + "
                "ifnull(length(CAST(output AS BLOB)), 0)), 0) FROM task_steps WHERE task = ?1) + "
                "(SELECT ifnull(sum(?2 + length(CAST(value AS BLOB))), 0) FROM task_values WHERE "
                "task = ?1)",
                "ti", task->id, (int64_t) ROW_BYTES);
}

static size_t value_bytes(const char *value) {
        return value ? ROW_BYTES + strlen(value) : 0;
}

static int refuse(uint64_t most, const char *what, Error *err) {
        return error_say(err, -E2BIG,
                         "%s of the task's steps are more than %llu MiB: its steps must say less",
                         what, (unsigned long long) most >> 20);
}

/* All that is kept, whether it counts or not: before a step is refused, what could be gone back to goes */
static int check_kept(Task *task, const StepCommit *commit, Error *err) {
        TaskSteps *steps = &task->steps;
        size_t n = ROW_BYTES + strlen(commit->path) + length(commit->output) +
                   value_bytes(commit->state) + value_bytes(commit->memory);

        if (!steps->is_full && steps->kept + n > STEP_KEPT_MAX) {
                task_history_shrink(task);
                steps->kept = count_kept(task);
                steps->is_full = steps->kept + n > STEP_KEPT_MAX / 4 * 3;
        }
        if (steps->is_full)
                return refuse(STEP_KEPT_MAX, "outputs and memory", err);
        steps->kept += n;
        return 0;
}

/*
 * Exact only when it is needed: what was superseded does not count any more. To count takes long: who has little
 * left then has nothing left.
 */
static int check_room(Task *task, size_t n, Error *err) {
        TaskSteps *steps = &task->steps;

        if (!steps->is_full && steps->bytes + n > STEP_JOURNAL_MAX) {
                steps->bytes = (uint64_t) ledger_number(
                        task->front->ledger, 0,
                        "SELECT sum(length(path) + ifnull(length(output), 0)) FROM task_steps "
                        "WHERE task = ?1 AND superseded = 0",
                        "t", task->id);
                steps->is_full = steps->bytes + n > STEP_JOURNAL_MAX / 16 * 15;
        }
        if (steps->is_full)
                return refuse(STEP_JOURNAL_MAX, "outputs", err);
        steps->bytes += n;
        return 0;
}

static void take_over(TaskSteps *steps, const StepCommit *commit, const TaskSteps *next) {
        steps->seq = next->seq;
        steps->state = next->state;
        steps->memory = next->memory;
        if (!commit->output)
                return;
        steps->work = commit->work;
        if (commit->work == WORK_LAYER)
                memcpy(steps->layer, commit->layer, DIGEST_SIZE);
        if (commit->work != WORK_UNKNOWN)
                steps->work_seq = next->seq;
}

int task_steps_commit(Task *task, const StepCommit *commit, Error *err) {
        Ledger *ledger = task->front->ledger;
        size_t n = strlen(commit->path) + length(commit->output);
        TaskSteps next;
        int r = check_room(task, n, err);

        if (r == 0)
                r = check_kept(task, commit, err);
        if (r < 0)
                return r;
        next = task->steps;
        /* that an effect outside begins must be known after a power cut, too */
        r = ledger_begin(ledger, !commit->output, err);
        if (r < 0)
                return r;
        r = ledger_end(ledger, write_rows(task, commit, &next, err), err);
        if (r < 0)
                return r;
        take_over(&task->steps, commit, &next);
        if (next.seq % PURGE_EVERY == 0)
                task_history_purge(task);
        return 0;
}

bool task_steps_has_layer(const Task *task, const uint8_t *layer) {
        return ledger_number(task->front->ledger, 0,
                             "SELECT 1 FROM task_steps WHERE layer = ?2 AND task = ?1 LIMIT 1",
                             "tb", task->id, layer, DIGEST_SIZE) == 1;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static int load_last(Task *task, TaskSteps *steps, Error *err) {
        sqlite3_stmt *row =
                ledger_query(task->front->ledger, err,
                             "SELECT work, layer FROM task_steps WHERE task = ?1 AND begun = 0 "
                             "ORDER BY seq DESC LIMIT 1",
                             "t", task->id);

        if (!row)
                return -EIO;
        if (sqlite3_step(row) == SQLITE_ROW) {
                steps->work = (TaskWork) sqlite3_column_int(row, 0);
                if (sqlite3_column_bytes(row, 1) == DIGEST_SIZE)
                        memcpy(steps->layer, sqlite3_column_blob(row, 1), DIGEST_SIZE);
                else if (steps->work == WORK_LAYER)
                        steps->work = WORK_UNKNOWN;
        }
        (void) sqlite3_finalize(row);
        return 0;
}

int task_steps_load(Task *task, Error *err) {
        TaskSteps steps = { .work = WORK_BASE, .bytes = STEP_JOURNAL_MAX };
        Ledger *ledger = task->front->ledger;
        int r = load_last(task, &steps, err);

        if (r < 0)
                return r;
        steps.seq = (uint64_t) ledger_number(
                ledger, 0, "SELECT max(seq) FROM task_steps WHERE task = ?1", "t", task->id);
        steps.state = (uint64_t) ledger_number(
                ledger, 0, "SELECT state FROM task_steps WHERE task = ?1 ORDER BY seq DESC LIMIT 1",
                "t", task->id);
        steps.memory = (uint64_t) ledger_number(
                ledger, 0,
                "SELECT memory FROM task_steps WHERE task = ?1 ORDER BY seq DESC LIMIT 1", "t",
                task->id);
        steps.work_seq = (uint64_t) ledger_number(
                ledger, 0,
                "SELECT max(seq) FROM task_steps WHERE task = ?1 AND begun = 0 AND work > 0", "t",
                task->id);
        steps.kept = count_kept(task);
        task->steps = steps;
        return 0;
}

static int add_commit(Buf *text, sqlite3_stmt *row, bool first) {
        SCOPED(json_free)
        cJSON *path = cJSON_CreateString((const char *) sqlite3_column_text(row, 0));
        autofree char *quoted = path ? json_print(path) : NULL;
        const char *output = (const char *) sqlite3_column_text(row, 1);

        if (!quoted)
                return -ENOMEM;
        if (sqlite3_column_int(row, 2))
                return buf_printf(text, "%s{\"path\":%s,\"begun\":true}", first ? "" : ",", quoted);
        output = output ? output : "null";
        if (buf_printf(text, "%s{\"path\":%s,\"output\":", first ? "" : ",", quoted) < 0 ||
            buf_append(text, output, strlen(output)) < 0)
                return -ENOMEM;
        return buf_append(text, "}", 1);
}

static int add_commits(const Task *task, Buf *text, Error *err) {
        sqlite3_stmt *rows = ledger_query(task->front->ledger, err,
                                          "SELECT path, output, begun FROM task_steps WHERE task = "
                                          "?1 AND superseded = 0 ORDER BY seq",
                                          "t", task->id);
        int r = rows ? 0 : -EIO;
        bool first = true;

        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
                r = add_commit(text, rows, first);
                first = false;
        }
        (void) sqlite3_finalize(rows);
        return r;
}

static int add_value(const Task *task, Buf *text, int kind, uint64_t seq) {
        static const char *const names[] = { "state", "memory" };
        sqlite3_stmt *row;
        int r = 0;

        if (seq == 0)
                return 0;
        row = ledger_query(task->front->ledger, NULL,
                           "SELECT value FROM task_values WHERE task = ?1 AND kind = ?2 AND seq = "
                           "?3",
                           "tii", task->id, (int64_t) kind, (int64_t) seq);
        if (!row)
                return -EIO;
        if (sqlite3_step(row) == SQLITE_ROW) {
                r = buf_printf(text, ",\"%s\":", names[kind]);
                if (r == 0)
                        r = buf_append(text, sqlite3_column_text(row, 0),
                                       (size_t) sqlite3_column_bytes(row, 0));
        }
        (void) sqlite3_finalize(row);
        return r;
}

int task_steps_journal(const Task *task, char **ret_text, size_t *ret_n, Error *err) {
        autobuf Buf text = BUF_EMPTY(JOURNAL_TEXT_MAX);
        int r = buf_printf(&text, "{\"commits\":[");

        if (r >= 0)
                r = add_commits(task, &text, err);
        if (r >= 0)
                r = buf_printf(&text, "]");
        if (r >= 0)
                r = add_value(task, &text, VALUE_STATE, task->steps.state);
        if (r >= 0)
                r = add_value(task, &text, VALUE_MEMORY, task->steps.memory);
        if (r >= 0)
                r = buf_printf(&text, "}");
        if (r < 0)
                return error_set(err, r, "read what the task's steps committed");
        *ret_n = text.len;
        *ret_text = buf_take(&text);
        return *ret_text ? 0 : error_set(err, -ENOMEM, "read what the task's steps committed");
}
