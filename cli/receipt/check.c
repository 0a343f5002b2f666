/*
 * check: see check.h.
 *
 * A receipt has two kinds of lines: those of the chain, and signatures, each right behind the line that it is
 * of. A line is taken for changed where the next one, or the signature, names another digest of it.
 */
#include "cli/receipt/check.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "base/statement.h"

#define FORM "receipt/1"

void check_init(Check *check, const Keys *keys) {
        *check = (Check){ .keys = keys };
}

void check_deinit(Check *check) {
        free(check->heads);
        json_free(check->verdict);
        *check = (Check){ 0 };
}

/* ---- lines of the chain -------------------------------------------------------------------------- */

static const char *const members[] = { "data", "kind", "n", "prev", "subject", "time", "warder" };

static bool has_form(const cJSON *json) {
        const char *form = json_text(json, "warder");

        for (unsigned i = 0; i < ELEMENTS(members); i++)
                if (!json_get(json, members[i]))
                        return false;
        return form && strcmp(form, FORM) == 0 &&
               cJSON_GetArraySize(json) == (int) ELEMENTS(members) && json_text(json, "kind") &&
               json_text(json, "prev") && json_text(json, "subject");
}

/* Where the fault shows is the next line; where it is, the one before */
static int check_link(Check *check, const cJSON *json, Error *err) {
        static const uint8_t nothing[DIGEST_SIZE];
        const uint8_t *before = check->lines ? check->heads[check->lines - 1] : nothing;
        uint64_t number = 0;
        char want[DIGEST_TEXT_MAX];

        (void) json_number(json, "n", &number);
        if (number != check->lines + 1)
                return error_say(err, -EBADMSG,
                                 "number %llu stands where %llu is expected: a line was taken out, "
                                 "doubled or moved",
                                 (unsigned long long) number,
                                 (unsigned long long) check->lines + 1);
        if (strcmp(json_text(json, "prev"), digest_format(before, want)) == 0)
                return 0;
        return error_say(err, -EBADMSG,
                         "it is bound to another line than the one before it, which was changed or "
                         "comes from elsewhere");
}

static int check_place(const Check *check, const cJSON *json, Error *err) {
        const char *subject = json_text(json, "subject"), *kind = json_text(json, "kind");

        if (check->lines > 0 && strcmp(subject, check->subject) != 0)
                return error_say(err, -EBADMSG, "a line of %.16s in the receipt of %s", subject,
                                 check->subject);
        if ((strcmp(kind, "begin") == 0) != (check->lines == 0))
                return error_say(err, -EBADMSG,
                                 check->lines ? "a second beginning"
                                              : "the receipt does not begin with "
                                                "its beginning");
        if (strcmp(kind, "resume") == 0 || strcmp(kind, "undo") == 0)
                return 0; /* a task that had ended goes on */
        return check->has_ended ? error_say(err, -EBADMSG, "a line after the end") : 0;
}

static int keep_head(Check *check, const char *line, size_t n) {
        if (check->lines == check->n_heads) {
                uint64_t more = check->n_heads ? 2 * check->n_heads : 64;
                void *heads = realloc(check->heads, more * DIGEST_SIZE);

                if (!heads)
                        return -ENOMEM;
                check->heads = heads;
                check->n_heads = more;
        }
        digest_of(line, n, check->heads[check->lines++]);
        check->is_signed = false;
        return 0;
}

static int take_line(Check *check, const cJSON *json, const char *line, size_t n, Error *err) {
        const char *kind = json_text(json, "kind"), *state;
        int r;

        if (!has_form(json))
                return error_say(err, -EBADMSG, "this is no line of a receipt");
        r = check_link(check, json, err);
        if (r == 0)
                r = check_place(check, json, err);
        if (r < 0)
                return r;
        if (strcmp(kind, "verdict") == 0) {
                json_free(check->verdict);
                check->verdict = cJSON_Duplicate(json_get(json, "data"), true);
        }
        state = json_text(json_get(json, "data"), "state");
        check->has_ended = false;
        if (strcmp(kind, "end") == 0) {
                check->has_ended = true;
                (void) snprintf(check->state, sizeof(check->state), "%s", state ? state : "");
        }
        (void) snprintf(check->subject, sizeof(check->subject), "%s", json_text(json, "subject"));
        r = keep_head(check, line, n);
        return r < 0 ? error_set(err, r, "check a receipt") : 0;
}

/* ---- signatures ---------------------------------------------------------------------------------- */

static bool is_text(const cJSON *object, const char *name, const char *want) {
        const char *text = json_text(object, name);

        return text && strcmp(text, want) == 0;
}

