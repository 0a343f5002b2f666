/*
 * receipts: see receipts.h.
 *
 * The link of a line is the SHA-256 of its text as it is stored, without the newline; the text is canonical
 * JSON, so that whoever has the value has the text. The first line names the digest of nothing at all: zeros.
 */
#include "supervisor/front/gate/receipts.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/canonical.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/gate/notary-link.h"

#define TEXT_MAX  (256u << 20)
#define END_LINES 16u /* room that is kept for what comes after the last command */

/* ---- lines --------------------------------------------------------------------------------------- */

static char *make_line(const Receipt *receipt, const char *kind, cJSON *data) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX], prev[DIGEST_TEXT_MAX];

        json_add_consume(json, "data", data ? data : cJSON_CreateObject());
        json_add_text(json, "kind", kind);
        json_add_number(json, "n", receipt->facts.lines + 1);
        json_add_text(json, "prev", digest_format(receipt->facts.head, prev));
        json_add_text(json, "subject", receipt->facts.subject);
        json_add_text(json, "time", units_format_time(units_now(), time));
        return json_add_text(json, "warder", RECEIPT_FORM) ? canonical_text(json) : NULL;
}

static int add(Front *front, Receipt *receipt, const char *kind, cJSON *data, bool to_disk) {
        int (*exec)(Ledger *, Error *, const char *, const char *, ...) =
                to_disk ? ledger_exec_full : ledger_exec;
        autofree char *line = NULL;
        Error err = ERROR_EMPTY;
        int r;

        if (receipt->is_broken || receipt->has_ended || !receipt->facts.subject[0]) {
                json_free(data);
                return receipt->is_broken ? -EIO : 0;
        }
        line = make_line(receipt, kind, data);
        r = line ? exec(front->ledger, &err,
                        "INSERT INTO receipt_lines(subject, n, line) VALUES(?1, ?2, ?3)", "tit",
                        receipt->facts.subject, (int64_t) receipt->facts.lines + 1, line)
                 : error_set(&err, -ENOMEM, "write a line of a receipt");
        if (r < 0) {
                receipt->is_broken = true;
                log_event(LOG_ERR, "a receipt is broken off", F("RECEIPT", receipt->facts.subject),
                          F_ERR(&err));
                return r;
        }
        receipt->facts.lines++;
        digest_of(line, strlen(line), receipt->facts.head);
        return 0;
}

int receipt_add(Front *front, Receipt *receipt, const char *kind, cJSON *data) {
        return add(front, receipt, kind, data, false);
}

bool receipt_is_full(const Receipt *receipt) {
        return receipt->facts.lines + END_LINES >= RECEIPT_LINES_MAX;
}

void receipt_name_digest(cJSON *json, const char *name, const void *bytes, size_t n) {
        uint8_t digest[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];

        digest_of(bytes, n, digest);
        json_add_text(json, name, digest_format(digest, text));
}

/* ---- signatures ---------------------------------------------------------------------------------- */

static void on_signed(const Statement *statement, const char *envelope, const Error *err,
                      void *userdata) {
        Front *front = userdata;
        Error own = ERROR_EMPTY;

        if (!err &&
            ledger_exec(front->ledger, &own,
                        "INSERT OR REPLACE INTO receipt_heads(subject, n, envelope)"
                        " VALUES(?1, ?2, ?3)",
                        "tit", statement->subject, (int64_t) statement->lines, envelope) < 0)
                log_event(LOG_WARNING, "a signature could not be kept",
                          F("RECEIPT", statement->subject), F_ERR(&own));
}

static void sign_head(Front *front, const Receipt *receipt, const char *state) {
        Statement statement = receipt->facts;
        Error err = ERROR_EMPTY;

        if (receipt->is_broken || statement.lines == 0 || !notary_is_there(front->notary))
                return;
        (void) snprintf(statement.state, sizeof(statement.state), "%s", state);
        if (notary_sign(front->notary, &statement, on_signed, front, &err) < 0)
                log_event(LOG_ERR, "a receipt's head is not signed",
                          F("RECEIPT", statement.subject), F_ERR(&err));
}

/* ---- writing ------------------------------------------------------------------------------------- */

