/*
 * schema: see schema.h.
 *
 * A keyword is a row of one table: its name, the JSON type that the schema must give it, and the
 * function that checks it. check() walks the members of a schema and calls the row of each that it
 * knows; unknown ones are ignored, as the standard says. Two things may not depend on who wrote the
 * schema or the value: the depth of the recursion, and the work. Both are counted; what exceeds them
 * does not fit.
 *
 * A check that only wants to know (anyOf, not, if) runs with a fault of its own, so that the first real
 * fault is what the caller sees.
 */
#include "base/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/schema-containers.h"
#include "base/schema-scalars.h"
#include "base/schema-walk.h"

#define DEPTH_MAX 160

static int key_type(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        char wanted[128] = "";
        const cJSON *item;
        size_t n;

        (void) schema;
        if (cJSON_IsString(keyword)) {
                if (schema_has_type(value, keyword->valuestring))
                        return 0;
                return schema_fail(w, SCHEMA_NO_FIT, "%s where %s was expected",
                                   schema_type_name(value), keyword->valuestring);
        }
        if (!cJSON_IsArray(keyword))
                return schema_fail(w, SCHEMA_BROKEN,
                                   "\"type\" of the schema is neither a name nor a list");
        cJSON_ArrayForEach(item, keyword) {
                if (!cJSON_IsString(item))
                        return schema_fail(w, SCHEMA_BROKEN,
                                           "\"type\" of the schema lists what is no name");
                if (schema_has_type(value, item->valuestring))
                        return 0;
                n = strlen(wanted);
                (void) snprintf(wanted + n, sizeof(wanted) - n, "%s%s", n ? " or " : "",
                                item->valuestring);
        }
        return schema_fail(w, SCHEMA_NO_FIT, "%s where %s was expected", schema_type_name(value),
                           wanted);
}

static int key_enum(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        char shown[SCHEMA_SHOWN + 8], wanted[256] = "", one[SCHEMA_SHOWN + 8];
        const cJSON *item;
        bool same = false;
        int r;

        (void) schema;
        cJSON_ArrayForEach(item, keyword) {
                size_t n = strlen(wanted);

                r = schema_equal(w, item, value, &same);
                if (r < 0 || same)
                        return r;
                (void) snprintf(wanted + n, sizeof(wanted) - n, "%s%s", n ? ", " : "",
                                schema_show(item, one, sizeof(one)));
        }
        return schema_fail(w, SCHEMA_NO_FIT, "%s is none of %s",
                           schema_show(value, shown, sizeof(shown)), wanted);
}

static int key_const(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        char shown[SCHEMA_SHOWN + 8];
        bool same = false;
        int r = schema_equal(w, keyword, value, &same);

        (void) schema;
        if (r < 0 || same)
                return r;
        return schema_fail(w, SCHEMA_NO_FIT, "must be %s",
                           schema_show(keyword, shown, sizeof(shown)));
}

static int key_ref(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        const char *ref = cJSON_GetStringValue(keyword);
        const cJSON *target;

        (void) schema;
        if (!ref || ref[0] != '#' || (ref[1] && ref[1] != '/'))
                return schema_fail(w, SCHEMA_BROKEN, "\"$ref\" of the schema must be local: #/…");
        target = json_at(w->root, ref + 1);
        if (!target)
                return schema_fail(w, SCHEMA_BROKEN, "\"$ref\" of the schema leads nowhere: %.80s",
                                   ref);
        return w->check(w, target, value);
}

