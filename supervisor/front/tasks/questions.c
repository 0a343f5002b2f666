/*
 * questions: see questions.h.
 */
#include "supervisor/front/tasks/questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define SHORT_TEXT_MAX 300u

static const char *const names[_DECISION_MAX] = {
        [DECISION_OPEN] = "open",         [DECISION_APPROVED] = "approved",
        [DECISION_REJECTED] = "rejected", [DECISION_ANSWERED] = "answered",
        [DECISION_EXPIRED] = "expired",   [DECISION_WITHDRAWN] = "withdrawn",
};

const char *decision_name(Decision decision) {
        return names[decision];
}

void question_deinit(Question *question) {
        json_free(question->what);
        json_free(question->answer);
        free(question->comment);
        *question = QUESTION_EMPTY;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

#define COLUMNS                                                                             \
        "id, task, owner, n, path, key, what, who, patch, asked, until, decision, answer, " \
        "comment, decided, by_uid"
#define WHOLE (QUESTION_WHAT | QUESTION_ANSWER)

static void copy_text(char *to, size_t size, sqlite3_stmt *row, int column) {
        const char *text = (const char *) sqlite3_column_text(row, column);

        (void) snprintf(to, size, "%s", text ? text : "");
}

static cJSON *column_json(sqlite3_stmt *row, int column) {
        const char *text = (const char *) sqlite3_column_text(row, column);
        cJSON *json = NULL;

        if (text && *text)
                (void) json_parse(text, strlen(text), 0, &json, NULL);
        return json;
}

static bool column_digest(sqlite3_stmt *row, int column, uint8_t *ret) {
        if (sqlite3_column_bytes(row, column) != DIGEST_SIZE)
                return false;
        memcpy(ret, sqlite3_column_blob(row, column), DIGEST_SIZE);
        return true;
}

static Decision decision_of(const char *name) {
        for (unsigned i = 0; name && i < _DECISION_MAX; i++)
                if (strcmp(names[i], name) == 0)
                        return (Decision) i;
        return DECISION_WITHDRAWN;
}

static void read_answer(sqlite3_stmt *row, Question *question) {
        const char *comment = (const char *) sqlite3_column_text(row, 13);

        question->answer = column_json(row, 12);
        question->comment = comment && *comment ? strdup(comment) : NULL;
}

static void read_row(sqlite3_stmt *row, unsigned parts, Question *ret) {
        Question question = QUESTION_EMPTY;
        SCOPED(json_free) cJSON *people = column_json(row, 7);

        copy_text(question.id, sizeof(question.id), row, 0);
        copy_text(question.task, sizeof(question.task), row, 1);
        question.owner_uid = (uint32_t) sqlite3_column_int64(row, 2);
        question.n = (unsigned) sqlite3_column_int(row, 3);
        copy_text(question.path, sizeof(question.path), row, 4);
        (void) column_digest(row, 5, question.key);
        question.bytes = (size_t) sqlite3_column_bytes(row, 6);
        if (parts & QUESTION_WHAT)
                question.what = column_json(row, 6);
        (void) answer_rules_take(&question.rules, people, false, NULL);
        question.has_patch = column_digest(row, 8, question.patch);
        question.asked_usec = (uint64_t) sqlite3_column_int64(row, 9);
        question.until_usec = (uint64_t) sqlite3_column_int64(row, 10);
        question.decision = decision_of((const char *) sqlite3_column_text(row, 11));
        if (parts & QUESTION_ANSWER)
                read_answer(row, &question);
        question.decided_usec = (uint64_t) sqlite3_column_int64(row, 14);
        question.by_uid = sqlite3_column_int64(row, 15);
        *ret = question;
}

static int take_parts(sqlite3_stmt *consume, unsigned parts, Question *ret) {
        int r = consume ? sqlite3_step(consume) : SQLITE_ERROR;

        if (r == SQLITE_ROW)
                read_row(consume, parts, ret);
        (void) sqlite3_finalize(consume);
        return r == SQLITE_ROW ? 0 : r == SQLITE_DONE ? -ENOENT : -EIO;
}

/* The first row of @consume, which is finalized. Returns: 0, -ENOENT, -EIO */
static int take_row(sqlite3_stmt *consume, Question *ret) {
        return take_parts(consume, WHOLE, ret);
}

int questions_count(Front *front, const char *task, unsigned *ret_all, unsigned *ret_open,
                    Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err,
                                         "SELECT count(*), coalesce(sum(decision = 'open'), 0)"
                                         " FROM questions WHERE task = ?1",
                                         "t", task);
        int r = row && sqlite3_step(row) == SQLITE_ROW ? 0 : -EIO;

        if (r == 0) {
                *ret_all = (unsigned) sqlite3_column_int(row, 0);
                *ret_open = (unsigned) sqlite3_column_int(row, 1);
        }
        (void) sqlite3_finalize(row);
        return r;
}