void receipts_prune(Front *front, uint32_t owner) {
        Error err = ERROR_EMPTY;

        if (ledger_exec(front->ledger, &err,
                        "DELETE FROM receipts WHERE subject IN (SELECT subject FROM receipts "
                        "WHERE owner = ?1 AND ended > 0 AND subject GLOB 'v-*' "
                        "ORDER BY ended DESC LIMIT -1 OFFSET ?2)",
                        "ii", (int64_t) owner, (int64_t) RECEIPT_VERIFIES_MAX) < 0)
                log_event(LOG_WARNING, "old receipts could not be removed", F_ERR(&err));
}

int receipt_begin(Front *front, Receipt *receipt, const char *subject, uint32_t owner,
                  cJSON *data) {
        Error err = ERROR_EMPTY;
        int r = ledger_begin(front->ledger, false, &err);

        *receipt = (Receipt){ .owner = owner };
        (void) snprintf(receipt->facts.subject, sizeof(receipt->facts.subject), "%s", subject);
        if (r < 0) {
                json_free(data);
        } else {
                r = ledger_exec(front->ledger, &err,
                                "INSERT INTO receipts(subject, owner, ended) VALUES(?1, ?2, 0)",
                                "ti", subject, (int64_t) owner);
                if (r == 0)
                        r = add(front, receipt, "begin", data, false);
                else
                        json_free(data);
                r = ledger_end(front->ledger, r, &err);
        }
        if (r == 0)
                return 0;
        receipt->is_broken = true;
        log_event(LOG_ERR, "a receipt cannot begin", F("RECEIPT", subject), F_ERR(&err));
        return r;
}

static void take_facts(Receipt *receipt, const cJSON *verdict) {
        const char *word = json_text(verdict, "verdict");

        (void) snprintf(receipt->facts.verdict, sizeof(receipt->facts.verdict), "%s",
                        word ? word : "");
        for (unsigned i = 0; i < _STATEMENT_DIGEST_MAX; i++) {
                const char *text = json_text(verdict, statement_digest_name(i));

                receipt->facts.present &= ~BIT(i);
                if (text && digest_parse(text, receipt->facts.digests[i]) == 0)
                        receipt->facts.present |= BIT(i);
        }
}

/* The verdict itself, without its lists of names: its own digest binds those */
static cJSON *verdict_line(const cJSON *verdict) {
        static const char *const members[] = { "n",    "verdict", "cause",    "reason",  "patch",
                                               "tree", "spec",    "snapshot", "policy",  "tests",
                                               "runs", "digest",  "commands", "restored" };
        cJSON *json = cJSON_CreateObject();

        for (unsigned i = 0; i < ELEMENTS(members); i++) {
                const cJSON *member = json_get(verdict, members[i]);

                if (member && !cJSON_IsNull(member))
                        json_add_consume(json, members[i], cJSON_Duplicate(member, true));
        }
        return json;
}

int receipt_verdict(Front *front, Receipt *receipt, const cJSON *verdict) {
        int r;

        take_facts(receipt, verdict);
        r = add(front, receipt, "verdict", verdict_line(verdict), true);
        if (r == 0)
                sign_head(front, receipt, "running");
        return r;
}

/* The last line. Nothing where it never began, or has ended */
static int add_end(Front *front, Receipt *receipt, const char *state, cJSON *data, bool to_disk) {
        Error err = ERROR_EMPTY;
        int r;

        data = data ? data : cJSON_CreateObject();
        json_add_text(data, "state", state);
        r = add(front, receipt, "end", data, to_disk);
        if (r < 0)
                return r;
        receipt->has_ended = true;
        if (ledger_exec(front->ledger, &err, "UPDATE receipts SET ended = ?2 WHERE subject = ?1",
                        "ti", receipt->facts.subject, (int64_t) units_now()) < 0)
                log_event(LOG_WARNING, "a receipt stays open in the ledger",
                          F("RECEIPT", receipt->facts.subject), F_ERR(&err));
        return 0;
}

void receipt_end(Front *front, Receipt *receipt, const char *state, cJSON *data) {
        if (!receipt->facts.subject[0] || receipt->has_ended || receipt->is_broken)
                json_free(data);
        else if (add_end(front, receipt, state, data, true) == 0)
                sign_head(front, receipt, state);
}

