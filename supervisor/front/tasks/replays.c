/*
 * replays: see replays.h.
 */
#include "supervisor/front/tasks/replays.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/task-params.h"

/* ---- letting go ---------------------------------------------------------------------------------- */

typedef struct Kept {
        char task[ID_MAX];
        uint8_t base[DIGEST_SIZE];
        uint32_t owner;
} Kept;

static bool take_row(sqlite3_stmt *row, Kept *kept) {
        if (sqlite3_column_bytes(row, 1) != DIGEST_SIZE)
                return false;
        (void) snprintf(kept->task, sizeof(kept->task), "%s",
                        (const char *) sqlite3_column_text(row, 0));
        memcpy(kept->base, sqlite3_column_blob(row, 1), DIGEST_SIZE);
        return true;
}

static bool forget(Front *front, Holds *holds, const Kept *kept) {
        if (ledger_exec(front->ledger, NULL, "DELETE FROM task_inputs WHERE task = ?1", "t",
                        kept->task) < 0)
                return false;
        hold_drop(holds, kept->base, kept->owner);
        return true;
}

static void drop_oldest(Front *front, Holds *holds, uint32_t uid) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT task, base FROM task_inputs WHERE owner = ?1 "
                                         "ORDER BY made DESC LIMIT 1 OFFSET ?2",
                                         "ii", (int64_t) uid, (int64_t) REPLAYS_KEPT_MAX);
        Kept kept = { .owner = uid };
        bool found = row && sqlite3_step(row) == SQLITE_ROW && take_row(row, &kept);

        (void) sqlite3_finalize(row);
        if (found)
                (void) forget(front, holds, &kept);
}

bool replays_evict(Front *front, Holds *holds, uint32_t uid) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT task, base FROM task_inputs WHERE owner = ?1 "
                                         "ORDER BY made",
                                         "i", (int64_t) uid);
        Kept kept = { .owner = uid };
        bool found = false;

        while (row && !found && sqlite3_step(row) == SQLITE_ROW)
                found = take_row(row, &kept) && !hold_is_shared(holds, kept.base, uid);
        (void) sqlite3_finalize(row);
        return found && forget(front, holds, &kept);
}

int replays_hold(Front *front, Holds *holds, Error *err) {
        sqlite3_stmt *rows =
                ledger_query(front->ledger, err, "SELECT base, owner, bytes FROM task_inputs", "");
        int r = 0;

        if (!rows)
                return -EIO;
        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
                const uint8_t *base = sqlite3_column_blob(rows, 0);
                uint32_t owner = (uint32_t) sqlite3_column_int64(rows, 1);

                if (sqlite3_column_bytes(rows, 0) != DIGEST_SIZE)
                        continue;
                r = hold_take(holds, base, owner, err);
                hold_charge(holds, base, owner, (uint64_t) sqlite3_column_int64(rows, 2));
        }
        (void) sqlite3_finalize(rows);
        return r;
}

/* ---- keeping ------------------------------------------------------------------------------------- */

static int insert(Task *task, Error *err) {
        autofree char *params = canonical_text(task->params), *transcript = NULL;
        size_t n = 0;
        int r = params ? 0 : -ENOMEM;

        if (r == 0 && task->model.provider == PROVIDER_REPLAY) {
                (void) lseek(task->model.fd, 0, SEEK_SET);
                r = fd_read_all(task->model.fd, TASK_TRANSCRIPT_MAX, &transcript, &n);
                (void) lseek(task->model.fd, 0, SEEK_SET);
        }
        if (r < 0)
                return error_set(err, r, "keep what a task was given");
        return ledger_exec(task->front->ledger, err,
                           "INSERT INTO task_inputs(task, owner, made, params, base, bytes,"
                           " transcript, is_whole) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
                           "tiitbib", task->id, (int64_t) task->owner_uid, (int64_t) units_now(),
                           params, task->base.base, DIGEST_SIZE, (int64_t) task->base.bytes,
                           transcript ? transcript : "", (int) n);
}

void replay_keep(Task *task) {
        Holds *holds = tasks_holds(task->front->tasks);
        Error err = ERROR_EMPTY;

        if (!task->params)
                return;
        if (hold_take(holds, task->base.base, task->owner_uid, &err) < 0) {
                log_event(LOG_WARNING, "a task cannot be replayed", F("TASK", task->id),
                          F_ERR(&err));
                return;
        }
        if (insert(task, &err) < 0) {
                log_event(LOG_WARNING, "a task cannot be replayed", F("TASK", task->id),
                          F_ERR(&err));
                hold_drop(holds, task->base.base, task->owner_uid);
                return;
        }
        drop_oldest(task->front, holds, task->owner_uid);
}