int questions_add(Front *front, Question *question, Error *err) {
        SCOPED(json_free) cJSON *people = answer_rules_json(&question->rules);
        autofree char *what = json_print(question->what);
        autofree char *answer = question->answer ? json_print(question->answer) : NULL;
        autofree char *who = NULL;
        unsigned all, open;
        int r;

        cJSON_DeleteItemFromObjectCaseSensitive(people, "wait");
        who = people ? json_print(people) : NULL;
        if (!what || !who || (question->answer && !answer))
                return error_set(err, -ENOMEM, "keep a question");
        r = questions_count(front, question->task, &all, &open, err);
        if (r < 0)
                return r;
        question->n = all + 1;
        return ledger_exec_full(front->ledger, err,
                                "INSERT INTO questions(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
                                " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
                                "ttiitbttbiitttii", question->id, question->task,
                                (int64_t) question->owner_uid, (int64_t) question->n,
                                question->path, question->key, DIGEST_SIZE, what, who,
                                question->patch, question->has_patch ? DIGEST_SIZE : 0,
                                (int64_t) question->asked_usec, (int64_t) question->until_usec,
                                decision_name(question->decision), answer, question->comment,
                                (int64_t) question->decided_usec, question->by_uid);
}

int questions_find(Front *front, const char *id, Question *ret, Error *err) {
        int r = take_row(ledger_query(front->ledger, err,
                                      "SELECT " COLUMNS " FROM questions WHERE id = ?1", "t", id),
                         ret);

        return r == -ENOENT ? error_say(err, r, "there is no question %s", id) : r;
}

int questions_find_asked(Front *front, const char *task, const uint8_t *key, Question *ret,
                         Error *err) {
        int r = take_row(ledger_query(front->ledger, err,
                                      "SELECT " COLUMNS " FROM questions WHERE task = ?1 AND"
                                      " key = ?2 AND decision <> 'withdrawn'",
                                      "tb", task, key, DIGEST_SIZE),
                         ret);

        return r == -ENOENT ? error_say(err, r, "this was not asked yet") : r;
}

int questions_only(Front *front, const char *task, Question *ret, Error *err) {
        unsigned all, open;
        int r = questions_count(front, task, &all, &open, err);

        if (r < 0)
                return r;
        if (all == 0)
                return error_say(err, -ENOENT, "task %s has asked nothing", task);
        if (all > 1)
                return error_say(err, -EEXIST,
                                 "task %s has asked more than one thing: say which you answer",
                                 task);
        return take_row(ledger_query(front->ledger, err,
                                     "SELECT " COLUMNS " FROM questions WHERE task = ?1", "t",
                                     task),
                        ret);
}

/* ---- deciding ------------------------------------------------------------------------------------ */

int questions_decide(Front *front, const Question *question, Error *err) {
        autofree char *answer = question->answer ? json_print(question->answer) : NULL;
        int r;

        if (question->answer && !answer)
                return error_set(err, -ENOMEM, "keep an answer");
        r = ledger_exec_full(front->ledger, err,
                             "UPDATE questions SET decision = ?2, answer = ?3, comment = ?4,"
                             " decided = ?5, by_uid = ?6 WHERE id = ?1 AND decision = 'open'",
                             "ttttii", question->id, decision_name(question->decision), answer,
                             question->comment, (int64_t) question->decided_usec, question->by_uid);
        if (r < 0)
                return r;
        return sqlite3_changes(ledger_db(front->ledger)) == 1 ? 0 : -EALREADY;
}

int questions_withdraw(Front *front, const char *task, const char *path, Error *err) {
        return ledger_exec(front->ledger, err,
                           "UPDATE questions SET decision = 'withdrawn', decided = ?3 WHERE"
                           " task = ?1 AND decision = 'open' AND (?2 IS NULL OR path = ?2)",
                           "tti", task, path, (int64_t) units_now());
}

int questions_recover(Front *front, Error *err) {
        return ledger_exec(front->ledger, err,
                           "UPDATE questions SET decision = 'withdrawn', decided = ?1 WHERE"
                           " decision = 'open' AND task NOT IN (SELECT id FROM tasks WHERE state IN"
                           " ('queued', 'preparing', 'running', 'suspended'))",
                           "i", (int64_t) units_now());
}

int questions_next(Front *front, uint64_t *ret_usec) {
        sqlite3_stmt *row =
                ledger_query(front->ledger, NULL,
                             "SELECT min(until) FROM questions WHERE decision = 'open'", "");
        int r = row && sqlite3_step(row) == SQLITE_ROW &&
                                sqlite3_column_type(row, 0) == SQLITE_INTEGER
                        ? 0
                        : -ENOENT;

        if (r == 0)
                *ret_usec = (uint64_t) sqlite3_column_int64(row, 0);
        (void) sqlite3_finalize(row);
        return r;
}