/* What the statement says beside the head must be what the chain says */
static bool tells_the_same(const Check *check, const cJSON *predicate) {
        const char *verdict = json_text(check->verdict, "verdict");

        for (unsigned i = 0; i < _STATEMENT_DIGEST_MAX; i++) {
                const char *name = statement_digest_name(i);
                const char *ours = json_text(check->verdict, name);
                const char *theirs = json_text(predicate, name);

                if (!ours != !theirs || (ours && strcmp(ours, theirs) != 0))
                        return false;
        }
        return is_text(predicate, "verdict", verdict ? verdict : "") &&
               is_text(predicate, "state", check->has_ended ? check->state : "running");
}

static int check_statement(Check *check, const cJSON *statement, Error *err) {
        const cJSON *predicate = json_get(statement, "predicate");
        uint64_t lines = 0, anchor = 0;
        char head[DIGEST_TEXT_MAX];

        (void) json_number(predicate, "lines", &lines);
        (void) json_number(predicate, "anchor", &anchor);
        if (!is_text(statement, "_type", STATEMENT_TYPE) ||
            !is_text(statement, "predicateType", STATEMENT_PREDICATE))
                return error_say(err, -EBADMSG, "what is signed is no statement about a receipt");
        if (check->lines == 0 || !is_text(predicate, "subject", check->subject))
                return error_say(err, -EBADMSG, "it is the signature of another receipt, of %.16s",
                                 json_text(predicate, "subject") ? json_text(predicate, "subject")
                                                                 : "?");
        if (lines != check->lines)
                return error_say(err, -EBADMSG,
                                 "it signs %llu lines and stands behind %llu: lines were taken "
                                 "out, added or moved",
                                 (unsigned long long) lines, (unsigned long long) check->lines);
        if (!is_text(predicate, "head", digest_format(check->heads[lines - 1], head)))
                return error_say(err, -EBADMSG,
                                 "the line before it was changed after it was signed");
        if (!tells_the_same(check, predicate))
                return error_say(err, -EBADMSG,
                                 "it tells of another verdict or end than the lines");
        if (anchor <= check->anchor)
                return error_say(err, -EBADMSG, "its number is not above that of the one before");
        check->anchor = anchor;
        return 0;
}

static int take_envelope(Check *check, const cJSON *json, Error *err) {
        SCOPED(json_free) cJSON *statement = NULL;
        const char *name;
        int r = envelope_open(check->keys, json, &statement, err);

        if (r == 0)
                r = check_statement(check, statement, err);
        if (r < 0)
                return r == -ENOKEY ? r : -EBADMSG;
        name = json_text(cJSON_GetArrayItem(json_get(json, "signatures"), 0), "keyid");
        (void) snprintf(check->key, sizeof(check->key), "%s", name);
        check->signatures++;
        check->is_signed = true;
        return 0;
}

/* ---- all ----------------------------------------------------------------------------------------- */

static int take(Check *check, const char *line, size_t n, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        autofree char *canonical = NULL;

        if (json_parse(line, n, 0, &json, err) < 0)
                return -EBADMSG;
        canonical = canonical_text(json);
        if (!canonical)
                return error_set(err, -ENOMEM, "check a receipt");
        if (strlen(canonical) != n || memcmp(canonical, line, n) != 0)
                return error_say(err, -EBADMSG, "this is not the one text that this value has");
        return json_get(json, "payload") ? take_envelope(check, json, err)
                                         : take_line(check, json, line, n, err);
}

static int check_end(Check *check, Error *err) {
        if (check->lines == 0)
                return error_say(err, -EBADMSG, "there is no line of a receipt");
        if (!check->has_ended)
                return error_say(err, -EBADMSG,
                                 "the receipt has no end: it was cut off, or asked for while the "
                                 "task ran");
        if (!check->is_signed)
                return error_say(err, -EBADMSG,
                                 "the end is not signed: the signature was cut off, or the host "
                                 "made none");
        return 0;
}

int check_text(Check *check, char *text, size_t n, Error *err) {
        const char *end = text + n;
        int r = 0;

        while (r == 0 && text < end) {
                char *newline = memchr(text, '\n', (size_t) (end - text));

                check->at++;
                if (!newline)
                        return error_say(err, -EBADMSG, "the last line is cut off");
                if (check->lines >= CHECK_LINES_MAX)
                        return error_say(err, -EBADMSG, "there are more lines than a receipt has");
                r = take(check, text, (size_t) (newline - text), err);
                text = newline + 1;
        }
        return r < 0 ? r : check_end(check, err);
}