static int too_many(Task *task, Error *err) {
        (void) ledger_exec(task->front->ledger, NULL,
                           "UPDATE task_inputs SET is_whole = 0 WHERE task = ?1", "t", task->id);
        return error_say(err, -E2BIG, "the replies are too long to be kept for a replay");
}

int replay_reply(Task *task, const cJSON *entry, Error *err) {
        autofree char *text = canonical_text(entry);
        size_t n = text ? strlen(text) : 0;

        if (!text)
                return error_set(err, -ENOMEM, "keep a reply");
        if (task->model.provider == PROVIDER_REPLAY)
                return 0; /* its transcript is kept as it is */
        if (json_get(json_get(entry, "reply"), "too_long") || n > REPLAY_REPLY_MAX ||
            task->replies_bytes + n > REPLAY_REPLIES_MAX)
                return too_many(task, err);
        task->replies_bytes += n + 2;
        return ledger_exec(task->front->ledger, err,
                           "INSERT INTO task_replies(task, n, entry) SELECT ?1, 1 + ifnull((SELECT "
                           "max(n) FROM task_replies WHERE task = ?1), 0), ?2 WHERE EXISTS (SELECT "
                           "1 FROM task_inputs WHERE task = ?1)",
                           "tt", task->id, text);
}

/* ---- taking -------------------------------------------------------------------------------------- */

void replay_deinit(Replay *replay) {
        json_free(replay->params);
        owned_close(&replay->transcript_fd);
        *replay = (Replay){ .transcript_fd = -EBADF };
}

/* The replies that were recorded, as one list */
static int gather(Front *front, const char *task, Buf *text) {
        sqlite3_stmt *rows = ledger_query(front->ledger, NULL,
                                          "SELECT entry FROM task_replies WHERE task = ?1 "
                                          "ORDER BY n",
                                          "t", task);
        int r = rows ? buf_append(text, "[", 1) : -EIO;

        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW)
                r = buf_printf(text, "%s%s", text->len > 1 ? ",\n" : "",
                               (const char *) sqlite3_column_text(rows, 0));
        (void) sqlite3_finalize(rows);
        return r < 0 ? r : buf_append(text, "]", 1);
}

static int take_columns(Front *front, const char *task, sqlite3_stmt *row, Replay *replay,
                        Error *err) {
        autobuf Buf text = BUF_EMPTY(2 * (size_t) REPLAY_REPLIES_MAX);
        const void *bytes = sqlite3_column_blob(row, 2);
        size_t n = (size_t) sqlite3_column_bytes(row, 2);
        int r;

        if (sqlite3_column_int(row, 3) == 0)
                return error_say(err, -EFBIG, "the model's replies were too long to be kept");
        r = n > 0 ? buf_append(&text, bytes, n) : gather(front, task, &text);
        if (r < 0 || sqlite3_column_bytes(row, 1) != DIGEST_SIZE)
                return error_set(err, r < 0 ? r : -EIO, "read what task %s was given", task);
        memcpy(replay->base, sqlite3_column_blob(row, 1), DIGEST_SIZE);
        r = json_parse((const char *) sqlite3_column_text(row, 0),
                       (size_t) sqlite3_column_bytes(row, 0), 0, &replay->params, err);
        if (r < 0)
                return r;
        replay->transcript_fd = memfd_sealed("transcript", text.data, text.len, false, err);
        return replay->transcript_fd < 0 ? replay->transcript_fd : 0;
}

int replay_take(Front *front, const char *task, Replay *ret, Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err,
                                         "SELECT params, base, transcript, is_whole FROM "
                                         "task_inputs WHERE task = ?1",
                                         "t", task);
        Replay replay = { .transcript_fd = -EBADF };
        int r;

        if (!row)
                return -EIO;
        r = sqlite3_step(row) == SQLITE_ROW
                    ? take_columns(front, task, row, &replay, err)
                    : error_say(err, -ENOENT,
                                "what task %s was given is not kept any more: only the newest %u "
                                "tasks of a user can be replayed, as far as there is room",
                                task, REPLAYS_KEPT_MAX);
        (void) sqlite3_finalize(row);
        if (r < 0) {
                replay_deinit(&replay);
                return r;
        }
        *ret = replay;
        return 0;
}
