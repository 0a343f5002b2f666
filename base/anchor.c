/*
 * anchor: see anchor.h.
 */
#include "base/anchor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/units.h"

#define TIME_SIZE (sizeof("2026-01-01T00:00:00.000Z") - 1)

typedef enum Field {
        FIELD_NUMBER = 0,
        FIELD_TIME,
        FIELD_SUBJECT,
        FIELD_LINES,
        FIELD_HEAD,
        FIELD_SIGNATURE,
        _FIELD_MAX,
} Field;

int anchor_format(const Statement *statement, const uint8_t *signature, char *line) {
        char time[UNITS_TEXT_MAX], head[DIGEST_TEXT_MAX], sig[BASE64_SIZE(SIGNATURE_SIZE)];
        int n = snprintf(line, ANCHOR_LINE_MAX, "%llu %s %s %llu %s %s\n",
                         (unsigned long long) statement->anchor,
                         units_format_time(statement->time_usec, time), statement->subject,
                         (unsigned long long) statement->lines,
                         digest_format(statement->head, head),
                         base64_format(signature, SIGNATURE_SIZE, sig));

        return n < 0 || n >= ANCHOR_LINE_MAX ? -ENOBUFS : n;
}

/* Exactly six fields; @text is cut at its blanks */
static bool split(char *text, char *fields[_FIELD_MAX]) {
        for (unsigned i = 0; i < _FIELD_MAX - 1; i++) {
                char *blank = strchr(text, ' ');

                if (!blank)
                        return false;
                fields[i] = text;
                *blank = 0;
                text = blank + 1;
        }
        fields[_FIELD_MAX - 1] = text;
        return !strchr(text, ' ');
}

static bool is_good(char *const fields[_FIELD_MAX], Anchor *anchor) {
        const char *signature = fields[FIELD_SIGNATURE], *subject = fields[FIELD_SUBJECT];
        uint8_t digest[DIGEST_SIZE], bytes[SIGNATURE_SIZE];
        size_t n = 0;

        return units_parse_number(fields[FIELD_NUMBER], &anchor->number, NULL) == 0 &&
               units_parse_number(fields[FIELD_LINES], &anchor->lines, NULL) == 0 &&
               anchor->number > 0 && anchor->lines > 0 && strlen(fields[FIELD_TIME]) == TIME_SIZE &&
               (id_is_valid('t', subject) || id_is_valid('v', subject)) &&
               digest_parse(fields[FIELD_HEAD], digest) == 0 &&
               base64_parse(signature, strlen(signature), bytes, sizeof(bytes), &n) == 0 &&
               n == sizeof(bytes);
}

int anchor_parse(const char *line, size_t n, Anchor *ret) {
        char text[ANCHOR_LINE_MAX], *fields[_FIELD_MAX];
        Anchor anchor = { 0 };

        if (n >= sizeof(text) || memchr(line, 0, n))
                return -EINVAL;
        memcpy(text, line, n);
        text[n] = 0;
        if (!split(text, fields) || !is_good(fields, &anchor))
                return -EINVAL;
        (void) snprintf(anchor.subject, sizeof(anchor.subject), "%s", fields[FIELD_SUBJECT]);
        (void) snprintf(anchor.head, sizeof(anchor.head), "%s", fields[FIELD_HEAD]);
        *ret = anchor;
        return 0;
}