bool receipt_end_within(Front *front, Receipt *receipt, const char *state, cJSON *data) {
        if (receipt->facts.subject[0] && !receipt->has_ended && !receipt->is_broken)
                return add_end(front, receipt, state, data, false) == 0;
        json_free(data);
        return false;
}

void receipt_sign_end(Front *front, const Receipt *receipt, const char *state) {
        sign_head(front, receipt, state);
}

int receipt_close(Front *front, Receipt *receipt, const cJSON *verdict, const char *state) {
        Error err = ERROR_EMPTY;
        Receipt told = *receipt;
        int r = ledger_begin(front->ledger, true, &err);

        if (r == 0) {
                take_facts(receipt, verdict);
                r = add(front, receipt, "verdict", verdict_line(verdict), false);
                told = *receipt;
                if (r == 0)
                        r = add_end(front, receipt, state, NULL, false);
                r = ledger_end(front->ledger, r, &err);
        }
        if (r < 0) {
                receipt->is_broken = true;
                log_event(LOG_ERR, "a receipt is broken off", F("RECEIPT", receipt->facts.subject),
                          F_ERR(&err));
                return r;
        }
        sign_head(front, &told, "running");
        sign_head(front, receipt, state);
        return 0;
}

/* ---- reading ------------------------------------------------------------------------------------- */

int receipt_owner(Front *front, const char *subject, uint32_t *ret_owner, Error *err) {
        sqlite3_stmt *row = ledger_query(
                front->ledger, err, "SELECT owner FROM receipts WHERE subject = ?1", "t", subject);
        bool found;

        if (!row)
                return -EIO;
        found = sqlite3_step(row) == SQLITE_ROW;
        if (found)
                *ret_owner = (uint32_t) sqlite3_column_int64(row, 0);
        (void) sqlite3_finalize(row);
        return found ? 0 : error_say(err, -ENOENT, "there is no receipt of %s", subject);
}

/* Lines, and after each the signature of its head, where there is one */
static const char text_sql[] =
        "SELECT l.n, l.line, h.envelope, r.ended FROM receipts r JOIN receipt_lines l ON "
        "l.subject = r.subject LEFT JOIN receipt_heads h ON h.subject = l.subject AND h.n = l.n "
        "WHERE r.subject = ?1 ORDER BY l.n";

static int gather(sqlite3_stmt *rows, Buf *text, ReceiptText *ret) {
        int r = 0;

        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
                const char *envelope = (const char *) sqlite3_column_text(rows, 2);

                ret->lines = (uint64_t) sqlite3_column_int64(rows, 0);
                ret->has_ended = sqlite3_column_int64(rows, 3) > 0;
                r = buf_printf(text, "%s\n", (const char *) sqlite3_column_text(rows, 1));
                if (r == 0 && envelope) {
                        r = buf_printf(text, "%s\n", envelope);
                        ret->n_signed = ret->lines;
                        ret->signatures++;
                }
        }
        return r;
}

int receipt_text(Front *front, const char *subject, ReceiptText *ret, Error *err) {
        sqlite3_stmt *rows = ledger_query(front->ledger, err, text_sql, "t", subject);
        autobuf Buf text = BUF_EMPTY(TEXT_MAX);
        ReceiptText result = { .fd = -EBADF };
        int r;

        if (!rows)
                return -EIO;
        r = gather(rows, &text, &result);
        (void) sqlite3_finalize(rows);
        if (r < 0)
                return error_set(err, r, "read the receipt of %s", subject);
        if (result.lines == 0)
                return error_say(err, -ENOENT, "there is no receipt of %s", subject);
        result.fd = memfd_sealed("receipt", text.data, text.len, false, err);
        if (result.fd < 0)
                return result.fd;
        *ret = result;
        return 0;
}

/* ---- after a front that is lost ------------------------------------------------------------------ */

/* Go on where the ledger ends. Returns: the state that the last line says, owned; NULL: it is no end */
static char *resume(Receipt *receipt, const char *line) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *kind, *state;

        digest_of(line, strlen(line), receipt->facts.head);
        if (json_parse(line, strlen(line), 0, &json, NULL) < 0)
                return NULL;
        kind = json_text(json, "kind");
        state = json_text(json_get(json, "data"), "state");
        return kind && state && strcmp(kind, "end") == 0 ? strdup(state) : NULL;
}

