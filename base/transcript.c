/*
 * transcript: see transcript.h.
 */
#include "base/transcript.h"

#include <string.h>

#include "base/owned.h"
#include "base/schema.h"

static const char transcript_schema[] =
        "{\"type\":\"array\",\"maxItems\":100000,\"items\":{\"type\":\"object\","
        "\"required\":[\"role\",\"turn\",\"expect\",\"reply\"],\"additionalProperties\":false,"
        "\"properties\":{\"role\":{\"type\":\"string\",\"minLength\":1},"
        "\"turn\":{\"type\":\"integer\",\"minimum\":1},"
        "\"expect\":{\"type\":\"string\",\"minLength\":1},"
        "\"note\":{\"type\":\"string\"},"
        "\"reply\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
        "\"content\":{\"type\":[\"string\",\"null\"]},"
        "\"tool_calls\":{\"type\":\"array\",\"maxItems\":64,\"items\":{\"type\":\"object\","
        "\"required\":[\"name\",\"arguments\"],\"additionalProperties\":false,\"properties\":{"
        "\"id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},"
        "\"arguments\":{\"type\":[\"object\",\"string\"]}}}},"
        "\"usage\":{\"type\":\"object\"}}}}}}";

static int check_schema(const cJSON *entries, Error *err) {
        SCOPED(json_free) cJSON *schema = NULL;
        SchemaFault fault = { 0 };
        int r;

        r = json_parse(transcript_schema, strlen(transcript_schema), 0, &schema, err);
        if (r < 0)
                return r;
        if (schema_check(schema, entries, &fault) < 0)
                return error_say(err, -EINVAL, "transcript: %s: %s",
                                 *fault.path ? fault.path : "the whole", fault.text);
        return 0;
}

static uint64_t turn_of(const cJSON *entry) {
        uint64_t turn = 0;

        (void) json_number(entry, "turn", &turn);
        return turn;
}

static int check_twice(const cJSON *entries, Error *err) {
        const cJSON *entry, *other;
        unsigned i = 0;

        cJSON_ArrayForEach(entry, entries) {
                for (other = entries->child; other != entry; other = other->next)
                        if (turn_of(other) == turn_of(entry) &&
                            strcmp(json_text(other, "expect"), json_text(entry, "expect")) == 0 &&
                            strcmp(json_text(other, "role"), json_text(entry, "role")) == 0)
                                return error_say(
                                        err, -EINVAL,
                                        "transcript: /%u: a second entry for turn %llu of %s that "
                                        "expects the same",
                                        i, (unsigned long long) turn_of(entry),
                                        json_text(entry, "role"));
                i++;
        }
        return 0;
}

int transcript_check(const cJSON *entries, Error *err) {
        int r = check_schema(entries, err);

        return r < 0 ? r : check_twice(entries, err);
}
