/*
 * statement: see statement.h. Members stand in the order of their names' bytes, and no text needs an
 * escape, so what is printed here is canonical (RFC 8785).
 */
#include "base/statement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/units.h"

#define HEX_AT 7 /* digits after "sha256:" */

static const char *const digest_names[_STATEMENT_DIGEST_MAX] = {
        [STATEMENT_PATCH] = "patch",       [STATEMENT_POLICY] = "policy",
        [STATEMENT_SNAPSHOT] = "snapshot", [STATEMENT_SPEC] = "spec",
        [STATEMENT_TREE] = "tree",
};

const char *statement_digest_name(StatementDigest which) {
        return digest_names[which];
}

static bool is_word(const char *text, bool may_be_empty) {
        size_t n = strnlen(text, STATEMENT_WORD_MAX);

        return n < STATEMENT_WORD_MAX && (n > 0 || may_be_empty) &&
               strspn(text, "abcdefghijklmnopqrstuvwxyz_") == n;
}

bool statement_is_valid(const Statement *statement) {
        return memchr(statement->subject, 0, sizeof(statement->subject)) &&
               (id_is_valid('t', statement->subject) || id_is_valid('v', statement->subject)) &&
               is_word(statement->state, false) && is_word(statement->verdict, true) &&
               statement->present < BIT(_STATEMENT_DIGEST_MAX) && statement->lines > 0;
}

static int add_digests(const Statement *statement, Buf *buf) {
        char text[DIGEST_TEXT_MAX];
        int r = 0;

        for (unsigned i = 0; r == 0 && i < _STATEMENT_DIGEST_MAX; i++) {
                if (statement->present & BIT(i))
                        r = buf_printf(buf, "\"%s\":\"%s\",", digest_names[i],
                                       digest_format(statement->digests[i], text));
                if (r == 0 && i == STATEMENT_SPEC) /* between spec and tree */
                        r = buf_printf(buf, "\"state\":\"%s\",\"subject\":\"%s\",",
                                       statement->state, statement->subject);
                if (r == 0 && i == STATEMENT_SPEC)
                        r = buf_printf(buf, "\"time\":\"%s\",",
                                       units_format_time(statement->time_usec, text));
        }
        return r;
}

static int add_subject(const uint8_t *digest, const char *name, Buf *buf) {
        char text[DIGEST_TEXT_MAX];

        return buf_printf(buf, "{\"digest\":{\"sha256\":\"%s\"},\"name\":\"%s\"}",
                          digest_format(digest, text) + HEX_AT, name);
}

/* The last member of the predicate is always there: no comma is left over */
static int print(const Statement *statement, Buf *buf) {
        bool has_patch = statement->present & BIT(STATEMENT_PATCH);
        char text[DIGEST_TEXT_MAX];
        int r;

        r = buf_printf(buf,
                       "{\"_type\":\"" STATEMENT_TYPE "\",\"predicate\":{\"anchor\":%llu,"
                       "\"head\":\"%s\",\"lines\":%llu,",
                       (unsigned long long) statement->anchor, digest_format(statement->head, text),
                       (unsigned long long) statement->lines);
        if (r == 0)
                r = add_digests(statement, buf);
        if (r == 0)
                r = buf_printf(buf,
                               "\"verdict\":\"%s\"},\"predicateType\":\"" STATEMENT_PREDICATE
                               "\",\"subject\":[",
                               statement->verdict);
        if (r == 0 && has_patch)
                r = add_subject(statement->digests[STATEMENT_PATCH], "patch.diff", buf);
        if (r == 0 && has_patch)
                r = buf_append(buf, ",", 1);
        if (r == 0)
                r = add_subject(statement->head, "head", buf);
        return r < 0 ? r : buf_append(buf, "]}", 2);
}

int statement_text(const Statement *statement, char *text) {
        autobuf Buf buf = BUF_EMPTY(STATEMENT_TEXT_MAX - 1);
        int r = statement_is_valid(statement) ? print(statement, &buf) : -EINVAL;

        if (r < 0)
                return r;
        memcpy(text, buf.data, buf.len + 1);
        return (int) buf.len;
}

int statement_signed_bytes(const char *text, size_t n, Buf *buf) {
        int r = buf_printf(buf, "DSSEv1 %zu " ENVELOPE_TYPE " %zu ", sizeof(ENVELOPE_TYPE) - 1, n);

        return r < 0 ? r : buf_append(buf, text, n);
}

int envelope_text(const char *statement, const char *key, const uint8_t *signature, char *text) {
        char payload[BASE64_SIZE(STATEMENT_TEXT_MAX)], sig[BASE64_SIZE(SIGNATURE_SIZE)];
        size_t n = strlen(statement);

        if (n >= STATEMENT_TEXT_MAX)
                return -ENOBUFS;
        n = (size_t) snprintf(text, ENVELOPE_TEXT_MAX,
                              "{\"payload\":\"%s\",\"payloadType\":\"" ENVELOPE_TYPE
                              "\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}]}",
                              base64_format(statement, n, payload), key,
                              base64_format(signature, SIGNATURE_SIZE, sig));
        return n < ENVELOPE_TEXT_MAX ? 0 : -ENOBUFS;
}
