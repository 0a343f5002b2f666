/*
 * schema-containers: see schema-containers.h. A keyword says nothing about values of other types.
 */
#include "base/schema-containers.h"

#include "base/schema-scalars.h"

/*
 * Arrays
 */

int schema_key_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value) {
        const cJSON *item;
        unsigned skip = 0, i = 0;
        int r;

        if (!cJSON_IsArray(value))
                return 0;
        if (json_get(schema, "prefixItems"))
                skip = (unsigned) cJSON_GetArraySize(json_get(schema, "prefixItems"));
        cJSON_ArrayForEach(item, value) {
                r = i >= skip ? schema_element(w, keyword, item, i) : 0;
                if (r < 0)
                        return r;
                i++;
        }
        return 0;
}

int schema_key_prefix_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                            const cJSON *value) {
        const cJSON *item, *form = keyword->child;
        unsigned i = 0;
        int r;

        (void) schema;
        if (!cJSON_IsArray(value))
                return 0;
        for (item = value->child; item && form; item = item->next, form = form->next) {
                r = schema_element(w, form, item, i++);
                if (r < 0)
                        return r;
        }
        return 0;
}

int schema_key_min_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                         const cJSON *value) {
        (void) schema;
        if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) >= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f elements or more",
                           keyword->valuedouble);
}

int schema_key_max_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                         const cJSON *value) {
        (void) schema;
        if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) <= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f elements or fewer",
                           keyword->valuedouble);
}

int schema_key_unique_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                            const cJSON *value) {
        const cJSON *a, *b;
        bool same = false;
        int r;

        (void) schema;
        if (!cJSON_IsTrue(keyword) || !cJSON_IsArray(value))
                return 0;
        for (a = value->child; a; a = a->next)
                for (b = a->next; b; b = b->next) {
                        r = schema_equal(w, a, b, &same);
                        if (r < 0)
                                return r;
                        if (same)
                                return schema_fail(w, SCHEMA_NO_FIT, "has the same element twice");
                }
        return 0;
}

/*
 * Objects
 */

int schema_key_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value) {
        const cJSON *form, *member;
        int r;

        (void) schema;
        if (!cJSON_IsObject(value))
                return 0;
        cJSON_ArrayForEach(form, keyword) {
                member = json_get(value, form->string);
                r = member ? schema_member(w, form, member) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

int schema_key_pattern_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                                  const cJSON *value) {
        const cJSON *form, *member;
        int r;

        (void) schema;
        if (!cJSON_IsObject(value))
                return 0;
        cJSON_ArrayForEach(form, keyword) {
                cJSON_ArrayForEach(member, value) {
                        r = schema_matches(w, form->string, member->string);
                        if (r > 0)
                                r = schema_member(w, form, member);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* Is @name spoken for by properties or patternProperties? 1, 0 or SCHEMA_BROKEN. */
static int is_named(SchemaWalk *w, const cJSON *schema, const char *name) {
        const cJSON *form;
        int r;

        if (json_get(json_get(schema, "properties"), name))
                return 1;
        cJSON_ArrayForEach(form, json_get(schema, "patternProperties")) {
                r = schema_matches(w, form->string, name);
                if (r != 0)
                        return r;
        }
        return 0;
}

int schema_key_additional(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value) {
        const cJSON *member;
        int r;

        if (!cJSON_IsObject(value))
                return 0;
        cJSON_ArrayForEach(member, value) {
                r = is_named(w, schema, member->string);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (cJSON_IsFalse(keyword))
                        return schema_fail_member(w, member, "unknown field \"%.80s\"",
                                                  member->string);
                r = schema_member(w, keyword, member);
                if (r < 0)
                        return r;
        }
        return 0;
}

int schema_key_required(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                        const cJSON *value) {
        const cJSON *name;

        (void) schema;
        if (!cJSON_IsObject(value))
                return 0;
        cJSON_ArrayForEach(name, keyword) {
                if (!cJSON_IsString(name))
                        return schema_fail(w, SCHEMA_BROKEN,
                                           "\"required\" of the schema lists what is no name");
                if (!json_get(value, name->valuestring))
                        return schema_fail(w, SCHEMA_NO_FIT, "the field \"%.80s\" is missing",
                                           name->valuestring);
        }
        return 0;
}

int schema_key_min_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value) {
        (void) schema;
        if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) >= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f fields or more", keyword->valuedouble);
}

int schema_key_max_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value) {
        (void) schema;
        if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) <= keyword->valuedouble)
                return 0;
        return schema_fail(w, SCHEMA_NO_FIT, "must have %.0f fields or fewer",
                           keyword->valuedouble);
}

int schema_key_property_names(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value) {
        const cJSON *member;
        int r;

        (void) schema;
        if (!cJSON_IsObject(value))
                return 0;
        cJSON_ArrayForEach(member, value) {
                cJSON name = { .type = cJSON_String,
                               .string = member->string,
                               .valuestring = member->string };

                r = schema_member(w, keyword, &name);
                if (r < 0)
                        return r;
        }
        return 0;
}