int questions_due(Front *front, uint64_t now, Question *ret) {
        return take_row(ledger_query(front->ledger, NULL,
                                     "SELECT " COLUMNS " FROM questions WHERE decision = 'open'"
                                     " AND until <= ?1 ORDER BY until LIMIT 1",
                                     "i", (int64_t) now),
                        ret);
}

static int find_row(Front *front, int64_t number, unsigned parts, Question *ret) {
        int r = take_parts(ledger_query(front->ledger, NULL,
                                        "SELECT " COLUMNS " FROM questions WHERE rowid = ?1", "i",
                                        number),
                           parts, ret);

        ret->row = number;
        return r;
}

/* Numbers first: to be put in order, rows would be read whole, however long they are */
void questions_each(Front *front, const QuestionQuery *query, QuestionFn each, void *userdata) {
        sqlite3_stmt *rows =
                query->task ? ledger_query(front->ledger, NULL,
                                           "SELECT rowid FROM questions WHERE task = ?1 AND rowid "
                                           "> ?2 ORDER BY rowid",
                                           "ti", query->task, query->after)
                            : ledger_query(front->ledger, NULL,
                                           "SELECT rowid FROM questions INDEXED BY questions_open "
                                           "WHERE decision = 'open' AND rowid > ?1 ORDER BY rowid",
                                           "i", query->after);
        bool more = true;

        while (rows && more && sqlite3_step(rows) == SQLITE_ROW) {
                SCOPED(question_deinit) Question question = QUESTION_EMPTY;

                if (find_row(front, sqlite3_column_int64(rows, 0), query->parts, &question) == 0)
                        more = each(&question, userdata);
        }
        (void) sqlite3_finalize(rows);
}

/* ---- showing ------------------------------------------------------------------------------------- */

static void add_time(cJSON *json, const char *name, uint64_t usec) {
        char text[UNITS_TEXT_MAX];

        if (usec > 0)
                json_add_text(json, name, units_format_time(usec, text));
}

/* Never within a character */
static void add_short(cJSON *json, const char *name, const char *text) {
        size_t n = strlen(text);
        autofree char *cut = NULL;

        if (n > SHORT_TEXT_MAX)
                n = SHORT_TEXT_MAX;
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        cut = strndup(text, n);
        json_add_text(json, name, cut ? cut : "");
}

static void add_what(cJSON *json, const Question *question, bool whole) {
        static const char *const copied[] = { "plan", "choices", "schema", "otherwise" };
        const char *text = json_text(question->what, "text");
        const char *about = json_text(question->what, "about");

        json_add_text(json, "about", about ? about : "question");
        if (whole)
                json_add_text(json, "text", text ? text : "");
        else
                add_short(json, "text", text ? text : "");
        for (unsigned i = 0; whole && i < ELEMENTS(copied); i++) {
                const cJSON *member = json_get(question->what, copied[i]);

                if (member)
                        json_add_consume(json, copied[i], cJSON_Duplicate(member, true));
        }
}

static void add_decision(cJSON *json, const Question *question) {
        if (question->answer)
                json_add_consume(json, "answer", cJSON_Duplicate(question->answer, true));
        if (question->comment)
                json_add_text(json, "comment", question->comment);
        add_time(json, "decided", question->decided_usec);
        if (question->by_uid >= 0)
                json_add_number(json, "by_uid", (uint64_t) question->by_uid);
}

cJSON *question_json(const Question *question, bool whole) {
        cJSON *json = cJSON_CreateObject();
        SCOPED(json_free) cJSON *people = answer_rules_json(&question->rules);
        char digest[DIGEST_TEXT_MAX];

        json_add_text(json, "question", question->id);
        json_add_text(json, "task", question->task);
        json_add_number(json, "n", question->n);
        json_add_text(json, "step", question->path);
        add_what(json, question, whole);
        json_add_consume(json, "who", cJSON_Duplicate(json_get(people, "answer"), true));
        if (question->has_patch)
                json_add_text(json, "patch", digest_format(question->patch, digest));
        add_time(json, "asked", question->asked_usec);
        add_time(json, "until", question->until_usec);
        json_add_number(json, "owner_uid", question->owner_uid);
        if (!json_add_text(json, "decision", decision_name(question->decision)))
                return json_free(json);
        add_decision(json, question);
        return json;
}

cJSON *question_json_outside(const Question *question) {
        static const char *const outside[] = { "question", "task",      "about",   "asked",
                                               "until",    "owner_uid", "decision" };
        SCOPED(json_free) cJSON *whole = question_json(question, false);
        cJSON *json = whole ? cJSON_CreateObject() : NULL;

        for (unsigned i = 0; json && i < ELEMENTS(outside); i++)
                if (json_get(whole, outside[i]))
                        json_add_consume(json, outside[i],
                                         cJSON_Duplicate(json_get(whole, outside[i]), true));
        return json;
}
