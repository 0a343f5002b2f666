/*
 * usage: the text "usage": cannot stand inside a JSON string of the reply, where its quotes would be
 * escaped, so a search for it is enough.
 */
#include "supervisor/egress/usage.h"

#include <string.h>

#include "base/json.h"

#define USAGE_OBJECT_MAX 4096

void usage_keep(Buf *tail, const char *bytes, size_t n) {
        if (n > USAGE_TAIL_MAX) {
                bytes += n - USAGE_TAIL_MAX;
                n = USAGE_TAIL_MAX;
        }
        if (tail->len + n > 2 * USAGE_TAIL_MAX)
                buf_drop(tail, tail->len - USAGE_TAIL_MAX);
        (void) buf_append(tail, bytes, n);
}

/* The length of the object at @at, by its brackets; no string of a usage object has one. 0: not whole. */
static size_t object_length(const char *at) {
        unsigned depth = 0;

        for (size_t i = 0; i < USAGE_OBJECT_MAX && at[i]; i++) {
                depth += at[i] == '{';
                depth -= at[i] == '}' && depth > 0;
                if (depth == 0)
                        return i + 1;
        }
        return 0;
}

static uint64_t either(const cJSON *usage, const char *name, const char *other) {
        uint64_t value = 0;

        if (json_number(usage, name, &value) < 0)
                (void) json_number(usage, other, &value);
        return value;
}

static const char *last_usage(const char *text) {
        const char *found = NULL;

        for (const char *at = text; (at = strstr(at, "\"usage\"")); at++) {
                const char *value = at + strlen("\"usage\"");

                value += strspn(value, " \t\r\n");
                if (*value++ != ':')
                        continue;
                value += strspn(value, " \t\r\n");
                if (*value == '{') /* streams send null before the last chunk */
                        found = value;
        }
        return found;
}

void usage_find(const Buf *tail, uint64_t *ret_in, uint64_t *ret_out) {
        SCOPED(json_free) cJSON *usage = NULL;
        const char *at = tail->data ? last_usage(tail->data) : NULL;

        *ret_in = *ret_out = 0;
        if (!at || json_parse(at, object_length(at), 0, &usage, NULL) < 0)
                return;
        *ret_in = either(usage, "prompt_tokens", "input_tokens");
        *ret_out = either(usage, "completion_tokens", "output_tokens");
}
