/*
 * usage: the text "usage": cannot stand inside a JSON string of the reply, where its quotes would be
 * escaped, so a search for it is enough. A reply whose arguments are objects can hold one of its own; since the
 * largest counts, that makes a task look dearer and never cheaper. For the same reason what was not read from a cache is
 * kept, and not what was: the larger, the dearer.
 */
#include "supervisor/egress/usage.h"

#include <string.h>

#include "base/json.h"
#include "base/owned.h"

#define ENVELOPE_BYTES 256 /* of an event of a stream, around its piece of text */

void usage_deinit(Usage *usage) {
        buf_deinit(&usage->tail);
}

/*
 * The length of the object at @at, by its brackets; no string of a usage object has one. 0: not whole, or deeper than
 * any: what an answer repeats of a request may be such objects within one another, and is read once for each level.
 */
static size_t object_length(const char *at) {
        unsigned depth = 0;

        for (size_t i = 0; i < USAGE_OBJECT_MAX && at[i]; i++) {
                depth += at[i] == '{';
                depth -= at[i] == '}' && depth > 0;
                if (depth == 0)
                        return i + 1;
                if (depth > USAGE_DEPTH_MAX)
                        return 0;
        }
        return 0;
}

static uint64_t number(const cJSON *usage, const char *name) {
        uint64_t value = 0;

        (void) json_number(usage, name, &value);
        return value;
}

static void keep_most(uint64_t *most, uint64_t n) {
        *most = n > *most ? n : *most;
}

/* OpenAI's two forms count what was cached within the prompt, Messages beside it */
static void read_object(Usage *usage, const char *at, size_t n) {
        SCOPED(json_free) cJSON *object = NULL;
        uint64_t in, beside, within;

        if (json_parse(at, n, 0, &object, NULL) < 0)
                return;
        usage->found = true;
        beside = number(object, "cache_read_input_tokens");
        within = number(json_get(object, "prompt_tokens_details"), "cached_tokens") +
                 number(json_get(object, "input_tokens_details"), "cached_tokens");
        in = number(object, "prompt_tokens") + number(object, "input_tokens") +
             number(object, "cache_creation_input_tokens");
        keep_most(&usage->in, in + beside);
        keep_most(&usage->fresh, in > within ? in - within : 0);
        keep_most(&usage->written, number(object, "cache_creation_input_tokens"));
        keep_most(&usage->out,
                  number(object, "completion_tokens") + number(object, "output_tokens"));
}

static void look_through(Usage *usage) {
        const char *at = usage->tail.data;

        for (; at && (at = strstr(at, "\"usage\"")); at++) {
                const char *value = at + strlen("\"usage\"");
                size_t n;

                value += strspn(value, " \t\r\n");
                if (*value++ != ':')
                        continue;
                value += strspn(value, " \t\r\n");
                n = *value == '{' ? object_length(value) : 0; /* streams send null before the end */
                if (n == 0)
                        continue;
                read_object(usage, value, n);
                at = value + n - 1;
        }
}

/* No request can hold such a line: within JSON a line break is escaped. */
static void take_line(Usage *usage) {
        static const char *const last[] = { "completed", "incomplete", "failed" };
        static const char event[] = "event: response.";

        usage->start[usage->n_start] = '\0';
        usage->n_start = 0;
        usage->ended |= usage->is_last && strncmp(usage->start, "data:", 5) == 0;
        if (strncmp(usage->start, event, sizeof(event) - 1) != 0)
                return;
        for (unsigned i = 0; i < ELEMENTS(last); i++)
                usage->is_last |= strcmp(usage->start + sizeof(event) - 1, last[i]) == 0;
}

static void count_events(Usage *usage, const char *bytes, size_t n) {
        static const char data[] = "data:";

        for (size_t i = 0; i < n; i++) {
                if (bytes[i] == '\n' || bytes[i] == '\r') {
                        usage->line = 0;
                        take_line(usage);
                        continue;
                }
                if (usage->n_start < sizeof(usage->start) - 1)
                        usage->start[usage->n_start++] = bytes[i];
                if (usage->line < sizeof(data) - 1 && bytes[i] == data[usage->line])
                        usage->events += ++usage->line == sizeof(data) - 1;
                else
                        usage->line = sizeof(data);
        }
}

void usage_take(Usage *usage, const char *bytes, size_t n) {
        usage->bytes += n;
        count_events(usage, bytes, n);
        while (n > 0) {
                size_t room = usage->tail.max - usage->tail.len, part = n < room ? n : room;

                if (buf_append(&usage->tail, bytes, part) < 0)
                        return;
                bytes += part;
                n -= part;
                if (usage->tail.len < usage->tail.max)
                        continue;
                look_through(usage);
                buf_drop(&usage->tail, usage->tail.len - USAGE_OBJECT_MAX);
        }
}

void usage_end(Usage *usage) {
        look_through(usage);
}

uint64_t usage_guess(const Usage *usage) {
        uint64_t envelopes = usage->events * ENVELOPE_BYTES;
        uint64_t text = usage->bytes > envelopes ? usage->bytes - envelopes : 0;

        return usage->events + text / USAGE_BYTES_PER_TOKEN;
}