/* The last verdict of the chain, for what is signed about its end */
static void resume_verdict(Front *front, Receipt *receipt) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT line FROM receipt_lines WHERE subject = ?1 AND "
                                         "json_extract(line, '$.kind') = 'verdict' "
                                         "ORDER BY n DESC LIMIT 1",
                                         "t", receipt->facts.subject);
        SCOPED(json_free) cJSON *json = NULL;

        if (row && sqlite3_step(row) == SQLITE_ROW &&
            json_parse((const char *) sqlite3_column_text(row, 0),
                       (size_t) sqlite3_column_bytes(row, 0), 0, &json, NULL) == 0)
                take_facts(receipt, json_get(json, "data"));
        (void) sqlite3_finalize(row);
}

void receipt_reopen(Front *front, Receipt *receipt, const char *subject, uint32_t owner) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT n, line FROM receipt_lines WHERE subject = ?1 "
                                         "ORDER BY n DESC LIMIT 1",
                                         "t", subject);

        *receipt = (Receipt){ .owner = owner, .is_broken = true };
        (void) snprintf(receipt->facts.subject, sizeof(receipt->facts.subject), "%s", subject);
        if (row && sqlite3_step(row) == SQLITE_ROW) {
                receipt->is_broken = false;
                receipt->facts.lines = (uint64_t) sqlite3_column_int64(row, 0);
                free(resume(receipt, (const char *) sqlite3_column_text(row, 1)));
        }
        (void) sqlite3_finalize(row);
        resume_verdict(front, receipt);
        (void) ledger_exec(front->ledger, NULL, "UPDATE receipts SET ended = 0 WHERE subject = ?1",
                           "t", subject);
}

static void recover_one(Front *front, Receipt *receipt, const char *line) {
        autofree char *state = resume(receipt, line);
        cJSON *data;

        resume_verdict(front, receipt);
        if (state) { /* it was ended, and not signed */
                (void) ledger_exec(
                        front->ledger, NULL,
                        "UPDATE receipts SET ended = ?2 WHERE subject = ?1 AND ended = 0", "ti",
                        receipt->facts.subject, (int64_t) units_now());
                sign_head(front, receipt, state);
                return;
        }
        data = cJSON_CreateObject();
        json_add_text(data, "cause", "supervisor_lost");
        receipt_end(front, receipt, "error", data);
}

/* What is open, or whose last line has no signature; each with its last line. The order makes SQLite read all first */
static const char open_sql[] =
        "SELECT r.subject, r.owner, l.n, l.line FROM receipts r JOIN receipt_lines l ON l.subject "
        "= r.subject WHERE l.n = (SELECT max(n) FROM receipt_lines WHERE subject = r.subject) AND "
        "r.subject NOT IN (SELECT id FROM tasks WHERE state IN ('queued', 'preparing', 'running', "
        "'suspended')) AND (r.ended = 0 OR NOT EXISTS (SELECT 1 FROM receipt_heads h WHERE "
        "h.subject = r.subject AND "
        "h.n = l.n)) ORDER BY r.ended > 0, r.ended DESC LIMIT 500";

int receipts_recover(Front *front, Error *err) {
        sqlite3_stmt *rows;
        int r;

        r = ledger_exec(front->ledger, err,
                        "DELETE FROM receipts WHERE NOT EXISTS (SELECT 1 FROM receipt_lines l "
                        "WHERE l.subject = receipts.subject)",
                        "");
        rows = r == 0 ? ledger_query(front->ledger, err, open_sql, "") : NULL;
        if (!rows)
                return -EIO;
        while (sqlite3_step(rows) == SQLITE_ROW) {
                Receipt receipt = { .owner = (uint32_t) sqlite3_column_int64(rows, 1) };

                (void) snprintf(receipt.facts.subject, sizeof(receipt.facts.subject), "%s",
                                (const char *) sqlite3_column_text(rows, 0));
                receipt.facts.lines = (uint64_t) sqlite3_column_int64(rows, 2);
                recover_one(front, &receipt, (const char *) sqlite3_column_text(rows, 3));
        }
        (void) sqlite3_finalize(rows);
        return 0;
}
