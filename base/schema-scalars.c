/*
 * schema-scalars: see schema-scalars.h. A keyword says nothing about values of other types.
 */
#include "base/schema-scalars.h"

#include <math.h>
#include <string.h>

#include "base/schema-pattern.h"

/* Who knows the unit may tell the range in words of its own */
static int outside(SchemaWalk *w, const cJSON *schema) {
        w->fault->range = schema;
        return SCHEMA_NO_FIT;
}

int schema_key_minimum(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value) {
        if (!cJSON_IsNumber(value) || value->valuedouble >= keyword->valuedouble)
                return 0;
        (void) schema_fail(w, SCHEMA_NO_FIT, "must be %.15g or more", keyword->valuedouble);
        return outside(w, schema);
}

int schema_key_maximum(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value) {
        if (!cJSON_IsNumber(value) || value->valuedouble <= keyword->valuedouble)
                return 0;
        (void) schema_fail(w, SCHEMA_NO_FIT, "must be %.15g or less", keyword->valuedouble);
        return outside(w, schema);
}

int schema_key_above(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        (void) schema;
        if (!cJSON_IsNumber(value) || value->valuedouble > keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must be more than %.15g", keyword->valuedouble);
}

int schema_key_below(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        (void) schema;
        if (!cJSON_IsNumber(value) || value->valuedouble < keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must be less than %.15g", keyword->valuedouble);
}

int schema_key_multiple_of(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                           const cJSON *value) {
        double parts;

        (void) schema;
        if (!cJSON_IsNumber(value))
                return 0;
        if (!(keyword->valuedouble > 0))
                return schema_fail(w, SCHEMA_BROKEN,
                                   "\"multipleOf\" of the schema must be above 0");
        parts = value->valuedouble / keyword->valuedouble;
        /* 0.0075 is a multiple of 0.0001 for people, and nearly one for doubles */
        if (isfinite(parts) && fabs(parts - round(parts)) <= 1e-9 * fmax(1, fabs(parts)))
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must be a multiple of %.15g", keyword->valuedouble);
}

static double characters(const char *text) {
        double n = 0;

        for (; *text; text++)
                n += (*text & 0xc0) != 0x80;
        return n;
}

int schema_key_min_length(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value) {
        (void) schema;
        if (!cJSON_IsString(value) || characters(value->valuestring) >= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f characters or more",
                           keyword->valuedouble);
}

int schema_key_max_length(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value) {
        (void) schema;
        if (!cJSON_IsString(value) || characters(value->valuestring) <= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f characters or fewer",
                           keyword->valuedouble);
}

int schema_matches(SchemaWalk *w, const char *pattern, const char *text) {
        int r = schema_spend(w, strlen(text) / 16 + 100);

        if (r < 0)
                return r;
        r = schema_pattern_match(pattern, text);
        if (r < 0)
                return schema_fail(w, SCHEMA_BROKEN, "a pattern of the schema is not taken: %.80s",
                                   pattern);
        return r;
}

int schema_key_pattern(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value) {
        const char *words = json_text(schema, "description");
        int r;

        if (!cJSON_IsString(value))
                return 0;
        r = schema_matches(w, keyword->valuestring, value->valuestring);
        if (r != 0)
                return r < 0 ? r : 0;
        if (words)
                return schema_fail(w, SCHEMA_NO_FIT, "must match %.80s: %.80s",
                                   keyword->valuestring, words);
        return schema_fail(w, SCHEMA_NO_FIT, "must match %.80s", keyword->valuestring);
}