static int key_all_of(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                      const cJSON *value) {
        const cJSON *item;
        int r;

        (void) schema;
        cJSON_ArrayForEach(item, keyword) {
                r = w->check(w, item, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Counts the schemas of a list that fit; @ret_fault gets the fault of the last that did not. */
static int count_fits(SchemaWalk *w, const cJSON *list, const cJSON *value, unsigned *ret_fits,
                      SchemaFault *ret_fault) {
        SchemaFault fault;
        const cJSON *item;
        int r;

        *ret_fits = 0;
        cJSON_ArrayForEach(item, list) {
                r = schema_probe(w, item, value, &fault);
                if (r == SCHEMA_BROKEN || w->work > SCHEMA_WORK_MAX)
                        return r;
                if (r == 0)
                        ++*ret_fits;
                else
                        *ret_fault = fault;
        }
        return 0;
}

static int key_any_of(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                      const cJSON *value) {
        SchemaFault last = { .path = "" };
        unsigned fits;
        int r = count_fits(w, keyword, value, &fits, &last);

        (void) schema;
        if (r < 0 || fits > 0)
                return r;
        return schema_fail(w, SCHEMA_NO_FIT, "fits none of the %d forms; of the last: %s%s%.300s",
                           cJSON_GetArraySize(keyword), last.path, *last.path ? ": " : "",
                           last.text);
}

static int key_one_of(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                      const cJSON *value) {
        SchemaFault last = { .path = "" };
        unsigned fits;
        int r = count_fits(w, keyword, value, &fits, &last);

        (void) schema;
        if (r < 0 || fits == 1)
                return r;
        if (fits > 1)
                return schema_fail(w, SCHEMA_NO_FIT,
                                   "fits %u of the forms where exactly one was expected", fits);
        return schema_fail(w, SCHEMA_NO_FIT, "fits none of the %d forms; of the last: %s%s%.300s",
                           cJSON_GetArraySize(keyword), last.path, *last.path ? ": " : "",
                           last.text);
}

static int key_not(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        int r = schema_probe(w, keyword, value, NULL);

        (void) schema;
        if (r == SCHEMA_BROKEN || w->work > SCHEMA_WORK_MAX)
                return r;
        return r < 0 ? 0 : schema_fail(w, SCHEMA_NO_FIT, "has a form that is excluded");
}

static int key_if(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        int r = schema_probe(w, keyword, value, NULL);
        const cJSON *next;

        if (r == SCHEMA_BROKEN || w->work > SCHEMA_WORK_MAX)
                return r;
        next = json_get(schema, r == 0 ? "then" : "else");
        return next ? w->check(w, next, value) : 0;
}

enum { WANT_ANY, WANT_NUMBER, WANT_STRING, WANT_BOOL, WANT_LIST, WANT_OBJECT, WANT_SCHEMA };

typedef struct Keyword {
        const char *name;
        int want; /* what the schema must give it */
        SchemaKeyFn run;
} Keyword;

/* "then" and "else" belong to "if"; "default", "title" and the like say nothing about a value. */
static const Keyword keywords[] = {
        { "type", WANT_ANY, key_type },
        { "properties", WANT_OBJECT, schema_key_properties },
        { "required", WANT_LIST, schema_key_required },
        { "additionalProperties", WANT_SCHEMA, schema_key_additional },
        { "items", WANT_SCHEMA, schema_key_items },
        { "prefixItems", WANT_LIST, schema_key_prefix_items },
        { "enum", WANT_LIST, key_enum },
        { "const", WANT_ANY, key_const },
        { "minimum", WANT_NUMBER, schema_key_minimum },
        { "maximum", WANT_NUMBER, schema_key_maximum },
        { "exclusiveMinimum", WANT_NUMBER, schema_key_above },
        { "exclusiveMaximum", WANT_NUMBER, schema_key_below },
        { "multipleOf", WANT_NUMBER, schema_key_multiple_of },
        { "minLength", WANT_NUMBER, schema_key_min_length },
        { "maxLength", WANT_NUMBER, schema_key_max_length },
        { "pattern", WANT_STRING, schema_key_pattern },
        { "minItems", WANT_NUMBER, schema_key_min_items },
        { "maxItems", WANT_NUMBER, schema_key_max_items },
        { "uniqueItems", WANT_BOOL, schema_key_unique_items },
        { "minProperties", WANT_NUMBER, schema_key_min_properties },
        { "maxProperties", WANT_NUMBER, schema_key_max_properties },
        { "propertyNames", WANT_SCHEMA, schema_key_property_names },
        { "patternProperties", WANT_OBJECT, schema_key_pattern_properties },
        { "oneOf", WANT_LIST, key_one_of },
        { "anyOf", WANT_LIST, key_any_of },
        { "allOf", WANT_LIST, key_all_of },
        { "not", WANT_SCHEMA, key_not },
        { "if", WANT_SCHEMA, key_if },
        { "$ref", WANT_STRING, key_ref },
};

static bool is_wanted(const cJSON *keyword, int want) {
        switch (want) {
        case WANT_NUMBER:
                return cJSON_IsNumber(keyword);
        case WANT_STRING:
                return cJSON_IsString(keyword);
        case WANT_BOOL:
                return cJSON_IsBool(keyword);
        case WANT_LIST:
                return cJSON_IsArray(keyword);
        case WANT_OBJECT:
                return cJSON_IsObject(keyword);
        case WANT_SCHEMA:
                return cJSON_IsObject(keyword) || cJSON_IsBool(keyword);
        default:
                return true;
        }
}

static int check_keyword(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                         const cJSON *value) {
        size_t i;

        for (i = 0; i < ELEMENTS(keywords); i++) {
                if (strcmp(keywords[i].name, keyword->string) != 0)
                        continue;
                if (!is_wanted(keyword, keywords[i].want))
                        return schema_fail(w, SCHEMA_BROKEN,
                                           "\"%s\" of the schema has a value of the wrong type",
                                           keyword->string);
                return keywords[i].run(w, schema, keyword, value);
        }
        return 0;
}

static int check_all(SchemaWalk *w, const cJSON *schema, const cJSON *value) {
        const cJSON *keyword;
        int r;

        cJSON_ArrayForEach(keyword, schema) {
                r = check_keyword(w, schema, keyword, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check(SchemaWalk *w, const cJSON *schema, const cJSON *value) {
        int r = schema_spend(w, 1);

        if (r < 0)
                return r;
        if (cJSON_IsTrue(schema))
                return 0;
        if (cJSON_IsFalse(schema))
                return schema_fail(w, SCHEMA_NO_FIT, "nothing is allowed here");
        if (!cJSON_IsObject(schema))
                return schema_fail(w, SCHEMA_BROKEN, "a schema is an object, true or false");
        if (w->depth == DEPTH_MAX)
                return schema_fail(w, SCHEMA_BROKEN, "the schema refers to itself without an end");
        w->depth++;
        r = check_all(w, schema, value);
        w->depth--;
        return r;
}

int schema_check(const cJSON *schema, const cJSON *value, SchemaFault *ret_fault) {
        SchemaFault fault = { .path = "" };
        SchemaWalk walk = { .root = schema, .fault = &fault, .check = check };
        int r = check(&walk, schema, value);

        if (r < 0 && ret_fault)
                *ret_fault = fault;
        return r;
}
